#pragma once
// Views of sync as tests of its pages and of `watch` begin with, and an output of 80 columns whose
// clock stands still.

#include <string>

#include "cmd/output.h"
#include "daemon/core/sync_views.h"

namespace timectl::cmd {

using namespace std::chrono_literals;

inline const WallTime kNow = *parse_rfc3339("2026-11-27T01:03:10Z");
inline constexpr std::size_t kWidth = 80;
inline const std::string kHash = "4f2a" + std::string(56, '0') + "9c1d";

inline IpAddress masternode(std::uint8_t last) {
  return IpAddress::v4(203, 0, 113, last);
}
inline IpAddress regular(std::uint8_t last) {
  return IpAddress::v4(198, 51, 100, last);
}
inline IpAddress six(const std::string& text) {
  return IpAddress::parse(text).value();
}

inline Output at_80_columns(bool color = false) {
  Output out;
  out.configure({.color_out = color, .utc = true, .width_out = kWidth}, {Instant{} + 1h, kNow});
  return out;
}

inline SyncStatusView level(std::uint64_t height) {
  SyncStatusView view;
  view.height = view.best_height = height;
  view.tip_hash = kHash;
  view.tip_at = kNow - 4min;
  view.lag_blocks = 0;
  view.lag_seconds = 0;
  view.vouched_by = {masternode(7), masternode(8), masternode(9)};
  view.best_peer = view.vouched_by.front();
  view.ground = "3 of 5 masternodes report the same hash at it";
  view.expected_height = height;
  view.spread_blocks = 0;
  view.masternodes = 5;
  return view;
}
inline SyncStatusView lagging(std::uint64_t height, std::uint64_t best, SyncActivity activity) {
  auto view = level(best);
  view.height = height;
  view.tip_at = kNow - (best - height) * 10min;
  view.lag_blocks = best - height;
  view.lag_seconds = static_cast<double>(best - height) * 600;
  view.spread_blocks = best - height;
  view.expected_height = best + 1;
  view.activity = activity;
  view.syncing = activity == SyncActivity::syncing;
  view.paused = activity == SyncActivity::paused;
  return view;
}

}  // namespace timectl::cmd
