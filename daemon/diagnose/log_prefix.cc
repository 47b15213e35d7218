#include "daemon/diagnose/log_prefix.h"

#include <algorithm>
#include <array>

namespace timectl::diagnose {
namespace {

namespace chrono = std::chrono;

constexpr std::size_t kMaxHost = 80;   // a host name in brackets
constexpr std::size_t kMaxUnit = 120;  // "host unit[pid]: "

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Exactly `count` digits at `at`, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "12:34:56" at the beginning.
std::optional<chrono::seconds> take_clock(std::string_view& text) {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const int hour = digits(text, 0, 2);
  const int minute = digits(text, 3, 2);
  const int second = digits(text, 6, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  text.remove_prefix(8);
  return chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second);
}

// ".518" or ",518", at any precision.
chrono::milliseconds take_fraction(std::string_view& text) {
  if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || !is_digit(text[1])) return {};
  text.remove_prefix(1);
  int value = 0;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (i < 3) value = value * 10 + (text[i] - '0');
  }
  for (std::size_t k = i; k < 3; ++k) value *= 10;
  text.remove_prefix(i);
  return chrono::milliseconds(value);
}

// "Z", "+0200", "+02:00" or nothing, which is UTC.
chrono::minutes take_zone(std::string_view& text) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    return {};
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return {};
  const int hours = digits(text, 1, 2);
  const std::size_t colon = text.size() > 3 && text[3] == ':' ? 1 : 0;
  const int minutes = digits(text, 3 + colon, 2);
  if (hours < 0 || minutes < 0) return {};
  const chrono::minutes offset(hours * 60 + minutes);
  const bool west = text[0] == '-';
  text.remove_prefix(5 + colon);
  return west ? -offset : offset;
}

constexpr auto kMonths = std::to_array<std::string_view>(
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});
constexpr auto kWeekdays =
    std::to_array<std::string_view>({"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "});
constexpr auto kLevels =
    std::to_array<std::string_view>({"INFO ", "WARN ", "ERROR ", "DEBUG ", "TRACE "});

