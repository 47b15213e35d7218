// FT-C8, FT-C10, FT-C13, FT-C16: hostile text in arguments, the config and the database. What is
// refused says why with the right status; what is shown cannot steer a terminal; --json is JSON.

#include <gtest/gtest.h>
#include <algorithm>

#include <filesystem>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEscape = "\x1b[2J\x1b[31m";
constexpr const char* kRightToLeft = "\xe2\x80\xae";

TEST(FaultC8, HostileTextFromArgumentsIsRefused) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.76.0.2", "");
  for (const std::string& text :
       {std::string(kEscape) + "red", std::string("two\nlines"),
        std::string("abc") + kRightToLeft + "cba", std::string("\x7f"), std::string("\xc3\x28"),
        std::string("\xed\xa0\x80"), std::string(2000, 'x')}) {
    for (const char* option : {"--reason", "--label"}) {
      const auto refused = ask_json(node, {"whitelist", "add", "10.1.0.1", option, text});
      EXPECT_EQ(not_this_error(refused, 64, ""), "") << option;
      EXPECT_FALSE(has_raw_control(refused.err)) << refused.err;
      EXPECT_FALSE(
          has_raw_control(node.timectl({"whitelist", "add", "10.1.0.1", option, text}).err));
    }
  }
  EXPECT_EQ(whitelisted(node).size(), 0U);
  // The control: honest text of any language is taken.
  EXPECT_EQ(node.timectl({"whitelist", "add", "10.1.0.1", "--label", "berlin", "--reason",
                          "\xc3\xbc"
                          "ber \xe6\x97\xa5\xe6\x9c\xac"})
                .status,
            0);
}

TEST(FaultC8, HostileTextFromTheControlSocketIsRefused) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.76.1.2", "");
  node.start();
  const std::string hello =
      R"({"jsonrpc":"2.0","id":1,"method":"hello","params":{"api":1,"version":"0.1.0"}})"
      "\n";
  // Both lines at once; the answer to the second is seen by what it leaves behind.
  for (const std::string text : {R"(\u001b[2J)", R"(a\u0000b)", R"(a\nb)", R"(\u202eabc)"}) {
    (void)ask_socket(node.socket_path(),
                     hello +
                         R"({"jsonrpc":"2.0","id":2,"method":"whitelist.add","params":)"
                         R"({"ips":["10.1.0.1"],"reason":")" +
                         text + R"("}})" + "\n");
  }
  EXPECT_EQ(node.timectl({"node", "status"}).status, 0);
  EXPECT_EQ(whitelisted(node).size(), 0U);
}

TEST(FaultC8, HostileTextInTheDatabaseIsEscapedInTablesAndValidInJson) {
  if (!has_program("sqlite3")) GTEST_SKIP() << "needs the sqlite3 program";
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.76.2.2", "");
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1", "--reason", "plain"}).status, 0);
  const std::string hostile =
      "'x' || char(27) || '[2J' || char(10) || 'CRITICAL' || char(8238) "
      "|| 'y' || char(13) || char(155) || char(8) || '\"' || char(127)";
  const auto file = node.data_dir() + "/timectl.db";
  const auto sql = "UPDATE whitelist SET label = 'l' || " + hostile +
                   "; UPDATE whitelist_source SET reason = " + hostile + ", added_by = " + hostile +
                   "; INSERT INTO sessions(ip, direction, whitelisted, started_at, ended_at,"
                   " end_reason, detail, missed_pongs, bytes_in, bytes_out) VALUES('10.1.0.1',"
                   "'in', 1, 1000000, 2000000, 'closed_by_peer', " +
                   hostile +
                   ", 0, 1, 1);"
                   "INSERT INTO peers(ip, masternode_claimed, attempts, recent_attempts, last_text)"
                   " VALUES('10.1.0.1', 0, 0, '[]', " +
                   hostile +
                   ");"
                   "INSERT INTO events(at, kind, severity, peer, whitelisted, detail,"
                   " delay_seconds, missed_pongs, total) VALUES(strftime('%s','now')*1000000,"
                   " 'peer_disconnected', 'notice', '10.1.0.1', 0, " +
                   hostile + ", 0, 0, 0);";
  const auto changed = sqlite(file, sql);
  // What the schema refuses is one way less in; the label and the reason must have got there.
  RecordProperty("sqlite", changed.err);
  EXPECT_TRUE(has_raw_control(sqlite(file, "SELECT reason FROM whitelist_source;").out))
      << "the hostile text is not there: nothing is shown " << changed.err;
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"whitelist", "list"},
                                             {"whitelist", "show", "10.1.0.1"},
                                             {"peer", "list"},
                                             {"peer", "show", "10.1.0.1"},
                                             {"peer", "history", "10.1.0.1"},
                                             {"events", "--since", "1h"},
                                             {"audit", "list"},
                                             {"status"}}) {
    const auto table = node.timectl(arguments);
    EXPECT_FALSE(has_raw_control(table.out)) << arguments[0] << " " << table.out;
    EXPECT_FALSE(has_raw_control(table.err)) << arguments[0] << " " << table.err;
    EXPECT_EQ(table.out.find("\nCRITICAL"), std::string::npos) << table.out;
    const auto document = ask_json(node, arguments);
    EXPECT_LT(document.status, 128);
    if (document.status == 0 || document.status == 3) {
      EXPECT_TRUE(parses_as_json(document.out)) << document.out;
    } else {
      EXPECT_EQ(not_this_error(document, document.status, ""), "");
    }
  }
}

