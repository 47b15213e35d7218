// ChainFile: the history of forks and the pause.
#include <gtest/gtest.h>

#include "daemon/core/json.h"
#include "tests/store/chain_directory.h"

namespace timectl::store {
namespace {

ForkView fork_at(std::uint64_t ancestor, WallTime seen_at) {
  ForkView fork;
  fork.ancestor_height = ancestor;
  fork.seen_at = seen_at;
  fork.branches.push_back({true, ancestor + 3, std::string(64, 'a'), "", {address(1)}, 1, false});
  fork.branches.push_back({false,
                           ancestor + 5,
                           std::string(64, 'b'),
                           std::string(64, 'c'),
                           {address(2), address(3)},
                           2,
                           true});
  return fork;
}

std::string text_of(const ForkView& fork) {
  return json::serialize(to_json(fork));
}

TEST(ChainFileNotes, ForksGoRoundAndAnsweredOnesReplaceThemselves) {
  const ChainDirectory directory;
  ForkView first = fork_at(10, kNow);
  ForkView second = fork_at(10, kNow + std::chrono::minutes(1));
  second.needs_consent = true;
  second.needs_because = "it is 120 blocks deep, sync may go back 100";
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->forks(10).value().empty());
    ASSERT_TRUE(file->save_fork(first));
    ASSERT_TRUE(file->save_fork(second));
    first.resolved_at = kNow + std::chrono::minutes(2);
    first.resolution = "the other branch was taken";
    ASSERT_TRUE(file->save_fork(first));
  }
  auto file = directory.open(OpenMode::read_only);
  ASSERT_TRUE(file);
  const auto forks = file->forks(10);
  ASSERT_TRUE(forks) << said(forks.error());
  ASSERT_EQ(forks->size(), 2U);
  EXPECT_EQ(text_of((*forks)[0]), text_of(second)) << "newest first";
  EXPECT_EQ(text_of((*forks)[1]), text_of(first));
  EXPECT_EQ(file->forks(1).value().size(), 1U);
}

TEST(ChainFileNotes, AForkThatTurnsOutToBeginElsewhereIsTheSameFork) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->save_fork(fork_at(100, kNow)));
  ASSERT_TRUE(file->save_fork(fork_at(90, kNow)));
  const auto forks = file->forks(10);
  ASSERT_TRUE(forks);
  ASSERT_EQ(forks->size(), 1U);
  EXPECT_EQ(forks->front().ancestor_height, 90U);
}

TEST(ChainFileNotes, OnlyTheNewest200ForksAreKept) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  for (std::uint64_t i = 0; i < 230; ++i) {
    ASSERT_TRUE(file->save_fork(fork_at(i, kNow + std::chrono::seconds(i))));
  }
  const auto forks = file->forks(1000);
  ASSERT_TRUE(forks);
  ASSERT_EQ(forks->size(), 200U);
  EXPECT_EQ(forks->front().ancestor_height, 229U);
  EXPECT_EQ(forks->back().ancestor_height, 30U);
}

TEST(ChainFileNotes, AForkOfManyPeersIsCutAndStillRead) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  ForkView fork = fork_at(7, kNow);
  fork.branches.resize(100, fork.branches.back());
  for (auto& branch : fork.branches) branch.peers.assign(10'000, address(9));
  ASSERT_TRUE(file->save_fork(fork));
  const auto forks = file->forks(1);
  ASSERT_TRUE(forks) << said(forks.error());
  EXPECT_EQ(forks->front().branches.size(), 16U);
  EXPECT_EQ(forks->front().branches[0].peers.size(), 500U);
}

TEST(ChainFileNotes, AForkThatSomebodyEditedIsLeftOutAndSaidToBeDamage) {
  for (const char* sql : {"UPDATE fork SET view = '[[[' WHERE ancestor = 7",
                          "UPDATE fork SET view = '{}' WHERE ancestor = 7",
                          "UPDATE fork SET view = 'null' WHERE ancestor = 7",
                          "UPDATE fork SET ancestor = 8 WHERE ancestor = 7",
                          "UPDATE fork SET seen_at = -1 WHERE ancestor = 7",
                          "UPDATE fork SET view = hex(zeroblob(600000)) WHERE ancestor = 7"}) {
    SCOPED_TRACE(sql);
    const ChainDirectory directory;
    {
      auto file = directory.open();
      ASSERT_TRUE(file);
      ASSERT_TRUE(file->save_fork(fork_at(7, kNow)));
      ASSERT_TRUE(file->save_fork(fork_at(9, kNow + std::chrono::seconds(1))));
      EXPECT_EQ(file->forks(9).value().size(), 2U);
      EXPECT_FALSE(file->read_failure());
    }
    tamper(directory.file(), sql);
    auto file = directory.open();
    ASSERT_TRUE(file);
    const auto forks = file->forks(9);
    ASSERT_TRUE(forks);
    ASSERT_EQ(forks->size(), 1U);
    EXPECT_EQ(forks->front().ancestor_height, 9U);
    ASSERT_TRUE(file->read_failure());
    EXPECT_EQ(file->read_failure()->code, Code::database_damaged);
  }
}

TEST(ChainFileNotes, ThePauseHoldsOverRestarts) {
  const ChainDirectory directory;
  for (const bool paused : {false, true, false}) {
    {
      auto file = directory.open();
      ASSERT_TRUE(file);
      ASSERT_TRUE(file->set_paused(paused));
      EXPECT_EQ(file->paused().value(), paused);
    }
    auto file = directory.open(OpenMode::read_only);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->paused().value(), paused);
  }
}

}  // namespace
}  // namespace timectl::store
