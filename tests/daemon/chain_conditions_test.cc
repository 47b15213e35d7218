#include "daemon/chain_conditions.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = WallTime{} + 24h * 20'000;

SyncStatusView at_lag(std::uint64_t lag, Duration tip_age = 5min) {
  SyncStatusView view;
  view.best_height = 10'000;
  view.height = 10'000 - lag;
  view.lag_blocks = lag;
  view.tip_at = kNow - std::chrono::duration_cast<std::chrono::milliseconds>(tip_age);
  return view;
}

ForkView fork(std::uint64_t ours, std::uint64_t theirs, std::uint64_t masternodes) {
  ForkView view;
  view.ancestor_height = 9000;
  view.seen_at = kNow - 10min;
  view.branches = {{true, 9000 + ours, "aa", "", {}, 3, false},
                   {false, 9000 + theirs, "bb", "cc", {}, masternodes, false}};
  return view;
}

Severity severity_of(const AlertCondition& condition) {
  return alert_rule_row(condition.rule).severity;
}

class ChainConditions : public ::testing::Test {
 protected:
  std::vector<AlertCondition> of(const SyncStatusView& view, std::vector<ForkView> forks = {}) {
    return chain_conditions(view, forks, config_, kNow);
  }
  config::Config config_;
};

TEST_F(ChainConditions, LagIsANoticeOver50AndAWarningOver100Blocks) {
  EXPECT_TRUE(of(at_lag(0)).empty());
  EXPECT_TRUE(of(at_lag(50)).empty());
  ASSERT_EQ(of(at_lag(51)).size(), 1U);
  EXPECT_EQ(severity_of(of(at_lag(51))[0]), Severity::notice);
  EXPECT_NE(of(at_lag(51))[0].text.find("sync.alert_blocks = 50"), std::string::npos);
  EXPECT_EQ(severity_of(of(at_lag(100))[0]), Severity::notice);
  EXPECT_EQ(severity_of(of(at_lag(101))[0]), Severity::warning);
  EXPECT_NE(of(at_lag(101))[0].text.find("alerts.lag_warning_blocks = 100"), std::string::npos);
  EXPECT_EQ(of(at_lag(101))[0].brief, "behind by 101 blocks");
}

TEST_F(ChainConditions, TheLimitsAreThoseOfTheConfiguration) {
  config_.sync.alert_blocks = 7;
  config_.alerts.lag_warning_blocks = 9;
  EXPECT_TRUE(of(at_lag(7)).empty());
  EXPECT_EQ(severity_of(of(at_lag(8))[0]), Severity::notice);
  EXPECT_EQ(severity_of(of(at_lag(10))[0]), Severity::warning);
}

TEST_F(ChainConditions, AnOldTipIsAWarningWhereWeAreBehindAndOneCauseIsOneLine) {
  EXPECT_TRUE(of(at_lag(6, 60min)).empty());
  const auto alone = of(at_lag(6, 61min));
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(severity_of(alone[0]), Severity::warning);
  EXPECT_NE(alone[0].text.find("our tip is 1 h 1 min old"), std::string::npos) << alone[0].text;
  EXPECT_NE(alone[0].text.find("alerts.tip_age_warning = 1 h"), std::string::npos);
  const auto both = of(at_lag(4870, 24h * 33));
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(without_consequences(both).size(), 1U);
  EXPECT_EQ(without_consequences(both)[0].rule, AlertRule::lag_high);
}

TEST_F(ChainConditions, AnOldTipInSyncIsNothingUnlessTheNetworkStandsStill) {
  auto view = at_lag(0, 3h);
  EXPECT_TRUE(of(view).empty()) << "a slow hour of the network is no fault of this node";
  view.network_stalled = true;
  ASSERT_EQ(of(view).size(), 1U);
  EXPECT_EQ(of(view)[0].brief, "the network stands still");
  EXPECT_EQ(severity_of(of(view)[0]), Severity::warning);
  view.tip_at = kNow - 59min;
  EXPECT_TRUE(of(view).empty());
}

TEST_F(ChainConditions, NothingIsSaidOfLagWhileNoHeightIsBelieved) {
  auto view = at_lag(4000, 24h * 40);
  view.best_height.reset();
  view.lag_blocks.reset();
  view.claimed_height = 10'000;
  EXPECT_TRUE(of(view).empty());
}

TEST_F(ChainConditions, OneMasternodesClaimRaisesNothing) {
  auto view = at_lag(0, 3h);
  view.claimed_height = 11'000;
  EXPECT_TRUE(of(view).empty());
}

TEST_F(ChainConditions, AnOpenForkIsAWarningOver6BlocksOnAnyBranchThatTwoMasternodesAreOn) {
  EXPECT_TRUE(of(at_lag(0), {fork(2, 6, 2)}).empty());
  const auto long_one = of(at_lag(0), {fork(2, 7, 2)});
  ASSERT_EQ(long_one.size(), 1U);
  EXPECT_EQ(long_one[0].since, kNow - 10min);
  EXPECT_NE(long_one[0].text.find("alerts.fork_blocks = 6"), std::string::npos);
  EXPECT_NE(long_one[0].text.find("7 blocks"), std::string::npos);
  EXPECT_EQ(of(at_lag(0), {fork(7, 2, 2)}).size(), 1U) << "ours counts as well";
  EXPECT_TRUE(of(at_lag(0), {fork(2, 9000, 1)}).empty()) << "one peer's word";
  EXPECT_TRUE(of(at_lag(0), {fork(20, 9000, 0)}).empty()) << "regular peers";
  auto over = fork(2, 7, 2);
  over.resolved_at = kNow - 1min;
  EXPECT_TRUE(of(at_lag(0), {over}).empty());
  auto asks = fork(200, 220, 3);
  asks.needs_consent = true;
  EXPECT_NE(of(at_lag(0), {asks})[0].text.find("timectl sync fork"), std::string::npos);
}

TEST_F(ChainConditions, ASlowClockIsAWarning) {
  auto view = at_lag(0);
  view.clock_doubted = true;
  ASSERT_EQ(of(view).size(), 1U);
  EXPECT_EQ(severity_of(of(view)[0]), Severity::warning);
}

}  // namespace
}  // namespace timectl
