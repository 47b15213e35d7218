#pragma once
// What `timectl status` must say about the chain (requirements A1): one line a cause, each naming
// the limit of the configuration that is crossed. A function of what is known, so that a table can
// test it. Nothing is said about lag while no height is believed, and one peer's word, about a
// height or a branch, raises nothing (Y1).

#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/control/api.h"
#include "daemon/core/sync_views.h"

namespace timectl {

struct SyncAlert {
  control::AlertLine line = {};
  std::string brief = {};  // for the summary: "behind by 120 blocks"
};

[[nodiscard]] std::vector<SyncAlert> sync_alerts(const SyncStatusView& view,
                                                 std::span<const ForkView> forks,
                                                 const config::Config& config, WallTime now);

}  // namespace timectl
