#pragma once
// Blocks as rows of chain.db: what ChainFile's parts share. Everything throws StoreFailure and
// SQLite::Exception; a row that cannot be ours is database_damaged. Private to store/.

#include <memory>
#include <optional>

#include "daemon/chain/stored_block.h"
#include "store/chain_file.h"
#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {

struct ChainFile::State {
  std::unique_ptr<Connection> connection;
  timectl::Network network = timectl::Network::mainnet;
  OpenMode mode = OpenMode::read_write;
  // The writer's own; of a reader the last that it saw.
  chain::ChainTip tip = {};
  std::optional<Error> read_failure = {};
};

// The columns height, hash, timestamp, treasury.
[[nodiscard]] chain::ChainTip read_place(RowReader& reader);

// The highest of the best chain, of the staged branch.
[[nodiscard]] std::optional<chain::ChainTip> highest_block(Connection& connection);
[[nodiscard]] std::optional<chain::ChainTip> highest_staged(Connection& connection);

[[nodiscard]] std::optional<chain::ChainTip> block_at(Connection& connection, chain::Height height);

void insert_block(Connection& connection, const chain::ChainBlock& block);
void insert_staged(Connection& connection, const chain::ChainBlock& block);

// Whether the blocks go on from `parent`, each from the one before it.
[[nodiscard]] Result<void> check_continuous(const chain::Parent& parent,
                                            std::span<const chain::ChainBlock> blocks);
[[nodiscard]] chain::ChainTip tip_of(const chain::ChainBlock& block);

// The way out of a damaged chain is another than that of the operator's database.
[[nodiscard]] Error of_chain(Error error);
template <class T>
[[nodiscard]] Result<T> of_chain(Result<T> result) {
  return result ? std::move(result) : Result<T>(of_chain(result.error()));
}

}  // namespace timectl::store
