#include "daemon/core/reconnect.h"

#include <gtest/gtest.h>

#include <vector>

namespace timectl {
namespace {

using namespace std::chrono_literals;
constexpr Instant kStart{1000h};
const WallTime kWall{400'000h};
const ReconnectPolicy kPolicy;

TargetFacts masternode() {
  TargetFacts facts;
  facts.masternode = true;
  return facts;
}
TargetFacts session(TargetFacts facts, Duration lived) {
  facts.session = lived;
  return facts;
}

std::vector<Duration> gaps(EndReason reason, const TargetFacts& facts, std::size_t count) {
  Reconnect r;
  Random random(1);
  Instant now = kStart;
  std::vector<Duration> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto verdict = r.failed(reason, facts, kPolicy, random, now);
    if (!verdict.gap) break;
    out.push_back(*verdict.gap);
    now = *r.next();
  }
  return out;
}

TEST(Reconnect, TheLaddersAreThoseOfTheTable) {
  using Gaps = std::vector<Duration>;
  EXPECT_EQ(gaps(EndReason::refused, masternode(), 8), (Gaps{2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}));
  EXPECT_EQ(gaps(EndReason::timed_out, TargetFacts{}, 9),
            (Gaps{5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s, 300s}));
  EXPECT_EQ(gaps(EndReason::closed_before_tls, masternode(), 6),
            (Gaps{150s, 5min, 15min, 1h, 1h, 1h}));
  EXPECT_EQ(gaps(EndReason::no_handshake, TargetFacts{}, 5), (Gaps{150s, 5min, 15min, 1h, 1h}));
  EXPECT_EQ(gaps(EndReason::rejected_notice, masternode(), 3), (Gaps{250min, 24h, 24h}));
  EXPECT_EQ(gaps(EndReason::wrong_genesis, masternode(), 1), Gaps{});
  EXPECT_EQ(gaps(EndReason::wrong_magic, TargetFacts{}, 1), Gaps{});
}

TEST(Reconnect, AnUncleanLossWaitsFirstUnlessThePeerTrustsUs) {
  Reconnect r;
  Random random(1);
  EXPECT_EQ(
      r.failed(EndReason::transport_dead, session(masternode(), 1h), kPolicy, random, kStart).gap,
      Duration(150s));
  EXPECT_TRUE(r.hard(kStart + 149s));
  EXPECT_EQ(r.failed(EndReason::refused, masternode(), kPolicy, random, kStart + 200s).gap,
            Duration(2s));
  TargetFacts trusted = masternode();
  trusted.trusts_us = true;
  Reconnect t;
  EXPECT_EQ(t.failed(EndReason::unresponsive, session(trusted, 1h), kPolicy, random, kStart).gap,
            Duration(2s));
  EXPECT_FALSE(t.hard(kStart));
  // a regular peer never gets the benefit
  TargetFacts regular;
  regular.trusts_us = true;
  Reconnect u;
  EXPECT_EQ(u.failed(EndReason::unresponsive, session(regular, 1h), kPolicy, random, kStart).gap,
            Duration(150s));
}

TEST(Reconnect, OnlyAStableSessionStartsTheLadderAnew) {
  Reconnect r;
  Random random(1);
  for (int i = 0; i < 4; ++i)
    (void)r.failed(EndReason::refused, masternode(), kPolicy, random, kStart);
  r.connected();
  const auto brief = session(masternode(), 59s);
  EXPECT_EQ(r.failed(EndReason::closed_by_peer, brief, kPolicy, random, kStart).gap, Duration(32s));
  r.connected();
  const auto stable = session(masternode(), 60s);
  EXPECT_EQ(r.failed(EndReason::closed_by_peer, stable, kPolicy, random, kStart).gap, Duration(2s));
}

TEST(Reconnect, GapsFromEightSecondsUpCarryTwentyPercentJitter) {
  bool early = false;
  bool late = false;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Reconnect r;
    Random random(seed);
    for (const Duration nominal : {2s, 4s, 8s, 16s, 32s, 60s}) {
      const auto verdict = r.failed(EndReason::refused, masternode(), kPolicy, random, kStart);
      ASSERT_EQ(verdict.gap, nominal);
      const Duration real = *r.next() - kStart;
      if (nominal < 8s) {
        ASSERT_EQ(real, nominal);
        continue;
      }
      ASSERT_GE(real, nominal * 8 / 10);
      ASSERT_LE(real, nominal * 12 / 10);
      early = early || real < nominal * 9 / 10;
      late = late || real > nominal * 11 / 10;
    }
  }
  EXPECT_TRUE(early && late);
}

TEST(Reconnect, JitterNeverShortensWhatMustOutlastABan) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    for (const EndReason reason :
         {EndReason::rejected_notice, EndReason::tls_failed, EndReason::transport_dead}) {
      Reconnect r;
      Random random(seed);
      const auto verdict = r.failed(reason, masternode(), kPolicy, random, kStart);
      ASSERT_GE(*r.next(), kStart + *verdict.gap);
      ASSERT_LE(*r.next(), kStart + *verdict.gap * 12 / 10);
    }
  }
}

