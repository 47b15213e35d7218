#include "daemon/core/liveness.h"

#include <gtest/gtest.h>

#include <optional>

namespace timectl {
namespace {

using namespace std::chrono_literals;
using Answer = Liveness::Answer;
constexpr Instant kStart{1h};

LivenessRules masternode(LivenessProfile profile = LivenessProfile::normal) {
  return liveness_rules(LivenessPolicy{}, true, profile);
}
LivenessRules regular() {
  return liveness_rules(LivenessPolicy{}, false, LivenessProfile::normal);
}

// Drives one session against a peer that answers pings and talks as told.
struct Session {
  LivenessRules rules;
  Liveness liveness{kStart};
  Instant now = kStart;
  std::uint64_t nonce = 0;
  int pings = 0;

  // Runs until `until` or the end of the session; true: it is still kept.
  bool run(Instant until, bool answers, std::optional<Duration> talks_every = {}) {
    Instant talk = now + talks_every.value_or(1000h);
    for (;;) {
      const Instant due = std::min(liveness.next_due(rules), talk);
      if (due > until) return now = until, true;
      now = std::max(now, due);
      if (now >= talk) {
        liveness.heard(now);
        talk = now + *talks_every;
        continue;
      }
      const Answer answer = liveness.check(rules, now);
      if (answer == Answer::unresponsive) return false;
      if (answer != Answer::ping_now) continue;
      ++pings;
      liveness.pinged(++nonce, now);
      if (answers) liveness.pong(nonce, now + 50ms);
    }
  }
};

TEST(Liveness, AnAnsweringPeerIsPingedAtItsIntervalAndKept) {
  Session m{masternode()};
  EXPECT_TRUE(m.run(kStart + 1h, true));
  EXPECT_EQ(m.pings, 241);
  EXPECT_EQ(m.liveness.missed_total(), 0U);
  Session r{regular()};
  EXPECT_TRUE(r.run(kStart + 1h, true));
  EXPECT_EQ(r.pings, 121);
}

TEST(Liveness, MasternodeIsKeptForFiveMissedPongs) {
  Session s{masternode()};
  s.run(kStart + 89s, false);
  EXPECT_EQ(s.liveness.missed(), 5U);
  s.liveness.pong(s.nonce, s.now);
  EXPECT_EQ(s.liveness.missed(), 0U);
}

TEST(Liveness, ASilentMasternodeIsCutAfterSixMissedPongsAndThreeMinutes) {
  Session s{masternode()};
  EXPECT_FALSE(s.run(kStart + 1h, false));
  EXPECT_EQ(s.now, kStart + 180s);
  EXPECT_GE(s.liveness.missed(), 6U);
}

TEST(Liveness, ASilentRegularPeerIsCutAfterThreeMissedPongsAndNinetySeconds) {
  Session s{regular()};
  EXPECT_FALSE(s.run(kStart + 1h, false));
  EXPECT_EQ(s.now, kStart + 90s);
  EXPECT_EQ(s.liveness.missed(), 3U);
}

TEST(Liveness, ProfilesLenientAndNever) {
  Session lenient{masternode(LivenessProfile::lenient)};
  EXPECT_FALSE(lenient.run(kStart + 1h, false));
  EXPECT_EQ(lenient.now, kStart + 300s);
  Session never{masternode(LivenessProfile::never)};
  EXPECT_TRUE(never.run(kStart + 100h, false));
  EXPECT_GT(never.liveness.missed(), 1000U);
}

TEST(Liveness, APeerThatTalksButNeverAnswersIsKeptWithAWarning) {
  Session s{masternode()};
  EXPECT_TRUE(s.run(kStart + 5min, false, 10s));
  EXPECT_TRUE(s.liveness.mute(s.rules));
  EXPECT_FALSE(s.run(kStart + 1h, false));  // and cut once it falls silent
  EXPECT_GE(s.now, kStart + 5min + 170s);
}

TEST(Liveness, SilenceAloneOrMissedPongsAloneCutNobody) {
  // 6 missed pongs come at 90 s with 15 s pings: 180 s must pass as well; and with pings every
  // 100 s, 180 s pass long before 6 are missed.
  Session s{masternode()};
  EXPECT_TRUE(s.run(kStart + 179s, false));
  EXPECT_GE(s.liveness.missed(), 6U);
  Session slow{masternode()};
  slow.rules.ping_interval = 100s;
  EXPECT_TRUE(slow.run(kStart + 599s, false));
  EXPECT_FALSE(slow.run(kStart + 700s, false));
}

TEST(Liveness, GiveUpIsDecidedOnTheCheckGrid) {
  Session s{masternode()};
  s.run(kStart + 3s, true);  // the pong came at 50 ms, so 180 s of silence end at 180.05 s
  EXPECT_FALSE(s.run(kStart + 1h, false));
  EXPECT_EQ(s.now, kStart + 190s);
}

TEST(Liveness, LatePongsCountForTheRoundTripAndForeignNoncesDoNot) {
  Liveness l{kStart};
  l.pinged(1, kStart);
  l.pinged(2, kStart + 15s);
  EXPECT_EQ(l.pong(1, kStart + 20s), Duration(20s));
  EXPECT_EQ(l.pong(1, kStart + 21s), std::nullopt);  // once only
  EXPECT_EQ(l.pong(99, kStart + 21s), std::nullopt);
  EXPECT_EQ(l.pong(2, kStart + 16s), Duration(1s));
  EXPECT_EQ(l.rtt().quantile_ms(0.95), 20000.0);
}

TEST(Liveness, ADeadPathMakesAMasternodeSuspectWithinTwentySecondsAndPingsOnceMore) {
  for (int offset_ms = 0; offset_ms < 15'000; offset_ms += 250) {
    Session s{masternode()};
    const Instant dead = kStart + 30s + std::chrono::milliseconds(offset_ms);
    s.run(dead, true);
    const int before = s.pings;
    s.run(dead + 20s, false);
    EXPECT_TRUE(s.liveness.suspect(s.rules, s.now)) << offset_ms;
    EXPECT_LE(s.pings - before, 3);
    EXPECT_GE(s.pings - before, 2);
  }
}

TEST(Liveness, AHealthyMasternodeIsNeverSuspectWhateverItsRoundTrip) {
  for (const Duration rtt : {Duration(1ms), Duration(200ms), Duration(600ms), Duration(900ms)}) {
    Liveness l{kStart};
    std::uint64_t nonce = 0;
    std::optional<Instant> pong_at;
    const auto rules = masternode();
    for (Instant now = kStart; now < kStart + 10min; now += 50ms) {
      if (pong_at && now >= *pong_at) {
        l.pong(nonce, now);
        pong_at.reset();
      }
      ASSERT_FALSE(l.suspect(rules, now)) << rtt.count();
      if (now < l.next_due(rules)) continue;
      if (l.check(rules, now) == Answer::ping_now) {
        l.pinged(++nonce, now);
        pong_at = now + rtt;
      }
    }
    EXPECT_EQ(l.missed_total(), 0U);
  }
}

TEST(Liveness, RegularPeersAreNeverSuspect) {
  Session s{regular()};
  s.run(kStart + 89s, false);
  EXPECT_FALSE(s.liveness.suspect(s.rules, s.now));
}

TEST(Liveness, TheRoundTripWindowIsBoundedAndItsQuantilesAreNearestRank) {
  RttWindow window;
  EXPECT_FALSE(window.quantile_ms(0.5));
  for (int i = 1; i <= 100; ++i) window.add(std::chrono::milliseconds(i));
  EXPECT_EQ(window.quantile_ms(0.5), 50.0);
  EXPECT_EQ(window.quantile_ms(0.95), 95.0);
  EXPECT_EQ(window.quantile_ms(1.0), 100.0);
  for (int i = 0; i < 10'000; ++i) window.add(7ms);
  EXPECT_EQ(window.quantile_ms(1.0), 7.0);
  EXPECT_NEAR(*window.mean_ms(), 7.0, 0.1);
}

TEST(Liveness, RulesChangeForAnOpenSession) {
  Session s{regular()};
  s.run(kStart + 60s, false);
  s.rules = masternode();  // promoted
  EXPECT_TRUE(s.run(kStart + 170s, false));
  EXPECT_FALSE(s.run(kStart + 200s, false));
}

}  // namespace
}  // namespace timectl
