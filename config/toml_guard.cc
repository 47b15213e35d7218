#include "config/toml_guard.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace timectl::config {
namespace {

// Length of the UTF-8 sequence at the front of `text`, 0 where it is none (overlong forms,
// surrogates and what is above U+10FFFF are none).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool bad_second = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
                          (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
  return bad_second ? 0 : length;
}

// Walks the text as TOML's lexer does: texts and comments are skipped, the rest is measured.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::optional<Problem> run() {
    if (auto bad = check_bytes()) return bad;
    while (at_ < text_.size()) {
      if (auto bad = step()) return bad;
    }
    return std::nullopt;
  }

 private:
  std::optional<Problem> check_bytes() {
    for (at_ = 0; at_ < text_.size();) {
      const std::size_t length = sequence_length(text_.substr(at_));
      if (length == 0) return problem("the file is not UTF-8", "");
      const char c = text_[at_];
      const bool carriage_return = c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
      const bool allowed = c == '\t' || c == '\n' || carriage_return;
      if ((static_cast<unsigned char>(c) < 0x20 && !allowed) || c == 0x7f) {
        return problem("the file holds a control character", "");
      }
      if (c == '\n') new_line(at_ + 1);
      at_ += length;
    }
    at_ = 0;
    line_ = 1;
    line_start_ = 0;
    return std::nullopt;
  }

  std::optional<Problem> step() {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      dots_ = 0;
      new_line(at_);
      return std::nullopt;
    }
    if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return std::nullopt;
    }
    if (c == '"' || c == '\'') return skip_text(c);
    if (c == '[' || c == '{') {
      if (++depth_ > kMostDepth) return problem("the nesting is too deep", "");
    } else if (c == ']' || c == '}') {
      if (depth_ > 0) --depth_;
    } else if (c == '.') {
      if (++dots_ > kMostDots) return problem("too many dots in one line", "");
    } else if (is_digit(c)) {
      return skip_number();
    }
    ++at_;
    return std::nullopt;
  }

  std::optional<Problem> skip_text(char quote) {
    // Multi-line texts have no use here, and their rules for quotes differ between parsers.
    if (text_.substr(at_, 3) == std::string(3, quote)) {
      return problem("multi-line texts are not supported", "write the text in one line");
    }
    for (std::size_t i = at_ + 1; i < text_.size() && text_[i] != '\n'; ++i) {
      if (text_[i] == '\\' && quote == '"') {
        ++i;
        if (i < text_.size() && text_[i] == '\n') break;
      } else if (text_[i] == quote) {
        at_ = i + 1;
        return std::nullopt;
      }
    }
    return problem("the text is not closed in its line", std::string("add the closing ") + quote);
  }

  std::optional<Problem> skip_number() {
    std::size_t end = at_;
    std::size_t digits = 0;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '_')) {
      digits += text_[end] == '_' ? 0 : 1;
      ++end;
    }
    // 0xffff...: hexadecimal, octal and binary digits count alike.
    if (end < text_.size() && end == at_ + 1 && text_[at_] == '0' &&
        std::string_view("xob").find(text_[end]) != std::string_view::npos) {
      const auto more = [](char c) { return is_digit(c) || c == '_' || (c | 0x20) >= 'a'; };
      const std::size_t first = ++end;
      while (end < text_.size() && more(text_[end]) && (text_[end] | 0x20) <= 'f') ++end;
      digits = end - first > 15 ? kMostDigits + 1 : 1;
    }
    if (digits > kMostDigits) return problem("the number is too large", "");
    at_ = end;
    return std::nullopt;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  void new_line(std::size_t start) {
    ++line_;
    line_start_ = start;
  }

  Problem problem(const char* message, std::string hint) const {
    const auto end = std::min(text_.find('\n', line_start_), text_.size());
    const std::string excerpt(text_.substr(line_start_, std::min(end - line_start_, kShown)));
    return {file_, line_, at_ - line_start_ + 1, 1, message, std::move(hint), excerpt};
  }

  static constexpr std::size_t kShown = 200;  // bytes of a line that a problem carries

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t depth_ = 0;
  std::size_t dots_ = 0;
};

