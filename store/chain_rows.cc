#include "store/chain_rows.h"

#include <algorithm>
#include <string>

namespace timectl::store {
namespace {

std::optional<chain::ChainTip> first_place(Query& query, const char* table) {
  if (!query.step()) return std::nullopt;
  RowReader reader(query.row(), table);
  return read_place(reader);
}

struct Parts {
  std::span<const std::uint8_t> header;
  std::span<const std::uint8_t> rest;
};
Parts parts_of(const chain::ChainBlock& block) {
  return {block.raw.span().first(block.header_size), block.raw.span().subspan(block.header_size)};
}

Error does_not_follow(const chain::ChainBlock& block, const std::string& because) {
  return {Code::invalid_argument,
          "block " + std::to_string(block.height) + " does not go on from the stored chain",
          because};
}

}  // namespace

chain::ChainTip read_place(RowReader& reader) {
  chain::ChainTip place;
  place.block.height = reader.counter();
  const auto hash = reader.blob(place.block.hash.size(), place.block.hash.size());
  std::copy(hash.begin(), hash.end(), place.block.hash.begin());
  constexpr auto kLimits = std::numeric_limits<std::int64_t>();
  place.timestamp = reader.integer(kLimits.min(), kLimits.max());
  place.block.treasury_balance =
      static_cast<std::uint64_t>(reader.integer(kLimits.min(), kLimits.max()));
  return place;
}

std::optional<chain::ChainTip> highest_block(Connection& connection) {
  Query query(connection,
              "SELECT height, hash, timestamp, treasury FROM block ORDER BY height DESC LIMIT 1");
  return first_place(query, "block");
}

std::optional<chain::ChainTip> highest_staged(Connection& connection) {
  Query query(connection,
              "SELECT height, hash, timestamp, treasury FROM staged ORDER BY height DESC LIMIT 1");
  return first_place(query, "staged");
}

std::optional<chain::ChainTip> block_at(Connection& connection, chain::Height height) {
  Query query(connection, "SELECT height, hash, timestamp, treasury FROM block WHERE height = ?");
  query.bind(bounded(height));
  return first_place(query, "block");
}

void insert_block(Connection& connection, const chain::ChainBlock& block) {
  const Parts parts = parts_of(block);
  Query(connection,
        "INSERT INTO block (height, hash, timestamp, treasury, header) VALUES (?, ?, ?, ?, ?)")
      .bind(block.height, block.hash, block.timestamp, block.treasury_balance, parts.header)
      .run();
  Query(connection, "INSERT INTO body (height, sum, rest) VALUES (?, ?, ?)")
      .bind(block.height, chain::checksum(block.raw), parts.rest)
      .run();
}

void insert_staged(Connection& connection, const chain::ChainBlock& block) {
  const Parts parts = parts_of(block);
  Query(connection,
        "INSERT INTO staged (height, hash, timestamp, treasury, header, sum, rest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(block.height, block.hash, block.timestamp, block.treasury_balance, parts.header,
            chain::checksum(block.raw), parts.rest)
      .run();
}

Result<void> check_continuous(const chain::Parent& parent,
                              std::span<const chain::ChainBlock> blocks) {
  chain::Height height = parent.height;
  const wire::Hash32* hash = &parent.hash;
  for (const chain::ChainBlock& block : blocks) {
    if (block.height != height + 1) {
      return does_not_follow(block, "the block after " + std::to_string(height) + " is next");
    }
    if (block.raw.size() > wire::max_block_size || block.header_size > block.raw.size()) {
      return does_not_follow(block, "its size cannot be a block's");
    }
    const auto place = chain::place_of({block.raw.data(), block.header_size});
    if (!place || place->height != block.height || place->previous_hash != *hash) {
      return does_not_follow(block, "its header names another parent");
    }
    height = block.height;
    hash = &block.hash;
  }
  return {};
}

chain::ChainTip tip_of(const chain::ChainBlock& block) {
  return {{block.height, block.hash, block.treasury_balance}, block.timestamp};
}

Error of_chain(Error error) {
  if (error.code == Code::database_damaged) {
    error.remedy = {"restart the node: it puts the file aside and fetches the chain again"};
  }
  return error;
}

}  // namespace timectl::store
