#include "config/toml_guard.h"

#include <algorithm>
#include <cstdint>
#include <optional>

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

}  // namespace

std::vector<Problem> unsafe_to_parse(std::string_view text, const std::string& file) {
  if (text.size() > kMostBytes) {
    return {{file, 0, 0, 0, "the file is larger than " + std::to_string(kMostBytes) + " bytes", "",
             ""}};
  }
  auto problem = Scanner(text, file).run();
  if (!problem) return {};
  return {std::move(*problem)};
}

}  // namespace timectl::config
