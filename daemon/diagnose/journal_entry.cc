#include "daemon/diagnose/journal_entry.h"

#include <charconv>
#include <cstring>

namespace timectl::diagnose {
namespace {

constexpr int kMaxNesting = 64;

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip_blanks() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }

  // What stands between quotes, escapes as they are; what there is of it where it does not end.
  std::optional<std::string_view> take_raw_string() {
    if (!take('"')) return std::nullopt;
    const auto begin = at_;
    while (at_ < text_.size()) {
      const auto* quote =
          static_cast<const char*>(std::memchr(text_.data() + at_, '"', text_.size() - at_));
      if (quote == nullptr) break;
      const auto end = static_cast<std::size_t>(quote - text_.data());
      std::size_t slashes = 0;
      while (end - slashes > begin && text_[end - slashes - 1] == '\\') ++slashes;
      at_ = end + 1;
      if (slashes % 2 == 0) return text_.substr(begin, end - begin);
    }
    at_ = text_.size();
    return text_.substr(begin);
  }

  // "[27,91,51]" into bytes; what there is of it where it does not end.
  bool take_bytes(std::string& out) {
    if (!take('[')) return false;
    out.clear();
    while (!at_end()) {
      skip_blanks();
      unsigned value = 0;
      const auto [end, failed] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (failed != std::errc{} || value > 255) return false;
      out.push_back(static_cast<char>(value));
      at_ = static_cast<std::size_t>(end - text_.data());
      if (take(',')) continue;
      return take(']') || at_end();
    }
    return true;
  }

  // Any value: strings by their ends, the rest by its brackets.
  void skip_value() {
    int depth = 0;
    while (!at_end() && depth < kMaxNesting) {
      skip_blanks();
      const char c = peek();
      if (c == '"') {
        (void)take_raw_string();
      } else if (c == '[' || c == '{') {
        ++depth;
        ++at_;
        continue;
      } else if (c == ']' || c == '}') {
        if (depth == 0) return;
        --depth;
        ++at_;
      } else if (c == ',' && depth == 0) {
        return;
      } else {
        ++at_;
        continue;
      }
      if (depth == 0) return;
    }
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

void append_utf8(std::string& out, unsigned c) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0U | (c >> 6U));
    put(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0U | (c >> 12U));
    put(0x80U | ((c >> 6U) & 0x3fU));
    put(0x80U | (c & 0x3fU));
  } else {
    put(0xf0U | (c >> 18U));
    put(0x80U | ((c >> 12U) & 0x3fU));
    put(0x80U | ((c >> 6U) & 0x3fU));
    put(0x80U | (c & 0x3fU));
  }
}

// Four hexadecimal digits at the beginning, or none.
std::optional<unsigned> take_hex(std::string_view& text) {
  unsigned value = 0;
  if (text.size() < 4) return std::nullopt;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + 4, value, 16);
  if (failed != std::errc{} || end != text.data() + 4) return std::nullopt;
  text.remove_prefix(4);
  return value;
}

// After "\u". A pair of surrogates is one character; half of one is a question mark.
void take_code_point(std::string_view& text, std::string& out) {
  const auto first = take_hex(text);
  if (!first) return out.push_back('?');
  if (*first < 0xd800 || *first > 0xdfff) return append_utf8(out, *first);
  auto rest = text;
  if (rest.starts_with("\\u")) {
    rest.remove_prefix(2);
    const auto second = take_hex(rest);
    if (*first < 0xdc00 && second && *second >= 0xdc00 && *second <= 0xdfff) {
      text = rest;
      return append_utf8(out, 0x10000 + ((*first - 0xd800) << 10U) + (*second - 0xdc00));
    }
  }
  out.push_back('?');
}

void unescape(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty()) {
    const auto slash = text.find('\\');
    out.append(text.substr(0, slash));
    if (slash == std::string_view::npos || slash + 1 == text.size()) return;
    const char c = text[slash + 1];
    text.remove_prefix(slash + 2);
    constexpr std::string_view kLetters = "nrtbf";
    constexpr std::string_view kMeant = "\n\r\t\b\f";
    const auto found = kLetters.find(c);
    if (c == 'u') {
      take_code_point(text, out);
    } else {
      out.push_back(found == std::string_view::npos ? c : kMeant[found]);
    }
  }
}

std::optional<WallTime> time_of(std::string_view microseconds) {
  std::int64_t value = 0;
  const auto* end = microseconds.data() + microseconds.size();
  const auto [stop, failed] = std::from_chars(microseconds.data(), end, value);
  constexpr std::int64_t kYear9999 = 253'402'300'799'000'000;
  if (failed != std::errc{} || stop != end || value < 0 || value > kYear9999) return std::nullopt;
  return WallTime(std::chrono::milliseconds(value / 1000));
}

}  // namespace

std::optional<JournalEntry> read_journal_entry(std::string_view line, std::string& message) {
  Scanner scan(line);
  if (!scan.take('{')) return std::nullopt;
  scan.skip_blanks();
  if (scan.peek() != '"') return std::nullopt;
  JournalEntry entry;
  while (const auto key = scan.take_raw_string()) {
    if (!scan.take(':')) break;
    scan.skip_blanks();
    if (*key == "MESSAGE" && scan.peek() == '"') {
      unescape(*scan.take_raw_string(), message);
      entry.has_message = true;
    } else if (*key == "MESSAGE" && scan.peek() == '[') {
      entry.has_message = scan.take_bytes(message);
      if (!entry.has_message) break;
    } else if (*key == "__REALTIME_TIMESTAMP" && scan.peek() == '"') {
      entry.at = time_of(*scan.take_raw_string());
    } else {
      scan.skip_value();
    }
    if (!scan.take(',')) break;
  }
  return entry;
}

}  // namespace timectl::diagnose
