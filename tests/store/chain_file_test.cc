#include "store/chain_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <thread>

#include "tests/store/chain_directory.h"

namespace timectl::store {
namespace {

constexpr std::size_t kNoLimit = SIZE_MAX;

TEST(ChainFile, ANewFileHoldsTheGenesisBlockOfItsNetworkByteForByte) {
  for (const auto network : {Network::mainnet, Network::testnet}) {
    const ChainDirectory directory;
    const auto wire_network =
        network == Network::mainnet ? wire::Network::mainnet : wire::Network::testnet;
    auto file = directory.open(OpenMode::read_write, network);
    ASSERT_TRUE(file) << said(file.error());
    EXPECT_EQ(file->tip().block, chain::genesis_parent(wire_network));
    EXPECT_EQ(file->hash_at(0), wire::params_of(wire_network).genesis_hash);
    EXPECT_FALSE(file->hash_at(1));
    const auto raw = file->bodies(0, 10, kNoLimit);
    ASSERT_EQ(raw.size(), 1U);
    EXPECT_EQ(wire::Bytes(raw[0]), wire::genesis_block(wire_network));
    struct stat status {};
    ASSERT_EQ(::stat(directory.file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
}

TEST(ChainFile, WhatIsAppendedIsReadBackByteForByteAlsoAfterOpeningAgain) {
  const ChainDirectory directory;
  ChainMaker maker({.spends = 3});
  const BlocksToStore blocks(maker.next(120));
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append(blocks.blocks().first(50)));
    ASSERT_TRUE(file->append(blocks.blocks().subspan(50)));
    EXPECT_EQ(file->tip(), blocks.tip_of(119));
  }
  EXPECT_FALSE(std::filesystem::exists(directory.file().string() + "-wal")) << "merged at the end";
  auto file = directory.open();
  ASSERT_TRUE(file) << said(file.error());
  EXPECT_EQ(file->tip(), blocks.tip_of(119));
  EXPECT_EQ(file->bodies(1, 200, kNoLimit), blocks.raw());
  for (std::size_t i = 0; i < blocks.raw().size(); ++i) {
    EXPECT_EQ(file->at(i + 1), blocks.tip_of(i));
    EXPECT_EQ(file->hash_at(i + 1), blocks.blocks()[i].hash);
  }
  for (const chain::Height none : {chain::Height{121}, chain::Height{1} << 63U, UINT64_MAX}) {
    EXPECT_FALSE(file->at(none));
    EXPECT_TRUE(file->bodies(none, UINT64_MAX, kNoLimit).empty());
  }
  EXPECT_TRUE(file->bodies(10, 9, kNoLimit).empty());
}

TEST(ChainFile, BodiesStopBeforeTheLimitAndNeverBeforeTheFirst) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  ChainMaker maker({.block_size = 2000});
  ASSERT_TRUE(test::fill(*file, maker, 10));
  EXPECT_EQ(file->bodies(1, 10, 0).size(), 1U);
  EXPECT_EQ(file->bodies(1, 10, 3999).size(), 1U);
  EXPECT_EQ(file->bodies(1, 10, 4000).size(), 2U);
  EXPECT_EQ(file->bodies(1, 3, kNoLimit).size(), 3U);
}

TEST(ChainFile, TheLargestBlockIsKept) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  ChainMaker maker({.block_size = wire::max_block_size});
  const BlocksToStore blocks(maker.next(2));
  ASSERT_EQ(blocks.raw()[0].size(), wire::max_block_size);
  const auto done = file->append(blocks.blocks());
  ASSERT_TRUE(done) << said(done.error());
  EXPECT_EQ(file->bodies(1, 2, kNoLimit), blocks.raw());
}

TEST(ChainFile, BlocksThatDoNotGoOnFromTheTipAreRefusedAndNothingOfThemIsStored) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  ChainMaker maker;
  ASSERT_TRUE(test::fill(*file, maker, 5));
  ChainMaker other = maker.branch(2);
  const BlocksToStore next(maker.next(4));
  const BlocksToStore elsewhere(other.next(4));
  const auto tip = file->tip();
  const auto refused = [&](std::vector<chain::ChainBlock> blocks) {
    const auto done = file->append(blocks);
    EXPECT_FALSE(done);
    if (!done) {
      EXPECT_EQ(done.error().code, Code::invalid_argument);
    }
    EXPECT_EQ(file->tip(), tip);
    EXPECT_FALSE(file->hash_at(6));
  };
  const auto good = next.blocks();
  refused({good[1]});                         // a gap to the tip
  refused({good[0], good[2]});                // a gap inside
  refused({good[0], good[0]});                // a repetition
  refused({good[0], elsewhere.blocks()[1]});  // another parent
  chain::ChainBlock renamed = good[1];
  renamed.height = 6;
  refused({renamed});  // the number alone does not make it fit
  chain::ChainBlock cut = good[0];
  cut.header_size = cut.raw.size() + 1;
  refused({cut});
  cut.header_size = 43;
  refused({cut});
  EXPECT_TRUE(file->append({}));
  EXPECT_TRUE(file->append(good));
}

