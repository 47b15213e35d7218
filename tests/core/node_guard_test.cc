// What a review found that an attacker, a neighbour behind the same NAT or a restart could do.
#include <gtest/gtest.h>

#include "tests/core/node_shell.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

const IpAddress kPeer = IpAddress::v4(64, 0, 0, 10);

// Its path stalls for longer than the probe may take; somebody behind the same NAT dials meanwhile.
TEST(NodeGuard, WhoDialsWhileAPathStallsDoesNotTakeThePlaceOfASessionThatLives) {
  NodeShell s({kPeer});
  s.start();
  const auto first = s.finish_dial(kPeer);
  s.run(5s);
  ConnectionId second{};
  ASSERT_EQ(s.inbound(kPeer, &second).verdict, Admit::hold);
  s.run(3s);
  ASSERT_EQ(s.all<Proceed>().size(), 1U);
  s.talk(first);
  s.ready(second);
  EXPECT_TRUE(s.node.connected(kPeer));
  ASSERT_EQ(s.all<Close>().size(), 1U);
  EXPECT_EQ(s.all<Close>()[0].connection, second);
  EXPECT_EQ(s.all<Close>()[0].reason, EndReason::duplicate);
}

TEST(NodeGuard, AStandstillPutsANewcomerOffOnceHoweverManyFactsComeAfterIt) {
  NodeShell s({kPeer});
  s.start();
  const auto first = s.finish_dial(kPeer);
  s.run(5s);
  ASSERT_EQ(s.inbound(kPeer).verdict, Admit::hold);
  s.now.mono += 10min;
  s.now.wall += 10min;
  for (int i = 0; i < 20; ++i) s.node.on_traffic(first, Traffic{0, 10, 0, 0}, s.now);
  s.collect();
  s.run(5s);
  EXPECT_EQ(s.all<Proceed>().size(), 1U);
}

TEST(NodeGuard, AStandstillWhileANewcomerIsBeingClosedTouchesItNoMore) {
  NodeShell s({kPeer});
  s.start();
  const auto first = s.finish_dial(kPeer);
  s.run(5s);
  ConnectionId second{};
  ASSERT_EQ(s.inbound(kPeer, &second).verdict, Admit::hold);
  s.node.on_traffic(first, Traffic{100, 0, 0, 0}, s.now);
  (void)s.node.take_commands();  // the shell has not reported the end of it yet
  s.now.mono += 1min;
  s.now.wall += 1min;
  s.node.tick(s.now);
  s.now.mono += 5s;
  s.now.wall += 5s;
  s.node.tick(s.now);
  s.node.check_invariants();
}

PeerMemory parked(const std::string& under, WallTime at) {
  PeerMemory memory;
  memory.ip = kPeer;
  memory.last_reason = EndReason::wrong_genesis;
  memory.last_connected_at = memory.last_heard_at = at;
  memory.parked_under = under;
  return memory;
}

// R: "until the configuration or our version changes".
TEST(NodeGuard, AParkedPeerIsDialledAgainAfterAnUpgradeAndNotAfterAMereRestart) {
  NodeShell same({kPeer});
  same.node.remember({parked("", same.now.wall)});
  same.start();
  EXPECT_EQ(same.dials(kPeer), 0U);
  NodeShell upgraded({kPeer});
  upgraded.node.remember({parked("an older version", upgraded.now.wall)});
  upgraded.start();
  EXPECT_EQ(upgraded.dials(kPeer), 1U);
}

TEST(NodeGuard, ARegularPeerThatIsForgottenForADayStaysSoOverARestart) {
  NodeShell s({});
  PeerMemory memory;
  memory.ip = kPeer;
  memory.last_reason = EndReason::refused;
  memory.next_attempt_at = s.now.wall + 20h;
  s.node.remember({memory});
  s.start();
  s.run(19h);
  EXPECT_EQ(s.dials(kPeer), 0U);
  s.run(2h);
  EXPECT_EQ(s.dials(kPeer), 1U);
  NodeShell listed({kPeer});  // a masternode is never given up
  listed.node.remember({memory});
  listed.start();
  EXPECT_EQ(listed.dials(kPeer), 1U);
}

// R7: what counts is that our own address is on the list that the others have, too.
TEST(NodeGuard, WeAreTakenToBeWhitelistedOnlyByTheListInForce) {
  for (const bool missing : {false, true}) {
    NodeShell s({kPeer});
    s.list.set_listed_ourselves(!missing);
    s.start();
    const auto id = s.finish_dial(kPeer);
    s.run(61s);
    s.closed(id, EndReason::transport_dead);
    s.run(10s);
    EXPECT_EQ(s.dials(kPeer), missing ? 1U : 2U);
  }
}

TEST(NodeGuard, WhatAnOperatorKeepsAwayStaysAwayOverARestartAndTheSlotsSaySo) {
  NodeShell s({kPeer});
  s.start();
  s.closed(s.last_dial(kPeer), EndReason::refused);
  ASSERT_TRUE(s.node.disconnect(kPeer, 10min, s.now));
  s.collect();
  EXPECT_FALSE(s.node.check_slot(kPeer, s.now).accept);
  EXPECT_NE(s.node.kept_away_because(kPeer, s.now).find("operator"), std::string::npos);
  NodeShell again({kPeer});
  again.node.remember({s.all<Remember>().back().memory});
  again.start();
  EXPECT_EQ(again.dials(kPeer), 0U);
  EXPECT_EQ(again.inbound(kPeer).reason, EndReason::closed_by_operator);
  again.run(11min);
  EXPECT_EQ(again.dials(kPeer), 1U);
}

TEST(NodeGuard, NoSlotIsPromisedToWhatCanNeverCome) {
  NodeShell s({kPeer});
  s.start();
  for (const auto& ip :
       {IpAddress::v4(64, 0, 0, 50), IpAddress::v4(0, 0, 0, 0), IpAddress::v4(224, 0, 0, 1)}) {
    EXPECT_FALSE(s.node.check_slot(ip, s.now).accept) << ip.to_string();
  }
}

}  // namespace
}  // namespace timectl
