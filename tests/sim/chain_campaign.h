#pragma once
// The random campaign of sync: a seed makes a network of 2 to 40 peers of every manner, a stored
// chain of ours somewhere behind or beside it, and two hours in which peers come and go, the
// operator pauses, the node restarts and half of the network goes its own way for a while. All
// checks of ChainWorld are on; where the honest masternodes are a majority at the end, the node
// must stand where they stand.

#include <string>

#include "tests/sim/chain_world.h"

namespace timectl::sim {

struct ChainOutcome {
  std::string failure;      // empty: every promise was kept
  std::string network;      // in words, for the report of a failure
  bool judged = false;      // there was an honest majority at the end
  Duration caught_up = {};  // since then
  ChainTally tally;
};

[[nodiscard]] ChainOutcome run_chain_seed(std::uint64_t seed, Duration length);

}  // namespace timectl::sim
