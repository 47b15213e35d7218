#include "daemon/observe/sampler.h"

#include <gtest/gtest.h>

#include <set>

#include "daemon/core/json.h"

namespace timectl::observe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNoon = parse_rfc3339("2026-11-21T12:00:00Z").value();
const IpAddress kPeer = IpAddress::v4(10, 0, 0, 1);

// Both clocks, as far from noon.
Now after(Duration passed, milliseconds set = {}) {
  return {Instant(hours(1) + passed),
          kNoon + std::chrono::duration_cast<milliseconds>(passed) + set};
}

PeerReading reading(const IpAddress& ip = kPeer) {
  PeerReading out;
  out.ip = ip;
  out.whitelisted = true;
  return out;
}

PeerReading connected(Duration since, std::uint64_t pings = 0, std::uint64_t missed = 0) {
  auto out = reading();
  out.state = PeerState::connected;
  out.connected_at = after(since).wall;
  out.pings = pings;
  out.missed_pongs = missed;
  return out;
}

SessionRecord ended(Duration from, Duration to, EndReason reason = EndReason::closed_by_peer) {
  SessionRecord session;
  session.ip = kPeer;
  session.whitelisted = true;
  session.started_at = after(from).wall;
  session.ended_at = after(to).wall;
  session.end_reason = reason;
  return session;
}

void look(Sampler& sampler, const std::vector<PeerReading>& peers, Now now,
          const NodeReading& node = {}) {
  sampler.look(peers, node, now);
}

PeerSample only(const Sampler& sampler) {
  const auto rows = sampler.rows();
  EXPECT_EQ(rows.peers.size(), 1U);
  return rows.peers.empty() ? PeerSample{} : rows.peers.front();
}

TEST(Sampler, TimeIsSplitAtTheEndOfAStep) {
  Sampler sampler;
  look(sampler, {reading()}, after(minutes(4) + seconds(30)));
  look(sampler, {connected(minutes(4) + seconds(50))}, after(minutes(5) + seconds(30)));
  const auto rows = sampler.rows();
  ASSERT_EQ(rows.peers.size(), 2U);
  EXPECT_EQ(rows.peers[0].at, kNoon);
  EXPECT_DOUBLE_EQ(rows.peers[0].seconds, 30);
  EXPECT_DOUBLE_EQ(rows.peers[0].connected_seconds, 10);
  EXPECT_EQ(rows.peers[0].state, PeerState::idle) << "of the last look in that step";
  EXPECT_EQ(rows.peers[1].at, kNoon + minutes(5));
  EXPECT_DOUBLE_EQ(rows.peers[1].connected_seconds, 30);
  EXPECT_EQ(rows.peers[1].state, PeerState::connected);
  ASSERT_EQ(rows.nodes.size(), 2U);
  EXPECT_DOUBLE_EQ(rows.nodes[0].seconds, 30);
  EXPECT_NEAR(rows.nodes[0].connected_mean, 10.0 / 30, 1e-9);
  sampler.stored();
  EXPECT_EQ(only(sampler).at, kNoon + minutes(5));
}

TEST(Sampler, FirstLookCountsNoTimeAndNoTotals) {
  Sampler sampler;
  auto peer = connected(-hours(3), 360, 7);
  peer.score = 77;
  peer.height = 100;
  look(sampler, {peer}, after(minutes(1)));
  const auto row = only(sampler);
  EXPECT_EQ(row.seconds, 0);
  EXPECT_EQ(row.pings, 0U);
  EXPECT_EQ(row.score, 77);
  EXPECT_EQ(row.height, 100U);
  EXPECT_EQ(row.state, PeerState::connected);
  EXPECT_EQ(row.lag_max, std::nullopt) << "nothing is believed";
}

