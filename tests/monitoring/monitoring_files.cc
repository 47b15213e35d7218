#include "tests/monitoring/monitoring_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "daemon/observe/metrics_table.h"
#include "tests/paths.h"

namespace timectl::monitoring {

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(TIMECTL_SOURCE_DIR) + "/" + path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string table_part(const std::string& path, const std::string& wanted) {
  auto text = read_source(path);
  const auto begin = text.find("# table: begin\n");
  const auto end_mark = text.find("# table: end\n");
  if (begin == std::string::npos || end_mark == std::string::npos) {
    ADD_FAILURE() << path << " has no marks";
    return {};
  }
  const auto start = text.find('\n', begin) + 1;
  const auto end = text.rfind('\n', end_mark) + 1;
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    text.replace(start, end - start, wanted);
    std::ofstream(std::string(TIMECTL_SOURCE_DIR) + "/" + path, std::ios::binary) << text;
    return wanted;
  }
  return text.substr(start, end - start);
}

std::set<std::string> names_in(const std::string& text) {
  static const std::regex pattern("\\b(timectl_[a-z0-9_]+|process_[a-z_]+|timectl:[a-z0-9_:]+)");
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

std::set<std::string> known_names() {
  std::set<std::string> names;
  for (const auto& row : observe::metric_table()) names.emplace(row.name);
  static const std::regex record("record: (timectl:[a-z0-9_:]+)");
  const auto rules = read_source("config/prometheus/timectl.rules.yml");
  for (std::sregex_iterator it(rules.begin(), rules.end(), record), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

}  // namespace timectl::monitoring
