#include "daemon/chain/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "daemon/core/reflect.h"

namespace timectl::chain {
namespace {

TEST(Verdict, EveryReasonHasARowThatSaysWhatItMeans) {
  ASSERT_EQ(reason_table().size(), reason_count);
  ASSERT_EQ(names_of<Reason>().size(), reason_count);
  std::set<std::string_view> sentences;
  for (const ReasonRow& row : reason_table()) {
    SCOPED_TRACE(name_of(row.reason));
    EXPECT_EQ(&reason_row(row.reason), &row);
    EXPECT_TRUE(sentences.insert(row.sentence).second);
    EXPECT_NE(row.sentence.find("{found}"), std::string_view::npos);
    EXPECT_NE(row.sentence.find("{expected}"), std::string_view::npos);
    EXPECT_TRUE(row.meaning.ends_with('.'));
    EXPECT_GE(row.rule, 0);
    EXPECT_LE(row.rule, 10);
  }
}

TEST(Verdict, OnlyWhatTheProtocolCallsAWarningOrARelayCanChangeIsAWarning) {
  const std::set<Reason> warnings{Reason::proof_output, Reason::proof_challenge,
                                  Reason::block_reward, Reason::treasury_balance,
                                  Reason::producer_signature};
  const std::set<Reason> waits{Reason::from_the_future, Reason::height_ahead_of_clock};
  for (const ReasonRow& row : reason_table()) {
    const Effect wanted = warnings.contains(row.reason) ? Effect::warn
                          : waits.contains(row.reason)  ? Effect::wait
                                                        : Effect::refuse;
    EXPECT_EQ(row.effect, wanted) << name_of(row.reason);
  }
}

TEST(Verdict, AFindingIsASentenceWithItsNumbers) {
  EXPECT_EQ(text_of({Reason::wrong_height, std::uint64_t{17}, std::uint64_t{16}}),
            "height 17, expected 16");
  EXPECT_EQ(text_of({Reason::from_the_future, std::numeric_limits<std::int64_t>::max(),
                     std::numeric_limits<std::int64_t>::min()}),
            "timestamp 9223372036854775807, at most -9223372036854775808 now");
  wire::Hash32 found{};
  found[0] = 0xAB;
  EXPECT_EQ(text_of({Reason::wrong_parent, found, wire::Hash32{}}),
            "previous hash ab" + std::string(62, '0') + ", expected " + std::string(64, '0'));
}

TEST(Verdict, WarningsAcceptAndOneRefusalOutweighsThem) {
  const Finding warning{Reason::block_reward, std::uint64_t{1}, std::uint64_t{2}};
  const Finding wait{Reason::from_the_future, std::int64_t{1}, std::int64_t{2}};
  const Finding refusal{Reason::wrong_height, std::uint64_t{1}, std::uint64_t{2}};
  const auto with = [](std::vector<Finding> findings) {
    Verdict verdict;
    verdict.findings = std::move(findings);
    return verdict;
  };
  EXPECT_TRUE(with({}).accepted());
  EXPECT_TRUE(with({warning}).accepted());
  EXPECT_TRUE(with({warning}).has(Reason::block_reward));
  EXPECT_FALSE(with({warning}).has(Reason::wrong_height));
  EXPECT_FALSE(with({warning}).too_early());
  EXPECT_FALSE(with({warning, wait}).accepted());
  EXPECT_TRUE(with({warning, wait}).too_early());
  EXPECT_FALSE(with({wait, refusal}).too_early());
  EXPECT_FALSE(with({warning, refusal}).accepted());
}

}  // namespace
}  // namespace timectl::chain
