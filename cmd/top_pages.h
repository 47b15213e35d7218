#pragma once
// What fills the middle of `timectl top` beside the table of masternodes: lists of alerts and
// events, the chain, the detail of one row, and the help. Each makes at most `room` lines of at
// most `width` columns. Pure.

#include "cmd/screen_line.h"
#include "cmd/top_state.h"

namespace timectl::cmd {

struct Area {
  std::size_t width = 0;
  std::size_t room = 0;
};

[[nodiscard]] Lines alerts_page(const TopData& data, const TopState& state, const Output& out,
                                Area area);
[[nodiscard]] Lines events_page(const TopData& data, const TopState& state, const Output& out,
                                Area area);
[[nodiscard]] Lines chain_page(const TopData& data, const Output& out, Area area);  // top_chain.cc
// Of the selected row of the view; top_detail.cc.
[[nodiscard]] Lines detail_page(const TopData& data, const TopState& state, const Output& out,
                                Area area);
[[nodiscard]] Lines help_page(Area area);  // top_detail.cc

// "14:03:22  warning  masternode ... " of the newest events.
[[nodiscard]] ScreenLine event_line(const Output& out, const Event& event, std::size_t width);
// "error    masternode_down  203.0.113.7 ...     3 min"
[[nodiscard]] ScreenLine alert_line(const Output& out, const control::AlertRow& row,
                                    std::size_t width);
// Title and value, the value wrapped: "Masternodes  3 of 4 connected".
[[nodiscard]] Lines field_lines(const std::vector<Field>& fields, std::size_t width);

}  // namespace timectl::cmd
