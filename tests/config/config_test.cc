#include "config/config.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace timectl::config {
namespace {

Checked check(std::string_view text) {
  return check_text(text, "t.toml");
}

std::string problems(std::string_view text) {
  return render(check(text).problems);
}

TEST(Config, EmptyFileGivesTheDefaults) {
  const auto checked = check("");
  EXPECT_TRUE(checked.problems.empty());
  EXPECT_EQ(checked.config.policy.slots.max_connections, 125U);
  EXPECT_EQ(checked.config.policy.liveness.keepalive_interval, 15s);
  EXPECT_EQ(checked.config.network.name, Network::mainnet);
  EXPECT_EQ(checked.config.p2p_port(), 24'000);
}

TEST(Config, ANodesNameIsOneLineOfPrintableText) {
  EXPECT_EQ(check("[node]\nname = \"berlin-watch\"\n").config.node.name, "berlin-watch");
  EXPECT_EQ(problems("[node]\nname = \"berlin-watch\"\n"), "");
  EXPECT_NE(problems("[node]\nname = \"" + std::string(65, 'x') + "\"\n").find("node.name is not"),
            std::string::npos);
  EXPECT_NE(problems("[node]\nname = \"a\\nb\"\n"), "");
}

TEST(Config, TimeServersAreNamesOrAddressesAndAtMostEight) {
  const auto with = [](const std::string& list) {
    return problems("[node]\ntime_servers = [" + list + "]\n");
  };
  EXPECT_EQ(check("").config.node.time_servers.size(), 4U);
  EXPECT_EQ(with(""), "");
  EXPECT_TRUE(check("[node]\ntime_servers = []\n").config.node.time_servers.empty());
  EXPECT_EQ(with(R"("pool.ntp.org", "127.0.0.1:1123", "[::1]:123", "2001:db8::1")"), "");
  for (const auto* bad : {"", "a b", "ntp://x", "x:0", "x:70000", "1.2.3", "[1.2.3.4]:5", "x:"}) {
    const auto found = with(std::string("\"") + bad + "\"");
    EXPECT_NE(found.find("time_servers"), std::string::npos) << bad;
    EXPECT_NE(found.find("t.toml:2"), std::string::npos) << bad << found;
  }
  std::string nine;
  for (int i = 0; i < 9; ++i) nine += (i > 0 ? ",\"h" : "\"h") + std::to_string(i) + "\"";
  EXPECT_NE(with(nine).find("more than 8"), std::string::npos);
}

TEST(Config, ValuesOfEachKindAreRead) {
  const auto checked = check(R"(
[node]
listen = "127.0.0.2"
external_address = "2001:db8::1"
mode = "active"
operators = ["ann", "bob"]
[network]
name = "testnet"
port = 34000
max_connections = 7
reserved_masternode_slots = 3
ping_interval = 0.5
stable_after = "1h30m"
[whitelist]
ban_immunity = "timeouts"
liveness = "never"
api_policy = "approve"
[chain]
keep_bodies = 1000
[dashboard]
listen = "[::1]:99"
enabled = false
)");
  ASSERT_TRUE(checked.problems.empty()) << render(checked.problems);
  const auto& c = checked.config;
  EXPECT_EQ(c.node.listen, IpAddress::v4(127, 0, 0, 2));
  EXPECT_EQ(c.node.external_address->to_string(), "2001:db8::1");
  EXPECT_EQ(c.node.mode, ModeChoice::active);
  EXPECT_EQ(c.node.operators, (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(c.network.name, Network::testnet);
  EXPECT_EQ(c.p2p_port(), 34'000);
  EXPECT_EQ(c.policy.slots.max_connections, 7U);
  EXPECT_EQ(c.policy.liveness.ping_interval, 500ms);
  EXPECT_EQ(c.policy.reconnect.stable_after, 90min);
  EXPECT_EQ(c.policy.whitelist.ban_immunity, BanImmunity::timeouts);
  EXPECT_EQ(c.policy.whitelist.liveness, LivenessProfile::never);
  EXPECT_EQ(c.whitelist.api_policy, ApiPolicy::approve);
  EXPECT_EQ(c.chain.keep_bodies, std::optional<std::size_t>(1000));
  EXPECT_EQ(c.dashboard.listen.port, 99);
  EXPECT_FALSE(c.dashboard.enabled);
}

TEST(Config, OffTheLoopbackTheDashboardNeedsTls) {
  const std::string tls = "tls_certificate = \"/c.pem\"\ntls_key = \"/k.pem\"\n";
  const std::string open = "[dashboard]\nlisten = \"0.0.0.0:24010\"\n";
  const auto refused = problems(open);
  EXPECT_NE(refused.find("dashboard.listen is not a loopback address"), std::string::npos);
  EXPECT_NE(refused.find("ssh -L"), std::string::npos) << "the other way is named";
  EXPECT_EQ(problems(open + tls), "");
  EXPECT_EQ(problems(open + "enabled = false\n"), "");
  EXPECT_EQ(problems("[dashboard]\nlisten = \"[::1]:24010\"\n"), "");
  EXPECT_EQ(problems("[dashboard]\nlisten = \"127.3.2.1:24010\"\n"), "");
  const std::string metrics = "[metrics]\nenabled = true\nlisten = \"192.0.2.1:9100\"\n";
  EXPECT_NE(problems(metrics).find("metrics.listen is not"), std::string::npos);
  EXPECT_EQ(problems("[dashboard]\n" + tls + metrics), "");
  EXPECT_NE(problems("[dashboard]\ntls_key = \"/k.pem\"\n").find("need each other"),
            std::string::npos);
}

TEST(Config, NamesOfTheDashboardAreNamesWithoutAPort) {
  const auto hosts = [](const std::string& list) {
    return problems("[dashboard]\nhosts = [" + list + "]\n");
  };
  EXPECT_EQ(hosts("\"node.example.org\", \"node\""), "");
  for (const char* bad : {"node:80", "127.0.0.1", "http://node", "a b", ""}) {
    EXPECT_NE(hosts("\"" + std::string(bad) + "\"").find("dashboard.hosts"), std::string::npos)
        << bad;
  }
  std::string many;
  for (int i = 0; i < 17; ++i) many += "\"n" + std::to_string(i) + "\",";
  EXPECT_NE(hosts(many).find("more than 16"), std::string::npos);
}

TEST(Config, WhitelistedPeersAreTextsOrTables) {
  const auto checked = check(
      "[network]\n"
      "whitelisted_peers = [\n"
      "  \"203.0.113.10\",\n"
      "  {ip = \"::ffff:203.0.113.11\", label = \"berlin\", liveness = \"lenient\", "
      "trusts_us = true},\n"
      "]\n"
      "blacklisted_peers = [\"198.51.100.1\"]\n");
  ASSERT_TRUE(checked.problems.empty()) << render(checked.problems);
  const auto& peers = checked.config.network.whitelisted_peers;
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].ip.to_string(), "203.0.113.10");
  EXPECT_EQ(peers[0].line, 3U);
  EXPECT_FALSE(peers[0].trusts_us);
  EXPECT_EQ(peers[1].ip.to_string(), "203.0.113.11");
  EXPECT_EQ(peers[1].label, "berlin");
  EXPECT_EQ(peers[1].liveness, LivenessProfile::lenient);
  EXPECT_TRUE(peers[1].trusts_us);
  EXPECT_EQ(peers[1].line, 4U);
  ASSERT_EQ(checked.config.network.blacklisted_peers.size(), 1U);
  EXPECT_EQ(checked.config.where(6), "t.toml:6");
}

TEST(Config, AllProblemsAreReportedAtOnceWithLineAndCaret) {
  EXPECT_EQ(problems("[network]\n"
                     "max_conections = 5\n"
                     "port = 70000\n"
                     "ping_interval = \"soon\"\n"
                     "name = \"mainet\"\n"
                     "max_per_ip = true\n"
                     "whitelisted_peers = [\"1.2.3.4\", \"1.2.3.400\"]\n"
                     "[netwrok]\n"),
            "t.toml:2:1: there is no key `max_conections` in [network]\n"
            "    2 | max_conections = 5\n"
            "      | ^^^^^^^^^^^^^^ did you mean `max_connections`?\n"
            "t.toml:3:8: network.port is out of range\n"
            "    3 | port = 70000\n"
            "      |        ^^^^^ 0 to 65535\n"
            "t.toml:4:17: " +
                parse_duration("soon").error().message +
                "\n"
                "    4 | ping_interval = \"soon\"\n"
                "      |                 ^^^^^^ seconds, as a number or like \"30d\" or \"1h30m\"\n"
                "t.toml:5:8: \"mainet\" is no value of network.name\n"
                "    5 | name = \"mainet\"\n"
                "      |        ^^^^^^^^ one of: mainnet, testnet\n"
                "t.toml:6:14: network.max_per_ip must be an integer, this is a boolean\n"
                "    6 | max_per_ip = true\n"
                "      |              ^^^^\n"
                "t.toml:7:33: " +
                IpAddress::parse("1.2.3.400").error().message +
                "\n"
                "    7 | whitelisted_peers = [\"1.2.3.4\", \"1.2.3.400\"]\n"
                "      |                                 ^^^^^^^^^^^ " +
                IpAddress::parse("1.2.3.400").error().because +
                "\n"
                "t.toml:8:1: there is no section [netwrok]\n"
                "    8 | [netwrok]\n"
                "      | ^^^^^^^^^ did you mean `network`?\n");
}

TEST(Config, AddressInBothListsNamesBothLines) {
  const auto text = problems(
      "[network]\n"
      "whitelisted_peers = [\"1.2.3.4\"]\n"
      "blacklisted_peers = [\"::ffff:1.2.3.4\"]\n");
  EXPECT_NE(
      text.find("t.toml:3:30: 1.2.3.4 is in whitelisted_peers (line 2) and in blacklisted_peers "
                "(line 3)\n"
                "    3 | blacklisted_peers = [\"::ffff:1.2.3.4\"]\n"
                "      |                              ^^^^^^^ take it out of one of them\n"),
      std::string::npos)
      << text;
}

TEST(Config, SameAddressOrLabelTwiceIsAProblem) {
  EXPECT_NE(problems("[network]\nwhitelisted_peers = [\"1.2.3.4\",\n\"1.2.3.4\"]\n")
                .find("1.2.3.4 is twice in network.whitelisted_peers\n"
                      "    3 | \"1.2.3.4\"]\n"
                      "      |  ^^^^^^^ lines 2 and 3"),
            std::string::npos);
  EXPECT_NE(problems("[network]\nwhitelisted_peers = [{ip = \"1.2.3.4\", label = \"a\"}, "
                     "{ip = \"1.2.3.5\", label = \"a\"}]\n")
                .find("the label a is given twice"),
            std::string::npos);
}

TEST(Config, DuplicateKeyNamesBothLines) {
  const auto text = problems("[network]\nport = 1\n\nport = 2\n");
  EXPECT_NE(text.find("t.toml:4:"), std::string::npos) << text;
  EXPECT_NE(text.find("`port` is given twice"), std::string::npos) << text;
  EXPECT_NE(text.find("first in line 2"), std::string::npos) << text;
}

TEST(Config, SyntaxErrorHasItsLine) {
  const auto text = problems("[network]\nport = \n");
  EXPECT_NE(text.find("t.toml:2:"), std::string::npos) << text;
  EXPECT_NE(text.find("not TOML: "), std::string::npos) << text;
}

TEST(Config, EntryMustHaveAnAddressAndKnownKeysOnly) {
  EXPECT_NE(problems("[network]\nwhitelisted_peers = [{label = \"a\"}]\n").find("has no ip"),
            std::string::npos);
  EXPECT_NE(problems("[network]\nwhitelisted_peers = [{ip = \"1.2.3.4\", lable = \"a\"}]\n")
                .find("did you mean `label`?"),
            std::string::npos);
  EXPECT_NE(problems("[network]\nwhitelisted_peers = [{ip = \"1.2.3.4\", label = \"1.1.1.1\"}]\n")
                .find("must not look like an address"),
            std::string::npos);
  EXPECT_NE(problems("[network]\nwhitelisted_peers = [7]\n").find("a text or a table"),
            std::string::npos);
}

TEST(Config, WhatOtherNodesPunishIsForLoopbackOnly) {
  EXPECT_NE(problems("[network]\nping_interval = 0.1\n").find("would make other nodes ban"),
            std::string::npos);
  EXPECT_EQ(problems("[node]\nlisten = \"127.0.0.9\"\n[network]\nping_interval = 0.1\n"), "");
  EXPECT_EQ(problems("[network]\nkeepalive_interval = 3\n"), "");
}

TEST(Config, NumbersMustFitEachOther) {
  EXPECT_NE(problems("[network]\nmax_connections = 10\n").find("more reserved slots"),
            std::string::npos);
  EXPECT_NE(problems("[network]\nmasternode_first_delay = 90\n").find("is longer than"),
            std::string::npos);
}

TEST(Config, DisabledRulesAreRules) {
  const auto checked = check("[alerts]\ndisabled_rules = [\"lag\", \"node_passive\"]\n");
  ASSERT_TRUE(checked.problems.empty()) << render(checked.problems);
  EXPECT_EQ(checked.config.alerts.disabled_rules.size(), 2U);
  const auto wrong = problems("[alerts]\ndisabled_rules = [\"masternode_dwon\"]\n");
  EXPECT_NE(wrong.find("no alert rule masternode_dwon"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("masternode_down"), std::string::npos) << wrong;
}

TEST(Config, SinksAreTables) {
  const auto checked = check(
      "[[alerts.sink]]\nname = \"pager\"\nkind = \"webhook\"\nurl = \"https://e.org\"\n"
      "[[alerts.sink]]\nname = \"run\"\nkind = \"command\"\ncommand = [\"/bin/true\"]\n");
  ASSERT_TRUE(checked.problems.empty()) << render(checked.problems);
  ASSERT_EQ(checked.config.alerts.sinks.size(), 2U);
  EXPECT_EQ(checked.config.alerts.sinks[1].command, std::vector<std::string>{"/bin/true"});
  EXPECT_NE(problems("[[alerts.sink]]\nname = \"p\"\nkind = \"webhook\"\n").find("needs a url"),
            std::string::npos);
}

TEST(Config, ControlCharactersOfTheFileNeverReachTheTerminal) {
  const auto text = problems("[network]\nname = \"\\u001b[31mred\"\n");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_FALSE(text.empty());
}

TEST(Config, ManyProblemsAreCut) {
  std::string text = "[network]\n";
  for (int i = 0; i < 500; ++i) text += "key" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(check(text).problems.size(), 100U);
}

}  // namespace
}  // namespace timectl::config