TEST(Sampler, TotalsOfASessionAreCountedOnceAndThoseOfANewOneFromItsBeginning) {
  Sampler sampler;
  auto peer = connected(-minutes(1), 10, 1);
  peer.bytes_in = 1000;
  look(sampler, {peer}, after(minutes(1)));
  peer = connected(-minutes(1), 13, 2);
  peer.bytes_in = 1500;
  peer.rtt_ms = 40;
  look(sampler, {peer}, after(minutes(2)));
  look(sampler, {peer}, after(minutes(3)));  // nothing new
  EXPECT_EQ(only(sampler).pings, 3U);
  EXPECT_EQ(only(sampler).missed_pongs, 1U);
  EXPECT_EQ(only(sampler).bytes_in, 500U);
  EXPECT_EQ(only(sampler).round_trips, 2U);
  auto session = ended(-minutes(1), minutes(3) + seconds(10));
  session.missed_pongs = 5;
  session.bytes_in = 1600;
  sampler.note_end(session, after(minutes(3) + seconds(10)));
  peer = connected(minutes(3) + seconds(20), 2);
  peer.bytes_in = 50;
  peer.rtt_ms = 10;
  look(sampler, {peer}, after(minutes(4)));
  const auto row = only(sampler);
  EXPECT_EQ(row.missed_pongs, 4U);
  EXPECT_EQ(row.pings, 6U) << "at least those that were missed, and two";
  EXPECT_EQ(row.bytes_in, 650U);
  EXPECT_EQ(row.disconnects, 1U);
  EXPECT_DOUBLE_EQ(row.seconds, 180);
  EXPECT_DOUBLE_EQ(row.connected_seconds, 170);
  EXPECT_EQ(row.rtt_ms_min, 10);
  EXPECT_EQ(row.rtt_ms_max, 40);
  EXPECT_DOUBLE_EQ(*row.rtt_ms_mean, 25);
}

TEST(Sampler, EndsByOurWillAreNoDisconnects) {
  const std::set<std::string_view> ours{"closed_by_operator", "shutdown", "superseded", "duplicate",
                                        "evicted"};
  std::size_t counted = 0;
  for (const auto name : names_of<EndReason>()) {
    Sampler sampler;
    look(sampler, {connected({})}, after(minutes(1)));
    sampler.note_end(ended({}, minutes(2), *value_of<EndReason>(name)), after(minutes(2)));
    EXPECT_EQ(only(sampler).disconnects, ours.contains(name) ? 0U : 1U) << name;
    counted += ours.contains(name) ? 1 : 0;
  }
  EXPECT_EQ(counted, ours.size());
}

TEST(Sampler, OwnOutageIsKeptApart) {
  Sampler sampler;
  look(sampler, {reading()}, after(minutes(0)));
  look(sampler, {reading()}, after(minutes(1)));
  EXPECT_EQ(only(sampler).own_outage_seconds, 0);
  look(sampler, {reading()}, after(minutes(2)), {.sick = true});
  look(sampler, {connected(minutes(2) + seconds(20))}, after(minutes(3)));
  const auto row = only(sampler);
  EXPECT_DOUBLE_EQ(row.seconds, 180);
  EXPECT_DOUBLE_EQ(row.connected_seconds, 40);
  EXPECT_DOUBLE_EQ(row.own_outage_seconds, 80) << "until it was back, although it ended in between";
  EXPECT_DOUBLE_EQ(sampler.rows().nodes[0].own_outage_seconds, 120);
}

TEST(Sampler, LossesOfAnOutageOfOurOwnCountAgainstNobody) {
  for (const bool sick : {false, true}) {
    Sampler sampler;
    look(sampler, {connected(-hours(1), 100)}, after(minutes(3)));
    // Nobody knows yet: a pong is missed, a look passes and ends the step, then the session dies.
    look(sampler, {connected(-hours(1), 103, 1)}, after(minutes(4)));
    sampler.note_end(ended(-hours(1), minutes(4) + seconds(50)), after(minutes(4) + seconds(50)));
    sampler.stored();
    look(sampler, {reading()}, after(minutes(5)), {.sick = sick});
    sampler.stored();
    sampler.note_end(ended(minutes(5) + seconds(10), minutes(5) + seconds(40)),
                     after(minutes(5) + seconds(40)));
    look(sampler, {connected(minutes(5) + seconds(50), 5, 3)}, after(minutes(6)));
    std::uint64_t ends = 0;
    std::uint64_t missed = 0;
    for (const auto& row : sampler.rows().peers) {
      ends += row.disconnects;
      missed += row.missed_pongs;
      EXPECT_LE(row.missed_pongs, row.pings);
    }
    EXPECT_EQ(ends, sick ? 0U : 2U);
    EXPECT_EQ(missed, sick ? 0U : 4U);
  }
}

