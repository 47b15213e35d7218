#pragma once
// What `timectl alerts` and `alerts rules` print: a table of what fits into a line, and under a row
// what does not: the text of the alert, who silenced or acknowledged it until when and why, and
// the sinks that do not have it. Pure; used by cmd/alerts.cc.

#include <string>
#include <vector>

#include "cmd/output.h"
#include "daemon/control/alerts_api.h"

namespace timectl::cmd {

[[nodiscard]] std::string alerts_text(const Output& out,
                                      const std::vector<control::AlertRow>& rows);
[[nodiscard]] std::string alert_rules_text(const Output& out,
                                           const std::vector<control::AlertRuleInfo>& rows);

}  // namespace timectl::cmd
