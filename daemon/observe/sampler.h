#pragma once
// Sampler: sums the node's readings into samples of the present 5 minutes. The daemon calls look()
// once a minute, and note_end() when a session ends, and writes what rows() gives; a restart within
// a step goes on with the row that is stored. Pure: no clock, no database.
//
// Promises, each a property test: no row holds more time than has passed of its step, connected
// time and own outage are apart and together no more than what was looked at, and no second of the
// wall clock counts twice, whatever the clocks do.

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
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

// The end of a session by our own will, which is no disconnect.
[[nodiscard]] bool by_our_will(EndReason reason);

class Sampler {
 public:
  // The rows of the step that `now` is in, as stored: a node that was restarted within it.
  void resume(std::span<const PeerSample> peers, const std::optional<NodeSample>& node);
  // A clock that went back, or that jumped over more than `kMostBetween`, starts anew from here:
  // no time is counted twice or invented.
  static constexpr Duration kMostBetween = std::chrono::minutes(3);
  void look(std::span<const PeerReading> peers, const NodeReading& node, Now now);
  // It takes so long at most until a fault of our own shows: what was counted against peers in that
  // time before a look that finds the node sick is taken back.
  static constexpr Duration kShown = std::chrono::minutes(2);
  // Of peers that a look has seen, and of masternodes.
  void note_end(const SessionRecord& session, Now now);

  struct Rows {
    std::vector<PeerSample> peers;  // of the present step, and of those before it until stored()
    std::vector<NodeSample> nodes;
    std::vector<SessionRecord> open;  // with the last look as their end
  };
  [[nodiscard]] Rows rows() const;
  // What rows() gave is in the database: finished steps are forgotten. While the disk is full they
  // wait here, an hour of them; of more the oldest go.
  static constexpr std::size_t kMostSteps = 12;
  void stored();

 private:
  using Span = std::pair<WallTime, WallTime>;
  struct Last {
    bool listed = false;  // the last look saw it
    bool whitelisted = false;
    bool held = false;
    std::optional<WallTime> connected_at;
    std::uint64_t pings = 0;
    std::uint64_t missed = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::vector<Span> ended = {};  // sessions since then
  };
  // What was counted against a peer and may yet show to be our own fault.
  struct Blame {
    WallTime step;
    IpAddress ip;
    std::uint64_t missed = 0;
    std::uint64_t ends = 0;
    Instant at = {};
  };
  struct Step {
    std::map<IpAddress, PeerSample> peers;
    std::optional<NodeSample> node;
  };
  // A part of the time since the last look, within one step.
  struct Part {
    WallTime step;
    WallTime begin;
    WallTime end;
  };

  [[nodiscard]] bool anew(Now now) const;
  [[nodiscard]] std::vector<Part> parts(Now now) const;
  [[nodiscard]] PeerSample& row(WallTime step, const IpAddress& ip);
  void count_time(const IpAddress& ip, const PeerReading* reading, std::span<const Part> parts,
                  bool sick, std::vector<double>& connected);
  void count_traffic(const PeerReading& reading, const Last& last, WallTime step, bool sick,
                     Instant now);
  void note_last(const PeerReading& reading, const NodeReading& node, WallTime step);
  void blame(const IpAddress& ip, WallTime step, std::uint64_t missed, std::uint64_t ends,
             Instant at);
  void settle_blame(bool sick, Instant now);
  [[nodiscard]] NodeSample& node_row(WallTime step);
  void count_node_time(std::span<const Part> parts, std::span<const double> connected, bool sick);
  void note_node(std::span<const PeerReading> peers, const NodeReading& node, WallTime step);
  void count_blocks(const NodeReading& node, WallTime step);
  void remember(std::span<const PeerReading> peers, const NodeReading& node, Now now);
  void bound(WallTime present);

  std::map<WallTime, Step> steps_;
  std::map<IpAddress, Last> last_;
  std::deque<Blame> blamed_;
  std::vector<SessionRecord> open_;
  std::optional<Now> looked_at_;
  WallTime counted_until_ = {};
  bool was_sick_ = false;
  bool was_syncing_ = false;
  std::optional<std::uint64_t> last_height_;
};

}  // namespace timectl::observe
