#include "daemon/core/time.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace timectl {
namespace {

using namespace std::chrono_literals;

TEST(Time, Rfc3339IsUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(WallTime(0ms)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime(1'795'260'600'123ms)), "2026-11-21T11:30:00.123Z");
  EXPECT_EQ(rfc3339(WallTime(951'782'399'999ms)), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(rfc3339(WallTime(951'782'400'000ms)), "2000-02-29T00:00:00.000Z");
}

TEST(Time, Rfc3339RoundTripsOverFiveHundredYears) {
  for (std::int64_t ms = 0; ms < 15'000'000'000'000; ms += 86'399'999 * 37LL) {
    const WallTime at{std::chrono::milliseconds(ms)};
    const auto parsed = parse_rfc3339(rfc3339(at));
    ASSERT_TRUE(parsed) << rfc3339(at);
    ASSERT_EQ(*parsed, at);
  }
}

TEST(Time, Rfc3339AcceptsOffsetsAndFractions) {
  const WallTime at{1'795'260'600'120ms};
  for (const char* text : {"2026-11-21T11:30:00.12Z", "2026-11-21T13:30:00.120+02:00",
                           "2026-11-21t11:30:00.120999999z", "2026-11-21 06:00:00.12-05:30"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, at) << text;
  }
}

TEST(Time, Rfc3339RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-11-21", "2026-11-21T11:30:00", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z",
        "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T11:60:00Z",
        "2026-11-21T11:30:00.Z", "2026-11-21T11:30:00.1234567890Z", "2026-11-21T11:30:00Zx",
        "2026-11-21T11:30:00+2:00", "20261121T113000Z", "2026-1a-21T11:30:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Time, DurationsAreReadByTheirUnits) {
  const std::vector<std::pair<const char*, Duration>> table = {
      {"90", 90s},      {"90s", 90s},         {"5m", 5min},      {"2h", 2h}, {"7d", 168h},
      {"1h30m", 90min}, {"1d2h3m4s", 93784s}, {"3650d", 87600h}, {"1", 1s}};
  for (const auto& [text, expected] : table) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(Time, DurationsThatAreNoneAreRefused) {
  for (const char* text : {"", "0", "0s", "s", "-5s", "1.5h", "5x", "1h30", "30m1h", "1h1h",
                           "3651d", "99999999999999999999", " 5s", "5 s", "5M"}) {
    const auto parsed = parse_duration(text);
    EXPECT_FALSE(parsed) << text;
    if (!parsed) {
      EXPECT_FALSE(parsed.error().because.empty()) << text;
    }
  }
}

TEST(Time, HumanDurationsHaveTwoUnitsAtMost) {
  const std::vector<std::pair<Duration, const char*>> table = {
      {2500ms, "2.5 s"},    {0s, "0.0 s"},          {12s, "12 s"},
      {200s, "3 min 20 s"}, {250min, "4 h 10 min"}, {291h, "12 d 3 h"},
      {3600s, "1 h"},       {3601s, "1 h"},         {-90s, "-1 min 30 s"}};
  for (const auto& [duration, text] : table) EXPECT_EQ(human_duration(duration), text);
}

}  // namespace
}  // namespace timectl
