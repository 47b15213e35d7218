#include "daemon/core/whitelist_import.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using namespace std::chrono_literals;
const IpAddress kA = IpAddress::v4(203, 0, 113, 1);
const IpAddress kB = IpAddress::v4(203, 0, 113, 2);
const IpAddress kC = IpAddress::v4(203, 0, 113, 3);
const WallTime kNow = WallTime{} + 24h * 365 * 50;
const std::map<IpAddress, ListedPeer> kNoConfig;

class ImportPlan : public testing::Test {
 protected:
  void add(const IpAddress& ip, const std::string& label, Source source = Source::manual) {
    AddRequest request;
    request.ip = ip;
    request.source = {source, "first", "alice", kNow - 24h};
    if (!label.empty()) request.label = label;
    whitelist_.put(whitelist_.plan_add(request));
  }
  std::vector<ImportStep> plan(const std::vector<ListedPeer>& list,
                               ImportMode mode = ImportMode::merge,
                               const std::map<IpAddress, ListedPeer>& configured = kNoConfig) {
    return plan_import(whitelist_, list, mode, {"bob", kNow}, configured);
  }
  // Plans and puts; what comes of each address.
  std::map<IpAddress, ImportResult> run(const std::vector<ListedPeer>& list,
                                        ImportMode mode = ImportMode::merge) {
    std::map<IpAddress, ImportResult> results;
    for (const auto& step : plan(list, mode)) {
      whitelist_.put(step.change);
      results[step.change.ip] = step.result;
    }
    return results;
  }

  Whitelist whitelist_{4};
};

TEST_F(ImportPlan, ANewEntrySaysWhoImportedItAndWhatTheListSaid) {
  const ListedPeer peer{kA, "berlin", LivenessProfile::lenient, true, "mine", kNow + 24h};
  const auto steps = plan({peer});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].result, ImportResult::added);
  EXPECT_TRUE(steps[0].fields.empty());
  ASSERT_TRUE(steps[0].change.after);
  const auto& entry = *steps[0].change.after;
  EXPECT_EQ(entry.label, "berlin");
  EXPECT_EQ(entry.liveness, LivenessProfile::lenient);
  EXPECT_TRUE(entry.trusts_us);
  const WhitelistSource source{Source::manual, "mine", "bob", kNow, kNow + 24h, {}};
  EXPECT_EQ(entry.sources, std::vector<WhitelistSource>{source});
  EXPECT_EQ(whitelist_.size(), 0U) << "a plan changes nothing";
}

TEST_F(ImportPlan, AMergeKeepsWhatTheListDoesNotSayAndWhoAddedIt) {
  add(kA, "berlin");
  EXPECT_EQ(run({{.ip = kA}}).at(kA), ImportResult::unchanged);
  const auto steps = plan({{.ip = kA, .reason = "second"}});
  EXPECT_EQ(steps[0].result, ImportResult::changed);
  EXPECT_EQ(steps[0].fields, (std::vector<FieldChange>{{"reason", "first", "second"}}));
  EXPECT_EQ(steps[0].change.after->label, "berlin");
  EXPECT_EQ(steps[0].change.after->sources[0].added_by, "alice");
}

TEST_F(ImportPlan, AReplacementResetsWhatTheListDoesNotSayAndRemovesWhatItDoesNotName) {
  add(kA, "berlin");
  add(kB, "paris");
  const auto results = run({{.ip = kA}}, ImportMode::replace);
  EXPECT_EQ(results.at(kA), ImportResult::changed);
  EXPECT_EQ(results.at(kB), ImportResult::removed);
  ASSERT_EQ(whitelist_.size(), 1U);
  EXPECT_EQ(whitelist_.find(kA)->label, "");
  EXPECT_EQ(whitelist_.find(kA)->sources[0].reason, "");
}

TEST_F(ImportPlan, OtherSourcesAreNeitherTakenNorGiven) {
  add(kA, "berlin", Source::config);
  add(kB, "", Source::api);
  add(kB, "");
  const auto results = run({{.ip = kA}}, ImportMode::replace);
  EXPECT_EQ(results.at(kA), ImportResult::added);
  EXPECT_EQ(results.at(kB), ImportResult::removed);
  EXPECT_NE(whitelist_.find(kA)->find(Source::config), nullptr);
  ASSERT_NE(whitelist_.find(kB), nullptr);
  EXPECT_EQ(whitelist_.find(kB)->sources.size(), 1U);
}

