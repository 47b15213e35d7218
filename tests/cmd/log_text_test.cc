// What is said of a log, at a fixed time and 80 columns, as it stands in golden/diagnose_log.txt
// (TIMECTL_REWRITE_GOLDEN=1 rewrites it).
#include "cmd/log_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cmd/table.h"
#include "tests/paths.h"

namespace timectl::cmd {
namespace {

using diagnose::Gravity;
using diagnose::LogReport;

constexpr std::size_t kWidth = 80;

class LogText : public ::testing::Test {
 protected:
  LogText() {
    OutputOptions options;
    options.utc = true;
    options.width_out = kWidth;
    out_.configure(options, {{}, *parse_rfc3339("2026-07-14T03:32:31.040Z")});
  }
  static LogReport read(const std::string& text) {
    diagnose::LogBook book;
    diagnose::LogReader reader({*parse_rfc3339("2026-07-14T03:32:31Z"), {}},
                               [&](const auto& event) { book.on_event(event); });
    reader.feed(text);
    reader.finish();
    return book.report(reader.counts());
  }
  static std::string file(const std::string& name) {
    std::ifstream in(std::string(TIMECTL_SOURCE_DIR) + "/tests/" + name, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  Output out_;
};

TEST_F(LogText, PageOfALogWithSeveralCausesIsTheGoldenOne) {
  const auto report = read(file("data/timed_logs/three_causes.log"));
  const auto page = log_page(out_, report, Details::main_causes);
  const std::string golden = std::string(TIMECTL_SOURCE_DIR) + "/tests/cmd/golden/diagnose_log.txt";
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(golden, std::ios::binary) << page;
  }
  EXPECT_EQ(file("cmd/golden/diagnose_log.txt"), page)
      << "if this is right: TIMECTL_REWRITE_GOLDEN=1 cmd_test";
}

TEST_F(LogText, EveryCauseOfTheCorpusFitsTheWidth) {
  std::string text;
  std::stringstream rows(file("data/timed_logs/lines.tsv"));
  for (std::string row; std::getline(rows, row);) {
    const auto tab = row.find('\t');
    if (!row.starts_with('#') && tab != std::string::npos) text += row.substr(tab + 1) + "\n";
  }
  const auto report = read(text);
  EXPECT_GT(report.findings.size(), 80U);
  std::stringstream page(log_page(out_, report, Details::all));
  for (std::string line; std::getline(page, line);) EXPECT_LE(display_width(line), kWidth) << line;
}

TEST_F(LogText, ExitStatusFollowsTheGravestCause) {
  LogReport report;
  EXPECT_EQ(exit_of(report), 3);
  report.lines = report.known = 1;
  EXPECT_EQ(exit_of(report), 0);
  for (const auto& [gravity, status] : std::vector<std::pair<Gravity, int>>{
           {Gravity::low, 1}, {Gravity::medium, 1}, {Gravity::high, 2}, {Gravity::critical, 2}}) {
    report.findings.resize(1);
    report.findings[0].severity = gravity;
    EXPECT_EQ(exit_of(report), status) << name_of(gravity);
  }
  report.findings.resize(2);  // the gravest one need not be the first
  report.findings[1].severity = Gravity::low;
  EXPECT_EQ(exit_of(report), 2);
}

TEST_F(LogText, SentenceSaysWhyThereIsNothingToSay) {
  LogReport report;
  EXPECT_EQ(sentence_of(out_, report).text(), "nothing to say: the log is empty");
  report.lines = 7;
  EXPECT_EQ(sentence_of(out_, report).text(),
            "nothing to say: no line of this is one that timed writes");
  report.known = 7;
  EXPECT_EQ(sentence_of(out_, report).text(), "no cause found: no line tells of a failure");
  const std::string line = "Server error: Too many open files (os error 24)\n";
  EXPECT_EQ(sentence_of(out_, read("2026-07-14 03:31:31.040 [h]  INFO " + line)).text(),
            "the main cause: FM-R4, the daemon runs but no longer accepts connections "
            "(once, 1 min ago)");
  EXPECT_EQ(sentence_of(out_, read(line + line)).text(),
            "the main cause: FM-R4, the daemon runs but no longer accepts connections "
            "(2 times, last at an unknown time)");
}

}  // namespace
}  // namespace timectl::cmd
