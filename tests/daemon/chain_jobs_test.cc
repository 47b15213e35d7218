#include "daemon/chain_jobs.h"

#include <gtest/gtest.h>

#include "daemon/chain/stored_block.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/messages.h"
#include "tests/store/chain_directory.h"

namespace timectl {
namespace {

using chain::Height;
using chain::Reason;
using chain::VerifyDone;
using chain::VerifyJob;
using store::ChainDirectory;
using store::said;
using test::ChainMaker;

using RawBlocks = std::vector<std::vector<std::uint8_t>>;

// A BlocksResponse of these blocks, and the heights that stand in them.
std::shared_ptr<chain::BlockBatch> batch_of(const RawBlocks& raw) {
  std::vector<wire::Arena> arenas(raw.size());
  std::vector<wire::Block> blocks;
  auto batch = std::make_shared<chain::BlockBatch>();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    blocks.push_back(wire::decode_block(raw[i], arenas[i]).value());
    batch->heights.push_back(blocks.back().header.height);
  }
  batch->payload = wire::encode(wire::msg::BlocksResponse{blocks});
  return batch;
}

class ChainJobs : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = directory_.open();
    ASSERT_TRUE(opened) << said(opened.error());
    file_.emplace(std::move(*opened));
  }
  [[nodiscard]] VerifyJob job_on(const chain::Parent& parent, const RawBlocks& raw) const {
    VerifyJob job;
    job.at.network = wire::Network::testnet;
    job.at.parent = parent;
    job.at.now = maker_.time_of(1000);
    job.batch = batch_of(raw);
    return job;
  }
  [[nodiscard]] Result<VerifyDone> verify(const VerifyJob& job) {
    auto done = do_job(*file_, arena_, job);
    if (!done) return done.error();
    return std::get<VerifyDone>(*done);
  }

  ChainDirectory directory_;
  std::optional<store::ChainFile> file_;
  wire::Arena arena_;
  ChainMaker maker_;
};

void expect_only(const std::optional<VerifyDone::Refused>& refused, Height height, Reason reason) {
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->height, height);
  ASSERT_EQ(refused->findings.size(), 1U);
  EXPECT_EQ(refused->findings[0].reason, reason);
}

TEST_F(ChainJobs, GoodBlocksAreStoredInTheirOrderByteForByte) {
  const auto genesis = maker_.tip();
  const RawBlocks raw = maker_.next(50);
  VerifyJob job = job_on(genesis, raw);
  job.keys = std::make_shared<chain::ProducerKeys>(maker_.keys());
  const auto done = verify(job);
  ASSERT_TRUE(done) << said(done.error());
  EXPECT_FALSE(done->refused);
  EXPECT_EQ(done->hashes.size(), 50U);
  ASSERT_TRUE(done->tip);
  EXPECT_EQ(done->tip->block, maker_.tip());
  EXPECT_EQ(done->signatures_invalid, 0U);
  EXPECT_EQ(file_->tip(), *done->tip);
  EXPECT_EQ(file_->bodies(1, 50, SIZE_MAX), raw);
  for (Height height = 1; height <= 50; ++height) {
    EXPECT_EQ(file_->hash_at(height), done->hashes[height - 1]);
  }
  // The next batch stands on what came out.
  const auto more = verify(job_on(done->tip->block, maker_.next(3)));
  ASSERT_TRUE(more);
  EXPECT_EQ(file_->tip().block.height, 53U);
}

TEST_F(ChainJobs, BlocksBeforeTheFirstThatIsRefusedAreStoredAndNoneAfterIt) {
  const auto genesis = maker_.tip();
  RawBlocks raw = maker_.next(4);
  auto draft = maker_.draft();
  draft.header.block_reward += 1;
  draft.transactions[0].outputs[0].value += 1;
  raw.push_back(maker_.seal(draft));
  raw.push_back(maker_.next());
  raw.push_back(maker_.next());
  VerifyJob job = job_on(genesis, raw);
  const auto done = verify(job);
  ASSERT_TRUE(done) << said(done.error());
  EXPECT_EQ(done->hashes.size(), 4U);
  ASSERT_TRUE(done->refused);
  EXPECT_EQ(done->refused->height, 5U);
  EXPECT_FALSE(done->refused->too_early);
  EXPECT_FALSE(done->refused->other_branch);
  EXPECT_FALSE(done->refused->findings.empty());
  EXPECT_EQ(file_->tip().block.height, 4U);
}

TEST_F(ChainJobs, ABlockThatIsOnlyTooEarlyIsSaidToBe) {
  const auto genesis = maker_.tip();
  VerifyJob job = job_on(genesis, maker_.next(10));
  job.at.now = maker_.time_of(7);
  const auto done = verify(job);
  ASSERT_TRUE(done);
  EXPECT_EQ(file_->tip().block.height, 7U);
  ASSERT_TRUE(done->refused);
  EXPECT_EQ(done->refused->height, 8U);
  EXPECT_TRUE(done->refused->too_early);
}

