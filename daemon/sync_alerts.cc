#include "daemon/sync_alerts.h"

#include <algorithm>
#include <optional>

#include "daemon/chain/height_truth.h"

namespace timectl {
namespace {

std::string blocks(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " block" : " blocks");
}

Duration age_of(WallTime at, WallTime now) {
  return std::chrono::duration_cast<Duration>(std::max(now - at, std::chrono::milliseconds(0)));
}

// The age of the tip where it is over the limit.
std::optional<Duration> too_old(const SyncStatusView& view, const config::Config& config,
                                WallTime now) {
  if (!view.tip_at) return {};
  const auto age = age_of(*view.tip_at, now);
  return age > config.alerts.tip_age_warning ? std::optional(age) : std::nullopt;
}

std::string age_clause(Duration age, const config::Config& config) {
  return human_duration(age) +
         " old (alerts.tip_age_warning = " + human_duration(config.alerts.tip_age_warning) + ")";
}

std::optional<SyncAlert> behind(const SyncStatusView& view, const config::Config& config,
                                WallTime now) {
  if (control::verdict_of(view) != control::SyncVerdict::behind) return {};
  const auto lag = *view.lag_blocks;
  const auto old = too_old(view, config, now);
  const bool far = lag > config.alerts.lag_warning_blocks;
  const bool noticed = lag > config.sync.alert_blocks;
  if (!far && !noticed && !old) return {};
  SyncAlert alert;
  alert.brief = "behind by " + blocks(lag);
  alert.line.severity = far || old ? Severity::warning : Severity::notice;
  alert.line.text = "Behind by " + blocks(lag);
  if (far) {
    alert.line.text +=
        " (alerts.lag_warning_blocks = " + std::to_string(config.alerts.lag_warning_blocks) + ")";
  } else if (noticed) {
    alert.line.text += " (sync.alert_blocks = " + std::to_string(config.sync.alert_blocks) + ")";
  }
  if (old) alert.line.text += "; our tip is " + age_clause(*old, config);
  return alert;
}

std::optional<SyncAlert> standing_still(const SyncStatusView& view, const config::Config& config,
                                        WallTime now) {
  const auto old = too_old(view, config, now);
  if (!view.network_stalled || !old) return {};
  return SyncAlert{{Severity::warning,
                    "The network stands still: the newest block that anybody is known to have is " +
                        age_clause(*old, config),
                    {}},
                   "the network stands still"};
}

std::uint64_t length_of(const ForkView& fork, const ForkBranchView& branch) {
  return branch.tip_height > fork.ancestor_height ? branch.tip_height - fork.ancestor_height : 0;
}

// The longest branch that is not one peer's word.
std::uint64_t proven_length(const ForkView& fork) {
  const auto witnesses = chain::TruthPolicy{}.least_witnesses;
  std::uint64_t longest = 0;
  bool others = false;
  for (const auto& branch : fork.branches) {
    if (!branch.ours && branch.masternodes < witnesses) continue;
    others = others || !branch.ours;
    longest = std::max(longest, length_of(fork, branch));
  }
  return others ? longest : 0;
}

std::optional<SyncAlert> forked(const ForkView& fork, const config::Config& config) {
  const auto length = proven_length(fork);
  if (fork.resolved_at || length <= config.alerts.fork_blocks) return {};
  std::string text = "A fork is " + blocks(length) +
                     " long (alerts.fork_blocks = " + std::to_string(config.alerts.fork_blocks) +
                     "), above height " + std::to_string(fork.ancestor_height);
  if (fork.needs_consent) text += "; it waits for your word: timectl sync fork";
  return SyncAlert{{Severity::warning, std::move(text), fork.seen_at}, "a fork is open"};
}

}  // namespace

std::vector<SyncAlert> sync_alerts(const SyncStatusView& view, std::span<const ForkView> forks,
                                   const config::Config& config, WallTime now) {
  std::vector<SyncAlert> alerts;
  if (view.clock_doubted) {
    alerts.push_back(
        {{Severity::warning,
          "Most masternodes are above the height that our clock allows (" +
              std::to_string(view.expected_height) + "): this machine's clock may be slow",
          {}},
         "our clock may be slow"});
  }
  if (auto alert = behind(view, config, now)) alerts.push_back(std::move(*alert));
  if (auto alert = standing_still(view, config, now)) alerts.push_back(std::move(*alert));
  for (const auto& fork : forks) {
    if (auto alert = forked(fork, config)) alerts.push_back(std::move(*alert));
  }
  return alerts;
}

}  // namespace timectl