TEST(FaultC10, JunkArgumentsAre64WithAHint) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.77.0.2", "");
  const std::vector<std::vector<std::string>> junk{
      {"whitelist", "add", "\xff\xfe"},
      {"whitelist", "add", ""},
      {"whitelist", "add", "-"},
      {"whitelist", "add"},
      {"whitelist", "add", "1.2.3.4/33"},
      {"whitelist", "add", "1.2.3.4/24"},
      {"whitelist", "add", "256.1.1.1"},
      {"whitelist", "add", "1.2.3"},
      {"whitelist", "add", "1.2.3.4.5"},
      {"whitelist", "add", "010.0.0.1"},
      {"whitelist", "add", "0x7f.0.0.1"},
      {"whitelist", "add", "2130706433"},
      {"whitelist", "add", "1.2.3.4:24000"},
      {"whitelist", "add", "[::1"},
      {"whitelist", "add", "fe80::1%eth0"},
      {"whitelist", "add", ":::"},
      {"whitelist", "add", "\xef\xbc\x91.2.3.4"},
      {"whitelist", "add", "\xd9\xa1.2.3.4"},
      {"whitelist", "add", "$(reboot)"},
      {"whitelist", "add", "1.2.3.4\n"},
      {"whitelist", "add", " 1.2.3.4"},
      {"whitelist", "add", std::string(100'000, '1')},
      {"whitelist", "add", "1.2.3.4", "--expires", "yesterday"},
      {"whitelist", "add", "1.2.3.4", "--expires", "99999999999999999999d"},
      {"whitelist", "add", "1.2.3.4", "--liveness", "sometimes"},
      {"whitelist", "add", "1.2.3.4", "--expires"},
      {"whitelist", "frobnicate"},
      {"whitelist"},
      {"frobnicate"},
      {"--frobnicate"},
      {"--timeout", "-1", "status"},
      {"--timeout", "nan", "status"},
      {"--timeout", "1e999", "status"},
      {"peer", "show"},
      {"peer", "list", "--sort", "nonsense"},
      {"wire", "decode", "--commit", "x"},
      {"audit", "verify", "--head", "zz"},
      {"events", "--kind", "nonsense"},
      {"completion", "tcsh"},
      {"demo", "--nodes", "-3"},
      {"demo", "--nodes", "99999999999999999999"},
      {"-"},
      {"--", "--"},
      {"status", "extra"},
  };
  for (const auto& arguments : junk) {
    std::string shown;
    for (const auto& word : arguments) shown += "'" + word.substr(0, 40) + "' ";
    const auto document = ask_json(node, arguments);
    EXPECT_EQ(not_this_error(document, 64, ""), "") << shown;
    const auto text = node.timectl(arguments);
    EXPECT_EQ(text.status, 64) << shown;
    EXPECT_TRUE(text.err.starts_with("error: ")) << shown << text.err;
    EXPECT_NE(text.err.find("  try: "), std::string::npos) << shown << text.err;
    EXPECT_FALSE(has_raw_control(text.err)) << shown << text.err;
    EXPECT_LT(text.err.size(), 6000U) << shown;
  }
  EXPECT_EQ(whitelisted(node).size(), 0U);
  EXPECT_EQ(node.timectl({"whitelist", "add", "1.2.3.4"}).status, 0);  // the control
}

TEST(FaultC13, EveryFaultOfTheConfigIsNamedWithItsLine) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.78.0.2", "");
  const auto good = slurp(node.config_path());
  ASSERT_EQ(node.timectl({"config", "check"}).status, 0) << "the control";
  struct Case {
    const char* name;
    std::string text;
    std::string says;
  };
  // Where what comes after it stands.
  const auto line = [&](std::ptrdiff_t further) {
    return ":" + std::to_string(std::ranges::count(good, '\n') + further) + ":";
  };
  const std::vector<Case> cases{
      {"unknown key", good + "prot = 1\n", "prot"},
      {"duplicate key", good + "port = 5\n", "port"},
      {"wrong type", good + "max_connections = \"many\"\n", "max_connections"},
      {"out of range", good + "max_connections = -4\n", "max_connections"},
      {"unknown section", good + "[nonsense]\nx = 1\n", "nonsense"},
      {"no TOML", good + "port 24\n", line(1)},
      {"unfinished", good + "whitelisted_peers = [\"1.2.3.4\"\n", line(2)},
      {"no address", good + "whitelisted_peers = [\"1.2.3.999\"]\n", "1.2.3.999"},
      {"escape", good + "x = \"\x1b[2J\"\n", line(1)},
      {"nul", good + std::string("x = \"\0\"\n", 8), line(1)},
      {"no UTF-8", good + "x = \"\xff\xfe\"\n", line(1)},
      {"deep", good + "x = " + std::string(50'000, '[') + "\n", line(1)},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    spill(node.config_path(), each.text);
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"config", "check"}, {"node", "start"}, {"whitelist", "list"}}) {
      const auto refused = node.timectl(arguments);
      EXPECT_EQ(refused.status, 78) << arguments[0] << refused.err;
      const auto said = refused.out + refused.err;
      EXPECT_NE(said.find(each.says), std::string::npos) << said;
      EXPECT_FALSE(has_raw_control(said)) << said;
      const auto document = ask_json(node, arguments);
      EXPECT_EQ(document.status, 78);
      EXPECT_TRUE(document.out.empty() || parses_as_json(document.out)) << document.out;
      EXPECT_TRUE(document.err.empty() || parses_as_json(document.err)) << document.err;
    }
  }
  spill(node.config_path(), good);
  fs::permissions(node.config_path(), fs::perms(0666));
  EXPECT_EQ(not_this_error(ask_json(node, {"whitelist", "list"}), 78, "TC-CFG-002"), "");
  fs::permissions(node.config_path(), fs::perms(0644));
  EXPECT_EQ(node.timectl({"whitelist", "list"}).status, 0);
  fs::remove(node.config_path());
  EXPECT_EQ(not_this_error(ask_json(node, {"whitelist", "list"}), 66, ""), "");
  fs::create_directory(node.config_path());
  const auto directory = ask_json(node, {"whitelist", "list"});
  EXPECT_EQ(not_this_error(directory, directory.status, ""), "");
}

