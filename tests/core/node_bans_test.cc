// Node and bans: who is turned away, whose connection goes, and who stays unharmed beside it.
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

const IpAddress kMasternode = IpAddress::v4(64, 0, 0, 10);
const IpAddress kStranger = IpAddress::v4(203, 0, 113, 7);

void ban(NodeShell& shell, Bans& bans, const IpAddress& ip, std::optional<Duration> lasts = {}) {
  auto change = bans.plan_add({ip, "spam", "alice", lasts}, shell.list, {}, shell.now.wall);
  bans.put(change, shell.now);
  shell.node.on_ban_changed(change, shell.now);
  shell.collect();
}

// NodeShell with a table of bans that the test can see.
struct Guarded {
  explicit Guarded(const std::vector<IpAddress>& masternodes, const Policy& policy = {})
      : shell(masternodes, policy) {
    shell.start();
  }
  // One that the node accepts, and that the transport ends for `reason`.
  Admit misbehaves(const IpAddress& ip, EndReason reason, bool ready = true) {
    ConnectionId id{};
    const auto answer = shell.inbound(ip, &id).verdict;
    if (answer != Admit::accept) return answer;
    if (ready) shell.ready(id);
    shell.closed(id, reason, "because");
    return answer;
  }
  NodeShell shell;
};

TEST(NodeBans, TwoFloodsAndTheThirdConnectionIsTurnedAwayForFiveMinutes) {
  Guarded g({});
  EXPECT_EQ(g.misbehaves(kStranger, EndReason::flood), Admit::accept);
  EXPECT_EQ(g.misbehaves(kStranger, EndReason::flood), Admit::accept);
  EXPECT_EQ(g.shell.events(EventKind::violation).size(), 2U);
  ASSERT_EQ(g.shell.events(EventKind::peer_banned).size(), 1U);
  const auto third = g.shell.inbound(kStranger);
  EXPECT_EQ(third.verdict, Admit::reject);
  EXPECT_EQ(third.reason, EndReason::banned);
  EXPECT_NE(third.detail.find("2 flood"), std::string::npos) << third.detail;
  EXPECT_FALSE(g.shell.node.check_slot(kStranger, g.shell.now).accept);
  EXPECT_NE(g.shell.node.check_slot(kStranger, g.shell.now).reason.find("banned until"),
            std::string::npos);
  g.shell.run(5min);
  EXPECT_EQ(g.shell.events(EventKind::ban_ended).size(), 1U) << "without anybody asking";
  EXPECT_EQ(g.shell.inbound(kStranger).verdict, Admit::accept);
}

TEST(NodeBans, TwoBadBlocksEndAStrangersSessionAndNotAMasternodes) {
  for (const bool whitelisted : {false, true}) {
    const auto who = whitelisted ? kMasternode : kStranger;
    Guarded g(whitelisted ? std::vector{kMasternode} : std::vector<IpAddress>{});
    (void)(whitelisted ? g.shell.finish_dial(who) : g.shell.inbound_session(who));
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(g.shell.node.connected(who)) << i;
      g.shell.node.on_misconduct(who, ViolationKind::bad_block, "height 7: wrong merkle root",
                                 g.shell.now);
      g.shell.collect();
    }
    EXPECT_EQ(g.shell.events(EventKind::violation).size(), 2U);
    EXPECT_EQ(g.shell.node.connected(who), whitelisted);
  }
}

TEST(NodeBans, KnockingWhileBannedDoesNotLengthenTheBan) {
  Guarded g({});
  (void)g.misbehaves(kStranger, EndReason::flood);
  (void)g.misbehaves(kStranger, EndReason::flood);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(g.shell.inbound(kStranger).verdict, Admit::reject);
    g.shell.run(1s - 1ms);
  }
  g.shell.run(1s);
  EXPECT_EQ(g.shell.inbound(kStranger).verdict, Admit::accept);
  EXPECT_LE(g.shell.events(EventKind::inbound_rejected).size(), 60U) << "10 a minute at most";
}

