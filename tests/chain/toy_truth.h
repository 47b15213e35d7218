#pragma once
// A HeightTruth with a clock, a chain of its own and made-up peers, for the tests of Y1.

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "daemon/chain/height_truth.h"

namespace timectl::chain {

using wire::Hash32;

inline constexpr Instant kStart{1000h};
inline constexpr Height kExpected = 5000;
inline constexpr Height kHuge = std::uint64_t{1} << 63U;

inline Hash32 toy_hash(std::uint64_t branch, Height height) {
  Hash32 hash{};
  hash[0] = 1;
  std::memcpy(hash.data() + 8, &branch, 8);
  std::memcpy(hash.data() + 16, &height, 8);
  return hash;
}
inline Tip toy_tip(Height height, std::uint64_t branch = 0) {
  return {height, toy_hash(branch, height)};
}

inline IpAddress masternode(std::size_t n) {
  return IpAddress::v4(10, 1, 0, static_cast<std::uint8_t>(n));
}
inline IpAddress regular(std::size_t n) {
  return IpAddress::v4(10, 2, 0, static_cast<std::uint8_t>(n));
}

// One node's truth: 10.1/16 are masternodes, our own chain is branch 0 up to `own`.
class Truth {
 public:
  explicit Truth(Height own = 4900, TruthPolicy policy = {}) : truth(policy) {
    facts.expected = kExpected;
    facts.masternode = [this](const IpAddress& ip) {
      return ip.bytes()[13] == 1 && !removed.contains(ip);
    };
    facts.own_hash = [this](Height height) -> std::optional<Hash32> {
      if (!facts.own || height > facts.own->height) return std::nullopt;
      return toy_hash(0, height);
    };
    facts.own = toy_tip(own);
  }
  void connect(std::size_t masternodes, std::size_t regulars = 0) {
    for (std::size_t n = 1; n <= masternodes; ++n) truth.on_connected(masternode(n), now);
    for (std::size_t n = 1; n <= regulars; ++n) truth.on_connected(regular(n), now);
  }
  void tip(const IpAddress& ip, Height height, std::uint64_t branch = 0) {
    truth.on_tip(ip, toy_tip(height, branch), now);
  }
  [[nodiscard]] Belief believe() { return truth.believe(facts, now); }
  // 0 where nothing is believed.
  [[nodiscard]] Height height() { return believe().best.height; }
  [[nodiscard]] Standing standing() { return truth.standing(facts, now); }
  [[nodiscard]] PeerHeight peer(const IpAddress& ip) {
    for (const auto& row : truth.peers(facts, {}, now)) {
      if (row.ip == ip) return row;
    }
    ADD_FAILURE() << ip.to_string() << " has no row";
    return {};
  }

  HeightTruth truth;
  ChainFacts facts;
  std::set<IpAddress> removed;
  Instant now = kStart;
};

}  // namespace timectl::chain
