// ChainFile: the branch beside the best chain, and the change over to it.
#include <algorithm>
#include <string>

#include "store/chain_rows.h"

namespace timectl::store {
namespace {

Error nothing_fits(const std::string& because) {
  return {Code::invalid_argument, "the staged branch does not go on from that block", because};
}

// Where the first staged block goes on from: a block of the best chain.
Result<chain::Parent> parent_of_first(Connection& connection, const chain::ChainBlock& first) {
  const auto parent = first.height == 0 ? std::nullopt : block_at(connection, first.height - 1);
  if (!parent) return nothing_fits("there is no block below it");
  return parent->block;
}

// The staged blocks begin above `ancestor` on its block and have no gap; returns the last.
Result<chain::ChainTip> check_staged(Connection& connection, chain::Height ancestor) {
  const auto last = highest_staged(connection);
  if (!last) return nothing_fits("nothing is staged");
  const auto base = block_at(connection, ancestor);
  if (!base) return nothing_fits("the best chain has no block of that height");
  Query query(connection, "SELECT height, header FROM staged ORDER BY height LIMIT 1");
  if (!query.step()) return nothing_fits("nothing is staged");
  RowReader reader(query.row(), "staged");
  const chain::Height first = reader.counter();
  const auto place = chain::place_of(reader.blob(1, wire::max_block_size));
  if (first != ancestor + 1 || !place || place->previous_hash != base->block.hash) {
    return nothing_fits("it parts from the best chain elsewhere");
  }
  const auto count = static_cast<std::uint64_t>(connection.number("SELECT count(*) FROM staged"));
  if (count != last->block.height - ancestor) {
    throw StoreFailure{Error{Code::database_damaged, connection.file().string() + " is damaged",
                             "the staged branch has gaps"}};
  }
  return *last;
}

// The blocks above `ancestor` as a branch of their own: of a longer one the first
// kMostBranchBlocks.
void keep_replaced(Connection& connection, chain::Height ancestor, const chain::ChainTip& tip) {
  const auto kept =
      std::min<std::uint64_t>(tip.block.height - ancestor, ChainFile::kMostBranchBlocks);
  Query(connection, "INSERT INTO branch (ancestor, tip, tip_hash, kept) VALUES (?, ?, ?, ?)")
      .bind(ancestor, tip.block.height, tip.block.hash, kept)
      .run();
  const auto id = connection.number("SELECT max(id) FROM branch");
  Query(connection,
        "INSERT INTO branch_block"
        " (branch, height, hash, timestamp, treasury, header, sum, rest)"
        " SELECT ?, block.height, hash, timestamp, treasury, header, sum, rest"
        " FROM block LEFT JOIN body ON body.height = block.height"
        " WHERE block.height > ? AND block.height <= ? ORDER BY block.height")
      .bind(id, ancestor, ancestor + kept)
      .run();
}

// The oldest branches go until the others are few enough.
void forget_branches(Connection& connection) {
  std::uint64_t sum = 0;
  std::int64_t first_kept = 0;
  {
    Query query(connection, "SELECT id, kept FROM branch ORDER BY id DESC");
    while (query.step()) {
      RowReader reader(query.row(), "branch");
      const auto id = static_cast<std::int64_t>(reader.counter());
      const auto kept = reader.counter();
      if (kept > ChainFile::kMostBranchBlocks || sum + kept > ChainFile::kMostBranchBlocks) break;
      sum += kept;
      first_kept = id;
    }
  }
  Query(connection, "DELETE FROM branch_block WHERE branch < ?").bind(first_kept).run();
  Query(connection, "DELETE FROM branch WHERE id < ?").bind(first_kept).run();
}

void change_over(Connection& connection, chain::Height ancestor) {
  Query(connection, "DELETE FROM body WHERE height > ?").bind(ancestor).run();
  Query(connection, "DELETE FROM block WHERE height > ?").bind(ancestor).run();
  connection.execute(
      "INSERT INTO block (height, hash, timestamp, treasury, header)"
      " SELECT height, hash, timestamp, treasury, header FROM staged ORDER BY height;"
      "INSERT INTO body (height, sum, rest) SELECT height, sum, rest FROM staged ORDER BY height;"
      "DELETE FROM staged");
}

}  // namespace

Result<void> ChainFile::stage(std::span<const chain::ChainBlock> blocks) {
  if (blocks.empty()) return {};
  Connection& connection = *state_->connection;
  return of_chain(
      in_transaction(connection, Sync::relaxed, "storing a branch", [&]() -> Result<void> {
        const auto last = highest_staged(connection);
        const auto parent =
            last ? Result<chain::Parent>(last->block) : parent_of_first(connection, blocks.front());
        if (!parent) return parent.error();
        if (auto fits = check_continuous(*parent, blocks); !fits) return fits;
        for (const auto& block : blocks) insert_staged(connection, block);
        return {};
      }));
}

Result<std::optional<chain::ChainTip>> ChainFile::staged_tip() const {
  using Found = std::optional<chain::ChainTip>;
  Connection& connection = *state_->connection;
  return of_chain(guarded(connection, "reading the staged branch",
                          [&]() -> Result<Found> { return highest_staged(connection); }));
}

Result<void> ChainFile::drop_staged() {
  Connection& connection = *state_->connection;
  return of_chain(
      in_transaction(connection, Sync::relaxed, "dropping a branch", [&]() -> Result<void> {
        connection.execute("DELETE FROM staged");
        return {};
      }));
}

Result<chain::ReorganiseDone> ChainFile::reorganise(chain::Height ancestor) {
  Connection& connection = *state_->connection;
  chain::ReorganiseDone done;
  auto changed =
      in_transaction(connection, Sync::relaxed, "changing over to a branch", [&]() -> Result<void> {
        auto last = check_staged(connection, ancestor);
        if (!last) return last.error();
        done.tip = *last;
        done.replaced = state_->tip.block.height - ancestor;
        if (done.replaced > 0) {
          keep_replaced(connection, ancestor, state_->tip);
          forget_branches(connection);
        }
        change_over(connection, ancestor);
        return {};
      });
  if (!changed) return of_chain(changed.error());
  state_->tip = done.tip;
  return done;
}

}  // namespace timectl::store
