// config/prometheus: equal to the tables of the node, and right in the eyes of the real promtool
// and amtool.
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "daemon/core/alert_rules.h"
#include "daemon/core/reflect.h"
#include "tests/e2e/sandbox.h"
#include "tests/monitoring/monitoring_files.h"
#include "tests/paths.h"

namespace timectl::monitoring {
namespace {

const std::string kFolder = std::string(TIMECTL_SOURCE_DIR) + "/config/prometheus/";
constexpr const char* kRules = "config/prometheus/timectl.rules.yml";
constexpr const char* kAlertmanager = "config/prometheus/alertmanager.yml";
const std::string kHow = "if this is right: TIMECTL_REWRITE_GOLDEN=1 monitoring_test";

// A YAML scalar.
std::string yaml_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string rule_of(const AlertRuleRow& row) {
  const std::string name(name_of(row.rule));
  const std::string object = row.subject == AlertSubject::node ? "" : " {{ $labels.object }}";
  return "      - alert: timectl_" + name + "\n" +  //
         "        expr: timectl_alert_active{rule=\"" + name + "\"} == 1\n" +
         "        labels:\n          severity: " + std::string(name_of(row.severity)) + "\n" +
         "        annotations:\n          summary: " +
         yaml_text("{{ $labels.instance }}" + object + ": " + std::string(row.meaning)) + "\n" +
         "          remedy: " + yaml_text(row.remedy) + "\n" +
         "          runbook: docs/runbooks.md#" + name + "\n";
}

// What is hidden behind each cause, as an inhibition.
std::string inhibitions() {
  std::string out;
  for (const auto& cause : alert_rule_table()) {
    std::string hidden;
    for (const auto& row : alert_rule_table()) {
      if (!row.behind.contains(cause.rule)) continue;
      hidden += (hidden.empty() ? "timectl_" : "|timectl_") + std::string(name_of(row.rule));
    }
    if (hidden.empty()) continue;
    // A peer that is kept out hides that it is down, and no other peer.
    const bool same_peer = cause.subject == AlertSubject::peer;
    out += "  - source_matchers: ['alertname=\"timectl_" + std::string(name_of(cause.rule)) +
           "\"']\n" + "    target_matchers: ['alertname=~\"" + hidden + "\"']\n" +
           "    equal: [job, instance" + (same_peer ? ", object" : "") + "]\n";
  }
  return out;
}

void expect_success(const std::vector<std::string>& argv) {
  const auto done = e2e::run(argv);
  EXPECT_EQ(done.status, 0) << argv.at(0) << " " << argv.at(1) << "\n" << done.out << done.err;
}

TEST(PrometheusFiles, EachAlertRuleOfTheNodeIsARuleThere) {
  std::string wanted;
  for (const auto& row : alert_rule_table()) wanted += rule_of(row);
  EXPECT_EQ(table_part(kRules, wanted), wanted) << kHow;
}

TEST(PrometheusFiles, InhibitionsAreThoseOfTheTable) {
  const auto wanted = inhibitions();
  EXPECT_EQ(table_part(kAlertmanager, wanted), wanted) << kHow;
}

TEST(PrometheusFiles, EveryNameInTheRulesIsAMetric) {
  const auto known = known_names();
  std::istringstream lines(read_source(kRules));
  std::size_t expressions = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" expr: ") == std::string::npos) continue;
    ++expressions;
    for (const auto& name : names_in(line)) EXPECT_TRUE(known.contains(name)) << name;
  }
  EXPECT_GT(expressions, alert_rule_table().size());
  EXPECT_FALSE(known.contains("timectl_nonsense"));
}

TEST(PrometheusFiles, EveryRunbookIsThere) {
  const auto rules = read_source(kRules);
  std::size_t found = 0;
  for (auto at = rules.find("runbook: "); at != std::string::npos;
       at = rules.find("runbook: ", at + 1)) {
    const auto start = at + std::string("runbook: ").size();
    const auto reference = rules.substr(start, rules.find('\n', start) - start);
    const auto hash = reference.find('#');
    ASSERT_NE(hash, std::string::npos) << reference;
    const auto page = read_source(reference.substr(0, hash));
    EXPECT_NE(page.find("### " + reference.substr(hash + 1) + "\n"), std::string::npos)
        << reference;
    ++found;
  }
  EXPECT_GT(found, alert_rule_table().size());
}

TEST(PrometheusFiles, PromtoolFindsNothingInTheMetrics) {
  const auto text = read_source("tests/observe/golden/metrics.txt");
  const auto done = e2e::run({"promtool", "check", "metrics"}, text);
  EXPECT_EQ(done.status, 0) << done.out << done.err;
  EXPECT_EQ(done.out + done.err, "");
  // It would say so.
  const auto bad = e2e::run({"promtool", "check", "metrics"}, "# TYPE a_total gauge\na_total 1\n");
  EXPECT_NE(bad.status, 0);
}

TEST(PrometheusFiles, PromtoolAcceptsRulesAndConfiguration) {
  expect_success(
      {"promtool", "check", "rules", "--lint=all", "--lint-fatal", kFolder + "timectl.rules.yml"});
  // The example's token file is somebody else's.
  expect_success({"promtool", "check", "config", "--syntax-only", kFolder + "prometheus.yml"});
}

TEST(PrometheusFiles, RulesDoOverMadeUpSeriesWhatTheyShould) {
  expect_success({"promtool", "test", "rules",
                  std::string(TIMECTL_SOURCE_DIR) + "/tests/monitoring/timectl.rules.test.yml"});
}

TEST(PrometheusFiles, AmtoolAcceptsTheConfigurationAndRoutesBySeverity) {
  const auto path = kFolder + "alertmanager.yml";
  expect_success({"amtool", "check-config", path});
  expect_success({"amtool", "config", "routes", "test", "--config.file=" + path,
                  "--verify.receivers=operators", "severity=critical",
                  "alertname=timectl_node_gone"});
}

}  // namespace
}  // namespace timectl::monitoring
