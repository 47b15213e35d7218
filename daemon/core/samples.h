#pragma once
// Samples: what the history keeps of peers and of this node over time (requirements Q2), in steps
// of 5 minutes, an hour and a day. The node gives a Reading of each peer at each look (a minute
// apart), observe/sampler.h sums them into the present step of 5 minutes, store/samples.h keeps and
// rolls them up; reports, `--at TIME` and charts read them. Unknown is empty, never 0.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// What the node knows of one peer at one moment; totals are of the present session.
struct PeerReading {
  IpAddress ip = {};
  bool whitelisted = false;
  PeerState state = PeerState::idle;
  std::optional<WallTime> connected_at = {};  // none: no session
  std::optional<Direction> direction = {};
  std::uint64_t pings = 0;         // sent
  std::uint64_t missed_pongs = 0;  // of them, in all
  std::optional<double> rtt_ms = {};
  std::optional<double> rtt_deviation_ms = {};
  std::optional<std::uint64_t> height = {};  // as it claims
  std::optional<double> score = {};
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  bool held = false;  // an operator keeps it away, so its absence is not its own
};

enum class SampleStep : std::uint8_t { five_minutes, hour, day };
BOOST_DESCRIBE_ENUM(SampleStep, five_minutes, hour, day)
[[nodiscard]] constexpr Duration length_of(SampleStep step) {
  constexpr Duration kLengths[] = {std::chrono::minutes(5), std::chrono::hours(1),
                                   std::chrono::hours(24)};
  return kLengths[static_cast<std::size_t>(step)];
}
// The beginning of the step that `at` is in: a multiple of its length since 1970, UTC.
[[nodiscard]] WallTime step_of(SampleStep step, WallTime at);

struct PeerSample {
  IpAddress ip = {};
  WallTime at = {};                // the beginning of the step
  double seconds = 0;              // looked at: a node that did not run looked at nothing
  double connected_seconds = 0;    // of them with a session
  double own_outage_seconds = 0;   // of them without one, by our fault (observer.h) or our will
  double whitelisted_seconds = 0;  // of them while it was whitelisted
  // What counts against it: of one that was whitelisted for a part of the time only what was then,
  // to a step of 5 minutes; and nothing of an outage of our own.
  std::uint64_t pings = 0;
  std::uint64_t missed_pongs = 0;
  std::uint64_t disconnects = 0;  // sessions that ended, not by our own will
  std::uint64_t round_trips = 0;  // that the three below are of
  std::optional<double> rtt_ms_min = {};
  std::optional<double> rtt_ms_mean = {};
  std::optional<double> rtt_ms_max = {};
  std::optional<std::uint64_t> height = {};   // the last
  std::optional<std::uint64_t> lag_max = {};  // blocks behind what was believed
  std::optional<double> score = {};           // the last
  PeerState state = PeerState::idle;          // the last
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};
BOOST_DESCRIBE_STRUCT(PeerSample, (),
                      (ip, at, seconds, connected_seconds, own_outage_seconds, whitelisted_seconds,
                       pings, missed_pongs, disconnects, round_trips, rtt_ms_min, rtt_ms_mean,
                       rtt_ms_max, height, lag_max, score, state, bytes_in, bytes_out))

struct NodeSample {
  WallTime at = {};
  double seconds = 0;             // that the node ran
  double own_outage_seconds = 0;  // of them sick (observer.h)
  std::uint64_t whitelisted = 0;  // the last
  double connected_mean = 0;      // masternodes, over the step
  std::uint64_t connected_min = 0;
  std::uint64_t connections_max = 0;         // all peers
  std::optional<std::uint64_t> height = {};  // the last
  std::optional<std::uint64_t> best_height = {};
  std::optional<std::uint64_t> lag_max = {};
  std::optional<std::uint64_t> spread_max = {};
  std::uint64_t blocks = 0;          // that our chain grew by
  double syncing_seconds = 0;        // of `seconds`, more than sync.threshold behind
  std::uint64_t blocks_syncing = 0;  // of `blocks`, in that time: catch-up speed
};
BOOST_DESCRIBE_STRUCT(NodeSample, (),
                      (at, seconds, own_outage_seconds, whitelisted, connected_mean, connected_min,
                       connections_max, height, best_height, lag_max, spread_max, blocks,
                       syncing_seconds, blocks_syncing))

// Two samples of the same object, the earlier one first, as one: sums add up, means are weighted,
// "the last" is the later's.
[[nodiscard]] PeerSample merged(const PeerSample& earlier, const PeerSample& later);
[[nodiscard]] NodeSample merged(const NodeSample& earlier, const NodeSample& later);

}  // namespace timectl
