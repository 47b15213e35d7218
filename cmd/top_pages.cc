#include "cmd/top_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cmd/top_table.h"
#include "cmd/view_text.h"
#include "daemon/core/reflect.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kMostText = 500;  // bytes of an event or an alert
constexpr std::size_t kSeverity = 8;    // "critical"

// Of today the clock, of another day its date: both are in the detail.
std::string when_text(const Output& out, WallTime at) {
  constexpr std::size_t kDay = 10;  // "2026-11-27"
  constexpr std::size_t kYear = 5;  // of them
  const auto text = out.time(at);
  const auto clock = text.substr(kDay + 1);
  if (text.substr(0, kDay) == out.time(out.now().wall).substr(0, kDay)) return clock;
  const auto date = text.substr(kYear, kDay - kYear);
  return date + std::string(clock.size() - date.size(), ' ');
}

// Rows with the selected one marked; `line` makes one of them.
template <class Rows, class Make>
Lines listed(const Rows& rows, std::optional<std::size_t> selected, Area area, Make line) {
  Lines lines;
  const auto window = window_of(rows.size(), selected, area.room);
  for (std::size_t i = window.first; i < window.first + window.count; ++i) {
    ScreenLine row;
    row.add(i == selected ? "> " : "  ", i == selected ? Paint::bold : Paint::plain);
    row.join(line(*rows[i], area.width - 2));
    row.cut_to(area.width);
    if (i == selected) {
      row.fill_to(area.width);
      row.invert();
    }
    lines.push_back(std::move(row));
  }
  return lines;
}

ScreenLine title_line(std::string_view text, std::size_t width) {
  ScreenLine line;
  line.add(text);
  line.cut_to(width);
  line.fill_to(width);
  line.invert();
  return line;
}

ScreenLine nothing(std::string_view text, std::size_t width) {
  ScreenLine line;
  line.add("  ").add(text, Paint::dim);
  line.cut_to(width);
  return line;
}

}  // namespace

ScreenLine event_line(const Output& out, const Event& event, std::size_t width) {
  ScreenLine line;
  line.add(when_text(out, event.at), Paint::dim).add(" ");
  line.cell(name_of(event.severity), kSeverity, Align::left, paint_of(event.severity)).add(" ");
  line.add(printable(log_line(event), kMostText));
  line.cut_to(width);
  return line;
}

ScreenLine alert_line(const Output& out, const control::AlertRow& row, std::size_t width) {
  const auto quiet = alert_state(row);
  const bool loud = row.state == AlertState::firing && !row.silenced_until && !row.hidden_by;
  ScreenLine line;
  line.cell(name_of(row.severity), kSeverity, Align::left,
            loud ? paint_of(row.severity) : Paint::dim);
  line.add(" ").add(printable(row.text, kMostText), loud ? Paint::plain : Paint::dim);
  ScreenLine right;
  if (!loud || row.acked_by || row.flapping) right.add(quiet.text, Paint::dim).add("  ");
  right.add(age_text(out, row.since), Paint::dim);
  return both_ends(std::move(line), right, width);
}

Lines alerts_page(const TopData& data, const TopState& state, const Output& out, Area area) {
  if (area.room == 0) return {};
  Lines lines{title_line("  SEVERITY WHAT, STATE AND SINCE WHEN", area.width)};
  const auto rows = shown_alerts(data, state);
  if (rows.empty()) {
    lines.push_back(nothing(
        state.filter.empty() ? "no alert is open" : "no alert matches the filter", area.width));
  }
  const auto more = listed(
      rows, selected_place(data, state), {area.width, area.room - 1},
      [&](const control::AlertRow& row, std::size_t width) { return alert_line(out, row, width); });
  lines.insert(lines.end(), more.begin(), more.end());
  if (data.overview.alerts_left_out > 0 && lines.size() < area.room) {
    lines.push_back(nothing(
        fmt::format("{} more are open: timectl alerts", grouped(data.overview.alerts_left_out)),
        area.width));
  }
  return lines;
}

Lines events_page(const TopData& data, const TopState& state, const Output& out, Area area) {
  if (area.room == 0) return {};
  Lines lines{title_line("  TIME     SEVERITY WHAT, THE NEWEST FIRST", area.width)};
  const auto rows = shown_events(data, state);
  if (rows.empty()) {
    lines.push_back(
        nothing(state.filter.empty() ? "no event is recorded yet" : "no event matches the filter",
                area.width));
  }
  const auto more = listed(
      rows, selected_place(data, state), {area.width, area.room - 1},
      [&](const TopEvent& row, std::size_t width) { return event_line(out, row.event, width); });
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

Lines field_lines(const std::vector<Field>& fields, std::size_t width) {
  constexpr std::size_t kGap = 2;
  std::size_t title = 0;
  for (const auto& field : fields) title = std::max(title, display_width(field.title));
  Lines lines;
  for (const auto& field : fields) {
    std::istringstream rows(wrapped(field.value, 0, width - std::min(width, title + kGap)));
    bool first = true;
    for (std::string row; std::getline(rows, row); first = false) {
      auto& line = lines.emplace_back();
      line.cell(first ? field.title : "", title + kGap, Align::left, Paint::dim).add(row);
      line.cut_to(width);
    }
  }
  return lines;
}

}  // namespace timectl::cmd
