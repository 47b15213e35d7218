// What people see and what programs read, of the real binary on a database of its own. The files
// in golden/ are rewritten by TIMECTL_REWRITE_GOLDEN=1; times, hashes, paths and users are masked.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

std::string masked(std::string text, const Sandbox& sandbox) {
  const auto replace_all = [&](const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  replace_all(sandbox.directory(), "<DIR>");
  replace_all(TIMECTL_VERSION, "<VERSION>");
  text = std::regex_replace(text, std::regex(R"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?)"),
                            "<TIME>");
  text = std::regex_replace(text, std::regex("[0-9a-f]{64}"), "<HASH>");
  text = std::regex_replace(text, std::regex(R"(\d\.\d s)"), "<AGE>");
  text = std::regex_replace(text, std::regex(R"re("uid":\d+,"user":"[^"]*")re"),
                            R"("uid":<UID>,"user":"<USER>")");
  text =
      std::regex_replace(text, std::regex(R"re("added_by":"[^"]*")re"), R"("added_by":"<USER>")");
  text = std::regex_replace(text, std::regex(R"re("by":"[^"]*")re"), R"("by":"<USER>")");
  text = std::regex_replace(text, std::regex(R"(\d+(\.\d)? kB)"), "<SIZE>");
  return std::regex_replace(text, std::regex(R"("bytes":\d+)"), R"("bytes":<SIZE>)");
}

class Golden : public ::testing::Test {
 protected:
  // Runs, and appends what was typed and seen to the transcript.
  Ran type(const std::vector<std::string>& words) {
    const auto ran = sandbox_.run(words);
    transcript_ += "$ timectl";
    for (const auto& word : words) transcript_ += " " + word;
    transcript_ += "\n" + ran.out;
    if (!ran.err.empty()) transcript_ += "--- stderr\n" + ran.err;
    transcript_ += "--- exit " + std::to_string(ran.status) + "\n\n";
    return ran;
  }
  void compare(const std::string& name) {
    const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/tests/cmd/golden/" + name + ".txt";
    const auto seen = masked(transcript_, sandbox_);
    if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
      std::ofstream(path, std::ios::binary) << seen;
    }
    std::ifstream in(path, std::ios::binary);
    std::stringstream wanted;
    wanted << in.rdbuf();
    EXPECT_EQ(wanted.str(), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 cmd_test";
  }
  void fill() {
    (void)sandbox_.run({"whitelist", "add", "203.0.113.7", "--label", "berlin", "--reason",
                        "my second masternode"});
    (void)sandbox_.run({"whitelist", "add", "2001:db8::1", "::ffff:203.0.113.8", "--liveness",
                        "lenient", "--expires", "30d"});
  }
  Sandbox sandbox_;
  std::string transcript_;
};

TEST_F(Golden, WhitelistWithoutANode) {
  type({"whitelist", "list"});
  type(
      {"whitelist", "add", "203.0.113.7", "--label", "berlin", "--reason", "my second masternode"});
  type({"whitelist", "add", "203.0.113.7"});
  type({"whitelist", "add", "2001:db8::1", "::ffff:203.0.113.8", "--liveness", "lenient"});
  type({"whitelist", "add", "203.0.113.9", "--dry-run"});
  type({"whitelist", "list"});
  type({"whitelist", "show", "berlin"});
  type({"whitelist", "remove", "203.0.113.8", "--reason", "sold"});
  type({"whitelist", "remove", "203.0.113.8"});
  type({"whitelist", "add", "203.0.113.300"});
  compare("whitelist");
}

TEST_F(Golden, ListsWithoutANode) {
  fill();
  const auto config =
      sandbox_.write("timectl.toml", "[network]\nblacklisted_peers = [\"198.51.100.7\"]\n");
  const auto list = sandbox_.write(
      "list.txt",
      "# two of ours\n203.0.113.7 label=hamburg\n203.0.113.9 reason=\"my third\"  # new\n");
  type({"whitelist", "import", "list.txt", "--dry-run"});
  type({"whitelist", "import", "list.txt"});
  type({"whitelist", "import", "list.txt", "--yes"});
  type({"whitelist", "import", "list.txt"});
  type({"whitelist", "import", "list.txt", "--replace", "--dry-run"});
  for (const char* form : {"text", "toml", "json"}) {
    type({"whitelist", "export", "--format", form});
  }
  type({"whitelist", "export", "--format", "toml", "--json"});
  const auto saved = sandbox_.run({"whitelist", "export"});
  type({"whitelist", "import", "list.txt", "--replace", "--yes"});
  transcript_ += "# the export of before:\n";
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--replace", "--yes"}, saved.out).status, 0);
  EXPECT_EQ(sandbox_.run({"whitelist", "export"}).out, saved.out);
  type({"whitelist", "import", "list.txt", "--yes", "--json"});
  type({"whitelist", "import", "-", "--replace", "--yes"});
  (void)sandbox_.write("blacklisted.json", R"(["203.0.113.10", "198.51.100.7"])");
  type({"--config", config, "whitelist", "import", "blacklisted.json", "--yes"});
  std::string many = "203.0.113.300\n203.0.113.9:24000\n203.0.113.8 lable=x\n";
  for (int i = 0; i < 20; ++i) many += "example.org\n";
  (void)sandbox_.write("bad.txt", many);
  EXPECT_EQ(type({"whitelist", "import", "bad.txt", "--yes"}).status, 65);
  EXPECT_EQ(type({"whitelist", "import", "bad.txt", "--json"}).status, 65);
  EXPECT_EQ(type({"whitelist", "import", "no-such-file"}).status, 66);
  EXPECT_EQ(type({"whitelist", "import", "/dev/zero"}).status, 74);
  compare("lists");
}

TEST_F(Golden, AlertsWithoutANode) {
  fill();
  type({"alerts"});
  type({"alerts", "rules"});
  type({"alerts", "silence", "masternode_down", "--peer", "berlin", "--for", "2h", "--reason",
        "it moves"});
  type({"alerts", "silence", "lag", "--for", "1d", "--reason", "a backup", "--json"});
  type({"--utc", "alerts", "rules"});
  type({"alerts", "silence", "masternode_down", "--peer", "198.51.100.1", "--for", "2h", "--reason",
        "x"});
  type({"alerts", "silence", "masternode_down", "--object", "198.51.100.1", "--for", "2h",
        "--reason", "x", "--yes"});
  type({"alerts", "silence", "sink_failing", "--object", "ops", "--for", "2h", "--reason", "x"});
  type({"alerts", "silence", "lag", "--for", "1d"});
  type({"alerts", "silence", "lga", "--for", "1d", "--reason", "x"});
  type({"alerts", "silence", "lag", "--reason", "x"});
  type({"alerts", "silence", "lag", "--peer", "berlin", "--for", "1d", "--reason", "x"});
  type({"alerts", "ack", "12"});
  type({"alerts", "ack", "twelve"});
  type({"alerts", "list", "--all", "--json"});
  type({"audit", "list", "--subject", "lag"});
  type({"explain", "masternode_down"});
  type({"explain", "uplink_down"});
  type({"explain", "firing"});
  compare("alerts");
}

TEST_F(Golden, BansWithoutANode) {
  const auto config =
      sandbox_.write("timectl.toml", "[network]\nblacklisted_peers = [\"198.51.100.7\"]\n");
  fill();
  type({"ban", "list"});
  type({"ban", "add", "203.0.113.66", "--for", "30d", "--reason", "spam"});
  type({"ban", "add", "2001:db8::66"});
  type({"ban", "add", "2001:db8::66"});
  type({"ban", "add", "berlin"});
  type({"ban", "add", "203.0.113.300"});
  type({"ban", "list"});
  type({"--config", config, "ban", "list", "--json"});
  type({"--config", config, "ban", "remove", "198.51.100.7"});
  type({"--config", config, "whitelist", "add", "198.51.100.7"});
  type({"ban", "why", "203.0.113.66"});
  type({"ban", "why", "203.0.113.67"});
  type({"ban", "why", "berlin"});
  type({"slots", "check", "203.0.113.66"});
  type({"peer", "list", "--banned"});
  type({"whitelist", "add", "2001:db8::66"});
  type({"ban", "why", "2001:db8::66"});
  type({"ban", "list", "--json"});
  type({"ban", "why", "2001:db8::66", "--json"});
  type({"ban", "remove", "203.0.113.66", "--reason", "a mistake"});
  type({"ban", "remove", "203.0.113.66"});
  type({"audit", "list", "--subject", "203.0.113.66"});
  compare("bans");
}

TEST_F(Golden, VerifyWithoutANode) {
  EXPECT_EQ(type({"whitelist", "verify"}).status, 3);
  fill();
  EXPECT_EQ(type({"whitelist", "verify"}).status, 3);
  EXPECT_EQ(type({"whitelist", "verify", "berlin"}).status, 3);
  EXPECT_EQ(type({"whitelist", "verify", "203.0.113.99"}).status, 2);
  EXPECT_EQ(type({"whitelist", "verify", "berlin", "--json"}).status, 3);
  type({"whitelist", "verify", "nobody"});
  compare("verify");
}

TEST_F(Golden, StatusAndPeersWithoutANode) {
  type({});
  fill();
  type({"status"});
  type({"node", "status"});
  type({"peer", "list"});
  type({"peer", "show", "berlin"});
  type({"peer", "history", "berlin", "--since", "7d"});
  type({"events"});
  compare("status");
}

TEST_F(Golden, JsonWithoutANode) {
  fill();
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"whitelist", "list"},
                                             {"whitelist", "show", "berlin"},
                                             {"whitelist", "add", "203.0.113.7"},
                                             {"whitelist", "remove", "2001:db8::1"},
                                             {"peer", "list"},
                                             {"peer", "history", "berlin"},
                                             {"audit", "list"},
                                             {"audit", "verify"},
                                             {"audit", "head"},
                                             {"db", "check"},
                                             {"version"},
                                             {"explain", "TC-WL-001"},
                                             {"config", "path"},
                                             {"node", "status"}}) {
    auto all = words;
    all.emplace_back("--json");
    const auto ran = type(all);
    boost::system::error_code failed;
    const auto value = json::parse(ran.out, failed);
    ASSERT_FALSE(failed) << ran.out << ran.err;
    const auto& object = value.as_object();
    for (const char* key : {"schema", "generated_at", "source", "data", "warnings"}) {
      EXPECT_TRUE(object.contains(key)) << key;
    }
  }
  compare("json");
}

TEST_F(Golden, AuditAndDatabase) {
  fill();
  type({"audit", "list"});
  type({"audit", "list", "--subject", "berlin"});
  type({"audit", "verify"});
  type({"audit", "verify", "--head", std::string(64, '0')});
  type({"audit", "head"});
  type({"db", "check"});
  type({"db", "backup", sandbox_.directory() + "/copy.db"});
  type({"db", "backup", sandbox_.directory() + "/copy.db"});
  type({"whitelist", "remove", "berlin"});
  const auto restored = type({"db", "restore", sandbox_.directory() + "/copy.db"});
  EXPECT_EQ(restored.status, 0);
  const auto list = sandbox_.run({"whitelist", "list", "--json"});
  EXPECT_NE(list.out.find("203.0.113.7"), std::string::npos) << "the backup's entry is back";
  const auto exported = sandbox_.run({"audit", "export"});
  EXPECT_EQ(exported.status, 0) << exported.err;
  std::istringstream lines(exported.out);
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    EXPECT_EQ(json::parse(line).at("seq").to_number<std::size_t>(), rows + 1);
  }
  EXPECT_GE(rows, 4U);
}

TEST_F(Golden, HelpAndExplain) {
  type({"--help"});
  type({"whitelist", "--help"});
  type({"whitelist", "add", "--help"});
  type({"explain", "TC-WL-001"});
  type({"explain", "refused"});
  type({"explain", "--list"});
  type({"whitelst"});
  compare("help");
}

TEST_F(Golden, Configuration) {
  const auto bad = sandbox_.write("bad.toml", "[network]\nmax_conections = 3\nport = \"x\"\n");
  const auto good = sandbox_.write("good.toml", "[network]\nmax_connections = 100\n");
  type({"config", "path"});
  type({"config", "check"});
  type({"config", "check", bad});
  type({"config", "check", good});
  type({"config", "check", bad, "--json"});
  const auto shown = sandbox_.run({"--config", good, "config", "show", "--origin"});
  EXPECT_NE(shown.out.find("max_connections = 100"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("# file, line 2"), std::string::npos) << shown.out;
  EXPECT_NE(sandbox_.run({"config", "example"}).out.find("[network]"), std::string::npos);
  compare("config");
}

}  // namespace
}  // namespace timectl::testing
