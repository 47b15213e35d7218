// What Node says of the protection of a peer, and that losing it is an event.
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

const IpAddress kMasternode = IpAddress::v4(64, 0, 0, 10);
const IpAddress kStranger = IpAddress::v4(203, 0, 113, 7);

TEST(NodeProtection, ALiveMasternodeIsWatchedAndCountedAsOne) {
  NodeShell shell({kMasternode});
  shell.start();
  auto live = shell.node.protection(kMasternode, shell.now);
  ASSERT_TRUE(live);
  EXPECT_FALSE(live->connected);
  EXPECT_FALSE(live->watched_as_masternode);
  EXPECT_TRUE(live->slot_free);
  const auto id = shell.finish_dial(kMasternode);
  for (int i = 0; i < 100; ++i) {
    live = shell.node.protection(kMasternode, shell.now);
    EXPECT_TRUE(live->connected);
    EXPECT_EQ(live->watched_as_masternode, true) << i;
    EXPECT_EQ(live->slot_as_masternode, true);
    shell.run(7s);
    shell.talk(id);
  }
  EXPECT_EQ(live->missed_pongs, 6U);
  EXPECT_EQ(live->ping_interval, 15s);
}

// The negative control: what a regular peer's connection looks like.
TEST(NodeProtection, ARegularPeersConnectionIsTold) {
  NodeShell shell({});
  shell.start();
  const auto id = shell.inbound_session(kStranger);
  shell.run(40s);
  shell.talk(id);
  auto live = shell.node.protection(kStranger, shell.now);
  EXPECT_EQ(live->watched_as_masternode, false);
  EXPECT_EQ(live->slot_as_masternode, false);
  shell.put(kStranger);  // in the whitelist, but nobody told the node
  live = shell.node.protection(kStranger, shell.now);
  EXPECT_EQ(live->watched_as_masternode, false) << "its planned check is still a regular peer's";
  EXPECT_EQ(live->slot_as_masternode, false);
  shell.node.on_whitelist_changed(kStranger, shell.now);
  shell.collect();
  live = shell.node.protection(kStranger, shell.now);
  EXPECT_EQ(live->watched_as_masternode, true);
  EXPECT_EQ(live->slot_as_masternode, true);
}

TEST(NodeProtection, APassiveNodeKnowsNothing) {
  NodeShell shell({kMasternode}, {}, NodeMode::passive);
  shell.start();
  EXPECT_FALSE(shell.node.protection(kMasternode, shell.now));
}

TEST(NodeProtection, LeavingTheWhitelistIsALossAndIsSaidOnce) {
  NodeShell shell({kMasternode});
  shell.start();
  EXPECT_TRUE(shell.events(EventKind::protection_lost).empty());
  shell.take_away(kMasternode);
  shell.node.on_whitelist_changed(kMasternode, shell.now);
  shell.node.on_whitelist_changed(kMasternode, shell.now);
  shell.collect();
  const auto lost = shell.events(EventKind::protection_lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].severity, Severity::warning);
  EXPECT_TRUE(lost[0].whitelisted) << "or the throttle takes it for a stranger's doing";
  shell.put(kMasternode);
  shell.node.on_whitelist_changed(kMasternode, shell.now);
  shell.collect();
  EXPECT_TRUE(shell.events(EventKind::protection_regained).empty()) << "that is `promoted`";
}

TEST(NodeProtection, ABlacklistThatIsReloadedTakesItAndGivesItBack) {
  NodeShell shell({kMasternode});
  shell.start();
  shell.list.set_blacklist({{kMasternode, "timectl.toml:7"}});
  shell.node.on_blacklist_changed(shell.now);
  shell.collect();
  ASSERT_EQ(shell.events(EventKind::protection_lost).size(), 1U);
  EXPECT_EQ(shell.events(EventKind::protection_lost)[0].severity, Severity::critical);
  shell.list.set_blacklist({});
  shell.node.on_blacklist_changed(shell.now);
  shell.collect();
  EXPECT_EQ(shell.events(EventKind::protection_regained).size(), 1U);
}

TEST(NodeProtection, AnAutomaticBanUnderTimeoutsImmunityIsALossUntilItEnds) {
  Policy policy;
  policy.whitelist.ban_immunity = BanImmunity::timeouts;
  NodeShell shell({kMasternode}, policy);
  shell.start();
  shell.closed(shell.last_dial(kMasternode), EndReason::refused);
  for (int i = 0; i < 2; ++i) {
    ConnectionId id{};
    ASSERT_EQ(shell.inbound(kMasternode, &id).verdict, Admit::accept);
    shell.ready(id);
    shell.closed(id, EndReason::flood);
  }
  ASSERT_EQ(shell.events(EventKind::protection_lost).size(), 1U);
  shell.run(5min + 1s);
  EXPECT_EQ(shell.events(EventKind::protection_regained).size(), 1U);
}

TEST(NodeProtection, LoweredImmunityIsSaidForAllOfThem) {
  NodeShell shell({kMasternode});
  shell.start();
  Policy policy;
  policy.whitelist.ban_immunity = BanImmunity::timeouts;
  shell.node.on_policy_changed(policy, shell.now);
  shell.node.on_policy_changed(policy, shell.now);
  shell.collect();
  const auto lost = shell.events(EventKind::protection_lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_FALSE(lost[0].peer);
  EXPECT_EQ(log_line(lost[0]),
            "Protection lost of all whitelisted peers: whitelist.ban_immunity is "
            "\"timeouts\" now: bans hold for all of them");
  shell.node.on_policy_changed({}, shell.now);
  shell.collect();
  EXPECT_EQ(shell.events(EventKind::protection_regained).size(), 1U);
}

}  // namespace
}  // namespace timectl
