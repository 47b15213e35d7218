// The corpus of lines in tests/data/timed_logs, made from the fragments of the catalogue.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/diagnose/log_lab.h"
#include "tests/paths.h"

namespace timectl::diagnose {
namespace {

struct Row {
  std::string code;  // "-" for none
  std::string line;
};

std::vector<Row> corpus() {
  std::ifstream file(std::string(TIMECTL_SOURCE_DIR) + "/tests/data/timed_logs/lines.tsv");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    const auto tab = line.find('\t');
    if (line.starts_with('#') || tab == std::string::npos) continue;
    rows.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return rows;
}

// What a log cannot show by one line: it needs several (story_test.cc), the other side, the
// sockets, the configuration, or the API.
const std::set<std::string> kNotInOneLine{
    "FM-K4", "FM-D4",  "FM-D7",  "FM-D13", "FM-D14", "FM-B5",  "FM-P6", "FM-P14", "FM-X5",
    "FM-X7", "FM-X10", "FM-X14", "FM-X15", "FM-C2",  "FM-C3",  "FM-C9", "FM-A2",  "FM-A3",
    "FM-A5", "FM-A6",  "FM-A7",  "FM-A9",  "FM-A10", "FM-A11", "FM-A12"};

TEST(Corpus, EveryLineNamesItsFailureModeAndNoOther) {
  const auto rows = corpus();
  ASSERT_GT(rows.size(), 300U);
  for (const auto& row : rows) {
    const auto report = read_log(row.line + "\n");
    std::vector<std::string> expected;
    if (row.code != "-") expected.push_back(row.code);
    EXPECT_EQ(codes_of(report), expected) << row.line;
    EXPECT_EQ(report.known, 1U) << row.line;
    EXPECT_TRUE(report.from.has_value()) << row.line;
  }
}

TEST(Corpus, EveryFailureModeIsInItOrKnownToBeInvisible) {
  std::set<std::string> seen;
  for (const auto& row : corpus()) seen.insert(row.code);
  for (const auto& mode : catalogue()) {
    const std::string code(mode.code);
    EXPECT_NE(seen.contains(code), kNotInOneLine.contains(code)) << code;
  }
}

TEST(Corpus, EveryRowOfTheTableIsUsedByALine) {
  std::set<const Pattern*> used;
  LogReader reader(lab_clock(), [&](const LogEvent& event) { used.insert(event.pattern); });
  for (const auto& row : corpus()) reader.feed(row.line + "\n");
  for (const auto& pattern : patterns()) {
    if (pattern.code.empty()) continue;
    EXPECT_TRUE(used.contains(&pattern)) << pattern.fragment << " " << pattern.code;
  }
}

TEST(Corpus, EveryCodeOfTheTableIsInTheCatalogue) {
  for (const auto& pattern : patterns()) {
    if (!pattern.code.empty()) {
      EXPECT_NE(find_mode(pattern.code), nullptr) << pattern.fragment;
    }
  }
}

// The whole corpus at once in every form in which it can come: the same events.
TEST(Corpus, ChunksOfAnySizeAndEveryEndOfLineGiveTheSame) {
  std::string unix_text;
  std::string dos_text;
  for (const auto& row : corpus()) {
    unix_text += row.line + "\n";
    dos_text += row.line + "\r\n";
  }
  const auto whole = read_log(unix_text);
  EXPECT_EQ(whole.unparsed, 0U);
  for (const std::size_t chunk : {1U, 7U, 4096U}) {
    const auto parts = read_log(dos_text, chunk);
    EXPECT_EQ(codes_of(parts), codes_of(whole)) << chunk;
    EXPECT_EQ(parts.known, whole.known);
  }
  unix_text.pop_back();  // the last line without an end
  EXPECT_EQ(read_log(unix_text).known, whole.known);
}

}  // namespace
}  // namespace timectl::diagnose
