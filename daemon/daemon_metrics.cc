// /metrics of a running node: the same overview as the page's, and what was counted since it began.
#include <algorithm>

#include "daemon/clock.h"
#include "daemon/daemon_parts.h"
#include "daemon/methods_table.h"
#include "daemon/metrics_source.h"

namespace timectl {
namespace {

constexpr std::uint64_t kAlerts = 500;  // by name; beyond them alerts are a number

}  // namespace

// On the network thread: it gathers. The text is made by whoever calls what it returns.
std::function<std::string()> Daemon::Parts::metrics() {
  const json::value nothing;
  const control::Actor nobody;
  const std::uint64_t most = options.config.metrics.max_peers;
  const Call call{methods->services(), nothing, nobody, clock_now()};
  return metrics_source(overview_now(call, std::max(most, kAlerts)), counters, most);
}

// At start and after a reload.
void Daemon::Parts::open_metrics() {
  if (!options.config.metrics.enabled) return;
  const auto loaded = observe::load_metrics();
  if (loaded) return;
  const auto& error = loaded.error();
  log->write(clock_now().wall, Severity::warning,
             "/metrics has nothing to say: " + error.message + ": " + error.because + "; try `" +
                 error.remedy.front() + "`");
}

void Daemon::Parts::count_lateness() {
  if (!upkeep_timer) return;
  const auto due = std::chrono::duration_cast<Duration>(upkeep_timer->expiry().time_since_epoch());
  if (due > Duration::zero()) counters.on_late(clock_now().mono - Instant(due));
}

}  // namespace timectl
