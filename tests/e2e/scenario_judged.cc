// What was said by `timectl diagnose`, and whether that is what a row of scenarios wants.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/fault_support.h"
#include "tests/e2e/scenario_rows.h"

namespace timectl::e2e {
namespace {

constexpr milliseconds kWhole(20'000);  // a diagnosis (scenarios.md, "Always" 4)
constexpr milliseconds kProcess(kSanitized ? 6000 : 1000);  // to start, to load and to print

bool is_one_of(const json::value& value, std::initializer_list<std::string_view> words) {
  return value.is_string() &&
         std::find(words.begin(), words.end(), std::string_view(value.as_string())) != words.end();
}

void expect_finding(const json::value& finding) {
  ASSERT_TRUE(finding.is_object()) << finding;
  for (const char* key : {"code", "severity", "title", "evidence", "remedy", "confidence", "act"}) {
    ASSERT_TRUE(finding.as_object().contains(key)) << key << " " << finding;
  }
  EXPECT_FALSE(finding.at("code").as_string().empty()) << finding;
  EXPECT_FALSE(finding.at("title").as_string().empty()) << finding;
  EXPECT_FALSE(finding.at("remedy").as_string().empty()) << finding;
  EXPECT_FALSE(finding.at("evidence").as_array().empty()) << finding;
  EXPECT_TRUE(is_one_of(finding.at("severity"), {"critical", "high", "medium", "low"})) << finding;
  EXPECT_TRUE(is_one_of(finding.at("act"), {"you", "peer", "nobody"})) << finding;
}

void expect_document(const Judged& judged, const std::string& asked) {
  ASSERT_TRUE(parses_as_json(judged.outcome.out)) << judged.told();
  const auto document = json::parse(judged.outcome.out);
  EXPECT_EQ(document.at("schema").as_string(), "timectl.diagnose." + asked + "/1");
  ASSERT_TRUE(document.at("data").is_object());
  std::vector<const char*> keys{"verdict", "code", "confidence", "act", "findings"};
  if (asked == "peer") keys.insert(keys.end(), {"ip", "probe", "facts"});
  for (const char* key : keys) EXPECT_TRUE(judged.data.contains(key)) << key;
  if (!judged.data.contains("findings")) return;
  EXPECT_FALSE(judged.text("verdict").empty());
  EXPECT_TRUE(is_one_of(judged.data.at("act"), {"you", "peer", "nobody"}));
  EXPECT_GE(judged.confidence(), 0);
  EXPECT_LE(judged.confidence(), 1);
  for (const auto& finding : judged.data.at("findings").as_array()) expect_finding(finding);
}

}  // namespace

std::string Judged::text(const char* key) const {
  const auto* value = data.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

double Judged::confidence() const {
  const auto* value = data.if_contains("confidence");
  return value != nullptr && value->is_number() ? value->to_number<double>() : -1;
}

bool Judged::found(std::string_view code) const {
  const auto* findings = data.if_contains("findings");
  if (findings == nullptr || !findings->is_array()) return false;
  return std::ranges::any_of(findings->get_array(),
                             [&](const auto& f) { return f.at("code").as_string() == code; });
}

bool Judged::evidence(std::string_view words, std::string_view code) const {
  const auto* findings = data.if_contains("findings");
  if (findings == nullptr || !findings->is_array()) return false;
  for (const auto& finding : findings->get_array()) {
    if (!code.empty() && finding.at("code").as_string() != code) continue;
    for (const auto& line : finding.at("evidence").as_array()) {
      if (std::string_view(line.as_string()).find(words) != std::string_view::npos) return true;
    }
  }
  return false;
}

json::value Judged::layer(std::string_view name) const {
  const auto* layers = data.if_contains("probe");
  if (layers == nullptr || !layers->is_array()) return nullptr;
  for (const auto& layer : layers->get_array()) {
    if (layer.at("layer").as_string() == name) return layer;
  }
  return nullptr;
}

std::string Judged::told() const {
  auto shown = data;
  shown.erase("facts");
  return "exit " + std::to_string(outcome.status) + " after " + std::to_string(took.count()) +
         " ms: " + json::serialize(shown) + outcome.err;
}

Judged diagnosed(const NodeProcess& node, std::vector<std::string> arguments,
                 const std::string& input) {
  const std::string asked = arguments.at(0) == "facts" ? "facts" : arguments.at(0);
  arguments.insert(arguments.begin(), {"--json", "diagnose"});
  Judged judged;
  judged.took = elapsed([&] { judged.outcome = node.timectl(arguments, input); });
  const auto data = judged.outcome.data();
  EXPECT_TRUE(data.is_object()) << judged.outcome.out << judged.outcome.err;
  if (!data.is_object()) return judged;
  judged.data = data.get_object();
  if (asked != "facts") expect_document(judged, asked);
  EXPECT_LT(judged.took, kWhole + kProcess) << judged.told();
  return judged;
}

void expect_verdict(const Judged& judged, std::string_view id) {
  const auto& row = scenario_row(id);
  EXPECT_EQ(judged.text("code"), row.code) << id << ": " << judged.told();
  EXPECT_EQ(judged.text("act"), row.act) << id << ": " << judged.told();
  EXPECT_EQ(judged.outcome.status, row.exit) << id << ": " << judged.told();
  EXPECT_GE(judged.confidence(), row.sure) << id << ": " << judged.told();
}

}  // namespace timectl::e2e