TEST_F(ImportPlan, AReplacementFallsBackToWhatTheConfigSaysOfItsOwn) {
  add(kA, "berlin", Source::config);
  add(kA, "");
  const std::map<IpAddress, ListedPeer> configured{{kA, {.ip = kA, .label = "berlin"}}};
  const auto steps = plan({{.ip = kA, .reason = "first"}}, ImportMode::replace, configured);
  EXPECT_EQ(steps[0].result, ImportResult::unchanged);
  const auto blind = plan({{.ip = kA, .reason = "first"}}, ImportMode::replace);
  EXPECT_EQ(blind[0].result, ImportResult::changed) << "the control";
}

TEST_F(ImportPlan, TwoEntriesMaySwapTheirLabels) {
  add(kA, "berlin");
  add(kB, "paris");
  const auto results = run({{.ip = kA, .label = "paris"}, {.ip = kB, .label = "berlin"}});
  EXPECT_EQ(results.at(kA), ImportResult::changed);
  EXPECT_EQ(results.at(kB), ImportResult::changed);
  EXPECT_EQ(whitelist_.find(kA)->label, "paris");
}

TEST_F(ImportPlan, ALabelOfAnotherPeerIsRefusedAndNamesIt) {
  add(kA, "berlin");
  const auto steps = plan({{.ip = kB, .label = "berlin"}, {.ip = kC, .label = "rome"}});
  EXPECT_EQ(steps[0].result, ImportResult::refused);
  EXPECT_NE(steps[0].change.why.find("203.0.113.1"), std::string::npos) << steps[0].change.why;
  EXPECT_EQ(steps[1].result, ImportResult::added);
}

TEST_F(ImportPlan, TheLabelOfARemovedEntryIsFree) {
  add(kA, "berlin");
  const auto results = run({{.ip = kB, .label = "berlin"}}, ImportMode::replace);
  EXPECT_EQ(results.at(kB), ImportResult::added);
}

TEST_F(ImportPlan, RefusalsAreTheBlacklistTheLimitAndAnAddressTwice) {
  whitelist_.set_blacklist({{kA, "timectl.toml:7"}});
  auto steps = plan({{.ip = kA}, {.ip = kB}, {.ip = kB}});
  EXPECT_EQ(steps[0].result, ImportResult::refused);
  EXPECT_EQ(steps[0].change.code, Code::blacklisted);
  EXPECT_NE(steps[0].change.why.find("timectl.toml:7"), std::string::npos);
  EXPECT_EQ(steps[1].result, ImportResult::added);
  EXPECT_EQ(steps[2].result, ImportResult::refused);
  std::vector<ListedPeer> many;
  for (std::uint8_t i = 1; i <= 5; ++i) many.push_back({.ip = IpAddress::v4(10, 0, 0, i)});
  steps = plan(many);
  EXPECT_EQ(steps[3].result, ImportResult::added);
  EXPECT_EQ(steps[4].result, ImportResult::refused);
  EXPECT_EQ(steps[4].change.code, Code::whitelist_full);
}

TEST_F(ImportPlan, AReplacementMakesRoomBeforeItAdds) {
  std::vector<ListedPeer> first;
  std::vector<ListedPeer> second;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    first.push_back({.ip = IpAddress::v4(10, 0, 0, i)});
    second.push_back({.ip = IpAddress::v4(10, 0, 1, i)});
  }
  run(first);
  run(second, ImportMode::replace);
  EXPECT_EQ(whitelist_.size(), 4U);
  EXPECT_TRUE(whitelist_.contains(second[3].ip));
}

TEST_F(ImportPlan, AnEntryThatIsOverIsSkippedAndAReplacementTakesItAway) {
  add(kA, "berlin");
  const ListedPeer over{.ip = kA, .expires_at = kNow};
  EXPECT_EQ(run({over}).at(kA), ImportResult::skipped);
  EXPECT_TRUE(whitelist_.contains(kA));
  const auto steps = plan({over, {.ip = kB}}, ImportMode::replace);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].result, ImportResult::removed);
  EXPECT_EQ(steps[1].result, ImportResult::skipped);
  ListedPeer in_time = over;
  in_time.expires_at = kNow + 1ms;
  EXPECT_EQ(plan({in_time})[0].result, ImportResult::changed);
}

TEST(ListedPeer, TextsThatCannotBeStoredAreNamed) {
  EXPECT_EQ(wrong_with({.label = "berlin", .reason = "gr\xc3\xbc\xc3\x9f"}), "");
  EXPECT_NE(wrong_with({.label = "10.0.0.1"}), "");
  EXPECT_NE(wrong_with({.label = std::string(65, 'a')}), "");
  EXPECT_NE(wrong_with({.label = "a\x1b[2J"}), "");
  EXPECT_NE(wrong_with({.label = "\xff"}), "");
  EXPECT_NE(wrong_with({.reason = "two\nlines"}), "");
  EXPECT_NE(wrong_with({.reason = std::string(501, 'a')}), "");
}

}  // namespace
}  // namespace timectl