TEST_F(ChainJobs, ABatchOfAnotherBranchIsToldFromABadOne) {
  const auto genesis = maker_.tip();
  ASSERT_TRUE(verify(job_on(genesis, maker_.next(10))));
  ChainMaker other({.seed = 9});
  const RawBlocks theirs = other.next(20);
  const RawBlocks above(theirs.begin() + 10, theirs.end());
  const auto parted = verify(job_on(file_->tip().block, above));
  ASSERT_TRUE(parted);
  expect_only(parted->refused, 11, Reason::wrong_parent);
  EXPECT_TRUE(parted->refused->other_branch);
  EXPECT_TRUE(parted->hashes.empty());
  EXPECT_FALSE(parted->tip);
  // Inside a batch it is no other branch but two in one answer.
  RawBlocks mixed = maker_.next(2);
  mixed.push_back(theirs[12]);
  const auto torn = verify(job_on(file_->tip().block, mixed));
  ASSERT_TRUE(torn);
  expect_only(torn->refused, 13, Reason::wrong_parent);
  EXPECT_FALSE(torn->refused->other_branch);
  EXPECT_EQ(file_->tip().block.height, 12U);
  // Another parent and something else is just bad.
  VerifyJob job = job_on(file_->tip().block, {theirs[12]});
  job.known = {{13, wire::Hash32{1}}};
  const auto bad = verify(job);
  ASSERT_TRUE(bad && bad->refused);
  EXPECT_FALSE(bad->refused->other_branch);
  // And the wrong height.
  const auto gap = verify(job_on(file_->tip().block, {theirs[15]}));
  ASSERT_TRUE(gap && gap->refused);
  EXPECT_FALSE(gap->refused->other_branch);
}

TEST_F(ChainJobs, ABlockThatIsNotTheOneKnownForItsHeightIsRefused) {
  const auto genesis = maker_.tip();
  VerifyJob job = job_on(genesis, maker_.next(5));
  const auto fifth = maker_.tip().hash;
  job.known = {{3, wire::Hash32{7}}, {99, wire::Hash32{8}}};
  const auto done = verify(job);
  ASSERT_TRUE(done);
  expect_only(done->refused, 3, Reason::wrong_hash);
  EXPECT_EQ(file_->tip().block.height, 2U);
  // The right one passes.
  ChainMaker again;
  RawBlocks raw = again.next(5);
  VerifyJob rest = job_on(file_->tip().block, RawBlocks(raw.begin() + 2, raw.end()));
  rest.known = {{5, fifth}};
  EXPECT_FALSE(verify(rest).value().refused);
  EXPECT_EQ(file_->tip().block.height, 5U);
}

TEST_F(ChainJobs, AWholeBatchIsStoredAsAWholeOrNotAtAll) {
  const auto genesis = maker_.tip();
  const RawBlocks raw = maker_.next(20);
  VerifyJob job = job_on(genesis, raw);
  job.known = {{20, wire::Hash32{7}}};
  job.whole = true;
  const auto refused = verify(job);
  ASSERT_TRUE(refused);
  expect_only(refused->refused, 20, Reason::wrong_hash);
  EXPECT_FALSE(refused->tip);
  EXPECT_TRUE(refused->hashes.empty());
  EXPECT_EQ(file_->tip().block.height, 0U);
  job.known = {{20, maker_.tip().hash}};
  const auto stored = verify(job);
  ASSERT_TRUE(stored);
  EXPECT_FALSE(stored->refused);
  EXPECT_EQ(file_->tip().block.height, 20U);
}

TEST_F(ChainJobs, AWrongSignatureIsCountedAndRefusesNothing) {
  const auto genesis = maker_.tip();
  VerifyJob job = job_on(genesis, maker_.next(10));
  auto keys = maker_.keys();
  const auto some_key = keys.begin()->second;
  for (auto& [leader, key] : keys) key = some_key;
  job.keys = std::make_shared<chain::ProducerKeys>(keys);
  const auto done = verify(job);
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->refused);
  EXPECT_GT(done->signatures_invalid, 0U);
  EXPECT_LT(done->signatures_invalid, 10U) << "the first leader's key is the right one";
  EXPECT_EQ(done->hashes.size(), 10U);
}

