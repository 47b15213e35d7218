#pragma once
// Gathers what the alert rules are decided by from the services of a node, or of a command without
// one: memory only, no file and no query, so that it may be done at any time.

#include "daemon/alert_conditions.h"
#include "daemon/methods.h"

namespace timectl {

// Why the database cannot be written, whoever of its writers found out; none while it can.
[[nodiscard]] std::optional<std::string> write_failure(const Services& services,
                                                       const SlowAlertFacts& slow);

// `slow`: what the keeper knows. At most `most_down` masternodes are named as not connected.
[[nodiscard]] AlertFacts alert_facts(const Services& services, SlowAlertFacts slow,
                                     std::size_t most_down, Now now);

}  // namespace timectl
