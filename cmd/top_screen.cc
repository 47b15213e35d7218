#include "cmd/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "cmd/sync_verdict.h"
#include "cmd/top_pages.h"
#include "cmd/top_table.h"
#include "cmd/view_text.h"
#include "daemon/core/reflect.h"

namespace timectl::cmd {
namespace {

using control::AlertRow;

constexpr ScreenSize kComfortable{80, 24};  // from here on everything has its place
constexpr ScreenSize kSmallest{24, 5};      // below it there is only a word
constexpr std::size_t kFactGap = 3;

std::string clock_now_text(const Output& out) {
  const auto text = out.time(out.now().wall);
  const auto blank = text.find(' ');
  return blank == std::string::npos ? text : text.substr(blank + 1);
}

// "OK  all 3 masternodes are connected            mainnet  14:03:22"
ScreenLine verdict_line(const TopData& data, const TopState& state, const Output& out,
                        std::size_t width) {
  const auto& status = data.overview.status;
  ScreenLine left;
  if (data.outage) {
    left.badge("NO ANSWER", Paint::bad);
    left.add(fmt::format(" for {}, since {}", out.since(data.outage->since),
                         out.time(data.outage->since)),
             Paint::bad);
  } else {
    left.badge(upper(name_of(status.verdict)), paint_of(status.verdict));
    left.add(" " + printable(status.summary, 500), Paint::bold);
  }
  ScreenLine right;
  if (state.paused) right.badge("PAUSED", Paint::warn).add(" ");
  constexpr std::size_t kRoomForClock = 60;
  if (width >= kRoomForClock) {
    right.add(printable(status.network, 32) + "  " + clock_now_text(out), Paint::dim);
  }
  return both_ends(std::move(left), right, width);
}

struct Fact {
  std::string_view title;
  std::string value;
  Paint paint = Paint::plain;
};

std::string clock_fact(const ClockView& clock, bool level) {
  if (!clock.ahead_seconds) return "not compared yet";
  const double ahead = *clock.ahead_seconds;
  if (level) return "as the peers'";
  return fmt::format("{:.1f} s {} the peers'", std::abs(ahead), ahead > 0 ? "ahead of" : "behind");
}

// "1 critical, 131 hidden": all that are open, each in one figure.
std::string alerts_fact(const control::AlertCounts& counts) {
  std::string text;
  boost::mp11::mp_for_each<
      boost::describe::describe_members<control::AlertCounts, boost::describe::mod_any_access>>(
      [&](auto d) {
        const std::uint64_t count = counts.*d.pointer;
        if (count == 0) return;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(count), d.name);
      });
  return text.empty() ? "none" : text;
}

std::vector<Fact> facts_of(const TopData& data) {
  const auto& overview = data.overview;
  const auto& status = overview.status;
  const auto& masternodes = status.masternodes;
  const bool some_down = masternodes.connected && *masternodes.connected < masternodes.whitelisted;
  const bool all_down = some_down && *masternodes.connected == 0;
  std::vector<Fact> facts{{"Masternodes", masternodes_line(masternodes),
                           all_down    ? Paint::bad
                           : some_down ? Paint::warn
                                       : Paint::plain}};
  if (status.slots) {
    facts.push_back(
        {"Slots", fmt::format("{} of {}", status.slots->total, status.slots->total_max)});
  }
  std::string peers =
      fmt::format("{} of {}", grouped(overview.peers.connected), grouped(overview.peers.known));
  if (overview.peers.banned > 0)
    peers += fmt::format(", {} banned", grouped(overview.peers.banned));
  facts.push_back({"Peers", peers});
  facts.push_back({"Alerts", alerts_fact(overview.alert_counts)});
  if (status.node.uptime_seconds) {
    facts.push_back(
        {"Up", human_duration(Duration(std::llround(*status.node.uptime_seconds * 1e6)))});
  }
  facts.push_back({"Clock", clock_fact(overview.clock, overview.clock_level.value_or(false))});
  const auto paint = sentence_of(overview.chain).paint;
  facts.push_back({"Sync", sync_line(status.sync), paint == Paint::good ? Paint::plain : paint});
  return facts;
}

// The facts from left to right, in as many lines as they need and `most` allows; the last one is
// the longest and is cut.
Lines fact_lines(const std::vector<Fact>& facts, std::size_t width, std::size_t most) {
  Lines lines;
  for (const auto& fact : facts) {
    const auto wide = fact.title.size() + 1 + display_width(fact.value);
    const bool fits = !lines.empty() && lines.back().width() + kFactGap + wide <= width;
    if (!fits) {
      if (lines.size() == most) break;
      lines.emplace_back();
    } else {
      lines.back().add(std::string(kFactGap, ' '));
    }
    lines.back().add(fact.title, Paint::dim).add(" ").add(fact.value, fact.paint);
  }
  for (auto& line : lines) line.cut_to(width);
  return lines;
}

// What the verdict line has no room for while nobody answers: why, with the remedy, in as many of
// `most` lines as it needs.
Lines outage_lines(const TopOutage& outage, const Output& out, std::size_t width,
                   std::size_t most) {
  std::string text;
  if (outage.next_try) {
    const auto left = Duration(*outage.next_try - out.now().wall);
    text = left < std::chrono::seconds(1) ? "Trying again. "
                                          : "Trying again in " + brief_duration(left) + ". ";
  }
  Lines lines;
  lines.emplace_back().add(text + "Below is what was known then.");
  std::istringstream rows(wrapped(printable(outage.because, 300), 0, width));
  for (std::string row; lines.size() < most && std::getline(rows, row);) {
    lines.emplace_back().add(row, Paint::warn);
  }
  for (auto& line : lines) line.cut_to(width);
  return lines;
}

// The gravest ones that nobody has silenced, and how many more there are.
Lines alert_lines(const TopData& data, const Output& out, std::size_t width, std::size_t most) {
  std::vector<const AlertRow*> loud;
  for (const auto& row : data.overview.alerts) {
    if (row.state == AlertState::firing && !row.silenced_until && !row.hidden_by) {
      loud.push_back(&row);
    }
  }
  Lines lines;
  for (std::size_t i = 0; i < std::min(loud.size(), most); ++i) {
    const auto more = loud.size() - i - 1;
    if (i + 1 == most && more > 0) {
      ScreenLine right;
      right.add(fmt::format("{} more, key a", more), Paint::bold);
      const auto room = width - std::min(width, right.width() + 2);
      lines.push_back(both_ends(alert_line(out, *loud[i], room), right, width));
    } else {
      lines.push_back(alert_line(out, *loud[i], width));
    }
  }
  return lines;
}

struct Hint {
  std::string_view key;
  std::string_view word;
  std::size_t goes;  // given up in this order where there is no room; 0: never
  std::optional<TopView> view;
};
constexpr auto kHints = std::to_array<Hint>({{"m", "masternodes", 5, TopView::masternodes},
                                             {"a", "alerts", 4, TopView::alerts},
                                             {"e", "events", 4, TopView::events},
                                             {"c", "chain", 4, TopView::chain},
                                             {"Enter", "detail", 3, std::nullopt},
                                             {"/", "filter", 2, std::nullopt},
                                             {"s", "sort", 1, std::nullopt},
                                             {"p", "pause", 1, std::nullopt},
                                             {"?", "help", 0, std::nullopt},
                                             {"q", "quit", 0, std::nullopt}});

ScreenLine hints_line(const TopState& state, std::size_t width) {
  ScreenLine line;
  for (std::size_t least = 0; least <= kHints.size(); ++least) {
    line = ScreenLine();
    for (const auto& hint : kHints) {
      if (hint.goes != 0 && hint.goes <= least) continue;
      if (line.width() > 0) line.add(width >= 100 ? "  " : " ");
      const bool here = hint.view == state.view && !state.help;
      line.add(hint.key, Paint::bold).add(" ").add(hint.word, here ? Paint::bold : Paint::dim);
    }
    if (line.width() <= width) break;
  }
  line.cut_to(width);
  return line;
}

// The keys; or the filter, which hides rows, so that nobody wonders where they are.
ScreenLine last_line(const TopData& data, const TopState& state, std::size_t width) {
  if (!state.typing && state.filter.empty()) return hints_line(state, width);
  std::size_t shown = 0;
  std::size_t all = 0;
  switch (state.view) {
    case TopView::masternodes:
      shown = shown_masternodes(data, state).size(), all = data.overview.masternodes.size();
      break;
    case TopView::alerts:
      shown = shown_alerts(data, state).size(), all = data.overview.alerts.size();
      break;
    case TopView::events:
      shown = shown_events(data, state).size(), all = data.events.size();
      break;
    case TopView::chain:
      return hints_line(state, width);
  }
  ScreenLine line;
  line.add("filter: ", Paint::bold).add(printable(state.filter)).add(state.typing ? "_" : "");
  ScreenLine right;
  right.add(fmt::format("{} of {}  ", shown, all))
      .add(state.typing ? "Enter keeps it, Esc clears it" : "/ changes it, Esc clears it",
           Paint::dim);
  return both_ends(std::move(line), right, width);
}

Lines page(const TopData& data, const TopState& state, const Output& out, Area area) {
  if (state.help) return help_page(area);
  if (state.detail) return detail_page(data, state, out, area);
  switch (state.view) {
    case TopView::masternodes:
      return masternode_table(data, state, out, area.width, area.room);
    case TopView::alerts:
      return alerts_page(data, state, out, area);
    case TopView::events:
      return events_page(data, state, out, area);
    case TopView::chain:
      return chain_page(data, out, area);
  }
  return {};
}

// Which masternodes are seen, where they are more than the lines for them.
std::string place_text(const TopData& data, const TopState& state, std::size_t room) {
  const auto total = shown_masternodes(data, state).size();
  if (total <= room) return {};
  const auto window = window_of(total, selected_place(data, state), room);
  return fmt::format("masternodes {} to {} of {}", window.first + 1, window.first + window.count,
                     grouped(total + data.overview.masternodes_left_out));
}

// The table as high as it needs, and the newest events below it; the events keep some lines even
// beside a long table.
Lines masternodes_and_events(const TopData& data, const TopState& state, const Output& out,
                             Area area) {
  constexpr std::size_t kLeastRoom = 12;  // lower, the table takes all
  if (area.room < kLeastRoom || data.events.empty()) {
    return page(data, state, out, area);
  }
  const std::size_t kept = 1 + std::max<std::size_t>(3, area.room / 4);
  const auto need = std::max<std::size_t>(shown_masternodes(data, state).size(), 1) + 1;
  const auto table = std::min(need, area.room - kept);
  auto lines = page(data, state, out, {area.width, table});
  lines.push_back(rule_line("events", place_text(data, state, table - 1), area.width));
  for (std::size_t i = 0; i < data.events.size() && lines.size() < area.room; ++i) {
    lines.push_back(event_line(out, data.events[i].event, area.width));
  }
  return lines;
}

Lines too_small(const TopData& data, ScreenSize size) {
  Lines lines(size.rows);
  if (size.rows == 0) return lines;
  lines[0].add(upper(name_of(data.overview.status.verdict)),
               paint_of(data.overview.status.verdict));
  lines[0].add(" q: quit, too small");
  lines[0].cut_to(size.columns);
  return lines;
}

std::size_t alert_room(ScreenSize size) {
  return size.rows >= 40 ? 6 : size.rows >= kComfortable.rows ? 3 : size.rows >= 12 ? 1 : 0;
}

}  // namespace

