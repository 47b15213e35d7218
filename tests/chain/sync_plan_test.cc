#include "daemon/chain/sync_plan.h"

#include <gtest/gtest.h>

#include <numeric>

#include "daemon/core/random.h"
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

TEST(SyncPlan, WhatALiarServedBeforeGoesWithItAndNoSettledForkBringsItBack) {
  Plan p;
  p.claim(masternode(1), 400);
  p.claim(masternode(2), 400);
  p.run(0s);
  const auto first = p.asked[0];
  p.asked.erase(p.asked.begin());
  p.answer(first);
  ASSERT_EQ(p.asked.size(), 2U);  // the same peer has its next range, behind the other's
  EXPECT_EQ(p.answer(p.asked[1]), Use::keep);
  EXPECT_EQ(p.plan.buffered_blocks(), 100U);
  p.plan.on_bad(first.first, DropReason::bad_block, p.now);
  p.take();
  EXPECT_EQ(p.plan.buffered_blocks(), 0U);
  EXPECT_EQ(p.discards.size(), 2U);
  p.plan.on_fork_settled(first.peer, p.now);
  EXPECT_EQ(p.plan.dropped(first.peer), DropReason::bad_block);
}

TEST(SyncPlan, PeerThatServedABadBlockAndLeftIsStillLeftAlone) {
  Plan p;
  p.claim(masternode(1), 400);
  p.run(0s);
  p.answer(std::exchange(p.asked, {})[0]);
  p.plan.on_left(masternode(1), p.now);
  p.asked.clear();
  p.now += 1min;  // nothing else is known of it any more
  p.plan.on_left(masternode(1), p.now);
  EXPECT_EQ(p.plan.sources(), 0U);
  p.plan.on_bad(101, DropReason::bad_block, p.now);
  p.take();
  p.claim(masternode(1), 400);
  p.run(1min);
  EXPECT_EQ(p.plan.dropped(masternode(1)), DropReason::bad_block);
  EXPECT_TRUE(p.asked.empty());
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

TEST(SyncPlan, T22NetworkThatStandsGetsPollsAndNothingElse) {
  Plan p(4981);
  for (std::size_t n = 1; n <= 4; ++n) p.claim(masternode(n), 4981);
  p.run(10min);
  EXPECT_TRUE(p.asked.empty());
  EXPECT_TRUE(p.drops.empty());
  EXPECT_TRUE(p.news.empty());
  EXPECT_EQ(p.polls, 31);
}

// Events in any order, from a shell that tells nonsense: the promises about memory and requests
// hold, and nothing is out of bounds (ASan, UBSan).
TEST(SyncPlan, AnyOrderOfEventsKeepsTheLimits) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Plan p(random.below(300), {}, seed);
    for (int step = 0; step < 400; ++step) {
      const auto ip = random.below(3) == 0 ? regular(random.below(6)) : masternode(random.below(9));
      const Height near = p.plan.height() + random.below(200);
      const Height height = random.below(20) == 0 ? ~Height{0} - random.below(2) : near;
      p.now += Duration(random.below(3'000'000));
      switch (random.below(12)) {
        case 0:
          p.plan.on_source(ip, height, p.now);
          break;
        case 1:
          p.plan.on_source(ip, std::nullopt, p.now);
          break;
        case 2:
          p.plan.on_left(ip, p.now);
          break;
        case 3:
          p.plan.on_hint(p.now);
          break;
        case 4:
          p.serve(ip, {height, height + 1}, random.below(9'000'000));
          break;
        case 5:
          p.plan.on_verified(height, p.now);
          break;
        case 6:
          p.plan.on_bad(height, DropReason::bad_block, p.now);
          break;
        case 7:
          p.plan.on_bad(height, DropReason::other_branch, p.now);
          break;
        case 8:
          if (random.below(9) == 0) p.plan.on_chain(near, p.now);
          break;
        case 9:
          p.plan.on_paused(random.below(4) == 0, p.now);
          break;
        case 10:
          p.plan.on_fork_settled(ip, p.now);
          break;
        default:
          p.plan.tick(p.now);
      }
      p.take();
      for (const auto& one : std::exchange(p.asked, {})) {
        if (random.below(2) == 0) p.answer(one, 1 + random.below(100'000));
      }
      p.asked.clear();
      ASSERT_LE(p.plan.buffered_blocks(), 400U) << seed;
      ASSERT_LE(p.plan.buffered_bytes(), PlanPolicy{}.buffer_bytes) << seed;
      ASSERT_LE(p.plan.asked().size(), 8U);
      ASSERT_LE(p.plan.sources(), 15U);
    }
  }
}

}  // namespace
}  // namespace timectl::chain
