// Which URLs are read and which redirects followed (requirements D2, fault FT-A3).
#include "daemon/discovery/source_url.h"

#include <gtest/gtest.h>

namespace timectl::discovery {
namespace {

SourceUrl url(std::string_view text) {
  auto parsed = parse_source_url(text);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    ADD_FAILURE() << text << ": " << problem->why;
    return {};
  }
  return std::get<SourceUrl>(parsed);
}

TEST(SourceUrl, HostAndPortAreRead) {
  struct Row {
    const char* text;
    const char* host;
    int port;
  };
  const Row rows[] = {
      {"https://time-coin.io/api/peers", "time-coin.io", 443},
      {"HTTPS://Time-Coin.IO:8443/?a=b:c@d#e", "time-coin.io", 8443},
      {"https://[2600::A]:444/x", "2600::a", 444},
      {"https://9.9.9.9", "9.9.9.9", 443},
  };
  for (const auto& row : rows) {
    const auto parsed = url(row.text);
    EXPECT_EQ(parsed.host, row.host);
    EXPECT_EQ(parsed.port, row.port);
    EXPECT_EQ(parsed.text, row.text);
    EXPECT_FALSE(parsed.is_file);
  }
}

TEST(SourceUrl, FilesAreReadByTheirAbsolutePath) {
  EXPECT_EQ(url("file:/etc/list.json").path, "/etc/list.json");
  EXPECT_EQ(url("file:///etc/list.json").path, "/etc/list.json");
  EXPECT_EQ(url("file://localhost/etc/list.json").path, "/etc/list.json");
  EXPECT_EQ(url("FILE:/a%20b%2Fc%25").path, "/a b/c%");
  EXPECT_TRUE(url("file:/x").is_file);
}

TEST(SourceUrl, WhatIsAmbiguousOrUnsafeIsRefused) {
  for (const std::string text : {"",
                                 "time-coin.io",
                                 "http://time-coin.io/",
                                 "ftp://time-coin.io/",
                                 "https:time-coin.io",
                                 "https:/time-coin.io",
                                 "https://",
                                 "https:///x",
                                 "https://:443/",
                                 "https://a:0/",
                                 "https://a:65536/",
                                 "https://a:/",
                                 "https://a:4x/",
                                 "https://a:+4/",
                                 "https://u@a/",
                                 "https://u:p@a/",
                                 "https://a\\@b/",
                                 "https://a b/",
                                 "https://a/\n",
                                 "https://a/\x7f",
                                 "https://a/\xc3\xa9",
                                 "https://b\xc3\xbc.de/",
                                 "https://a%2eb/",
                                 "https://[::1/",
                                 "https://[1.2.3.4]/",
                                 "https://[::1]x/",
                                 "https://[fe80::1%25eth0]/",
                                 "file:x",
                                 "file://host/x",
                                 "file:",
                                 "file:////x",
                                 "file:/a%00",
                                 "file:/a%2",
                                 "file:/a%zz",
                                 "javascript:alert(1)"}) {
    const auto parsed = parse_source_url(text);
    EXPECT_TRUE(std::holds_alternative<UrlProblem>(parsed)) << text;
  }
  EXPECT_TRUE(
      std::holds_alternative<SourceUrl>(parse_source_url("https://a/" + std::string(2038, 'x'))));
  EXPECT_TRUE(
      std::holds_alternative<UrlProblem>(parse_source_url("https://a/" + std::string(2039, 'x'))));
}

TEST(SourceUrl, RedirectsStayAtTheHostAndItsSibling) {
  const auto from = url("https://time-coin.io/api/peers");
  EXPECT_EQ(may_not_redirect(from, "https://time-coin.io/other"), "");
  EXPECT_EQ(may_not_redirect(from, "https://www.time-coin.io/api/peers"), "");
  EXPECT_EQ(may_not_redirect(from, "https://TIME-COIN.io:443/"), "");
  EXPECT_EQ(may_not_redirect(url("https://www.time-coin.io/"), "https://time-coin.io/"), "");
  for (const char* to :
       {"http://time-coin.io/", "https://time-coin.io.evil.org/", "https://evil.org/",
        "https://api.time-coin.io/", "https://wwwtime-coin.io/", "https://www.www.time-coin.io/",
        "https://time-coin.io:8443/", "https://time-coin.io@evil.org/", "file:///etc/passwd",
        "//evil.org/", "/relative", "", "https://time-coin.io\\.evil.org/", "https://coin.io/",
        "https://time-coin.io./"}) {
    EXPECT_NE(may_not_redirect(from, to), "") << to;
  }
  EXPECT_NE(may_not_redirect(url("file:/x"), "file:/y"), "");
}

}  // namespace
}  // namespace timectl::discovery
