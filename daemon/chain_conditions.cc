#include "daemon/chain_conditions.h"

#include <algorithm>
#include <optional>

#include "daemon/chain/height_truth.h"
#include "daemon/control/api.h"

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

// A lag that is high is a lag, too: the engine hides the smaller behind the larger, so that it does
// not seem over when it grows.
std::vector<AlertCondition> behind(const SyncStatusView& view, const config::Config& config,
                                   WallTime now) {
  if (control::verdict_of(view) != control::SyncVerdict::behind) return {};
  std::vector<AlertCondition> out;
  const auto lag = *view.lag_blocks;
  const auto old = too_old(view, config, now);
  const bool far = lag > config.alerts.lag_warning_blocks;
  const std::string brief = "behind by " + blocks(lag);
  const std::string noticed =
      " (sync.alert_blocks = " + std::to_string(config.sync.alert_blocks) + ")";
  if (far || old) {
    AlertCondition high{.rule = AlertRule::lag_high, .text = "Behind by " + blocks(lag)};
    if (far) {
      high.text +=
          " (alerts.lag_warning_blocks = " + std::to_string(config.alerts.lag_warning_blocks) + ")";
    } else if (lag > config.sync.alert_blocks) {
      high.text += noticed;
    }
    if (old) high.text += "; our tip is " + age_clause(*old, config);
    high.brief = brief;
    out.push_back(std::move(high));
  }
  if (lag > config.sync.alert_blocks) {
    out.push_back({.rule = AlertRule::lag, .text = "Behind by " + blocks(lag) + noticed});
  }
  return out;
}

std::optional<AlertCondition> standing_still(const SyncStatusView& view,
                                             const config::Config& config, WallTime now) {
  const auto old = too_old(view, config, now);
  if (!view.network_stalled || !old) return {};
  return AlertCondition{
      .rule = AlertRule::network_stalled,
      .text = "The network stands still: the newest block that anybody is known to have is " +
              age_clause(*old, config),
      .brief = "the network stands still"};
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

std::optional<AlertCondition> forked(const ForkView& fork, const config::Config& config) {
  const auto length = proven_length(fork);
  if (fork.resolved_at || length <= config.alerts.fork_blocks) return {};
  std::string text = "A fork is " + blocks(length) +
                     " long (alerts.fork_blocks = " + std::to_string(config.alerts.fork_blocks) +
                     "), above height " + std::to_string(fork.ancestor_height);
  if (fork.needs_consent) text += "; it waits for your word: timectl sync fork";
  return AlertCondition{.rule = AlertRule::fork_long,
                        .object = std::to_string(fork.ancestor_height),
                        .text = std::move(text),
                        .since = fork.seen_at,
                        .brief = "a fork is open"};
}

}  // namespace

std::vector<AlertCondition> chain_conditions(const SyncStatusView& view,
                                             std::span<const ForkView> forks,
                                             const config::Config& config, WallTime now) {
  std::vector<AlertCondition> out;
  if (view.clock_doubted) {
    out.push_back({.rule = AlertRule::clock_doubted,
                   .text = "Most masternodes are above the height that our clock allows (" +
                           std::to_string(view.expected_height) +
                           "): this machine's clock may be slow",
                   .brief = "our clock may be slow"});
  }
  for (auto& condition : behind(view, config, now)) out.push_back(std::move(condition));
  if (auto still = standing_still(view, config, now)) out.push_back(std::move(*still));
  for (const auto& fork : forks) {
    if (auto condition = forked(fork, config)) out.push_back(std::move(*condition));
  }
  return out;
}

}  // namespace timectl