TEST(NodeBans, AnOperatorsBanClosesTheLiveConnectionAndItIsNotDialledUntilItIsLifted) {
  NodeShell shell({});
  Bans bans;
  Node node(NodeShell::options({}, NodeMode::active), shell.list, bans);
  node.start(shell.now);
  const auto id = node.next_connection();
  const auto here = IpAddress::v4(64, 0, 0, 50);
  ASSERT_EQ(node.on_inbound(id, kStranger, here, shell.now).verdict, Admit::accept);
  node.on_ready(id, {2, 2344}, shell.now);
  (void)node.take_commands();
  const auto added =
      bans.plan_add({kStranger, "spam", "alice", {}}, shell.list, {}, shell.now.wall);
  bans.put(added, shell.now);
  node.on_ban_changed(added, shell.now);
  bool closed = false;
  for (const auto& command : node.take_commands()) {
    const auto* close = std::get_if<Close>(&command);
    closed = closed ||
             (close != nullptr && close->connection == id && close->reason == EndReason::banned);
  }
  EXPECT_TRUE(closed);
  node.on_closed(id, EndReason::banned, "", shell.now);
  EXPECT_EQ(node.connect(kStranger, shell.now).error().code, Code::banned);
  EXPECT_EQ(node.next_tick(), shell.now.mono + 120s) << "for good: there is nothing to end";
  for (const auto& change : bans.plan_remove(kStranger, shell.list, BanImmunity::all)) {
    bans.put(change, shell.now);
    node.on_ban_changed(change, shell.now);
  }
  shell.now.mono += 1min;
  EXPECT_TRUE(node.connect(kStranger, shell.now));
  node.check_invariants();
}

TEST(NodeBans, AMasternodeIsNeitherScoredNorBannedUnderFullImmunity) {
  Guarded g({kMasternode});
  g.shell.closed(g.shell.last_dial(kMasternode), EndReason::refused);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(g.misbehaves(kMasternode, EndReason::flood), Admit::accept);
  }
  EXPECT_TRUE(g.shell.events(EventKind::violation).empty());
  EXPECT_TRUE(g.shell.events(EventKind::peer_banned).empty());
}

TEST(NodeBans, UnderTimeoutsImmunityItCanBeBannedAndTheEventIsCritical) {
  Policy policy;
  policy.whitelist.ban_immunity = BanImmunity::timeouts;
  Guarded g({kMasternode}, policy);
  g.shell.closed(g.shell.last_dial(kMasternode), EndReason::refused);
  (void)g.misbehaves(kMasternode, EndReason::flood);
  (void)g.misbehaves(kMasternode, EndReason::flood);
  const auto events = g.shell.events(EventKind::peer_banned);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].severity, Severity::critical);
  EXPECT_EQ(g.shell.inbound(kMasternode).verdict, Admit::reject);
  const auto dialled = g.shell.dials(kMasternode);
  g.shell.run(4min);
  EXPECT_EQ(g.shell.dials(kMasternode), dialled) << "nor is it dialled";
  g.shell.run(3min);
  EXPECT_GT(g.shell.dials(kMasternode), dialled) << "but again after that";
}

TEST(NodeBans, AStoredBanIsExemptWhileWhitelistedAndHoldsAgainAfterThat) {
  NodeShell shell({});
  Bans bans;
  bans.load({{kStranger, BanOrigin::operator_, "old", "alice", shell.now.wall}}, {}, shell.now);
  Node node(NodeShell::options({}, NodeMode::active), shell.list, bans);
  node.start(shell.now);
  const auto here = IpAddress::v4(64, 0, 0, 50);
  EXPECT_EQ(node.on_inbound(node.next_connection(), kStranger, here, shell.now).reason,
            EndReason::banned);
  shell.put(kStranger);
  node.on_whitelist_changed(kStranger, shell.now);
  ConnectionId id{};
  for (const auto& command : node.take_commands()) {
    if (const auto* dial = std::get_if<Dial>(&command)) id = dial->connection;
  }
  ASSERT_NE(id, ConnectionId{}) << "whitelisted: dialled at once in spite of the ban";
  node.on_dial_progress(id, DialStage::tcp_connected, here, shell.now);
  node.on_dial_progress(id, DialStage::tls_done, here, shell.now);
  node.on_ready(id, {2, 2344}, shell.now);
  shell.take_away(kStranger);
  node.on_whitelist_changed(kStranger, shell.now);
  EXPECT_FALSE(node.connected(kStranger));
  node.on_closed(id, EndReason::banned, "", shell.now);
  EXPECT_EQ(node.on_inbound(node.next_connection(), kStranger, here, shell.now).reason,
            EndReason::banned);
  node.check_invariants();
}

TEST(NodeBans, LoweredImmunityMakesAStoredBanHoldAtOnce) {
  NodeShell shell({kMasternode});
  Bans bans;
  bans.load({{kMasternode, BanOrigin::operator_, "old", "alice", shell.now.wall}}, {}, shell.now);
  Policy policy;
  Node node(NodeShell::options(policy, NodeMode::active), shell.list, bans);
  node.start(shell.now);
  EXPECT_TRUE(node.check_slot(kMasternode, shell.now).accept);
  policy.whitelist.ban_immunity = BanImmunity::timeouts;
  node.on_policy_changed(policy, shell.now);
  EXPECT_FALSE(node.check_slot(kMasternode, shell.now).accept);
  node.check_invariants();
}

