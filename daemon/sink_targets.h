#pragma once
// The sinks of the configuration as those who send need them: with their secrets read, and a reason
// where one cannot be used. Used by the SinkKeeper of a node and by `alerts test`.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/core/outbox.h"
#include "daemon/sinks/target.h"

namespace timectl {

[[nodiscard]] NodeIdentity identity_of(const config::Config& config);

// Reads the secret file; one that is missing, empty, or readable by everybody makes the target
// broken, so that nothing is ever sent unsigned.
[[nodiscard]] sinks::SinkTarget target_of(const config::AlertSink& sink,
                                          const NodeIdentity& identity);
[[nodiscard]] SinkChoice choice_of(const config::AlertSink& sink);

}  // namespace timectl
