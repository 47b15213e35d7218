// SyncPlan among peers that behave in every way (toy_network.h checks each command).
#include <gtest/gtest.h>

#include "daemon/chain/sync_plan.h"
#include "tests/chain/toy_network.h"

namespace timectl::chain {
namespace {

// One honest masternode among peers of one kind: the sync ends at the honest tip.
TEST(SyncPlanNetwork, OneHonestMasternodeIsEnoughAmongFiveOfAnyKind) {
  for (std::size_t manner = 0; manner < kManners; ++manner) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      ToyNetwork network(seed, 100, 2100);
      network.add(Manner::honest, true);
      for (int i = 0; i < 5; ++i) network.add(static_cast<Manner>(manner), true);
      for (int i = 0; i < 3; ++i) network.add(static_cast<Manner>(manner), false);
      network.run(10min);
      ASSERT_TRUE(network.done()) << manner << " " << seed << " " << network.plan.height();
      ASSERT_LE(network.requests, 500U) << manner << " " << seed;
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(SyncPlanNetwork, RandomNetworksEndAtTheHonestTipWithBoundedRequestsAndMemory) {
  std::size_t most_requests = 0;
  Duration longest{};
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    ToyNetwork network(seed, random.below(500), 1500 + random.below(2000));
    network.add(Manner::honest, true);
    const std::size_t others = random.below(25);
    for (std::size_t i = 0; i < others; ++i) {
      network.add(static_cast<Manner>(random.below(kManners)), random.below(3) != 0);
    }
    network.run(20min);
    ASSERT_TRUE(network.done()) << seed << " " << network.plan.height();
    most_requests = std::max(most_requests, network.requests);
    longest = std::max(longest, network.took());
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_LE(most_requests, 1000U);
  EXPECT_LE(longest, 10min);
  RecordProperty("most_requests", static_cast<int>(most_requests));
  RecordProperty("longest_seconds", static_cast<int>(seconds(longest)));
}

// The control: with nobody honest the tip is not reached, so the tests above could fail.
TEST(SyncPlanNetwork, WithoutAnHonestPeerTheTipIsNotReached) {
  for (const auto manner : {Manner::stalling, Manner::empty, Manner::wrong, Manner::forked}) {
    ToyNetwork network(1, 100, 1100);
    for (int i = 0; i < 5; ++i) network.add(manner, true);
    network.run(10min);
    EXPECT_FALSE(network.done());
    EXPECT_EQ(network.plan.height(), 100U);
    EXPECT_LE(network.requests, 100U);  // and nobody is hammered
  }
}

TEST(SyncPlanNetwork, RegularPeersServeWhereTheMasternodesDoNot) {
  ToyNetwork network(1, 100, 1100);
  for (int i = 0; i < 3; ++i) network.add(Manner::stalling, true);
  network.add(Manner::honest, false);
  network.run(5min);
  EXPECT_TRUE(network.done());
}

TEST(SyncPlanNetwork, FiveHundredBlocksFromThreeMasternodesTakeSeconds) {  // T18
  ToyNetwork network(1, 4500, 5000);
  for (int i = 0; i < 3; ++i) network.add(Manner::honest, true);
  network.run(5min);
  EXPECT_TRUE(network.done());
  EXPECT_LE(network.took(), 10s);
  EXPECT_EQ(network.requests, 10U);
  EXPECT_TRUE(network.drops.empty());
}

TEST(SyncPlanNetwork, TheSameSeedAsksTheSamePeersInTheSameOrder) {
  const auto run = [](std::uint64_t seed) {
    ToyNetwork network(seed, 100, 2100);
    for (std::size_t i = 0; i < kManners; ++i) network.add(static_cast<Manner>(i), true);
    network.run(10min);
    return network.asked_ever;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

// A minute of a small buffer: the memory is bounded by what the policy says, not by luck.
TEST(SyncPlanNetwork, SmallBuffersAreKeptToAndStillEndAtTheTip) {
  PlanPolicy policy;
  policy.buffer_blocks = 60;
  policy.buffer_bytes = 8'388'608;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    ToyNetwork network(seed, 100, 1100, policy);
    for (std::size_t i = 0; i < 4; ++i) network.add(Manner::honest, true);
    network.add(Manner::half, true);
    network.add(Manner::shorting, true);
    network.run(20min);
    ASSERT_TRUE(network.done()) << seed;
    ASSERT_LE(network.most_held, 60U);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace timectl::chain
