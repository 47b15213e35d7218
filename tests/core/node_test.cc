#include "daemon/core/node.h"

#include <gtest/gtest.h>

#include "tests/core/node_shell.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

IpAddress low(std::uint8_t n) {
  return IpAddress::v4(64, 0, 0, n);  // under our own 64.0.0.50 for n < 50, over it above
}
IpAddress stranger(unsigned n) {
  return IpAddress::v4(80, static_cast<std::uint8_t>(n / 256), static_cast<std::uint8_t>(n), 1);
}
const IpAddress kLow = low(10);
const IpAddress kHigh = low(90);

TEST(Node, ConnectsPingsAndMeasures) {
  NodeShell s({kLow});
  s.start();
  const auto id = s.finish_dial(kLow);
  EXPECT_TRUE(s.node.connected(kLow));
  ASSERT_EQ(s.all<SendPing>().size(), 1U);
  s.run(40ms);
  s.node.on_pong(id, s.all<SendPing>()[0].nonce, 77, s.now);
  const auto view = s.node.peers(s.now).at(0);
  EXPECT_EQ(view.state, PeerState::connected);
  EXPECT_EQ(view.rtt_ms, 40.0);
  EXPECT_EQ(view.height, 77U);
  EXPECT_EQ(view.loss, 0.0);
  s.run(15s);
  EXPECT_GE(s.all<SendPing>().size(), 2U);
  EXPECT_EQ(s.all<Ask>().size(), 3U);
}

TEST(Node, ASilentMasternodeIsCutWithTheLinesOfR5AndRecorded) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  s.run(200s);
  ASSERT_EQ(s.events(EventKind::peer_unresponsive).size(), 1U);
  EXPECT_EQ(log_line(s.events(EventKind::peer_unresponsive)[0]),
            "WHITELIST VIOLATION: Masternode 64.0.0.10 unresponsive after 6 missed pongs "
            "(relaxed timeout: 180s)");
  ASSERT_EQ(s.events(EventKind::peer_cut).size(), 1U);
  ASSERT_EQ(s.events(EventKind::peer_disconnected).size(), 1U);
  EXPECT_EQ(log_line(s.events(EventKind::peer_disconnected)[0]).substr(0, 66),
            "CRITICAL: Whitelisted peer 64.0.0.10 disconnected: unresponsive (1");
  EXPECT_EQ(s.events(EventKind::no_masternode_connected).size(), 1U);
  EXPECT_EQ(s.events(EventKind::peer_suspect).size(), 1U);
  const auto sessions = s.all<RecordSession>();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].session.end_reason, EndReason::unresponsive);
  EXPECT_GE(sessions[0].session.missed_pongs, 6U);
}

TEST(Node, AnyBytesKeepAMasternodeThatDropsPongs) {
  NodeShell s({kLow});
  s.start();
  const auto id = s.finish_dial(kLow);
  for (int i = 0; i < 60; ++i) {
    s.run(10s);
    s.talk(id);
  }
  EXPECT_TRUE(s.node.connected(kLow));
  EXPECT_EQ(s.events(EventKind::peer_degraded).size(), 1U);
  EXPECT_EQ(s.node.peers(s.now).at(0).state, PeerState::degraded);
}

TEST(Node, TheLossOfTheLastMasternodeIsSaidOnceAndItsReturnToo) {
  NodeShell s({kLow, kHigh});
  s.start();
  const auto a = s.finish_dial(kLow);
  const auto b = s.finish_dial(kHigh);
  s.closed(a, EndReason::closed_by_peer);
  EXPECT_TRUE(s.events(EventKind::no_masternode_connected).empty());
  s.closed(b, EndReason::closed_by_peer);
  EXPECT_EQ(s.events(EventKind::no_masternode_connected).size(), 1U);
  s.run(2s);
  s.finish_dial(kLow);
  EXPECT_EQ(s.events(EventKind::masternode_connected_again).size(), 1U);
  EXPECT_EQ(s.events(EventKind::peer_disconnected).size(), 2U);
}

TEST(Node, ADuplicateOfALiveConnectionIsRefused) {
  NodeShell s({kLow});
  s.start();
  const auto first = s.finish_dial(kLow);
  const auto pings = s.all<SendPing>().size();
  ConnectionId second{};
  EXPECT_EQ(s.inbound(kLow, &second).verdict, Admit::hold);
  EXPECT_EQ(s.all<SendPing>().size(), pings + 1);
  s.run(1s);
  s.talk(first);
  ASSERT_EQ(s.all<Close>().size(), 1U);
  EXPECT_EQ(s.all<Close>()[0].connection, second);
  EXPECT_EQ(s.all<Close>()[0].reason, EndReason::duplicate);
  EXPECT_TRUE(s.node.connected(kLow));
}

