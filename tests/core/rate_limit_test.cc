#include "daemon/core/rate_limit.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using namespace std::chrono_literals;
constexpr Rate kSixAMinute{6, 60s};

TEST(RateLimit, ABucketGivesItsTokensAndThenRefills) {
  TokenBucket bucket;
  const Instant start{1h};
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(bucket.take(kSixAMinute, start));
  EXPECT_FALSE(bucket.take(kSixAMinute, start));
  EXPECT_FALSE(bucket.take(kSixAMinute, start + 9s));
  EXPECT_TRUE(bucket.take(kSixAMinute, start + 10s));
  EXPECT_FALSE(bucket.take(kSixAMinute, start + 10s));
}

TEST(RateLimit, NextIsTheTimeAtWhichATokenIsThere) {
  TokenBucket bucket;
  Instant now{1h};
  for (int i = 0; i < 1000; ++i) {
    const Instant at = bucket.next({7, 3s}, now);
    ASSERT_GE(at, now);
    now = at;
    ASSERT_TRUE(bucket.take({7, 3s}, now));
  }
  EXPECT_GE(now, Instant{1h} + Duration(3s) * 990 / 7);
}

TEST(RateLimit, NoTokensMeansNever) {
  TokenBucket bucket;
  EXPECT_FALSE(bucket.take({0, 1s}, Instant{1h}));
  EXPECT_FALSE(BucketTable(4).available(IpAddress::v4(1, 2, 3, 4), {0, 1s}, Instant{1h}));
}

TEST(RateLimit, KeysDoNotDisturbEachOther) {
  BucketTable table(10);
  const Instant now{1h};
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(table.take(IpAddress::v4(1, 1, 1, 1), kSixAMinute, now));
  EXPECT_FALSE(table.take(IpAddress::v4(1, 1, 1, 1), kSixAMinute, now));
  EXPECT_TRUE(table.take(IpAddress::v4(1, 1, 1, 2), kSixAMinute, now));
}

TEST(RateLimit, TheTableNeverGrowsOverItsBoundAndForgetsTheLeastUsed) {
  BucketTable table(100);
  const Instant now{1h};
  const auto busy = IpAddress::v4(9, 9, 9, 9);
  for (int i = 0; i < 6; ++i) (void)table.take(busy, kSixAMinute, now);
  for (int i = 0; i < 10'000; ++i) {
    (void)table.take(
        IpAddress::v4(1, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)),
        kSixAMinute, now);
    EXPECT_FALSE(table.take(busy, kSixAMinute, now));  // in use, so not forgotten
    ASSERT_LE(table.size(), 100U);
  }
}

}  // namespace
}  // namespace timectl
