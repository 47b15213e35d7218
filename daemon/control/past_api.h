#pragma once
// Requests and replies about the past (`--at TIME` of status and of peer list), as those of api.h.
// Made of the sessions that were open at that moment and of the sample whose step holds it; what
// neither of them knows is null.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/control/api.h"
#include "daemon/core/samples.h"

namespace timectl::control {

// Which sample a view of the past is from: the finest that is still kept of that time.
struct PastSource {
  WallTime as_of = {};          // as asked for
  WallTime sample_at = {};      // the beginning of its step
  double sample_seconds = 0;    // the step's length
  double observed_seconds = 0;  // of them the node ran
};
BOOST_DESCRIBE_STRUCT(PastSource, (), (as_of, sample_at, sample_seconds, observed_seconds))

// status (read): StatusReply; with `at` PastStatusReply.
struct StatusRequest {
  std::optional<WallTime> at = {};
};
BOOST_DESCRIBE_STRUCT(StatusRequest, (), (at))
struct PastStatusReply : StatusReply {
  PastSource past = {};
};
BOOST_DESCRIBE_STRUCT(PastStatusReply, (StatusReply), (past))

// peer.list (read) with `at`: array of PastPeerRow, the keys of PeerView.
struct PastPeerRow {
  IpAddress ip = {};
  std::string label = {};  // of now
  std::optional<Direction> direction = {};
  std::optional<PeerState> state = {};  // null: it had no session then, but later in the step
  bool whitelisted = false;
  std::optional<WallTime> connected_at = {};
  std::optional<double> rtt_ms = {};               // the step's mean
  std::optional<double> loss = {};                 // of the step
  std::optional<std::uint64_t> missed_pongs = {};  // in a row: not kept
  std::optional<std::uint64_t> height = {};
  std::optional<double> score = {};
  std::optional<std::uint64_t> bytes_in = {};  // of the connection: not kept
  std::optional<std::uint64_t> bytes_out = {};
  std::optional<std::uint64_t> commit_count = {};
  PastSource past = {};
};
BOOST_DESCRIBE_STRUCT(PastPeerRow, (),
                      (ip, label, direction, state, whitelisted, connected_at, rtt_ms, loss,
                       missed_pongs, height, score, bytes_in, bytes_out, commit_count, past))

}  // namespace timectl::control
