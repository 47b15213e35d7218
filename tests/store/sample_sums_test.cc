#include <gtest/gtest.h>

#include <random>

#include "tests/store/sample_rows_of.h"

namespace timectl::store {
namespace {

double looked(Database& database, WallTime since, WallTime until) {
  const auto sums = sum_peer_samples(database, since, until);
  EXPECT_TRUE(sums) << sums.error().message;
  double total = 0;
  for (const auto& sum : *sums) total += sum.seconds;
  return total;
}

TEST(SampleSums, EachPeerHasOneRowOfThePeriod) {
  auto database = Database::in_memory();
  for (int step = 0; step < 12; ++step) {
    const auto at = kDay0 + minutes(5 * step);
    ASSERT_TRUE(put(database, {peer_sample(1, at), peer_sample(2, at)}, {node_sample(at)}));
  }
  const auto sums = *sum_peer_samples(database, kDay0 + minutes(6), kDay0 + minutes(21));
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums[0].ip, address(1));
  EXPECT_EQ(sums[0].seconds, 1200) << "the steps from 5 to 25: both ends within one";
  EXPECT_EQ(sums[0].at, kDay0 + minutes(5));
  EXPECT_EQ((*sum_node_samples(database, kDay0, kDay0 + minutes(10)))->blocks, 8U);
  EXPECT_EQ(*sum_node_samples(database, kDay0 + hours(5), kDay0 + hours(6)), std::nullopt);
  EXPECT_TRUE(sum_peer_samples(database, kDay0 + hours(5), kDay0 + hours(6))->empty());
  EXPECT_TRUE(sum_peer_samples(database, kDay0 + hours(1), kDay0)->empty());
  const WallTime end(std::chrono::milliseconds(253'402'300'799'999));
  EXPECT_EQ(looked(database, WallTime{}, end), 7200);
}

// Without `at`: where an hour was read it is the hour's beginning.
std::string sums_of(Database& database, WallTime since, WallTime until) {
  auto sums = *sum_peer_samples(database, since, until);
  for (auto& sum : sums) sum.at = {};
  return json_text(sums);
}

// The reference: rows that never were rolled up. Whatever is summed up meanwhile, and wherever the
// period begins and ends, the sums are the same to the bit.
TEST(SampleSums, RollUpChangesNoSumAtAnyTime) {
  std::mt19937 random(11);
  auto plain = Database::in_memory();
  auto rolled = Database::in_memory();
  constexpr int kSteps = 288 * 3;
  for (int step = 0; step < kSteps; ++step) {
    const auto at = kDay0 + minutes(5 * step);
    std::vector<PeerSample> rows;
    for (std::size_t peer = 1; peer <= 3; ++peer) {
      if (random() % 4 == 0) continue;
      auto row = peer_sample(peer, at, static_cast<double>(random() % 301));
      row.rtt_ms_mean = row.rtt_ms_min = row.rtt_ms_max = std::nullopt;  // means are rounded
      row.pings = random() % 20;
      if (random() % 3 == 0) row.height = std::nullopt;
      rows.push_back(row);
    }
    ASSERT_TRUE(put(plain, rows));
    ASSERT_TRUE(put(rolled, rows));
    if (random() % 40 == 0) {
      // Not to the end: some of what is due still waits.
      for (auto chunk = random() % 3; chunk > 0; --chunk) {
        ASSERT_TRUE(roll_up_samples(rolled, {}, at));
      }
      const auto since = kDay0 + minutes(random() % (5 * kSteps));
      const auto until = since + minutes(random() % 4000);
      ASSERT_EQ(sums_of(rolled, since, until), sums_of(plain, since, until))
          << rfc3339(since) << " to " << rfc3339(until);
    }
  }
  roll_up(rolled, kDay0 + hours(80));
  for (int round = 0; round < 100; ++round) {
    const auto since = kDay0 + minutes(random() % (5 * kSteps));
    const auto until = since + minutes(random() % 4000);
    ASSERT_EQ(sums_of(rolled, since, until), sums_of(plain, since, until))
        << rfc3339(since) << " to " << rfc3339(until);
  }
}

TEST(SampleSums, RemovedStepsAreCountedFromTheStepsAboveThemOnly) {
  auto database = Database::in_memory();
  for (int step = 0; step < 288 * 4; ++step) {
    ASSERT_TRUE(put(database, {peer_sample(1, kDay0 + minutes(5 * step))}));
  }
  SampleRetention retention;
  retention.five_minutes = hours(24);
  retention.hours = hours(48);
  const auto now = kDay0 + hours(96) + minutes(20);
  // At each chunk of the removal the same sum, although the rows go one after the other.
  std::size_t chunks = 0;
  for (;; ++chunks) {
    const auto changed = roll_up_samples(database, retention, now);
    ASSERT_TRUE(changed);
    ASSERT_EQ(looked(database, kDay0, kDay0 + hours(96)), 96 * 3600) << chunks;
    if (*changed == 0) break;
  }
  EXPECT_GT(chunks, 100U);
  // Where only days are left, the whole day counts; then whole hours; then steps.
  EXPECT_EQ(looked(database, kDay0 + hours(7), kDay0 + hours(8)), 86'400);
  EXPECT_EQ(looked(database, kDay0 + hours(50) + minutes(10), kDay0 + hours(51)), 3600);
  EXPECT_EQ(looked(database, kDay0 + hours(80) + minutes(10), kDay0 + hours(81)), 3000);
  EXPECT_EQ(looked(database, kDay0 + hours(20), kDay0 + hours(90)), (24 * 3 + 18) * 3600);
}

}  // namespace
}  // namespace timectl::store
