#include "daemon/control/limits.h"

#include <gtest/gtest.h>

namespace timectl::control {
namespace {

TEST(Admits, OneUserCannotTakeTheOperatorsPlaces) {
  const Limits limits;
  EXPECT_TRUE(admits(limits, 0, 0, false));
  EXPECT_FALSE(admits(limits, 16, 16, false));
  EXPECT_FALSE(admits(limits, 56, 0, false));  // the last eight are kept
  EXPECT_TRUE(admits(limits, 56, 0, true));
  EXPECT_TRUE(admits(limits, 63, 15, true));
  EXPECT_FALSE(admits(limits, 64, 0, true));
}

TEST(BudgetTest, BurstIsFreeThenTheShareHolds) {
  const Limits limits;
  Budget budget(limits, false, Instant{});
  EXPECT_EQ(budget.wait(Instant{}), Duration::zero());
  budget.charge(3s, Instant{});  // one second of debt at a quarter of the thread: four seconds
  EXPECT_NEAR(seconds(budget.wait(Instant{})), 4.0, 0.001);
  EXPECT_GT(budget.wait(Instant{} + 3s), Duration::zero());
  EXPECT_EQ(budget.wait(Instant{} + 4s + 1ms), Duration::zero());
}

TEST(BudgetTest, CheapCallsCostTheMinimum) {
  Limits limits;
  limits.burst = 1s;
  limits.call_minimum = 1ms;
  Budget budget(limits, false, Instant{});
  int calls = 0;
  while (budget.wait(Instant{}) == Duration::zero() && calls < 5000) {
    budget.charge(Duration::zero(), Instant{});
    ++calls;
  }
  EXPECT_EQ(calls, 1000);
}

TEST(BudgetTest, DebtIsBoundedAndAClockThatStandsStillHarmsNothing) {
  const Limits limits;
  Budget budget(limits, false, Instant{} + 10s);
  budget.charge(24h, Instant{} + 10s);
  EXPECT_LE(budget.wait(Instant{} + 9s), 8s + 1ms);
  EXPECT_EQ(budget.wait(Instant{} + 24h * 365 * 100), Duration::zero());
}

TEST(BudgetTest, ThePrivilegedAreNotHeldToTheShare) {
  const Limits limits;
  Budget budget(limits, true, Instant{});
  budget.charge(3s, Instant{});
  EXPECT_NEAR(seconds(budget.wait(Instant{})), 1.0, 0.001);
}

TEST(Limits, OnlyWhoMayChangeSomethingSendsWholeLists) {
  const Limits limits;
  EXPECT_EQ(limits_of(limits, true).request_line, kRequestLimit);
  EXPECT_EQ(limits_of(limits, false).request_line, 1'048'576U);
  // All places taken by readers who send a line that never ends.
  EXPECT_LE(limits.clients * limits_of(limits, false).request_line, 64U << 20U);
}

}  // namespace
}  // namespace timectl::control
