// ChainFile on files that a disk or somebody changed: it says so or gives nothing, and what it
// gives is what was stored.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "daemon/core/random.h"
#include "store/connection.h"
#include "tests/store/chain_directory.h"

namespace timectl::store {
namespace {

constexpr std::size_t kLength = 40;

// A closed file with a chain, a staged branch, a replaced one and a fork.
void make_chain(const ChainDirectory& directory, std::vector<std::vector<std::uint8_t>>& raw) {
  auto file = directory.open();
  ASSERT_TRUE(file);
  ChainMaker maker({.block_size = 900, .masternodes = 2, .sign = false});
  raw = maker.next(kLength);
  ChainMaker side = maker.branch(2);
  const BlocksToStore blocks(raw);
  ASSERT_TRUE(file->append(blocks.blocks()));
  const BlocksToStore replaced(maker.next(5));
  ASSERT_TRUE(file->append(replaced.blocks()));
  const auto more = side.next(6);
  const BlocksToStore branch(more);
  ASSERT_TRUE(file->stage(branch.blocks()));
  ASSERT_TRUE(file->reorganise(kLength));
  raw.insert(raw.end(), more.begin(), more.end());
  const BlocksToStore staged(side.next(3));
  ASSERT_TRUE(file->stage(staged.blocks()));
  ForkView fork;
  fork.ancestor_height = kLength;
  fork.seen_at = kNow;
  ASSERT_TRUE(file->save_fork(fork));
}

TEST(ChainFileDamage, AnEndOfTheChainThatCannotBeItIsDamage) {
  for (const char* sql : {
           "DELETE FROM block WHERE height = 0",
           "DELETE FROM block WHERE height = 45",
           "DELETE FROM block",
           "UPDATE block SET hash = zeroblob(32) WHERE height = 0",
           "UPDATE block SET hash = zeroblob(32) WHERE height = 45",
           "UPDATE block SET hash = zeroblob(32) WHERE height = 46",
           "UPDATE block SET hash = zeroblob(31) WHERE height = 46",
           "UPDATE block SET hash = zeroblob(1000000) WHERE height = 46",
           "UPDATE block SET header = zeroblob(400) WHERE height = 46",
           "UPDATE block SET header = x'' WHERE height = 46",
           "UPDATE block SET header = (SELECT header FROM block WHERE height = 45) WHERE "
           "height = 46",
           "UPDATE block SET treasury = treasury + 1 WHERE height = 46",
           "UPDATE block SET timestamp = timestamp + 1 WHERE height = 46",
           "UPDATE block SET height = 47 WHERE height = 46",
           "UPDATE block SET height = 9223372036854775807 WHERE height = 46",
           "UPDATE block SET height = -1 WHERE height = 0",
           "DELETE FROM about",
           "UPDATE about SET network = 'moonnet'",
           "UPDATE about SET network = hex(zeroblob(100000))",
       }) {
    SCOPED_TRACE(sql);
    const ChainDirectory directory;
    std::vector<std::vector<std::uint8_t>> raw;
    make_chain(directory, raw);
    ASSERT_TRUE(directory.open());
    tamper(directory.file(), sql);
    for (const auto mode : {OpenMode::read_write, OpenMode::read_only}) {
      const auto file = directory.open(mode);
      ASSERT_FALSE(file);
      EXPECT_EQ(file.error().code, Code::database_damaged) << said(file.error());
    }
  }
}

TEST(ChainFileDamage, ABlockInTheMiddleThatCannotBeItIsNotThereAndTheReasonIsKept) {
  for (const char* sql : {
           "UPDATE body SET rest = zeroblob(length(rest)) WHERE height = 20",
           "UPDATE body SET rest = x'' WHERE height = 20",
           "UPDATE body SET rest = zeroblob(4100000) WHERE height = 20",
           "UPDATE body SET sum = sum + 1 WHERE height = 20",
           "UPDATE block SET header = x'00' WHERE height = 20",
           "UPDATE body SET rest = (SELECT rest FROM body WHERE height = 21) WHERE height = 20",
       }) {
    SCOPED_TRACE(sql);
    const ChainDirectory directory;
    std::vector<std::vector<std::uint8_t>> raw;
    make_chain(directory, raw);
    tamper(directory.file(), sql);
    auto file = directory.open();
    ASSERT_TRUE(file) << said(file.error());
    EXPECT_FALSE(file->read_failure());
    EXPECT_EQ(file->bodies(1, 100, SIZE_MAX).size(), 19U);
    ASSERT_TRUE(file->read_failure());
    EXPECT_EQ(file->read_failure()->code, Code::database_damaged);
    EXPECT_FALSE(file->read_failure()->remedy.empty());
    EXPECT_TRUE(file->bodies(20, 20, SIZE_MAX).empty());
    EXPECT_EQ(file->bodies(21, 100, SIZE_MAX).size(), 26U);
  }
  const ChainDirectory directory;
  std::vector<std::vector<std::uint8_t>> raw;
  make_chain(directory, raw);
  tamper(directory.file(), "UPDATE block SET hash = x'00' WHERE height = 20");
  auto file = directory.open();
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->at(20));
  EXPECT_FALSE(file->hash_at(20));
  EXPECT_TRUE(file->read_failure());
  EXPECT_TRUE(file->hash_at(21));
}

TEST(ChainFileDamage, AGapIsNotBridged) {
  for (const char* sql :
       {"DELETE FROM block WHERE height = 20", "DELETE FROM body WHERE height = 20"}) {
    SCOPED_TRACE(sql);
    const ChainDirectory directory;
    std::vector<std::vector<std::uint8_t>> raw;
    make_chain(directory, raw);
    tamper(directory.file(), sql);
    auto file = directory.open();
    ASSERT_TRUE(file) << said(file.error());
    EXPECT_EQ(file->bodies(1, 100, SIZE_MAX).size(), 19U);
    EXPECT_TRUE(file->bodies(20, 100, SIZE_MAX).empty());
    EXPECT_EQ(file->bodies(21, 100, SIZE_MAX).size(), 26U);
  }
}

TEST(ChainFileDamage, AStagedBranchWithAGapIsNotTakenOver) {
  for (const char* sql : {"DELETE FROM staged WHERE height = 48",
                          "UPDATE staged SET header = x'00' WHERE height = 47"}) {
    SCOPED_TRACE(sql);
    const ChainDirectory directory;
    std::vector<std::vector<std::uint8_t>> raw;
    make_chain(directory, raw);
    tamper(directory.file(), sql);
    auto file = directory.open();
    ASSERT_TRUE(file);
    const auto tip = file->tip();
    EXPECT_FALSE(file->reorganise(46));
    EXPECT_EQ(file->tip(), tip);
    expect_continuous(*file);
    EXPECT_TRUE(file->drop_staged()) << "the way out";
  }
}

TEST(ChainFileDamage, NoFileAtAllAndOtherFilesAreSaid) {
  const ChainDirectory directory;
  for (const std::string& content : {std::string(), std::string("SQLite format 3"),
                                     std::string(8192, '\0'), std::string(8192, 'x')}) {
    write_bytes(directory.file(), content);
    const auto file = directory.open();
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Code::database_damaged) << said(file.error());
    EXPECT_EQ(bytes_of(directory.file()), content) << "a damaged file is never replaced";
  }
}

