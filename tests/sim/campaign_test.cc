// The random campaign as a test: days of twenty nodes, and what the campaign's own parts promise.
#include "tests/sim/campaign.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

CampaignOptions days() {
  CampaignOptions options;
#ifdef TIMECTL_SANITIZED
  options.seeds = 2;
  options.length = 3h;
#else
  options.seeds = std::getenv("TIMECTL_LONG") != nullptr ? 60 : 20;
#endif
  return options;
}

TEST(Campaign, RandomDaysOfTwentyNodesBreakNoPromise) {
  const CampaignResult result = campaign(days(), [](const CampaignResult&) {});
  std::cout << summary(result) << '\n';
  ASSERT_FALSE(result.finding) << result.finding->failure << "\n./dev sim --seeds 1 --first "
                               << result.finding->schedule.seed;
}

TEST(Campaign, TheSameScheduleGivesTheSameTraceAndAnotherSeedAnother) {
  Schedule schedule = random_schedule(11, 8, 2h);
  const Outcome first = run(schedule);
  EXPECT_EQ(first.failure, "");
  EXPECT_EQ(run(schedule).trace, first.trace);
  EXPECT_EQ(run_apart(schedule).trace, first.trace);
  schedule.seed = 12;
  EXPECT_NE(run(schedule).trace, first.trace);
}

TEST(Campaign, AScheduleIsTextThatCanBeReadBack) {
  const Schedule schedule = random_schedule(5, 20, 24h);
  EXPECT_GT(schedule.faults.size(), 100U);
  const auto back = parse_schedule(to_text(schedule));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, schedule);
  EXPECT_FALSE(parse_schedule("seed 1 nodes 20 length 5ms\nat 0ms for 1ms melt 1 2 3"));
  EXPECT_FALSE(parse_schedule(""));
}

TEST(Campaign, AFailureIsShrunkToTheFaultsThatMakeIt) {
  const Schedule schedule = random_schedule(5, 20, 24h);
  const Fault& one = schedule.faults[40];
  const Fault& other = schedule.faults[90];
  std::size_t runs = 0;
  const Schedule small = shrink(
      schedule,
      [&](const Schedule& s) {
        ++runs;
        const auto has = [&](const Fault& wanted) {
          return std::any_of(s.faults.begin(), s.faults.end(), [&](const Fault& f) {
            return f.kind == wanted.kind && f.a == wanted.a && f.amount == wanted.amount;
          });
        };
        Outcome outcome;
        if (has(one) && has(other)) outcome.failure = "both are there";
        return outcome;
      },
      500);
  ASSERT_EQ(small.faults.size(), 2U);
  EXPECT_EQ(small.faults[0].kind, one.kind);
  EXPECT_EQ(small.faults[1].kind, other.kind);
  EXPECT_LT(small.length, other.at + 20min);
  EXPECT_LT(runs, 500U);
}

TEST(Campaign, ABrokenPromiseIsFoundAndNamesItsTime) {
  // The negative control: a world that expects no loss while a path is cut without its knowing.
  World world(WorldOptions{.nodes = 3, .seed = 1});
  world.start_all();
  world.run(1min);
  world.kill(1);  // not as a fault of a schedule
  try {
    world.run(1min);
    FAIL() << "nothing was found";
  } catch (const Violation& violation) {
    EXPECT_NE(std::string(violation.what()).find("nothing had hurt it"), std::string::npos);
  }
}

}  // namespace
}  // namespace timectl::sim
