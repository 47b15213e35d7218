#include "daemon/core/samples.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "daemon/core/json.h"

namespace timectl {
namespace {

WallTime at(const char* text) {
  return parse_rfc3339(text).value();
}

TEST(Samples, StepBeginsAtAMultipleOfItsLength) {
  const auto now = at("2026-11-21T11:13:59.999Z");
  EXPECT_EQ(step_of(SampleStep::five_minutes, now), at("2026-11-21T11:10:00Z"));
  EXPECT_EQ(step_of(SampleStep::hour, now), at("2026-11-21T11:00:00Z"));
  EXPECT_EQ(step_of(SampleStep::day, now), at("2026-11-21T00:00:00Z"));
  EXPECT_EQ(step_of(SampleStep::day, at("2026-11-21T00:00:00Z")), at("2026-11-21T00:00:00Z"));
  EXPECT_EQ(step_of(SampleStep::hour, WallTime(std::chrono::milliseconds(-1))),
            WallTime(-std::chrono::hours(1)));
}

PeerSample peer(double seconds) {
  PeerSample sample;
  sample.ip = IpAddress::v4(10, 0, 0, 1);
  sample.at = at("2026-11-21T11:00:00Z");
  sample.seconds = seconds;
  return sample;
}

TEST(Samples, SumsAddUpMeansAreWeightedAndTheLastIsTheLaters) {
  auto earlier = peer(300);
  earlier.connected_seconds = 290;
  earlier.pings = 10;
  earlier.round_trips = 9;
  earlier.rtt_ms_min = 10;
  earlier.rtt_ms_mean = 20;
  earlier.rtt_ms_max = 90;
  earlier.height = 100;
  earlier.lag_max = 7;
  earlier.score = 80;
  earlier.state = PeerState::connected;
  auto later = peer(60);
  later.at += std::chrono::minutes(5);
  later.own_outage_seconds = 60;
  later.missed_pongs = 3;
  later.disconnects = 1;
  later.round_trips = 1;
  later.rtt_ms_min = 12;
  later.rtt_ms_mean = 120;
  later.rtt_ms_max = 120;
  later.lag_max = 2;
  later.state = PeerState::backoff;
  const auto sum = merged(earlier, later);
  EXPECT_EQ(sum.at, earlier.at);
  EXPECT_EQ(sum.seconds, 360);
  EXPECT_EQ(sum.connected_seconds, 290);
  EXPECT_EQ(sum.own_outage_seconds, 60);
  EXPECT_EQ(sum.pings, 10U);
  EXPECT_EQ(sum.missed_pongs, 3U);
  EXPECT_EQ(sum.disconnects, 1U);
  EXPECT_EQ(sum.rtt_ms_min, 10);
  EXPECT_NEAR(*sum.rtt_ms_mean, 30, 1e-9);
  EXPECT_EQ(sum.rtt_ms_max, 120);
  EXPECT_EQ(sum.height, 100U) << "the last that was known";
  EXPECT_EQ(sum.lag_max, 7U);
  EXPECT_EQ(sum.score, 80);
  EXPECT_EQ(sum.state, PeerState::backoff);
}

TEST(Samples, UnknownStaysUnknown) {
  const auto sum = merged(peer(1), peer(2));
  EXPECT_EQ(sum.rtt_ms_mean, std::nullopt);
  EXPECT_EQ(sum.height, std::nullopt);
  EXPECT_EQ(sum.lag_max, std::nullopt);
  EXPECT_EQ(merged(NodeSample{}, NodeSample{}).spread_max, std::nullopt);
}

TEST(Samples, NodesMeanIsOverItsTimeAndTheLeastOfBothIsKept) {
  NodeSample earlier;
  earlier.seconds = 100;
  earlier.connected_mean = 10;
  earlier.connected_min = 4;
  earlier.whitelisted = 12;
  earlier.blocks = 3;
  NodeSample later;
  later.seconds = 300;
  later.connected_mean = 6;
  later.connected_min = 6;
  later.whitelisted = 11;
  later.connections_max = 99;
  later.blocks = 2;
  const auto sum = merged(earlier, later);
  EXPECT_NEAR(sum.connected_mean, 7, 1e-9);
  EXPECT_EQ(sum.connected_min, 4U);
  EXPECT_EQ(sum.connections_max, 99U);
  EXPECT_EQ(sum.whitelisted, 11U);
  EXPECT_EQ(sum.blocks, 5U);
}

TEST(Samples, CountersOfAnEditedFileDoNotWrap) {
  auto huge = peer(1);
  huge.pings = std::numeric_limits<std::uint64_t>::max() - 1;
  EXPECT_EQ(merged(huge, huge).pings, std::numeric_limits<std::uint64_t>::max());
}

TEST(Samples, AnyGroupingGivesTheSameSum) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    PeerSample three[3];
    for (auto& sample : three) {
      sample = peer(static_cast<double>(random() % 300));
      sample.pings = random() % 50;
      sample.round_trips = random() % 50;
      if (sample.round_trips > 0) {
        sample.rtt_ms_mean = 1 + random() % 100;
        sample.rtt_ms_min = *sample.rtt_ms_mean / 2;
        sample.rtt_ms_max = *sample.rtt_ms_mean * 2;
      }
      if (random() % 2 == 0) sample.height = random() % 1000;
      sample.state = random() % 2 == 0 ? PeerState::connected : PeerState::backoff;
    }
    auto left = merged(merged(three[0], three[1]), three[2]);
    auto right = merged(three[0], merged(three[1], three[2]));
    ASSERT_EQ(left.rtt_ms_mean.has_value(), right.rtt_ms_mean.has_value());
    if (left.rtt_ms_mean) {
      ASSERT_NEAR(*left.rtt_ms_mean, *right.rtt_ms_mean, 1e-9);
      ASSERT_GE(*left.rtt_ms_mean, *left.rtt_ms_min);
      ASSERT_LE(*left.rtt_ms_mean, *left.rtt_ms_max);
      right.rtt_ms_mean = left.rtt_ms_mean;
    }
    ASSERT_EQ(json::serialize(to_json(left)), json::serialize(to_json(right)));
  }
}

TEST(PeerSample, FaultsOfBeforeItWasWhitelistedAreNotThoseOfAMasternode) {
  PeerSample stranger;
  stranger.seconds = 300;
  stranger.pings = 10;
  stranger.missed_pongs = 4;
  stranger.disconnects = 3;
  auto listed = stranger;
  listed.whitelisted_seconds = 300;
  listed.disconnects = 1;
  EXPECT_EQ(merged(stranger, stranger).disconnects, 6U) << "of a stranger all";
  for (const auto& sum :
       {merged(merged(stranger, listed), listed), merged(stranger, merged(listed, listed)),
        merged(merged(listed, stranger), listed), merged(listed, merged(stranger, listed))}) {
    EXPECT_EQ(sum.disconnects, 2U);
    EXPECT_EQ(sum.missed_pongs, 8U);
    EXPECT_EQ(sum.pings, 20U);
    EXPECT_EQ(sum.seconds, 900);
  }
}

}  // namespace
}  // namespace timectl
