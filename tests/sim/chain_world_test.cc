// Sync in the simulation, where the network is honest or merely unwell: catching up, standing where
// everybody stands, and everything that an operator or a restart does meanwhile. The numbers T..
// are those of scenarios.md.
#include "tests/sim/chain_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

namespace timectl::sim {
namespace {

constexpr Height kTip = 5000;

ChainSetup behind(Height blocks, std::uint64_t seed = 1) {
  ChainSetup setup;
  setup.seed = seed;
  setup.tip = kTip;
  setup.own = kTip - blocks;
  return setup;
}

SyncPeerView row_of(ChainWorld& world, const ChainPeer& peer) {
  for (const auto& row : world.node().coordinator->peers(world.now())) {
    if (row.ip == peer.ip) return row;
  }
  return {};
}

TEST(ChainWorld, FiveHundredBlocksBehindIsCaughtUpInUnderTenSeconds) {  // T18
  Duration longest{};
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    ChainWorld world(behind(500, seed));
    world.add(3, Manner::honest);
    const Duration took = world.run_until([&] { return world.in_sync(); }, 60s);
    ASSERT_LT(took, 10s) << seed;
    longest = std::max(longest, took);
    world.run(2min);
    const auto status = world.status();
    EXPECT_EQ(status.best_height, kTip);
    EXPECT_EQ(status.lag_blocks, 0U);
    EXPECT_EQ(status.vouched_by.size(), 3U);
    EXPECT_EQ(status.activity, SyncActivity::idle);
    EXPECT_EQ(world.node().count(EventKind::sync_started), 1U);
    EXPECT_EQ(world.node().count(EventKind::sync_ended), 1U);
    EXPECT_EQ(world.node().count(EventKind::fork_seen), 0U);
    EXPECT_TRUE(world.node().accused.empty());
    EXPECT_EQ(world.node().checks.tally.blocks_wanted, 500U) << "something was fetched twice";
    world.node().store.audit();
  }
  RecordProperty("longest_ms", static_cast<int>(longest.count() / 1000));
}

// The control of the one above.
TEST(ChainWorld, WhereNobodyServesNothingIsCaughtUpAndItIsSaid) {
  ChainWorld world(behind(500));
  world.add(3, Manner::stalling);
  world.run(5min);
  EXPECT_EQ(world.node().height(), kTip - 500);
  EXPECT_EQ(world.status().lag_blocks, 500U);
  EXPECT_EQ(world.node().count(EventKind::sync_stalled), 1U);
  EXPECT_EQ(world.status().activity, SyncActivity::stalled);
  EXPECT_FALSE(world.status().activity_because.empty());
}

TEST(ChainWorld, FiveThousandBlocksBehindIsCaughtUpInHalfAMinute) {
  for (std::uint64_t seed = 1; seed <= seeds(5); ++seed) {
    ChainWorld world(behind(kTip, seed));
    world.add(3, Manner::honest);
    const Duration took = world.run_until([&] { return world.in_sync(); }, 5min);
    ASSERT_LT(took, 30s) << seed;
    RecordProperty("ms_" + std::to_string(seed), static_cast<int>(took.count() / 1000));
  }
}

TEST(ChainWorld, ALagIsAnEventWhenItLastsAndItsEndIsToo) {  // T18, the alert's side
  ChainSetup setup = behind(500);
  setup.paused = true;
  ChainWorld world(setup);
  world.add(3, Manner::honest);
  world.run(20s);
  EXPECT_EQ(world.node().count(EventKind::lag_high), 0U) << "LagPolicy::hold has not passed";
  world.run(1min);
  EXPECT_GE(world.node().count(EventKind::lag_high), 1U);
  EXPECT_EQ(world.node().count(EventKind::fork_seen), 0U);
  EXPECT_EQ(world.status().activity, SyncActivity::paused);
  EXPECT_EQ(world.status().lag_blocks, 500U);
  EXPECT_EQ(world.node().height(), kTip - 500);
  EXPECT_EQ(world.node().checks.tally.asked_blocks, 0U);
  world.pause(false);
  EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 2min), 10s);
  world.run(1min);
  EXPECT_EQ(world.node().count(EventKind::lag_over), 1U);
  EXPECT_FALSE(world.node().paused);
}

TEST(ChainWorld, AMasternodeFarAboveTheClockIsImplausibleAndNotALag) {  // T17
  for (const Height claim : {kTip + 500, Height{1} << 63U, ~Height{0}}) {
    ChainWorld world(behind(0));
    world.add(3, Manner::honest);
    ChainPeer& wild = world.add(Manner::implausible);
    wild.claim = claim;
    world.run(3min);
    EXPECT_EQ(row_of(world, wild).state, "implausible") << claim;
    EXPECT_EQ(world.status().best_height, kTip);
    EXPECT_EQ(world.status().lag_blocks, 0U);
    EXPECT_EQ(world.node().count(EventKind::lag_high), 0U);
    EXPECT_EQ(world.node().count(EventKind::sync_started), 0U);
    EXPECT_EQ(world.node().block_questions[wild.ip], 0U);
  }
  ChainWorld world(behind(0));  // the control: what is plausible is not
  ChainPeer& one = world.add(Manner::honest);
  world.add(2, Manner::honest);
  world.run(3min);
  EXPECT_NE(row_of(world, one).state, "implausible");
}

