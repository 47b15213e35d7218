#include "config/whitelist_file.h"

#include <gtest/gtest.h>

#include <random>

#include "config/load.h"
#include "daemon/core/json.h"

namespace timectl::config {
namespace {

const IpAddress kA = IpAddress::v4(203, 0, 113, 7);
const IpAddress kB = IpAddress::v4(203, 0, 113, 8);

const ListedPeer kFull{kA,
                       "berlin",
                       LivenessProfile::lenient,
                       true,
                       "my \"second\" \\ one # of",
                       *parse_rfc3339("2027-01-31T00:00:00.250Z")};

std::string problem(const std::string& text, const std::string& name = "list",
                    const ReadOptions& options = {}) {
  const auto list = read_list(text, name, options);
  EXPECT_TRUE(list.peers.empty()) << text;
  if (list.problems.empty()) return "none";
  return list.problems[0].place + "|" + list.problems[0].text + "|" + list.problems[0].why;
}

TEST(WhitelistFile, AddressesCommentsAndFieldsMakeATextList) {
  const auto list = read_list(
      "\xef\xbb\xbf# my nodes\r\n\r\n"
      "203.0.113.7\tlabel=berlin liveness=lenient trusts_us=true "
      "expires_at=2027-01-31T00:00:00.250Z reason=\"my \\\"second\\\" \\\\ one # of\" # here\r\n"
      "  ::ffff:203.0.113.8  # without a line end",
      "list");
  EXPECT_EQ(list.format, ListFormat::text);
  ASSERT_EQ(list.problem_count, 0U) << list.problems[0].why;
  EXPECT_EQ(list.peers, (std::vector<ListedPeer>{kFull, {.ip = kB}}));
}

TEST(WhitelistFile, JsonIsAnArrayOrADocument) {
  const std::string entry =
      R"({"ip":"203.0.113.7","label":"berlin","liveness":"lenient","trusts_us":true,)"
      R"("reason":"my \"second\" \\ one # of","expires_at":"2027-01-31T00:00:00.250Z"})";
  for (const auto& text :
       {"[" + entry + R"(,"203.0.113.8"])", "[" + entry + R"(,{"address":"203.0.113.8"}])",
        R"({"schema":"timectl.whitelist.export/1","source":"node","warnings":[],"data":[)" + entry +
            R"(,{"ip":"203.0.113.8","label":null,"reason":""}]})"}) {
    const auto list = read_list(text, "list");
    EXPECT_EQ(list.format, ListFormat::json);
    ASSERT_EQ(list.problem_count, 0U) << text << list.problems[0].why;
    EXPECT_EQ(list.peers, (std::vector<ListedPeer>{kFull, {.ip = kB}})) << text;
  }
}

TEST(WhitelistFile, OfAListingTheManualEntriesCountAndTheirOwnLiveness) {
  const std::string text =
      R"({"schema":"timectl.whitelist.list/1","data":[)"
      R"({"ip":"203.0.113.7","sources":["manual","api"],"liveness":"normal","own_liveness":null,)"
      R"("added_at":"2026-01-01T00:00:00Z","added_by":"root","missing_since":null,)"
      R"("connected":true},)"
      R"({"ip":"203.0.113.8","sources":["api"],"liveness":"never","own_liveness":"never"}]})";
  auto list = read_list(text, "list");
  ASSERT_EQ(list.problem_count, 0U) << list.problems[0].why;
  EXPECT_EQ(list.peers, (std::vector<ListedPeer>{{.ip = kA}}));
  EXPECT_EQ(list.left_out, 1U);
  list = read_list(text, "list", {.format = {}, .all_sources = true});
  EXPECT_EQ(list.left_out, 0U);
  EXPECT_EQ(list.peers,
            (std::vector<ListedPeer>{{.ip = kA}, {.ip = kB, .liveness = LivenessProfile::never}}));
}

TEST(WhitelistFile, TomlIsTheConfigFileOrItsListAlone) {
  const std::string list_text =
      "whitelisted_peers = [\n  \"203.0.113.8\",  # a comment\n"
      "  {ip = \"203.0.113.7\", label = \"berlin\", liveness = \"lenient\", trusts_us = true,"
      " reason = \"my \\\"second\\\" \\\\ one # of\","
      " expires_at = \"2027-01-31T00:00:00.250Z\"},\n]\n";
  for (const auto& text :
       {list_text, "[network]\n" + list_text,
        "[node]\nmode = 7\n[no_such]\nkey = 1\n[network]\nport = 99999\n" + list_text}) {
    const auto list = read_list(text, "list");
    EXPECT_EQ(list.format, ListFormat::toml);
    ASSERT_EQ(list.problem_count, 0U) << list.problems[0].why;
    EXPECT_EQ(list.peers, (std::vector<ListedPeer>{{.ip = kB}, kFull}));
  }
  EXPECT_NE(problem("[network]\nport = 1\n").find("no whitelisted_peers"), std::string::npos);
}

