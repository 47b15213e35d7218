// A server as an operator writes it.
#include "daemon/core/host_port.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

TEST(HostPortTest, NamesAndAddressesAreTakenWithAPortOrWithout) {
  struct Case {
    const char* text;
    const char* host;
    std::uint16_t port;
    bool address;
  };
  for (const auto& c :
       {Case{"ntp.example", "ntp.example", 0, false},
        Case{"ntp.example:99", "ntp.example", 99, false}, Case{"192.0.2.1", "192.0.2.1", 0, true},
        Case{"192.0.2.1:123", "192.0.2.1", 123, true},
        Case{"[2001:db8::1]:65535", "2001:db8::1", 65'535, true},
        Case{"[2001:db8::1]", "2001:db8::1", 0, true},
        Case{"2001:db8::1", "2001:db8::1", 0, true}}) {
    const auto got = parse_host_port(c.text);
    ASSERT_TRUE(got) << c.text;
    EXPECT_EQ(got->host, c.host);
    EXPECT_EQ(got->port, c.port);
    EXPECT_EQ(got->address.has_value(), c.address);
  }
}

TEST(HostPortTest, OtherTextIsRefusedWithTheForm) {
  for (const std::string text :
       {"", ":", ":123", "a b", "a:", "a:0", "a:65536", "a:1x", "1.2.3", "1.2.3.4.5", "[a]:1",
        "[1.2.3.4]:1", "-a", ".a", "a..b", "a/b", "http://a", "a\nb"}) {
    const auto got = parse_host_port(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Code::invalid_argument);
    EXPECT_NE(got.error().because.find("HOST:PORT"), std::string::npos);
  }
  EXPECT_FALSE(parse_host_port(std::string(254, 'a')));
  EXPECT_TRUE(parse_host_port(std::string(253, 'a')));
}

}  // namespace
}  // namespace timectl
