#include "cmd/top_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "cmd/view_text.h"
#include "daemon/core/reflect.h"

namespace timectl::cmd {
namespace {

using control::MasternodeRow;

constexpr std::size_t kMarker = 2;  // "> " before the selected row
constexpr std::size_t kLabel = 24;  // the widest label
constexpr std::size_t kNarrowLabel = 8;
constexpr std::size_t kStrip = 8;      // narrower, a strip says nothing
constexpr std::size_t kStripGoes = 3;  // after so many columns were given up for it
constexpr std::size_t kAfterNote = 2;  // blanks, so that its time is not read on
constexpr std::size_t kNote = 36;      // of a note, what numbers may be pushed apart for
constexpr std::size_t kWide = 100;     // from here on there is room between the columns

enum class ColumnId : std::uint8_t { state, ip, label, rtt, missed, score, lag, height, since };
constexpr std::size_t kColumns = 9;

struct Column {
  ColumnId id;
  std::string_view title;
  Align align;
  bool number;       // of a session: one that is down has its note there
  std::size_t goes;  // the order in which columns are given up; 0: never
  std::optional<TopSort> sort;
};
constexpr auto kTable = std::to_array<Column>({
    {ColumnId::state, "STATE", Align::left, false, 0, TopSort::worst},
    {ColumnId::ip, "IP", Align::left, false, 0, TopSort::ip},
    {ColumnId::label, "LABEL", Align::left, false, 8, TopSort::label},
    {ColumnId::rtt, "RTT MS", Align::right, true, 7, TopSort::rtt},
    {ColumnId::missed, "MISSED", Align::right, true, 6, TopSort::missed},
    {ColumnId::score, "SCORE", Align::right, true, 2, TopSort::score},
    {ColumnId::lag, "LAG", Align::right, true, 4, TopSort::lag},
    {ColumnId::height, "HEIGHT", Align::right, true, 1, std::nullopt},
    {ColumnId::since, "FOR", Align::right, false, 5, TopSort::since},
});

std::string counted_or_dash(const std::optional<std::uint64_t>& value) {
  return value ? grouped(*value) : "-";
}

// Connected, or without a connection, for so long.
std::string since_text(const Output& out, const MasternodeRow& row) {
  const auto since = row.connected ? row.connected_at : row.down_since;
  return since ? age_text(out, *since) : "-";
}

Paint paint_of_count(const std::optional<std::uint64_t>& value) {
  return value.value_or(0) > 0 ? Paint::warn : Paint::plain;
}

Cell cell_of(const Output& out, const MasternodeRow& row, ColumnId id) {
  switch (id) {
    case ColumnId::state:
      return {std::string(name_of(row.state)), paint_of(row.tone)};
    case ColumnId::ip:
      return {row.ip.to_string()};
    case ColumnId::label:
      return {row.label.empty() ? "-" : printable(row.label)};
    case ColumnId::rtt:
      return {rtt_text(row.rtt_ms)};
    case ColumnId::missed:
      return {counted_or_dash(row.missed_pongs), paint_of_count(row.missed_pongs)};
    case ColumnId::score:
      return {row.score ? fmt::format("{:.0f}", *row.score) : "-"};
    case ColumnId::lag:
      return {counted_or_dash(row.lag_blocks), paint_of_count(row.lag_blocks)};
    case ColumnId::height:
      return {counted_or_dash(row.height)};
    case ColumnId::since:
      return {since_text(out, row)};
  }
  return {};
}

// The widths of all columns, 0 for one that is left out, and that of the strip.
struct Layout {
  std::array<std::size_t, kColumns> widths = {};
  std::size_t strip = 0;
  std::size_t gap = 1;
};

using CellRows = std::vector<std::array<Cell, kColumns>>;

std::size_t total_of(const Layout& layout) {
  std::size_t total = kMarker + (layout.strip > 0 ? layout.strip + layout.gap : 0);
  for (const auto width : layout.widths) total += width > 0 ? width + layout.gap : 0;
  return total - layout.gap;
}

std::size_t title_width(const Column& column, const TopState& state) {
  return column.title.size() + (column.sort == state.sort ? 1 : 0);
}

Layout layout_of(const CellRows& rows, const TopState& state, std::size_t width,
                 std::size_t points) {
  Layout layout;
  layout.gap = width >= kWide ? 2 : 1;
  for (std::size_t i = 0; i < kColumns; ++i) {
    std::size_t widest = 0;
    for (const auto& row : rows) {
      if (row[i].text != "-") widest = std::max(widest, display_width(row[i].text));
    }
    // A column in which nobody has a value is no column; numbers keep theirs for the notes.
    if (widest == 0 && !kTable[i].number && kTable[i].goes != 0) continue;
    layout.widths[i] = std::max(widest, title_width(kTable[i], state));
  }
  auto& label = layout.widths[static_cast<std::size_t>(ColumnId::label)];
  label = std::min(label, kLabel);
  const auto least = points > 0 ? std::min(kStrip, points) : 0;
  layout.strip = least;
  for (std::size_t going = 1; total_of(layout) > width && going <= kColumns + 1; ++going) {
    const auto excess = total_of(layout) - width;
    if (label > kNarrowLabel) label -= std::min(excess, label - kNarrowLabel);
    if (total_of(layout) <= width) break;
    if (going == kStripGoes) layout.strip = 0;
    const auto* const column = std::ranges::find(kTable, going, &Column::goes);
    if (column != kTable.end()) layout.widths[static_cast<std::size_t>(column->id)] = 0;
  }
  return layout;
}

// Where the numbers stand, from the first to the last column of them.
std::size_t note_room(const Layout& layout) {
  std::size_t room = 0;
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (kTable[i].number && layout.widths[i] > 0) room += layout.widths[i] + layout.gap;
  }
  return room;
}

// What is left over goes to the notes, as far as they need it, and to the strip.
void widen(Layout& layout, std::size_t longest_note, std::size_t width, std::size_t points) {
  const auto spare = [&] { return width - std::min(width, total_of(layout)); };
  const auto room = note_room(layout);
  if (room > 0 && longest_note + kAfterNote > room) {
    std::size_t last = 0;
    for (std::size_t i = 0; i < kColumns; ++i) {
      if (kTable[i].number && layout.widths[i] > 0) last = i;
    }
    layout.widths[last] += std::min(spare(), longest_note + kAfterNote - room);
  }
  if (layout.strip > 0) layout.strip = std::min(points, layout.strip + spare());
}

ScreenLine titles(const Layout& layout, const TopState& state, std::size_t width) {
  ScreenLine line;
  line.add(std::string(kMarker, ' '));
  const std::string gap(layout.gap, ' ');
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (layout.widths[i] == 0) continue;
    if (i > 0) line.add(gap);
    std::string title(kTable[i].title);
    if (kTable[i].sort == state.sort) title += state.reversed ? "▴" : "▾";
    line.cell(title, layout.widths[i], kTable[i].align);
  }
  if (layout.strip > 0) line.add(gap).cell("24 H", layout.strip);
  line.cut_to(width);
  line.fill_to(width);
  line.invert();
  return line;
}

