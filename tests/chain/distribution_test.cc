#include "daemon/chain/distribution.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace timectl::chain {
namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

using Amounts = std::vector<std::pair<std::string, std::uint64_t>>;

// Borrows the addresses.
std::vector<wire::MasternodeReward> rewards_of(const Amounts& amounts) {
  std::vector<wire::MasternodeReward> rewards;
  for (const auto& [address, amount] : amounts) rewards.push_back({address, amount});
  return rewards;
}

Payout payout(const Amounts& paid, const Amounts& listed) {
  std::vector<wire::TxOutput> outputs;
  for (const auto& [address, amount] : paid) {
    outputs.push_back(
        {amount, {reinterpret_cast<const std::uint8_t*>(address.data()), address.size()}});
  }
  const auto rewards = rewards_of(listed);
  return payout_of(outputs, rewards);
}

TEST(Distribution, PaysWhenTheSumsOfEachAddressAreEqualInAnyOrderAndSplit) {
  EXPECT_FALSE(payout({}, {}).difference);
  EXPECT_FALSE(payout({{"a", 3}, {"b", 4}}, {{"a", 3}, {"b", 4}}).difference);
  EXPECT_FALSE(payout({{"b", 4}, {"a", 3}}, {{"a", 3}, {"b", 4}}).difference);
  EXPECT_FALSE(payout({{"a", 3}, {"b", 4}}, {{"a", 1}, {"b", 4}, {"a", 2}}).difference);
  EXPECT_EQ(payout({{"a", 3}, {"b", 4}}, {}).total, 7U);
}

TEST(Distribution, AnAddressThatGetsNothingIsTheSameAsNone) {
  EXPECT_FALSE(payout({{"a", 3}}, {{"a", 3}, {"b", 0}}).difference);
  EXPECT_FALSE(payout({{"a", 3}, {"c", 0}}, {{"a", 3}, {"b", 0}}).difference);
}

TEST(Distribution, SaysBothSumsOfAnAddressThatIsPaidAnotherAmount) {
  const auto other = payout({{"a", 3}, {"b", 5}}, {{"a", 3}, {"b", 4}});
  ASSERT_TRUE(other.difference);
  EXPECT_EQ(other.difference->paid, 5U);
  EXPECT_EQ(other.difference->listed, 4U);
  const auto left_out = payout({{"a", 3}}, {{"a", 3}, {"b", 4}});
  ASSERT_TRUE(left_out.difference);
  EXPECT_EQ(left_out.difference->listed, 4U);
  const auto stranger = payout({{"a", 3}, {"x", 4}}, {{"a", 3}, {"b", 4}});
  ASSERT_TRUE(stranger.difference);
  EXPECT_EQ(stranger.difference->paid, 0U);
  EXPECT_EQ(stranger.difference->listed, 4U);
}

TEST(Distribution, SumsOver64BitsAreNotTakenForSmallOnes) {
  // Modulo 2^64 both sides would be 1.
  const auto around = payout({{"a", most}, {"a", 2}}, {{"a", 1}, {"b", 0}});
  ASSERT_TRUE(around.difference);
  EXPECT_EQ(around.total, most);
  EXPECT_EQ(around.difference->paid, most);
  EXPECT_EQ(around.difference->listed, 1U);
  // Both over 64 bits, and not equal.
  EXPECT_TRUE(payout({{"a", most}, {"a", 2}}, {{"a", most}, {"a", 3}}).difference);
  EXPECT_FALSE(payout({{"a", most}, {"a", 2}}, {{"a", 2}, {"a", most}}).difference);
}

TEST(Distribution, CountsAddressesThatGetSomethingOnceAndNotFurtherThanAsked) {
  const Amounts many{{"a", 1}, {"a", 2}, {"b", 0}, {"c", 5}, {"d", 6}, {"e", 7}};
  const auto rewards = rewards_of(many);
  EXPECT_EQ(rewarded_addresses(rewards, 0), 0U);
  EXPECT_EQ(rewarded_addresses(rewards, 1), 1U);
  EXPECT_EQ(rewarded_addresses(rewards, 3), 3U);
  EXPECT_EQ(rewarded_addresses(rewards, 100), 3U);
  const Amounts one{{"a", 1}, {"a", 2}, {"b", 0}};
  const auto few = rewards_of(one);
  EXPECT_EQ(rewarded_addresses(few, 3), 1U);
}

}  // namespace
}  // namespace timectl::chain
