#include "cmd/sync_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cmd/table.h"

namespace timectl::cmd {
namespace {

constexpr auto kActivities = std::to_array<ActivityRow>({
    {SyncActivity::idle, "idle", "Nothing is to be fetched: no block above ours is believed", ""},
    {SyncActivity::syncing, "syncing", "Blocks are fetched, verified and stored",
     "`timectl sync watch` follows it."},
    {SyncActivity::stalled, "stalled",
     "Blocks are to be had, but none has arrived for too long; other sources are tried",
     "`timectl sync peers` shows who could serve them and why each is not asked."},
    {SyncActivity::paused, "paused", "The operator has paused sync; no block is fetched",
     "`timectl sync resume`"},
    {SyncActivity::disabled, "switched off",
     "Sync is switched off by the configuration (sync.enabled = false)",
     "Set sync.enabled = true, then `timectl node reload`."},
    {SyncActivity::waiting, "waiting", "We are behind, and nobody who may be asked is ahead of us",
     "`timectl sync peers` shows everybody's height; `timectl peer list --whitelisted` who is "
     "missing."},
});

std::string activity_clause(const SyncStatusView& view) {
  const auto phrase = std::string(activity_row(view.activity).phrase);
  if (view.activity_because.empty()) return phrase;
  return phrase + ": " + printable(view.activity_because, 300);
}

std::string vouched(const SyncStatusView& view) {
  if (view.vouched_by.empty()) return printable(view.ground, 300);
  return "vouched for by " + counted(view.vouched_by.size(), "masternode");
}

Sentence behind(const SyncStatusView& view) {
  Sentence out{Paint::warn, "behind", fmt::format(" by {}", counted(*view.lag_blocks, "block"))};
  if (view.lag_seconds) out.rest += fmt::format(" ({} of blocks)", about(*view.lag_seconds));
  out.rest += fmt::format(": {} of {}", grouped(*view.height), grouped(*view.best_height));
  if (view.activity != SyncActivity::syncing)
    return {out.paint, out.head, out.rest + ", " + activity_clause(view)};
  out.rest += view.blocks_per_minute ? ", " + rate_text(*view.blocks_per_minute) : ", syncing";
  if (view.eta_seconds) out.rest += ", done in about " + about(*view.eta_seconds);
  return out;
}

Sentence other_branch(const SyncStatusView& view) {
  std::string rest = ": ";
  if (view.parted_at && *view.height > *view.parted_at) {
    rest += fmt::format("{} of ours above height {} are not on the chain that is believed",
                        counted(*view.height - *view.parted_at, "block"), grouped(*view.parted_at));
  } else {
    rest += fmt::format("our block at height {} is not the one that is believed",
                        grouped(std::min(*view.height, *view.best_height)));
  }
  rest += fmt::format(", which ends at {}; ", grouped(*view.best_height)) + activity_clause(view);
  return {Paint::warn, "on another branch", rest};
}

Sentence in_sync(const SyncStatusView& view) {
  std::string rest = " at height " + grouped(*view.height);
  if (*view.lag_blocks > 0) {
    rest += fmt::format(", {} below {}", counted(*view.lag_blocks, "block"),
                        grouped(*view.best_height));
  }
  const auto by = vouched(view);
  return {Paint::good, "in sync", rest + (by.empty() ? "" : ", " + by)};
}

Sentence unproven(const SyncStatusView& view) {
  return {Paint::warn, "perhaps behind",
          fmt::format(": level with the believed height {}, but a masternode claims {}, {} more",
                      grouped(*view.best_height), grouped(*view.claimed_height),
                      counted(*view.claimed_height - *view.best_height, "block"))};
}

// A duration that is a whole number of `unit`.
std::string rounded(double seconds, double unit) {
  const double whole = std::round(seconds / unit) * unit;
  return human_duration(Duration(static_cast<Duration::rep>(whole * 1e6)));
}

}  // namespace

Sentence sentence_of(const SyncStatusView& view) {
  switch (control::verdict_of(view)) {
    case control::SyncVerdict::in_sync:
      return in_sync(view);
    case control::SyncVerdict::behind:
      return behind(view);
    case control::SyncVerdict::unproven:
      return unproven(view);
    case control::SyncVerdict::other_branch:
      return other_branch(view);
    case control::SyncVerdict::unknown:
      break;
  }
  const auto why =
      view.best_height ? std::string("no chain of ours is known") : printable(view.ground, 300);
  std::string rest = why.empty() ? "" : ": " + why;
  if (view.height && view.activity == SyncActivity::syncing) {
    rest += "; fetching blocks, now at " + grouped(*view.height);
    if (view.blocks_per_minute) rest += ", " + rate_text(*view.blocks_per_minute);
  }
  return {Paint::warn, view.best_height ? "own height unknown" : "best height unknown", rest};
}

int exit_of(control::SyncVerdict verdict) {
  switch (verdict) {
    case control::SyncVerdict::in_sync:
      return 0;
    case control::SyncVerdict::behind:
    case control::SyncVerdict::unproven:
    case control::SyncVerdict::other_branch:
      return 1;
    case control::SyncVerdict::unknown:
      break;
  }
  return 3;
}

std::string next_command(const SyncStatusView& view, bool live) {
  if (!live) return "timectl node start";
  if (view.forks > 0) return "timectl sync fork";
  switch (view.activity) {
    case SyncActivity::paused:
      return "timectl sync resume";
    case SyncActivity::disabled:
      return "timectl config show --origin";
    case SyncActivity::syncing:
      return "timectl sync watch";
    case SyncActivity::stalled:
    case SyncActivity::waiting:
      return "timectl sync peers";
    case SyncActivity::idle:
      break;
  }
  const auto verdict = control::verdict_of(view);
  if (verdict == control::SyncVerdict::in_sync) return "";
  if (view.masternodes == 0) return "timectl peer list --whitelisted";
  return "timectl sync peers";
}

std::span<const ActivityRow> activity_table() {
  return kActivities;
}

const ActivityRow& activity_row(SyncActivity activity) {
  const auto& row = kActivities.at(static_cast<std::size_t>(activity));
  TIMECTL_CHECK(row.activity == activity);
  return row;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string short_height(std::uint64_t height) {
  constexpr std::uint64_t kLong = 100'000'000'000;
  return height < kLong ? grouped(height) : fmt::format("{:.1e}", static_cast<double>(height));
}

std::string about(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  constexpr double kMost = 1000 * 365 * kDay;  // more is said of nothing, and would overflow
  if (!std::isfinite(seconds) || seconds > kMost) return "a very long time";
  if (seconds < 1) return "1 s";
  if (seconds < 1.5 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < kHour) return rounded(seconds, kMinute);
  if (seconds < kDay) return rounded(seconds, 10 * kMinute);
  return rounded(std::floor(seconds / kHour) * kHour, kHour);
}

std::string rate_text(double blocks_per_minute) {
  if (!std::isfinite(blocks_per_minute) || blocks_per_minute < 0) return "? blocks/min";
  if (blocks_per_minute < 10) return fmt::format("{:.1f} blocks/min", blocks_per_minute);
  const auto whole = std::min(blocks_per_minute, 1e15);  // of any chain; the cast must fit
  return grouped(static_cast<std::uint64_t>(std::round(whole))) + " blocks/min";
}

}  // namespace timectl::cmd
