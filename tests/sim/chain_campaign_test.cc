// The random campaign of sync as a test. TIMECTL_CHAIN_SEEDS=N runs so many seeds instead,
// TIMECTL_CHAIN_FIRST=S begins at that one.
#include "tests/sim/chain_campaign.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <iostream>

namespace timectl::sim {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

#ifdef TIMECTL_SANITIZED
constexpr std::uint64_t kSeeds = 5;
#else
constexpr std::uint64_t kSeeds = 150;
#endif

TEST(ChainCampaign, RandomNetworksBreakNoPromiseAndEndWhereTheHonestMajorityStands) {
  const std::uint64_t first = setting("TIMECTL_CHAIN_FIRST", 1);
  const std::uint64_t seeds = setting("TIMECTL_CHAIN_SEEDS", kSeeds);
  ChainTally sum;
  std::size_t judged = 0;
  std::size_t failed = 0;
  Duration longest{};
  std::uint64_t slowest = 0;
  const auto begin = std::clock();
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const ChainOutcome outcome = run_chain_seed(seed, 2h);
    sum.add(outcome.tally);
    judged += outcome.judged ? 1U : 0U;
    if (outcome.judged && outcome.caught_up > longest) {
      longest = outcome.caught_up;
      slowest = seed;
    }
    if (outcome.failure.empty()) continue;
    ADD_FAILURE() << "seed " << seed << ": " << outcome.failure << "\n  " << outcome.network
                  << "\n  again: TIMECTL_CHAIN_FIRST=" << seed << " TIMECTL_CHAIN_SEEDS=1";
    if (++failed == 10) break;
  }
  std::cout << seeds << " seeds, " << judged << " with an honest majority at the end, "
            << sum.events << " events, " << sum.asked_blocks << " requests for "
            << sum.blocks_wanted << " blocks, " << sum.asked_tips << " for tips, "
            << sum.asked_hashes << " for hashes, " << sum.jobs << " jobs, " << sum.reorganisations
            << " reorganisations (deepest " << sum.deepest << "), made up blocks stood at most "
            << human_duration(sum.foreign) << ", last one in sync after " << human_duration(longest)
            << " (seed " << slowest << "), " << sum.accused << " accused, "
            << (std::clock() - begin) / CLOCKS_PER_SEC << " s of CPU\n";
  if (seeds < 20) return;  // too few to say anything of them all
  EXPECT_GE(judged * 2, seeds) << "most seeds must have something to judge";
}

}  // namespace
}  // namespace timectl::sim
