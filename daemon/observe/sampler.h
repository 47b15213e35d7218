#pragma once
// Sampler: sums the node's readings into samples of the present 5 minutes. The daemon calls look()
// once a minute, and note_end() when a session ends, and writes what rows() gives; a restart within
// a step goes on with the row that is stored. Pure: no clock, no database.

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/core/samples.h"
#include "daemon/core/sync_views.h"

namespace timectl::observe {

struct NodeReading {
  bool sick = false;  // the fault is ours, now (core/observer.h)
  std::uint64_t whitelisted = 0;
  std::uint64_t connections = 0;
  std::optional<SyncStatusView> sync = {};
  std::uint64_t sync_threshold = 5;  // blocks behind: from here on it is catching up
};

class Sampler {
 public:
  // The rows of the step that `now` is in, as stored: a node that was restarted within it.
  void resume(std::span<const PeerSample> peers, const std::optional<NodeSample>& node);
  // A clock that went back, or that jumped over more than `kMostBetween`, starts anew from here:
  // no time is counted twice or invented.
  static constexpr Duration kMostBetween = std::chrono::minutes(3);
  void look(std::span<const PeerReading> peers, const NodeReading& node, Now now);
  void note_end(const SessionRecord& session, Now now);

  struct Rows {
    std::vector<PeerSample> peers;  // of the present step, and of the one before where it changed
    std::optional<NodeSample> node;
    std::vector<SessionRecord> open;
  };
  [[nodiscard]] Rows rows() const;

 private:
  struct Last {
    std::optional<WallTime> connected_at;
    std::uint64_t pings = 0;
    std::uint64_t missed = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
  };
  std::map<IpAddress, PeerSample> peers_;
  std::map<IpAddress, Last> last_;
  std::optional<NodeSample> node_;
  std::vector<SessionRecord> open_;
  std::optional<Now> looked_at_;
};

}  // namespace timectl::observe
