// The list's text, as a server, a file or a disk may hold it (requirements D2, faults FT-A10 to
// FT-A15, scenarios T54 and T56).
#include "daemon/discovery/peer_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/core/events.h"
#include "tests/support/peak_memory.h"

namespace timectl::discovery {
namespace {

using namespace std::string_literals;

PeerList taken(std::string_view body, const ListRules& rules = {}) {
  auto parsed = parse_peer_list(body, rules);
  if (const auto* failure = std::get_if<FetchFailure>(&parsed)) {
    ADD_FAILURE() << body.substr(0, 80) << ": " << failure->message;
    return {};
  }
  return std::get<PeerList>(std::move(parsed));
}

FetchFailure refused(std::string_view body, const ListRules& rules = {}) {
  auto parsed = parse_peer_list(body, rules);
  if (const auto* failure = std::get_if<FetchFailure>(&parsed)) {
    EXPECT_EQ(printable(failure->message, 1000), failure->message) << "one printable line";
    EXPECT_FALSE(failure->message.empty());
    return *failure;
  }
  ADD_FAILURE() << "taken: " << body.substr(0, 80);
  return {FetchStep::file, ""};
}

std::vector<std::string> texts(const PeerList& list) {
  std::vector<std::string> out;
  for (const auto& ip : list.ips) out.push_back(ip.to_string());
  return out;
}

// The reason for which an only entry is refused; empty where it is taken.
std::string why(const std::string& element, const ListRules& rules = {}) {
  const auto list = taken("[" + element + "]", rules);
  EXPECT_EQ(list.ips.size() + list.refused.size(), 1U) << element;
  return list.refused.empty() ? "" : list.refused[0].why;
}

using Texts = std::vector<std::string>;

TEST(PeerList, EachFormOfAnEntryIsRead) {
  const auto list = taken(R"([
    "9.9.9.9", "9.9.9.8:24000", "[2600::1]:24000", "2600::2", "[2600::3]",
    {"ip": "9.9.9.7"}, {"address": "9.9.9.6:24000"}, {"ip": "9.9.9.5", "port": 24000},
    {"address": "9.9.9.4", "port": "24000"}, {"ip": "9.9.9.3", "address": "9.9.9.3:24000"},
    {"ip": "9.9.9.2", "port": null, "tier": "gold", "nested": {"ip": "9.9.9.1", "n": [1, 2]}}])");
  EXPECT_EQ(texts(list), (Texts{"9.9.9.2", "9.9.9.3", "9.9.9.4", "9.9.9.5", "9.9.9.6", "9.9.9.7",
                                "9.9.9.8", "9.9.9.9", "2600::1", "2600::2", "2600::3"}));
  EXPECT_TRUE(list.refused.empty());
  EXPECT_EQ(list.duplicates, 0U);
  EXPECT_FALSE(list.lists_us);
}

TEST(PeerList, AddressesHaveOneSpelling) {
  // FT-A14, FT-A15: IPv4-mapped, IPv6 spellings, with and without a port.
  const auto list = taken(
      R"(["9.9.9.9", "::ffff:9.9.9.9", "9.9.9.9:24000", {"ip": "9.9.9.9"},
          "2600:0:0::1", "2600::1", "[2600::0001]:24000"])");
  EXPECT_EQ(texts(list), (Texts{"9.9.9.9", "2600::1"}));
  EXPECT_EQ(list.duplicates, 5U);
  EXPECT_TRUE(list.refused.empty());
}

