// The rules that look at the header alone: place, times, proof.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/chain/one_rule.h"

namespace timectl::chain {
namespace {

using test::after;
using test::ChainMaker;
using test::earliest;
using test::latest;
using test::most;
using test::reasons;
using test::verdict_on;

using HeaderRule = test::OneRule;

TEST_F(HeaderRule, HeightFollowsTheParents) {
  at_.now = maker_.time_of(100);
  for (const std::uint64_t height : {std::uint64_t{0}, std::uint64_t{20}, std::uint64_t{22}}) {
    draft_.header.height = height;
    draft_.header.timestamp = wire::params_of(at_.network).genesis_time + 22 * wire::block_seconds;
    maker_.draw_lot(draft_);
    expect_only(Reason::wrong_height, height, std::uint64_t{21});
  }
  EXPECT_EQ(text_of(sealed().findings.at(0)), "height 22, expected 21");
  // Heights do not begin again after the highest number.
  draft_.header.height = 0;
  at_.parent.height = most;
  maker_.draw_lot(draft_);
  expect_only(Reason::wrong_height, std::uint64_t{0}, most);
}

TEST_F(HeaderRule, PreviousHashIsTheParents) {
  draft_.header.previous_hash[31] ^= 1;
  maker_.draw_lot(draft_);
  expect_only(Reason::wrong_parent, draft_.header.previous_hash, maker_.tip().hash);
}

TEST_F(HeaderRule, HashIsTheAnnouncedOne) {
  at_.announced_hash = wire::Hash32{};
  const wire::Hash32 hash = sealed().hash;
  expect_only(Reason::wrong_hash, hash, wire::Hash32{});
  at_.announced_hash = hash;
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(HeaderRule, TimestampIsAtMost5SecondsAheadOfOurClock) {
  const std::int64_t slot = draft_.header.timestamp;
  draft_.header.timestamp = slot + 5;
  EXPECT_TRUE(sealed().findings.empty());
  for (const std::int64_t time : {slot + 6, latest}) {
    draft_.header.timestamp = time;
    expect_only(Reason::from_the_future, time, slot + 5);
  }
}

TEST_F(HeaderRule, TimestampIsNotBeforeGenesis) {
  ChainMaker first;
  at_ = after(first);
  draft_ = first.draft();
  const std::int64_t genesis = wire::params_of(at_.network).genesis_time;
  at_.tip_height.reset();
  draft_.header.timestamp = genesis;  // 600 s before the first slot
  EXPECT_TRUE(verdict_on(first.seal(draft_), at_).findings.empty());
  for (const std::int64_t time : {genesis - 1, earliest}) {
    draft_.header.timestamp = time;
    // The first slot is 600 s after genesis: what is before genesis is also too early for it.
    const Verdict verdict = verdict_on(first.seal(draft_), at_);
    EXPECT_EQ(reasons(verdict), (std::vector{Reason::before_genesis, Reason::ahead_of_schedule}));
  }
}

TEST_F(HeaderRule, HeightIsAtMostWhatOurClockAllows10SecondsEarly) {
  draft_.header.timestamp -= 10;
  at_.now = maker_.time_of(21) - std::chrono::seconds(10);
  EXPECT_TRUE(sealed().findings.empty());
  at_.now -= std::chrono::milliseconds(1);
  draft_.header.timestamp -= 10;
  expect_only(Reason::height_ahead_of_clock, std::uint64_t{21}, std::uint64_t{20});
}

TEST_F(HeaderRule, TimestampIsAtMost600SecondsBeforeItsSlotAnd30NearTheTip) {
  const std::int64_t slot = draft_.header.timestamp;
  at_.tip_height = 21 + 11;
  draft_.header.timestamp = slot - 600;
  EXPECT_TRUE(sealed().findings.empty());
  draft_.header.timestamp = slot - 601;
  expect_only(Reason::ahead_of_schedule, slot - 601, slot - 600);
  for (const std::uint64_t tip : {std::uint64_t{0}, std::uint64_t{21}, std::uint64_t{31}}) {
    at_.tip_height = tip;
    draft_.header.timestamp = slot - 30;
    EXPECT_TRUE(sealed().findings.empty());
    draft_.header.timestamp = slot - 31;
    expect_only(Reason::ahead_of_schedule_near_tip, slot - 31, slot - 30);
  }
  at_.tip_height = most;
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(HeaderRule, ABlockAboveHeight3HasALeader) {
  at_.keys = nullptr;
  draft_.leader.clear();
  expect_only(Reason::no_leader, std::uint64_t{21}, std::uint64_t{4});
  ChainMaker young;
  for (std::uint64_t height = 1; height <= 4; ++height) {
    at_ = after(young);
    at_.keys = nullptr;
    draft_ = young.draft();
    draft_.leader.clear();
    EXPECT_EQ(verdict_on(young.seal(draft_), at_).has(Reason::no_leader), height == 4);
    EXPECT_FALSE(young.next().empty());
  }
}

TEST_F(HeaderRule, AProofIsEmptyOr80BytesLong) {
  const auto proof = draft_.vrf_proof;
  for (const std::size_t size : {std::size_t{1}, std::size_t{79}, std::size_t{81}}) {
    draft_.vrf_proof = proof;
    draft_.vrf_proof.resize(size);
    expect_only(Reason::proof_size, std::uint64_t{size}, std::uint64_t{80});
  }
  // A fallback producer has none, and its score follows no rule.
  draft_.vrf_proof.clear();
  draft_.header.vrf_score += 1;
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(HeaderRule, TheScoreIsTheOutputsFirst8BytesLittleEndian) {
  const std::uint64_t score = draft_.header.vrf_score;
  draft_.header.vrf_score = __builtin_bswap64(score);
  expect_only(Reason::vrf_score, __builtin_bswap64(score), score);
}

TEST_F(HeaderRule, AProofForAnotherOutputOrChallengeIsAWarning) {
  const auto proof = draft_.vrf_proof;
  draft_.vrf_proof[0] ^= 1;
  expect_only(Reason::proof_output);
  draft_.vrf_proof = proof;
  draft_.vrf_proof[63] ^= 1;
  expect_only(Reason::proof_challenge);
  // The last quarter cannot be verified by anybody.
  draft_.vrf_proof = proof;
  draft_.vrf_proof[64] ^= 1;
  EXPECT_TRUE(sealed().findings.empty());
}

}  // namespace
}  // namespace timectl::chain