ScreenLine row_line(const std::array<Cell, kColumns>& cells, const std::string& note,
                    const Layout& layout, const Series& shares) {
  ScreenLine line;
  const std::string gap(layout.gap, ' ');
  bool noted = false;
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (layout.widths[i] == 0) continue;
    if (!kTable[i].number || note.empty()) {
      if (i > 0) line.add(gap);
      line.cell(cells[i].text, layout.widths[i], kTable[i].align, cells[i].paint);
    } else if (!noted) {
      const auto room = note_room(layout);
      line.add(gap).cell(cut(note, room - std::min(room, kAfterNote)), room - layout.gap);
      noted = true;
    }
  }
  if (layout.strip > 0) line.add(gap).join(strip(shares, layout.strip));
  return line;
}

std::map<IpAddress, const Series*> strips_of(const TopData& data) {
  std::map<IpAddress, const Series*> strips;
  if (!data.history) return strips;
  for (const auto& one : data.history->masternodes) strips.emplace(one.ip, &one.connected);
  return strips;
}

}  // namespace

std::string brief_duration(Duration duration) {
  const auto text = human_duration(duration);
  const auto number = text.find(' ');
  return text.substr(0, number == std::string::npos ? number : text.find(' ', number + 1));
}

std::string age_text(const Output& out, WallTime since) {
  return brief_duration(std::max(Duration::zero(), Duration(out.now().wall - since)));
}

std::string down_note(const Output& out, const MasternodeRow& row) {
  std::string text;
  if (row.last_end_reason) text = std::string(name_of(*row.last_end_reason));
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  const bool at_it = row.state == PeerState::connecting || row.state == PeerState::tls ||
                     row.state == PeerState::handshaking;
  if (at_it) {
    add("trying now");
  } else if (row.next_attempt_at) {
    const auto left = Duration(*row.next_attempt_at - out.now().wall);
    add(left < std::chrono::seconds(1) ? "again now" : "again in " + brief_duration(left));
  } else if (!row.next_attempt_reason.empty()) {
    add(printable(row.next_attempt_reason));
  }
  return text.empty() ? "not connected" : text;
}

RowsShown window_of(std::size_t total, std::optional<std::size_t> selected, std::size_t room) {
  if (total <= room) return {0, total};
  const auto middle = room / 2;
  const auto place = selected.value_or(0);
  return {std::min(place - std::min(place, middle), total - room), room};
}

Lines masternode_table(const TopData& data, const TopState& state, const Output& out,
                       std::size_t width, std::size_t room) {
  if (room == 0) return {};
  const auto rows = shown_masternodes(data, state);
  CellRows cells(rows.size());
  std::vector<std::string> notes(rows.size());
  std::size_t longest_note = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]->connected) notes[i] = down_note(out, *rows[i]);
    longest_note = std::max(longest_note, std::min(display_width(notes[i]), kNote));
    for (std::size_t c = 0; c < kColumns; ++c) {
      cells[i][c] = cell_of(out, *rows[i], kTable[c].id);
    }
  }
  const auto points = data.history ? data.history->node.size() : 0;
  auto layout = layout_of(cells, state, width, points);
  widen(layout, longest_note, width, points);
  Lines lines{titles(layout, state, width)};
  if (rows.empty() && room > 1) {
    lines.emplace_back().add(std::string(kMarker, ' '));
    lines.back().add(data.overview.masternodes.empty()
                         ? "no masternode is whitelisted: timectl whitelist add IP"
                         : "no masternode matches the filter",
                     Paint::dim);
    lines.back().cut_to(width);
    return lines;
  }
  const auto strips = strips_of(data);
  const auto selected = selected_place(data, state);
  const auto window = window_of(rows.size(), selected, room - 1);
  static const Series kNothing;
  for (std::size_t i = window.first; i < window.first + window.count; ++i) {
    const auto* row = rows[i];
    const auto found = strips.find(row->ip);
    ScreenLine line;
    line.add(i == selected ? "> " : "  ", i == selected ? Paint::bold : Paint::plain);
    line.join(
        row_line(cells[i], notes[i], layout, found == strips.end() ? kNothing : *found->second));
    line.cut_to(width);
    if (i == selected) {
      line.fill_to(width);
      line.invert();
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace timectl::cmd