// Somebody behind the NAT of an honest peer.
TEST(NodeBans, FailedKnocksBesideASessionOfTheAddressDoNotCount) {
  Guarded g({});
  const auto honest = g.shell.inbound_session(kStranger);
  for (int i = 0; i < 60; ++i) {
    (void)g.shell.inbound(kStranger);
    g.shell.talk(honest);
    g.shell.run(1s);
  }
  EXPECT_TRUE(g.shell.events(EventKind::violation).empty());
  EXPECT_TRUE(g.shell.node.connected(kStranger));
}

TEST(NodeBans, HammeringCountsForTheAddressNotForItsNeighbours) {
  Guarded g({});
  for (std::uint8_t host = 1; host <= 40; ++host) {  // uses up the rate of the /24
    (void)g.misbehaves(IpAddress::v4(203, 0, 113, host), EndReason::closed_by_peer, false);
  }
  EXPECT_TRUE(g.shell.events(EventKind::violation).empty());
  for (int i = 0; i < 30; ++i) {
    (void)g.misbehaves(IpAddress::v4(198, 51, 100, 1), EndReason::closed_by_peer, false);
  }
  EXPECT_EQ(g.shell.events(EventKind::peer_banned).size(), 1U);
  EXPECT_EQ(g.shell.inbound(IpAddress::v4(198, 51, 100, 2)).verdict, Admit::accept);
}

TEST(NodeBans, AHundredUnknownPongsInARowAreOneViolationAndTwiceThatIsTheEnd) {
  Guarded g({});
  const auto id = g.shell.inbound_session(kStranger);
  const auto pongs = [&](int count) {
    for (int i = 0; i < count; ++i) {
      g.shell.node.on_pong(id, static_cast<std::uint64_t>(i), {}, g.shell.now);
      g.shell.collect();
    }
  };
  pongs(99);
  g.shell.node.on_pong(id, g.shell.all<SendPing>().back().nonce, {}, g.shell.now);
  pongs(99);
  EXPECT_TRUE(g.shell.events(EventKind::violation).empty()) << "a real one between";
  pongs(1);
  EXPECT_EQ(g.shell.events(EventKind::violation).size(), 1U);
  EXPECT_TRUE(g.shell.node.connected(kStranger));
  pongs(100);
  EXPECT_FALSE(g.shell.node.connected(kStranger));
  EXPECT_EQ(g.shell.all<RecordSession>().back().session.end_reason, EndReason::banned);
}

TEST(NodeBans, FramesThatAreNoMessageCountByTheBurst) {
  Guarded g({});
  const auto id = g.shell.inbound_session(kStranger);
  for (int burst = 1; burst <= 5; ++burst) {
    for (int part = 0; part < 3; ++part) {
      g.shell.node.on_traffic(id, Traffic{100, 0, 0, 100}, g.shell.now);
      g.shell.collect();
    }
    EXPECT_EQ(g.shell.events(EventKind::violation).size(), static_cast<std::size_t>(burst));
  }
  EXPECT_FALSE(g.shell.node.connected(kStranger));
}

TEST(NodeBans, AFailedDialOfOursBansNobody) {
  Guarded g({kMasternode}, [] {
    Policy policy;
    policy.whitelist.ban_immunity = BanImmunity::timeouts;
    return policy;
  }());
  for (int i = 0; i < 12; ++i) {
    g.shell.closed(g.shell.last_dial(kMasternode),
                   i % 2 == 0 ? EndReason::tls_failed : EndReason::no_handshake);
    g.shell.run(2h);
  }
  EXPECT_TRUE(g.shell.events(EventKind::violation).empty());
}

TEST(NodeBans, ABanThatEndsByItsTimeIsNoticedInAPassiveNodeToo) {
  NodeShell shell({}, {}, NodeMode::passive);
  Bans bans;
  Node node(NodeShell::options({}, NodeMode::passive), shell.list, bans);
  node.start(shell.now);
  ban(shell, bans, kStranger, 1min);
  EXPECT_EQ(node.next_tick(), shell.now.mono + 1min);
  shell.now.mono += 1min;
  node.tick(shell.now);
  EXPECT_EQ(bans.in_force(kStranger, Standing::stranger), nullptr);
}

}  // namespace
}  // namespace timectl
