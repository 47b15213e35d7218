// The scenarios and the confusion matrix over them and over the rules' cases, which is kept in
// docs/diagnosis-matrix.md; TIMECTL_REWRITE_GOLDEN=1 rewrites it.
#include "tests/diagnose/scenarios.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "daemon/core/reflect.h"
#include "tests/diagnose/rule_cases.h"
#include "tests/diagnose/told.h"
#include "tests/paths.h"

namespace timectl::diagnose {
namespace {

TEST(Scenarios, EachGivesItsVerdictAndWhoMustAct) {
  for (const auto& s : scenarios()) {
    const auto d = diagnose(s);
    EXPECT_EQ(d.code, s.code) << s.id << "\n" << told(d);
    if (s.code.empty()) continue;
    EXPECT_EQ(d.act, s.act) << s.id << "\n" << told(d);
    const auto* finding = found(d, s.code);
    ASSERT_NE(finding, nullptr) << s.id;
    const auto has = std::any_of(
        finding->evidence.begin(), finding->evidence.end(),
        [&](const std::string& line) { return line.find(s.evidence) != std::string::npos; });
    EXPECT_TRUE(has) << s.id << " lacks \"" << s.evidence << "\"\n" << told(d);
    EXPECT_GE(d.confidence, 0.5) << s.id << "\n" << told(d);
    EXPECT_TRUE(s.also.empty() || found(d, s.also) != nullptr) << s.id << "\n" << told(d);
    EXPECT_TRUE(s.never.empty() || found(d, s.never) == nullptr) << s.id << "\n" << told(d);
  }
}

TEST(Scenarios, SeverityFollowsTheCase) {
  const auto severity = [](std::string_view id) {
    for (const auto& s : scenarios()) {
      if (s.id == id) return diagnose(s).findings.front().severity;
    }
    return Severity::info;
  };
  EXPECT_EQ(severity("T14"), Severity::critical);
  EXPECT_EQ(severity("T46a"), Severity::warning);  // busy: wait
  EXPECT_EQ(severity("T46b"), Severity::critical);
  EXPECT_EQ(severity("T55a"), Severity::warning);
  EXPECT_EQ(severity("T55b"), Severity::critical);
}

TEST(Scenarios, LessIsKnownWithoutTheRpc) {
  std::map<std::string_view, double> sure;
  for (const auto& s : scenarios()) sure[s.id] = diagnose(s).confidence;
  EXPECT_GT(sure["T01"], sure["T60a"]);
  EXPECT_GT(sure["T01"], sure["T60b"]);
}

std::string beside(const Diagnosis& d) {
  std::string codes;
  for (const auto& f : d.findings) {
    if (f.code != d.code) codes += (codes.empty() ? "" : " ") + f.code;
  }
  return codes;
}

std::string shown(std::string_view code) {
  return code.empty() ? "well" : std::string(code);
}

struct Row {
  std::string expected;
  std::string given;
};

void square(std::ostringstream& out, const std::vector<Row>& rows) {
  std::set<std::string> codes;
  std::map<std::pair<std::string, std::string>, int> cells;
  for (const auto& row : rows) {
    codes.insert({row.expected, row.given});
    ++cells[{row.expected, row.given}];
  }
  const auto brief = [](const std::string& code) {
    return code.starts_with("FM-") ? code.substr(3) : code;
  };
  out << "| expected \\ given |";
  for (const auto& code : codes) out << " " << brief(code) << " |";
  out << "\n|---|";
  for (std::size_t i = 0; i < codes.size(); ++i) out << "---|";
  for (const auto& expected : codes) {
    out << "\n| " << expected << " |";
    for (const auto& given : codes) {
      const auto cell = cells.find({expected, given});
      out << " " << (cell == cells.end() ? "" : std::to_string(cell->second)) << " |";
    }
  }
  out << "\n";
}

std::string matrix() {
  std::ostringstream out;
  std::vector<Row> rows;
  out << "# The diagnosis, scenario by scenario\n\n"
         "Written by `TIMECTL_REWRITE_GOLDEN=1 diagnose_test`, checked by every run of it. A "
         "scenario is given as\nfacts (`diagnose --facts` prints such); the verdict is the first "
         "finding. \"Beside\" are findings that are true,\nbut matter less; the confidence is "
         "that of the verdict.\n\n## Acceptance scenarios\n\n"
         "| scenario | given | expected | verdict | confidence | act | beside |\n"
         "|---|---|---|---|---|---|---|\n";
  for (const auto& s : scenarios()) {
    const auto d = diagnose(s);
    rows.push_back({shown(s.code), shown(d.code)});
    out << "| " << s.id << " | " << s.given << " | " << shown(s.code) << " | " << shown(d.code)
        << " | " << number_text(d.confidence, 2) << " | " << name_of(d.act) << " | " << beside(d)
        << " |\n";
  }
  out << "\n### Confusion matrix\n\nEverything off the diagonal would be a wrong verdict. `well`: "
         "no finding above info.\n\n";
  square(out, rows);
  out << "\n## Every rule's own case\n\n"
         "The verdict where the rule holds, and on facts that are only near it.\n\n"
         "| rule | about | verdict | confidence | beside | near it |\n|---|---|---|---|---|---|\n";
  int right = 0;
  int first = 0;
  for (const auto& c : all_cases()) {
    const auto holds = diagnose(facts_of(c, false));
    const auto near = diagnose(facts_of(c, true));
    if (!c.second) {
      ++first;
      if (holds.code == c.code) ++right;
    }
    out << "| " << c.code << " | " << name_of(c.about) << " | " << shown(holds.code) << " | "
        << number_text(holds.confidence, 2) << " | " << beside(holds) << " | " << shown(near.code)
        << " |\n";
  }
  out << "\n"
      << all_cases().size() << " cases; of the " << first
      << " whose code is to be the verdict it is in " << right << ".\n";
  return out.str();
}

TEST(Scenarios, TheConfusionMatrixIsTheOneInTheDocuments) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/docs/diagnosis-matrix.md";
  const auto seen = matrix();
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << seen;
  }
  std::ifstream file(path);
  std::ostringstream wanted;
  wanted << file.rdbuf();
  EXPECT_EQ(wanted.str(), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 diagnose_test";
}

}  // namespace
}  // namespace timectl::diagnose
