// The table of scenarios over real processes is the one in docs/diagnosis-scenarios.md, and every
// test that it names is there. TIMECTL_REWRITE_GOLDEN=1 rewrites it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "tests/e2e/fault_support.h"
#include "tests/e2e/scenario_rows.h"
#include "tests/paths.h"

namespace timectl::e2e {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

// "Suite.Name" of every test in the sources.
std::set<std::string> tests_there() {
  std::set<std::string> names;
  const std::regex form(R"(TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(TIMECTL_SOURCE_DIR) + "/tests")) {
    if (entry.path().extension() != ".cc") continue;
    const auto text = slurp(entry.path().string());
    for (std::sregex_iterator at(text.begin(), text.end(), form), end; at != end; ++at) {
      names.insert((*at)[1].str() + "." + (*at)[2].str());
    }
  }
  return names;
}

std::string shown(const ScenarioRow& row) {
  if (row.asked.empty()) return "-";
  return row.code.empty() ? "well" : std::string(row.code);
}

std::string decimal(double value) {
  char text[16];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

void matrix(std::ostringstream& out) {
  std::map<std::string, std::string> given;  // by verdict
  for (const auto& row : scenario_rows()) {
    if (row.asked.empty()) continue;
    auto& ids = given[shown(row)];
    ids += (ids.empty() ? "" : " ") + std::string(row.id);
  }
  out << "\n## Confusion matrix\n\n"
         "Each test compares the verdict with the one of its row, so what is not named beside a "
         "verdict has\nnever got it.\n\n| verdict | given in these scenarios, and in no other |\n"
         "|---|---|\n";
  for (const auto& [code, ids] : given) out << "| " << code << " | " << ids << " |\n";
}

std::string document() {
  std::ostringstream out;
  out << "# The acceptance scenarios over real processes\n\n"
         "Written by `TIMECTL_REWRITE_GOLDEN=1 diagnose_node_e2e_test`, checked by every run of "
         "it. Each row is played by\nreal processes on 127.0.0.0/8 or in network namespaces, and "
         "its tests compare what `timectl diagnose` says\nwith this row; \"sure\" is the least "
         "confidence, \"exit\" the exit status. Rows without a verdict are about the\nnode itself. "
         "`diagnosis-matrix.md` has the same scenarios as facts. T46 and T47 need a timed beside "
         "the node.\n\n"
         "| scenario | given | asked | verdict | sure | act | exit | tests |\n"
         "|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : scenario_rows()) {
    const bool judged = !row.asked.empty();
    out << "| " << row.id << " | " << row.given << " | " << (judged ? row.asked : "-") << " | "
        << shown(row) << " | " << (judged ? decimal(row.sure) : "-") << " | "
        << (judged ? row.act : "-") << " | " << (judged ? std::to_string(row.exit) : "-") << " |";
    for (const auto& test : words(row.tests)) out << " `" << test << "`";
    out << " |\n";
  }
  matrix(out);
  return out.str();
}

TEST(DiagnoseMatrix, EveryTestThatTheTableNamesIsThere) {
  const auto there = tests_there();
  EXPECT_GT(there.size(), 500U);
  EXPECT_FALSE(there.contains("DiagnoseMatrix.NoSuchTest"));
  for (const auto& row : scenario_rows()) {
    EXPECT_FALSE(row.tests.empty()) << row.id;
    for (const auto& test : words(row.tests)) {
      EXPECT_TRUE(there.contains(test)) << row.id << " " << test;
    }
  }
}

TEST(DiagnoseMatrix, NoScenarioIsThereTwiceAndEachSaysWhoActs) {
  const auto rows = scenario_rows();
  EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &ScenarioRow::id));
  EXPECT_EQ(std::ranges::adjacent_find(rows, {}, &ScenarioRow::id), rows.end());
  for (const auto& row : rows) {
    if (row.asked.empty()) continue;
    EXPECT_FALSE(row.act.empty()) << row.id;
    EXPECT_TRUE(row.exit != 0 || row.code.empty()) << row.id;
  }
  EXPECT_THROW((void)scenario_row("T00"), std::invalid_argument);
}

TEST(DiagnoseMatrix, TheTableIsTheOneInTheDocuments) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/docs/diagnosis-scenarios.md";
  const auto seen = document();
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) spill(path, seen);
  EXPECT_EQ(slurp(path), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 "
                                  "diagnose_node_e2e_test";
}

}  // namespace
}  // namespace timectl::e2e
