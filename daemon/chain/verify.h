// Verification of one block against its parent, by the rules that need neither the unspent outputs
// nor the registry (protocol 9.2 to 9.5). Sync calls it for every block before it is stored. Pure,
// and a block is the slice: whoever has a budget of time asks for the time between two blocks.
//
// All findings are reported, in two steps. The first looks at the header alone: place, times,
// proof. The second hashes the transactions, adds up the reward and checks the signature; it is
// left out when the first refuses, because a block that belongs nowhere costs its sender nothing
// and should cost us little. A block that passes is *consistent*, not *true*: there is no proof of
// work, anybody can make such a chain. What is the network's chain is decided by agreement of
// peers, elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "daemon/chain/verdict.h"
#include "daemon/core/time.h"
#include "daemon/wire/block.h"
#include "daemon/wire/network_params.h"

namespace timectl::chain {

inline constexpr std::uint64_t emission = 10'000'000'000;     // satoshis a block (protocol 9.1)
inline constexpr std::uint64_t treasury_share = 500'000'000;  // of it, not paid out
inline constexpr std::int64_t max_ahead_of_clock = 5;         // seconds a timestamp may be ahead
inline constexpr std::int64_t max_height_lead = 10;           // seconds, for the height
inline constexpr std::int64_t max_before_slot = 600;          // seconds before the slot, always
inline constexpr std::int64_t max_before_slot_near_tip = 30;  // and near the tip
inline constexpr std::uint64_t near_tip = 10;                 // blocks
inline constexpr std::uint64_t last_height_without_leader = 3;
inline constexpr std::size_t rewarded_wanted = 3;  // addresses, if so many are active

// What the next block needs to know of the one it stands on.
struct Parent {
  std::uint64_t height = 0;
  wire::Hash32 hash{};
  std::uint64_t treasury_balance = 0;
  friend bool operator==(const Parent&, const Parent&) = default;
};
[[nodiscard]] Parent genesis_parent(wire::Network network);
// For the block after `block`, whose hash the verdict over it has.
[[nodiscard]] Parent parent_from(const wire::Block& block, const wire::Hash32& hash);

// Keys of producers, by the text in `leader`. They are claims of peers, hence the warning.
using ProducerKeys = std::map<std::string, wire::Hash32, std::less<>>;

struct Circumstances {
  wire::Network network = wire::Network::mainnet;
  Parent parent;
  WallTime now;  // of our clock
  // The height believed to be the network's, for the rules that hold near the tip only; they are
  // left out without it.
  std::optional<std::uint64_t> tip_height;
  // The hash that was announced for this height, if one was. Without it an altered header shows
  // only when the next block does not link to it.
  std::optional<wire::Hash32> announced_hash;
  const ProducerKeys* keys = nullptr;  // none: signatures are not checked
};

[[nodiscard]] Verdict verify(const Circumstances& at, const wire::Block& block);

// The block of height 0, which is compiled in: any other is refused, also one with the right hash
// whose other bytes differ.
[[nodiscard]] Verdict verify_genesis(wire::Network network, const wire::Block& block);

}  // namespace timectl::chain
