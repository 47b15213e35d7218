// What is shown of heights and peers, whom to ask, and how liars are marked.
#include "daemon/chain/height_truth.h"

#include <gtest/gtest.h>

#include <set>

#include "daemon/core/random.h"
#include "daemon/core/reflect.h"
#include "tests/chain/toy_truth.h"

namespace timectl::chain {
namespace {

TEST(HeightTruth, T17OnePeerAboveTheClockMovesNothingAndIsNamed) {
  Truth t(kExpected);
  t.connect(4);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), kExpected);
  t.tip(masternode(4), kExpected + 501);
  EXPECT_EQ(t.height(), kExpected);
  EXPECT_EQ(t.standing().lag_blocks, 0U);
  EXPECT_EQ(t.standing().spread, 0U);
  EXPECT_FALSE(t.standing().clock_doubted);
  const auto row = t.peer(masternode(4));
  EXPECT_EQ(row.standing, PeerStanding::implausible);
  EXPECT_EQ(row.why, "500 above the clock-derived maximum 5001");
}

TEST(HeightTruth, T18LagIsKnownWithBlocksAndTime) {
  Truth t(kExpected - 500);
  t.connect(3);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), kExpected);
  const auto view = t.standing();
  EXPECT_EQ(view.lag_blocks, 500U);
  EXPECT_EQ(view.lag, 500 * 600s);
  EXPECT_EQ(view.belief.vouched_by.size(), 3U);
  EXPECT_FALSE(view.belief.split);
  EXPECT_FALSE(view.network_stalled);
}

TEST(HeightTruth, T19PeerThatIsFarBehindOnOurChainIsBehindAndWeAreFine) {
  Truth t(kExpected);
  t.connect(4);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), kExpected);
  t.tip(masternode(4), kExpected - 2000);
  EXPECT_EQ(t.standing().lag_blocks, 0U);
  EXPECT_EQ(t.standing().spread, 2000U);
  const auto row = t.peer(masternode(4));
  EXPECT_EQ(row.standing, PeerStanding::behind);
  EXPECT_EQ(row.why, "2000 behind");
  EXPECT_EQ(row.hash_agrees, true);
}

TEST(HeightTruth, T22NetworkThatStandsIsNoLag) {
  Truth t(kExpected - 19);
  t.connect(4);
  for (std::size_t n = 1; n <= 4; ++n) t.tip(masternode(n), kExpected - 19);
  const auto view = t.standing();
  EXPECT_EQ(view.lag_blocks, 0U);
  EXPECT_EQ(view.behind_clock, 19U);
  EXPECT_TRUE(view.network_stalled);
  t.tip(masternode(1), kExpected - 5);
  t.tip(masternode(2), kExpected - 5);
  t.tip(masternode(3), kExpected - 5);
  EXPECT_FALSE(t.standing().network_stalled);
}

TEST(HeightTruth, QuestionsSettleTipsOfDifferentHeightsAndAreNotRepeatedAtOnce) {
  Truth t;  // ours ends at 4900: their blocks are above what we can compare
  t.connect(4, 1);
  for (std::size_t n = 1; n <= 4; ++n) t.tip(masternode(n), 4949 + n);
  t.tip(regular(1), 4990);
  const auto questions = t.truth.questions(t.facts, t.now);
  // Three of them have 4951: the third says so itself, the two above are asked.
  ASSERT_EQ(questions.size(), 2U);
  for (const auto& question : questions) {
    EXPECT_EQ(question.height, 4951U);
    EXPECT_TRUE(question.peer == masternode(3) || question.peer == masternode(4));
  }
  EXPECT_TRUE(t.truth.questions(t.facts, t.now + 19s).empty());
  EXPECT_EQ(t.truth.questions(t.facts, t.now + 20s).size(), 2U);
  for (const auto& question : questions) {
    t.truth.on_hash(question.peer, toy_tip(question.height), t.now);
  }
  EXPECT_EQ(t.believe().best, toy_tip(4951));
  // Two of them have 4952: enough to fetch it, so that is settled next.
  const auto further = t.truth.questions(t.facts, t.now + 60s);
  ASSERT_EQ(further.size(), 1U);
  EXPECT_EQ(further[0].height, 4952U);
  EXPECT_EQ(further[0].peer, masternode(4));
  EXPECT_EQ(t.truth.backed(t.facts, t.now).best, toy_tip(4951));
  t.truth.on_hash(masternode(4), toy_tip(4952), t.now);
  EXPECT_EQ(t.truth.backed(t.facts, t.now).best, toy_tip(4952));
  EXPECT_EQ(t.believe().best, toy_tip(4951)) << "two are not three";
  EXPECT_TRUE(t.truth.questions(t.facts, t.now + 120s).empty());
}

TEST(HeightTruth, OfTwoBranchesTheOneWithMoreMasternodesIsNamedAndTheSplitIsSaid) {
  Truth t(4950);
  t.connect(8);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  for (std::size_t n = 4; n <= 8; ++n) t.tip(masternode(n), 4950, 7);
  const auto belief = t.believe();
  EXPECT_EQ(belief.best, toy_tip(4950, 7));
  EXPECT_EQ(belief.vouched_by.size(), 5U);
  EXPECT_TRUE(belief.split);
  EXPECT_EQ(t.peer(masternode(1)).standing, PeerStanding::other_branch);
  EXPECT_EQ(t.peer(masternode(4)).standing, PeerStanding::vouches);
  EXPECT_EQ(t.peer(masternode(4)).hash_agrees, false);
  EXPECT_EQ(t.truth.fit_source(masternode(4), t.facts, t.now), std::nullopt);  // a fork first
}

