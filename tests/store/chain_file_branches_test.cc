// ChainFile: the staged branch and the change over to it.
#include <gtest/gtest.h>

#include "tests/store/chain_directory.h"

namespace timectl::store {
namespace {

// A best chain of `height`, and a branch of `length` that parts from it above `ancestor`.
struct Fork {
  Fork(chain::Height height, chain::Height ancestor, std::size_t length)
      : below(maker.next(ancestor)), side(maker.branch(2)) {
    above = BlocksToStore(maker.next(height - ancestor));
    branch = BlocksToStore(side.next(length));
  }
  [[nodiscard]] Result<void> store(ChainFile& file) const {
    if (auto done = file.append(below.blocks()); !done) return done;
    return file.append(above.blocks());
  }
  ChainMaker maker;
  BlocksToStore below;
  ChainMaker side;
  BlocksToStore above{{}};
  BlocksToStore branch{{}};
};

TEST(ChainFileBranches, AStagedBranchLeavesTheBestChainAloneAndOutlivesARestart) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 15);
  chain::ChainTip tip;
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    ASSERT_TRUE(fork.store(*file));
    tip = file->tip();
    EXPECT_EQ(file->staged_tip().value(), std::nullopt);
    ASSERT_TRUE(file->stage(fork.branch.blocks().first(5)));
    EXPECT_EQ(file->staged_tip().value(), fork.branch.tip_of(4));
  }
  auto file = directory.open();
  ASSERT_TRUE(file);
  EXPECT_EQ(file->staged_tip().value(), fork.branch.tip_of(4));
  EXPECT_FALSE(file->stage(fork.branch.blocks().first(1))) << "the sixth is next";
  ASSERT_TRUE(file->stage(fork.branch.blocks().subspan(5)));
  EXPECT_EQ(file->staged_tip().value(), fork.branch.tip_of(14));
  EXPECT_EQ(file->tip(), tip);
  EXPECT_EQ(file->bodies(21, 30, SIZE_MAX), fork.above.raw());
  ASSERT_TRUE(file->drop_staged());
  EXPECT_EQ(file->staged_tip().value(), std::nullopt);
  EXPECT_EQ(file->tip(), tip);
  ASSERT_TRUE(file->drop_staged()) << "nothing to drop is no failure";
}

TEST(ChainFileBranches, ABranchThatGoesOnFromNoBlockOfTheChainIsRefused) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 15);
  auto file = directory.open();
  ASSERT_TRUE(file);
  ASSERT_TRUE(fork.store(*file));
  const auto refused = [&](std::span<const chain::ChainBlock> blocks) {
    const auto done = file->stage(blocks);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::invalid_argument);
    EXPECT_EQ(file->staged_tip().value(), std::nullopt);
  };
  refused(fork.branch.blocks().subspan(1));  // its parent is not ours
  ChainMaker far;
  const BlocksToStore high(far.next(40));
  refused(high.blocks().subspan(35));  // nothing below it
  EXPECT_TRUE(file->stage(fork.branch.blocks())) << "the control";
}

TEST(ChainFileBranches, AReorganisationIsTheBranchAboveTheAncestorAndKeepsTheOldOne) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 15);
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    auto reader = file->open_reader();
    ASSERT_TRUE(reader);
    ASSERT_TRUE(fork.store(*file));
    ASSERT_TRUE(file->stage(fork.branch.blocks()));
    const auto done = file->reorganise(20);
    ASSERT_TRUE(done) << said(done.error());
    EXPECT_EQ(done->tip, fork.branch.tip_of(14));
    EXPECT_EQ(done->replaced, 10U);
    EXPECT_EQ(file->tip(), done->tip);
    EXPECT_EQ(reader->tip(), done->tip);
    EXPECT_EQ(file->staged_tip().value(), std::nullopt);
  }
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch_block WHERE rest IS NOT NULL"), 10);
  EXPECT_EQ(directory.number("SELECT tip FROM branch"), 30);
  EXPECT_EQ(directory.number("SELECT ancestor FROM branch"), 20);
  auto file = directory.open();
  ASSERT_TRUE(file) << said(file.error());
  EXPECT_EQ(file->bodies(1, 20, SIZE_MAX), fork.below.raw());
  EXPECT_EQ(file->bodies(21, 99, SIZE_MAX), fork.branch.raw());
  expect_continuous(*file);
}

