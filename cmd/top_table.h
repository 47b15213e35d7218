#pragma once
// The table of masternodes in `timectl top`: as many columns as the terminal has room for, the
// least important ones left out first; one that is down says why and when it is tried again where
// the others have their numbers. Pure.

#include <optional>
#include <string>
#include <vector>

#include "cmd/screen_line.h"
#include "cmd/top_state.h"

namespace timectl::cmd {

// "3 min" of "3 min 20 s": for a column.
[[nodiscard]] std::string brief_duration(Duration duration);
// "3 min", up to `out`'s now; of what lies ahead 0.
[[nodiscard]] std::string age_text(const Output& out, WallTime since);
// What is known of the reason why it is down, and of what comes next: "timed_out, again in 42 s".
[[nodiscard]] std::string down_note(const Output& out, const control::MasternodeRow& row);

struct RowsShown {
  std::size_t first = 0;
  std::size_t count = 0;
};
// Which of `total` rows are seen through `room` lines: the selected one is among them.
[[nodiscard]] RowsShown window_of(std::size_t total, std::optional<std::size_t> selected,
                                  std::size_t room);

// A line of titles and at most `room` - 1 rows; with a row for "none" where there is nothing.
[[nodiscard]] Lines masternode_table(const TopData& data, const TopState& state, const Output& out,
                                     std::size_t width, std::size_t room);

}  // namespace timectl::cmd
