#include "daemon/control/sync_api.h"

#include "daemon/core/digits.h"
#include "daemon/core/events.h"

namespace timectl::control {
namespace {

constexpr std::size_t kMaxGround = 300;  // bytes

}  // namespace

SyncVerdict verdict_of(const SyncStatusView& view) {
  if (!view.height || !view.best_height || !view.lag_blocks) return SyncVerdict::unknown;
  if (view.other_branch) return SyncVerdict::other_branch;
  if (*view.lag_blocks > view.in_sync_blocks) return SyncVerdict::behind;
  const auto claimed = view.claimed_height.value_or(0);
  const bool more =
      claimed > *view.best_height && claimed - *view.best_height > view.in_sync_blocks;
  return more ? SyncVerdict::unproven : SyncVerdict::in_sync;
}

std::string sync_sentence(const SyncStatus& sync) {
  if (!sync.height) return "unknown (no verified chain)";
  const std::string line = "height " + grouped(*sync.height);
  const auto best = grouped(sync.best_height.value_or(0));
  switch (sync.verdict) {
    case SyncVerdict::in_sync:
      return line + ", in sync";
    case SyncVerdict::unproven:
      return line + ", perhaps behind: a masternode claims " +
             grouped(sync.claimed_height.value_or(0));
    case SyncVerdict::unknown:
      return line + ", best height unknown" +
             (sync.ground.empty() ? "" : ": " + printable(sync.ground, kMaxGround));
    case SyncVerdict::other_branch:
      return line + ", on another branch than the believed one, which ends at " + best;
    case SyncVerdict::behind:
      break;
  }
  return line + " of " + best + ", " + grouped(sync.lag_blocks.value_or(0)) + " behind";
}

}  // namespace timectl::control
