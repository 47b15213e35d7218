#include "daemon/core/whitelist.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace timectl {
namespace {

using namespace std::chrono_literals;
const IpAddress kA = IpAddress::v4(64, 91, 241, 10);
const IpAddress kB = IpAddress::v4(64, 91, 241, 11);

AddRequest request(const IpAddress& ip, Source source, std::string reason = "r") {
  AddRequest r;
  r.ip = ip;
  r.source.source = source;
  r.source.reason = std::move(reason);
  r.source.added_by = "alice";
  r.source.added_at = WallTime{5h};
  return r;
}

WhitelistChange add(Whitelist& list, const AddRequest& r) {
  auto change = list.plan_add(r);
  list.put(change);
  return change;
}

TEST(Whitelist, APlanChangesNothingUntilItIsPut) {
  Whitelist list(10);
  const auto change = list.plan_add(request(kA, Source::manual));
  EXPECT_EQ(change.result, ChangeResult::added);
  EXPECT_FALSE(list.contains(kA));
  list.put(change);
  EXPECT_TRUE(list.contains(kA));
}

TEST(Whitelist, AnAddressStaysUntilItsLastSourceIsGone) {
  // every order in which three sources can be added and removed
  std::vector<Source> in = {Source::manual, Source::config, Source::api};
  do {
    std::vector<Source> out = {Source::manual, Source::config, Source::api};
    do {
      Whitelist list(10);
      for (const Source s : in) EXPECT_EQ(add(list, request(kA, s)).result, ChangeResult::added);
      for (std::size_t i = 0; i < 3; ++i) {
        const auto change = list.plan_remove(kA, out[i]);
        EXPECT_EQ(change.result, ChangeResult::removed);
        EXPECT_EQ(change.still_by.size(), 2 - i);
        list.put(change);
        EXPECT_EQ(list.contains(kA), i < 2);
      }
    } while (std::next_permutation(out.begin(), out.end()));
  } while (std::next_permutation(in.begin(), in.end()));
}

TEST(Whitelist, TheStrongestSourceIsManualThenConfigThenApi) {
  Whitelist list(10);
  add(list, request(kA, Source::api, "from the api"));
  EXPECT_EQ(list.find(kA)->strongest().source, Source::api);
  add(list, request(kA, Source::config, "from the config"));
  EXPECT_EQ(list.find(kA)->strongest().source, Source::config);
  add(list, request(kA, Source::manual, "by hand"));
  EXPECT_EQ(list.find(kA)->strongest().reason, "by hand");
  EXPECT_EQ(list.find(kA)->sources.front().source, Source::manual);
}

TEST(Whitelist, RemovingWhatTheManualSourceDoesNotHoldSaysWhoDoes) {
  Whitelist list(10);
  add(list, request(kA, Source::config));
  const auto change = list.plan_remove(kA, Source::manual);
  EXPECT_EQ(change.result, ChangeResult::unchanged);
  EXPECT_EQ(change.still_by, std::vector{Source::config});
  EXPECT_EQ(list.plan_remove(kB, Source::manual).result, ChangeResult::unchanged);
  EXPECT_FALSE(list.plan_remove(kB, Source::manual).why.empty());
}

TEST(Whitelist, AddingTheSameAgainIsUnchangedAndNewDataIsAdded) {
  Whitelist list(10);
  add(list, request(kA, Source::manual));
  auto again = request(kA, Source::manual);
  again.source.added_at = WallTime{6h};
  EXPECT_EQ(list.plan_add(again).result, ChangeResult::unchanged);
  EXPECT_FALSE(list.plan_add(again).why.empty());
  again.source.reason = "another";
  EXPECT_EQ(list.plan_add(again).result, ChangeResult::added);
  EXPECT_EQ(list.plan_add(again).after->sources[0].added_at, WallTime{5h});
  again = request(kA, Source::manual);
  again.label = "fra-1";
  EXPECT_EQ(list.plan_add(again).result, ChangeResult::added);
  again.label.reset();
  again.trusts_us = true;
  EXPECT_EQ(list.plan_add(again).result, ChangeResult::added);
}

TEST(Whitelist, TheBlacklistOfTheConfigWins) {
  Whitelist list(10);
  list.set_blacklist({{kA, "timectl.toml:12"}});
  for (const Source source : {Source::manual, Source::api}) {
    const auto change = list.plan_add(request(kA, source));
    EXPECT_EQ(change.result, ChangeResult::refused);
    EXPECT_EQ(change.code, Code::blacklisted);
    EXPECT_NE(change.why.find("timectl.toml:12"), std::string::npos);
  }
}

TEST(Whitelist, RefusesWhatNoPeerCanHaveAndMoreThanItsLimit) {
  Whitelist list(1);
  EXPECT_EQ(list.plan_add(request(IpAddress{}, Source::manual)).result, ChangeResult::refused);
  EXPECT_EQ(list.plan_add(request(IpAddress::v4(224, 0, 0, 1), Source::manual)).result,
            ChangeResult::refused);
  add(list, request(kA, Source::manual));
  const auto change = list.plan_add(request(kB, Source::manual));
  EXPECT_EQ(change.result, ChangeResult::refused);
  EXPECT_EQ(change.code, Code::whitelist_full);
  EXPECT_EQ(list.plan_add(request(kA, Source::config)).result, ChangeResult::added);
}

TEST(Whitelist, AConfigReloadTouchesTheConfigSourceOnly) {
  Whitelist list(10);
  add(list, request(kA, Source::config));
  add(list, request(kA, Source::manual));
  const auto changes = list.plan_config({request(kB, Source::config)});
  ASSERT_EQ(changes.size(), 2U);
  for (const auto& change : changes) list.put(change);
  EXPECT_TRUE(list.contains(kA));
  EXPECT_EQ(list.find(kA)->find(Source::config), nullptr);
  EXPECT_TRUE(list.contains(kB));
  EXPECT_TRUE(list.plan_config({request(kB, Source::config)}).empty());
}

TEST(Whitelist, AConfigReloadNeverOverfillsTheList) {
  Whitelist list(1);
  const auto changes = list.plan_config({request(kA, Source::config), request(kB, Source::config)});
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].result, ChangeResult::added);
  EXPECT_EQ(changes[1].code, Code::whitelist_full);
}

