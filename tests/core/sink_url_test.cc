#include "daemon/core/sink_url.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

TEST(SinkUrl, IsHttpsOrHttpToThisMachine) {
  const auto url = parse_sink_url("https://Hooks.Example.org:8443/services/T0/B0?x=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "hooks.example.org");
  EXPECT_EQ(url->path, "/services/T0/B0?x=1");
  EXPECT_TRUE(url->secure);
  for (const char* text : {"http://127.0.0.1:9093", "http://localhost/a", "http://[::1]:8080/",
                           "https://203.0.113.7/x"}) {
    EXPECT_TRUE(parse_sink_url(text)) << text;
  }
}

TEST(SinkUrl, WhatTwoParsersCouldReadTwoWaysIsRefusedAndNeverRepeated) {
  for (const char* text :
       {"http://example.org/secret", "ftp://example.org/secret", "https://u:secret@example.org/",
        "https://exa mple.org/secret", "https://example.org/secret\r\nX: y", "https:///secret",
        "https://example.org\\@evil.org/secret", "https://example.org/#secret", "secret", "",
        "http://127.0.0.1.evil.org/secret", "http://localhost.evil.org/secret"}) {
    const auto url = parse_sink_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().message.find("secret"), url.error().message.find("secret_file"));
  }
  EXPECT_FALSE(parse_sink_url("https://example.org/" + std::string(kMaxSinkUrl, 'a')));
}

}  // namespace
}  // namespace timectl