// toml11 looks for the last table of an empty list when a later key goes through that list:
//   peers = []
//   peers.x = 1      or [peers.x], or both in an inline table
// and reads through a null pointer. No list of the file is written to that way, so every key that
// goes through the name of a list that was given empty is refused, wherever the two stand. Only for
// texts that the Scanner has passed: each quoted text ends in its line.
class EmptyListKeys {
 public:
  EmptyListKeys(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::optional<Problem> run() {
    while (at_ < text_.size()) {
      if (auto bad = step()) return bad;
    }
    return std::nullopt;
  }

 private:
  std::optional<Problem> step() {
    const char c = text_[at_];
    const bool fresh = std::exchange(fresh_line_, false);
    std::optional<Problem> bad;
    if (is_bare(c)) {
      const auto start = at_;
      while (at_ < text_.size() && is_bare(text_[at_])) ++at_;
      path_.emplace_back(text_.substr(start, at_ - start));
      return bad;
    }
    if (c == '"' || c == '\'') {
      read_quoted(c);
      return bad;
    }
    if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return bad;
    }
    ++at_;
    switch (c) {
      case ' ':
      case '\t':
      case '.':
        fresh_line_ = fresh && c != '.';
        return bad;
      case '=':
        bad = check_path();
        note_empty_list();
        break;
      case '[':
        header_ = header_ || (fresh && depth_ == 0);
        ++depth_;
        break;
      case ']':
        if (header_) bad = check_path();
        [[fallthrough]];
      case '}':
        depth_ -= depth_ > 0 ? 1 : 0;
        break;
      case '{':
        ++depth_;
        break;
      case '\n':
        ++line_;
        fresh_line_ = true;
        header_ = header_ && depth_ > 0;
        break;
      default:
        break;
    }
    path_.clear();
    return bad;
  }

  static bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  }

  void read_quoted(char quote) {
    std::string name;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (quote == '"' && text_[at_] == '\\') name += text_[at_++];
      if (at_ < text_.size()) name += text_[at_];
    }
    ++at_;
    if (quote == '"' && name.find('\\') != std::string::npos) escaped_ = true;
    path_.push_back(std::move(name));
  }

  std::optional<Problem> check_path() {
    const bool escaped = std::exchange(escaped_, false);
    for (const auto& part : path_) {
      if (escaped && part.find('\\') != std::string::npos) {
        return Problem{file_, line_, 0, 0, "the name of a key has an escape in it", "", ""};
      }
      if (&part != &path_.back() && empty_lists_.contains(part)) {
        return Problem{file_,
                       line_,
                       0,
                       0,
                       "`" + part + "` is an empty list, not a table",
                       "take the list away, or this",
                       ""};
      }
    }
    return std::nullopt;
  }

  // After `KEY =`: is it `[ ]`, with blanks, line ends and comments in it?
  void note_empty_list() {
    if (path_.empty()) return;
    auto i = text_.find_first_not_of(" \t", at_);
    if (i == std::string_view::npos || text_[i] != '[') return;
    for (++i; i < text_.size(); ++i) {
      if (text_[i] == '#') i = std::min(text_.find('\n', i), text_.size());
      if (i < text_.size() &&
          std::string_view(" \t\r\n").find(text_[i]) == std::string_view::npos) {
        break;
      }
    }
    if (i < text_.size() && text_[i] == ']') empty_lists_.insert(path_.back());
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;
  bool fresh_line_ = true;
  bool header_ = false;   // within the brackets of [a.b] or [[a.b]]
  bool escaped_ = false;  // some quoted text since the last key had a backslash
  std::vector<std::string> path_;
  std::set<std::string> empty_lists_;
};

}  // namespace

std::vector<Problem> unsafe_to_parse(std::string_view text, const std::string& file) {
  if (text.size() > kMostBytes) {
    return {{file, 0, 0, 0, "the file is larger than " + std::to_string(kMostBytes) + " bytes", "",
             ""}};
  }
  auto problem = Scanner(text, file).run();
  if (!problem) problem = EmptyListKeys(text, file).run();
  if (!problem) return {};
  return {std::move(*problem)};
}

}  // namespace timectl::config
