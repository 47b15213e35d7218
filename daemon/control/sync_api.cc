#include "daemon/control/sync_api.h"

namespace timectl::control {

SyncVerdict verdict_of(const SyncStatusView& view) {
  if (!view.height || !view.best_height || !view.lag_blocks) return SyncVerdict::unknown;
  if (view.other_branch) return SyncVerdict::other_branch;
  if (*view.lag_blocks > view.in_sync_blocks) return SyncVerdict::behind;
  const auto claimed = view.claimed_height.value_or(0);
  const bool more =
      claimed > *view.best_height && claimed - *view.best_height > view.in_sync_blocks;
  return more ? SyncVerdict::unproven : SyncVerdict::in_sync;
}

}  // namespace timectl::control
