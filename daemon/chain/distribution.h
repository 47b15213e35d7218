// The distribution of a block's reward: whether the outputs of transaction 1 pay what the block's
// masternode_rewards list (protocol 9.5, rules 6 and 7). Called by verify.cc. Time is that of a
// sort at worst, and two passes without memory for a block as producers make it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/wire/block.h"

namespace timectl::chain {

using Rewards = wire::LazyList<wire::MasternodeReward>;

// How many different addresses get more than 0, counted up to `enough` (at most 3).
[[nodiscard]] std::size_t rewarded_addresses(const Rewards& rewards, std::size_t enough);

struct Payout {
  // All outputs together; 2^64 - 1 stands for that and more.
  std::uint64_t total = 0;
  // An address whose outputs and rewards differ, and both sums (capped likewise). An address that
  // gets 0 is the same as one that is not there.
  struct Difference {
    std::uint64_t paid = 0;
    std::uint64_t listed = 0;
  };
  std::optional<Difference> difference;
};
[[nodiscard]] Payout payout_of(const wire::LazyList<wire::TxOutput>& outputs,
                               const Rewards& rewards);

}  // namespace timectl::chain
