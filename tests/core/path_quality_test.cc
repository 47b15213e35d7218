#include "daemon/core/path_quality.h"

#include <gtest/gtest.h>

#include <cmath>

#include "daemon/core/random.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1000h};

// `segments` sent one by one over a path that loses the share `loss` each way.
PathQuality after(double loss, int segments, std::uint64_t seed) {
  PathQuality path;
  Random random(seed);
  TransportFacts facts;
  for (int i = 0; i < segments; ++i) {
    while (true) {
      ++facts.segments_sent;
      if (random.unit() >= loss && random.unit() >= loss) break;
      ++facts.segments_retransmitted;
    }
    path.transport(facts);
  }
  return path;
}

TEST(PathQuality, APathThatLosesThirtyPercentIsLossyAndOneThatLosesFiveIsNot) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    EXPECT_TRUE(after(0.30, 400, seed).lossy()) << seed;
    EXPECT_FALSE(after(0.05, 400, seed).lossy()) << seed;
    EXPECT_FALSE(after(0.0, 400, seed).lossy()) << seed;
  }
}

TEST(PathQuality, OneBadMomentMakesNoLossyPathAndTheFirstFewSegmentsSayNothing) {
  PathQuality path;
  path.transport({10, 9, 0, 0, 0, {}, {}});
  EXPECT_EQ(path.retransmitted(), std::nullopt);
  path.transport({20, 18, 0, 0, 0, {}, {}});
  EXPECT_FALSE(path.lossy());
}

TEST(PathQuality, TheTotalsOfANewSessionBeginAtNought) {
  PathQuality path = after(0.0, 400, 1);
  path.session_began();
  for (std::uint64_t sent = 16; sent <= 160; sent += 16) {
    path.transport({sent, 0, 0, 0, 0, {}, {}});
  }
  EXPECT_EQ(path.retransmitted(), 0.0);
}

TEST(PathQuality, OneSilenceStretchesNothingAndRepeatedOnesDoWithinTheLimit) {
  PathQuality path;
  EXPECT_EQ(path.patience(45s, 2, kStart), 1.0);
  path.silence(40s, kStart);
  EXPECT_EQ(path.patience(45s, 2, kStart), 1.0);
  for (int i = 0; i < 5; ++i) path.silence(40s, kStart);
  EXPECT_NEAR(path.patience(45s, 2, kStart), 2 * 39.4 / 45, 0.01);
  for (int i = 0; i < 5; ++i) path.silence(100h, kStart);
  EXPECT_EQ(path.patience(45s, 2, kStart), 2.0);
  EXPECT_EQ(path.patience(45s, 2, kStart + 24h), 1.0);
  EXPECT_EQ(path.patience(45s, 0.1, kStart), 1.0);  // never below the default
}

TEST(PathQuality, ThroughputIsAMovingAverageThatRunsDry) {
  PathQuality path;
  for (int i = 0; i < 600; ++i) path.flowed(1000, kStart + i * 1s);
  EXPECT_NEAR(path.bytes_per_second(kStart + 600s), 1000, 30);
  EXPECT_LT(path.bytes_per_second(kStart + 1200s), 1);
}

struct Case {
  std::uint64_t unacknowledged;
  std::uint32_t retransmits;
  std::uint64_t arrived;
  Duration since_received;
  Duration silent;
  Silence expected;
};

TransportFacts facts_of(const Case& c) {
  TransportFacts facts;
  facts.unacknowledged = c.unacknowledged;
  facts.retransmits_in_a_row = c.retransmits;
  facts.since_received = c.since_received;
  return facts;
}

TEST(PathQuality, ASilenceIsNamedByWhatTheKernelSaw) {
  const Case cases[] = {
      // All acknowledged, and it spoke a moment ago.
      {0, 0, 0, 1s, 5s, Silence::none},
      // All acknowledged, but its program is silent.
      {0, 0, 0, 14s, 40s, Silence::peer_mute},
      // Ours is not acknowledged, while its packets keep coming.
      {37, 5, 4, 3s, 3s, Silence::nothing_leaves},
      // Ours is not acknowledged, and nothing comes; or two were under way when it broke.
      {37, 5, 0, 31s, 31s, Silence::nothing_arrives},
      {37, 5, 2, 3s, 3s, Silence::nothing_arrives},
      // One lost segment is no stall.
      {37, 1, 1, 1s, 1s, Silence::none},
      {37, 1, 1, 1s, 40s, Silence::nothing_arrives},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(judge_silence(facts_of(c), c.arrived, c.silent, 15s), c.expected);
  }
  EXPECT_EQ(judge_death(facts_of({37, 9, 0, 44s, 44s, {}}), 0, 45s), Silence::nothing_arrives);
  EXPECT_EQ(judge_death(facts_of({37, 9, 1, 44s, 44s, {}}), 1, 45s), Silence::nothing_arrives);
  EXPECT_EQ(judge_death(facts_of({37, 9, 3, 4s, 44s, {}}), 3, 45s), Silence::nothing_leaves);
}

TEST(PathQuality, APathThatTakesOnlySmallPacketsIsNamedPathMtu) {
  // A full segment is lost for ever, the two small ones behind it arrived; the peer pings.
  TransportFacts facts = facts_of({1500, 9, 4, 20s, 20s, {}});
  facts.held_by_peer = 2;
  facts.segment_size = 1448;
  EXPECT_EQ(judge_death(facts, 4, 45s), Silence::large_lost);
  EXPECT_EQ(judge_silence(facts, 4, 20s, 30s), Silence::large_lost);
  EXPECT_TRUE(meaning_of(Silence::large_lost).starts_with("path_mtu: "));
  // The controls. Nothing but pings waits: plain loss.
  auto other = facts;
  other.unacknowledged = 120;
  EXPECT_EQ(judge_death(other, 4, 45s), Silence::nothing_leaves);
  // What was sent behind it did not arrive either: one way is cut.
  other = facts;
  other.held_by_peer = 0;
  EXPECT_EQ(judge_death(other, 4, 45s), Silence::nothing_leaves);
  EXPECT_EQ(judge_silence(other, 4, 20s, 30s), Silence::nothing_leaves);
  // One segment was lost, then the cable was pulled: only what was under way came.
  other = facts;
  other.since_received = 44s;
  EXPECT_EQ(judge_death(other, 4, 45s), Silence::nothing_arrives);
  EXPECT_EQ(judge_death(facts, 2, 45s), Silence::nothing_arrives);
  EXPECT_EQ(judge_silence(other, 4, 44s, 30s), Silence::nothing_arrives);
  // An end without SACK, or one that does not know its segments, says nothing.
  other = facts;
  other.segment_size = 0;
  EXPECT_EQ(judge_death(other, 4, 45s), Silence::nothing_leaves);
}

}  // namespace
}  // namespace timectl
