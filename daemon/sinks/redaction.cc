#include "daemon/sinks/redaction.h"

#include <algorithm>
#include <optional>

namespace timectl::sinks {
namespace {

constexpr std::size_t kShortestPart = 6;  // below: "hook", "api", "v2"; no key is so short
constexpr std::size_t kShortest = 3;      // of anything: else each "a" of a text would be hidden
constexpr std::string_view kHidden = "\xe2\x80\xa6";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::optional<unsigned> digit(char c) {
  const auto at = std::string_view("0123456789abcdef").find(lower(c));
  return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(at));
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool whole = text[i] == '%' && i + 2 < text.size();
    const auto high = whole ? digit(text[i + 1]) : std::nullopt;
    const auto low = whole ? digit(text[i + 2]) : std::nullopt;
    if (high && low) {
      out += static_cast<char>(*high << 4U | *low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool begins_with(std::string_view text, std::string_view secret) {
  return text.size() >= secret.size() &&
         std::equal(secret.begin(), secret.end(), text.begin(),
                    [](char known, char c) { return known == lower(c); });
}

}  // namespace

Redaction::Redaction(std::string_view path, const std::vector<std::string>& others) {
  const auto query = std::min(path.find('?'), path.size());
  for (const auto& whole : {path, path.substr(0, query)}) hide(whole);
  hide_parts(path.substr(0, query), "/");
  if (query < path.size()) {
    hide(path.substr(query + 1));
    hide_parts(path.substr(query + 1), "&=");
  }
  for (const auto& other : others) hide(other);
  std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  secrets_.erase(std::unique(secrets_.begin(), secrets_.end()), secrets_.end());
}

void Redaction::hide(std::string_view secret) {
  for (auto text : {std::string(secret), decoded(secret)}) {
    if (text.size() < kShortest) continue;
    std::transform(text.begin(), text.end(), text.begin(), lower);
    secrets_.push_back(std::move(text));
  }
}

// A part of a decoded path may itself be decoded to several.
void Redaction::hide_parts(std::string_view text, std::string_view separators) {
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    const auto part = text.substr(0, end);
    if (part.size() >= kShortestPart) {
      hide(part);
      const auto inner = decoded(part);
      if (inner != part) hide_parts(inner, "/&=?");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string Redaction::of(std::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const auto found = std::find_if(secrets_.begin(), secrets_.end(),
                                    [&](const auto& secret) { return begins_with(text, secret); });
    if (found == secrets_.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += kHidden;
      text.remove_prefix(found->size());
    }
  }
  return out;
}

}  // namespace timectl::sinks