TEST(ChainFile, AReaderSeesWhatTheWriterCommitted) {
  const ChainDirectory directory;
  auto writer = directory.open();
  ASSERT_TRUE(writer);
  auto reader = writer->open_reader();
  ASSERT_TRUE(reader) << said(reader.error());
  ChainMaker maker;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(test::fill(*writer, maker, 10));
    EXPECT_EQ(reader->tip(), writer->tip());
    EXPECT_EQ(reader->hash_at(maker.tip().height), maker.tip().hash);
    EXPECT_EQ(reader->bodies(1, 100, kNoLimit).size(), 10U * static_cast<unsigned>(i + 1));
  }
  const BlocksToStore more(maker.next(1));
  const auto refused = reader->append(more.blocks());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::database_unwritable);
  EXPECT_FALSE(reader->set_paused(true));
}

TEST(ChainFile, AReaderOnAnotherThreadIsNeverRefusedAndSeesTheChainGrow) {
  const ChainDirectory directory;
  auto writer = directory.open();
  ASSERT_TRUE(writer);
  auto reader = writer->open_reader();
  ASSERT_TRUE(reader);
  constexpr std::size_t kBlocks = 600;
  std::jthread storing([&] {
    ChainMaker maker({.block_size = 0, .sign = false});
    // Each commit is three pages of the log at least: a checkpoint comes after 1000.
    for (std::size_t i = 0; i < kBlocks; ++i) {
      const auto done = test::fill(*writer, maker, 1);
      ASSERT_TRUE(done) << said(done.error());
    }
  });
  chain::Height seen = 0;
  while (seen < kBlocks && !HasFailure()) {
    const auto tip = reader->tip();
    ASSERT_GE(tip.block.height, seen);
    seen = tip.block.height;
    ASSERT_EQ(reader->hash_at(seen), tip.block.hash);
    ASSERT_EQ(reader->bodies(seen, seen, 0).size(), 1U);
    ASSERT_FALSE(reader->read_failure()) << said(*reader->read_failure());
  }
}

TEST(ChainFile, ReadOnlyNeedsAFileAndChangesNothing) {
  const ChainDirectory directory;
  const auto none = directory.open(OpenMode::read_only);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
  ChainMaker maker;
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    ASSERT_TRUE(test::fill(*file, maker, 10));
  }
  const std::string before = bytes_of(directory.file());
  {
    auto file = directory.open(OpenMode::read_only);
    ASSERT_TRUE(file) << said(file.error());
    EXPECT_EQ(file->tip().block, maker.tip());
    const BlocksToStore more(maker.next(1));
    EXPECT_FALSE(file->append(more.blocks()));
    auto reader = file->open_reader();
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->tip(), file->tip());
  }
  EXPECT_EQ(bytes_of(directory.file()), before);
  EXPECT_FALSE(std::filesystem::exists(directory.file().string() + "-wal"));
}

TEST(ChainFile, PruningTakesTheLowestBodiesAndLeavesTheHeaders) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  ChainMaker maker;
  ASSERT_TRUE(test::fill(*file, maker, 100));
  EXPECT_EQ(file->prune(1000, 50).value(), 0U) << "all are within what is kept";
  EXPECT_EQ(file->prune(100, 50).value(), 0U);
  EXPECT_EQ(file->lowest_body().value(), 0U);
  EXPECT_EQ(file->prune(30, 50).value(), 50U);
  EXPECT_EQ(file->lowest_body().value(), 50U);
  EXPECT_EQ(file->prune(30, 50).value(), 20U);
  EXPECT_EQ(file->lowest_body().value(), 70U) << "30 below the tip of 100";
  EXPECT_EQ(file->prune(30, 50).value(), 0U);
  EXPECT_TRUE(file->bodies(69, 100, kNoLimit).empty());
  EXPECT_EQ(file->bodies(70, 100, kNoLimit).size(), 31U);
  EXPECT_TRUE(file->hash_at(3)) << "headers stay";
  EXPECT_EQ(file->prune(0, 1000).value(), 30U);
  EXPECT_EQ(file->bodies(100, 100, kNoLimit).size(), 1U);
  ASSERT_TRUE(test::fill(*file, maker, 5)) << "the chain goes on";
  EXPECT_EQ(file->bodies(100, 200, kNoLimit).size(), 6U);
}

