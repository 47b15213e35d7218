// One row in full, as Enter opens it, and the help: the last things that fit on no list.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cmd/score_text.h"
#include "cmd/sync_verdict.h"
#include "cmd/top_pages.h"
#include "cmd/top_table.h"
#include "cmd/view_text.h"
#include "daemon/core/alert_rules.h"
#include "daemon/core/reflect.h"

namespace timectl::cmd {
namespace {

using control::AlertRow;
using control::MasternodeRow;

constexpr std::size_t kMostText = 500;
constexpr std::size_t kMostEvents = 8;

void append(Lines& lines, const Lines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

std::vector<Field> masternode_fields(const Output& out, const MasternodeRow& row) {
  const auto unknown = [](const auto& value, auto text) {
    return value ? text(*value) : std::string("unknown");
  };
  std::vector<Field> fields{
      {"State",
       fmt::format("{}: {}", name_of(row.state),
                   std::ranges::find(state_table(), row.state, &StateRow::state)->meaning)}};
  if (row.connected && row.connected_at) {
    fields.push_back({"Connected", fmt::format("{} ({})", out.since(*row.connected_at),
                                               out.time(*row.connected_at))});
    fields.push_back(
        {"Round trip", row.rtt_ms ? rtt_text(row.rtt_ms) + " ms" : std::string("unknown")});
    fields.push_back(
        {"Pings", fmt::format("{} missed in a row, {} lost in this session",
                              row.missed_pongs.value_or(0), unknown(row.loss, percent))});
    fields.push_back({"Traffic", fmt::format("{} in, {} out", unknown(row.bytes_in, human_bytes),
                                             unknown(row.bytes_out, human_bytes))});
  }
  if (!row.connected) {
    fields.push_back({"Down", row.down_since
                                  ? fmt::format("for {} (since {})", age_text(out, *row.down_since),
                                                out.time(*row.down_since))
                                  : "since when is unknown"});
  }
  std::string height = row.height ? grouped(*row.height) + " (its claim)" : "unknown";
  if (row.lag_blocks && *row.lag_blocks > 0) {
    height += ", " + counted(*row.lag_blocks, "block") + " below what is believed";
  }
  fields.push_back({"Height", height});
  fields.push_back({"Score", row.score ? fmt::format("{:.0f} of 100", *row.score) : "unknown"});
  fields.push_back({"Last heard", row.last_heard_at
                                      ? fmt::format("{} ago ({})", out.since(*row.last_heard_at),
                                                    out.time(*row.last_heard_at))
                                      : "never"});
  if (row.last_end_reason) {
    const auto& reason = reason_row(*row.last_end_reason);
    fields.push_back({"Last end", fmt::format("{}: {}", name_of(reason.reason), reason.meaning)});
    if (!row.connected && !reason.remedy.empty()) {
      fields.push_back({"To do", std::string(reason.remedy)});
    }
  }
  if (row.next_attempt_at) {
    fields.push_back({"Next try", fmt::format("in {} ({}){}{}", out.until(*row.next_attempt_at),
                                              out.time(*row.next_attempt_at),
                                              row.next_attempt_reason.empty() ? "" : ": ",
                                              printable(row.next_attempt_reason))});
  } else if (!row.next_attempt_reason.empty()) {
    fields.push_back({"Next try", printable(row.next_attempt_reason)});
  }
  if (!row.connected) {
    fields.push_back({"Attempts", grouped(row.attempts) + " since the last session"});
  }
  return fields;
}

Lines strips_of(const TopData& data, const MasternodeRow& row, std::size_t width) {
  if (!data.history) return {};
  const auto& all = data.history->masternodes;
  const auto found = std::ranges::find(all, row.ip, &control::MasternodeStrip::ip);
  if (found == all.end()) return {};
  Series score;
  for (const auto& value : found->score) {
    score.push_back(value ? std::optional<double>(*value / 100) : std::nullopt);
  }
  constexpr std::size_t kTitle = 12;
  if (width <= kTitle) return {};
  Lines lines{rule_line("the last 24 hours", "now", width)};
  lines.emplace_back().cell("Connected", kTitle, Align::left, Paint::dim);
  lines.back().join(strip(found->connected, width - kTitle));
  lines.emplace_back().cell("Score", kTitle, Align::left, Paint::dim);
  lines.back().join(strip(score, width - kTitle, kGoodScore / 100));
  return lines;
}

Lines masternode_detail(const TopData& data, const MasternodeRow& row, const Output& out,
                        Area area) {
  ScreenLine title;
  title.add(row.ip.to_string(), Paint::bold);
  if (!row.label.empty()) title.add("  " + printable(row.label), Paint::bold);
  title.add("  ").add(name_of(row.state), paint_of(row.tone));
  title.cut_to(area.width);
  Lines lines{title};
  append(lines, field_lines(masternode_fields(out, row), area.width));
  append(lines, strips_of(data, row, area.width));
  const auto name = row.ip.to_string();
  for (const auto& alert : data.overview.alerts) {
    if (alert.object == name) lines.push_back(alert_line(out, alert, area.width));
  }
  Lines events;
  for (const auto& one : data.events) {
    if (one.event.peer == row.ip && events.size() < kMostEvents) {
      events.push_back(event_line(out, one.event, area.width));
    }
  }
  if (!events.empty()) {
    lines.push_back(rule_line("its events", "timectl peer history " + name, area.width));
    append(lines, events);
  }
  return lines;
}

Lines alert_detail(const AlertRow& row, const Output& out, Area area) {
  const auto& rule = alert_rule_row(row.rule);
  ScreenLine title;
  title.add(name_of(row.rule), Paint::bold);
  if (!row.object.empty()) title.add("  " + printable(row.object), Paint::bold);
  title.add("  ").add(name_of(row.severity), paint_of(row.severity));
  title.cut_to(area.width);
  const auto state = alert_state(row);
  std::vector<Field> fields{
      {"What", printable(row.text, kMostText)},
      {"State", state.text},
      {"Since", fmt::format("{} ago ({})", out.since(row.since), out.time(row.since))},
      {"Meaning", std::string(rule.meaning)},
      {"To do", std::string(rule.remedy)}};
  if (row.silenced_until) {
    fields.push_back({"Silenced", fmt::format("until {} by {}: {}", out.time(*row.silenced_until),
                                              printable(row.silenced_by.value_or("?")),
                                              printable(row.silenced_because.value_or("?")))});
  }
  for (const auto& delivery : row.deliveries) {
    fields.push_back({"Sent to", alert_delivery(delivery)});
  }
  if (row.id) {
    fields.push_back({"Next", fmt::format("timectl alerts ack {}", *row.id)});
  }
  fields.push_back({"Runbook", fmt::format("timectl explain {}", name_of(row.rule))});
  Lines lines{title};
  append(lines, field_lines(fields, area.width));
  return lines;
}

Lines event_detail(const Event& event, const Output& out, Area area) {
  std::vector<Field> fields{
      {"When", fmt::format("{} ({} ago)", out.time(event.at), out.since(event.at))},
      {"Kind", std::string(name_of(event.kind))},
      {"Severity", std::string(name_of(event.severity))}};
  if (event.peer) fields.push_back({"Peer", event.peer->to_string()});
  fields.push_back({"What", printable(log_line(event), kMostText)});
  if (event.reason) {
    const auto& reason = reason_row(*event.reason);
    fields.push_back({"Reason", fmt::format("{}: {}", name_of(reason.reason), reason.meaning)});
    if (!reason.remedy.empty()) fields.push_back({"To do", std::string(reason.remedy)});
  }
  return field_lines(fields, area.width);
}

struct HelpRow {
  std::string_view keys;
  std::string_view meaning;
};
constexpr auto kKeyHelp = std::to_array<HelpRow>({
    {"m a e c", "masternodes, alerts, events, chain with slots; Tab: the next one"},
    {"arrows", "select a row, also PgUp PgDn Home End; on the first one the list"},
    {"", "is followed: whatever comes on top is selected"},
    {"Enter", "the row in full: why it is down, the next try, what to do"},
    {"Esc", "back: from the help, from a row, from the filter"},
    {"/", "show only rows that hold a text: address, label, state, words"},
    {"s r", "sort the masternodes by the next column; the other way round"},
    {"p", "hold the screen still, also Space; the node goes on"},
    {"Ctrl-L", "draw everything anew"},
    {"q", "quit, also Ctrl-C"},
});
constexpr auto kColumnHelp = std::to_array<HelpRow>({
    {"STATE", "what one means: timectl explain STATE"},
    {"RTT MS", "round trip of the last pings; MISSED: pongs in a row, now"},
    {"SCORE", "0 to 100, and why: timectl peer score IP"},
    {"LAG", "blocks of its claimed HEIGHT below what is believed"},
    {"FOR", "connected for so long, or down for so long"},
    {"24 H", "share of the time it was connected, now at the right;"},
    {"", "a dot: nobody looked"},
});

}  // namespace

Lines detail_page(const TopData& data, const TopState& state, const Output& out, Area area) {
  Lines lines;
  const auto place = selected_place(data, state);
  if (!place || selection_is_gone(data, state)) {
    lines.emplace_back().add("This row is gone: ", Paint::warn).add("Esc goes back to the list.");
  } else if (state.view == TopView::masternodes) {
    lines = masternode_detail(data, *shown_masternodes(data, state)[*place], out, area);
  } else if (state.view == TopView::alerts) {
    lines = alert_detail(*shown_alerts(data, state)[*place], out, area);
  } else if (state.view == TopView::events) {
    lines = event_detail(shown_events(data, state)[*place]->event, out, area);
  }
  lines.resize(std::min(lines.size(), area.room));
  for (auto& line : lines) line.cut_to(area.width);
  return lines;
}

Lines help_page(Area area) {
  const auto fields_of = [](const auto& rows) {
    std::vector<Field> fields;
    for (const auto& row : rows) {
      fields.push_back({std::string(row.keys), std::string(row.meaning)});
    }
    return fields;
  };
  Lines lines{rule_line("keys", "Esc: back", area.width)};
  append(lines, field_lines(fields_of(kKeyHelp), area.width));
  lines.push_back(rule_line("columns of the masternodes", "", area.width));
  append(lines, field_lines(fields_of(kColumnHelp), area.width));
  lines.resize(std::min(lines.size(), area.room));
  return lines;
}

}  // namespace timectl::cmd