TEST(Sampler, FaultsOfLongBeforeAnOutageStay) {
  Sampler sampler;
  look(sampler, {connected(-hours(1))}, after(seconds(10)));
  sampler.note_end(ended(-hours(1), seconds(20)), after(seconds(20)));
  look(sampler, {connected(seconds(30))}, after(seconds(70)));
  look(sampler, {connected(seconds(30))}, after(seconds(130)));
  look(sampler, {connected(seconds(30))}, after(seconds(190)), {.sick = true});
  EXPECT_EQ(only(sampler).disconnects, 1U);
}

TEST(Sampler, TimeInWhichAnOperatorKeepsAPeerAwayIsNotItsOwn) {
  Sampler sampler;
  auto held = reading();
  held.held = true;
  look(sampler, {held}, after(seconds(10)));
  look(sampler, {held}, after(seconds(70)));
  EXPECT_DOUBLE_EQ(only(sampler).own_outage_seconds, 60);
  look(sampler, {reading()}, after(seconds(130)));
  look(sampler, {reading()}, after(seconds(190)));
  EXPECT_DOUBLE_EQ(only(sampler).own_outage_seconds, 120) << "until the look that finds it free";
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 180);
}

TEST(Sampler, StrangersCountWhileTheyAreThereAndUnseenOnesNotAtAll) {
  Sampler sampler;
  look(sampler, {}, after(minutes(0)));
  auto stranger = connected(seconds(30));
  stranger.whitelisted = false;
  look(sampler, {stranger}, after(minutes(1)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 30);
  auto session = ended(seconds(30), seconds(80));
  session.whitelisted = false;
  sampler.note_end(session, after(seconds(80)));
  look(sampler, {}, after(minutes(2)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 50);
  EXPECT_DOUBLE_EQ(only(sampler).connected_seconds, 50);
  EXPECT_EQ(only(sampler).whitelisted_seconds, 0);
  for (std::uint8_t i = 2; i < 200; ++i) {
    session.ip = IpAddress::v4(10, 0, 0, i);
    sampler.note_end(session, after(minutes(2) + seconds(1)));
  }
  EXPECT_EQ(sampler.rows().peers.size(), 1U) << "a flood of addresses fills no table";
}

TEST(Sampler, OpenSessionsAreThoseOfTheLastLookThatHaveNotEnded) {
  Sampler sampler;
  auto peer = connected(seconds(10), 5, 2);
  peer.direction = Direction::in;
  peer.rtt_ms = 12;
  look(sampler, {peer, reading(IpAddress::v4(10, 0, 0, 2))}, after(minutes(1)));
  const auto open = sampler.rows().open;
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].started_at, after(seconds(10)).wall);
  EXPECT_EQ(open[0].ended_at, after(minutes(1)).wall);
  EXPECT_EQ(open[0].direction, Direction::in);
  EXPECT_EQ(open[0].missed_pongs, 2U);
  EXPECT_EQ(open[0].rtt_ms_p50, 12);
  sampler.note_end(ended(seconds(5), seconds(8)), after(minutes(1)));
  EXPECT_EQ(sampler.rows().open.size(), 1U) << "another session of the same peer";
  sampler.note_end(ended(seconds(10), minutes(2)), after(minutes(2)));
  EXPECT_TRUE(sampler.rows().open.empty());
}

NodeReading chain(std::uint64_t height, std::uint64_t best) {
  NodeReading node;
  node.sync.emplace();
  node.sync->height = height;
  node.sync->best_height = best;
  node.sync->lag_blocks = best - height;
  node.sync->spread_blocks = 3;
  return node;
}

