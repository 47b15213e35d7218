// Alerts of a real node over kills and restarts: told once, resolved once, by log and command.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The alert of a rule, or null: open ones, and with `all` also those that are over.
json::value alert_of(const NodeProcess& node, const std::string& rule, bool all = false) {
  std::vector<std::string> words{"alerts", "list"};
  if (all) words.emplace_back("--all");
  const auto rows = node.query(words);
  for (const auto& row : rows.as_array()) {
    if (row.at("rule").as_string() == rule) return row;
  }
  return nullptr;
}

struct Alerts : testing::Test {
  // A broken file is refused by a reload: that holds at once, and ends with the next start. The
  // commands read the file, too, so it is whole again when this returns.
  void raise() const {
    const auto whole = read(node.config_path());
    const auto before = told(fired);
    std::ofstream(node.config_path(), std::ios::app) << "\n[nonsense]\n";
    node.signal(SIGHUP);
    EXPECT_TRUE(wait_for([&] { return told(fired) == before + 1; }, 10s)) << node.log();
    std::ofstream(node.config_path(), std::ios::trunc) << whole;
  }
  [[nodiscard]] std::size_t told(const std::string& line) const { return count(node.log(), line); }

  Sandbox sandbox;
  NodeProcess node{sandbox, "127.37.1.2", ""};
  const std::string fired = "ALERT: A new configuration is refused";
  const std::string over = "Alert: The configuration is accepted again";
};

TEST_F(Alerts, OneThatEndedWhileTheNodeWasKilledIsResolvedOnceAndNotToldAgain) {
  node.start();
  raise();
  const auto alert = alert_of(node, "config_rejected");
  EXPECT_EQ(alert.at("state").as_string(), "firing");
  EXPECT_EQ(alert.at("severity").as_string(), "warning");
  const auto id = alert.at("id").to_number<int>();
  node.kill9();
  node.start();
  ASSERT_TRUE(wait_for([&] { return told(over) == 1; }, 20s)) << node.log();
  const auto ended = alert_of(node, "config_rejected", true);
  EXPECT_EQ(ended.at("id").to_number<int>(), id) << "the same alert";
  EXPECT_EQ(ended.at("state").as_string(), "resolved");
  node.kill9();
  node.start();
  // Whatever is told is told within one evaluation: another alert shows that there was one.
  raise();
  EXPECT_EQ(told(over), 1U) << node.log();
  EXPECT_EQ(told(fired), 2U) << "the second firing";
  EXPECT_GT(alert_of(node, "config_rejected").at("id").to_number<int>(), id);
}

TEST_F(Alerts, AreListedWhileTheFileIsStillBroken) {
  node.start();
  std::ofstream(node.config_path(), std::ios::app) << "\n[nonsense]\n";
  node.signal(SIGHUP);
  ASSERT_TRUE(wait_for([&] { return told(fired) == 1; }, 10s)) << node.log();
  const auto listed = node.timectl({"alerts", "--json"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_NE(listed.out.find("\"config_rejected\""), std::string::npos) << listed.out;
  EXPECT_NE(listed.out.find("[nonsense]"), std::string::npos) << "in the warnings";
  EXPECT_NE(node.timectl({"status"}).status, 78) << "a monitor goes on";
  const auto stopped = node.timectl({"node", "stop"});
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  (void)node.wait_exit();
}

TEST_F(Alerts, WhatIsAcknowledgedAndSilencedIsSoAfterAKill) {
  node.start();
  raise();
  const auto id = std::to_string(alert_of(node, "config_rejected").at("id").to_number<int>());
  EXPECT_EQ(node.timectl({"alerts", "ack", id}).status, 0);
  EXPECT_EQ(
      node.timectl({"alerts", "silence", "lag", "--for", "2h", "--reason", "a backup"}).status, 0);
  node.kill9();
  EXPECT_FALSE(alert_of(node, "config_rejected").at("acked_by").is_null()) << "without a node";
  node.start();
  const auto rules = node.query({"alerts", "rules"});
  for (const auto& rule : rules.as_array()) {
    const bool quiet = rule.at("rule").as_string() == "lag";
    EXPECT_EQ(rule.at("silences").as_array().size(), quiet ? 1U : 0U);
  }
  const auto audit = json::serialize(node.query({"audit", "list"}));
  EXPECT_EQ(count(audit, "alert.ack"), 1U);
  EXPECT_EQ(count(audit, "alert.silence"), 1U);
  EXPECT_TRUE(node.query({"audit", "verify"}).at("ok").as_bool());
}

TEST_F(Alerts, ADisabledRuleIsSilent) {
  NodeProcess quiet(sandbox, "127.37.1.3", "[alerts]\ndisabled_rules = [\"config_rejected\"]\n");
  quiet.start();
  const auto whole = read(quiet.config_path());
  std::ofstream(quiet.config_path(), std::ios::app) << "\n[nonsense]\n";
  quiet.signal(SIGHUP);
  ASSERT_TRUE(
      wait_for([&] { return count(quiet.log(), "the configuration stays as it was") == 1; }, 10s));
  std::ofstream(quiet.config_path(), std::ios::trunc) << whole;
  // The whitelist is empty, which is pending from the first evaluation on.
  ASSERT_TRUE(wait_for([&] { return !alert_of(quiet, "whitelist_empty").is_null(); }, 10s));
  EXPECT_TRUE(alert_of(quiet, "config_rejected").is_null());
}

}  // namespace
}  // namespace timectl::e2e
