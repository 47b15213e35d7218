#include "daemon/core/observer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/core/result.h"

namespace timectl {
namespace {

constexpr std::size_t kLosses = 10'000;  // as many as the whitelist has entries at most

constexpr auto kAilments = std::to_array<AilmentRow>({
    {Ailment::late_timers, "This node's timers came late: its host was busy, or it was suspended.",
     "Look at the host's load, its memory and whether the virtual machine is paused or migrated.",
     Severity::warning},
    {Ailment::clock_step, "The wall clock was set, or the host slept.",
     "Run one time service (chrony or systemd-timesyncd); peers judge by the clock.",
     Severity::warning},
    {Ailment::uplink_down, "Every masternode fell silent together: this host's own network is cut.",
     "Check this host's link, address, route and firewall (`ip addr`, `ip route`).",
     Severity::critical},
    {Ailment::most_peers_failing,
     "Most masternodes were lost within moments: the cause is one, and likely on this side.",
     "Check this host's network first, then whether the network itself has an outage.",
     Severity::warning},
});

}  // namespace

std::span<const AilmentRow> ailment_table() {
  return kAilments;
}

const AilmentRow& ailment_row(Ailment ailment) {
  for (const auto& row : kAilments) {
    if (row.ailment == ailment) return row;
  }
  check_failed("every Ailment has a row", __FILE__, __LINE__);
}

bool Observer::has(Ailment ailment) const {
  return std::ranges::any_of(present_, [&](const Present& p) { return p.ailment == ailment; });
}

std::vector<Observer::Change> Observer::changes() {
  return std::exchange(changes_, {});
}

void Observer::begin(Ailment ailment, std::string detail, Now now) {
  last(ailment) = now.mono;
  if (has(ailment)) return;
  present_.push_back({ailment, now.wall, detail});
  changes_.push_back({ailment, true, now.wall, std::move(detail)});
}

void Observer::end(Ailment ailment, std::string detail) {
  const auto it = std::ranges::find(present_, ailment, &Present::ailment);
  if (it == present_.end()) return;
  changes_.push_back({ailment, false, it->since, std::move(detail)});
  present_.erase(it);
}

void Observer::late(Duration late, const ObserverPolicy& policy, Now now) {
  if (late < policy.late_timer) return;
  begin(Ailment::late_timers, "work came " + human_duration(late) + " late", now);
}

void Observer::clocks(const ObserverPolicy& policy, Now now) {
  const Duration offset = now.wall.time_since_epoch() - now.mono.time_since_epoch();
  const Duration step = offset - std::exchange(offset_, offset).value_or(offset);
  const Duration size = step < Duration{} ? -step : step;
  if (size < policy.clock_step) return;
  begin(Ailment::clock_step,
        "the clock was set " + human_duration(size) +
            (step > Duration{} ? " forward, or the host slept so long" : " back"),
        now);
}

void Observer::silence(std::size_t silent, std::size_t connected, Duration interval,
                       const ObserverPolicy& policy, Now now) {
  if (uplink_gone_ || connected < policy.least_peers || silent < connected) return;
  if (now.mono - heard_at_ < interval) return;
  uplink_gone_ = true;
  uplink_since_ = now.mono;
  begin(Ailment::uplink_down, "all " + std::to_string(connected) + " masternodes fell silent", now);
}

void Observer::uplink_back(Now now) {
  uplink_gone_ = false;
  uplink_back_at_ = now.mono;
  end(Ailment::uplink_down, "after " + human_duration(now.mono - uplink_since_));
}

void Observer::lost(const IpAddress& ip, std::size_t connected, const ObserverPolicy& policy,
                    Now now) {
  if (sick() && !has(Ailment::most_peers_failing)) return;  // that is explained already
  std::erase_if(losses_, [&](const Loss& loss) {
    return now.mono - loss.at > policy.window || loss.ip == ip;
  });
  if (losses_.size() >= kLosses) losses_.pop_front();
  losses_.push_back({now.mono, ip, connected});
  const std::size_t before = std::ranges::max(losses_, {}, &Loss::connected).connected;
  const auto share = static_cast<double>(losses_.size()) / static_cast<double>(before);
  if (before < policy.least_peers || share < policy.failing_share) return;
  begin(Ailment::most_peers_failing,
        std::to_string(losses_.size()) + " of " + std::to_string(before) +
            " masternodes were lost within " + human_duration(policy.window),
        now);
}

void Observer::tick(const ObserverPolicy& policy, Now now) {
  for (const Ailment passing :
       {Ailment::late_timers, Ailment::clock_step, Ailment::most_peers_failing}) {
    if (!has(passing) || now.mono - last(passing) < policy.recovery) continue;
    end(passing, "nothing of it for " + human_duration(policy.recovery));
  }
}

}  // namespace timectl