TEST(Node, ManySecondConnectionsDoNotPingALivePeerUntilItIsMute) {
  NodeShell s({kLow});
  s.start();
  const auto first = s.finish_dial(kLow);
  s.talk(first);
  s.clear();
  EXPECT_EQ(s.inbound(kLow).verdict, Admit::hold);
  s.run(10ms);
  s.talk(first);
  for (int i = 0; i < 100; ++i) {  // within the 3 s of one probe
    const auto admission = s.inbound(kLow);
    EXPECT_EQ(admission.verdict, Admit::reject);
    EXPECT_EQ(admission.reason, EndReason::duplicate);
    s.run(20ms);
  }
  EXPECT_EQ(s.all<SendPing>().size(), 1U);
  s.run(1s);
  EXPECT_EQ(s.inbound(kLow).verdict, Admit::hold);  // a span later it is asked again
  EXPECT_EQ(s.all<SendPing>().size(), 2U);
  s.talk(first);
  s.run(10s);
  EXPECT_TRUE(s.all<Proceed>().empty());
  EXPECT_TRUE(s.node.connected(kLow));
}

// The first newcomer gave up; the second one gets what is left of the old one's time.
TEST(Node, ASecondNewcomerWaitsForTheSameProbe) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  ConnectionId second{};
  ASSERT_EQ(s.inbound(kLow, &second).verdict, Admit::hold);
  s.run(2s);
  s.closed(second, EndReason::closed_before_tls);
  ASSERT_EQ(s.inbound(kLow).verdict, Admit::hold);
  s.run(900ms);
  EXPECT_TRUE(s.all<Proceed>().empty());
  s.run(100ms);
  EXPECT_EQ(s.all<Proceed>().size(), 1U);
}

TEST(Node, ASilentConnectionIsSupersededOnlyOnceTheNewOneIsReady) {
  NodeShell s({kLow});
  s.start();
  const auto first = s.finish_dial(kLow);
  ConnectionId second{};
  ASSERT_EQ(s.inbound(kLow, &second).verdict, Admit::hold);
  s.run(2900ms);
  EXPECT_TRUE(s.all<Proceed>().empty());
  s.run(100ms);
  ASSERT_EQ(s.all<Proceed>().size(), 1U);
  EXPECT_TRUE(s.all<Close>().empty());
  EXPECT_TRUE(s.node.connected(kLow));
  s.ready(second);
  ASSERT_EQ(s.all<Close>().size(), 1U);
  EXPECT_EQ(s.all<Close>()[0].connection, first);
  EXPECT_EQ(s.all<Close>()[0].reason, EndReason::superseded);
  EXPECT_TRUE(s.node.connected(kLow));
  EXPECT_TRUE(s.events(EventKind::dial_scheduled).empty());
}

TEST(Node, AThirdConnectionIsRefusedAtOnce) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  EXPECT_EQ(s.inbound(kLow).verdict, Admit::hold);
  EXPECT_EQ(s.inbound(kLow).reason, EndReason::duplicate);
}

TEST(Node, InASimultaneousOpenTheHigherAddressDialStays) {
  NodeShell s({kLow, kHigh});
  s.start();
  // The peer is higher: its dial stays, ours goes.
  ConnectionId from_high{};
  EXPECT_EQ(s.inbound(kHigh, &from_high).verdict, Admit::accept);
  ASSERT_EQ(s.all<Close>().size(), 1U);
  EXPECT_EQ(s.all<Close>()[0].connection, s.last_dial(kHigh));
  EXPECT_EQ(s.all<Close>()[0].reason, EndReason::superseded);
  s.ready(from_high);
  // We are higher: theirs waits for ours, and goes when ours has connected.
  ConnectionId from_low{};
  EXPECT_EQ(s.inbound(kLow, &from_low).verdict, Admit::hold);
  s.progress(s.last_dial(kLow), DialStage::tcp_connected);
  ASSERT_EQ(s.all<Close>().size(), 2U);
  EXPECT_EQ(s.all<Close>()[1].connection, from_low);
  EXPECT_EQ(s.inbound(kLow).reason, EndReason::duplicate);
  EXPECT_EQ(s.events(EventKind::dial_failed).size(), 0U);
}

TEST(Node, AHeldConnectionProceedsWhenOurDialFails) {
  NodeShell s({kLow});
  s.start();
  ConnectionId held{};
  ASSERT_EQ(s.inbound(kLow, &held).verdict, Admit::hold);
  s.closed(s.last_dial(kLow), EndReason::timed_out);
  ASSERT_EQ(s.all<Proceed>().size(), 1U);
  EXPECT_EQ(s.all<Proceed>()[0].connection, held);
  s.ready(held);
  EXPECT_TRUE(s.node.connected(kLow));
  s.run(170s);  // with a pass in it, and before the silent peer is cut
  EXPECT_EQ(s.dials(kLow), 1U);
}

