#include "daemon/web/request.h"

#include <gtest/gtest.h>

#include <array>

namespace timectl::web {
namespace {

const std::string kToken(64, 'a');
const std::string kCookie = "timectl_aaaaaaaa";
const std::string kWrongToken = std::string(63, 'a') + "b";
constexpr std::array<Asset, 2> kAssets{
    {{"/", "text/html", "\"1\"", "page"}, {"/app.js", "text/javascript", "\"2\"", "script"}}};

Site dashboard() {
  return {.token = kToken, .hosts = {"node.example.org"}, .assets = kAssets};
}

struct Request {
  Head head = {.method = "GET", .target = "/", .hosts = 1, .host = "127.0.0.1:24010"};
  std::string cookie = kCookie + "=" + kToken;
  [[nodiscard]] Decision decide(const Site& site = dashboard()) const {
    auto given = head;
    given.cookie = cookie;
    return web::decide(given, site);
  }
};

unsigned status_of(std::string_view target, const Site& site = dashboard()) {
  Request request;
  request.head.target = target;
  return request.decide(site).status;
}

TEST(WebRequest, PathsAreATableAndNothingElse) {
  EXPECT_EQ(status_of("/"), 200U);
  EXPECT_EQ(status_of("/app.js"), 200U);
  EXPECT_EQ(status_of("/app.js?v=1"), 200U);
  EXPECT_EQ(status_of("/api/stream"), 200U);
  EXPECT_EQ(status_of("/api/overview"), 200U);
  EXPECT_EQ(status_of("/api/history"), 200U);
  for (const char* target :
       {"/app.js/", "/APP.JS", "//", "/../etc/passwd", "/%61pp.js", "/index.html", "/api/",
        "/api/stream/", "/metrics", "/app.js%00", "/./app.js"}) {
    EXPECT_EQ(status_of(target), 404U) << target;
  }
  EXPECT_EQ(status_of("http://127.0.0.1/"), 400U);
  EXPECT_EQ(status_of("*"), 400U);
  EXPECT_EQ(status_of(""), 400U);
  EXPECT_EQ(status_of("/" + std::string(kLongestTarget, 'a')), 414U);
  EXPECT_EQ(status_of("/" + std::string(kLongestTarget - 1, 'a')), 404U);
}

TEST(WebRequest, OnlyGetAndHeadShow) {
  for (const char* method : {"GET", "HEAD"}) {
    Request request;
    request.head.method = method;
    EXPECT_EQ(request.decide().status, 200U) << method;
  }
  for (const char* method :
       {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"}) {
    Request request;
    request.head.method = method;
    EXPECT_EQ(request.decide().status, 405U) << method;
  }
  Request request;
  request.head.body = true;
  EXPECT_EQ(request.decide().status, 413U);
}

TEST(WebRequest, ANameBoundToThisAddressAnewIsRefused) {
  struct Row {
    std::string_view host;
    bool own;
  };
  const std::array rows{
      Row{"127.0.0.1:24010", true},
      Row{"127.0.0.1", true},
      Row{"127.0.0.1:8080", true},  // a tunnel
      Row{"127.0.0.7:24010", true},
      Row{"localhost:24010", true},
      Row{"LOCALHOST", true},
      Row{"[::1]:24010", true},
      Row{"node.example.org", true},
      Row{"Node.Example.org:443", true},
      Row{"203.0.113.5:24010", true},
      Row{"203.0.113.6:24010", true},
      Row{"evil.example", false},
      Row{"localhost.evil.example:24010", false},
      Row{"node.example.org.evil.example", false},
      Row{"evil.example:24010", false},
      Row{"127.0.0.1:24010@evil.example", false},
      Row{"127.0.0.1:x", false},
      Row{"127.0.0.1:", false},
      Row{"127.0.0.1:99999", false},
      Row{"127.1", false},
      Row{"[::1", false},
      Row{"[::1]24010", false},
      Row{":24010", false},
      Row{"", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(is_own_host(row.host, dashboard()), row.own) << row.host;
  }
  Request request;
  request.head.host = "evil.example:24010";
  EXPECT_EQ(request.decide().status, 421U);
  request.head.host = "127.0.0.1:24010";
  request.head.hosts = 2;
  EXPECT_EQ(request.decide().status, 400U);
  request.head.hosts = 0;
  EXPECT_EQ(request.decide().status, 400U);
}

TEST(WebRequest, NothingIsShownWithoutTheToken) {
  const std::vector<std::string> cookies{std::string(),
                                         kCookie + "=" + kWrongToken,
                                         kCookie + "=" + kToken + "a",
                                         kCookie + "=" + kToken.substr(1),
                                         kCookie + "=",
                                         "timectl_24010=" + kToken,
                                         "x" + kCookie + "=" + kToken,
                                         kToken};
  for (const auto& cookie : cookies) {
    for (const char* target : {"/", "/app.js", "/api/stream", "/api/overview", "/api/history"}) {
      Request request;
      request.cookie = cookie;
      request.head.target = target;
      EXPECT_EQ(request.decide().status, 401U) << cookie << " " << target;
    }
  }
  Request request;
  request.cookie = "a=b; " + kCookie + "=" + kWrongToken + ";" + kCookie + "=" + kToken + " ; c";
  EXPECT_EQ(request.decide().status, 200U);
}

// By two tunnels to one address a browser sends the cookies of both to each.
TEST(WebRequest, TheCookiesOfTwoNodesStandBesideEachOther) {
  const std::string other(64, 'b');
  ASSERT_NE(cookie_name(other), cookie_name(kToken));
  Request request;
  request.cookie = cookie_name(other) + "=" + other + "; " + cookie_name(kToken) + "=" + kToken;
  EXPECT_EQ(request.decide().status, 200U);
}

TEST(WebRequest, ABearerOfTheTokenMayLook) {
  Request request;
  request.cookie.clear();
  request.head.target = "/api/overview";
  const auto status = [&](const std::string& authorization) {
    request.head.authorization = authorization;
    return request.decide().status;
  };
  EXPECT_EQ(status("Bearer " + kToken), 200U);
  EXPECT_EQ(status("bearer  " + kToken), 200U);
  EXPECT_EQ(status("Bearer " + kWrongToken), 401U);
  EXPECT_EQ(status("Basic " + kToken), 401U);
  EXPECT_EQ(status("Bearer"), 401U);
  EXPECT_EQ(status(kToken), 401U);
}

TEST(WebRequest, AnEmptyTokenOpensNothing) {
  auto site = dashboard();
  site.token.clear();
  Request request;
  request.cookie = kCookie + "=";
  EXPECT_EQ(request.decide(site).status, 401U);
  request.head.target = "/?token=";
  EXPECT_EQ(request.decide(site).status, 401U);
}

TEST(WebRequest, TheLinkGivesTheCookieOnlyWithTheRightToken) {
  Request request;
  request.cookie.clear();
  const auto good = "/?token=" + kToken;
  request.head.target = good;
  EXPECT_EQ(request.decide().route, Route::enter);
  request.head.fetch_site = "cross-site";  // from a chat's page
  EXPECT_EQ(request.decide().route, Route::enter);
  for (const auto& bad : {"/?token=" + kWrongToken, "/?token=" + kToken + "&x=1",
                          "/?x=1&token=" + kToken, "/app.js?token=" + kToken}) {
    request.head.target = bad;
    EXPECT_EQ(request.decide().status, 401U) << bad;
  }
}

TEST(WebRequest, OtherSitesMayNotAsk) {
  for (const char* target : {"/api/stream", "/api/overview", "/api/history"}) {
    const auto status = [&](std::string_view site, std::string_view origin) {
      Request request;
      request.head.target = target;
      request.head.fetch_site = site;
      request.head.origin = origin;
      return request.decide().status;
    };
    EXPECT_EQ(status("same-origin", "http://127.0.0.1:24010"), 200U);
    EXPECT_EQ(status("none", ""), 200U);
    EXPECT_EQ(status("cross-site", ""), 403U);
    EXPECT_EQ(status("same-site", ""), 403U) << "another port of this host";
    EXPECT_EQ(status("", "http://evil.example"), 403U);
    EXPECT_EQ(status("", "null"), 403U);
    EXPECT_EQ(status("", "http://127.0.0.1:9999"), 403U);
    EXPECT_EQ(status("", "https://127.0.0.1:24010"), 403U) << "the site is plain";
  }
}

TEST(WebRequest, AKnownCopyIsNotSentAgain) {
  const auto route = [](std::string_view tags) {
    Request request;
    request.head.target = "/app.js";
    request.head.if_none_match = tags;
    return request.decide().route;
  };
  EXPECT_EQ(route(""), Route::asset);
  EXPECT_EQ(route("\"2\""), Route::not_modified);
  EXPECT_EQ(route("\"1\", W/\"2\""), Route::not_modified);
  EXPECT_EQ(route("\"1\""), Route::asset);
  EXPECT_EQ(route("2"), Route::asset);
}

TEST(WebRequest, MetricsHaveAnAddressOfTheirOwnOrShareOne) {
  auto site = dashboard();
  EXPECT_EQ(status_of("/metrics", site), 404U);
  site.metrics = true;
  EXPECT_EQ(status_of("/metrics", site), 200U);
  site.assets = {};
  EXPECT_EQ(status_of("/metrics", site), 200U);
  EXPECT_EQ(status_of("/", site), 404U);
  EXPECT_EQ(status_of("/api/overview", site), 404U);
  Request request;
  request.cookie.clear();
  request.head.target = "/metrics";
  EXPECT_EQ(request.decide(site).status, 401U);
}

TEST(WebRequest, SecretsAreComparedWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abd", "abc"));
  EXPECT_FALSE(same_secret("bbc", "abc"));
  EXPECT_FALSE(same_secret("ab", "abc"));
  EXPECT_FALSE(same_secret("abcd", "abc"));
  EXPECT_FALSE(same_secret("", ""));
}

}  // namespace
}  // namespace timectl::web
