#pragma once
// Time as an argument. Instant is the monotonic clock (intervals, deadlines), WallTime is UTC
// (records). Both are read in daemon/clock.cc only; everything else is handed a Now.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl {

using Duration = std::chrono::microseconds;

struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

struct Now {
  Instant mono;
  WallTime wall;
};

[[nodiscard]] constexpr double seconds(Duration d) {
  return static_cast<double>(d.count()) / 1e6;
}

// 2026-11-21T11:30:00.123Z: always UTC with milliseconds, so that text sorts like time.
[[nodiscard]] std::string rfc3339(WallTime at);
// 2026-11-21 11:30:00 UTC, for a sentence.
[[nodiscard]] std::string utc_text(WallTime at);
// Accepts RFC 3339 with Z or an offset, 0 to 9 fraction digits; years 1970 to 9999.
[[nodiscard]] Result<WallTime> parse_rfc3339(std::string_view text);
// "90", "90s", "5m", "2h", "7d", "1h30m": 1 second to 10 years.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// "2.5 s", "3 min 20 s", "4 h 10 min", "12 d 3 h": two units at most, for people.
[[nodiscard]] std::string human_duration(Duration d);

}  // namespace timectl