TEST(WhitelistFile, AnExportInTomlIsAConfigFile) {
  auto peer = kFull;
  peer.expires_at.reset();
  const auto text = write_list({peer, {.ip = kB}}, ListFormat::toml);
  const auto checked = check_text(text, "timectl.toml");
  EXPECT_TRUE(checked.problems.empty()) << render(checked.problems);
  const auto& peers = checked.config.network.whitelisted_peers;
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].label, "berlin");
  EXPECT_EQ(peers[0].reason, peer.reason);
  const auto expiring = check_text(write_list({kFull}, ListFormat::toml), "timectl.toml");
  ASSERT_EQ(expiring.problems.size(), 1U) << "entries of the config never expire (W7)";
  EXPECT_NE(expiring.problems[0].message.find("never expires"), std::string::npos);
}

TEST(WhitelistFile, TheEndingOrElseTheContentTellsTheForm) {
  const std::vector<std::tuple<std::string, std::string, ListFormat>> table{
      {"", "list", ListFormat::text},
      {"# a\n\n203.0.113.7\n", "list", ListFormat::text},
      {"2001:db8::1 label=x\n", "list", ListFormat::text},
      {" [\n\"203.0.113.7\"]", "list", ListFormat::json},
      {"[]", "list", ListFormat::json},
      {"{\"a\":1}", "list", ListFormat::json},
      {"# a\n[network]\n", "list", ListFormat::toml},
      {"whitelisted_peers=[]", "list", ListFormat::toml},
      {"203.0.113.7\n", "list.json", ListFormat::json},
      {"203.0.113.7\n", "/a/list.toml", ListFormat::toml},
      {"[]", "list.txt", ListFormat::text},
  };
  for (const auto& [text, name, format] : table) EXPECT_EQ(format_of(text, name), format) << text;
  EXPECT_EQ(read_list("[]", "list", {.format = ListFormat::text, .all_sources = false}).format,
            ListFormat::text);
}

TEST(WhitelistFile, EveryInvalidEntryIsNamedWithItsPlace) {
  const auto list = read_list(
      "203.0.113.7\n203.0.113.300\n203.0.113.9:24000\nexample.org\n203.0.113.7 label=x\n"
      "203.0.113.10 lable=x\n203.0.113.11 label=\n203.0.113.12 reason=\"open\n"
      "203.0.113.13 two words\n203.0.113.14 liveness=often\n203.0.113.15 expires_at=30d\n"
      "203.0.113.16 label=a label=b\n203.0.113.17 trusts_us=yes\n203.0.113.18 label=10.0.0.1\n"
      "203.0.113.19 label=\"a\"b\n",
      "list");
  EXPECT_EQ(list.problem_count, 14U);
  EXPECT_TRUE(list.peers.empty()) << "nothing of it may be used";
  ASSERT_EQ(list.problems.size(), 14U);
  for (std::size_t i = 0; i < list.problems.size(); ++i) {
    EXPECT_EQ(list.problems[i].place, "line " + std::to_string(i + 2)) << list.problems[i].why;
    EXPECT_FALSE(list.problems[i].why.empty());
  }
  EXPECT_NE(list.problems[3].why.find("line 1"), std::string::npos);
  EXPECT_NE(list.problems[4].why.find("label"), std::string::npos);
}

TEST(WhitelistFile, BadJsonAndTomlAreNamedToo) {
  EXPECT_EQ(problem("[\n\"203.0.113.7\",\n]").substr(0, 7), "line 3|");
  EXPECT_NE(problem("[] 7").find("more after the end"), std::string::npos);
  EXPECT_NE(problem("{\"data\":[]}").find("neither"), std::string::npos);
  EXPECT_NE(problem("{\"schema\":\"timectl.peer.list/1\",\"data\":[]}").find("neither"),
            std::string::npos);
  EXPECT_EQ(problem("[\"203.0.113.7\",\"203.0.113.300\"]").substr(0, 22), "entry 2|203.0.113.300|");
  EXPECT_NE(problem("[{\"ip\":\"203.0.113.7\",\"lable\":1}]").find("label"), std::string::npos);
  EXPECT_NE(problem("[{\"label\":\"a\"}]").find("no `ip`"), std::string::npos);
  EXPECT_NE(problem("[{\"ip\":null}]").find("no `ip`"), std::string::npos);
  EXPECT_NE(problem("[7]").find("an entry is"), std::string::npos);
  EXPECT_NE(problem("[{\"ip\":\"203.0.113.7\",\"expires_at\":7}]").find("expires_at"),
            std::string::npos);
  EXPECT_EQ(problem("[network]\nwhitelisted_peers = [\n\"203.0.113.300\",\n]").substr(0, 7),
            "line 3|");
  EXPECT_NE(problem("[network]\nwhitelisted_peers = [{ip = \"203.0.113.7\", expires_at = 7}]")
                .find("a time in quotes"),
            std::string::npos);
  EXPECT_NE(problem("[network]\nwhitelisted_peers = [\"203.0.113.7\", \"203.0.113.7\"]")
                .find("line 2 too"),
            std::string::npos);
}

