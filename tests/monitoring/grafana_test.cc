// config/grafana/timectl.json: whole, without overlaps, and each expression is one that Prometheus
// understands, of metrics that there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/sandbox.h"
#include "tests/monitoring/monitoring_files.h"

namespace timectl::monitoring {
namespace {

namespace json = boost::json;

json::value dashboard() {
  boost::system::error_code failed;
  auto value = json::parse(read_source("config/grafana/timectl.json"), failed);
  EXPECT_FALSE(failed) << failed.message();
  return value;
}

// Every "expr" anywhere.
void collect(const json::value& value, std::vector<std::string>& found) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "expr") {
        found.emplace_back(member.as_string());
      } else {
        collect(member, found);
      }
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& member : *array) collect(member, found);
  }
}

std::vector<std::string> expressions() {
  std::vector<std::string> found;
  collect(dashboard(), found);
  return found;
}

// As Grafana fills them in.
std::string filled_in(std::string text) {
  const std::map<std::string, std::string> variables{{"$__rate_interval", "1m"}, {"$node", ".*"}};
  for (const auto& [name, value] : variables) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

// What `promtool check rules` has against a file with a rule for each; empty: nothing.
std::string objections(const e2e::Sandbox& sandbox, const std::vector<std::string>& expressions) {
  json::array rules;
  int number = 0;
  for (const auto& expression : expressions) {
    rules.push_back({{"record", "check:" + std::to_string(number++)}, {"expr", expression}});
  }
  // JSON is YAML.
  const json::value file{
      {"groups", json::array{json::value{{"name", "dashboard"}, {"rules", rules}}}}};
  const std::string path = sandbox.path() + "/dashboard.rules.yml";
  std::ofstream(path) << json::serialize(file);
  const auto done = e2e::run({"promtool", "check", "rules", "--lint=none", path});
  return done.status == 0 ? "" : done.out + done.err;
}

TEST(Grafana, PromtoolUnderstandsEveryExpression) {
  auto all = expressions();
  ASSERT_GT(all.size(), 20U);
  for (auto& expression : all) {
    expression = filled_in(expression);
    EXPECT_EQ(expression.find('$'), std::string::npos) << "an unknown variable: " << expression;
  }
  const e2e::Sandbox sandbox;
  EXPECT_EQ(objections(sandbox, all), "");
  EXPECT_NE(objections(sandbox, {"sum by (timectl_up"}), "") << "it would say so";
}

TEST(Grafana, EveryMetricIsOneOfTheTableOrOfTheRules) {
  const auto known = known_names();
  std::set<std::string> used;
  for (const auto& expression : expressions()) used.merge(names_in(expression));
  for (const auto& name : used) EXPECT_TRUE(known.contains(name)) << name;
  EXPECT_GT(used.size(), 30U) << "most of the table is shown";
}

TEST(Grafana, TheDataSourceIsAVariableEverywhere) {
  const auto text = read_source("config/grafana/timectl.json");
  const auto whole = dashboard();
  const auto& variables = whole.at("templating").at("list").as_array();
  ASSERT_FALSE(variables.empty());
  EXPECT_EQ(variables[0].at("type").as_string(), "datasource");
  std::size_t sources = 0;
  for (auto at = text.find("\"uid\": \""); at != std::string::npos;
       at = text.find("\"uid\": \"", at + 1)) {
    const auto value = text.substr(at, text.find('\n', at) - at);
    if (value.find("\"timectl\"") != std::string::npos) continue;  // of the dashboard
    EXPECT_NE(value.find("${datasource}"), std::string::npos) << value;
    ++sources;
  }
  EXPECT_GT(sources, 20U);
}

TEST(Grafana, PanelsHaveTheirPlaceAndTheirNumberAlone) {
  struct Place {
    std::int64_t x, y, w, h;
  };
  std::vector<Place> places;
  std::set<std::int64_t> ids;
  const auto whole = dashboard();
  for (const auto& panel : whole.at("panels").as_array()) {
    EXPECT_TRUE(ids.insert(panel.at("id").as_int64()).second);
    EXPECT_FALSE(panel.at("title").as_string().empty());
    const auto& grid = panel.at("gridPos");
    const Place place{grid.at("x").as_int64(), grid.at("y").as_int64(), grid.at("w").as_int64(),
                      grid.at("h").as_int64()};
    EXPECT_LE(place.x + place.w, 24) << panel.at("title");
    for (const auto& other : places) {
      const bool apart = place.x >= other.x + other.w || other.x >= place.x + place.w ||
                         place.y >= other.y + other.h || other.y >= place.y + place.h;
      EXPECT_TRUE(apart) << panel.at("title");
    }
    places.push_back(place);
  }
}

}  // namespace
}  // namespace timectl::monitoring