TEST(Sampler, CatchingUpIsMeasuredFromTheLookThatFoundItBehind) {
  Sampler sampler;
  auto peer = connected({});
  peer.height = 90;
  look(sampler, {peer}, after(minutes(0)), chain(100, 200));
  look(sampler, {peer}, after(minutes(1)), chain(180, 200));
  look(sampler, {peer}, after(minutes(2)), chain(200, 200));
  look(sampler, {peer}, after(minutes(3)), chain(201, 201));
  look(sampler, {peer}, after(minutes(4)), {.connections = 9});  // nothing is known any more
  const auto rows = sampler.rows();
  ASSERT_EQ(rows.nodes.size(), 1U);
  const auto& node = rows.nodes[0];
  EXPECT_EQ(node.blocks, 101U);
  EXPECT_EQ(node.blocks_syncing, 100U);
  EXPECT_DOUBLE_EQ(node.syncing_seconds, 120);
  EXPECT_EQ(node.lag_max, 100U);
  EXPECT_EQ(node.spread_max, 3U);
  EXPECT_EQ(node.height, 201U);
  EXPECT_EQ(node.connections_max, 9U);
  EXPECT_EQ(node.connected_min, 1U);
  EXPECT_EQ(rows.peers[0].lag_max, 111U);
}

TEST(Sampler, RestartWithinAStepGoesOnWithItsRow) {
  Sampler before;
  look(before, {connected({}, 4)}, after(minutes(0)));
  look(before, {connected({}, 6)}, after(minutes(2)));
  const auto stored = before.rows();
  Sampler again;
  again.resume(stored.peers, stored.nodes.front());
  look(again, {reading()}, after(minutes(3)));
  look(again, {connected(minutes(3) + seconds(30), 1)}, after(minutes(4)));
  const auto row = only(again);
  EXPECT_DOUBLE_EQ(row.seconds, 180) << "the minute without a node nobody looked";
  EXPECT_DOUBLE_EQ(row.connected_seconds, 150);
  EXPECT_EQ(row.pings, 3U);
  EXPECT_DOUBLE_EQ(again.rows().nodes[0].seconds, 180);
  EXPECT_EQ(again.rows().nodes[0].connected_min, 0U);
}

TEST(Sampler, JumpOverMoreThanThreeMinutesStartsAnew) {
  for (const bool only_wall : {false, true}) {
    Sampler sampler;
    look(sampler, {connected({}, 1)}, after(minutes(1)));
    const auto now = only_wall ? after(minutes(2), hours(1)) : after(minutes(70));
    look(sampler, {connected({}, 90)}, now);
    for (const auto& row : sampler.rows().peers) {
      EXPECT_EQ(row.seconds, 0);
      EXPECT_EQ(row.pings, 0U);
    }
  }
  Sampler sampler;  // the negative control: three minutes are no jump
  look(sampler, {connected({}, 1)}, after(minutes(1)));
  look(sampler, {connected({}, 9)}, after(minutes(4)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 180);
}

TEST(Sampler, ClockPutForwardInventsNoTimeAndOnePutBackCountsNoneTwice) {
  Sampler sampler;
  look(sampler, {connected({})}, after(minutes(0)));
  look(sampler, {connected({})}, after(minutes(1), seconds(90)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 60);
  // Back to true time: 12:02 is 30 s before what was counted, 12:03 is 30 s behind it.
  look(sampler, {connected({})}, after(minutes(2)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 60);
  look(sampler, {connected({})}, after(minutes(3)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 90);
  look(sampler, {connected({})}, after(minutes(4)));
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 150);
}

TEST(Sampler, ClockThatWasFarAheadDoesNotStopTheCounting) {
  Sampler sampler;
  look(sampler, {reading()}, after(minutes(0), hours(24 * 365)));
  look(sampler, {reading()}, after(minutes(1), hours(24 * 365)));
  look(sampler, {reading()}, after(minutes(2)));
  look(sampler, {reading()}, after(minutes(3)));
  sampler.stored();
  EXPECT_DOUBLE_EQ(only(sampler).seconds, 60);
}

TEST(Sampler, StepsThatCannotBeStoredWaitForAnHour) {
  Sampler sampler;
  for (int minute = 0; minute <= 180; ++minute) look(sampler, {reading()}, after(minutes(minute)));
  const auto rows = sampler.rows();
  ASSERT_EQ(rows.peers.size(), Sampler::kMostSteps);
  EXPECT_EQ(rows.peers.back().at, kNoon + hours(3));
  EXPECT_EQ(rows.peers.front().at, kNoon + minutes(125));
  EXPECT_DOUBLE_EQ(rows.peers.front().seconds, 300);
  sampler.stored();
  EXPECT_EQ(sampler.rows().peers.size(), 1U);
}

}  // namespace
}  // namespace timectl::observe
