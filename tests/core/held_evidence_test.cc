#include <gtest/gtest.h>

#include <map>

#include "daemon/core/observer.h"
#include "daemon/core/score.h"

namespace timectl {
namespace {

constexpr WallTime kStart{1'784'000'000'000ms};
const ScorePolicy kPolicy;

TEST(HeldEvidence, OfAnOutageOfOurOwnCountsAgainstNobody) {
  Observer observer;
  const ObserverPolicy policy;
  HeldEvidence held;
  std::map<IpAddress, Score> scores;
  Now now{Instant{} + 1h, kStart};
  const auto pass = [&](std::chrono::milliseconds d) {
    now.mono += d;
    now.wall += d;
  };
  const auto note_due = [&] {
    for (const auto& [ip, e] : held.due(observer.sick(), kPolicy, now.wall)) {
      scores[ip].note(e, kPolicy);
    }
  };
  // Five masternodes are lost one after the other within four seconds: our uplink.
  for (std::uint8_t i = 1; i <= 5; ++i) {
    const auto ip = IpAddress::v4(198, 51, 100, i);
    scores[ip];
    held.add(ip, ScoreEvidence::ended(now.wall, EndReason::transport_dead), kPolicy);
    held.add(ip, ScoreEvidence::pings(now.wall, 3, 3), kPolicy);
    observer.lost(ip, 5, policy, now);
    note_due();
    pass(800ms);
  }
  ASSERT_TRUE(observer.sick());
  for (int i = 0; i < 200; ++i) {
    pass(1000ms);
    observer.tick(policy, now);
    note_due();
  }
  ASSERT_FALSE(observer.sick());
  for (const auto& [ip, score] : scores) EXPECT_EQ(score.state(), ScoreState{}) << ip.to_string();

  // The control: one peer alone, of five, does count.
  const auto lonely = IpAddress::v4(198, 51, 100, 1);
  held.add(lonely, ScoreEvidence::ended(now.wall, EndReason::transport_dead), kPolicy);
  observer.lost(lonely, 5, policy, now);
  for (int i = 0; i < 200; ++i) {
    pass(1000ms);
    observer.tick(policy, now);
    note_due();
  }
  EXPECT_GT(scores[lonely].state().disconnects, 0);
  EXPECT_EQ(held.waiting(), 0U);
}

TEST(HeldEvidence, IsBoundedAndAClockSetBackDoesNotHoldIt) {
  ScorePolicy policy;
  policy.max_held = 10;
  HeldEvidence held;
  for (int i = 0; i < 100; ++i) held.add({}, ScoreEvidence::pings(kStart, 1, 0), policy);
  EXPECT_EQ(held.waiting(), 10U);
  EXPECT_TRUE(held.due(false, policy, kStart + 59s).empty());
  EXPECT_EQ(held.due(false, policy, kStart - 1h).size(), 10U);
}

}  // namespace
}  // namespace timectl
