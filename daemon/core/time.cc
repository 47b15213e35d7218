#include "daemon/core/time.h"

#include <array>
#include <cstdio>
#include <optional>
#include <utility>

namespace timectl {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLongest = 24h * 3650;  // 10 years: more is a typing error

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Error bad_time(std::string_view text, std::string because) {
  return Error{Code::invalid_argument,
               "'" + std::string(text.substr(0, 64)) + "' is not an RFC 3339 time",
               std::move(because),
               {"write it like 2026-11-21T11:30:00Z"}};
}

// Reads exactly `count` digits at `at`; -1 where they are not there.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The offset from UTC in minutes that ends the text at `at`, or none.
std::optional<int> offset_minutes(std::string_view text, std::size_t at) {
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) return 0;
  if (at + 6 != text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':') {
    return std::nullopt;
  }
  const int hours = digits(text, at + 1, 2);
  const int minutes = digits(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return (text[at] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string rfc3339(WallTime at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(at - day);
  std::array<char, 48> out{};
  std::snprintf(
      out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return out.data();
}

std::string utc_text(WallTime at) {
  std::string text = rfc3339(at);
  text[10] = ' ';
  return text.substr(0, 19) + " UTC";
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  if (text.size() > 40) return bad_time(text, "it is longer than any time");
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':') {
    return bad_time(text, "the shape is YYYY-MM-DDThh:mm:ss and then Z or an offset");
  }
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 1970) return bad_time(text, "years run from 1970 to 9999");
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (month < 1 || day < 1 || !date.ok()) return bad_time(text, "there is no such day");
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return bad_time(text, "there is no such time of day");
  }
  std::size_t at = 19;
  int milliseconds = 0;
  if (text[at] == '.') {
    const std::size_t first = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at == first || at - first > 9) return bad_time(text, "a fraction has 1 to 9 digits");
    for (std::size_t i = 0; i < 3; ++i) {
      milliseconds = milliseconds * 10 + (first + i < at ? text[first + i] - '0' : 0);
    }
  }
  const auto offset = at < text.size() ? offset_minutes(text, at) : std::nullopt;
  if (!offset) return bad_time(text, "it must end in Z or an offset like +02:00");
  return WallTime(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                  std::chrono::minutes(minute - *offset) + std::chrono::seconds(second) +
                  std::chrono::milliseconds(milliseconds));
}

Result<Duration> parse_duration(std::string_view text) {
  const auto refuse = [&](std::string because) {
    return Error{Code::invalid_argument,
                 "'" + std::string(text.substr(0, 64)) + "' is not a duration",
                 std::move(because),
                 {"write it like 90s, 5m, 2h, 7d or 1h30m"}};
  };
  if (text.empty()) return refuse("it is empty");
  std::int64_t total = 0;  // seconds
  std::int64_t last_unit = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t first = at;
    std::int64_t number = 0;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (at - first >= 9) return refuse("the number is too large");
      number = number * 10 + (text[at] - '0');
    }
    if (at == first) return refuse("a number is expected before each unit");
    std::int64_t unit = 1;
    if (at < text.size()) {
      switch (text[at++]) {
        case 's':
          unit = 1;
          break;
        case 'm':
          unit = 60;
          break;
        case 'h':
          unit = 3600;
          break;
        case 'd':
          unit = 86400;
          break;
        default:
          return refuse("the units are s, m, h and d");
      }
    } else if (first != 0) {
      return refuse("the last number has no unit");
    }
    if (last_unit != 0 && unit >= last_unit) return refuse("larger units come first, each once");
    last_unit = unit;
    total += number * unit;
  }
  if (total < 1) return refuse("the shortest is 1 second");
  if (std::chrono::seconds(total) > kLongest) return refuse("the longest is 10 years");
  return Duration(std::chrono::seconds(total));
}

std::string human_duration(Duration d) {
  if (d < 0s) return "-" + human_duration(-d);
  std::array<char, 64> out{};
  if (d < 10s) {
    std::snprintf(out.data(), out.size(), "%.1f s", seconds(d));
    return out.data();
  }
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(d).count();
  struct Unit {
    std::int64_t size;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits{{{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (total < kUnits[i].size) continue;
    std::string text = std::to_string(total / kUnits[i].size) + " " + kUnits[i].name;
    const std::int64_t rest = total % kUnits[i].size;
    if (i + 1 < kUnits.size() && rest / kUnits[i + 1].size > 0) {
      text += " " + std::to_string(rest / kUnits[i + 1].size) + " " + kUnits[i + 1].name;
    }
    return text;
  }
  return "0 s";
}

}  // namespace timectl