TEST(Reconnect, AMasternodeIsExhaustedOnceAndThenLeftToThePass) {
  Reconnect r;
  Random random(1);
  int exhausted = 0;
  for (int i = 0; i < 60; ++i) {
    const auto verdict = r.failed(EndReason::refused, masternode(), kPolicy, random, kStart);
    exhausted += verdict.exhausted ? 1 : 0;
    EXPECT_EQ(verdict.gap.has_value(), i < 50) << i;
  }
  EXPECT_EQ(exhausted, 1);
  EXPECT_FALSE(r.next());
  EXPECT_FALSE(r.hard(kStart));
}

TEST(Reconnect, ARegularPeerIsForgottenForADayAfterTenAttempts) {
  const auto all = gaps(EndReason::refused, TargetFacts{}, 12);
  ASSERT_EQ(all.size(), 12U);
  EXPECT_EQ(all[9], Duration(300s));
  EXPECT_EQ(all[10], Duration(24h));
  EXPECT_EQ(all[11], Duration(5s));
}

TEST(Reconnect, TheLedgerAllowsFourAttemptsInAnyMinute) {
  Reconnect r;
  Instant now = kStart;
  std::vector<Instant> made;
  for (int i = 0; i < 100; ++i) {
    now = r.ledger_allows(kPolicy, now);
    r.dialled(now);
    made.push_back(now);
    if (made.size() > 4) {
      ASSERT_GE(now - made[made.size() - 5], 60s);
    }
    now += 1s;
  }
}

TEST(Reconnect, FailuresAfterTcpSpendABudgetOfFourAnHour) {
  Reconnect r;
  Random random(1);
  Instant now = kStart;
  std::vector<Instant> failures;
  for (int i = 0; i < 40; ++i) {
    now = r.ledger_allows(kPolicy, std::max(now, r.next().value_or(now)));
    r.dialled(now);
    // a stable session before each one resets the ladder, never the budget
    r.connected();
    (void)r.failed(EndReason::closed_before_tls, session(masternode(), 2min), kPolicy, random, now);
    failures.push_back(now);
    if (failures.size() > 4) {
      ASSERT_GE(now - failures[failures.size() - 5], 1h);
    }
  }
}

TEST(Reconnect, AWaitForTheHoursBudgetSaysSoAndIsNoWaitForThePeer) {
  Reconnect r;
  Random random(1);
  for (int i = 0; i < 4; ++i) {
    r.dialled(kStart);
    r.connected();
    (void)r.failed(EndReason::tls_failed, session(masternode(), 2min), kPolicy, random, kStart);
  }
  TargetFacts facts = session(masternode(), 2min);
  facts.wait_passively = true;
  const auto verdict = r.failed(EndReason::closed_by_peer, facts, kPolicy, random, kStart + 1min);
  EXPECT_FALSE(verdict.passive);
  EXPECT_EQ(*r.next(), kStart + 1h);
  EXPECT_TRUE(r.held_by_budget(kStart + 2min));
  EXPECT_NE(r.why(kStart + 2min).find("within the hour"), std::string::npos);
}

TEST(Reconnect, ANodeWaitsForAHigherPeerThatDialsUsOnlyAfterALostSession) {
  Random random(1);
  TargetFacts facts = masternode();
  facts.wait_passively = true;
  Reconnect attempt;
  EXPECT_EQ(attempt.failed(EndReason::refused, facts, kPolicy, random, kStart).gap, Duration(2s));
  Reconnect lost;
  const auto verdict =
      lost.failed(EndReason::closed_by_peer, session(facts, 1h), kPolicy, random, kStart);
  EXPECT_EQ(verdict.gap, Duration(180s));
  EXPECT_TRUE(verdict.passive);
  EXPECT_TRUE(lost.waits_passively(kStart + 179s));
  EXPECT_FALSE(lost.hard(kStart));  // the pass dials it all the same
  EXPECT_EQ(lost.next(), kStart + 180s);
}