TEST(ChainFile, PruningMuchGivesTheSpaceBack) {
  const ChainDirectory directory;
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    ChainMaker maker({.block_size = 8000, .sign = false});
    ASSERT_TRUE(test::fill(*file, maker, 2000));
  }
  const auto full = std::filesystem::file_size(directory.file());
  {
    auto file = directory.open();
    ASSERT_TRUE(file);
    while (file->prune(10, 200).value() > 0) {
    }
  }
  EXPECT_LT(std::filesystem::file_size(directory.file()), full / 2);
  EXPECT_EQ(directory.number("SELECT count(*) FROM block"), 2001);
  EXPECT_EQ(directory.number("SELECT count(*) FROM body"), 11);
}

TEST(ChainFile, TheOtherNetworkIsRefused) {
  const ChainDirectory directory;
  ASSERT_TRUE(directory.open());
  for (const auto mode : {OpenMode::read_write, OpenMode::read_only}) {
    const auto other = directory.open(mode, Network::mainnet);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::bad_data);
    EXPECT_NE(other.error().message.find("testnet"), std::string::npos);
  }
  EXPECT_TRUE(directory.open());
}

TEST(ChainFile, AFullDiskIsNamedLosesNothingAndIsLeftBehindWhenSpaceReturns) {
  const ChainDirectory directory;
  const int status = in_child([&]() -> int {
    ::signal(SIGXFSZ, SIG_IGN);
    auto file = directory.open();
    if (!file) return 10;
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 300'000;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ChainMaker maker({.sign = false});
    Result<void> done{};
    BlocksToStore blocks({});
    for (int i = 0; done && i < 1000; ++i) {
      blocks = BlocksToStore(maker.next(10));
      const auto before = file->tip();
      done = file->append(blocks.blocks());
      if (!done && file->tip() != before) return 11;
    }
    if (done || done.error().code != Code::database_full) return 12;
    if (file->hash_at(blocks.blocks()[0].height)) return 13;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (!file->append(blocks.blocks())) return 14;
    return file->tip().block == maker.tip() ? 0 : 15;
  });
  EXPECT_EQ(status, 0);
  auto file = directory.open();
  ASSERT_TRUE(file) << said(file.error());
  expect_continuous(*file);
}

TEST(ChainFile, TheLogStaysSmallWhileAChainIsStored) {
  const ChainDirectory directory;
  auto file = directory.open();
  ASSERT_TRUE(file);
  auto reader = file->open_reader();
  ASSERT_TRUE(reader);
  ChainMaker maker({.block_size = 20'000, .sign = false});
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(test::fill(*file, maker, 50));
    EXPECT_EQ(reader->bodies(1, 50, kNoLimit).size(), 50U);
  }
  // 40 MB went through it. A checkpoint comes after 4 MB, one transaction is 1 MB.
  constexpr std::uintmax_t kMostLog = 16U << 20U;
  EXPECT_LT(std::filesystem::file_size(directory.file().string() + "-wal"), kMostLog);
}

TEST(ChainFile, TheFileIsPutAsideWithWhatIsBesideItAndOneIsKept) {
  const ChainDirectory directory;
  const std::string aside = directory.file().string() + ".damaged";
  for (const char* content : {"first", "second"}) {
    write_bytes(directory.file(), content);
    ASSERT_FALSE(directory.open());
    write_bytes(directory.file().string() + "-wal", std::string(content) + " log");
    const auto done = ChainFile::set_aside(directory.path());
    ASSERT_TRUE(done) << said(done.error());
    EXPECT_EQ(*done, aside);
    EXPECT_EQ(bytes_of(aside), content);
    EXPECT_EQ(bytes_of(aside + "-wal"), std::string(content) + " log");
    EXPECT_FALSE(std::filesystem::exists(directory.file()));
    EXPECT_FALSE(std::filesystem::exists(directory.file().string() + "-wal"));
  }
  // Killed after the file and before the log.
  write_bytes(directory.file().string() + "-wal", "third log");
  const auto left = directory.open();
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().code, Code::database_damaged);
  ASSERT_TRUE(ChainFile::set_aside(directory.path()));
  EXPECT_EQ(bytes_of(aside), "second");
  EXPECT_EQ(bytes_of(aside + "-wal"), "third log");
  auto file = directory.open();
  ASSERT_TRUE(file) << said(file.error());
  EXPECT_EQ(file->tip().block.height, 0U);
}

}  // namespace
}  // namespace timectl::store
