#include "daemon/core/alert_rules.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "daemon/core/observer.h"
#include "daemon/core/reflect.h"
#include "tests/paths.h"

namespace timectl {
namespace {

TEST(AlertRuleTable, HasARowForEveryRuleInTheOrderOfTheirNames) {
  const auto names = names_of<AlertRule>();
  ASSERT_EQ(alert_rule_table().size(), names.size());
  ASSERT_LT(names.size(), 64U) << "AlertRules is one word";
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(name_of(alert_rule_table()[i].rule), names[i]);
    EXPECT_EQ(alert_rule_row(alert_rule_table()[i].rule).meaning, alert_rule_table()[i].meaning);
  }
}

TEST(AlertRuleTable, EveryRowSaysWhatItMeansAndWhatToDo) {
  for (const auto& row : alert_rule_table()) {
    EXPECT_GT(row.meaning.size(), 20U) << name_of(row.rule);
    EXPECT_TRUE(row.meaning.ends_with('.')) << name_of(row.rule);
    EXPECT_GT(row.remedy.size(), 20U) << name_of(row.rule);
    EXPECT_NE(row.severity, Severity::info) << "nobody is told of those";
    EXPECT_GE(row.hold, Duration{0});
    EXPECT_GE(row.clear, Duration{0});
    EXPECT_TRUE(row.repeat == Duration{0} || row.repeat >= std::chrono::hours(1)) << "a flood";
  }
}

// The engine decides in this order, so a cause must come first; and a circle would hide itself.
TEST(AlertRuleTable, CausesStandBeforeWhatTheyHide) {
  for (const auto& row : alert_rule_table()) {
    for (const auto& cause : alert_rule_table()) {
      if (!row.behind.contains(cause.rule)) continue;
      EXPECT_LT(cause.rule, row.rule);
      EXPECT_TRUE(cause.subject == AlertSubject::node || cause.subject == row.subject);
    }
  }
}

TEST(AlertRuleTable, TheRulesOfRequirementA1HaveTheirSeverities) {
  EXPECT_EQ(alert_rule_row(AlertRule::masternode_down).severity, Severity::critical);
  EXPECT_EQ(alert_rule_row(AlertRule::no_masternode).severity, Severity::critical);
  EXPECT_EQ(alert_rule_row(AlertRule::whitelist_empty).severity, Severity::error);
  EXPECT_EQ(alert_rule_row(AlertRule::lag).severity, Severity::notice);
  EXPECT_EQ(alert_rule_row(AlertRule::lag_high).severity, Severity::warning);
}

// One text for one thing: the ailments of the observer are rules of the same name.
TEST(AlertRuleTable, EachAilmentIsARuleWithItsWords) {
  for (const auto& row : ailment_table()) {
    const auto rule = value_of<AlertRule>(name_of(row.ailment));
    ASSERT_TRUE(rule) << name_of(row.ailment);
    EXPECT_EQ(alert_rule_row(*rule).meaning, row.meaning);
    EXPECT_EQ(alert_rule_row(*rule).remedy, row.remedy);
    EXPECT_EQ(alert_rule_row(*rule).severity, row.severity);
  }
}

TEST(AlertRuleTable, EveryRuleHasItsRunbook) {
  std::ifstream file(std::string(TIMECTL_SOURCE_DIR) + "/docs/alerts.md");
  std::string line;
  std::set<std::string> headings;
  bool runbooks = false;
  while (std::getline(file, line)) {
    if (line.starts_with("## ")) runbooks = line == "## Runbooks";
    if (runbooks && line.starts_with("### ")) headings.insert(line.substr(4));
  }
  std::set<std::string> rules;
  for (const auto name : names_of<AlertRule>()) rules.emplace(name);
  EXPECT_EQ(headings, rules);
}

TEST(AlertRuleSet, HoldsWhatWasPutIn) {
  AlertRules rules{AlertRule::lag, AlertRule::fork_long};
  EXPECT_TRUE(rules.contains(AlertRule::lag));
  EXPECT_FALSE(rules.contains(AlertRule::lag_high));
  rules.erase(AlertRule::lag);
  EXPECT_FALSE(rules.contains(AlertRule::lag));
  EXPECT_FALSE(rules.empty());
  EXPECT_TRUE(AlertRules{}.empty());
  EXPECT_TRUE(AlertRules::all().contains(AlertRule::fork_long));
}

}  // namespace
}  // namespace timectl