TEST(Node, OurOwnAddressIsNeverDialledAndAnEchoOfOurDialEndsIt) {
  NodeShell s({low(50), kLow});
  s.start();
  EXPECT_EQ(s.dials(low(50)), 0U);
  EXPECT_EQ(s.node.masternodes(s.now).whitelisted, 1U);
  // The route shows that an address is ours: the local end is the remote one.
  s.node.on_dial_progress(s.last_dial(kLow), DialStage::tcp_connected, kLow, s.now);
  s.collect();
  EXPECT_EQ(s.all<Close>().back().reason, EndReason::self_connection);
  s.run(24h);
  EXPECT_EQ(s.dials(kLow), 1U);
}

TEST(Node, FullSlotsMakeRoomForAMasternodeAndForNobodyElse) {
  Policy policy;
  policy.slots.max_connections = 6;
  policy.slots.reserved_masternode_slots = 2;
  NodeShell s({low(1), low(2), low(3), low(4), low(5), low(6), low(7)}, policy);
  // Masternodes that are down: only their inbound connections count here.
  s.start();
  for (std::uint8_t n = 1; n <= 7; ++n) s.closed(s.last_dial(low(n)), EndReason::refused);
  s.clear();
  for (unsigned n = 0; n < 4; ++n) s.inbound_session(stranger(n));
  EXPECT_EQ(s.inbound(stranger(9)).reason, EndReason::refused);
  s.inbound_session(low(1));
  s.inbound_session(low(2));
  EXPECT_TRUE(s.all<Close>().empty());
  EXPECT_EQ(*s.node.check_slot(low(3), s.now).would_evict, stranger(3));
  for (std::uint8_t n = 3; n <= 6; ++n) s.inbound_session(low(n));
  EXPECT_EQ(s.all<Close>().size(), 4U);
  EXPECT_EQ(s.node.slots().masternode, 6U);
  EXPECT_EQ(s.inbound(low(7)).reason, EndReason::refused);
  EXPECT_FALSE(s.node.check_slot(low(7), s.now).accept);
}

TEST(Node, StrangersAreLimitedPerAddressAndSubnetAndMasternodesAreNot) {
  NodeShell s({low(1)});
  s.start();
  s.closed(s.last_dial(low(1)), EndReason::refused);
  int accepted = 0;
  for (int i = 0; i < 50; ++i) {
    ConnectionId id{};
    if (s.inbound(IpAddress::v4(9, 9, 9, 9), &id).verdict != Admit::accept) continue;
    ++accepted;
    s.closed(id, EndReason::no_handshake);
  }
  EXPECT_EQ(accepted, 6);
  EXPECT_LE(s.events(EventKind::inbound_rejected).size(), 11U);  // a flood does not fill the log
  accepted = 0;
  for (std::uint8_t n = 1; n < 60; ++n) {
    accepted += s.inbound(IpAddress::v4(7, 7, 7, n)).verdict == Admit::accept ? 1 : 0;
  }
  EXPECT_EQ(accepted, 8);  // max_per_subnet
  for (int i = 0; i < 50; ++i) {
    ConnectionId id{};
    ASSERT_EQ(s.inbound(low(1), &id).verdict, Admit::accept);
    s.closed(id, EndReason::no_handshake);
  }
}

TEST(Node, PromotionOfALiveConnectionHoldsAtOnce) {
  NodeShell s({});
  s.start();
  const auto id = s.inbound_session(kLow);
  s.put(kLow);
  s.node.on_whitelist_changed(kLow, s.now);
  s.collect();
  ASSERT_EQ(s.events(EventKind::promoted).size(), 1U);
  EXPECT_EQ(log_line(s.events(EventKind::promoted)[0]),
            "Marked 64.0.0.10 as whitelisted masternode with enhanced protection");
  EXPECT_EQ(s.node.slots().masternode, 1U);
  s.clear();
  s.run(16s);
  EXPECT_GE(s.all<SendPing>().size(), 1U);   // 15 s now, no longer 30
  s.node.on_whitelist_changed(kLow, s.now);  // a new label, say
  s.collect();
  EXPECT_TRUE(s.events(EventKind::promoted).empty());
  s.talk(id);
  s.run(120s);
  EXPECT_TRUE(s.node.connected(kLow));  // a regular peer were cut after 90 s
}