TEST(Whitelist, ExpiryTakesSourcesWhoseTimeHasComeButNeverTheConfigs) {
  Whitelist list(10);
  auto r = request(kA, Source::manual);
  r.source.expires_at = WallTime{10h};
  add(list, r);
  r = request(kB, Source::config);
  r.source.expires_at = WallTime{10h};
  add(list, r);
  EXPECT_TRUE(list.plan_expiry(WallTime{10h - 1ms}, true).empty());
  const auto changes = list.plan_expiry(WallTime{10h}, true);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].ip, kA);
  EXPECT_FALSE(changes[0].after);
}

TEST(Whitelist, AnApiSourceExpiresOnlyWhileAListInForceConfirmsIt) {
  Whitelist list(10);
  auto r = request(kA, Source::api);
  r.source.expires_at = WallTime{10h};
  add(list, r);
  EXPECT_TRUE(list.plan_expiry(WallTime{11h}, false).empty());
  EXPECT_EQ(list.plan_expiry(WallTime{11h}, true).size(), 1U);
}

TEST(Whitelist, NamesResolveByAddressOrLabel) {
  Whitelist list(10);
  auto r = request(kA, Source::manual);
  r.label = "fra-1";
  add(list, r);
  EXPECT_EQ(*list.resolve("fra-1"), kA);
  EXPECT_EQ(*list.resolve("::ffff:64.91.241.11"), kB);
  EXPECT_EQ(list.resolve("ber-1").error().code, Code::unknown_peer);
  EXPECT_NE(list.resolve("ber-1").error().because.find("fra-1"), std::string::npos);
  EXPECT_EQ(list.resolve("1.2.3.4:5").error().code, Code::not_an_address);
  r.ip = kB;
  r.source.source = Source::config;
  add(list, r);
  EXPECT_EQ(list.resolve("fra-1").error().code, Code::ambiguous_peer);
}

TEST(Whitelist, ALabelBelongsToOnePeerWhenAnOperatorGivesIt) {
  Whitelist whitelist(10);
  AddRequest first{.ip = IpAddress::v4(203, 0, 113, 1), .source = {}, .label = "berlin"};
  whitelist.put(whitelist.plan_add(first));
  AddRequest second{.ip = IpAddress::v4(203, 0, 113, 2), .source = {}, .label = "berlin"};
  const auto refused = whitelist.plan_add(second);
  EXPECT_EQ(refused.result, ChangeResult::refused);
  EXPECT_NE(refused.why.find("203.0.113.1"), std::string::npos);
  second.source.source = Source::config;  // protection comes before a label
  EXPECT_EQ(whitelist.plan_add(second).result, ChangeResult::added);
}

}  // namespace
}  // namespace timectl
