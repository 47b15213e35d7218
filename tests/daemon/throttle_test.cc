#include "daemon/throttle.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using namespace std::chrono_literals;

Event stranger(std::uint8_t last, EventKind kind = EventKind::inbound_rejected) {
  return {.kind = kind, .peer = IpAddress::v4(198, 51, 100, last)};
}

TEST(Throttle, TheSameThingOfTheSameStrangerPassesOnceAMinuteAndCountsTheRest) {
  Throttle throttle({});
  const Instant begin{};
  EXPECT_EQ(throttle.admit(stranger(1), begin), 0U);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(throttle.admit(stranger(1), begin + 1s * i));
  EXPECT_EQ(throttle.admit(stranger(1), begin + 60s), 50U);
  EXPECT_FALSE(throttle.admit(stranger(1), begin + 61s));
}

TEST(Throttle, AnotherKindOrPeerIsIndependent) {
  Throttle throttle({});
  EXPECT_TRUE(throttle.admit(stranger(1), Instant{}));
  EXPECT_TRUE(throttle.admit(stranger(2), Instant{}));
  EXPECT_TRUE(throttle.admit(stranger(1, EventKind::violation), Instant{}));
}

TEST(Throttle, TheNodeItselfAndTheOperatorAlwaysPass) {
  Throttle throttle({.per_interval = 0, .per_whitelisted = 0});
  auto promoted = stranger(1, EventKind::promoted);
  promoted.whitelisted = true;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(throttle.admit(promoted, Instant{}), 0U);
    EXPECT_EQ(throttle.admit({.kind = EventKind::node_started}, Instant{}), 0U);
  }
}

// Whoever shares a whitelisted peer's address knocks as often as it likes.
TEST(Throttle, AWhitelistedPeerHasRoomOfItsOwnWhichIsBoundedToo) {
  Throttle throttle({.per_interval = 0});
  const auto whitelisted = [](std::uint8_t last, EventKind kind = EventKind::inbound_rejected) {
    auto event = stranger(last, kind);
    event.whitelisted = true;
    return event;
  };
  int passed = 0;
  for (int i = 0; i < 1000; ++i) {
    if (throttle.admit(whitelisted(1), Instant{})) ++passed;
  }
  EXPECT_EQ(passed, 20);
  EXPECT_EQ(throttle.admit(whitelisted(2), Instant{}), 0U);
  EXPECT_EQ(throttle.admit(whitelisted(1, EventKind::peer_disconnected), Instant{}), 0U);
  EXPECT_EQ(throttle.admit(whitelisted(1), Instant{} + 60s), 980U);
  EXPECT_EQ(throttle.admit(whitelisted(1), Instant{} + 60s), 0U);
  EXPECT_EQ(throttle.take_dropped(), 0U);
}

// The only masternode that comes and goes takes the last one with it each time.
TEST(Throttle, TheLossOfTheLastMasternodeIsBoundedLikeThePeerThatCausesIt) {
  Throttle throttle({});
  const Event alone{.kind = EventKind::no_masternode_connected};
  int passed = 0;
  for (int i = 0; i < 1000; ++i) {
    if (throttle.admit(alone, Instant{})) ++passed;
  }
  EXPECT_EQ(passed, 20);
  EXPECT_EQ(throttle.admit(alone, Instant{} + 60s), 980U);
}

TEST(Throttle, ManyStrangersTogetherAreBoundedAndCounted) {
  Throttle throttle({.per_interval = 10});
  int passed = 0;
  for (int i = 0; i < 200; ++i) {
    if (throttle.admit(stranger(static_cast<std::uint8_t>(i)), Instant{})) ++passed;
  }
  EXPECT_EQ(passed, 10);
  EXPECT_EQ(throttle.take_dropped(), 190U);
  EXPECT_EQ(throttle.take_dropped(), 0U);
  EXPECT_TRUE(throttle.admit(stranger(201), Instant{} + 60s));
}

TEST(Throttle, TheTableIsBoundedAndEmptiesWithTime) {
  Throttle throttle({.per_interval = 1000, .table = 3});
  for (int i = 1; i <= 3; ++i)
    EXPECT_TRUE(throttle.admit(stranger(static_cast<std::uint8_t>(i)), Instant{}));
  EXPECT_FALSE(throttle.admit(stranger(4), Instant{}));
  EXPECT_TRUE(throttle.admit(stranger(4), Instant{} + 60s));
}

}  // namespace
}  // namespace timectl