TEST(ChainFileBranches, AShorterBranchLeavesNothingOfTheLongerOneAbove) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 3);
  auto file = directory.open();
  ASSERT_TRUE(file);
  ASSERT_TRUE(fork.store(*file));
  ASSERT_TRUE(file->stage(fork.branch.blocks()));
  ASSERT_TRUE(file->reorganise(20));
  EXPECT_EQ(file->tip().block.height, 23U);
  expect_continuous(*file);
  EXPECT_TRUE(file->bodies(24, 30, SIZE_MAX).empty());
}

TEST(ChainFileBranches, AReorganisationAtTheWrongPlaceIsRefusedAndChangesNothing) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 15);
  auto file = directory.open();
  ASSERT_TRUE(file);
  ASSERT_TRUE(fork.store(*file));
  const auto tip = file->tip();
  EXPECT_FALSE(file->reorganise(20)) << "nothing is staged";
  ASSERT_TRUE(file->stage(fork.branch.blocks()));
  for (const chain::Height wrong : {chain::Height{19}, chain::Height{21}, chain::Height{30},
                                    chain::Height{31}, chain::Height{1} << 63U, UINT64_MAX}) {
    const auto done = file->reorganise(wrong);
    ASSERT_FALSE(done) << wrong;
    EXPECT_EQ(done.error().code, Code::invalid_argument);
  }
  EXPECT_EQ(file->tip(), tip);
  EXPECT_EQ(file->staged_tip().value(), fork.branch.tip_of(14));
  expect_continuous(*file);
}

TEST(ChainFileBranches, AStagedBranchWhoseAncestorWasReplacedIsRefused) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 15);
  auto file = directory.open();
  ASSERT_TRUE(file);
  ASSERT_TRUE(fork.store(*file));
  ASSERT_TRUE(file->stage(fork.branch.blocks()));
  ASSERT_TRUE(file->reorganise(20));
  ChainMaker maker = fork.maker;  // stands on the branch that was replaced
  const BlocksToStore more(maker.next(3));
  EXPECT_FALSE(file->stage(more.blocks()));
}

TEST(ChainFileBranches, ABranchOnTheTipReplacesNothing) {
  const ChainDirectory directory;
  const Fork fork(20, 20, 5);
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    ASSERT_TRUE(fork.store(*file));
    ASSERT_TRUE(file->stage(fork.branch.blocks()));
    const auto done = file->reorganise(20);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->replaced, 0U);
    expect_continuous(*file);
  }
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch"), 0);
}

TEST(ChainFileBranches, PrunedBlocksAreReplacedToo) {
  const ChainDirectory directory;
  const Fork fork(30, 20, 15);
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    ASSERT_TRUE(fork.store(*file));
    ASSERT_TRUE(file->prune(5, 100));
    ASSERT_TRUE(file->stage(fork.branch.blocks()));
    ASSERT_TRUE(file->reorganise(20));
    EXPECT_EQ(file->bodies(21, 99, SIZE_MAX), fork.branch.raw());
  }
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch_block"), 10);
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch_block WHERE rest IS NULL"), 4);
}

TEST(ChainFileBranches, KeptBranchesAreBoundedAndTheNewestStay) {
  constexpr std::size_t kLength = 6'000;  // three of them fit
  const ChainDirectory directory;
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    const ChainMaker genesis({.block_size = 0, .masternodes = 1, .sign = false});
    for (std::uint64_t i = 0; i < 5; ++i) {
      ChainMaker side = genesis.branch(100 + i);
      for (std::size_t at = 0; at < kLength; at += 1000) {
        const BlocksToStore blocks(side.next(1000));
        ASSERT_TRUE(i == 0 ? file->append(blocks.blocks()) : file->stage(blocks.blocks()));
      }
      if (i > 0) {
        ASSERT_TRUE(file->reorganise(0));
      }
    }
  }
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch"), 3);
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch_block"), 3 * kLength);
  EXPECT_EQ(directory.number("SELECT min(id) FROM branch"), 2) << "the oldest of four went";
}

}  // namespace
}  // namespace timectl::store
