#include "daemon/chain/sync_plan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "tests/chain/toy_plan.h"

namespace timectl::chain {
namespace {

TEST(SyncPlan, MoreThanTheThresholdBehindStartsASyncAndLessWaitsForThePoll) {
  for (Height ahead = 0; ahead <= 8; ++ahead) {
    Plan p;
    p.run(1s);  // the first poll and pass are over
    p.claim(masternode(1), 100 + ahead);
    p.run(14s);
    EXPECT_EQ(p.plan.phase() == SyncPhase::syncing, ahead > 5) << ahead;
    EXPECT_EQ(p.asked.empty(), ahead <= 5) << ahead;
    if (ahead <= 5) p.run(5s);  // the poll of 20 s
    EXPECT_EQ(p.asked.empty(), ahead == 0) << ahead;
    p.finish();
    EXPECT_EQ(p.plan.height(), 100 + ahead);
    EXPECT_EQ(p.plan.phase(), SyncPhase::idle);
    EXPECT_EQ(p.news.size(), ahead > 5 ? 2U : 0U);
  }
}

TEST(SyncPlan, TipsArePolledEveryTwentySecondsAlsoWhilePausedOrSwitchedOff) {
  for (const int kind : {0, 1, 2}) {
    PlanPolicy policy;
    policy.enabled = kind != 1;
    Plan p(100, policy);
    if (kind == 2) p.plan.on_paused(true, p.now);
    p.claim(masternode(1), 500);
    p.run(10min);
    EXPECT_EQ(p.polls, 31);
    EXPECT_EQ(p.asked.empty(), kind != 0);
  }
}

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

TEST(SyncPlan, FewerThanTheLoopDetectorCountsAreAskedNearTheSameHeight) {  // protocol 7.12
  PlanPolicy policy;
  policy.empty_wait = 0s;
  policy.empty_answers = 1000;
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

TEST(SyncPlan, EmptyAnswersWaitAndThePeerIsLeftAfterThree) {  // FT-P31
  Plan p;
  p.claim(masternode(1), 200);
  p.run(0s);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(p.asked.size(), 1U) << i;
    EXPECT_EQ(p.serve(std::exchange(p.asked, {})[0].peer, {}), Use::ignore);
    p.run(5s - 1us);
    EXPECT_TRUE(p.asked.empty());
    p.run(1us);
  }
  ASSERT_EQ(p.drops.size(), 1U);
  EXPECT_EQ(p.drops[0].reason, DropReason::empty);
  EXPECT_TRUE(p.asked.empty());
  p.run(1min);
  EXPECT_FALSE(p.asked.empty());  // another chance, and less of it each time
}

TEST(SyncPlan, ShortAnswersAreUsedAndTheRestIsAskedForAnew) {  // FT-P31
  Plan p;
  p.claim(masternode(1), 200);
  p.run(0s);
  p.asked.clear();
  EXPECT_EQ(p.serve(masternode(1), {101, 102, 103}), Use::keep);
  ASSERT_EQ(p.asked.size(), 1U);
  EXPECT_EQ(p.asked[0].first, 104U);
  ASSERT_EQ(p.to_verify.size(), 1U);
  EXPECT_EQ(p.to_verify[0].last, 103U);
  p.finish();
  EXPECT_EQ(p.plan.height(), 200U);
}

TEST(SyncPlan, WrongRangesAreLeftAtOnce) {  // FT-P29
  std::vector<Height> too_many(51);
  std::iota(too_many.begin(), too_many.end(), 101);
  for (const auto& heights : std::vector<std::vector<Height>>{{102, 103},
                                                              {100, 101},
                                                              {103, 102, 101},
                                                              {101, 101},
                                                              {101, 103},
                                                              {~Height{0}},
                                                              too_many}) {
    Plan p;
    p.claim(masternode(1), 200);
    p.run(0s);
    EXPECT_EQ(p.serve(masternode(1), heights), Use::ignore);
    ASSERT_EQ(p.drops.size(), 1U);
    EXPECT_EQ(p.drops[0].reason, DropReason::wrong_range);
    EXPECT_EQ(p.plan.buffered_blocks(), 0U);
    EXPECT_EQ(p.plan.dropped(masternode(1)), DropReason::wrong_range);
  }
}

TEST(SyncPlan, BlocksThatNobodyAskedForChangeNothing) {  // FT-P29
  Plan p;
  p.claim(masternode(1), 200);
  p.claim(masternode(2), 100);
  EXPECT_EQ(p.serve(masternode(2), {101, 102}), Use::ignore);
  EXPECT_EQ(p.serve(regular(9), {101, 102}), Use::ignore);
  p.run(0s);
  const auto asked = p.asked;
  EXPECT_EQ(p.answer(asked[0]), Use::keep);
  EXPECT_EQ(p.serve(masternode(2), {101, 102}), Use::ignore);
  EXPECT_TRUE(p.drops.empty());
  EXPECT_EQ(p.plan.buffered_blocks(), 50U);
}

TEST(SyncPlan, StalledPeerIsReplacedAfterFifteenSecondsAndItsLateAnswerIsIgnored) {  // FT-P31
  PlanPolicy policy;
  policy.peers_at_once = 1;
  Plan p(100, policy);
  p.claim(masternode(1), 150);
  p.claim(masternode(2), 150);
  p.run(15s - 1us);
  ASSERT_EQ(p.asked.size(), 1U);
  const auto first = p.asked[0];
  p.run(1us);
  ASSERT_EQ(p.asked.size(), 2U);
  EXPECT_NE(p.asked[1].peer, first.peer);
  EXPECT_EQ(p.asked[1].first, first.first);
  EXPECT_EQ(p.answer(first), Use::ignore);
  EXPECT_EQ(p.plan.buffered_blocks(), 0U);
}

TEST(SyncPlan, ChunksOfOthersAreKeptWhileTheFirstOneIsFetchedAgain) {  // FT-P31
  Plan p;
  for (std::size_t n = 1; n <= 4; ++n) p.claim(masternode(n), 300);
  p.run(0s);
  ASSERT_EQ(p.asked.size(), 4U);
  const auto asked = std::exchange(p.asked, {});
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(p.answer(asked[i]), Use::keep);
  EXPECT_TRUE(p.to_verify.empty());
  p.run(15s);
  ASSERT_EQ(p.asked.size(), 1U);
  EXPECT_EQ(p.asked[0].first, 101U);
  EXPECT_TRUE(p.discards.empty());
  p.finish();
  EXPECT_EQ(p.plan.height(), 300U);
}

TEST(SyncPlan, PeerThatServesABadBlockIsLeftAndWhatElseItServedGoes) {
  Plan p;
  p.claim(masternode(1), 400);
  p.claim(masternode(2), 400);
  p.run(0s);
  ASSERT_EQ(p.asked.size(), 2U);
  const auto bad = p.asked[0];
  p.answer(bad);
  ASSERT_EQ(p.to_verify.size(), 1U);
  p.plan.on_verified(bad.first + 9, p.now);
  p.plan.on_bad(bad.first + 10, DropReason::bad_block, p.now);
  p.take();
  EXPECT_EQ(p.plan.height(), bad.first + 9);
  ASSERT_EQ(p.drops.size(), 1U);
  EXPECT_EQ(p.drops[0].peer, bad.peer);
  EXPECT_EQ(p.drops[0].length, 1h);
  EXPECT_EQ(p.plan.buffered_blocks(), 0U);
  EXPECT_EQ(p.discards.size(), 1U);
  // Reconnecting does not bring it back before its time.
  p.plan.on_left(bad.peer, p.now);
  p.claim(bad.peer, 400);
  EXPECT_EQ(p.plan.dropped(bad.peer), DropReason::bad_block);
  p.to_verify.clear();
  p.asked.erase(p.asked.begin());
  p.finish();
  EXPECT_EQ(p.plan.height(), 400U);
}

TEST(SyncPlan, PeerOnAnotherBranchWaitsForTheSearchAndComesBackWhenItIsSettled) {
  Plan p;
  p.claim(masternode(1), 120);
  p.run(0s);
  p.answer(std::exchange(p.asked, {})[0]);
  p.plan.on_bad(101, DropReason::other_branch, p.now);
  p.take();
  ASSERT_EQ(p.drops.size(), 1U);
  EXPECT_EQ(p.drops[0].reason, DropReason::other_branch);
  p.run(1min);
  EXPECT_TRUE(p.asked.empty());
  p.plan.on_chain(90, p.now);  // its branch was taken
  p.plan.on_fork_settled(masternode(1), p.now);
  p.take();
  ASSERT_EQ(p.asked.size(), 1U);
  EXPECT_EQ(p.asked[0].first, 91U);
}

TEST(SyncPlan, PauseStopsRequestsAndVerifiesWhatCame) {
  Plan p;
  p.claim(masternode(1), 500);
  p.run(0s);
  p.plan.on_paused(true, p.now);
  p.answer(std::exchange(p.asked, {})[0]);
  ASSERT_EQ(p.to_verify.size(), 1U);
  p.plan.on_verified(150, p.now);
  p.run(10min);
  EXPECT_TRUE(p.asked.empty());
  EXPECT_EQ(p.news, std::vector<SyncNews>{SyncNews::started});  // a pause is no stall
  p.plan.on_paused(false, p.now);
  p.take();
  EXPECT_EQ(p.asked.size(), 1U);
}

TEST(SyncPlan, TheKillSwitchDropsEverythingAndThePassStartsAnew) {
  PlanPolicy policy;
  Plan p(100, policy);
  p.claim(masternode(1), 500);
  p.claim(masternode(2), 500);
  p.run(0s);
  const auto asked = std::exchange(p.asked, {});
  p.answer(asked[1]);
  policy.enabled = false;
  p.plan.set_policy(policy, p.now);
  p.take();
  EXPECT_EQ(p.plan.phase(), SyncPhase::idle);
  EXPECT_EQ(p.plan.buffered_blocks(), 0U);
  EXPECT_EQ(p.discards.size(), 1U);
  p.asked.clear();
  EXPECT_EQ(p.answer(asked[0]), Use::ignore);
  p.run(5min);
  EXPECT_TRUE(p.asked.empty());
  policy.enabled = true;
  p.plan.set_policy(policy, p.now);
  p.run(60s);
  EXPECT_FALSE(p.asked.empty());
}

TEST(SyncPlan, StallIsSaidOnceUntilThereIsProgress) {
  Plan p;
  p.claim(masternode(1), 500);
  p.run(10min);
  EXPECT_EQ(p.news, (std::vector<SyncNews>{SyncNews::started, SyncNews::stalled}));
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

TEST(SyncPlan, T22NetworkThatStandsGetsPollsAndNothingElse) {
  Plan p(4981);
  for (std::size_t n = 1; n <= 4; ++n) p.claim(masternode(n), 4981);
  p.run(10min);
  EXPECT_TRUE(p.asked.empty());
  EXPECT_TRUE(p.drops.empty());
  EXPECT_TRUE(p.news.empty());
  EXPECT_EQ(p.polls, 31);
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
