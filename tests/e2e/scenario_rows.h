#pragma once
// The acceptance scenarios (the shared scenarios.md) over real processes: for each row the tests
// that play it and the verdict that it must give. The tests judge what they see by these rows, and
// diagnose_matrix_test.cc writes docs/diagnosis-scenarios.md from them, so that the document says
// what is tested and nothing else.

#include <span>
#include <string>
#include <string_view>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {

struct ScenarioRow {
  std::string_view id;
  std::string_view given;
  std::string_view tests;       // "Suite.Name", by spaces
  std::string_view asked = {};  // "peer", "node": `timectl diagnose ...`; "": no diagnosis
  std::string_view code = {};   // of the verdict; empty: nothing is wrong
  std::string_view act = {};
  int exit = 0;
  double sure = 0;  // the least confidence
};
[[nodiscard]] std::span<const ScenarioRow> scenario_rows();
[[nodiscard]] const ScenarioRow& scenario_row(std::string_view id);  // fails where there is none

// What `timectl --json diagnose ...` said, and how long that took.
struct Judged {
  Outcome outcome = {};
  json::object data = {};
  milliseconds took{0};

  [[nodiscard]] std::string text(const char* key) const;
  [[nodiscard]] double confidence() const;
  [[nodiscard]] bool found(std::string_view code) const;
  // Somewhere in the evidence of the findings of that code; "": of any.
  [[nodiscard]] bool evidence(std::string_view words, std::string_view code = {}) const;
  // The layer of its probe; null where it was not tried.
  [[nodiscard]] json::value layer(std::string_view name) const;
  [[nodiscard]] std::string told() const;  // for a failed test
};

// Asks and checks what holds in every scenario: the schema and its keys, each finding with its
// evidence, remedy and who must act, and an end within the 20 s of a diagnosis.
[[nodiscard]] Judged diagnosed(const NodeProcess& node, std::vector<std::string> arguments,
                               const std::string& input = {});

// The verdict is the one of the row.
void expect_verdict(const Judged& judged, std::string_view id);

}  // namespace timectl::e2e