TEST(FaultC16, EveryErrorWithJsonIsJson) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.79.0.2", "");
  const auto garbage = sandbox.path() + "/garbage";
  spill(garbage, std::string("\xff\x00\x13 nonsense\n", 13));
  struct Case {
    std::vector<std::string> arguments;
    int status;
  };
  const std::vector<Case> cases{
      {{"whitelist", "show", "9.9.9.9"}, 66},      {{"whitelist", "show", "nonsense"}, 66},
      {{"peer", "show", "9.9.9.9"}, 66},           {{"explain", "NOPE"}, 66},
      {{"db", "backup", "/nonexistent/file"}, 73}, {{"db", "backup", garbage}, 73},
      {{"wire", "decode", "/nonexistent"}, 66},    {{"config", "check", "/nonexistent"}, 66},
      {{"--network", "nonsense", "status"}, 64},
  };
  const auto walk = [&](const char* when) {
    for (const auto& each : cases) {
      SCOPED_TRACE(std::string(when) + ": " + each.arguments[0] + " " + each.arguments[1]);
      EXPECT_EQ(not_this_error(ask_json(node, each.arguments), each.status, ""), "");
    }
  };
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1"}).status, 0);
  walk("without a node");
  EXPECT_EQ(not_this_error(ask_json(node, {"db", "restore", garbage}), 65, ""), "");
  EXPECT_EQ(not_this_error(ask_json(node, {"db", "restore", "/nonexistent"}), 66, ""), "");
  node.start();
  walk("with a node");
  const auto held = ask_json(node, {"--timeout", "0", "db", "restore", garbage});
  EXPECT_EQ(not_this_error(held, 75, "TC-DB-001"), "");
  // The control: the check does see a text error.
  EXPECT_NE(not_this_error(node.timectl({"explain", "NOPE"}), 66, ""), "");
  // A closed stdout and a full one are errors of the command, too.
  auto argv = node.command({"--json", "whitelist", "list"});
  std::vector<std::string> full{"sh", "-c", "exec \"$@\" >/dev/full", "sh"};
  full.insert(full.end(), argv.begin(), argv.end());
  EXPECT_EQ(not_this_error(run(full), 74, ""), "");
}

}  // namespace
}  // namespace timectl::e2e
