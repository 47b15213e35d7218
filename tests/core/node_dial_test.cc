// Whom a node dials and when.
#include <gtest/gtest.h>

#include <map>

#include "tests/core/node_shell.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

IpAddress mn(unsigned n) {
  return IpAddress::v4(64, static_cast<std::uint8_t>(1 + n / 200), 0,
                       static_cast<std::uint8_t>(1 + n % 200));
}
const IpAddress kLow = IpAddress::v4(64, 0, 0, 10);
const IpAddress kHigh = IpAddress::v4(64, 0, 0, 90);
const IpAddress kRegular = IpAddress::v4(80, 1, 2, 3);

TEST(NodeDial, AllMasternodesAreDialledAtStartWithinTheBudget) {
  std::vector<IpAddress> all;
  for (unsigned n = 0; n < 60; ++n) all.push_back(mn(n));
  NodeShell s(all);
  s.start();
  EXPECT_EQ(s.all<Dial>().size(), 10U);  // R7: ten a second
  s.run(1s);
  EXPECT_EQ(s.all<Dial>().size(), 20U);
  s.run(5s);
  EXPECT_EQ(s.all<Dial>().size(), 32U);  // and 32 at once
  for (const auto& d : s.all<Dial>()) s.closed(d.connection, EndReason::timed_out);
  s.run(3s);
  std::size_t dialled = 0;
  for (const auto& ip : all) dialled += s.dials(ip) > 0 ? 1 : 0;
  EXPECT_EQ(dialled, 60U);
}

TEST(NodeDial, ALostMasternodeIsRedialledAfterTwoSecondsThenByTheLadder) {
  NodeShell s({kLow});
  s.start();
  const auto id = s.finish_dial(kLow);
  s.talk(id);
  s.run(70s);
  s.talk(id);
  s.clear();
  s.closed(id, EndReason::closed_by_peer, "FIN");
  ASSERT_EQ(s.events(EventKind::dial_scheduled).size(), 1U);
  EXPECT_EQ(log_line(s.events(EventKind::dial_scheduled)[0]),
            "[MASTERNODE] Reconnecting to 64.0.0.10 in 2s...");
  s.run(1999ms);
  EXPECT_EQ(s.dials(kLow), 0U);
  s.run(1ms);
  EXPECT_EQ(s.dials(kLow), 1U);
  s.closed(s.last_dial(kLow), EndReason::refused);
  s.run(4s);
  EXPECT_EQ(s.dials(kLow), 2U);
  EXPECT_EQ(s.events(EventKind::dial_failed).size(), 1U);
}

TEST(NodeDial, AnotherSourceOrLabelOfAMasternodeDoesNotSkipItsGap) {
  NodeShell s({kLow});
  s.start();
  s.closed(s.last_dial(kLow), EndReason::refused);
  for (int i = 0; i < 3; ++i) {
    s.node.on_whitelist_changed(kLow, s.now);
    s.collect();
  }
  EXPECT_EQ(s.dials(kLow), 1U);
  s.run(2s);
  EXPECT_EQ(s.dials(kLow), 2U);
}

TEST(NodeDial, ADeadMasternodeIsDialledForEverAndNeverMoreThanFourTimesAMinute) {
  NodeShell s({kLow});
  s.start();
  std::vector<Instant> made;
  std::size_t seen = 0;
  for (int second = 0; second < 4 * 3600; ++second) {
    const auto dials = s.dials(kLow);
    if (dials > seen) {
      seen = dials;
      made.push_back(s.now.mono);
      s.closed(s.last_dial(kLow), EndReason::refused);
      if (made.size() > 4) {
        ASSERT_GE(made.back() - made[made.size() - 5], 59s);
      }
    }
    s.run(1s);
  }
  EXPECT_GT(made.size(), 120U);  // 50 by the ladder, then each pass
  EXPECT_LE(s.now.mono - made.back(), 121s);
  EXPECT_EQ(s.events(EventKind::attempts_exhausted).size(), 1U);
}

TEST(NodeDial, ThePassDoesNotBeatTheHarderRows) {
  for (const EndReason reason :
       {EndReason::closed_before_tls, EndReason::rejected_notice, EndReason::wrong_magic}) {
    NodeShell s({kLow});
    s.start();
    s.closed(s.last_dial(kLow), reason);
    s.run(149s);  // the pass of 120 s is in it
    EXPECT_EQ(s.dials(kLow), 1U) << static_cast<int>(reason);
    s.run(32s);
    EXPECT_EQ(s.dials(kLow), reason == EndReason::closed_before_tls ? 2U : 1U);
  }
}

