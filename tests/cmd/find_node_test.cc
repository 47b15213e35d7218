// A running node is reached past a configuration that was broken since, and never the wrong one.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "tests/cmd/command.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

class Broken : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = sandbox_.write("t.toml", kWhole);
    const auto started = sandbox_.run(with({"node", "start", "--passive"}));
    ASSERT_EQ(started.status, 0) << started.err;
  }
  void TearDown() override {
    sandbox_.write("t.toml", kWhole);
    (void)sandbox_.run(with({"node", "stop"}));
  }
  [[nodiscard]] std::vector<std::string> with(std::vector<std::string> words) const {
    words.insert(words.begin(), {"--config", file_});
    return words;
  }
  [[nodiscard]] Ran run(const std::vector<std::string>& words) const {
    return sandbox_.run(with(words));
  }
  static constexpr const char* kWhole = "[network]\nname = \"testnet\"\n";
  static constexpr const char* kBad = "[network]\nname = \"testnet\"\n[alerts\n";
  static constexpr const char* kUnknown = "[network]\nname = \"testnet\nport = 0\n";
  Sandbox sandbox_;
  std::string file_;
};

TEST_F(Broken, ReadingWorksAndWarnsOfTheFileAndNamesWhoAnswered) {
  sandbox_.write("t.toml", kBad);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"alerts"},
                                                {"node", "info"},
                                                {"whitelist", "list"},
                                                {"alerts", "rules"},
                                                {"top", "--once"}}) {
    const auto ran = run(words);
    EXPECT_EQ(ran.status, 0) << words[0] << ran.err;
    EXPECT_NE(ran.err.find("warning: " + file_ + " has a problem"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("testnet.sock (testnet) answered"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("warning:"), ran.err.rfind("warning:")) << "said once\n" << ran.err;
  }
  const auto whole = sandbox_.write("whole.toml", kWhole);
  EXPECT_EQ(run({"status"}).status, sandbox_.run({"--config", whole, "status"}).status);
}

TEST_F(Broken, JsonCarriesItInItsWarnings) {
  sandbox_.write("t.toml", kBad);
  const auto ran = run({"node", "status", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const auto document = json::parse(ran.out);
  EXPECT_EQ(document.at("source"), "node");
  ASSERT_EQ(document.at("warnings").as_array().size(), 1U) << ran.out;
  EXPECT_NE(document.at("warnings").at(0).as_string().find(file_), std::string::npos);
}

TEST_F(Broken, TheNodeIsToldToReloadAndToStop) {
  sandbox_.write("t.toml", kBad);
  const auto refused = run({"node", "reload"});
  EXPECT_EQ(refused.status, 78) << "the node itself refuses the file\n" << refused.err;
  EXPECT_NE(refused.err.find("[TC-CFG-001]"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("(testnet) answered"), std::string::npos) << refused.err;
  EXPECT_EQ(run({"node", "restart"}).status, 78) << "no node would start again";
  EXPECT_EQ(run({"node", "status"}).status, 0) << "so it was not stopped";
  const auto stopped = run({"node", "stop"});
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_NE(stopped.out.find("has stopped"), std::string::npos);
}

TEST_F(Broken, WithAnUnknownNetworkTheOnlyNodeIsReadAndNotChanged) {
  sandbox_.write("t.toml", kUnknown);
  const auto read = run({"node", "status"});
  EXPECT_EQ(read.status, 0) << read.err;
  EXPECT_NE(read.err.find("(testnet) answered"), std::string::npos) << read.err;
  const auto stop = run({"node", "stop"});
  EXPECT_EQ(stop.status, 78) << stop.err;
  EXPECT_NE(stop.err.find("would change it"), std::string::npos) << stop.err;
  EXPECT_NE(stop.err.find("--network"), std::string::npos) << stop.err;
  EXPECT_EQ(run({"node", "stop", "--network", "testnet"}).status, 0) << "the flag decides";
}

TEST_F(Broken, OfTwoNodesNobodyChooses) {
  ASSERT_EQ(sandbox_.run({"node", "start", "--passive"}).status, 0);
  sandbox_.write("t.toml", kUnknown);
  const auto ran = run({"node", "status"});
  const auto named = run({"node", "status", "--network", "testnet"});
  EXPECT_EQ(sandbox_.run({"node", "stop"}).status, 0);
  EXPECT_EQ(ran.status, 78) << ran.out << ran.err;
  EXPECT_NE(ran.err.find("(mainnet)"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("(testnet)"), std::string::npos) << ran.err;
  EXPECT_EQ(named.status, 0) << named.err;
}

TEST_F(Broken, WhatNeedsTheWholeFileEndsAsBefore) {
  sandbox_.write("t.toml", kBad);
  EXPECT_EQ(run({"config", "show"}).status, 78);
  EXPECT_EQ(run({"node", "start"}).status, 78);
  ASSERT_EQ(run({"node", "stop"}).status, 0);
  EXPECT_EQ(run({"whitelist", "list"}).status, 78) << "no node runs: the database alone";
  EXPECT_EQ(run({"whitelist", "add", "203.0.113.7"}).status, 78);
  EXPECT_EQ(run({"status"}).status, 78);
}

}  // namespace
}  // namespace timectl::testing
