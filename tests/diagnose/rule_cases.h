#pragma once
// One case for each rule: facts on which it must be the verdict, and facts close to those on which
// its code must not be found at all. A rule without a case fails rules_test.

#include <span>
#include <string_view>
#include <vector>

#include "daemon/diagnose/rules.h"
#include "tests/diagnose/base_facts.h"

namespace timectl::diagnose {

enum class Base : std::uint8_t { well, gone };

using Change = void (*)(Facts& facts);

struct RuleCase {
  std::string_view code;
  About about;
  Act act;
  Base base;
  Change holds;
  Change near;
  bool second = false;  // found beside a verdict that matters more
};
[[nodiscard]] std::span<const RuleCase> link_cases();
[[nodiscard]] std::span<const RuleCase> session_cases();
[[nodiscard]] std::span<const RuleCase> list_cases();
[[nodiscard]] std::span<const RuleCase> chain_cases();
[[nodiscard]] std::span<const RuleCase> node_cases();
[[nodiscard]] std::vector<RuleCase> all_cases();
// Of the node where the rule is about the node.
[[nodiscard]] Facts facts_of(const RuleCase& c, bool near);

}  // namespace timectl::diagnose
