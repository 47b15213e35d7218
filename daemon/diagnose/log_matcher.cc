#include "daemon/diagnose/log_matcher.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>

#include "daemon/core/result.h"

namespace timectl::diagnose {
namespace {

// So many bytes of a fragment go into the automaton; the rest is compared when they are found.
// Longer ones make more states, shorter ones more comparisons.
constexpr std::size_t kAnchor = 16;

std::string_view anchor_of(const Pattern& row) {
  return row.fragment.substr(0, kAnchor);
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view lead) {
  const auto found = text.find(lead);
  if (found == std::string_view::npos) return std::nullopt;
  const char* begin = text.data() + found + lead.size();
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(begin, text.data() + text.size(), value);
  if (failed != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace

LogMatcher::LogMatcher(std::span<const Pattern> rows) : rows_(rows) {
  TIMECTL_CHECK(!rows.empty() && rows.size() < 65536);
  for (std::size_t byte = 0; byte < kStride; ++byte) {
    classes_[byte] = static_cast<std::uint8_t>(byte);
  }
  table_.assign(kStride, 0);
  ends_.resize(1);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    add(anchor_of(rows[row]), static_cast<std::uint16_t>(row));
  }
  link();
}

void LogMatcher::add(std::string_view anchor, std::uint16_t row) {
  TIMECTL_CHECK(!anchor.empty());
  State state = 0;
  for (const char c : anchor) {
    TIMECTL_CHECK(c >= ' ' && c <= '~');
    const auto slot = state * kStride + static_cast<unsigned char>(c);
    if (table_[slot] == 0) {
      TIMECTL_CHECK(ends_.size() < 65535);
      table_[slot] = static_cast<State>(ends_.size());
      table_.resize(table_.size() + kStride, 0);
      ends_.emplace_back();
    }
    state = table_[slot];
  }
  ends_[state].push_back(row);
}

// Breadth first: what is missing in a state is what its longest proper suffix has.
void LogMatcher::link() {
  std::vector<State> suffix(ends_.size(), 0);
  std::deque<State> queue;
  for (std::size_t c = 0; c < kStride; ++c) {
    if (table_[c] != 0) queue.push_back(table_[c]);
  }
  while (!queue.empty()) {
    const State state = queue.front();
    queue.pop_front();
    const auto& inherited = ends_[suffix[state]];
    ends_[state].insert(ends_[state].end(), inherited.begin(), inherited.end());
    for (std::size_t c = 0; c < kStride; ++c) {
      State& child = table_[state * kStride + c];
      const State fallback = table_[suffix[state] * kStride + c];
      if (child == 0) {
        child = fallback;
      } else {
        suffix[child] = fallback;
        queue.push_back(child);
      }
    }
  }
  is_end_.resize(ends_.size());
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    std::ranges::sort(ends_[i]);
    is_end_[i] = ends_[i].empty() ? 0 : 1;
  }
}

bool LogMatcher::fits(const Pattern& row, std::string_view text, std::size_t at,
                      std::optional<std::uint64_t>& number) const {
  if (!text.substr(at).starts_with(row.fragment)) return false;
  if (row.at_end && at + row.fragment.size() != text.size()) return false;
  if (!row.also.empty() && text.find(row.also) == std::string_view::npos) return false;
  if (row.after.empty()) return true;
  number = number_after(text, row.after);
  const bool asked = row.low != 0 || row.high != Pattern{}.high;
  if (!number) return !asked;
  return *number >= row.low && *number <= row.high;
}

std::optional<Match> LogMatcher::match(std::string_view text) const {
  std::size_t best = rows_.size();
  Match found;
  State state = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (std::size_t i = 0; i < text.size(); ++i) {
    state = next(state, bytes[i]);
    if (is_end_[state] == 0) continue;
    for (const auto index : ends_[state]) {
      if (index >= best) break;
      const auto& row = rows_[index];
      const std::size_t at = i + 1 - anchor_of(row).size();
      std::optional<std::uint64_t> number;
      if (!fits(row, text, at, number)) continue;
      best = index;
      found = {&row, at, number};
    }
  }
  if (best == rows_.size()) return std::nullopt;
  return found;
}

}  // namespace timectl::diagnose