TEST(HeightTruth, EquivocationIsMarkedAndOneReorganisationIsNot) {  // FT-P25
  Truth t;
  t.connect(4);
  for (Height h = 4945; h <= 4950; ++h) t.tip(masternode(1), h, 7);
  t.tip(masternode(1), 4950);  // it reorganised: its older reports are of the branch it left
  for (Height h = 4945; h <= 4949; ++h) t.truth.on_hash(masternode(1), toy_tip(h), t.now);
  EXPECT_NE(t.peer(masternode(1)).standing, PeerStanding::unsteady);
  t.tip(masternode(1), 4950, 7);  // and back
  const auto row = t.peer(masternode(1));
  EXPECT_EQ(row.standing, PeerStanding::unsteady);
  EXPECT_EQ(row.why, "its hash at height 4950 changed 2 times");
  // Not a witness while marked, and reconnecting does not wash it.
  for (std::size_t n = 2; n <= 3; ++n) t.tip(masternode(n), 4950, 7);
  EXPECT_FALSE(t.believe().known());
  t.truth.on_left(masternode(1), t.now);
  t.truth.on_connected(masternode(1), t.now);
  t.tip(masternode(1), 4950, 7);
  EXPECT_EQ(t.peer(masternode(1)).standing, PeerStanding::unsteady);
  t.now += 10min + 1us;
  EXPECT_EQ(t.height(), 4950U);
}

TEST(HeightTruth, OscillationIsMarkedAtTheThirdFall) {  // FT-P25
  Truth t;
  t.connect(4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(t.peer(masternode(1)).standing, PeerStanding::unsteady) << i;
    t.tip(masternode(1), 4950);
    t.truth.on_height(masternode(1), ClaimSource::pong, 4940, t.now);
  }
  EXPECT_EQ(t.peer(masternode(1)).standing, PeerStanding::unsteady);
  EXPECT_EQ(t.peer(masternode(1)).why, "its height fell 3 times, last from 4950 to 4940");
  EXPECT_EQ(t.truth.fit_source(masternode(1), t.facts, t.now), std::nullopt);
  t.now += 10min + 1us;
  EXPECT_NE(t.peer(masternode(1)).standing, PeerStanding::unsteady);
}

TEST(HeightTruth, RowsAreBoundedWhoeverComesAndGoes) {
  Truth t;
  Random random(1);
  for (std::size_t i = 0; i < 20'000; ++i) {
    const auto ip = IpAddress::v4(10, 1, static_cast<std::uint8_t>(random.below(8)),
                                  static_cast<std::uint8_t>(random.below(256)));
    t.now += 10ms;
    if (random.below(2) == 0) t.truth.on_connected(ip, t.now);
    if (random.below(2) == 0) t.tip(ip, random.below(6000), random.below(3));
    if (random.below(2) == 0) t.truth.on_left(ip, t.now);
    ASSERT_LE(t.truth.rows(), 251U);
  }
  EXPECT_GT(t.truth.rows(), 100U);
  t.now += 6min;
  t.truth.on_left(regular(1), t.now);
  EXPECT_LE(t.truth.rows(), 125U);
}

TEST(HeightTruth, PeersThatAreNotConnectedHaveNoSay) {
  Truth t;
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  EXPECT_EQ(t.truth.rows(), 0U);
  t.connect(3);
  for (std::size_t n = 1; n <= 3; ++n) t.truth.on_left(masternode(n), t.now);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  EXPECT_FALSE(t.believe().known());
}

TEST(HeightTruth, TheLegendHasARowWithItsOwnLetterForEachStanding) {
  std::set<char> letters;
  std::size_t i = 0;
  for (const auto& row : standing_table()) {
    EXPECT_EQ(static_cast<std::size_t>(row.standing), i++);
    EXPECT_TRUE(letters.insert(row.letter).second) << row.letter;
    EXPECT_FALSE(row.meaning.empty());
  }
  EXPECT_EQ(i, names_of<PeerStanding>().size());
}

TEST(HeightTruth, TheSourceOfBlocksIsShownAsChosen) {
  Truth t;
  t.connect(3, 1);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  const std::vector<IpAddress> chosen{masternode(2)};
  const auto rows = t.truth.peers(t.facts, chosen, t.now);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].standing, PeerStanding::vouches);
  EXPECT_EQ(rows[1].standing, PeerStanding::chosen);
  EXPECT_TRUE(rows[1].believed);
  EXPECT_EQ(rows[3].standing, PeerStanding::silent);
}

TEST(HeightTruth, OneMasternodeAloneProvesWhatItServedAndTheRestIsSaidToBeUnproven) {
  Truth t(4900);
  t.connect(1, 3);
  t.tip(masternode(1), 4990);
  t.tip(regular(1), kExpected);
  EXPECT_FALSE(t.standing().belief.known());
  EXPECT_EQ(t.standing().lag_blocks, std::nullopt);
  EXPECT_EQ(t.standing().unproven, 4990U);
  t.truth.on_served(masternode(1), toy_tip(4900), t.now);
  EXPECT_EQ(t.standing().belief.ground, Ground::service);
  EXPECT_EQ(t.standing().lag_blocks, 0U);
  EXPECT_EQ(t.standing().unproven, 90U);
}

TEST(HeightTruth, OnlyAVerifiedPlausibleTipIsTold) {  // protocol 7.31
  EXPECT_EQ(tip_to_tell(std::nullopt, kExpected), std::nullopt);
  EXPECT_EQ(tip_to_tell(Tip{10, {}}, kExpected), std::nullopt);
  EXPECT_EQ(tip_to_tell(toy_tip(kExpected + 2), kExpected), std::nullopt);
  EXPECT_EQ(tip_to_tell(toy_tip(10), kExpected), toy_tip(10));
}

}  // namespace
}  // namespace timectl::chain