TEST(NodeDial, AParkedPeerIsDialledAgainOnlyOnAWordOrANewConfig) {
  NodeShell s({kLow, kHigh});
  s.start();
  s.node.on_wrong_genesis(s.finish_dial(kLow), "another\nchain", s.now);
  s.collect();
  s.closed(s.last_dial(kHigh), EndReason::wrong_magic);
  EXPECT_EQ(s.events(EventKind::peer_parked).size(), 2U);
  s.run(48h);
  EXPECT_EQ(s.dials(kLow), 1U);
  EXPECT_EQ(s.node.peer(kLow, s.now)->state, PeerState::parked);
  EXPECT_FALSE(s.node.peer(kLow, s.now)->next_attempt_at);
  ASSERT_TRUE(s.node.connect(kLow, s.now));
  s.collect();
  EXPECT_EQ(s.dials(kLow), 2U);
  s.node.on_policy_changed(Policy{}, s.now);
  s.collect();
  EXPECT_EQ(s.dials(kHigh), 2U);
}

TEST(NodeDial, AHigherPeerThatDialledUsIsAwaitedAfterALossButNotByThePass) {
  NodeShell s({kHigh});
  s.start();
  s.closed(s.last_dial(kHigh), EndReason::refused);
  const auto id = s.inbound_session(kHigh);
  s.run(61s);
  s.talk(id);
  s.clear();
  s.closed(id, EndReason::closed_by_peer);
  EXPECT_EQ(s.node.peer(kHigh, s.now)->state, PeerState::waiting_passive);
  s.run(58s);
  EXPECT_EQ(s.dials(kHigh), 0U);
  s.run(2s);  // the pass, 120 s after the start
  EXPECT_EQ(s.dials(kHigh), 1U);
}

TEST(NodeDial, ALowerPeerIsNotAwaited) {
  NodeShell s({kLow});
  s.start();
  s.closed(s.last_dial(kLow), EndReason::refused);
  const auto id = s.inbound_session(kLow);
  s.run(61s);
  s.talk(id);
  s.clear();
  s.closed(id, EndReason::closed_by_peer);
  s.run(2s);
  EXPECT_EQ(s.dials(kLow), 1U);
}

TEST(NodeDial, ARestartDialsEverybodyAtOnceButKeepsLedgerAndHardRows) {
  NodeShell before({kLow, kHigh});
  before.start();
  before.closed(before.last_dial(kLow), EndReason::refused);
  before.closed(before.last_dial(kHigh), EndReason::rejected_notice, "too old");
  std::map<IpAddress, PeerMemory> store;
  for (const auto& r : before.all<Remember>()) store[r.memory.ip] = r.memory;
  NodeShell after({kLow, kHigh});
  after.node.remember({store[kLow], store[kHigh]});
  after.start();
  EXPECT_EQ(after.dials(kLow), 1U);
  EXPECT_EQ(after.dials(kHigh), 0U);
  const auto view = *after.node.peer(kHigh, after.now);
  EXPECT_EQ(view.state, PeerState::refused);
  EXPECT_EQ(view.last_text, "too old");
  EXPECT_GE(*view.next_attempt_at, after.now.wall + 250min);
  EXPECT_EQ(after.node.peer(kLow, after.now)->ledger.last_minute, 2U);
}

TEST(NodeDial, TheAttemptIsRememberedBeforeItIsMade) {
  NodeShell s({kLow});
  s.start();
  ASSERT_EQ(s.commands.size(), 2U);
  ASSERT_TRUE(std::holds_alternative<Remember>(s.commands[0]));
  EXPECT_EQ(std::get<Remember>(s.commands[0]).memory.recent_attempts.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Dial>(s.commands[1]));
}

TEST(NodeDial, LearnedPeersFillRegularSlotsAndAreNeverTrusted) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  std::vector<IpAddress> learned;
  for (std::uint8_t n = 1; n < 100; ++n) learned.push_back(IpAddress::v4(80, n, 0, 1));
  s.node.on_peers_learned(kLow, learned, s.now);
  s.node.on_masternodes_claimed(kLow, {{kRegular, "Gold\x1b[0m"}}, s.now);
  s.collect();
  EXPECT_EQ(s.all<Dial>().size(), 1U + 2U);  // two regular dials a second
  s.run(20s);
  EXPECT_EQ(s.all<Dial>().size(), 1U + 8U);  // outbound_regular
  EXPECT_FALSE(s.list.contains(kRegular));
  const auto registry = s.node.registry(s.now);
  ASSERT_EQ(registry.size(), 2U);
  EXPECT_EQ(registry[1].tier, "Gold\\x1B[0m");
}

