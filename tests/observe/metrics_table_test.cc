// The table of metrics keeps Prometheus' conventions, and its page has each row.
#include "daemon/observe/metrics_table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/core/reflect.h"
#include "tests/paths.h"

namespace timectl::observe {
namespace {

// The table as docs/metrics.md has it.
std::string metric_table_markdown() {
  std::string out = "| name | type | unit | labels | meaning | from |\n|---|---|---|---|---|---|\n";
  for (const auto& row : metric_table()) {
    std::string labels;
    for (const char c : row.labels) labels += c == ' ' ? std::string("`, `") : std::string(1, c);
    out += "| `" + std::string(row.name) + "` | " + std::string(name_of(row.type)) + " | " +
           std::string(row.unit) + " | " + (labels.empty() ? "" : "`" + labels + "`") + " | " +
           std::string(row.help) + " | " + std::string(row.from) + " |\n";
  }
  return out;
}

TEST(MetricTable, RowsStandInTheOrderOfTheirEnum) {
  const auto names = names_of<Metric>();
  ASSERT_EQ(metric_table().size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(metric_table()[i].metric, static_cast<Metric>(i)) << names[i];
  }
}

TEST(MetricTable, NamesKeepTheConventions) {
  std::set<std::string_view> names;
  for (const auto& row : metric_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " stands twice";
    EXPECT_TRUE(row.name.starts_with("timectl_") || row.name.starts_with("process_")) << row.name;
    EXPECT_EQ(row.name.ends_with("_total"), row.type == MetricType::counter) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << row.name;
    EXPECT_TRUE(row.help.ends_with(".")) << row.name;
    // The library writes a help text as it is.
    EXPECT_EQ(row.help.find_first_of("\n\\|"), std::string_view::npos) << row.name;
    if (row.unit == "seconds" || row.unit == "bytes") {
      EXPECT_NE(row.name.find("_" + std::string(row.unit)), std::string_view::npos) << row.name;
    }
  }
}

TEST(MetricTable, ThePageHasTheTable) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/docs/metrics.md";
  std::stringstream file;
  file << std::ifstream(path, std::ios::binary).rdbuf();
  auto page = file.str();
  const std::string begin = "<!-- metrics: begin -->\n";
  const std::string end = "<!-- metrics: end -->\n";
  const auto from = page.find(begin);
  const auto to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const auto start = from + begin.size();
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    page.replace(start, to - start, metric_table_markdown());
    std::ofstream(path, std::ios::binary) << page;
    return;
  }
  EXPECT_EQ(page.substr(start, to - start), metric_table_markdown())
      << "if this is right: TIMECTL_REWRITE_GOLDEN=1 observe_test";
}

}  // namespace
}  // namespace timectl::observe