// Everything that a node does with the file; the results may be anything but other bytes.
void use(ChainFile& file, const std::vector<std::vector<std::uint8_t>>& raw) {
  static_cast<void>(file.tip());
  for (chain::Height height = 0; height < raw.size() + 3; ++height) {
    static_cast<void>(file.at(height));
  }
  const auto bodies = file.bodies(1, raw.size() + 3, SIZE_MAX);
  for (std::size_t i = 0; i < bodies.size() && i < raw.size(); ++i) {
    ASSERT_EQ(bodies[i], raw[i]) << "other bytes at " << i + 1;
  }
  static_cast<void>(file.forks(100));
  static_cast<void>(file.paused());
  static_cast<void>(file.staged_tip());
  static_cast<void>(file.lowest_body());
  static_cast<void>(file.reorganise(raw.size()));
  static_cast<void>(file.drop_staged());
  static_cast<void>(file.prune(20, 10));
  static_cast<void>(file.set_paused(true));
}

TEST(ChainFileDamage, FlippedBitsAndCutFilesNeverCrashAndNeverGiveOtherBlocks) {
  constexpr int kRounds = 400;
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  Random random(seed);
  const ChainDirectory directory;
  std::vector<std::vector<std::uint8_t>> raw;
  make_chain(directory, raw);
  const std::string sound = bytes_of(directory.file());
  int opened = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string harmed = sound;
    if (round % 8 == 0) {
      harmed.resize(random.below(sound.size()));
    } else {
      // A third of the time the first page, where most of the structure is.
      const std::uint64_t range = round % 3 == 0 ? 4096 : harmed.size();
      for (auto flips = 1 + random.below(16); flips > 0; --flips) {
        auto& byte = harmed[random.below(range)];
        byte = static_cast<char>(byte ^ (1 << random.below(8)));
      }
    }
    remove_database_files(directory.file());
    write_bytes(directory.file(), harmed);
    if (auto reading = directory.open(OpenMode::read_only)) {
      static_cast<void>(reading->bodies(1, 100, SIZE_MAX));
    }
    auto file = directory.open();
    if (!file) continue;
    ++opened;
    use(*file, raw);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(opened, kRounds / 20) << "nothing was tried";
}

}  // namespace
}  // namespace timectl::store
