#include "daemon/core/ip_address.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "daemon/core/random.h"

namespace timectl {
namespace {

IpAddress ip(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : IpAddress{};
}

TEST(IpAddress, EverySpellingGivesTheCanonicalOne) {
  const std::vector<std::pair<const char*, const char*>> table = {
      {"1.2.3.4", "1.2.3.4"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::ffff:1.2.3.4", "1.2.3.4"},
      {"::FFFF:0102:0304", "1.2.3.4"},
      {"0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"fe80::a:b:c:d", "fe80::a:b:c:d"},
      {"::1.2.3.4", "::102:304"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"}};
  for (const auto& [text, canonical] : table) EXPECT_EQ(ip(text).to_string(), canonical) << text;
}

TEST(IpAddress, EachMistakeHasItsOwnReason) {
  const std::vector<std::pair<const char*, const char*>> table = {
      {"", "empty"},
      {"1.2.3.4:24000", "port"},
      {"[2001:db8::1]:24000", "brackets"},
      {"1.2.3.0/24", "CIDR"},
      {"fe80::1%eth0", "zone"},
      {"seed.time-coin.io", "host name"},
      {"localhost", "host name"},
      {"010.0.0.1", "leading zeros"},
      {"1.2.3.00", "leading zeros"},
      {"0x7f.0.0.1", "hexadecimal"},
      {"0x7f000001", "hexadecimal"},
      {"2130706433", "bare integer"},
      {"1.2.3", "four numbers"},
      {"1.2.3.4.5", "more"},
      {"1.2.3.256", "at most 255"},
      {"1.2.3.1000000000000", "at most 255"},
      {"1..2.3", "four numbers"},
      {" 1.2.3.4", "blank"},
      {"1.2.3.4\n", "blank"},
      {"1:2:3:4:5:6:7", "eight groups"},
      {"1:2:3:4:5:6:7:8:9", "more"},
      {"1::2::3", "once"},
      {":::", "once"},
      {"12345::", "one to four"},
      {"1:2:3:4:5:6:7:8::", "none"},
      {":1:2", "begin"},
      {"1:2:3:4:5:6:7:", "end"},
      {"::1.2.3.4:5", "comes last"},
      {"::01.2.3.4", "leading zeros"}};
  for (const auto& [text, word] : table) {
    const auto parsed = IpAddress::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::not_an_address) << text;
    EXPECT_NE(parsed.error().because.find(word), std::string::npos)
        << text << ": " << parsed.error().because;
  }
  EXPECT_FALSE(IpAddress::parse(std::string(1 << 20, '1')));
  EXPECT_FALSE(IpAddress::parse(std::string("1.2.3.4\0", 8)));
}

TEST(IpAddress, RandomAddressesSurviveTextAndBack) {
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    IpAddress::Bytes bytes{};
    for (auto& byte : bytes) {
      byte = random.below(3) == 0 ? static_cast<std::uint8_t>(random.below(256)) : 0;
    }
    if (random.below(4) == 0) {
      bytes = IpAddress::v4(bytes[0], bytes[1], bytes[2], bytes[3]).bytes();
    }
    const IpAddress address(bytes);
    ASSERT_EQ(ip(address.to_string()), address);
  }
}

TEST(IpAddress, RandomTextNeverParsesToSomethingElse) {
  Random random(8);
  constexpr std::string_view kAlphabet = "0123456789abcdef:.:.::%/[]x";
  int parsed_ones = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    const std::size_t length = random.below(20);
    for (std::size_t k = 0; k < length; ++k) text += kAlphabet[random.below(kAlphabet.size())];
    const auto parsed = IpAddress::parse(text);
    if (!parsed) continue;
    ++parsed_ones;
    const auto again = IpAddress::parse(parsed->to_string());
    ASSERT_TRUE(again) << text;
    ASSERT_EQ(*again, *parsed) << text;
  }
  EXPECT_GT(parsed_ones, 0);
}

TEST(IpAddress, KindsOfAddresses) {
  EXPECT_TRUE(ip("127.8.9.1").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_TRUE(ip("239.1.1.1").is_multicast());
  EXPECT_TRUE(ip("255.255.255.255").is_multicast());
  EXPECT_TRUE(ip("ff02::1").is_multicast());
  for (const char* text : {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
                           "169.254.1.1", "fd00::1", "fe80::1"}) {
    EXPECT_TRUE(ip(text).is_private()) << text;
    EXPECT_FALSE(ip(text).is_public()) << text;
  }
  for (const char* text :
       {"64.91.241.10", "172.32.0.1", "100.128.0.1", "8.8.8.8", "2a01:4f8::1", "198.20.0.1"}) {
    EXPECT_TRUE(ip(text).is_public()) << text;
  }
  for (const char* text : {"0.1.2.3", "240.0.0.1", "192.0.2.1", "198.51.100.9", "203.0.113.7",
                           "198.19.0.1", "2001:db8::5", "127.0.0.1", "::", "4000::1"}) {
    EXPECT_FALSE(ip(text).is_public()) << text;
  }
}

TEST(IpAddress, GroupsAndOrder) {
  EXPECT_EQ(ip("1.2.3.4").subnet(), ip("1.2.3.0"));
  EXPECT_EQ(ip("1.2.3.4").network_group(), ip("1.2.0.0"));
  EXPECT_EQ(ip("2001:db8:1:22ff::1").subnet(), ip("2001:db8:1:2200::"));
  EXPECT_EQ(ip("2001:db8:1:22ff::1").network_group(), ip("2001:db8:1::"));
  EXPECT_LT(ip("9.0.0.0"), ip("10.0.0.0"));
  EXPECT_LT(ip("127.0.0.2"), ip("127.0.0.3"));
  EXPECT_LT(ip("255.0.0.1"), ip("2001::"));
}

}  // namespace
}  // namespace timectl
