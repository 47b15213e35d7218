#include "daemon/diagnose/log_reader.h"

#include <algorithm>

#include "daemon/diagnose/journal_entry.h"

namespace timectl::diagnose {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word(char c) {
  return is_hex(c) || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '_';
}

// A dotted quad at the beginning, and how long it is: no failure of it costs an allocation.
std::optional<IpAddress> quad(std::string_view text, std::size_t& size) {
  std::array<std::uint8_t, 4> parts{};
  std::size_t at = 0;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    if (part > 0 && (at >= text.size() || text[at++] != '.')) return std::nullopt;
    unsigned value = 0;
    const std::size_t begin = at;
    while (at < text.size() && at - begin < 3 && is_digit(text[at])) {
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    }
    if (at == begin || value > 255 || (at - begin > 1 && text[begin] == '0')) return std::nullopt;
    parts[part] = static_cast<std::uint8_t>(value);
  }
  if (at < text.size()) {
    const bool dotted = text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]);
    if (is_word(text[at]) || dotted || text[at] == '/') return std::nullopt;
  }
  size = at;
  return IpAddress::v4(parts[0], parts[1], parts[2], parts[3]);
}

// An IPv6 address at the beginning. Times and ports look like one until they are parsed.
std::optional<IpAddress> colons(std::string_view text, std::size_t& size) {
  constexpr std::size_t kLongest = 45;  // of an address with a dotted tail
  std::size_t end = 0;
  std::size_t count = 0;
  while (end < text.size() && end <= kLongest &&
         (is_hex(text[end]) || text[end] == ':' || text[end] == '.')) {
    count += text[end] == ':' ? 1U : 0U;
    ++end;
  }
  const bool doubled = text.substr(0, end).find("::") != std::string_view::npos;
  if (end > kLongest || count < 2 || (!doubled && count < 7)) return std::nullopt;
  auto word = text.substr(0, end);
  while (word.ends_with(':') && !word.ends_with("::")) word.remove_suffix(1);
  while (word.ends_with('.')) word.remove_suffix(1);
  const auto ip = IpAddress::parse(word);
  if (!ip) return std::nullopt;
  size = word.size();
  return *ip;
}

}  // namespace

std::optional<IpAddress> first_address(std::string_view text, std::string_view* rest) {
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool starts = !in_word && (is_hex(c) || c == ':');
    in_word = is_word(c) || c == '.' || c == ':' || c == '-';
    if (!starts) continue;
    std::size_t size = 0;
    auto ip = is_digit(c) ? quad(text.substr(i), size) : std::nullopt;
    if (!ip) ip = colons(text.substr(i), size);
    if (!ip) continue;
    if (rest != nullptr) *rest = text.substr(i + size);
    return ip;
  }
  return std::nullopt;
}

const LogMatcher& log_matcher() {
  static const LogMatcher matcher(patterns());
  return matcher;
}

LogReader::LogReader(LogClock clock, Sink sink) : sink_(std::move(sink)), prefix_(clock) {}

void LogReader::feed(std::string_view chunk) {
  counts_.bytes += chunk.size();
  lines_.feed(chunk, [this](std::string_view line, bool cut) { on_line(line, cut); });
}

void LogReader::finish() {
  lines_.finish([this](std::string_view line, bool cut) { on_line(line, cut); });
}

void LogReader::note_time(std::optional<WallTime> at) {
  if (!at) return;
  last_time_ = at;
  if (!counts_.from || *at < *counts_.from) counts_.from = at;
  if (!counts_.to || *at > *counts_.to) counts_.to = at;
}

void LogReader::on_line(std::string_view line, bool cut) {
  ++counts_.lines;
  if (cut) ++counts_.cut;
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  if (line.starts_with('{')) return on_journal(line);
  const auto read = prefix_.read(without_colours(line, plain_));
  note_time(read.at);
  on_message(read);
}

void LogReader::on_journal(std::string_view line) {
  const auto entry = read_journal_entry(line, message_);
  if (!entry || !entry->has_message) {
    if (entry) note_time(entry->at);
    ++counts_.unparsed;
    return;
  }
  note_time(entry->at);
  std::string_view all = without_colours(message_, plain_);
  while (!all.empty()) {  // an entry may hold several lines
    const auto part = all.substr(0, all.find('\n'));
    all.remove_prefix(std::min(part.size() + 1, all.size()));
    auto read = prefix_.read(part);
    read.prefixed = true;
    on_message(read);
  }
}

void LogReader::on_message(const LogLine& line) {
  const auto found = log_matcher().match(line.message);
  if (!found) {
    if (!line.prefixed) ++counts_.unparsed;
    return;
  }
  ++counts_.known;
  LogEvent event;
  event.at = line.at ? line.at : last_time_;
  event.pattern = found->pattern;
  event.number = found->number;
  event.text = line.message;
  if (found->pattern->kind == LineKind::banner) {  // it has its time behind it
    auto rest = line.message.substr(found->at + found->pattern->fragment.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (const auto stamp = prefix_.read(rest); stamp.at) {
      note_time(stamp.at);
      event.at = stamp.at;
    }
  }
  if (since_ && event.at && *event.at < *since_) return;
  if (found->pattern->kind < LineKind::genesis_hash) {
    event.peer = first_address(line.message.substr(found->at));
    if (!event.peer && found->at > 0) event.peer = first_address(line.message.substr(0, found->at));
  }
  sink_(event);
}

}  // namespace timectl::diagnose
