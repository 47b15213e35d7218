// What a node makes of its peers' behaviour: scores, readings, and the peers' clocks.
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

const IpAddress kNear = IpAddress::v4(64, 0, 0, 1);
const IpAddress kFar = IpAddress::v4(64, 0, 1, 1);
const IpAddress kThird = IpAddress::v4(64, 0, 2, 1);
const IpAddress kStranger = IpAddress::v4(70, 0, 0, 1);

// A minute of the shell's life, with its look and an answered ping of each session.
void minutes(NodeShell& shell, int count, const std::vector<ConnectionId>& answering) {
  for (int minute = 0; minute < count; ++minute) {
    for (int quarter = 0; quarter < 4; ++quarter) {
      shell.run(15s);
      for (const auto& ping : shell.all<SendPing>()) {
        const bool answers = std::ranges::find(answering, ping.connection) != answering.end();
        if (answers) shell.node.on_pong(ping.connection, ping.nonce, 100, shell.now);
      }
      shell.collect();
      shell.clear();
    }
    shell.node.look(shell.now);
  }
}

TEST(NodeScores, AMasternodeThatIsAwayLosesAndOneThatIsThereDoesNot) {
  NodeShell shell({kNear, kFar});
  shell.start();
  const auto near = shell.finish_dial(kNear);
  shell.closed(shell.last_dial(kFar), EndReason::refused);
  minutes(shell, 60 * 24, {near});
  const auto there = shell.node.score(kNear, shell.now);
  const auto away = shell.node.score(kFar, shell.now);
  ASSERT_TRUE(there && away);
  EXPECT_GT(there->score, 85);
  EXPECT_LT(away->score, there->score - 10);
  double lost = 0;
  for (const auto& part : away->parts) lost += part.penalty;
  EXPECT_NEAR(lost, 100 - away->score, 1e-6);
  EXPECT_EQ(shell.node.peer(kNear, shell.now)->score, there->score) << "the view shows the same";
}

TEST(NodeScores, AnOutageOfOurOwnCountsAgainstNobody) {
  const auto lost_at_once = [](std::size_t lost) {
    const std::vector<IpAddress> all{kNear, kFar, kThird};
    NodeShell shell(all);
    shell.start();
    std::vector<ConnectionId> sessions;
    for (const auto& ip : all) sessions.push_back(shell.finish_dial(ip));
    minutes(shell, 10, sessions);
    for (std::size_t i = 0; i < lost; ++i) {
      shell.closed(sessions[i], EndReason::transport_dead);
    }
    EXPECT_EQ(shell.node.ailments().empty(), lost == 1);
    shell.node.look(shell.now);
    shell.run(70s);
    shell.node.look(shell.now);
    const auto score = shell.node.score(kNear, shell.now);
    double penalty = 0;
    for (const auto& part : score->parts) {
      if (part.name == "disconnects") penalty = part.penalty;
    }
    return penalty;
  };
  EXPECT_GT(lost_at_once(1), 1);
  EXPECT_EQ(lost_at_once(3), 0) << "three at once are one fault of ours";
}

TEST(NodeScores, WhomAnOperatorKeepsAwayIsNotAwayByItself) {
  const auto lost = [](bool by_operator) {
    NodeShell shell({kNear});
    shell.start();
    const auto session = shell.finish_dial(kNear);
    minutes(shell, 5, {session});
    if (by_operator) {
      EXPECT_TRUE(shell.node.disconnect(kNear, 24h, shell.now));
      shell.collect();
    } else {
      shell.closed(session, EndReason::closed_by_operator);
      shell.closed(shell.last_dial(kNear), EndReason::refused);
    }
    EXPECT_EQ(shell.node.readings(shell.now)[0].held, by_operator);
    minutes(shell, 120, {});
    const auto view = shell.node.score(kNear, shell.now);
    for (const auto& part : view->parts) {
      if (part.name == "uptime") return part.penalty;
    }
    return -1.0;
  };
  EXPECT_GT(lost(false), lost(true) + 1);
}

TEST(NodeScores, ChangesAreHandedOutOnceAndARestartGoesOnFromThem) {
  NodeShell shell({kNear});
  shell.start();
  minutes(shell, 5, {shell.finish_dial(kNear)});
  shell.node.on_lag(kNear, 80, shell.now);
  shell.run(2min);
  shell.node.look(shell.now);
  const auto changed = shell.node.changed_scores();
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_TRUE(shell.node.changed_scores().empty());

  NodeShell again({kNear});
  again.now = shell.now;
  again.node.remember_scores(changed);
  again.start();
  EXPECT_EQ(again.node.score(kNear, shell.now)->score, shell.node.score(kNear, shell.now)->score);
  EXPECT_FALSE(again.node.score(kFar, shell.now));
}