TEST(PeerList, AddressesNotOfTheInternetAreRefusedByName) {
  struct Row {
    const char* address;
    const char* why;
    bool private_admits;
  };
  const Row rows[] = {
      {"10.1.2.3", "a private address", true},
      {"172.16.0.1", "a private address", true},
      {"192.168.1.1", "a private address", true},
      {"100.64.0.1", "a private address", true},
      {"fd00::1", "a private address", true},
      {"127.0.0.1", "a loopback address", true},
      {"::1", "a loopback address", true},
      {"::ffff:127.0.0.1", "a loopback address", true},
      {"169.254.169.254", "a link-local address", true},
      {"fe80::1", "a link-local address", true},
      {"224.0.0.1", "a multicast address", false},
      {"ff02::1", "a multicast address", false},
      {"255.255.255.255", "the broadcast address", false},
      {"0.0.0.0", "the unspecified address", false},
      {"::", "the unspecified address", false},
      {"192.0.2.1", "an address for documentation", false},
      {"198.51.100.1", "an address for documentation", false},
      {"203.0.113.1", "an address for documentation", false},
      {"2001:db8::1", "an address for documentation", false},
      {"0.1.2.3", "a reserved address", false},
      {"240.0.0.1", "a reserved address", false},
      {"4000::1", "a reserved address", false},
  };
  ListRules open;
  open.allow_private = true;
  for (const auto& row : rows) {
    const auto element = "\"" + std::string(row.address) + "\"";
    EXPECT_EQ(why(element), row.why) << row.address;
    EXPECT_EQ(why(element, open), row.private_admits ? "" : row.why) << row.address;
  }
  EXPECT_EQ(why("\"9.9.9.9\""), "");
}

