#include "daemon/observe/report.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace timectl::observe {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kUntil{1'784'000'000'000ms};
constexpr WallTime kSince = kUntil - 24h;
constexpr double kDay = 86'400;

IpAddress ip(std::uint8_t last) {
  return IpAddress::v4(203, 0, 113, last);
}

// A masternode that was there all day.
PeerSample perfect(std::uint8_t last) {
  PeerSample sample;
  sample.ip = ip(last);
  sample.seconds = sample.connected_seconds = sample.whitelisted_seconds = kDay;
  sample.pings = 2880;
  return sample;
}

ReportInput perfect_day() {
  ReportInput input{.since = kSince, .until = kUntil};
  input.peers = {perfect(1), perfect(2)};
  input.labels = {{ip(1), "berlin"}};
  NodeSample node;
  node.seconds = kDay;
  node.lag_max = 9;
  node.spread_max = 10;
  node.syncing_seconds = 300;
  node.blocks_syncing = 500;
  input.node = node;
  ForkView fork;
  fork.ancestor_height = 1234;
  fork.seen_at = kSince + 1h;
  fork.resolved_at = fork.seen_at + 59s;
  input.forks = {{fork}};
  return input;
}

const ReportTarget& target(const ReportView& view, const std::string& name) {
  return *std::ranges::find(view.targets, name, &ReportTarget::name);
}

TEST(Report, ADayWithinAllTargetsMeetsSevenOfSeven) {
  const auto view = make_report(perfect_day());
  ASSERT_EQ(view.targets.size(), 7U);
  for (const auto& row : view.targets) {
    EXPECT_EQ(row.met, true) << row.name << ": " << row.detail;
    EXPECT_TRUE(row.measured) << row.name;
    EXPECT_FALSE(row.title.empty() || row.target.empty() || row.detail.empty()) << row.name;
  }
  EXPECT_EQ(view.summary, "7 of 7 targets met, none missed");
  EXPECT_DOUBLE_EQ(view.observed_seconds, kDay);
}

TEST(Report, EachTargetIsMissedByALittleMoreAndNoOtherWithIt) {
  struct Case {
    const char* name;
    void (*spoil)(ReportInput& input);
    double measured;
  };
  const Case kCases[] = {
      {"disconnects", [](ReportInput& in) { in.peers[1].disconnects = 1; }, 1},
      {"missed_pongs", [](ReportInput& in) { in.peers[0].missed_pongs = 2; }, 2},
      {"uptime", [](ReportInput& in) { in.peers[0].connected_seconds = kDay * 0.9989; }, 99.89},
      {"lag", [](ReportInput& in) { in.node->lag_max = 10; }, 10},
      {"spread", [](ReportInput& in) { in.node->spread_max = 11; }, 11},
      {"fork", [](ReportInput& in) { (*in.forks)[0].resolved_at = (*in.forks)[0].seen_at + 60s; },
       60},
      {"catch_up", [](ReportInput& in) { in.node->blocks_syncing = 499; }, 99.8},
  };
  for (const auto& test : kCases) {
    auto input = perfect_day();
    test.spoil(input);
    const auto view = make_report(input);
    for (const auto& row : view.targets) {
      EXPECT_EQ(row.met, row.name != test.name) << test.name << " changes " << row.name;
    }
    EXPECT_NEAR(*target(view, test.name).measured, test.measured, 1e-9) << test.name;
    EXPECT_EQ(view.summary.find("6 of 7 targets met; missed: " + std::string(test.name)), 0U);
    const bool of_masternodes = view.targets[0].met == false || view.targets[1].met == false ||
                                view.targets[2].met == false;
    EXPECT_EQ(view.summary.find("worst masternode: 203.0.113.") != std::string::npos,
              of_masternodes)
        << view.summary;
  }
}

TEST(Report, WhatWasNotMeasuredIsNullAndNotMet) {
  const auto empty = make_report({.since = kSince, .until = kUntil});
  for (const auto& row : empty.targets) {
    EXPECT_FALSE(row.measured) << row.name;
    EXPECT_FALSE(row.met) << row.name;
    EXPECT_FALSE(row.detail.empty()) << row.name;
  }
  EXPECT_EQ(empty.summary, "nothing was measured: no node ran in this period");
  auto calm = perfect_day();
  calm.forks->clear();
  calm.node->syncing_seconds = 0;
  calm.node->blocks_syncing = 0;
  EXPECT_EQ(make_report(calm).summary,
            "5 of 7 targets met, none missed; not measured: fork, catch_up");
}

TEST(Report, InItsFirstMinuteANodeHasNotYetLooked) {
  ReportInput input{.since = kSince, .until = kUntil};
  input.whitelisted = {ip(1)};
  EXPECT_EQ(make_report(input).summary, "nothing was measured: no node ran in this period");
  input.running = true;
  const auto view = make_report(input);
  EXPECT_EQ(view.summary,
            "nothing was measured yet: the node has just started, and its first look comes within a"
            " minute");
  EXPECT_EQ(target(view, "lag").detail, "the node has just started");
  input.node = NodeSample{};  // of the look at the start
  EXPECT_EQ(make_report(input).summary, view.summary);
}

