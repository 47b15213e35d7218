#include "daemon/chain/height_truth.h"

#include <gtest/gtest.h>

#include "daemon/core/random.h"
#include "tests/chain/toy_truth.h"

namespace timectl::chain {
namespace {

// Y1 in full for up to 6 masternodes: how many are connected, how many report the hash.
TEST(HeightTruth, WitnessesAreThreeOrAllWhereFewerAreConnectedAndNeverOneAlone) {
  for (std::size_t connected = 0; connected <= 6; ++connected) {
    for (std::size_t reporting = 0; reporting <= connected; ++reporting) {
      for (const std::size_t others : {0, 5}) {
        Truth t;
        t.connect(connected, others);
        for (std::size_t n = 1; n <= reporting; ++n) t.tip(masternode(n), 4950, 7);
        for (std::size_t n = 1; n <= others; ++n) t.tip(regular(n), 4950, 7);
        const std::size_t needed = std::max<std::size_t>(2, std::min<std::size_t>(3, connected));
        const bool believed = reporting >= needed;
        EXPECT_EQ(t.believe().known(), believed) << connected << " " << reporting;
        EXPECT_EQ(t.believe().needed, needed);
        if (!believed) continue;
        EXPECT_EQ(t.believe().ground, Ground::witnesses);
        EXPECT_EQ(t.believe().best, toy_tip(4950, 7));
        EXPECT_EQ(t.believe().vouched_by.size(), reporting);
      }
    }
  }
}

TEST(HeightTruth, RegularPeersNeverSufficeHoweverMany) {
  Truth t;
  t.connect(3, 100);
  for (std::size_t n = 1; n <= 100; ++n) {
    t.tip(regular(n), 4950);
    t.truth.on_served(regular(n), toy_tip(4900), t.now);
  }
  EXPECT_FALSE(t.believe().known());
  t.tip(masternode(1), 4950);
  t.tip(masternode(2), 4950);
  EXPECT_FALSE(t.believe().known());
  t.tip(masternode(3), 4950);
  EXPECT_EQ(t.height(), 4950U);
}

TEST(HeightTruth, HeightsWithoutHashesAreClaimsAndNoReports) {
  for (const auto source : {ClaimSource::ping, ClaimSource::pong}) {
    Truth t;
    t.connect(3);
    for (std::size_t n = 1; n <= 3; ++n) t.truth.on_height(masternode(n), source, 4950, t.now);
    EXPECT_FALSE(t.believe().known());
    EXPECT_EQ(t.standing().claimed, 4950U);
    EXPECT_EQ(t.peer(masternode(1)).source, source);
  }
}

TEST(HeightTruth, ZeroHashIsUnknownAndNeitherSupportsNorContradicts) {  // protocol 7.31 (e)
  Truth t;
  t.connect(5);
  for (std::size_t n = 1; n <= 5; ++n) t.truth.on_tip(masternode(n), {4950, {}}, t.now);
  EXPECT_FALSE(t.believe().known());
  EXPECT_EQ(t.peer(masternode(1)).hash_agrees, std::nullopt);
  t.truth.on_served(masternode(1), toy_tip(4900), t.now);
  for (std::size_t n = 2; n <= 5; ++n) t.truth.on_tip(masternode(n), {4900, {}}, t.now);
  EXPECT_EQ(t.believe().ground, Ground::service);
}

// The clock's edge, exactly: height + 1 counts, one more does not, whoever says so.
TEST(HeightTruth, NothingAboveTheClocksNextHeightCounts) {
  for (const auto& [height, counts] : {std::pair<Height, bool>{kExpected, true},
                                       {kExpected + 1, true},
                                       {kExpected + 2, false},
                                       {kExpected + 500, false},
                                       {kHuge, false},
                                       {~Height{0}, false}}) {
    Truth t;
    t.connect(10);
    for (std::size_t n = 1; n <= 10; ++n) t.tip(masternode(n), height);
    EXPECT_EQ(t.believe().known(), counts) << height;
    const auto row = t.peer(masternode(1));
    EXPECT_EQ(row.standing == PeerStanding::implausible, !counts) << height;
    EXPECT_EQ(t.truth.fit_source(masternode(1), t.facts, t.now).has_value(), counts);
    EXPECT_EQ(t.standing().clock_doubted, !counts) << height;
  }
}

TEST(HeightTruth, ServiceIsBelievedUnlessTwoMasternodesContradict) {
  for (std::size_t against = 0; against <= 3; ++against) {
    Truth t;
    t.connect(6, 10);
    t.truth.on_served(masternode(6), toy_tip(4900), t.now);
    for (std::size_t n = 1; n <= against; ++n) t.tip(masternode(n), 4890, 7);
    for (std::size_t n = 1; n <= 10; ++n) t.tip(regular(n), 4890, 7);
    const auto belief = t.believe();
    EXPECT_EQ(belief.ground == Ground::service, against < 2) << against;
    // Three that contradict are believed themselves.
    EXPECT_EQ(belief.ground == Ground::witnesses, against == 3);
  }
}

TEST(HeightTruth, ServedBlockThatIsNoLongerOnOurChainProvesNothing) {
  Truth t;
  t.connect(3);
  t.truth.on_served(masternode(1), toy_tip(4900, 9), t.now);
  EXPECT_FALSE(t.believe().known());
  t.truth.on_served(masternode(1), toy_tip(4950), t.now);  // above our tip: not ours
  EXPECT_FALSE(t.believe().known());
}

TEST(HeightTruth, BlocksAboveTheClockAreNoEvidenceWhoeverServedThem) {
  Truth t(kExpected + 2);
  t.connect(3);
  for (std::size_t n = 1; n <= 3; ++n) {
    t.tip(masternode(n), kExpected);
    t.truth.on_served(masternode(n), toy_tip(kExpected + 2), t.now);
  }
  EXPECT_EQ(t.height(), kExpected);
}

TEST(HeightTruth, BlocksHigherUpOnOurChainVouchForThoseBelow) {
  Truth t(4950);
  t.connect(3);
  t.tip(masternode(1), 4948);
  t.tip(masternode(2), 4949);
  t.tip(masternode(3), 4950);
  EXPECT_EQ(t.believe().best, toy_tip(4948));
  t.tip(masternode(1), 4950);
  EXPECT_EQ(t.height(), 4949U);
}

TEST(HeightTruth, EarlierTipsOfAPeerStillVouchWhileTheNextBlockSpreads) {
  Truth t;
  t.connect(3);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  t.tip(masternode(1), 4951);
  t.tip(masternode(2), 4951);
  EXPECT_EQ(t.believe().best, toy_tip(4950));
  EXPECT_FALSE(t.believe().held);
  t.tip(masternode(3), 4951);
  EXPECT_EQ(t.height(), 4951U);
}

TEST(HeightTruth, WhatWasBelievedIsHeldWhenOneWitnessLiesOrLeavesAndNotForEver) {
  for (const int kind : {0, 1, 2}) {
    Truth t;
    t.connect(3);
    t.truth.on_served(masternode(2), toy_tip(4900), t.now);
    for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
    EXPECT_EQ(t.standing().lag_blocks, 50U);
    if (kind == 0) t.tip(masternode(1), 4000);
    if (kind == 1) t.tip(masternode(1), kHuge);
    if (kind == 2) t.tip(masternode(1), 4950, 9);
    EXPECT_EQ(t.standing().lag_blocks, 50U) << kind;
    EXPECT_TRUE(t.believe().held);
    t.now += 20min + 1us;
    EXPECT_FALSE(t.believe().held) << kind;
    EXPECT_EQ(t.believe().ground, Ground::service) << kind;
  }
}

TEST(HeightTruth, WhatWasBelievedGoesAtOnceWhenEnoughMasternodesFallBack) {
  Truth t;
  t.connect(4);
  for (std::size_t n = 1; n <= 4; ++n) t.tip(masternode(n), 4950, 7);
  EXPECT_EQ(t.height(), 4950U);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4940);
  EXPECT_EQ(t.believe().best, toy_tip(4940));
}

// Found by the simulation below: of three witnesses for the newest block one took its word back,
// and four that had not got the block yet were taken for a contradiction.
TEST(HeightTruth, WhoHasNotGotTheBlockYetContradictsNothing) {
  Truth t;
  t.connect(7);
  for (std::size_t n = 1; n <= 7; ++n) t.tip(masternode(n), 4950);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4951);
  EXPECT_EQ(t.height(), 4951U);
  t.tip(masternode(3), 4000, 7);
  EXPECT_EQ(t.height(), 4951U);
  EXPECT_TRUE(t.believe().held);
}

