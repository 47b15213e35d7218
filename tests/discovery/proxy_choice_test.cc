// The environment's proxies, read as curl reads them.
#include "daemon/discovery/proxy_choice.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace timectl::discovery {
namespace {

using Environment = std::map<std::string, std::string>;

ProxyChoice choose(const std::string& host, const Environment& environment) {
  return choose_proxy(host, [&](const char* name) -> const char* {
    const auto at = environment.find(name);
    return at == environment.end() ? nullptr : at->second.c_str();
  });
}

TEST(ProxyChoice, FirstVariableThatIsSetNamesIt) {
  EXPECT_EQ(choose("a.org", {}).url, "");
  EXPECT_EQ(choose("a.org", {{"http_proxy", "http://p:1"}}).url, "") << "of another scheme";
  Environment all{
      {"ALL_PROXY", "4"}, {"all_proxy", "3"}, {"HTTPS_PROXY", "2"}, {"https_proxy", "1"}};
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    EXPECT_EQ(choose("a.org", all).url, all.at(name));
    EXPECT_EQ(choose("a.org", all).variable, name);
    all[name] = "";  // as good as unset
  }
  EXPECT_EQ(choose("a.org", all).url, "");
}

TEST(ProxyChoice, HostsOfNoProxyAreReachedDirectly) {
  const auto direct = [](const std::string& host, const std::string& no_proxy) {
    return choose(host, {{"https_proxy", "http://p:1"}, {"no_proxy", no_proxy}}).url.empty();
  };
  EXPECT_TRUE(direct("a.org", "*"));
  EXPECT_TRUE(direct("a.org", "a.org"));
  EXPECT_TRUE(direct("a.org", "b.org, .A.ORG"));
  EXPECT_TRUE(direct("x.a.org", "a.org"));
  EXPECT_TRUE(direct("9.9.9.9", "9.9.9.9"));
  EXPECT_TRUE(direct("9.9.9.9", "b.org,9.9.0.0/16"));
  EXPECT_TRUE(direct("2600::1", "[2600::1]"));
  EXPECT_TRUE(direct("2600::1", "2600::/32"));
  EXPECT_FALSE(direct("a.org", ""));
  EXPECT_FALSE(direct("a.org", "b.org"));
  EXPECT_FALSE(direct("aa.org", "a.org"));
  EXPECT_FALSE(direct("a.org", "x.a.org"));
  EXPECT_FALSE(direct("a.org", ".,, ,"));
  EXPECT_FALSE(direct("9.9.9.9", "9.9.9.8/32"));
  EXPECT_FALSE(direct("9.9.9.9", "9.9.9.8/33"));
  EXPECT_FALSE(direct("9.9.9.9", "9.9.9.9/x"));
  EXPECT_FALSE(direct("19.9.9.9", "9.9.9.9"));
  EXPECT_FALSE(direct("2600::1", "9.0.0.0/0"));
  EXPECT_TRUE(choose("a.org", {{"https_proxy", "p"}, {"NO_PROXY", "a.org"}}).url.empty());
}

}  // namespace
}  // namespace timectl::discovery