TEST(NodeScores, TheTableIsBoundedAndKeepsWhoWasHeardLast) {
  Policy policy;
  policy.score.max_scores = 16;
  NodeShell shell({}, policy);
  shell.start();
  for (std::uint8_t i = 1; i <= 40; ++i) {
    const IpAddress ip = IpAddress::v4(70, i, 0, 1);
    const auto session = shell.inbound_session(ip);
    shell.run(1min);
    shell.node.look(shell.now);
    shell.closed(session, EndReason::closed_by_peer);
  }
  shell.run(2min);
  shell.node.look(shell.now);
  EXPECT_FALSE(shell.node.score(IpAddress::v4(70, 1, 0, 1), shell.now));
  EXPECT_TRUE(shell.node.score(IpAddress::v4(70, 40, 0, 1), shell.now));
  EXPECT_LE(shell.node.changed_scores().size(), 16U);
}

TEST(NodeScores, OfTwoRegularPeersTheLessHealthyMakesRoomForAMasternode) {
  Policy policy;
  policy.slots.max_connections = 2;
  policy.slots.reserved_masternode_slots = 0;
  NodeShell shell({kNear}, policy);
  shell.start();
  shell.closed(shell.last_dial(kNear), EndReason::refused);
  // The older one would stay by its age; its chain lies.
  const auto old = shell.inbound_session(kStranger);
  minutes(shell, 2, {old});
  const auto young = shell.inbound_session(kFar);
  for (int i = 0; i < 12; ++i) {
    shell.node.on_chain_misconduct(kStranger, ChainMisconduct::changed_hash, shell.now);
  }
  EXPECT_EQ(shell.node.check_slot(kNear, shell.now).would_evict, kFar) << "as long as it waits";
  minutes(shell, 2, {old, young});
  EXPECT_EQ(shell.node.check_slot(kNear, shell.now).would_evict, kStranger);
}

TEST(NodeScores, ReadingsAreOfMasternodesAndSessionsAndNotOfOurselves) {
  NodeShell shell({kNear, kFar, IpAddress::v4(64, 0, 0, 50)});
  shell.start();
  const auto near = shell.finish_dial(kNear);
  const auto stranger = shell.inbound_session(kStranger);
  minutes(shell, 3, {near, stranger});
  const auto readings = shell.node.readings(shell.now);
  ASSERT_EQ(readings.size(), 3U);
  for (const auto& reading : readings) {
    EXPECT_EQ(reading.whitelisted, reading.ip != kStranger);
    EXPECT_EQ(reading.connected_at.has_value(), reading.ip != kFar);
    if (reading.ip != kNear) continue;
    EXPECT_GT(reading.pings, 10U);
    EXPECT_EQ(reading.height, 100U);
    EXPECT_LE(reading.missed_pongs, 1U);
  }
}

TEST(NodeClock, TheMedianOfThePeersClocksSaysHowFarOursIsOff) {
  NodeShell shell({kNear, kFar, kThird});
  shell.start();
  std::vector<ConnectionId> sessions;
  for (const auto& ip : {kNear, kFar}) sessions.push_back(shell.finish_dial(ip));
  for (const auto id : sessions) {
    shell.node.on_clock(id, shell.now.wall - std::chrono::milliseconds(12'500), shell.now);
  }
  EXPECT_EQ(shell.node.clock().ahead_seconds, std::nullopt) << "two may be wrong together";
  sessions.push_back(shell.finish_dial(kThird));
  shell.node.on_clock(sessions.back(), shell.now.wall + 600s, shell.now);
  const auto clock = shell.node.clock();
  EXPECT_EQ(clock.peers, 3U);
  EXPECT_NEAR(clock.ahead_seconds.value_or(0), 12, 0.6);
  EXPECT_NEAR(shell.node.peer(kThird, shell.now)->clock_seconds.value_or(0), 600, 1);
  shell.node.on_clock(sessions.back(), WallTime::max(), shell.now);  // bounded
  EXPECT_LE(shell.node.peer(kThird, shell.now)->clock_seconds.value_or(1e300), 1e9);
}

}  // namespace
}  // namespace timectl