TEST(HeightTruth, WhoIsTakenOffTheWhitelistVouchesNoLongerAtOnce) {
  Truth t;
  t.connect(5);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  EXPECT_EQ(t.height(), 4950U);
  t.removed.insert(masternode(1));
  EXPECT_FALSE(t.believe().known());
}

TEST(HeightTruth, SilenceStopsAWitness) {
  Truth t;
  t.connect(3);
  for (std::size_t n = 1; n <= 3; ++n) t.tip(masternode(n), 4950);
  t.now += 20min;
  EXPECT_TRUE(t.believe().known());
  t.now += 20min + 1us;
  EXPECT_FALSE(t.believe().known());
}

// A toy network: `honest` masternodes are at the true tip, which grows; a minority of masternodes
// and any number of regular peers do what they like. The belief must follow the honest alone.
TEST(HeightTruth, NoMinorityAndNoRegularPeersMoveTheBelief) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const std::size_t honest = 3 + random.below(6);
    const std::size_t liars = random.below(3);  // fewer than the witnesses, alike or not
    const std::size_t strangers = random.below(30);
    Truth t(4800);
    t.connect(honest + liars, strangers);
    Height tip = 4900;
    Height believed = 0;
    const auto lie = [&](const IpAddress& ip) {
      switch (random.below(6)) {
        case 0:
          t.tip(ip, tip + random.below(90), 7);
          break;  // high, plausible, in agreement
        case 1:
          t.tip(ip, kHuge + random.below(9), 7);
          break;
        case 2:
          t.tip(ip, random.below(4900), 7);
          break;
        case 3:
          t.tip(ip, tip, random.below(9));
          break;
        case 4:
          t.truth.on_height(ip, ClaimSource::pong, random.below(6000), t.now);
          break;
        default:
          t.truth.on_hash(ip, toy_tip(4700 + random.below(250), 7), t.now);
      }
    };
    for (int step = 0; step < 200; ++step) {
      t.now += 5s;
      if (random.below(40) == 0) ++tip;
      for (std::size_t n = 1; n <= honest; ++n) {
        if (random.below(4) == 0) t.tip(masternode(n), tip);
      }
      for (std::size_t n = 1; n <= liars; ++n) lie(masternode(honest + n));
      for (std::size_t n = 1; n <= strangers; ++n) {
        if (random.below(4) == 0) lie(regular(n));
      }
      const auto belief = t.believe();
      if (!belief.known()) continue;
      ASSERT_EQ(belief.best, toy_tip(belief.best.height)) << seed << " " << step;
      ASSERT_LE(belief.best.height, tip) << seed;
      ASSERT_GE(belief.best.height, believed) << seed << " " << step;
      believed = belief.best.height;
    }
    for (std::size_t n = 1; n <= honest; ++n) t.tip(masternode(n), tip);
    EXPECT_EQ(t.height(), tip) << seed;
  }
}

// The control of the simulation above: three liars that agree are enough to be believed, so it
// would notice a belief that follows whoever speaks.
TEST(HeightTruth, ThreeMasternodesThatAgreeAreBelievedWhateverTheOthersSay) {
  Truth t;
  t.connect(8);
  for (std::size_t n = 1; n <= 5; ++n) t.tip(masternode(n), 4950);
  for (std::size_t n = 6; n <= 8; ++n) t.tip(masternode(n), 4960, 7);
  EXPECT_EQ(t.believe().best, toy_tip(4960, 7));
}

}  // namespace
}  // namespace timectl::chain
