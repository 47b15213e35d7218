// The text of /metrics: what it says of an overview, what it leaves out, and that no text of an
// operator or a peer can break it.
#include "daemon/observe/metrics.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "daemon/observe/metrics_table.h"
#include "tests/observe/metrics_example.h"
#include "tests/paths.h"

namespace timectl::observe {
namespace {

std::string text_of(const control::OverviewReply& view, std::uint64_t max_peers = 500,
                    const Counters& counters = {}, const ProcessFigures& process = {}) {
  const auto text = metrics_text(
      {.overview = view, .counters = counters, .process = process, .max_peers = max_peers});
  if (!text) ADD_FAILURE() << text.error().message << ": " << text.error().because;
  return text ? *text : std::string();
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t series_of(const std::string& text, const std::string& name) {
  std::size_t found = 0;
  const std::string begins = "\n" + name;
  for (auto at = text.find(begins); at != std::string::npos; at = text.find(begins, at + 1)) {
    const char next = text[at + begins.size()];
    found += next == '{' || next == ' ' ? 1 : 0;
  }
  return found;
}

struct Example {
  Example() {
    auto& down = view.masternodes[1];
    down = {};
    down.ip = IpAddress::v4(10, 0, 0, 2);
    down.label = "mn2";
    down.state = PeerState::backoff;
    down.score = 12.0;
    view.status.masternodes.connected = 1;
    view.alerts.push_back(
        example_alert(AlertRule::masternode_down, AlertState::firing, "10.0.0.2"));
    view.alerts_by_rule = {{.rule = AlertRule::masternode_down, .firing = 1}};
    counters.on_event({.kind = EventKind::dial_failed, .reason = EndReason::refused});
    counters.on_session({.whitelisted = true,
                         .end_reason = EndReason::closed_by_peer,
                         .bytes_in = 5'000'000'000,
                         .bytes_out = 7});
    counters.on_notice({NoticeKind::fired, {.rule = AlertRule::masternode_down}});
    counters.on_late(std::chrono::milliseconds(250));
  }
  [[nodiscard]] std::string text() const { return text_of(view, 500, counters, process); }

  control::OverviewReply view = example_overview(2);
  Counters counters;
  ProcessFigures process{.cpu_seconds = 12.25,
                         .resident_bytes = 20'000'000,
                         .descriptors = 40,
                         .descriptors_limit = 1024};
};

TEST(Metrics, TextOfAnOverviewIsTheGoldenOne) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/tests/observe/golden/metrics.txt";
  const auto seen = Example().text();
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << seen;
  }
  std::stringstream wanted;
  wanted << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_EQ(wanted.str(), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 observe_test";
}

TEST(Metrics, EveryRowOfTheTableIsInTheTextAndNothingElse) {
  const auto text = Example().text();
  std::set<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#")) names.insert(line.substr(0, line.find_first_of("{ ")));
  }
  for (const auto& row : metric_table()) {
    EXPECT_EQ(names.erase(std::string(row.name)), 1U) << row.name;
  }
  EXPECT_TRUE(names.empty()) << *names.begin();
}

TEST(Metrics, ValuesAreInBaseUnits) {
  const auto text = Example().text();
  EXPECT_TRUE(has_line(text, "timectl_peer_round_trip_seconds{peer=\"10.0.0.1\"} 0.0125")) << text;
  EXPECT_TRUE(has_line(text, "process_start_time_seconds 1794913600"));
  EXPECT_TRUE(has_line(text, "timectl_received_bytes_total{role=\"masternode\"} 5000000000"));
  EXPECT_TRUE(has_line(text, "timectl_loop_late_seconds_total 0.25"));
}

TEST(Metrics, WhatIsNotKnownHasNoSeries) {
  const auto full = Example().text();
  control::OverviewReply nothing;
  nothing.masternodes.push_back({});
  const auto text = text_of(nothing);
  for (const auto& name :
       {"timectl_masternodes_connected", "timectl_slots_used", "timectl_connections",
        "timectl_sync_height_blocks", "timectl_sync_best_height_blocks",
        "timectl_sync_expected_height_blocks", "timectl_sync_lag_blocks",
        "timectl_sync_lag_seconds", "timectl_sync_tip_time_seconds", "timectl_clock_offset_seconds",
        "timectl_peer_score", "timectl_peer_round_trip_seconds", "timectl_peer_missed_pongs",
        "timectl_peer_height_blocks", "timectl_peer_lag_blocks",
        "timectl_peer_session_start_time_seconds", "process_cpu_seconds_total",
        "process_open_fds"}) {
    EXPECT_EQ(series_of(text, name), 0U) << name;
    EXPECT_EQ(text.find(std::string("# TYPE ") + name + " "), std::string::npos) << name;
    EXPECT_GT(series_of(full, name), 0U) << name << ": where it is known";
  }
  // That it is down is known.
  EXPECT_EQ(series_of(text, "timectl_peer_up"), 1U);
}

TEST(Metrics, OfTheVerdictsOneHolds) {
  const auto text = Example().text();
  EXPECT_TRUE(has_line(text, "timectl_verdict{verdict=\"degraded\"} 1"));
  for (const auto* other : {"ok", "critical", "unknown"}) {
    EXPECT_TRUE(has_line(text, std::string("timectl_verdict{verdict=\"") + other + "\"} 0"));
  }
}

TEST(Metrics, MasternodesBeyondTheLimitAreCountedAndTheFirstAreShown) {
  auto view = example_overview(10);
  view.masternodes_left_out = 7;
  const auto text = text_of(view, 3);
  EXPECT_EQ(series_of(text, "timectl_peer_up"), 3U);
  EXPECT_EQ(series_of(text, "timectl_peer_info"), 3U);
  EXPECT_TRUE(has_line(text, "timectl_peer_up{peer=\"10.0.0.3\"} 1"));
  EXPECT_TRUE(has_line(text, "timectl_peers_left_out 14"));
  EXPECT_TRUE(has_line(text_of(view, 0), "timectl_peers_left_out 17"));
  EXPECT_TRUE(has_line(text_of(view, 10), "timectl_peers_left_out 7"));
}

TEST(Metrics, AlertsAreCountedByRuleAndState) {
  auto view = example_overview(1);
  view.alerts_left_out = 4;
  view.alerts = {example_alert(AlertRule::masternode_down, AlertState::firing, "10.0.0.1"),
                 example_alert(AlertRule::masternode_down, AlertState::firing, "10.0.0.2"),
                 example_alert(AlertRule::masternode_down, AlertState::pending, "10.0.0.3")};
  view.alerts[1].silenced_until = example_time(60);
  // Of all that are open: more than the rows.
  view.alerts_by_rule = {
      {.rule = AlertRule::masternode_down, .firing = 4, .pending = 3, .silenced = 2}};
  const auto text = text_of(view);
  const std::string labels = "{rule=\"masternode_down\",severity=\"critical\"} ";
  EXPECT_TRUE(has_line(text, "timectl_alerts_firing" + labels + "4")) << text;
  EXPECT_TRUE(has_line(text, "timectl_alerts_pending" + labels + "3"));
  EXPECT_TRUE(has_line(text, "timectl_alerts_silenced" + labels + "2"));
  EXPECT_TRUE(has_line(text, "timectl_alerts_left_out 4"));
  // The one that is told, by name.
  EXPECT_TRUE(has_line(text,
                       "timectl_alert_active{rule=\"masternode_down\",severity=\"critical\","
                       "object=\"10.0.0.1\"} 1"));
  EXPECT_EQ(series_of(text, "timectl_alert_active"), 1U);
  EXPECT_TRUE(has_line(text, "timectl_alerts_firing{rule=\"lag\",severity=\"notice\"} 0"));
  EXPECT_EQ(series_of(text, "timectl_alerts_firing"), alert_rule_table().size());
}

TEST(Metrics, NamesThatWouldBreakALineAreMadeSafe) {
  struct Case {
    std::string label;
    std::string shown;
  };
  const std::string replacement = "\\\\";  // a backslash of ours, as the format writes it
  for (const auto& [label, shown] : {
           Case{"a\nb", "a" + replacement + "x0Ab"},
           Case{"say \"hi\"", "say \\\"hi\\\""},
           Case{"back\\slash", "back\\\\slash"},
           Case{"bad\xff\xfe", "bad" + replacement + "xFF" + replacement + "xFE"},
           Case{"\x1b[31mred", replacement + "x1B[31mred"},
           Case{"D\xc3\xbcsseldorf", "D\xc3\xbcsseldorf"},
           Case{"} 1\ntimectl_verdict 9", "} 1" + replacement + "x0Atimectl_verdict 9"},
       }) {
    auto view = example_overview(1);
    view.masternodes[0].label = label;
    const auto text = text_of(view);
    EXPECT_TRUE(has_line(text, "timectl_peer_info{peer=\"10.0.0.1\",label=\"" + shown + "\"} 1"))
        << text.substr(text.find("timectl_peer_info{"), 100);
    EXPECT_EQ(series_of(text, "timectl_verdict"), 4U);
  }
  auto view = example_overview(1);
  view.masternodes[0].label = std::string(100'000, 'x');
  const auto text = text_of(view);
  const auto at = text.find("timectl_peer_info{");
  EXPECT_LT(text.find('\n', at) - at, 100 + kMaxLabelBytes);
}

}  // namespace
}  // namespace timectl::observe
