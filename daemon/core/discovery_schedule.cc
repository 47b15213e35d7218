// When the list is fetched again, and while which list what is missing may go.
#include <algorithm>

#include "daemon/core/discovery.h"

namespace timectl {
namespace {

constexpr Duration kFirstRetry = std::chrono::minutes(1);  // then 2, 4 ... up to the interval
constexpr Duration kLongestWish = std::chrono::hours(24);  // Retry-After beyond is not believed
constexpr Duration kCrashLoopGap = std::chrono::seconds(10);
constexpr std::uint64_t kMostDoublings = 20;

}  // namespace

bool may_expire(const ListState& state, const DiscoveryRules& rules, WallTime now) {
  const auto within = std::max(kConfirmedWithin, 2 * rules.interval);
  return state.accepted_at &&
         now - *state.accepted_at <= std::chrono::duration_cast<std::chrono::milliseconds>(within);
}

Duration next_refresh_after(const ListState& state, const DiscoveryRules& rules,
                            std::optional<Duration> retry_after, Random& random) {
  Duration wait = rules.interval;
  if (state.failures > 0) {
    const auto doublings = std::min(state.failures - 1, kMostDoublings);
    wait = std::min(rules.interval, kFirstRetry * (std::int64_t{1} << doublings));
  }
  if (retry_after) wait = std::max(wait, std::min(*retry_after, kLongestWish));
  const double factor = 1 + rules.jitter * (2 * random.unit() - 1);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait) * factor);
}

Duration first_refresh_after(const ListState& state, WallTime now) {
  if (!state.attempted_at || *state.attempted_at > now) return Duration::zero();
  const auto since = std::chrono::duration_cast<Duration>(now - *state.attempted_at);
  return since >= kCrashLoopGap ? Duration::zero() : kCrashLoopGap - since;
}

}  // namespace timectl
