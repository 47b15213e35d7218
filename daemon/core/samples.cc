#include "daemon/core/samples.h"

#include <algorithm>
#include <limits>

namespace timectl {
namespace {

// Counters of a file that somebody edited may be as large as they like.
std::uint64_t added(std::uint64_t a, std::uint64_t b) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  return a > kMax - b ? kMax : a + b;
}

template <class T>
std::optional<T> last_known(const std::optional<T>& earlier, const std::optional<T>& later) {
  return later ? later : earlier;
}

template <class T>
std::optional<T> smaller(const std::optional<T>& a, const std::optional<T>& b) {
  return a && b ? std::min(*a, *b) : last_known(a, b);
}

template <class T>
std::optional<T> larger(const std::optional<T>& a, const std::optional<T>& b) {
  return a && b ? std::max(*a, *b) : last_known(a, b);
}

double weighted(double a, double weight_a, double b, double weight_b) {
  const double weight = weight_a + weight_b;
  return weight > 0 ? a * (weight_a / weight) + b * (weight_b / weight) : b;
}

std::optional<double> mean_of(const PeerSample& a, const PeerSample& b) {
  if (!a.rtt_ms_mean || !b.rtt_ms_mean) return last_known(a.rtt_ms_mean, b.rtt_ms_mean);
  return weighted(*a.rtt_ms_mean, static_cast<double>(a.round_trips), *b.rtt_ms_mean,
                  static_cast<double>(b.round_trips));
}

// Of a peer that was whitelisted in one of the two only, what counts against it is that one's.
void add_faults(PeerSample& sum, const PeerSample& later) {
  const bool before = sum.whitelisted_seconds > 0;
  const bool after = later.whitelisted_seconds > 0;
  if (before && !after) return;
  if (after && !before) sum.pings = sum.missed_pongs = sum.disconnects = 0;
  sum.pings = added(sum.pings, later.pings);
  sum.missed_pongs = added(sum.missed_pongs, later.missed_pongs);
  sum.disconnects = added(sum.disconnects, later.disconnects);
}

}  // namespace

WallTime step_of(SampleStep step, WallTime at) {
  const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(length_of(step));
  const auto since = at.time_since_epoch();
  auto into = since % length;
  if (into < into.zero()) into += length;  // before 1970, too
  return WallTime(since - into);
}

PeerSample merged(const PeerSample& earlier, const PeerSample& later) {
  PeerSample sum = earlier;
  add_faults(sum, later);
  sum.seconds += later.seconds;
  sum.connected_seconds += later.connected_seconds;
  sum.own_outage_seconds += later.own_outage_seconds;
  sum.whitelisted_seconds += later.whitelisted_seconds;
  sum.round_trips = added(earlier.round_trips, later.round_trips);
  sum.rtt_ms_min = smaller(earlier.rtt_ms_min, later.rtt_ms_min);
  sum.rtt_ms_mean = mean_of(earlier, later);
  sum.rtt_ms_max = larger(earlier.rtt_ms_max, later.rtt_ms_max);
  sum.height = last_known(earlier.height, later.height);
  sum.lag_max = larger(earlier.lag_max, later.lag_max);
  sum.score = last_known(earlier.score, later.score);
  sum.state = later.state;
  sum.bytes_in = added(earlier.bytes_in, later.bytes_in);
  sum.bytes_out = added(earlier.bytes_out, later.bytes_out);
  return sum;
}

NodeSample merged(const NodeSample& earlier, const NodeSample& later) {
  NodeSample sum = earlier;
  sum.seconds += later.seconds;
  sum.own_outage_seconds += later.own_outage_seconds;
  sum.whitelisted = later.whitelisted;
  sum.connected_mean =
      weighted(earlier.connected_mean, earlier.seconds, later.connected_mean, later.seconds);
  sum.connected_min = std::min(earlier.connected_min, later.connected_min);
  sum.connections_max = std::max(earlier.connections_max, later.connections_max);
  sum.height = last_known(earlier.height, later.height);
  sum.best_height = last_known(earlier.best_height, later.best_height);
  sum.lag_max = larger(earlier.lag_max, later.lag_max);
  sum.spread_max = larger(earlier.spread_max, later.spread_max);
  sum.blocks = added(earlier.blocks, later.blocks);
  sum.syncing_seconds += later.syncing_seconds;
  sum.blocks_syncing = added(earlier.blocks_syncing, later.blocks_syncing);
  return sum;
}

}  // namespace timectl
