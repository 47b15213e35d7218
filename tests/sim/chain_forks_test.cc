// Forks in the simulation: a network in two halves that follow two branches, and its healing.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/chain_world.h"

namespace timectl::sim {
namespace {

constexpr Height kTip = 5000;

// A heal: the losers' masternodes go over to the network's chain, each at its own moment. World
// time goes on meanwhile.
void heal(ChainWorld& world, MadeChain& lost) {
  for (auto& peer : world.peers()) {
    if (peer->chain != &lost) continue;
    world.run(Duration(std::chrono::milliseconds(world.random().below(3000))));
    world.follow(*peer, MadeChain::network());
  }
}

struct Halves {
  Height blocks = 10;       // since the partition, on the branch that loses
  Height ahead = 1;         // of the other one
  std::size_t winners = 5;  // masternodes
  std::size_t losers = 2;
  bool ours_loses = true;  // we were on the losing branch
  Height missing = 0;      // and so many blocks behind on it
  std::uint64_t seed = 1;
};

// As it is at the heal: the winners become visible to us.
struct Split {
  explicit Split(const Halves& halves) {
    ChainSetup setup;
    setup.seed = halves.seed;
    ancestor = kTip - halves.blocks - halves.ahead;
    setup.tip = kTip;
    lost = &MadeChain::network().branch(ancestor, 7);
    setup.own_chain = halves.ours_loses ? lost : &MadeChain::network();
    setup.own = (halves.ours_loses ? ancestor + halves.blocks : kTip) - halves.missing;
    world = std::make_unique<ChainWorld>(setup);
    static_cast<void>(world->split(ancestor, ancestor + halves.blocks));
    world->add(halves.ours_loses ? halves.losers : halves.winners, Manner::honest, true,
               setup.own_chain);
    other = halves.ours_loses ? &MadeChain::network() : lost;
    others = halves.ours_loses ? halves.winners : halves.losers;
  }
  void join() { world->add(others, Manner::honest, true, other); }

  Height ancestor = 0;
  MadeChain* lost = nullptr;
  MadeChain* other = nullptr;
  std::size_t others = 0;
  std::unique_ptr<ChainWorld> world;
};

TEST(ChainForks, OnTheLosingBranchWeGoOverWithinAMinuteWhateverItsLength) {
  Duration longest{};
  for (Height blocks = 1; blocks <= 100; blocks += blocks < 5 ? 1 : 19) {
    for (std::uint64_t seed = 1; seed <= seeds(3); ++seed) {
      SCOPED_TRACE(std::to_string(blocks) + " blocks, seed " + std::to_string(seed));
      Split split({.blocks = blocks, .seed = seed});
      ChainWorld& world = *split.world;
      world.run(1min);
      ASSERT_TRUE(world.on(*split.lost, split.ancestor + blocks));
      split.join();
      heal(world, *split.lost);
      const Duration took = world.run_until([&] { return world.in_sync(); }, 5min);
      ASSERT_LT(took, 1min);
      longest = std::max(longest, took);
      world.run(2min);
      // A search in the middle of a heal may find another place, too: the peer changes under it.
      const ForkView* fork = nullptr;
      for (const ForkView& one : world.node().forks) {
        EXPECT_TRUE(one.resolved_at);
        EXPECT_FALSE(one.resolution.empty());
        if (one.ancestor_height == split.ancestor) fork = &one;
      }
      ASSERT_NE(fork, nullptr);
      EXPECT_GE(fork->branches.size(), 2U);
      EXPECT_GE(world.node().count(EventKind::fork_seen), 1U);
      EXPECT_GE(world.node().count(EventKind::fork_resolved), 1U);
      EXPECT_TRUE(world.node().coordinator->open_forks(world.now()).empty());
      EXPECT_EQ(world.node().checks.tally.deepest, blocks);
      EXPECT_TRUE(world.node().accused.empty());
      world.node().store.audit();
    }
  }
  RecordProperty("longest_ms", static_cast<int>(longest.count() / 1000));
}

TEST(ChainForks, AForkIsSaidWhenItIsKnownWhoIsOnWhichBranch) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    Split split({.blocks = 10, .seed = seed});
    ChainWorld& world = *split.world;
    world.run(1min);
    split.join();
    world.run_until([&] { return world.node().count(EventKind::fork_seen) > 0; }, 1min);
    const auto& events = world.node().events;
    const auto seen = std::find_if(events.begin(), events.end(), [](const Event& event) {
      return event.kind == EventKind::fork_seen;
    });
    ASSERT_NE(seen, events.end()) << seed;
    EXPECT_GE(seen->detail[0], '3') << seed << ": " << seen->detail << " (5 are)";
  }
}

// The control, and the limit: one block more is the operator's.
TEST(ChainForks, ALosingBranchOfMoreThanOneHundredBlocksIsLeftToTheOperator) {
  for (const Height blocks : {Height{101}, Height{120}}) {
    Split split({.blocks = blocks});
    split.world->run(1min);
    split.join();
    heal(*split.world, *split.lost);
    split.world->run(5min);
    EXPECT_TRUE(split.world->on(*split.lost, split.ancestor + blocks));
    const auto open = split.world->node().coordinator->open_forks(split.world->now());
    ASSERT_EQ(open.size(), 1U);
    EXPECT_TRUE(open[0].needs_consent);
    ASSERT_TRUE(split.world->accept_fork());
    EXPECT_LT(split.world->run_until([&] { return split.world->in_sync(); }, 5min), 1min);
  }
}