TEST(PeerList, WhatIsNoAddressIsRefusedAndTheRestTaken) {
  struct Row {
    const char* element;
    const char* part;  // of the reason
  };
  const Row rows[] = {
      {R"("010.0.0.1")", "leading zeros"},
      {R"("0x7f.1")", "hexadecimal"},
      {R"("9.9.9")", "four numbers"},
      {R"("9.9.9.9/24")", "CIDR"},
      {R"("node.time-coin.io")", "host name"},
      {R"("node.time-coin.io:24000")", "host name"},
      {R"("fe80::1%eth0")", "zone"},
      {R"("")", "empty"},
      {R"(" 9.9.9.9")", "blank"},
      {R"("9.9.9.9:0")", "port"},
      {R"("9.9.9.9:65536")", "port"},
      {R"("9.9.9.9:024000")", "port"},
      {R"("9.9.9.9:24001")", "port 24001: the network's port is 24000"},
      {R"("9.9.9.9:")", "port"},
      {R"("9.9.9.9:24000:1")", "IP address"},
      {R"("[2600::1")", "bracket"},
      {R"("[2600::1]24000")", "bracket"},
      {R"("[9.9.9.9]:24000")", "brackets"},
      {R"("[2600::1]:1")", "port 1:"},
      {R"("9.9.9.9\u0000")", "not an IP address"},
      {R"(7)", "a number"},
      {R"(-1.5e3)", "a number"},
      {R"(null)", "null"},
      {R"(true)", "true or false"},
      {R"([])", "an array"},
      {R"(["9.9.9.9"])", "an array"},
      {R"({})", "neither ip nor address"},
      {R"({"host": "9.9.9.9"})", "neither ip nor address"},
      {R"({"ip": 9})", "ip is a number"},
      {R"({"address": ["9.9.9.9"]})", "address is an array"},
      {R"({"ip": "9.9.9.9", "address": "9.9.9.8"})", "not the same"},
      {R"({"ip": "9.9.9.9", "port": 1})", "port 1:"},
      {R"({"ip": "9.9.9.9", "port": -24000})", "port"},
      {R"({"ip": "9.9.9.9", "port": 24000.0})", "port"},
      {R"({"ip": "9.9.9.9", "port": true})", "port"},
      {R"({"nested": {"ip": "9.9.9.9"}})", "neither ip nor address"},
  };
  for (const auto& row : rows) {
    const auto list = taken("[\"9.9.9.1\", " + std::string(row.element) + ", \"9.9.9.2\"]");
    EXPECT_EQ(texts(list), (Texts{"9.9.9.1", "9.9.9.2"})) << row.element;
    ASSERT_EQ(list.refused.size(), 1U) << row.element;
    const auto& entry = list.refused[0];
    EXPECT_NE(entry.why.find(row.part), std::string::npos) << row.element << ": " << entry.why;
    EXPECT_EQ(printable(entry.why, 1000), entry.why);
  }
}

TEST(PeerList, RefusedEntriesAreShownPrintableAndShort) {
  const auto list = taken(R"(["\u001b[31mred", ")" + std::string(500, 'x') + R"(", 7, null, [1],
                             {"ip": "9.9.9.9:1"}, {"address": "a\nb"}])");
  std::vector<std::string> shown;
  for (const auto& entry : list.refused) shown.push_back(entry.address);
  EXPECT_EQ(shown, (Texts{"\\x1B[31mred", std::string(64, 'x'), "7", "null", "an array",
                          "9.9.9.9:1", "a\\x0Ab"}));
}

TEST(PeerList, OurOwnAddressIsRefusedAndNoted) {
  ListRules rules;
  rules.own_address = IpAddress::v4(9, 9, 9, 9);
  const auto list = taken(R"(["9.9.9.8", "::ffff:9.9.9.9", "9.9.9.9:24000"])", rules);
  EXPECT_TRUE(list.lists_us);
  EXPECT_EQ(texts(list), Texts{"9.9.9.8"});
  ASSERT_EQ(list.refused.size(), 2U);
  EXPECT_EQ(list.refused[0].why, "our own address");
  EXPECT_FALSE(taken(R"(["9.9.9.8"])", rules).lists_us);
}

TEST(PeerList, EmptyArrayIsAListWithoutAddresses) {
  const auto list = taken(" [ ] \n");
  EXPECT_TRUE(list.ips.empty());
  EXPECT_TRUE(list.refused.empty());
}

TEST(PeerList, WhatIsNoArrayIsNamed) {
  struct Row {
    const char* body;
    const char* message;
  };
  const Row rows[] = {
      {"{}", "the list is an empty object, not an array of addresses"},
      {R"({"peers": ["9.9.9.9"]})",
       "the list is an object with the keys peers, not an array of addresses"},
      {R"({"a":1,"b":{"c":2},"d":3,"e":4,"f":5,"g":6})",
       "the list is an object with the keys a, b, d, e, f, ..., not an array of addresses"},
      {"7", "the list is a number, not an array of addresses"},
      {"\"9.9.9.9\"", "the list is a text, not an array of addresses"},
      {"null", "the list is null, not an array of addresses"},
  };
  for (const auto& row : rows) {
    const auto failure = refused(row.body);
    EXPECT_EQ(failure.step, FetchStep::shape) << row.body;
    EXPECT_EQ(failure.message, row.message);
  }
}

TEST(PeerList, WhatIsNoJsonIsRefusedWithItsPosition) {
  struct Row {
    std::string body;
    const char* part;
  };
  const Row rows[] = {
      {"", "line 1, column 1: it ends before the list does: the body is empty"},
      {" \n ", "line 2, column 2"},
      {"[", "line 1, column 2: it ends before the list does"},
      {"[\"9.9.9.9\",\n \"9.9.9.8\",\n \"9.9", "line 3, column 6"},
      {"[\"9.9.9.9\",\n oops]", "line 2, column 2: syntax error"},
      {"<!DOCTYPE html>\n<html>", "line 1, column 1: syntax error: it looks like HTML"},
      {"\xEF\xBB\xBF[]", "byte order mark"},
      {"\xFF\xFE[\0]\0"s, "UTF-16"},
      {"\xFE\xFF\0[\0]"s, "UTF-16"},
      {"[\0]\0"s, "UTF-16"},
      {"\0[\0]"s, "UTF-16"},
      {"\x1f\x8b\x08\0"s, "gzip"},
      {"[NaN]", "line 1, column 2"},
      {"[Infinity]", "line 1, column 2"},
      {"[-Infinity]", "line 1, column"},
      {"[1e999]", "line 1, column"},
      {"[99999999999999999999999]", "a number too large"},
      {"[{\"port\": 18446744073709551616}]", "a number too large"},
      {"[{\"ip\": \"9.9.9.9\", \"ip\": \"9.9.9.8\"}]", "the key 'ip' stands twice"},
      {"[{\"x\": {\"a\": 1, \"a\": 2}}]", "the key 'a' stands twice"},
      {"[{\"\\u0069p\": \"9.9.9.9\", \"ip\": \"9.9.9.8\"}]", "the key 'ip' stands twice"},
      {"[\"\xff\"]", "line 1, column"},
      {"[\"\xc0\xae\"]", "line 1, column"},
      {"[\"\xed\xa0\x80\"]", "line 1, column"},
      {"[\"\\ud800\"]", "line 1, column"},
      {"[] x", "column 4: something follows"},
      {"[][]", "column 3: something follows"},
      {"[]\0"s, "column 3: something follows"},
      {"[\"9.9.9.9\",]", "line 1, column 12"},
      {"['9.9.9.9']", "line 1, column 2"},
      {"[/* */]", "line 1, column 2"},
      {"[\"a\nb\"]", "line 1, column 4"},
      {std::string(1'000'000, '['), "column 9"},
      {"[" + std::string(8, '[') + std::string(8, ']') + "]", "column 9"},
  };
  for (const auto& row : rows) {
    const auto failure = refused(row.body);
    EXPECT_EQ(failure.step, FetchStep::json) << printable(row.body);
    EXPECT_NE(failure.message.find(row.part), std::string::npos)
        << printable(row.body) << ": " << failure.message;
  }
  // The nesting that is just read: the row above is not about brackets as such.
  EXPECT_EQ(why(std::string(7, '[') + std::string(7, ']')),
            "an array is neither a text nor an object");
}

TEST(PeerList, ObjectWithTooManyKeysIsRefused) {
  const auto with_keys = [](int count) {
    std::string keys;
    for (int i = 0; i < count; ++i) keys += ",\"k" + std::to_string(i) + "\":1";
    return "[{\"ip\":\"9.9.9.9\"" + keys + "}]";
  };
  EXPECT_EQ(texts(taken(with_keys(63))), Texts{"9.9.9.9"});
  EXPECT_NE(refused(with_keys(64)).message.find("64 keys"), std::string::npos);
}

std::string addresses(int count) {
  std::string body = "[";
  for (int i = 0; i < count; ++i) {
    body +=
        (i == 0 ? "\"" : ",\"") +
        IpAddress::v4(9, 9, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i & 0xff))
            .to_string() +
        ":24000\"";
  }
  return body + "]";
}