TEST(Report, OwnOutagesAreKeptApartAndCountAgainstNobody) {
  auto input = perfect_day();
  input.peers[0].connected_seconds = kDay - 600;
  input.peers[0].own_outage_seconds = 600;
  input.node->own_outage_seconds = 600;
  auto view = make_report(input);
  EXPECT_EQ(target(view, "uptime").met, true);
  EXPECT_DOUBLE_EQ(*target(view, "uptime").measured, 100);
  EXPECT_DOUBLE_EQ(view.masternodes[0].own_outage_seconds, 600);
  EXPECT_DOUBLE_EQ(view.own_outage_seconds, 600);
  input.peers[0].own_outage_seconds = 0;
  EXPECT_EQ(target(make_report(input), "uptime").met, false) << "the same, by its own fault";
}

TEST(Report, TheWorstMasternodeIsNamedWithItsLabelAndStandsFirst) {
  auto input = perfect_day();
  input.peers[0].connected_seconds = kDay / 2;
  input.peers[1].connected_seconds = kDay * 0.75;
  input.peers[0].disconnects = 3;
  input.peers[1].disconnects = 7;
  const auto view = make_report(input);
  EXPECT_EQ(view.masternodes.front().ip, ip(1));
  EXPECT_EQ(target(view, "uptime").detail, "203.0.113.1 (berlin)");
  EXPECT_DOUBLE_EQ(*target(view, "disconnects").measured, 10);
  EXPECT_EQ(target(view, "disconnects").detail, "most: 203.0.113.2 7");
}

TEST(Report, OnlyTheTimeOnTheWhitelistCounts) {
  // Connected as a stranger for 12 hours, then whitelisted for 12, of which it was away for 6.
  PeerSample sample = perfect(3);
  sample.whitelisted_seconds = kDay / 2;
  sample.connected_seconds = kDay * 0.75;
  auto input = perfect_day();
  input.peers = {sample};
  EXPECT_DOUBLE_EQ(*make_report(input).masternodes[0].uptime_ratio, 0.5);
  input.peers[0].whitelisted_seconds = 0;
  input.peers[0].disconnects = 5;
  const auto view = make_report(input);
  EXPECT_TRUE(view.masternodes.empty()) << "a stranger is no masternode";
  EXPECT_FALSE(target(view, "disconnects").met);
}

TEST(Report, AWhitelistedPeerThatWasNeverLookedAtIsShownAsUnknown) {
  auto input = perfect_day();
  input.whitelisted = {ip(1), ip(9)};
  const auto view = make_report(input);
  ASSERT_EQ(view.masternodes.size(), 3U);
  EXPECT_EQ(view.masternodes.back().ip, ip(9));
  EXPECT_FALSE(view.masternodes.back().uptime_ratio);
  EXPECT_EQ(target(view, "uptime").met, true) << "unknown is not 0 %";
}

TEST(Report, AnOpenForkCountsUntilNowAndIsNotJudgedWhileItIsYoung) {
  auto input = perfect_day();
  (*input.forks)[0].seen_at = kUntil - 30s;
  (*input.forks)[0].resolved_at.reset();
  EXPECT_DOUBLE_EQ(*target(make_report(input), "fork").measured, 30);
  EXPECT_FALSE(target(make_report(input), "fork").met);
  (*input.forks)[0].seen_at = kUntil - 61s;
  EXPECT_EQ(target(make_report(input), "fork").met, false);
}

TEST(Report, ForksOutsideThePeriodAreNotItsOwn) {
  auto input = perfect_day();
  (*input.forks)[0].seen_at = kSince - 2h;
  (*input.forks)[0].resolved_at = kSince - 1h;
  EXPECT_EQ(target(make_report(input), "fork").detail, "no fork was seen");
  (*input.forks)[0].resolved_at = kSince + 1s;
  EXPECT_EQ(target(make_report(input), "fork").met, false) << "it reached into the period";
}

TEST(Report, WithoutAChainNobodyKnowsOfForks) {
  auto input = perfect_day();
  input.forks.reset();
  EXPECT_FALSE(target(make_report(input), "fork").met);
  EXPECT_EQ(target(make_report(input), "fork").detail, "no chain could be read");
}

TEST(Report, AShortCatchUpIsJudgedOnlyWhereItIsFastForCertain) {
  auto input = perfect_day();
  input.node->syncing_seconds = 60;
  input.node->blocks_syncing = 12;
  const auto slow = make_report(input);
  EXPECT_FALSE(target(slow, "catch_up").met);
  EXPECT_DOUBLE_EQ(*target(slow, "catch_up").measured, 12);
  input.node->blocks_syncing = 100;
  EXPECT_EQ(target(make_report(input), "catch_up").met, true);
}

TEST(Report, EveryFigureIsThatOfTheSamples) {
  auto input = perfect_day();
  input.peers[0].disconnects = 2;
  input.peers[0].missed_pongs = 5;
  input.peers[0].rtt_ms_mean = 41.5;
  input.peers[0].score = 77.25;
  const auto view = make_report(input);
  const auto& row = *std::ranges::find(view.masternodes, ip(1), &ReportMasternode::ip);
  EXPECT_EQ(row.disconnects, 2U);
  EXPECT_EQ(row.missed_pongs, 5U);
  EXPECT_EQ(row.rtt_ms_mean, 41.5);
  EXPECT_EQ(row.score, 77.25);
  EXPECT_DOUBLE_EQ(row.observed_seconds, kDay);
}

}  // namespace
}  // namespace timectl::observe
