// The list of alerts at 80 and 100 columns: the words that are the point of it are never cut.
#include "cmd/alerts_text.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cmd/table.h"

namespace timectl::cmd {
namespace {

using namespace std::chrono_literals;
using control::AlertRow;

const WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27} + 12h};

Output output(std::size_t width) {
  Output out;
  out.configure({.utc = true, .width_out = width}, {Instant{}, kNow});
  return out;
}

AlertRow firing(const std::string& object) {
  AlertRow row;
  row.id = 12;
  row.rule = AlertRule::masternode_down;
  row.object = object;
  row.severity = Severity::critical;
  row.state = AlertState::firing;
  row.text = "Whitelisted peer berlin is not connected: it refuses our connections.";
  row.since = kNow - 3min;
  row.deliveries = {{"pager", DeliveryState::delivered},
                    {"am", DeliveryState::waiting, {}, 3},
                    {"ops", DeliveryState::failed, {}, 9}};
  return row;
}

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) most = std::max(most, display_width(line));
  return most;
}

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

TEST(AlertsText, NothingOfARowIsCutWithThreeSinksAndLongWords) {
  auto row = firing("203.0.113.7");
  row.silenced_until = kNow + 2h;
  row.silenced_by = "alice";
  row.silenced_because = "it moves to another house";
  row.acked_by = "bob";
  row.acked_at = kNow - 1min;
  for (const std::size_t width : {std::size_t{80}, std::size_t{100}}) {
    const auto text = alerts_text(output(width), {row});
    EXPECT_LE(widest(text), width) << text;
    EXPECT_FALSE(has(text, "…")) << text;
    for (const char* what :
         {"masternode_down", "203.0.113.7", "silenced", "1 of 3", "am waiting (3 attempts)",
          "ops failed (9 attempts)", "it refuses our connections", "2026-11-27 14:00:00Z (for 2 h)",
          "by alice: it moves", "acknowledged by bob"}) {
      EXPECT_TRUE(has(text, what)) << what << "\n" << text;
    }
  }
}

TEST(AlertsText, WhatEverySinkHasIsAllAndNamesNone) {
  auto row = firing("203.0.113.7");
  for (auto& delivery : row.deliveries) delivery.state = DeliveryState::delivered;
  const auto text = alerts_text(output(100), {row});
  EXPECT_TRUE(has(text, "all")) << text;
  EXPECT_FALSE(has(text, "pager")) << text;
  EXPECT_FALSE(has(text, "not at")) << text;
  row.deliveries.clear();
  EXPECT_FALSE(has(alerts_text(output(100), {row}), "SENT TO")) << "without sinks no column";
}

TEST(AlertsText, OneThatHoldsNoMoreIsEnding) {
  auto row = firing("203.0.113.7");
  EXPECT_TRUE(has(alerts_text(output(100), {row}), "firing"));
  row.cleared_at = kNow - 30s;
  const auto text = alerts_text(output(100), {row});
  EXPECT_TRUE(has(text, "ending")) << text;
  EXPECT_FALSE(has(text, "firing")) << text;
  EXPECT_TRUE(has(text, "30 s")) << text;
}

TEST(AlertsText, OfManyRowsEachHasItsOwnTextUnderIt) {
  std::vector<AlertRow> rows;
  for (int i = 1; i <= 131; ++i) {
    rows.push_back(firing("203.0.113." + std::to_string(i)));
    rows.back().text = "text of row " + std::to_string(i) + ".";
  }
  std::istringstream lines(alerts_text(output(80), rows));
  std::string line;
  std::getline(lines, line);
  for (int i = 1; i <= 131; ++i) {
    std::getline(lines, line);
    EXPECT_TRUE(has(line, "203.0.113." + std::to_string(i) + " ")) << line;
    std::getline(lines, line);
    EXPECT_EQ(line, "    text of row " + std::to_string(i) + ".");
    std::getline(lines, line);
    EXPECT_TRUE(has(line, "not at: am")) << line;
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(AlertsText, ASilencedRuleSaysUntilWhenByWhomAndWhy) {
  control::AlertRuleInfo info;
  info.rule = AlertRule::sink_failing;
  info.meaning = "Alerts do not arrive at one of the places.";
  EXPECT_FALSE(has(alert_rules_text(output(100), {info}), "until"));
  info.silences.push_back({.rule = info.rule,
                           .object = "ops",
                           .by = "alice",
                           .why = "its server moves",
                           .from = kNow - 1h,
                           .until = kNow + 2h});
  const auto text = alert_rules_text(output(100), {info});
  EXPECT_TRUE(has(text, "in part")) << text;
  EXPECT_TRUE(has(text, "ops: silenced until 2026-11-27 14:00:00Z (for 2 h) by alice: its"))
      << text;
}

}  // namespace
}  // namespace timectl::cmd
