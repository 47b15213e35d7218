// The commands with a real node: passive, so that no socket of the network is opened.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

class WithNode : public ::testing::Test {
 protected:
  void SetUp() override {
    started_ = sandbox_.run({"node", "start", "--passive", "--json"});
    ASSERT_EQ(started_.status, 0) << started_.err;
  }
  void TearDown() override { (void)sandbox_.run({"node", "stop"}); }
  json::value data(const std::vector<std::string>& words, const char* source = "node") {
    auto all = words;
    all.emplace_back("--json");
    const auto ran = sandbox_.run(all);
    EXPECT_NE(ran.out, "") << ran.err;
    if (ran.out.empty()) return {};
    const auto value = json::parse(ran.out);
    EXPECT_EQ(value.at("source").as_string(), source);
    return value.at("data");
  }
  Sandbox sandbox_;
  Ran started_;
};

void expect_keys(const json::value& value, const std::vector<const char*>& keys) {
  for (const char* key : keys) {
    EXPECT_TRUE(value.as_object().contains(key)) << key << " is missing in " << value;
  }
}

TEST_F(WithNode, StartPrintsWhereTheNodeIs) {
  const auto start = json::parse(started_.out);
  EXPECT_EQ(start.at("schema").as_string(), "timectl.node.start/1");
  expect_keys(start.at("data"), {"pid", "socket", "listen", "mode", "data_dir"});
  EXPECT_TRUE(start.at("data").at("listen").is_null());
  EXPECT_EQ(start.at("data").at("mode").as_string(), "passive");
}

TEST_F(WithNode, ASecondStartNamesTheHolder) {
  const auto again = sandbox_.run({"node", "start", "--passive"});
  EXPECT_EQ(again.status, 75) << again.err;
  const auto pid = json::parse(started_.out).at("data").at("pid").to_number<int>();
  EXPECT_NE(again.err.find(std::to_string(pid)), std::string::npos) << again.err;
}

TEST_F(WithNode, PsAndPgrepFindItByItsName) {
  const auto pid = json::parse(started_.out).at("data").at("pid").to_number<int>();
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), name);
  EXPECT_EQ(name, "timectl");
}

TEST_F(WithNode, StatusInfoAndSlotsHaveTheKeysOfTheContract) {
  const auto status = data({"status"});
  expect_keys(status, {"verdict", "network", "node", "masternodes", "slots", "sync", "alerts"});
  expect_keys(status.at("node"), {"running", "pid", "mode", "uptime_seconds"});
  expect_keys(status.at("masternodes"), {"whitelisted", "connected"});
  expect_keys(status.at("sync"), {"height", "best_height", "lag_blocks"});
  EXPECT_TRUE(status.at("node").at("running").as_bool());
  expect_keys(data({"node", "info"}), {"whitelisted_peers", "whitelist_count", "sync_status"});
  expect_keys(data({"slots"}), {"total", "total_max", "regular", "regular_max", "masternode",
                                "masternode_reserved", "inbound", "outbound"});
  expect_keys(data({"slots", "check", "203.0.113.7"}), {"ip", "accept", "reason", "would_evict"});
}

TEST_F(WithNode, AChangeThroughTheNodeIsThereWhenItHasStopped) {
  EXPECT_EQ(
      data({"whitelist", "add", "203.0.113.7", "--label", "berlin"}).at(0).at("result").as_string(),
      "added");
  EXPECT_EQ(data({"whitelist", "list"}).at(0).at("label").as_string(), "berlin");
  const auto stopped = sandbox_.run({"node", "stop"});
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_EQ(data({"whitelist", "list"}, "database").at(0).at("label").as_string(), "berlin");
}

TEST_F(WithNode, RestartKeepsTheNodePassiveAndChangesItsPid) {
  const auto before = json::parse(started_.out).at("data").at("pid").to_number<int>();
  const auto again = data({"node", "restart"});
  EXPECT_NE(again.at("pid").to_number<int>(), before);
  EXPECT_EQ(again.at("mode").as_string(), "passive");
}

TEST_F(WithNode, BackupGoesThroughTheNodeAndRestoreIsRefused) {
  const auto file = sandbox_.directory() + "/copy.db";
  expect_keys(data({"db", "backup", file}), {"file", "bytes"});
  const auto refused = sandbox_.run({"db", "restore", file, "--timeout", "0.1"});
  EXPECT_EQ(refused.status, 75) << refused.err;
  EXPECT_NE(refused.err.find("timectl node stop"), std::string::npos) << refused.err;
}

TEST_F(WithNode, ReloadAnswers) {
  EXPECT_TRUE(data({"node", "reload"}).at("reloaded").as_bool());
}

TEST_F(WithNode, FollowPrintsEventsUntilInterruptedWith130) {
  // timeout(1) sends the interrupt; its own status would be 124 without --preserve-status.
  const auto ran = sandbox_.run_program({"timeout", "--preserve-status", "-s", "INT", "0.5",
                                         TIMECTL_BINARY, "events", "--follow", "--json"});
  EXPECT_EQ(ran.status, 130) << ran.err;
  ASSERT_NE(ran.out.find('\n'), std::string::npos);
  const auto first = json::parse(ran.out.substr(0, ran.out.find('\n')));
  EXPECT_EQ(first.at("schema").as_string(), "timectl.events/1");
  expect_keys(first.at("data"), {"at", "kind", "severity"});
}

}  // namespace
}  // namespace timectl::testing