TEST(NodeDial, ImplausibleAddressesAreNotDialled) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  s.node.on_peers_learned(kLow,
                          {IpAddress::v4(127, 0, 0, 1), IpAddress::v4(10, 0, 0, 1),
                           IpAddress::v4(224, 0, 0, 1), IpAddress{}, IpAddress::v4(64, 0, 0, 50)},
                          s.now);
  s.collect();
  s.run(170s);  // with a pass in it, and before the silent peer is cut
  EXPECT_EQ(s.all<Dial>().size(), 1U);
}

TEST(NodeDial, RegularDialsWaitForMasternodesThatWaitForTheBudget) {
  std::vector<IpAddress> all;
  for (unsigned n = 0; n < 30; ++n) all.push_back(mn(n));
  NodeShell s(all);
  PeerMemory known;
  known.ip = kRegular;
  s.node.remember({known});
  s.start();
  s.run(1900ms);
  EXPECT_EQ(s.dials(kRegular), 0U);
  s.run(1s);
  EXPECT_EQ(s.dials(kRegular), 1U);
  for (const auto& d : s.all<Dial>()) {
    if (d.ip != kRegular) {
      EXPECT_LT(d.connection, s.last_dial(kRegular));
    }
  }
}

TEST(NodeDial, AFloodOfLearnedAddressesFindsABound) {
  Policy policy;
  policy.known_peers = 100;
  NodeShell s({kLow}, policy);
  s.start();
  s.finish_dial(kLow);
  for (unsigned i = 0; i < 500; ++i) {
    std::vector<IpAddress> learned;
    for (unsigned k = 0; k < 64; ++k) {
      learned.push_back(
          IpAddress::v4(80, static_cast<std::uint8_t>(i / 2), static_cast<std::uint8_t>(k), 1));
    }
    s.node.on_peers_learned(kLow, learned, s.now);
  }
  s.collect();
  EXPECT_LE(s.all<Remember>().size(), 110U);
  s.put(kHigh);  // a masternode has room all the same
  s.node.on_whitelist_changed(kHigh, s.now);
  s.collect();
  EXPECT_EQ(s.dials(kHigh), 1U);
}

TEST(NodeDial, TheOperatorsWordKeepsTheLedger) {
  NodeShell s({kLow});
  s.start();
  s.closed(s.last_dial(kLow), EndReason::refused);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(s.node.connect(kLow, s.now));
    s.collect();
    s.closed(s.last_dial(kLow), EndReason::refused);
  }
  EXPECT_EQ(s.node.connect(kLow, s.now).error().code, Code::busy);
}

TEST(NodeDial, DisconnectStaysAwayAsLongAsItWasTold) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  ASSERT_TRUE(s.node.disconnect(kLow, 10min, s.now));
  s.collect();
  EXPECT_EQ(s.all<Close>().back().reason, EndReason::closed_by_operator);
  s.run(599s);
  EXPECT_EQ(s.dials(kLow), 1U);
  EXPECT_EQ(s.inbound(kLow).reason, EndReason::closed_by_operator);
  s.run(1s);
  EXPECT_EQ(s.dials(kLow), 2U);
  EXPECT_EQ(s.node.disconnect(IpAddress::v4(9, 9, 9, 9), 1s, s.now).error().code,
            Code::unknown_peer);
}

TEST(NodeDial, AmongRegularCandidatesTheOneThatWasConnectedLaterComesFirst) {
  NodeShell s({});
  std::vector<PeerMemory> memories;
  for (std::uint8_t host = 1; host <= 20; ++host) {
    PeerMemory memory;
    memory.ip = IpAddress::v4(80, 1, 1, host);
    memory.last_connected_at = s.now.wall - std::chrono::hours(host == 13 ? 1 : 100 + host);
    memories.push_back(memory);
  }
  s.node.remember(memories);
  s.start();
  ASSERT_FALSE(s.all<Dial>().empty());
  EXPECT_EQ(s.all<Dial>()[0].ip, IpAddress::v4(80, 1, 1, 13));
}

}  // namespace
}  // namespace timectl