TEST(PeerList, FiveThousandEntriesAreReadAndOneMoreIsNot) {
  EXPECT_EQ(taken(addresses(5000)).ips.size(), 5000U);
  for (const int count : {5001, 10'000, 40'000}) {
    const auto failure = refused(addresses(count));
    EXPECT_EQ(failure.step, FetchStep::size);
    EXPECT_NE(failure.message.find("5000 entries"), std::string::npos) << failure.message;
  }
  ListRules small;
  small.max_entries = 2;
  EXPECT_EQ(refused("[7, 7, 7]", small).step, FetchStep::size) << "the refused ones count";
  EXPECT_EQ(taken("[7, [7, 7, 7]]", small).refused.size(), 2U) << "only the top level counts";
}

TEST(PeerList, BytesAreCountedBeforeAnythingIsRead) {
  ListRules rules;
  rules.max_bytes = 11;
  EXPECT_EQ(taken("[\"9.9.9.9\"]", rules).ips.size(), 1U);
  const auto failure = refused("[\"9.9.9.9\"] ", rules);
  EXPECT_EQ(failure.step, FetchStep::size);
  EXPECT_EQ(failure.message, "the list has 12 bytes, more than the 11 that are read");
}

TEST(PeerList, NoBodyMakesTheProcessGrow) {
  // T56: 64 MB, one text of 10 MB, and what is as long as a list may be and made of tiny values.
  std::string tiny = "[[";
  while (tiny.size() < 1'048'570) tiny += "[],";
  tiny += "[]]]";
  std::string keys = "[{";
  while (keys.size() < 1'000'000) keys += "\"" + std::to_string(keys.size()) + "\":0,";
  const auto one_text = [](std::size_t bytes) {
    std::string body(bytes, 'x');
    return body.replace(0, 2, "[\"").replace(bytes - 2, 2, "\"]");
  };
  const auto big = one_text(64'000'000);
  const auto longest = one_text(10'000'000);
  const std::string text = "[\"" + std::string(1'048'570, 'x') + "\"]";
  const testing::PeakMemory memory;
  EXPECT_EQ(refused(big).step, FetchStep::size);
  EXPECT_EQ(refused(longest).step, FetchStep::size);
  EXPECT_EQ(taken(tiny).refused.size(), 1U);
  EXPECT_EQ(taken(text).refused.size(), 1U);
  EXPECT_EQ(refused(keys).step, FetchStep::json);
  EXPECT_LT(memory.grown_kilobytes(), 16 * 1024);
  // That it would be seen:
  const testing::PeakMemory control;
  EXPECT_EQ(one_text(64'000'000), big);
  EXPECT_GT(control.grown_kilobytes(), 32 * 1024);
}

}  // namespace
}  // namespace timectl::discovery
