#pragma once
// A network as `timectl top` is tested with: a node whose masternodes, alerts, events and history
// are the same at every run, and a way to see a screen as text, with or without its paint.

#include <fmt/format.h>

#include <string>

#include "cmd/top_screen.h"
#include "tests/cmd/sync_lab.h"

namespace timectl::cmd {

inline control::MasternodeRow healthy(std::uint8_t last, const std::string& label) {
  control::MasternodeRow row;
  row.ip = masternode(last);
  row.label = label;
  row.state = PeerState::connected;
  row.connected = true;
  row.tone = Tone::good;
  row.whitelisted = true;
  row.direction = Direction::out;
  row.connected_at = kNow - 26h;
  row.last_heard_at = kNow - 2s;
  row.rtt_ms = 10.0 + last;
  row.loss = 0.001;
  row.missed_pongs = 0;
  row.height = 52'000;
  row.lag_blocks = 0;
  row.score = 97;
  row.bytes_in = 1'200'000;
  row.bytes_out = 900'000;
  return row;
}

inline control::MasternodeRow down(std::uint8_t last, const std::string& label) {
  control::MasternodeRow row;
  row.ip = masternode(last);
  row.label = label;
  row.state = PeerState::backoff;
  row.tone = Tone::bad;
  row.down_since = kNow - 190s;
  row.whitelisted = true;
  row.last_heard_at = kNow - 200s;
  row.last_end_reason = EndReason::unresponsive;
  row.next_attempt_at = kNow + 42s;
  row.next_attempt_reason = "after unresponsive: the gaps double up to their cap";
  row.attempts = 4;
  row.score = 61;
  return row;
}

inline control::AlertRow firing(AlertRule rule, const std::string& object,
                                const std::string& text) {
  control::AlertRow row;
  row.id = 12;
  row.rule = rule;
  row.object = object;
  row.severity = alert_rule_row(rule).severity;
  row.state = AlertState::firing;
  row.text = text;
  row.since = kNow - 190s;
  row.fired_at = kNow - 160s;
  return row;
}

inline Event happened(EventKind kind, Severity severity, Duration ago, std::uint8_t last,
                      const std::string& detail = "") {
  Event event;
  event.at = kNow - std::chrono::duration_cast<std::chrono::milliseconds>(ago);
  event.kind = kind;
  event.severity = severity;
  event.peer = masternode(last);
  event.whitelisted = true;
  event.direction = Direction::out;
  event.detail = detail;
  return event;
}

// A day in which one was away for an hour, and before which nobody looked for another.
inline control::OverviewHistory a_day(const std::vector<control::MasternodeRow>& rows) {
  control::OverviewHistory history;
  history.since = kNow - 24h;
  history.step_seconds = 900;
  for (std::size_t i = 0; i < 96; ++i) {
    control::NodePoint point;
    point.at = history.since + i * std::chrono::minutes(15);
    if (i >= 4) {
      point.whitelisted = rows.size();
      point.connected_min = rows.size() - (i >= 40 && i < 44 ? 1 : 0);
      point.connected_mean = static_cast<double>(*point.connected_min);
      point.height = 51'800 + i * 2;
      point.best_height = *point.height;
      point.lag_max = i >= 60 && i < 66 ? 7 : 0;
    }
    history.node.push_back(point);
  }
  for (const auto& row : rows) {
    control::MasternodeStrip strip{.ip = row.ip};
    for (std::size_t i = 0; i < 96; ++i) {
      const bool away = row.state == PeerState::backoff && i >= 92;
      const bool short_away = row.ip == masternode(3) && i >= 40 && i < 44;
      strip.connected.push_back(i < 4 ? std::nullopt
                                      : std::optional<double>(away         ? 0.0
                                                              : short_away ? 0.4
                                                                           : 1.0));
      strip.score.push_back(i < 4 ? std::nullopt : std::optional<double>(away ? 61 : 97));
    }
    history.masternodes.push_back(std::move(strip));
  }
  return history;
}

inline TopData network_of(std::vector<control::MasternodeRow> rows) {
  TopData data;
  auto& view = data.overview;
  view.at = kNow;
  view.version = "1.0";
  view.started_at = kNow - 26h;
  auto& status = view.status;
  status.network = "mainnet";
  status.node.running = true;
  status.node.uptime_seconds = 26 * 3600;
  status.masternodes.whitelisted = rows.size();
  std::uint64_t connected = 0;
  for (const auto& row : rows) connected += row.connected_at ? 1 : 0;
  status.masternodes.connected = connected;
  const auto missing = rows.size() - connected;
  status.verdict = missing == 0 ? Verdict::ok : Verdict::degraded;
  status.summary = missing == 0 ? fmt::format("all {} masternodes are connected", rows.size())
                                : fmt::format("{} of {} whitelisted masternodes not connected",
                                              missing, rows.size());
  status.slots = SlotsView{.total = connected + 4,
                           .total_max = 125,
                           .regular = 4,
                           .regular_max = 75,
                           .masternode = connected,
                           .masternode_reserved = 50,
                           .inbound = 2,
                           .outbound = connected + 2};
  view.chain = level(52'000);
  status.sync.height = status.sync.best_height = 52'000;
  status.sync.lag_blocks = 0;
  status.sync.verdict = control::SyncVerdict::in_sync;
  view.clock = {.peers = connected, .ahead_seconds = 0.2};
  view.clock_level = true;
  view.peers = {.known = rows.size() + 9, .connected = connected + 4, .banned = 1};
  data.history = a_day(rows);
  view.masternodes = std::move(rows);
  return data;
}

inline TopData usual() {
  auto data = network_of({down(7, "berlin"), healthy(1, "hamburg"), healthy(2, ""),
                          healthy(3, "a masternode with a very long name")});
  data.overview.alerts = {
      firing(AlertRule::masternode_down, "203.0.113.7",
             "Whitelisted peer 203.0.113.7 is not connected (backoff)"),
      firing(AlertRule::clock_off, "", "This machine's clock is 12.4 s ahead of 3 peers")};
  data.overview.clock.ahead_seconds = 12.4;
  data.overview.clock_level = false;
  data.overview.alert_counts = {.critical = 1, .warning = 1};
  data.overview.alerts[1].acked_by = "root";
  data.events = {{5, happened(EventKind::dial_failed, Severity::warning, 20s, 7, "timed out")},
                 {4, happened(EventKind::peer_unresponsive, Severity::warning, 190s, 7)},
                 {3, happened(EventKind::peer_connected, Severity::info, 26h, 1)},
                 {2, happened(EventKind::peer_connected, Severity::info, 26h, 2)},
                 {1, happened(EventKind::peer_connected, Severity::info, 26h, 3)}};
  return data;
}

inline Lines screen_of(const TopData& data, const TopState& state, ScreenSize size = {},
                       Charset charset = Charset::utf8) {
  return top_screen(data, state, at_80_columns(), size, charset);
}

inline std::string text_of(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += line.text() + "\n";
  return text;
}

// What is painted, in brackets: "[bad:backoff]"; inverse spans begin with "!".
inline std::string painted_text(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) {
    for (const auto& span : line.spans()) {
      static constexpr const char* kNames[] = {"", "bold", "dim", "good", "warn", "bad"};
      const std::string name = kNames[static_cast<std::size_t>(span.paint)];
      text += name.empty() && !span.inverse
                  ? span.text
                  : fmt::format("[{}{}:{}]", span.inverse ? "!" : "", name, span.text);
    }
    text += "\n";
  }
  return text;
}

inline Key letter(const std::string& text) {
  return {KeyCode::text, text};
}
// One key after the other, as typed on a screen of 80x24.
inline TopState typed(TopState state, const std::vector<Key>& keys, const TopData& data) {
  for (const auto& key : keys) state = step(std::move(state), key, data, page_of({}));
  return state;
}

}  // namespace timectl::cmd
