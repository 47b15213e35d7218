#include "daemon/diagnose/pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "daemon/core/observer.h"
#include "daemon/core/reflect.h"
#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

bool is_known(std::string_view code) {
  return find_mode(code) != nullptr || value_of<Ailment>(code).has_value() ||
         std::ranges::find(own_codes(), code, &OwnCode::code) != own_codes().end();
}

TEST(Pages, EveryCodeWithARuleSaysHowItIsToldApart) {
  std::set<std::string_view> told;
  for (const auto& row : tellings()) {
    EXPECT_TRUE(told.insert(row.code).second) << row.code << " twice";
    EXPECT_TRUE(is_known(row.code)) << row.code;
    EXPECT_FALSE(row.text.empty() || row.text.ends_with('.')) << row.code;
  }
  std::set<std::string_view> ruled;
  for (const Rule* rule : all_rules()) {
    ruled.insert(rule->code);
    EXPECT_TRUE(told.contains(rule->code)) << rule->code;
  }
  for (const auto code : told) EXPECT_TRUE(ruled.contains(code)) << code << " has no rule";
  EXPECT_NE(told_by("FM-P2").find("diagnose log"), std::string::npos) << "a code without a rule";
}

// No line of a log names it: to send somebody to the log would be a lie.
TEST(Pages, OnlyWhatALogNamesIsToldByTheLog) {
  EXPECT_EQ(told_by("FM-X14"), "by nothing that this version looks at");
  EXPECT_EQ(told_by("FM-D7"), "by nothing that this version looks at");
  EXPECT_NE(told_by("FM-P2").find("diagnose log"), std::string::npos) << "the control";
}

TEST(Pages, SayWhatThisVersionDoesNotGather) {
  for (const auto code : not_gathered()) {
    const auto rules = all_rules();
    EXPECT_TRUE(std::ranges::any_of(rules, [&](const Rule* r) { return r->code == code; })) << code;
    EXPECT_NE(told_by(code).find("does not gather"), std::string::npos) << code;
  }
  EXPECT_EQ(told_by("FM-R1").find("does not gather"), std::string::npos) << "the control";
}

TEST(Pages, OwnRemediesAreOfCodesThatCanBeOursAndNameOurOwnMeans) {
  std::set<std::string_view> seen;
  for (const auto& row : own_remedies()) {
    EXPECT_TRUE(seen.insert(row.code).second) << row.code << " twice";
    EXPECT_NE(find_mode(row.code), nullptr) << row.code;
    EXPECT_TRUE(row.text.ends_with('.')) << row.code;
    EXPECT_EQ(row.text.find("addwhitelist"), std::string_view::npos) << row.code;
  }
}

TEST(Pages, WhatIsOursToDoIsDoneWithOurOwnMeans) {
  for (const auto& c : all_cases()) {
    for (const auto& finding : diagnose(facts_of(c, false)).findings) {
      const auto ours = own_remedy(finding.code);
      if (ours.empty()) continue;
      EXPECT_EQ(finding.remedy == ours, finding.act != Act::peer) << finding.code;
    }
  }
}

TEST(Pages, HiddenCodesAreThoseOfAllRulesOfTheCode) {
  const auto hidden = hidden_by("FM-R1");
  EXPECT_NE(std::find(hidden.begin(), hidden.end(), "FM-D2"), hidden.end());
  EXPECT_TRUE(hidden_by("FM-A10").empty());
}

}  // namespace
}  // namespace timectl::diagnose
