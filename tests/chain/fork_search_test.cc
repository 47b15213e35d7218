#include "daemon/chain/fork_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <tuple>

#include "daemon/core/random.h"
#include "daemon/core/reflect.h"

namespace timectl::chain {
namespace {

using wire::Hash32;

// The hash of a block of a toy chain: `branch` tells chains apart above where they part.
Hash32 toy_hash(std::uint64_t branch, Height height) {
  Hash32 hash{};
  hash[0] = 1;
  std::memcpy(hash.data() + 8, &branch, 8);
  std::memcpy(hash.data() + 16, &height, 8);
  return hash;
}

// A chain that shares blocks 0 to `ancestor` with chain 0.
struct ToyChain {
  std::uint64_t branch = 0;
  Height tip = 0;
  Height ancestor = 0;
  [[nodiscard]] Hash32 at(Height height) const {
    return toy_hash(height <= ancestor ? 0 : branch, height);
  }
};

std::size_t allowed(Height expected) {
  const double e = static_cast<double>(std::max<Height>(expected, 1));
  return static_cast<std::size_t>(std::ceil(std::log2(e))) + 3;
}

// Answers every question by the peer's chain until the search is over.
ForkResult run(ForkSearch& search, const ToyChain& ours, const ToyChain& theirs) {
  for (std::size_t i = 0; i < 100; ++i) {
    const auto height = search.next();
    if (!height) return search.result();
    EXPECT_TRUE(search.on_answer(*height, theirs.at(*height), ours.at(*height)));
  }
  ADD_FAILURE() << "the search has no end";
  return search.result();
}

TEST(ForkSearch, TheAncestorIsExactForEveryPairOfSmallChainsWithinTheQuestions) {
  std::size_t pairs = 0;
  for (const Height growth : {2, 64}) {  // 2: growing to the end and halving is twice too many
    ForkPolicy policy;
    policy.growth = growth;
    for (Height ours = 0; ours <= 40; ++ours) {
      for (Height theirs = 0; theirs <= 40; ++theirs) {
        for (Height ancestor = 0; ancestor <= std::min(ours, theirs); ++ancestor) {
          const ToyChain us{0, ours, ours};
          const ToyChain peer{7, theirs, ancestor};
          // The worst case for the bound: the clock expects no more than the higher of both.
          const Height expected = std::max(ours, theirs);
          ForkSearch search(policy, {ours, theirs, expected}, true);
          const auto result = run(search, us, peer);
          ASSERT_EQ(result.ancestor, ancestor) << ours << " " << theirs;
          const bool forked = ancestor < std::min(ours, theirs);
          ASSERT_EQ(result.end, forked ? ForkEnd::forked : ForkEnd::same_chain);
          ASSERT_EQ(result.depth, ours - ancestor);
          if (forked) {
            ASSERT_EQ(result.first_hash, peer.at(ancestor + 1));
          }
          ASSERT_LE(search.questions(), allowed(expected))
              << ours << " " << theirs << " " << ancestor;
          ++pairs;
        }
      }
    }
  }
  EXPECT_EQ(pairs, 47'642U);
}

TEST(ForkSearch, TheAncestorOfLongChainsIsExactWithinTheQuestions) {
  std::size_t most_at_forty = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    const Height expected = 1 + random.below(200'000);
    const Height ours = expected - random.below(std::min<Height>(expected, 30) + 1);
    const Height theirs = expected + 1 - random.below(std::min<Height>(expected, 30) + 1);
    const Height top = std::min(ours, theirs);
    const Height floor = top > 10'000 ? top - 10'000 : 0;
    const Height ancestor = floor + random.below(top - floor + 1);
    ForkSearch search({}, {ours, theirs, expected}, true);
    const auto result = run(search, {0, ours, ours}, {7, theirs, ancestor});
    ASSERT_EQ(result.ancestor, ancestor) << seed;
    ASSERT_LE(search.questions(), allowed(expected)) << seed;
    // Short forks, the usual ones, cost few questions: that is what growing steps are for.
    const Height near = top - std::min<Height>(top, 1 + random.below(40));
    ForkSearch close({}, {ours, theirs, expected}, true);
    ASSERT_EQ(run(close, {0, ours, ours}, {7, theirs, near}).ancestor, near) << seed;
    most_at_forty = std::max(most_at_forty, close.questions());
  }
  EXPECT_LE(most_at_forty, 10U);
}

// T20: same height, different tip, equal hashes up to E-38; for every E.
TEST(ForkSearch, T20FindsTheForkPointThirtyEightBelowTheTip) {
  for (Height expected = 39; expected <= 5000; ++expected) {
    ForkSearch search({}, {expected, expected, expected}, true);
    const auto result = run(search, {0, expected, expected}, {7, expected, expected - 38});
    ASSERT_EQ(result.end, ForkEnd::forked);
    ASSERT_EQ(result.ancestor, expected - 38);
    ASSERT_LE(search.questions(), allowed(expected)) << expected;
    ASSERT_EQ(result.consent, Consent::not_needed);
  }
}

// T18 and T19: who is only behind has forked from nobody; both ways one question is enough.
TEST(ForkSearch, T18AndT19WhoIsOnlyBehindHasNotForked) {
  constexpr Height kExpected = 20'000;
  for (const auto& [ours, theirs] :
       {std::pair<Height, Height>{kExpected - 500, kExpected}, {kExpected, kExpected - 2000}}) {
    ForkSearch search({}, {ours, theirs, kExpected}, true);
    const auto result = run(search, {0, ours, ours}, {0, theirs, theirs});
    EXPECT_EQ(result.end, ForkEnd::same_chain);
    EXPECT_EQ(search.questions(), 1U);
    EXPECT_EQ(result.consent, Consent::not_needed);
  }
}

TEST(ForkSearch, DepthIsLimitedByTrustAndNothingBelowItIsAskedFor) {
  struct Row {
    bool masternode;
    Height depth;  // of the fork, below the common height of the tips
    ForkEnd end;
  };
  for (const auto& row : {Row{true, 10'000, ForkEnd::forked}, Row{true, 10'001, ForkEnd::gave_up},
                          Row{false, 2000, ForkEnd::forked}, Row{false, 2001, ForkEnd::gave_up}}) {
    constexpr Height kTip = 15'000;
    ForkSearch search({}, {kTip, kTip, kTip}, row.masternode);
    const ToyChain us{0, kTip, kTip};
    const ToyChain peer{7, kTip, kTip - row.depth};
    while (const auto height = search.next()) {
      ASSERT_GE(*height, kTip - (row.masternode ? 10'000U : 2000U));
      search.on_answer(*height, peer.at(*height), us.at(*height));
    }
    EXPECT_EQ(search.result().end, row.end) << row.depth;
    EXPECT_LE(search.questions(), allowed(kTip));
    EXPECT_EQ(search.result().reason,
              row.end == ForkEnd::gave_up ? GiveUp::too_deep : GiveUp::none);
  }
}

TEST(ForkSearch, DeeperThanAReorganisationMayGoNeedsTheOperatorsWord) {  // FT-P33
  constexpr Height kTip = 5000;
  ForkPolicy policy;
  for (const auto& [depth, checkpoint, consent] :
       {std::tuple<Height, Height, Consent>{1, 0, Consent::not_needed},
        {100, 0, Consent::not_needed},
        {101, 0, Consent::beyond_reorganisation},
        {4000, 0, Consent::beyond_reorganisation},
        {50, 4950, Consent::not_needed},
        {51, 4950, Consent::below_checkpoint},
        {200, 4950, Consent::below_checkpoint}}) {
    policy.checkpoint = checkpoint;
    ForkSearch search(policy, {kTip, kTip + 1, kTip + 1}, true);
    const auto result = run(search, {0, kTip, kTip}, {7, kTip + 1, kTip - depth});
    EXPECT_EQ(result.end, ForkEnd::forked);
    EXPECT_EQ(result.depth, depth);
    EXPECT_EQ(result.consent, consent) << depth << " " << checkpoint;
  }
}

// The depth that counts is of our own blocks, also where the peer's chain is the shorter one.
TEST(ForkSearch, ConsentIsAboutOurBlocksAndNotAboutTheirs) {
  ForkSearch search({}, {5000, 4910, 5000}, true);
  const auto result = run(search, {0, 5000, 5000}, {7, 4910, 4899});
  EXPECT_EQ(result.depth, 101U);
  EXPECT_EQ(result.consent, Consent::beyond_reorganisation);
}

TEST(ForkSearch, ForkAboveGenesisIsFoundAndAnotherGenesisIsSaid) {
  ForkSearch above({}, {60, 60, 60}, true);
  EXPECT_EQ(run(above, {0, 60, 60}, {7, 60, 0}).end, ForkEnd::forked);
  ForkSearch other({}, {60, 60, 60}, true);
  while (const auto height = other.next()) {
    other.on_answer(*height, toy_hash(9, *height), toy_hash(0, *height));
  }
  EXPECT_EQ(other.result().end, ForkEnd::gave_up);
  EXPECT_EQ(other.result().reason, GiveUp::other_genesis);
}

TEST(ForkSearch, SilenceRepeatsTheQuestionAndEndsWithTheAttempts) {
  for (const auto& [masternode, attempts] : {std::pair<bool, std::size_t>{true, 10}, {false, 3}}) {
    ForkSearch search({}, {500, 500, 500}, masternode);
    const auto first = search.next();
    for (std::size_t i = 0; i < attempts; ++i) {
      EXPECT_EQ(search.next(), first);
      EXPECT_EQ(search.result().end, ForkEnd::searching) << i;
      search.on_silence();
    }
    EXPECT_EQ(search.result().end, ForkEnd::gave_up);
    EXPECT_EQ(search.result().reason, GiveUp::no_answers);
    EXPECT_EQ(search.next(), std::nullopt);
    EXPECT_EQ(search.questions(), 1U);
  }
}

TEST(ForkSearch, NoHashAndZeroHashAtAClaimedHeightAreSilence) {
  for (const auto& nothing : {std::optional<Hash32>(), std::optional<Hash32>(Hash32{})}) {
    ForkSearch search({}, {500, 500, 500}, false);
    const auto first = search.next();
    EXPECT_TRUE(search.on_answer(*first, nothing, toy_hash(0, *first)));
    EXPECT_EQ(search.attempts_left(), 2U);
    EXPECT_EQ(search.next(), first);
  }
}

TEST(ForkSearch, AnswersThatNobodyAskedForChangeNothing) {
  ForkSearch search({}, {500, 500, 500}, true);
  EXPECT_FALSE(search.on_answer(500, toy_hash(0, 500), toy_hash(0, 500)));
  const auto first = search.next();
  EXPECT_FALSE(search.on_answer(*first - 1, toy_hash(0, 1), toy_hash(0, 1)));
  EXPECT_FALSE(search.on_answer(std::uint64_t{1} << 63U, toy_hash(0, 1), toy_hash(0, 1)));
  EXPECT_EQ(search.next(), first);
  EXPECT_EQ(search.result().end, ForkEnd::searching);
}

// Whatever a peer answers, and however often it is silent: the search ends within its limits.
TEST(ForkSearch, RandomLiesCannotKeepASearchAlive) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    const Height expected = 1 + random.below(30'000);
    const Height claimed = random.below(3) == 0 ? ~Height{0} : random.below(expected + 2);
    ForkSearch search({}, {random.below(expected + 1), claimed, expected}, random.below(2) == 0);
    std::set<Height> asked;
    std::size_t steps = 0;
    while (const auto height = search.next()) {
      ASSERT_LT(++steps, 60U) << seed;
      asked.insert(*height);
      const auto lie = random.below(8);
      const auto theirs = toy_hash(lie % 2 == 0 ? 0 : seed, *height);
      if (lie == 7) {
        search.on_silence();
      } else {
        search.on_answer(*height, theirs, toy_hash(0, *height));
      }
    }
    ASSERT_NE(search.result().end, ForkEnd::searching);
    ASSERT_LE(asked.size(), allowed(expected)) << seed;
  }
}

ForkMember member(std::uint8_t n, bool masternode, Height tip, std::uint64_t branch,
                  Height ancestor, Height ours) {
  const ToyChain chain{branch, tip, ancestor};
  ForkSearch search({}, {ours, tip, std::max(ours, tip)}, masternode);
  return {IpAddress::v4(10, 0, 0, n), masternode, tip, chain.at(tip),
          run(search, {0, ours, ours}, chain)};
}

TEST(ForkReport, NamesTheBranchesWhoIsOnThemAndTheMajority) {
  // Three masternodes left ours at 61, one at 80; two are with us, one of them behind.
  const auto report =
      report_forks(99, toy_hash(0, 99),
                   {member(5, true, 99, 7, 61, 99), member(1, true, 99, 7, 61, 99),
                    member(2, true, 98, 7, 61, 99), member(3, true, 99, 8, 80, 99),
                    member(4, true, 40, 0, 40, 99), member(6, false, 99, 0, 99, 99)});
  ASSERT_EQ(report.branches.size(), 3U);
  EXPECT_TRUE(report.forked);
  EXPECT_EQ(report.ancestor, 61U);
  EXPECT_TRUE(report.branches[0].ours);
  EXPECT_EQ(report.branches[0].peers.size(), 2U);
  EXPECT_EQ(report.branches[1].ancestor, 61U);
  EXPECT_EQ(report.branches[1].tip_height, 99U);
  EXPECT_EQ(report.branches[1].peers,
            (std::vector<IpAddress>{IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2),
                                    IpAddress::v4(10, 0, 0, 5)}));
  EXPECT_EQ(report.branches[2].ancestor, 80U);
  EXPECT_EQ(report.majority, 1U);
}

TEST(ForkReport, RegularPeersHaveNoVoteAndNoWordAboutTheTipOfMasternodes) {
  std::vector<ForkMember> members{member(1, true, 95, 7, 61, 99), member(2, true, 99, 0, 99, 99)};
  for (std::uint8_t n = 10; n < 60; ++n) members.push_back(member(n, false, 120, 7, 61, 99));
  const auto report = report_forks(99, toy_hash(0, 99), members);
  ASSERT_EQ(report.branches.size(), 2U);
  EXPECT_EQ(report.majority, std::nullopt);  // one masternode each
  EXPECT_EQ(report.branches[1].tip_height, 95U);
  EXPECT_EQ(report.branches[1].peers.size(), 51U);
}

TEST(ForkReport, WithoutForksThereIsOurBranchAlone) {
  const auto report = report_forks(99, toy_hash(0, 99), {member(1, true, 50, 0, 50, 99)});
  EXPECT_FALSE(report.forked);
  ASSERT_EQ(report.branches.size(), 1U);
  EXPECT_EQ(report.majority, 0U);
  EXPECT_EQ(report_forks(99, toy_hash(0, 99), {}).majority, std::nullopt);
}

TEST(ForkSearch, EveryReasonToGiveUpHasAMeaning) {
  for (const auto name : names_of<GiveUp>()) {
    const auto reason = value_of<GiveUp>(name);
    ASSERT_TRUE(reason);
    EXPECT_EQ(meaning_of(*reason).empty(), *reason == GiveUp::none) << name;
  }
}

}  // namespace
}  // namespace timectl::chain
