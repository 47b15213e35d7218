// What tells the two networks apart: magic, port, name, genesis. Compiled in; a test recomputes the
// genesis hashes. Used by the handshake, the answers to genesis requests and the chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/wire/bytes.h"
#include "daemon/wire/records.h"

namespace timectl::wire {

enum class Network { mainnet, testnet };

struct NetworkParams {
  Network network;
  std::string_view name;  // as it stands in the Handshake: lower case
  Magic magic;
  std::uint16_t port;         // P2P, compiled in for every peer (protocol 1.1)
  std::int64_t genesis_time;  // Unix seconds
  Hash32 genesis_hash;
};

[[nodiscard]] const NetworkParams& params_of(Network network);
// By the name of the Handshake, letter for letter.
[[nodiscard]] std::optional<Network> network_from_name(std::string_view name);

// The encoded genesis block, as GenesisAnnouncement and BlocksResponse carry it.
[[nodiscard]] Bytes genesis_block(Network network);

inline constexpr std::uint32_t protocol_version = 2;
// A peer below this is banned by the reference node (protocol 0, rule 2).
inline constexpr std::uint32_t min_commit_count = 2062;
inline constexpr std::int64_t block_seconds = 600;
inline constexpr std::uint64_t max_blocks_per_response = 50;
inline constexpr std::uint32_t max_block_size = 4'000'000;  // bytes, encoded

// The height the chain should have at `unix_seconds` (protocol 9.1).
[[nodiscard]] std::uint64_t expected_height(Network network, std::int64_t unix_seconds);

}  // namespace timectl::wire
