#pragma once
// Samples for the tests of the store: rows of a peer and a step that differ in every field.

#include <string>
#include <vector>

#include "daemon/core/json.h"
#include "store/samples.h"
#include "tests/store/state_directory.h"

namespace timectl::store {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline const WallTime kDay0 = parse_rfc3339("2026-11-21T00:00:00Z").value();

inline PeerSample peer_sample(std::size_t peer, WallTime at, double looked = 300) {
  PeerSample sample;
  sample.ip = address(peer);
  sample.at = at;
  sample.seconds = looked;
  sample.connected_seconds = looked * 0.75;
  sample.own_outage_seconds = looked * 0.125;
  sample.whitelisted_seconds = looked;
  sample.pings = 10 + peer;
  sample.missed_pongs = 1;
  sample.disconnects = 2;
  sample.round_trips = 9;
  sample.rtt_ms_min = 10.125;
  sample.rtt_ms_mean = 20.25;
  sample.rtt_ms_max = 31.5;
  sample.height = 100'000;
  sample.lag_max = 3;
  sample.score = 87.25;
  sample.state = PeerState::degraded;
  sample.bytes_in = 12'345'678'901;
  sample.bytes_out = 5;
  return sample;
}

inline NodeSample node_sample(WallTime at, double looked = 300) {
  NodeSample sample;
  sample.at = at;
  sample.seconds = looked;
  sample.own_outage_seconds = 1.5;
  sample.whitelisted = 12;
  sample.connected_mean = 10.125;
  sample.connected_min = 9;
  sample.connections_max = 40;
  sample.height = 100;
  sample.best_height = 105;
  sample.lag_max = 5;
  sample.spread_max = 2;
  sample.blocks = 4;
  sample.syncing_seconds = 60;
  sample.blocks_syncing = 3;
  return sample;
}

template <class T>
std::string json_text(const T& value) {
  return json::serialize(to_json(value));
}

inline Result<void> put(Database& database, const std::vector<PeerSample>& peers,
                        const std::vector<NodeSample>& nodes = {}) {
  return put_samples(database, peers, nodes, {});
}

// Until nothing is left to do; the number of chunks.
inline std::size_t roll_up(Database& database, WallTime now,
                           const SampleRetention& retention = {}) {
  for (std::size_t chunks = 0; chunks < 100'000; ++chunks) {
    const auto changed = roll_up_samples(database, retention, now);
    EXPECT_TRUE(changed) << changed.error().message << ": " << changed.error().because;
    if (!changed || *changed == 0) return chunks;
  }
  ADD_FAILURE() << "the roll-up does not end";
  return 0;
}

}  // namespace timectl::store