TEST(ChainWorld, AMasternodeTwoThousandBehindIsBehindAndWeAreFine) {  // T19
  ChainWorld world(behind(0));
  world.add(3, Manner::honest);
  ChainPeer& late = world.add(Manner::lagging);
  late.lag = 2000;
  world.run(3min);
  EXPECT_EQ(row_of(world, late).state, "behind");
  EXPECT_EQ(row_of(world, late).hash_agrees, true);
  EXPECT_EQ(world.status().lag_blocks, 0U);
  EXPECT_EQ(world.status().activity, SyncActivity::idle);
  EXPECT_EQ(world.node().count(EventKind::fork_seen), 0U);
  EXPECT_EQ(world.status().spread_blocks, 2000U);
}

TEST(ChainWorld, AnotherTipAtTheSameHeightIsAForkFoundWithFewQuestions) {  // T20
  const auto limit = static_cast<std::size_t>(std::bit_width(kTip - 1)) + 3;
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    ChainWorld world(behind(0, seed));
    MadeChain& other = MadeChain::network().branch(kTip - 39, 5);
    world.add(3, Manner::honest);
    ChainPeer& forked = world.add(Manner::fabricating, true, &other);
    world.run(2min);
    const auto forks = world.node().coordinator->open_forks(world.now());
    ASSERT_EQ(forks.size(), 1U) << seed;
    EXPECT_EQ(forks[0].ancestor_height, kTip - 39);
    ASSERT_EQ(forks[0].branches.size(), 2U);
    EXPECT_TRUE(forks[0].branches[0].ours);
    EXPECT_TRUE(forks[0].branches[0].majority);
    EXPECT_EQ(forks[0].branches[1].peers, std::vector{forked.ip});
    for (const auto& [ip, questions] : world.node().hash_questions) {
      EXPECT_LE(questions, limit) << ip.to_string();
    }
    EXPECT_TRUE(world.in_sync());
    EXPECT_EQ(row_of(world, forked).state, "other_branch");
    EXPECT_EQ(world.node().count(EventKind::fork_seen), 0U) << "one of four: shown, not said";
    world.add(Manner::fabricating, true, &other);
    world.run(2min);
    EXPECT_EQ(world.node().count(EventKind::fork_seen), 1U);
  }
}

TEST(ChainWorld, WhereTheWholeNetworkStandsStillWeStandToo) {  // T22
  ChainSetup setup = behind(0);
  setup.behind_clock = 19;
  setup.growing = false;
  ChainWorld world(setup);
  world.add(5, Manner::honest);
  world.run(10min);
  EXPECT_TRUE(world.status().network_stalled);
  EXPECT_EQ(world.status().lag_blocks, 0U);
  EXPECT_EQ(world.status().expected_height, kTip + 20);  // 10 minutes on
  const auto& tally = world.node().checks.tally;
  EXPECT_EQ(tally.asked_blocks, 0U);
  EXPECT_LE(tally.asked_hashes, 5U);
  EXPECT_LE(tally.asked_tips, 5U * 10 * 3 + 5 * 3) << "a poll each 20 s, and one at the start";
  EXPECT_EQ(world.node().count(EventKind::sync_started), 0U);
  EXPECT_TRUE(world.node().accused.empty());
  ChainWorld alive(behind(0));  // the control
  alive.add(5, Manner::honest);
  alive.run(2min);
  EXPECT_FALSE(alive.status().network_stalled);
}

TEST(ChainWorld, TheOnlyMasternodeIsEnoughToSyncFromAndToBelieve) {
  ChainWorld world(behind(500));
  world.add(1, Manner::honest);
  EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 20s);
  world.run(1min);
  EXPECT_EQ(world.status().best_height, kTip);
  EXPECT_EQ(world.status().lag_blocks, 0U);
  ChainWorld strangers(behind(500));  // the control: one that is none is not
  strangers.add(1, Manner::honest, false);
  strangers.run(10min);
  EXPECT_FALSE(strangers.in_sync());
  EXPECT_FALSE(strangers.status().best_height);
}

TEST(ChainWorld, ASlowClockOfOursIsDoubtedAndNobodyIsBlamedForIt) {
  ChainSetup setup = behind(20);
  setup.clock_error = -2h;
  ChainWorld world(setup);
  world.add(5, Manner::honest);
  world.run(20min);
  EXPECT_TRUE(world.status().clock_doubted);
  EXPECT_TRUE(world.node().accused.empty());
  EXPECT_LT(world.node().height(), world.top());
  setup.clock_error = 5s;  // the control: a little is none
  ChainWorld right(setup);
  right.add(5, Manner::honest);
  right.run(20min);
  EXPECT_FALSE(right.status().clock_doubted);
  EXPECT_TRUE(right.near(1));
}