void skip_spaces(std::string_view& text) {
  const auto first = text.find_first_not_of(' ');
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

bool take_level(std::string_view& text) {
  for (const auto level : kLevels) {
    if (!text.starts_with(level)) continue;
    text.remove_prefix(level.size());
    return true;
  }
  return false;
}

// "[mn-fra1] ", as in debug.log.
bool take_host(std::string_view& text) {
  if (!text.starts_with('[')) return false;
  const auto end = text.substr(0, kMaxHost).find("] ");
  // An address in brackets or a direction is a part of the message: those follow a level.
  if (end == std::string_view::npos) return false;
  auto rest = text.substr(end + 2);
  skip_spaces(rest);
  if (!take_level(rest)) return false;
  text.remove_prefix(end + 2);
  return true;
}

// "mn-fra1 timed[812]: ", as journalctl writes it.
void take_unit(std::string_view& text) {
  const auto head = text.substr(0, kMaxUnit);
  const auto end = head.find(": ");
  if (end == std::string_view::npos) return;
  const auto space = head.find(' ');
  if (space == 0 || space >= end || head.find(' ', space + 1) < end) return;
  const bool plain = std::ranges::all_of(head.substr(0, end), [](char c) {
    return c == ' ' || c == '-' || c == '_' || c == '.' || c == '[' || c == ']' || c == '@' ||
           is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (plain) text.remove_prefix(end + 2);
}

}  // namespace

std::optional<chrono::sys_days> LogPrefix::day_of(std::string_view date) {
  if (date == last_date_) return last_day_;
  const chrono::year_month_day day{
      chrono::year(digits(date, 0, 4)),
      chrono::month(static_cast<unsigned>(std::max(digits(date, 5, 2), 0))),
      chrono::day(static_cast<unsigned>(std::max(digits(date, 8, 2), 0)))};
  const bool real = date[4] == '-' && date[7] == '-' && digits(date, 0, 4) >= 1970 && day.ok();
  last_date_ = date;
  last_day_ = real ? std::optional(chrono::sys_days(day)) : std::nullopt;
  return last_day_;
}

// "2026-07-14 03:12:44.518", with a T, a zone, or both.
std::optional<WallTime> LogPrefix::take_iso(std::string_view& text) {
  if (text.size() < 19 || (text[10] != ' ' && text[10] != 'T')) return std::nullopt;
  const auto day = day_of(text.substr(0, 10));
  if (!day) return std::nullopt;
  auto rest = text.substr(11);
  const auto clock = take_clock(rest);
  if (!clock) return std::nullopt;
  const auto fraction = take_fraction(rest);
  const auto zone = take_zone(rest);
  text = rest;
  return WallTime(*day) + *clock + fraction - zone;
}

// "Jul 14 05:13:14", local and of the latest year in which that is not in the future.
std::optional<WallTime> LogPrefix::take_syslog(std::string_view& text) {
  if (text.size() < 15 || text[3] != ' ' || text[6] != ' ') return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(0, 3));
  if (month == kMonths.end()) return std::nullopt;
  const int day = text[4] == ' ' ? digits(text, 5, 1) : digits(text, 4, 2);
  auto rest = text.substr(7);
  const auto clock = take_clock(rest);
  if (day < 1 || !clock) return std::nullopt;
  const auto fraction = take_fraction(rest);
  text = rest;
  const auto offset = chrono::duration_cast<chrono::milliseconds>(clock_.local_offset);
  const chrono::year_month_day today(chrono::floor<chrono::days>(clock_.now + offset));
  for (auto year = today.year(); year > today.year() - chrono::years(9); --year) {
    const chrono::year_month_day date{
        year, chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) continue;  // a 29 February
    const auto at = WallTime(chrono::sys_days(date)) + *clock + fraction - offset;
    if (at <= clock_.now + chrono::days(1)) return at;
  }
  return std::nullopt;
}

std::optional<WallTime> LogPrefix::take_time(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == '[') {  // attacks.log
    auto rest = text.substr(1);
    const auto at = take_iso(rest);
    if (!at || !rest.starts_with(']')) return std::nullopt;
    text = rest.substr(1);
    return at;
  }
  if (is_digit(text[0])) {
    // Ten digits, in halves that fit into an int (short-unix).
    const int high = digits(text, 0, 5);
    const int low = digits(text, 5, 5);
    if (text.size() > 10 && text[10] == '.' && high >= 0 && low >= 0) {
      const auto seconds = std::int64_t{high} * 100'000 + low;
      auto rest = text.substr(10);
      const auto fraction = take_fraction(rest);
      text = rest;
      return WallTime(chrono::seconds(seconds)) + fraction;
    }
    return take_iso(text);
  }
  for (const auto weekday : kWeekdays) {  // short-full: "Tue 2026-07-14 05:13:14 CEST host ..."
    if (!text.starts_with(weekday)) continue;
    auto rest = text.substr(weekday.size());
    auto at = take_iso(rest);
    if (!at) return std::nullopt;
    skip_spaces(rest);
    const auto zone = rest.substr(0, rest.find(' '));
    if (zone != "UTC" && zone != "GMT") {
      *at -= chrono::duration_cast<chrono::milliseconds>(clock_.local_offset);
    }
    text = rest.substr(zone.size());
    return at;
  }
  return take_syslog(text);
}

LogLine LogPrefix::read(std::string_view line) {
  LogLine out;
  out.at = take_time(line);
  skip_spaces(line);
  if (out.at && !take_host(line)) {
    auto rest = line;
    if (!take_level(rest)) take_unit(line);
  }
  skip_spaces(line);
  const bool level = take_level(line);
  out.prefixed = out.at.has_value() || level;
  out.message = line;
  return out;
}

std::string_view without_colours(std::string_view text, std::string& scratch) {
  auto escape = text.find('\x1b');
  if (escape == std::string_view::npos) return text;
  scratch.clear();
  while (escape != std::string_view::npos) {
    scratch.append(text.substr(0, escape));
    text.remove_prefix(escape + 1);
    if (text.starts_with('[')) {  // CSI: parameters, then one letter
      std::size_t end = 1;
      while (end < text.size() && text[end] >= ' ' && text[end] < '@') ++end;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    escape = text.find('\x1b');
  }
  scratch.append(text);
  return scratch;
}

}  // namespace timectl::diagnose
