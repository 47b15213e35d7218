#pragma once
// What stands before the message of a line: the time, the host, the unit and the level, in each of
// the forms in which timed's log comes: debug.log, journalctl's short, short-iso, short-full and
// short-unix, `-o cat`, a terminal, attacks.log, a container's. A line that begins otherwise is a
// message without a prefix. Called for every line of a log; it does not allocate.

#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/time.h"

namespace timectl::diagnose {

// journalctl prints local time without a year: the machine's offset from UTC, and now, to know
// which year was meant.
struct LogClock {
  WallTime now = {};
  Duration local_offset = {};
};

struct LogLine {
  std::optional<WallTime> at = {};
  std::string_view message = {};
  bool prefixed = false;  // with a time or a level
};

class LogPrefix {
 public:
  explicit LogPrefix(LogClock clock) : clock_(clock) {}
  [[nodiscard]] LogLine read(std::string_view line);

 private:
  [[nodiscard]] std::optional<WallTime> take_time(std::string_view& text);
  [[nodiscard]] std::optional<WallTime> take_iso(std::string_view& text);
  [[nodiscard]] std::optional<WallTime> take_syslog(std::string_view& text);
  [[nodiscard]] std::optional<std::chrono::sys_days> day_of(std::string_view date);

  LogClock clock_;
  std::string last_date_;  // most lines are of the same day as the one before
  std::optional<std::chrono::sys_days> last_day_;
};

// The text without the escape sequences that colour it; `scratch` holds it if there were any.
[[nodiscard]] std::string_view without_colours(std::string_view text, std::string& scratch);

}  // namespace timectl::diagnose
