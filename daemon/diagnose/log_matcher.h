#pragma once
// Finds the row of a table of patterns that a line satisfies, in one pass over the line however
// many rows there are: an Aho-Corasick automaton over the beginnings of the fragments, built once.
// Called for every line of a log, so it neither allocates nor throws. Thread-safe once built.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/diagnose/log_patterns.h"

namespace timectl::diagnose {

struct Match {
  const Pattern* pattern = nullptr;
  std::size_t at = 0;                        // where the fragment begins
  std::optional<std::uint64_t> number = {};  // of Pattern::after
};

class LogMatcher {
 public:
  // The rows must outlive the matcher. Fragments are printable ASCII, 1 to 65535 rows.
  explicit LogMatcher(std::span<const Pattern> rows);

  // The first row in the order of the table that fits.
  [[nodiscard]] std::optional<Match> match(std::string_view text) const;

 private:
  using State = std::uint16_t;
  static constexpr std::size_t kStride = 128;  // a row of the table per state: one per ASCII code

  void add(std::string_view anchor, std::uint16_t row);
  void link();
  [[nodiscard]] State next(State state, unsigned char byte) const {
    return table_[state * kStride + classes_[byte]];
  }
  [[nodiscard]] bool fits(const Pattern& row, std::string_view text, std::size_t at,
                          std::optional<std::uint64_t>& number) const;

  std::span<const Pattern> rows_;
  std::array<std::uint8_t, 256> classes_{};  // bytes over 127 are in no fragment
  std::vector<State> table_;
  std::vector<std::vector<std::uint16_t>> ends_;  // rows whose anchor ends in the state
  std::vector<std::uint8_t> is_end_;
};

}  // namespace timectl::diagnose
