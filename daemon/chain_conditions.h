#pragma once
// What of the chain is an alert (requirements A1): conditions of the rules lag, lag_high,
// network_stalled, fork_long and clock_doubted, each naming the limit of the configuration that is
// crossed. A function of what is known, so that a table can test it. Nothing is said about lag
// while no height is believed, and one peer's word, about a height or a branch, raises nothing
// (Y1).

#include <span>
#include <vector>

#include "config/config.h"
#include "daemon/core/alerts.h"
#include "daemon/core/sync_views.h"

namespace timectl {

[[nodiscard]] std::vector<AlertCondition> chain_conditions(const SyncStatusView& view,
                                                           std::span<const ForkView> forks,
                                                           const config::Config& config,
                                                           WallTime now);

}  // namespace timectl