TEST(ChainWorld, NewBlocksAreFollowedWithinTwoPolls) {
  ChainWorld world(behind(0));
  world.add(3, Manner::honest);
  world.add(3, Manner::honest, false);
  for (int block = 0; block < 10; ++block) {
    const Height before = world.top();
    world.run_until([&] { return world.top() > before; }, 601s);
    EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 45s) << block;
  }
  EXPECT_EQ(world.node().count(EventKind::lag_high), 0U);
  EXPECT_EQ(world.node().count(EventKind::fork_seen), 0U);
}

TEST(ChainWorld, PausedInTheMiddleItStopsAndGoesOn) {
  ChainWorld world(behind(3000));
  world.add(3, Manner::honest);
  world.run_until([&] { return world.node().height() > kTip - 2000; }, 1min);
  world.pause(true);
  world.run(30s);  // what came is verified
  const Height stopped = world.node().height();
  const auto asked = world.node().checks.tally.asked_blocks;
  EXPECT_LT(stopped, kTip - 1000);
  world.run(5min);
  EXPECT_EQ(world.node().height(), stopped);
  EXPECT_EQ(world.node().checks.tally.asked_blocks, asked);
  EXPECT_TRUE(world.node().paused);
  world.pause(false);
  EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 30s);
}

TEST(ChainWorld, TheKillSwitchStopsItAtRunTime) {
  ChainSetup setup = behind(3000);
  ChainWorld world(setup);
  world.add(3, Manner::honest);
  world.run_until([&] { return world.node().height() > kTip - 2000; }, 1min);
  setup.policy.plan.enabled = false;
  world.set_policy(setup.policy);
  world.run(30s);
  const Height stopped = world.node().height();
  EXPECT_LT(stopped, kTip - 1000);
  world.run(5min);
  EXPECT_EQ(world.node().height(), stopped);
  EXPECT_EQ(world.status().activity, SyncActivity::disabled);
  EXPECT_EQ(world.status().best_height, kTip) << "what is believed is known all the same";
  setup.policy.plan.enabled = true;
  world.set_policy(setup.policy);
  EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 90s);  // sync.interval
}

TEST(ChainWorld, MasternodesThatAllLeaveAndComeBackCostOnlyTheTimeBetween) {
  ChainWorld world(behind(3000));
  world.add(3, Manner::honest);
  world.run_until([&] { return world.node().height() > kTip - 2000; }, 1min);
  for (auto& peer : world.peers()) world.leave(*peer);
  world.run(5min);
  const Height stopped = world.node().height();
  EXPECT_LT(stopped, kTip);
  EXPECT_EQ(world.status().masternodes, 0U);
  for (auto& peer : world.peers()) world.connect(*peer);
  EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 30s);
}

TEST(ChainWorld, ARestartInTheMiddleGoesOnWhereItWas) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    ChainWorld world(behind(3000, seed));
    world.add(3, Manner::honest);
    for (int i = 0; i < 5; ++i) {
      const Height before = world.node().height();
      world.run(Duration(std::chrono::milliseconds(1200 + world.random().below(1000))));
      world.restart();
      EXPECT_GE(world.node().height(), before);
    }
    EXPECT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 30s) << seed;
    world.node().store.audit();
  }
}

TEST(ChainWorld, WhoIsNoMasternodeAnyMoreVouchesForNothing) {
  ChainWorld world(behind(0));
  world.add(4, Manner::honest);
  world.run(1min);
  EXPECT_EQ(world.status().vouched_by.size(), 4U);
  world.set_masternode(*world.peers()[0], false);
  world.run(1min);
  EXPECT_EQ(world.status().vouched_by.size(), 3U);
  EXPECT_EQ(world.status().masternodes, 3U);
  for (auto& peer : world.peers()) world.set_masternode(*peer, false);
  world.run(1min);
  EXPECT_FALSE(world.status().best_height);
  world.set_masternode(*world.peers()[2], true);
  world.set_masternode(*world.peers()[3], true);
  world.run(1min);
  EXPECT_EQ(world.status().best_height, kTip);
}

TEST(ChainWorld, NodesOfOursServeEachOther) {
  ChainWorld world(behind(0));
  world.add(3, Manner::honest);
  ChainNode& late = world.add_node(kTip - 500);
  world.mirror(0);
  world.mirror(1);
  EXPECT_LT(world.run_until([&] { return late.height() == kTip; }, 1min), 10s);
  world.run(10min);
  EXPECT_EQ(late.height(), world.top());
  EXPECT_EQ(world.node().height(), world.top());
}

TEST(ChainWorld, TheSameSeedIsTheSameRun) {
  const auto trace = [](std::uint64_t seed) {
    ChainWorld world(behind(700, seed));
    world.add(3, Manner::honest);
    world.add(2, Manner::bad);
    world.add(2, Manner::unsteady, false);
    world.run(10min);
    return world.trace();
  };
  EXPECT_EQ(trace(3), trace(3));
  EXPECT_NE(trace(3), trace(4));
}

}  // namespace
}  // namespace timectl::sim