std::size_t page_of(ScreenSize size) {
  return std::max<std::size_t>(1, size.rows / 2);
}

Lines top_screen(const TopData& data, const TopState& state, const Output& out, ScreenSize size,
                 Charset charset) {
  size.columns = std::min(size.columns, kLargestScreen.columns);
  size.rows = std::min(size.rows, kLargestScreen.rows);
  if (size.columns < kSmallest.columns || size.rows < kSmallest.rows) return too_small(data, size);
  const auto width = size.columns;
  Lines lines{verdict_line(data, state, out, width)};
  // Nobody knows what became of the figures since the last answer: their ages stand still.
  Output then = out;
  if (data.outage) then.set_now({out.now().mono, data.overview.at});
  const auto append = [&](const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  if (data.outage) append(outage_lines(*data.outage, out, width, size.rows >= 15 ? 4 : 2));
  if (!state.help) {
    append(fact_lines(facts_of(data), width, size.rows >= 15 ? 3 : 1));
    if (state.view != TopView::alerts && !state.detail) {
      append(alert_lines(data, then, width, alert_room(size)));
    }
  }
  const bool small = size.columns < kComfortable.columns || size.rows < kComfortable.rows;
  const std::size_t foot = small && size.rows >= 8 ? 2 : 1;
  lines.resize(std::min(lines.size(), size.rows - foot));
  const Area area{width, size.rows - foot - lines.size()};
  const bool both = state.view == TopView::masternodes && !state.help && !state.detail;
  append(both ? masternodes_and_events(data, state, then, area) : page(data, state, then, area));
  lines.resize(size.rows - foot);
  if (foot == 2) {
    lines.emplace_back().add(fmt::format("{}x{} is small: 80x24 shows more", width, size.rows),
                             Paint::dim);
    lines.back().cut_to(width);
  }
  lines.push_back(last_line(data, state, width));
  if (charset == Charset::ascii) {
    for (auto& line : lines) line.translate_to_ascii();
  }
  return lines;
}

}  // namespace timectl::cmd
