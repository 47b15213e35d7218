#include "daemon/diagnose/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "daemon/core/observer.h"
#include "daemon/core/reflect.h"
#include "daemon/diagnose/pages.h"
#include "tests/diagnose/rule_cases.h"
#include "tests/diagnose/told.h"

namespace timectl::diagnose {
namespace {

std::set<std::string> words(std::string_view text) {
  std::set<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    all.emplace(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

bool is_code(std::string_view code) {
  return find_mode(code) != nullptr || value_of<Ailment>(code).has_value() ||
         std::ranges::find(own_codes(), code, &OwnCode::code) != own_codes().end();
}

TEST(Rules, EachNamesAModeOfTheCatalogueAndHidesSuchOnly) {
  std::set<std::string_view> modes;
  for (const Rule* rule : all_rules()) {
    EXPECT_TRUE(is_code(rule->code)) << rule->code;
    for (const auto& code : words(rule->hides)) {
      EXPECT_TRUE(is_code(code)) << rule->code << " hides " << code;
      EXPECT_NE(code, rule->code);
    }
    modes.insert(rule->code);
  }
  EXPECT_GE(all_rules().size(), 60U);
  EXPECT_GE(modes.size(), 60U) << "modes with a rule";
  EXPECT_FALSE(is_code("FM-Z1"));
}

// Two rules that hide each other would leave nothing.
TEST(Rules, NoTwoHideEachOther) {
  std::map<std::pair<std::string, About>, std::set<std::string>> hides;
  for (const Rule* rule : all_rules()) {
    hides[{std::string(rule->code), rule->about}].merge(words(rule->hides));
  }
  for (const auto& [by, codes] : hides) {
    for (const auto& code : codes) {
      const auto other = hides.find({code, by.second});
      if (other == hides.end()) continue;
      EXPECT_FALSE(other->second.contains(by.first)) << by.first << " and " << code;
    }
  }
}

TEST(Rules, EachHasACase) {
  std::multiset<std::pair<std::string_view, About>> cases;
  for (const auto& c : all_cases()) cases.emplace(c.code, c.about);
  for (const Rule* rule : all_rules()) {
    EXPECT_TRUE(cases.contains({rule->code, rule->about})) << rule->code;
  }
  EXPECT_EQ(cases.size(), all_rules().size());
}

TEST(Rules, FindNothingWhereNothingIsWrong) {
  auto facts = well();
  auto of_peer = diagnose(facts);
  EXPECT_EQ(of_peer.code, "") << told(of_peer);
  EXPECT_GT(of_peer.confidence, 0.8);
  EXPECT_NE(of_peer.verdict.find("nothing is wrong"), std::string::npos) << of_peer.verdict;
  facts.peer.reset();
  const auto of_node = diagnose(facts);
  EXPECT_EQ(of_node.code, "") << told(of_node);
  EXPECT_TRUE(of_node.findings.empty()) << told(of_node);
}

TEST(Rules, EachGivesItsVerdictOnItsCase) {
  for (const auto& c : all_cases()) {
    const auto diagnosis = diagnose(facts_of(c, false));
    const auto* finding = found(diagnosis, c.code);
    ASSERT_NE(finding, nullptr) << c.code << "\n" << told(diagnosis);
    if (!c.second) {
      EXPECT_EQ(diagnosis.code, c.code) << told(diagnosis);
    }
    EXPECT_EQ(finding->act, c.act) << c.code << "\n" << told(diagnosis);
    EXPECT_TRUE(finding->confidence > 0.2 && finding->confidence < 1) << c.code;
    EXPECT_FALSE(finding->evidence.empty()) << c.code;
    EXPECT_FALSE(finding->title.empty()) << c.code;
    EXPECT_EQ(finding->peers.empty(), c.about == About::node) << c.code;
  }
}

TEST(Rules, NoneIsFoundOnWhatIsOnlyNearItsCase) {
  for (const auto& c : all_cases()) {
    const auto diagnosis = diagnose(facts_of(c, true));
    const auto* finding = found(diagnosis, c.code);
    const bool of_other = finding != nullptr && finding->peers.empty() != (c.about == About::node);
    EXPECT_TRUE(finding == nullptr || of_other) << c.code << "\n" << told(diagnosis);
  }
}

TEST(Rules, NoCodeIsTheVerdictOfAnotherCase) {
  for (const auto& c : all_cases()) {
    if (c.second) continue;
    for (const auto& other : all_cases()) {
      if (other.code == c.code || other.second) continue;
      EXPECT_NE(diagnose(facts_of(other, false)).code, c.code) << "on the case of " << other.code;
    }
  }
}

// Many close that port on purpose, as FM-A10 advises, and a node of ours has none.
TEST(Rules, AnRpcThatIsClosedIsARemarkOfAPeerThatIsWell) {
  auto facts = well();
  for (const auto answer : {RpcAnswer::refused, RpcAnswer::timed_out}) {
    no_rpc(facts, answer);
    const auto diagnosis = diagnose(facts);
    EXPECT_EQ(diagnosis.code, "") << told(diagnosis);
    ASSERT_NE(found(diagnosis, "FM-A8"), nullptr);
    EXPECT_EQ(found(diagnosis, "FM-A8")->severity, Severity::info);
  }
}

// A session's time stamps are compared with our own clock, whose error is not the peer's.
TEST(Rules, APeersClockIsNotBlamedForOurOwn) {
  auto facts = well();
  live(facts).clock_seconds = 600;
  EXPECT_EQ(diagnose(facts).code, "FM-X3") << told(diagnose(facts));
  facts.node.clock.ntp_seconds = -600;  // we are behind, and so it seems ahead
  facts.node.clock.peers_seconds = -600;
  EXPECT_EQ(found(diagnose(facts), "FM-X3"), nullptr) << told(diagnose(facts));
}

TEST(Rules, SayNothingOfWhatIsNotKnown) {
  Facts nothing;
  nothing.peer.emplace().ip = kPeer;
  const auto diagnosis = diagnose(nothing);
  EXPECT_TRUE(diagnosis.findings.empty()) << told(diagnosis);
  EXPECT_EQ(diagnosis.confidence, 0);
  EXPECT_NE(diagnosis.verdict.find("nothing known says why"), std::string::npos);
  nothing.peer.reset();
  EXPECT_TRUE(diagnose(nothing).findings.empty());
  EXPECT_LT(diagnose(nothing).confidence, 0.5);
}

TEST(Proof, IsSurerOfWhatTwoSidesSay) {
  Proof one;
  one.add(Side::ours, 0.6, "a");
  one.add(Side::ours, 0.6, "b");
  Proof two;
  two.add(Side::ours, 0.6, "a");
  two.add(Side::peer, 0.6, "b");
  EXPECT_NEAR(two.confidence(), 0.84, 1e-9);
  EXPECT_NEAR(one.confidence(), 0.84 * 0.85, 1e-9);
  two.doubt(0.5);
  EXPECT_NEAR(two.confidence(), 0.42, 1e-9);
  EXPECT_EQ(Proof().confidence(), 0);
}

}  // namespace
}  // namespace timectl::diagnose