TEST(Node, AMasternodeThatIsNewlyWhitelistedIsDialledAtOnce) {
  NodeShell s({});
  s.start();
  EXPECT_EQ(s.dials(kLow), 0U);
  s.put(kLow);
  s.node.on_whitelist_changed(kLow, s.now);
  s.collect();
  EXPECT_EQ(s.dials(kLow), 1U);
  s.finish_dial(kLow);
  EXPECT_TRUE(s.node.connected(kLow));
}

TEST(Node, ADemotedPeerStaysWhereASlotIsFreeAndElseIsEvicted) {
  Policy policy;
  policy.slots.max_connections = 3;
  policy.slots.reserved_masternode_slots = 2;
  NodeShell s({low(1), low(2)}, policy);
  s.start();
  s.finish_dial(low(1));
  s.finish_dial(low(2));
  s.take_away(low(1));
  s.node.on_whitelist_changed(low(1), s.now);
  s.collect();
  EXPECT_TRUE(s.node.connected(low(1)));
  EXPECT_EQ(s.node.slots().regular, 1U);
  s.take_away(low(2));
  s.node.on_whitelist_changed(low(2), s.now);
  s.collect();
  EXPECT_FALSE(s.node.connected(low(2)));
  EXPECT_EQ(s.all<Close>().back().reason, EndReason::evicted);
  EXPECT_EQ(s.events(EventKind::demoted).size(), 2U);
}

TEST(Node, AChangedPolicyHoldsForOpenConnections) {
  NodeShell s({});
  s.start();
  for (unsigned n = 0; n < 10; ++n) s.inbound_session(stranger(n));
  Policy policy;
  policy.slots.max_connections = 54;
  s.node.on_policy_changed(policy, s.now);
  s.collect();
  EXPECT_EQ(s.node.slots().regular, 4U);
}

TEST(Node, APassiveNodeOpensAndAcceptsNothing) {
  NodeShell s({kLow}, {}, NodeMode::passive);
  s.start();
  s.run(24h);
  EXPECT_TRUE(s.all<Dial>().empty());
  EXPECT_EQ(s.inbound(kLow).reason, EndReason::refused);
  EXPECT_EQ(s.node.connect(kLow, s.now).error().code, Code::passive_mode);
}

TEST(Node, StopClosesAllInOrderAndIsNoLoss) {
  NodeShell s({kLow, kHigh});
  s.start();
  s.finish_dial(kLow);
  s.node.stop(s.now);
  s.collect();
  EXPECT_EQ(s.all<Close>().size(), 2U);
  for (const auto& e : s.events(EventKind::peer_disconnected)) {
    EXPECT_EQ(e.severity, Severity::info);
    EXPECT_EQ(log_line(e).find("CRITICAL"), std::string::npos);
  }
  s.clear();
  s.run(1h);
  EXPECT_TRUE(s.commands.empty());
}

TEST(Node, BlacklistedAddressesAreNeitherAcceptedNorDialled) {
  NodeShell s({});
  s.list.set_blacklist({{kLow, "timectl.toml:3"}});
  s.start();
  EXPECT_EQ(s.inbound(kLow).reason, EndReason::banned);
  EXPECT_EQ(s.node.connect(kLow, s.now).error().code, Code::blacklisted);
}

TEST(Node, WhoeverComesOntoTheBlacklistIsCutAtOnce) {
  NodeShell s({});
  s.start();
  s.inbound_session(kLow);
  s.inbound_session(kHigh);
  s.list.set_blacklist({{kLow, "timectl.toml:3"}});
  s.node.on_blacklist_changed(s.now);
  s.collect();
  EXPECT_FALSE(s.node.connected(kLow));
  EXPECT_TRUE(s.node.connected(kHigh));
  ASSERT_EQ(s.all<Close>().size(), 1U);
  EXPECT_EQ(s.all<Close>()[0].reason, EndReason::banned);
  s.run(10min);
  EXPECT_EQ(s.dials(kLow), 0U);
}

TEST(Node, FactsAboutUnknownConnectionsAreIgnored) {
  NodeShell s({kLow});
  s.start();
  const ConnectionId none{9999};
  s.node.on_ready(none, {}, s.now);
  s.node.on_closed(none, EndReason::flood, "", s.now);
  s.node.on_traffic(none, {}, s.now);
  s.node.on_pong(none, 1, {}, s.now);
  s.node.on_height(none, 1, s.now);
  s.node.on_wrong_genesis(none, "", s.now);
  s.node.on_dial_progress(none, DialStage::tls_done, kLow, s.now);
  s.collect();
  EXPECT_EQ(s.commands.size(), 2U);  // Remember and Dial of the start
}

}  // namespace
}  // namespace timectl
