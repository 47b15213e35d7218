#pragma once
// The acceptance scenarios that can be said as facts (the shared scenarios.md, T01 to T60): what a
// running node or a probe would know in each, the verdict that it must give, and what else.

#include <string>
#include <string_view>
#include <vector>

#include "daemon/diagnose/rules.h"
#include "tests/diagnose/base_facts.h"

namespace timectl::diagnose {

struct Scenario {
  std::string_view id;
  std::string_view given;
  std::string_view code;  // of the verdict; empty: nothing is wrong
  Act act;
  std::string_view evidence;  // somewhere in the evidence of that finding
  bool node = false;          // `diagnose node`
  Facts (*facts)();
  std::string_view also = {};   // found beside it
  std::string_view never = {};  // not even found
};
[[nodiscard]] std::vector<Scenario> scenarios();       // all, by id
[[nodiscard]] std::vector<Scenario> node_scenarios();  // of `diagnose node` alone
[[nodiscard]] Diagnosis diagnose(const Scenario& scenario);

}  // namespace timectl::diagnose
