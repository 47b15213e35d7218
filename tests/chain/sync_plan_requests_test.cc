// Whom SyncPlan asks for which heights, and the limits of that.
#include "daemon/chain/sync_plan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "tests/chain/toy_plan.h"

namespace timectl::chain {
namespace {

TEST(SyncPlan, BatchesOfFiftyOneAPeerEightPeersAtOnceNoneTwice) {
  Plan p(0);
  for (std::size_t n = 1; n <= 20; ++n) p.claim(masternode(n), 5000);
  p.run(0s);
  ASSERT_EQ(p.asked.size(), 8U);
  std::set<IpAddress> peers;
  Height next = 1;
  for (const auto& one : p.asked) {
    EXPECT_EQ(one.first, next);
    EXPECT_EQ(one.last, next + 49);
    next += 50;
    EXPECT_TRUE(peers.insert(one.peer).second);
  }
  p.finish();
  EXPECT_EQ(p.plan.height(), 5000U);
  EXPECT_EQ(p.news, (std::vector<SyncNews>{SyncNews::started, SyncNews::ended}));
}

TEST(SyncPlan, RegularPeersAreAskedOnlyWhileNoMasternodeIsAhead) {
  Plan p;
  p.claim(regular(1), 900);
  p.claim(masternode(1), 150);
  p.run(0s);
  ASSERT_EQ(p.asked, (std::vector<Asked>{{masternode(1), 101, 150}}));
  EXPECT_EQ(p.plan.target(), 150U);
  p.run(15s);  // it does not answer: it is left alone, and then the regular one will do
  ASSERT_EQ(p.drops.size(), 1U);
  EXPECT_EQ(p.drops[0].reason, DropReason::stalled);
  ASSERT_EQ(p.asked.size(), 2U);
  EXPECT_EQ(p.asked[1].peer, regular(1));
}

// T22 with a stranger: what three masternodes stand at is not left for a chain that he made up.
TEST(SyncPlan, RegularPeersAreNotFollowedBeyondThreeMasternodesThatStand) {
  for (std::size_t masternodes = 0; masternodes <= 4; ++masternodes) {
    Plan p;
    for (std::size_t n = 1; n <= masternodes; ++n) p.claim(masternode(n), 100);
    p.claim(regular(1), 119);
    p.run(10min);
    EXPECT_EQ(p.asked.empty(), masternodes >= 3) << masternodes;
  }
}

TEST(SyncPlan, TheHighestMasternodeComesFirstThenTheFastest) {
  PlanPolicy policy;
  policy.peers_at_once = 1;
  Plan p(100, policy);
  p.claim(masternode(1), 120);
  p.claim(masternode(2), 130);
  p.claim(masternode(3), 110);
  p.run(0s);
  ASSERT_EQ(p.asked.size(), 1U);
  EXPECT_EQ(p.asked[0].peer, masternode(2));
}

TEST(SyncPlan, OfTheSameReachThoseInGoodHealthComeFirst) {
  PlanPolicy policy;
  policy.peers_at_once = 1;
  for (const bool poorly : {false, true}) {
    std::set<IpAddress> first;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      Plan p(100, policy, seed);
      p.plan.set_poorly([&](const IpAddress& ip) { return poorly && ip == masternode(2); });
      p.claim(masternode(1), 130);
      p.claim(masternode(2), 130);
      p.run(0s);
      ASSERT_EQ(p.asked.size(), 1U);
      first.insert(p.asked[0].peer);
    }
    EXPECT_EQ(first.contains(masternode(2)), !poorly) << "else the lot decides";
    EXPECT_TRUE(first.contains(masternode(1)));
  }
}

TEST(SyncPlan, NobodyIsAskedAboveItsClaim) {
  Plan p;
  p.claim(masternode(1), 120);
  p.claim(masternode(2), 300);
  p.run(0s);
  for (const auto& one : p.asked) {
    EXPECT_LE(one.last, one.peer == masternode(1) ? 120U : 300U);
  }
  p.finish();
  EXPECT_EQ(p.plan.height(), 300U);
}

TEST(SyncPlan, TheLimitOfRequestsIsKeptWithAPeerThatAnswersAtOnce) {
  Plan p(0);
  p.claim(masternode(1), 100'000);
  p.run(0s);
  p.finish();
  EXPECT_EQ(p.plan.height(), 2000U);  // 40 batches, then the window is full
  p.run(10s - 1us);
  EXPECT_TRUE(p.asked.empty());
  p.run(1us);
  EXPECT_EQ(p.asked.size(), 1U);
}

// The session would not send it, and its silence would be held against the peer.
TEST(SyncPlan, TheSameRangeIsNotAskedOfTheSamePeerAgainWithinTwoSeconds) {
  for (const Height top : {Height{150}, Height{101}}) {
    SCOPED_TRACE(top);
    PlanPolicy policy;
    policy.threshold = 0;
    Plan p(100, policy);
    p.claim(masternode(1), top);
    p.run(0s);
    const Asked first{masternode(1), 101, top};
    ASSERT_EQ(p.asked, std::vector<Asked>{first});
    p.plan.on_chain(100, p.now);  // it begins anew, as where a branch is followed
    EXPECT_EQ(p.answer(first), Use::ignore);
    p.run(2s);
    if (top > 101) {  // a block less is another range
      ASSERT_EQ(p.asked.size(), 2U);
      EXPECT_EQ(p.asked[1], (Asked{masternode(1), 101, top - 1}));
      continue;
    }
    EXPECT_EQ(p.asked.size(), 1U);
    p.run(1s);
    ASSERT_EQ(p.asked.size(), 2U);
    EXPECT_EQ(p.asked[1], first);
    EXPECT_TRUE(p.drops.empty());
  }
}

TEST(SyncPlan, FewerThanTheLoopDetectorCountsAreAskedNearTheSameHeight) {  // protocol 7.12
  PlanPolicy policy;
  policy.empty_wait = 0s;
  policy.empty_answers = 1000;
  policy.repeat_after = 0s;
  Plan p(100, policy);
  p.claim(masternode(1), 200);
  p.run(0s);
  std::size_t count = 0;
  for (int i = 0; i < 100 && !p.asked.empty(); ++i) {
    for (const auto& one : std::exchange(p.asked, {})) {
      ++count;
      p.serve(one.peer, {});
    }
  }
  EXPECT_EQ(count, 15U);
  p.run(30s - 1us);
  EXPECT_TRUE(p.asked.empty());
  p.run(1us);
  EXPECT_FALSE(p.asked.empty());
}

TEST(SyncPlan, FarSlowerPeerIsLeftAndTheOnlyOneNever) {  // FT-P31
  for (const bool alone : {false, true}) {
    Plan p;
    p.claim(masternode(1), 400);
    if (!alone) p.claim(masternode(2), 400);
    p.run(0s);
    const auto asked = std::exchange(p.asked, {});
    p.now += 500ms;
    if (!alone) p.answer(asked[1]);
    p.now += 9s;
    EXPECT_EQ(p.answer(asked[0]), Use::keep);  // what it gave is good all the same
    ASSERT_EQ(p.drops.size(), alone ? 0U : 1U);
    if (!alone) {
      EXPECT_EQ(p.drops[0].reason, DropReason::slow);
    }
  }
}

TEST(SyncPlan, LargeBlocksAreAskedForInFewerAndTheLimitOfBytesHolds) {  // FT-P34
  Plan p(0);
  for (std::size_t n = 1; n <= 8; ++n) p.claim(masternode(n), 1000);
  p.run(0s);
  const auto asked = std::exchange(p.asked, {});
  std::size_t kept = 0;
  for (auto at = asked.rbegin(); at != asked.rend(); ++at) {
    std::vector<Height> four(4);
    std::iota(four.begin(), four.end(), at->first);
    if (p.serve(at->peer, four, 8'000'000) == Use::keep) ++kept;
    ASSERT_LE(p.plan.buffered_bytes(), PlanPolicy{}.buffer_bytes);
  }
  EXPECT_GE(kept, 4U);
  ASSERT_FALSE(p.to_verify.empty());  // the first in order had its place
  for (const auto& one : p.asked) EXPECT_LE(one.last - one.first + 1, 4U);
}

TEST(SyncPlan, RowsOfPeersThatLeftAreBoundedAndMakeRoomForConnectedOnes) {
  PlanPolicy policy;
  policy.max_sources = 20;
  Plan p(100, policy);
  for (std::size_t n = 1; n <= 200; ++n) {
    p.claim(regular(n), 200);
    p.run(0s);
    for (const auto& one : std::exchange(p.asked, {})) p.serve(one.peer, {7});
    p.plan.on_left(regular(n), p.now);
    p.take();
    ASSERT_LE(p.plan.sources(), 20U);
  }
  EXPECT_EQ(p.plan.sources(), 20U);
  p.claim(masternode(1), 200);
  p.run(5s);
  EXPECT_EQ(p.asked.size(), 1U);
}

}  // namespace
}  // namespace timectl::chain