TEST(ChainForks, OnTheWinningBranchNothingMoves) {
  for (std::uint64_t seed = 1; seed <= seeds(5); ++seed) {
    Split split({.blocks = 30, .ours_loses = false, .seed = seed});
    ChainWorld& world = *split.world;
    world.run(1min);
    split.join();
    world.run(2min);  // the fork is seen
    const auto open = world.node().coordinator->open_forks(world.now());
    ASSERT_EQ(open.size(), 1U) << seed;
    EXPECT_TRUE(open[0].branches.at(0).ours);
    EXPECT_TRUE(open[0].branches.at(0).majority);
    EXPECT_EQ(open[0].branches.at(1).peers.size(), 2U);
    heal(world, *split.lost);
    world.run(2min);
    EXPECT_TRUE(world.in_sync());
    EXPECT_EQ(world.node().checks.tally.reorganisations, 0U);
    EXPECT_TRUE(world.node().coordinator->open_forks(world.now()).empty()) << seed;
    EXPECT_TRUE(world.node().forks.back().resolved_at);
    EXPECT_EQ(world.status().lag_blocks, 0U);
  }
}

TEST(ChainForks, InTheMiddleOfASyncOnTheLosingBranchWeStillEndOnTheOther) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    Split split({.blocks = 60, .missing = 2000, .seed = seed});
    ChainWorld& world = *split.world;
    world.run(Duration(std::chrono::milliseconds(1000 + world.random().below(8000))));
    split.join();
    world.run(Duration(std::chrono::milliseconds(world.random().below(5000))));
    heal(world, *split.lost);
    ASSERT_LT(world.run_until([&] { return world.in_sync(); }, 10min), 2min) << seed;
    world.run(3min);
    EXPECT_TRUE(world.node().coordinator->open_forks(world.now()).empty()) << seed;
    world.node().store.audit();
  }
}

// Before the heal, with both halves in view: the majority wins, also where it is shorter.
TEST(ChainForks, AMinoritysLongerBranchDoesNotWin) {
  Split split({.blocks = 30, .ahead = 0, .winners = 5, .losers = 2, .ours_loses = false});
  ChainWorld& world = *split.world;
  split.join();
  for (auto& peer : world.peers()) {
    if (peer->chain == split.lost) peer->height += 1;
  }
  world.run(30min);
  EXPECT_TRUE(world.in_sync());
  EXPECT_EQ(world.node().checks.tally.reorganisations, 0U);
}

TEST(ChainForks, APartitionThatIsLivedThroughEndsAsItShould) {
  for (std::uint64_t seed = 1; seed <= seeds(3); ++seed) {
    ChainSetup setup;
    setup.seed = seed;
    setup.tip = setup.own = kTip;
    ChainWorld world(setup);
    world.add(7, Manner::honest);
    world.run(5min);
    MadeChain& lost = world.split(kTip, kTip, 40 + seed);
    for (std::size_t i = 0; i < world.peers().size(); ++i) {
      ChainPeer& peer = *world.peers()[i];
      if (i < 2) world.follow(peer, lost);
      if (i >= 2) world.leave(peer);
    }
    world.run(5h);  // thirty blocks
    const Height ours = world.node().height();
    EXPECT_GE(ours, kTip + 28);
    EXPECT_TRUE(world.on(lost, ours)) << "with two masternodes left, theirs is the chain";
    for (auto& peer : world.peers()) world.connect(*peer);
    world.run(Duration(std::chrono::milliseconds(world.random().below(30'000))));
    heal(world, lost);
    ASSERT_LT(world.run_until([&] { return world.in_sync(); }, 5min), 1min) << seed;
    world.run(20min);
    EXPECT_TRUE(world.run_until([&] { return world.in_sync(); }, 1min) < 1min);
    EXPECT_TRUE(world.node().coordinator->open_forks(world.now()).empty());
    world.node().store.audit();
  }
}

TEST(ChainForks, ARestartInTheMiddleOfAReorganisationLosesNothing) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    Split split({.blocks = 90, .seed = seed});
    ChainWorld& world = *split.world;
    split.join();
    heal(world, *split.lost);
    for (int i = 0; i < 4; ++i) {
      world.run(Duration(std::chrono::milliseconds(500 + world.random().below(3000))));
      world.restart();
    }
    ASSERT_LT(world.run_until([&] { return world.in_sync(); }, 10min), 2min) << seed;
    world.node().store.audit();
  }
}

// Both halves as large as each other: nobody has a majority, and we stay where we are.
TEST(ChainForks, WithoutAMajorityWeStayAndSayThatThereIsNone) {
  Split split({.blocks = 20, .ahead = 0, .winners = 3, .losers = 3});
  ChainWorld& world = *split.world;
  split.join();
  world.run(20min);
  EXPECT_FALSE(world.in_sync());
  EXPECT_EQ(world.node().checks.tally.reorganisations, 0U);
  const auto open = world.node().coordinator->open_forks(world.now());
  ASSERT_EQ(open.size(), 1U);
  for (const auto& branch : open[0].branches) EXPECT_FALSE(branch.majority);
}

}  // namespace
}  // namespace timectl::sim