TEST_F(ChainJobs, BlocksInTheFormBefore13AreRefusedWithoutBeingStored) {
  const auto genesis = maker_.tip();
  VerifyJob job = job_on(genesis, maker_.next(3));
  auto older = std::make_shared<chain::BlockBatch>(*job.batch);
  // As older nodes send them: without the two fields at the end of each header.
  wire::Arena arena;
  const auto decoded = wire::decode(job.batch->payload, arena);
  ASSERT_TRUE(decoded);
  const auto& blocks = std::get<wire::msg::BlocksResponse>(decoded->message).blocks;
  older->payload.assign(job.batch->payload.begin(), job.batch->payload.begin() + 12);
  for (const wire::Block& block : blocks) {
    const auto header = chain::header_size(block.header);
    older->payload.insert(older->payload.end(), block.raw.begin(), block.raw.begin() + header - 16);
    older->payload.insert(older->payload.end(), block.raw.begin() + header, block.raw.end());
  }
  ASSERT_TRUE(wire::decode_legacy(older->payload, arena)->legacy);
  job.batch = older;
  const auto done = verify(job);
  ASSERT_TRUE(done);
  expect_only(done->refused, 1, Reason::wrong_hash);
  EXPECT_EQ(file_->tip().block.height, 0U);
}

TEST_F(ChainJobs, ABatchThatIsNotWhatItWasTakenForIsRefused) {
  const auto genesis = maker_.tip();
  const VerifyJob good = job_on(genesis, maker_.next(3));
  const auto refused = [&](const std::function<void(chain::BlockBatch&)>& change) {
    VerifyJob job = good;
    auto batch = std::make_shared<chain::BlockBatch>(*good.batch);
    change(*batch);
    job.batch = batch;
    const auto done = verify(job);
    ASSERT_TRUE(done);
    expect_only(done->refused, 1, Reason::wrong_hash);
    EXPECT_EQ(file_->tip().block.height, 0U);
  };
  refused([](auto& batch) { batch.payload.clear(); });
  refused([](auto& batch) { batch.payload.resize(batch.payload.size() / 2); });
  refused([](auto& batch) { batch.payload = wire::encode(wire::msg::GetChainTip{}); });
  refused([](auto& batch) { batch.heights.pop_back(); });
  refused([](auto& batch) { batch.heights.push_back(4); });
  refused([](auto& batch) { batch.heights[1] = 7; });
  EXPECT_FALSE(verify(good)->refused) << "the control";
}

TEST_F(ChainJobs, AnEmptyBatchIsDoneAtOnce) {
  const auto done = verify(job_on(maker_.tip(), {}));
  ASSERT_TRUE(done) << said(done.error());
  EXPECT_FALSE(done->refused);
  EXPECT_FALSE(done->tip);
  EXPECT_TRUE(done->hashes.empty());
}

TEST_F(ChainJobs, AJobThatDoesNotStandOnTheStoredChainIsAnErrorAndChangesNothing) {
  const auto genesis = maker_.tip();
  const VerifyJob job = job_on(genesis, maker_.next(3));
  ASSERT_TRUE(verify(job));
  const auto again = verify(job);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::invalid_argument);
  EXPECT_EQ(file_->tip().block.height, 3U);
}

TEST_F(ChainJobs, ABranchIsStagedTakenOverAndPruned) {
  const auto genesis = maker_.tip();
  ASSERT_TRUE(verify(job_on(genesis, maker_.next(10))));
  const auto ours = file_->tip();
  ChainMaker other({.seed = 9});
  VerifyJob stage = job_on(genesis, other.next(15));
  stage.staged = true;
  const auto staged = verify(stage);
  ASSERT_TRUE(staged) << said(staged.error());
  EXPECT_EQ(staged->tip->block, other.tip());
  EXPECT_EQ(file_->tip(), ours);
  EXPECT_EQ(file_->staged_tip().value(), staged->tip);

  const auto changed = do_job(*file_, arena_, chain::ReorganiseJob{0});
  ASSERT_TRUE(changed) << said(changed.error());
  EXPECT_EQ(std::get<chain::ReorganiseDone>(*changed).tip, *staged->tip);
  EXPECT_EQ(std::get<chain::ReorganiseDone>(*changed).replaced, 10U);
  EXPECT_FALSE(do_job(*file_, arena_, chain::ReorganiseJob{0})) << "nothing is staged any more";

  VerifyJob dropped = job_on(genesis, ChainMaker({.seed = 10}).next(2));
  dropped.staged = true;
  ASSERT_TRUE(verify(dropped));
  ASSERT_TRUE(do_job(*file_, arena_, chain::DropStagedJob{}));
  EXPECT_EQ(file_->staged_tip().value(), std::nullopt);

  const auto pruned = do_job(*file_, arena_, chain::PruneJob{5, 2000});
  ASSERT_TRUE(pruned);
  EXPECT_EQ(std::get<chain::PruneDone>(*pruned).pruned, 10U);  // 0 to 9
}

}  // namespace
}  // namespace timectl
