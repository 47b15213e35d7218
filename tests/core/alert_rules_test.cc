#include "daemon/core/alert_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "daemon/core/observer.h"
#include "daemon/core/reflect.h"
#include "daemon/core/time.h"
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
    EXPECT_NE(row.end.find("{time}"), std::string_view::npos) << name_of(row.rule);
    EXPECT_FALSE(row.end.ends_with('.')) << name_of(row.rule);
    if (row.subject != AlertSubject::node) {
      EXPECT_NE(row.end.find("{who}"), std::string_view::npos) << name_of(row.rule);
    }
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

// docs/runbooks.md: a section for each rule, in the order of the table. Under its heading stands
// what the table says; TIMECTL_REWRITE_GOLDEN=1 writes that line.
struct Runbook {
  std::string rule;
  std::vector<std::string> lines;
};

std::string runbook_path() {
  return std::string(TIMECTL_SOURCE_DIR) + "/docs/runbooks.md";
}

// The first one has no rule: the text before the sections.
std::vector<Runbook> runbooks() {
  std::vector<Runbook> all(1);
  std::ifstream file(runbook_path());
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### ")) {
      all.push_back({line.substr(4), {}});
    } else {
      all.back().lines.push_back(line);
    }
  }
  return all;
}

std::string table_line(const AlertRuleRow& row) {
  const auto after = [](Duration time) {
    return time == Duration{0} ? std::string("at once") : "after " + human_duration(time);
  };
  std::string line =
      "*" + std::string(name_of(row.severity)) + ", about " +
      (row.subject == AlertSubject::node ? "this" : "one") + " " +
      std::string(name_of(row.subject)) + "; told " + after(row.hold) + ", " +
      (row.repeat == Duration{0} ? "not repeated" : "again each " + human_duration(row.repeat)) +
      "; its end " + after(row.clear);
  std::string behind;
  for (const auto& cause : alert_rule_table()) {
    if (!row.behind.contains(cause.rule)) continue;
    const std::string name(name_of(cause.rule));
    behind += (behind.empty() ? "; hidden by [" : ", [") + name + "](#" + name + ")";
  }
  return line + behind + "*";
}

void write_runbooks(const std::vector<Runbook>& all) {
  std::ofstream file(runbook_path());
  for (const auto& book : all) {
    auto lines = book.lines;
    if (!book.rule.empty()) {
      file << "### " << book.rule << "\n";
      const auto rule = value_of<AlertRule>(book.rule);
      const std::string line = rule ? table_line(alert_rule_row(*rule)) : "";
      if (lines.size() > 1 && lines[1].starts_with("*") && !lines[1].starts_with("**")) {
        lines[1] = line;
      } else {
        lines.insert(lines.begin(), {"", line});
      }
    }
    for (const auto& line : lines) file << line << "\n";
  }
}

TEST(AlertRuleTable, EveryRuleHasItsRunbook) {
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) write_runbooks(runbooks());
  const auto books = runbooks();
  ASSERT_EQ(books.size(), alert_rule_table().size() + 1);
  for (std::size_t i = 0; i < alert_rule_table().size(); ++i) {
    const auto& row = alert_rule_table()[i];
    const auto& book = books[i + 1];
    ASSERT_EQ(book.rule, name_of(row.rule));
    ASSERT_GT(book.lines.size(), 1U) << book.rule;
    EXPECT_EQ(book.lines[1], table_line(row)) << "if this is right: TIMECTL_REWRITE_GOLDEN=1";
  }
}

TEST(AlertRuleTable, EveryRunbookHasItsPartsStepsWithCommandsAndASilence) {
  const auto books = runbooks();
  ASSERT_GT(books.size(), 1U);
  for (std::size_t i = 1; i < books.size(); ++i) {
    std::string text;
    for (const auto& line : books[i].lines) text += line + "\n";
    std::size_t at = 0;
    for (const char* part : {"**Means**: ", "**You see**: ", "**Do**:\n1. ", "\n2. ", "\n3. ",
                             "**Over when**: ", "**Usual causes**: ", "**Planned**: "}) {
      const auto found = text.find(part, at);
      EXPECT_NE(found, std::string::npos) << books[i].rule << " lacks " << part;
      if (found != std::string::npos) at = found;
    }
    const auto steps = text.substr(std::min(text.find("**Do**"), text.size()));
    EXPECT_NE(steps.find("`timectl "), std::string::npos) << books[i].rule;
    const auto planned = text.substr(std::min(at, text.size()));
    EXPECT_TRUE(planned.starts_with("**Planned**: never.") ||
                planned.find("`timectl alerts silence " + books[i].rule + " ") != std::string::npos)
        << books[i].rule << ": " << planned;
  }
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
