// Messages about the chain: genesis, heights, tips, blocks, forks, chain work. The number above
// each struct is its index on the wire; protocol section 4.1 has the table. Read through
// messages.h.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/operators.hpp>

#include "daemon/wire/block.h"

namespace timectl::wire::msg {

using boost::describe::operators::operator==;

// 0
struct GetGenesisHash {};
BOOST_DESCRIBE_STRUCT(GetGenesisHash, (), ())

// 1
struct GenesisHashResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Hash32 hash{};
};
BOOST_DESCRIBE_STRUCT(GenesisHashResponse, (), (hash))

// 2
struct GetBlockHeight {};
BOOST_DESCRIBE_STRUCT(GetBlockHeight, (), ())

// 3
struct BlockHeightResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  std::uint64_t height = 0;
};
BOOST_DESCRIBE_STRUCT(BlockHeightResponse, (), (height))

// 4
struct GetChainTip {};
BOOST_DESCRIBE_STRUCT(GetChainTip, (), ())

// 5
struct ChainTipResponse {
  std::uint64_t height = 0;
  Hash32 hash{};
};
BOOST_DESCRIBE_STRUCT(ChainTipResponse, (), (height, hash))

// 6
struct GetBlocks {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};
BOOST_DESCRIBE_STRUCT(GetBlocks, (), (start, end))

// 7
struct BlocksResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<Block> blocks;
};
BOOST_DESCRIBE_STRUCT(BlocksResponse, (), (blocks))

// 8
struct RequestGenesis {};
BOOST_DESCRIBE_STRUCT(RequestGenesis, (), ())

// 9
struct GenesisAnnouncement {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Block block;
};
BOOST_DESCRIBE_STRUCT(GenesisAnnouncement, (), (block))

// 20
struct BlockAnnouncement {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Block block;
};
BOOST_DESCRIBE_STRUCT(BlockAnnouncement, (), (block))

// 21
struct BlockInventory {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  std::uint64_t height = 0;
};
BOOST_DESCRIBE_STRUCT(BlockInventory, (), (height))

// 22
struct BlockRequest {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  std::uint64_t height = 0;
};
BOOST_DESCRIBE_STRUCT(BlockRequest, (), (height))

// 23
struct BlockResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Block block;
};
BOOST_DESCRIBE_STRUCT(BlockResponse, (), (block))

// 45
struct GetBlockHash {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  std::uint64_t height = 0;
};
BOOST_DESCRIBE_STRUCT(GetBlockHash, (), (height))

// 46
struct BlockHashResponse {
  std::uint64_t height = 0;
  std::optional<Hash32> hash;
};
BOOST_DESCRIBE_STRUCT(BlockHashResponse, (), (height, hash))

// 49
struct GetBlockRange {
  std::uint64_t start_height = 0;
  std::uint64_t end_height = 0;
};
BOOST_DESCRIBE_STRUCT(GetBlockRange, (), (start_height, end_height))

// 50
struct BlockRangeResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<Block> blocks;
};
BOOST_DESCRIBE_STRUCT(BlockRangeResponse, (), (blocks))

// 51
struct ForkAlert {
  std::uint64_t your_height = 0;
  Hash32 your_hash{};
  std::uint64_t consensus_height = 0;
  Hash32 consensus_hash{};
  std::uint64_t consensus_peer_count = 0;
  Text message;
};
BOOST_DESCRIBE_STRUCT(ForkAlert, (),
                      (your_height, your_hash, consensus_height, consensus_hash,
                       consensus_peer_count, message))

// 61
struct TimeLockBlockProposal {
  Block block;
};
BOOST_DESCRIBE_STRUCT(TimeLockBlockProposal, (), (block))

// 64
struct GetChainWork {};
BOOST_DESCRIBE_STRUCT(GetChainWork, (), ())

// 65
struct ChainWorkResponse {
  std::uint64_t height = 0;
  Hash32 tip_hash{};
  Uint128 cumulative_work;
};
BOOST_DESCRIBE_STRUCT(ChainWorkResponse, (), (height, tip_hash, cumulative_work))

// 66
struct GetChainWorkAt {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  std::uint64_t height = 0;
};
BOOST_DESCRIBE_STRUCT(GetChainWorkAt, (), (height))

// 67
struct ChainWorkAtResponse {
  std::uint64_t height = 0;
  Hash32 block_hash{};
  Uint128 cumulative_work;
};
BOOST_DESCRIBE_STRUCT(ChainWorkAtResponse, (), (height, block_hash, cumulative_work))

}  // namespace timectl::wire::msg