TEST(Reconnect, OurOwnClosesTeachNothing) {
  for (const auto& row : outcome_table()) {
    if (row.ladder != Ladder::none) continue;
    Reconnect r;
    Random random(1);
    EXPECT_FALSE(r.failed(row.reason, masternode(), kPolicy, random, kStart).gap);
    EXPECT_EQ(r.attempts(), 0U);
    EXPECT_FALSE(r.hard(kStart));
  }
}

PeerMemory after(EndReason reason, const TargetFacts& facts, Now now) {
  Reconnect r;
  Random random(1);
  r.dialled(now.mono);
  (void)r.failed(reason, facts, kPolicy, random, now.mono);
  PeerMemory memory;
  r.store_to(memory, now);
  return memory;
}

TEST(Reconnect, DialsAreCountedFromTheLastSessionAndOverARestart) {
  Random random(1);
  Reconnect r;
  r.dialled(kStart);
  r.connected();
  EXPECT_EQ(r.dials(), 0U);
  (void)r.failed(EndReason::closed_by_peer, session(masternode(), 10s), kPolicy, random, kStart);
  EXPECT_EQ(r.dials(), 0U) << "the loss itself is no attempt";
  EXPECT_GT(r.attempts(), 0U) << "and climbs the ladder all the same";
  r.dialled(kStart + 2s);
  r.dialled(kStart + 6s);
  EXPECT_EQ(r.dials(), 2U);
  PeerMemory memory;
  r.store_to(memory, {kStart + 7s, kWall + 7s});
  memory.last_heard_at = kWall + 1s;
  Reconnect again;
  again.restore(memory, {Instant{5s}, kWall + 10s});
  EXPECT_EQ(again.dials(), 2U);
}

TEST(Reconnect, ARestartForgetsOrdinaryGapsAndKeepsTheHarderRows) {
  const Now now{kStart, kWall};
  const Now later{Instant{5s}, kWall + 10s};  // another boot: the monotonic clock starts anew
  for (const auto& row : outcome_table()) {
    if (row.ladder == Ladder::none) continue;
    Reconnect r;
    r.restore(after(row.reason, masternode(), now), later);
    EXPECT_EQ(r.hard(later.mono), row.ladder != Ladder::ordinary);
    EXPECT_EQ(r.parked(), row.ladder == Ladder::parked);
    EXPECT_EQ(r.attempts_within(1min, later.mono), 1U);
  }
}

TEST(Reconnect, ACrashLoopCannotFloodThroughTheLedger) {
  PeerMemory memory;
  int dials = 0;
  for (int second = 0; second < 60; ++second) {  // a start every second
    const Now now{Instant{3s}, kWall + std::chrono::seconds(second)};
    Reconnect r;
    r.restore(memory, now);
    if (r.ledger_allows(kPolicy, now.mono) > now.mono) continue;
    r.dialled(now.mono);
    ++dials;
    r.store_to(memory, now);
  }
  EXPECT_EQ(dials, 4);
}

TEST(Reconnect, AWallClockThatWasSetBackDelaysNothingBeyondTheTable) {
  const Now now{kStart, kWall};
  Reconnect r;
  r.restore(after(EndReason::rejected_notice, masternode(), now), Now{kStart, kWall - 24h * 365});
  EXPECT_LE(*r.next(), kStart + 25h);
}

TEST(Reconnect, AConnectionLiftsAParkForGood) {
  Reconnect r;
  Random random(1);
  EXPECT_TRUE(r.failed(EndReason::wrong_genesis, masternode(), kPolicy, random, kStart).parked);
  EXPECT_TRUE(r.hard(kStart + 1000h));
  r.connected();
  PeerMemory memory;
  r.store_to(memory, Now{kStart, kWall});
  Reconnect again;
  again.restore(memory, Now{kStart, kWall});
  EXPECT_FALSE(again.parked());
}

}  // namespace
}  // namespace timectl
