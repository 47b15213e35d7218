#pragma once
// Views: what the operator sees, as plain values computed from the state. The command line, the
// control API and later the dashboard print the same ones; keys are those of cli.md.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/observer.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

struct AilmentView {  // of this node itself
  Ailment ailment = Ailment::late_timers;
  WallTime since = {};
  std::string detail = {};
};
BOOST_DESCRIBE_STRUCT(AilmentView, (), (ailment, since, detail))

struct ClockView {
  std::uint64_t peers = 0;                   // whose clocks are known
  std::optional<double> ahead_seconds = {};  // of ours, against their median; none of too few
};
BOOST_DESCRIBE_STRUCT(ClockView, (), (peers, ahead_seconds))

struct SlotsView {
  std::uint64_t total = 0;
  std::uint64_t total_max = 0;
  std::uint64_t regular = 0;
  std::uint64_t regular_max = 0;
  std::uint64_t masternode = 0;
  std::uint64_t masternode_reserved = 0;
  std::uint64_t inbound = 0;
  std::uint64_t outbound = 0;
};
BOOST_DESCRIBE_STRUCT(SlotsView, (),
                      (total, total_max, regular, regular_max, masternode, masternode_reserved,
                       inbound, outbound))

struct SlotCheckView {
  IpAddress ip = {};
  bool accept = false;
  std::string reason = {};
  std::optional<IpAddress> would_evict = {};
};
BOOST_DESCRIBE_STRUCT(SlotCheckView, (), (ip, accept, reason, would_evict))

struct PeerView {
  IpAddress ip = {};
  std::string label = {};
  std::optional<Direction> direction = {};
  PeerState state = PeerState::idle;
  bool whitelisted = false;
  std::optional<WallTime> connected_at = {};
  std::optional<double> rtt_ms = {};
  std::optional<double> loss = {};                 // 0 to 1, missed of sent pings of this session
  std::optional<std::uint64_t> missed_pongs = {};  // in a row, now; without a session unknown
  std::optional<std::uint64_t> height = {};        // as the peer claims
  std::optional<double> score = {};
  std::optional<std::uint64_t> bytes_in = {};  // of the connection; none without one
  std::optional<std::uint64_t> bytes_out = {};
  std::optional<std::uint64_t> commit_count = {};
};
BOOST_DESCRIBE_STRUCT(PeerView, (),
                      (ip, label, direction, state, whitelisted, connected_at, rtt_ms, loss,
                       missed_pongs, height, score, bytes_in, bytes_out, commit_count))

struct LedgerView {
  std::uint64_t last_minute = 0;
  std::uint64_t last_hour = 0;
};
BOOST_DESCRIBE_STRUCT(LedgerView, (), (last_minute, last_hour))

// The path of a live session, and the patience that it gets (requirements L6).
struct PathView {
  std::optional<double> rtt_deviation_ms = {};
  std::optional<double> retransmitted = {};  // segments sent again of those sent, 0 to 1
  double usual_silence_seconds = 0;
  double bytes_per_second = 0;
  double timeout_seconds = 0;  // silence that, with its missed pongs, ends the session
  std::uint64_t missed_pongs_limit = 0;
  double user_timeout_seconds = 0;  // unacknowledged data that ends the transport
  std::string silence = {};         // which way it is, where there is one
};
BOOST_DESCRIBE_STRUCT(PathView, (),
                      (rtt_deviation_ms, retransmitted, usual_silence_seconds, bytes_per_second,
                       timeout_seconds, missed_pongs_limit, user_timeout_seconds, silence))

struct PeerDetailView : PeerView {
  std::optional<WallTime> next_attempt_at = {};
  std::string next_attempt_reason = {};
  std::uint64_t attempts = 0;
  LedgerView ledger = {};
  std::optional<EndReason> last_end_reason = {};
  std::string last_text = {};
  std::optional<WallTime> last_heard_at = {};
  std::uint64_t unknown_frames = 0;
  std::uint64_t undecodable_frames = 0;
  std::optional<PathView> path = {};
  std::optional<double> clock_seconds = {};  // its clock less ours; whole seconds
};
BOOST_DESCRIBE_STRUCT(PeerDetailView, (PeerView),
                      (next_attempt_at, next_attempt_reason, attempts, ledger, last_end_reason,
                       last_text, last_heard_at, unknown_frames, undecodable_frames, path,
                       clock_seconds))

struct RegistryView {
  IpAddress ip = {};
  std::optional<std::string> tier = {};  // claimed
  std::string status = {};               // online or offline
  std::optional<WallTime> last_heard_at = {};
};
BOOST_DESCRIBE_STRUCT(RegistryView, (), (ip, tier, status, last_heard_at))

struct MasternodesView {
  std::uint64_t whitelisted = 0;
  std::uint64_t connected = 0;
  std::vector<PeerView> down = {};  // whitelisted and not connected, at most 10
};
BOOST_DESCRIBE_STRUCT(MasternodesView, (), (whitelisted, connected, down))

}  // namespace timectl