TEST(WhitelistFile, HostileInputIsBounded) {
  EXPECT_NE(problem(std::string(kMostListBytes + 1, 'a')).find("larger"), std::string::npos);
  EXPECT_NE(problem(std::string(2000, '['), "x.json").find("not JSON"), std::string::npos);
  EXPECT_NE(problem("[network]\nwhitelisted_peers = " + std::string(2000, '[')), "none");
  EXPECT_NE(problem("203.0.113.7 " + std::string(5000, ' ') + "label=x").find("too long"),
            std::string::npos);
  std::string many;
  for (int i = 0; i < 500; ++i) many += "\x1b[2J\n";
  const auto list = read_list(many, "list");
  EXPECT_EQ(list.problem_count, 500U);
  EXPECT_EQ(list.problems.size(), kMostListProblems);
  EXPECT_EQ(list.problems[0].text.find('\x1b'), std::string::npos);
  EXPECT_NE(problem(std::string("203.0.113.7\0label=x", 19)), "none");
  EXPECT_NE(problem("203.0.113.7 label=\xff\xfe"), "none");
  std::string full;
  for (std::size_t i = 0; i <= kMostListed; ++i) {
    full += "10." + std::to_string(i >> 16U) + "." + std::to_string((i >> 8U) & 255U) + "." +
            std::to_string(i & 255U) + "\n";
  }
  EXPECT_NE(problem(full).find("at most 20000"), std::string::npos);
  full.erase(full.rfind("10."));
  EXPECT_EQ(read_list(full, "list").peers.size(), kMostListed);
}

// Texts that try every quoting rule of the three forms.
std::string random_text(std::mt19937& random, std::size_t most) {
  static const std::vector<std::string> kPieces{"a",
                                                "Z",
                                                "7",
                                                " ",
                                                "\"",
                                                "\\",
                                                "#",
                                                "=",
                                                "'",
                                                "[",
                                                "]",
                                                "{",
                                                "}",
                                                ",",
                                                ":",
                                                "\xc3\xa4",
                                                "\xe2\x82\xac",
                                                "\xf0\x9f\x9a\x80",
                                                "\\n",
                                                "\\u",
                                                "%",
                                                "\"\"\"",
                                                "  "};
  std::string text;
  const auto pieces = random() % 12;
  for (std::size_t i = 0; i < pieces; ++i) {
    const auto& piece = kPieces[random() % kPieces.size()];
    if (text.size() + piece.size() <= most) text += piece;
  }
  return text;
}

TEST(WhitelistFile, WritingAndReadingAreInverseInAllForms) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    std::map<IpAddress, ListedPeer> by_ip;
    for (std::size_t i = random() % 20; i > 0; --i) {
      ListedPeer peer;
      auto bytes = IpAddress::v4(10, 0, 0, 0).bytes();
      if (random() % 3 == 0) bytes = {0x20, 0x01, 0x0d, 0xb8};
      bytes[14] = static_cast<std::uint8_t>(random());
      bytes[15] = static_cast<std::uint8_t>(random());
      peer.ip = IpAddress(bytes);
      peer.label = random_text(random, kLongestLabel);
      peer.reason = random_text(random, kLongestReason);
      if (random() % 2 == 0) peer.liveness = static_cast<LivenessProfile>(random() % 3);
      peer.trusts_us = random() % 2 == 0;
      if (random() % 2 == 0) {
        peer.expires_at =
            WallTime{} + std::chrono::milliseconds(random() * 1000ULL + random() % 999);
      }
      if (wrong_with(peer).empty()) by_ip[peer.ip] = peer;
    }
    std::vector<ListedPeer> peers;
    for (const auto& [ip, peer] : by_ip) peers.push_back(peer);
    for (const auto format : {ListFormat::text, ListFormat::json, ListFormat::toml}) {
      const auto text = write_list(peers, format);
      const auto list = read_list(text, "list");
      EXPECT_EQ(list.format, format) << text;
      ASSERT_EQ(list.problem_count, 0U) << "seed " << seed << ": " << list.problems[0].why << "\n"
                                        << text;
      EXPECT_EQ(list.peers, peers) << "seed " << seed << "\n" << text;
    }
  }
}

}  // namespace
}  // namespace timectl::config
