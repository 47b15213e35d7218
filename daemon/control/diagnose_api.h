#pragma once
// Requests and replies of the methods that say how peers and this node fare: diagnosis, score,
// suggestions, report, and the past (`--at TIME`). As those of api.h.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/score.h"
#include "daemon/core/time.h"

namespace timectl::control {

// diagnose.peer (read): what is known. diagnose.probe (operate): asks the peer's RPC, too, and
// probes it where that may be done; answered beside the node's thread. Without a node it probes by
// itself, within the ledger that is stored. Reply: DiagnosePeerReply (diagnose/reply.h).
struct DiagnosePeerRequest {
  std::string peer = {};               // address or label; an address need not be known
  std::optional<IpAddress> from = {};  // of a probe: a second look from this address of ours
  bool force_probe = false;            // beside a foreign live session; asked for twice
  bool time_servers = false;           // ask them, too
};
BOOST_DESCRIBE_STRUCT(DiagnosePeerRequest, (), (peer, from, force_probe, time_servers))

// diagnose.node, diagnose.all (read): DiagnoseNodeReply, DiagnoseAllReply.
struct DiagnoseRequest {
  bool time_servers = true;
};
BOOST_DESCRIBE_STRUCT(DiagnoseRequest, (), (time_servers))

// peer.score (read): PeerScoreReply.
struct PeerScoreReply : ScoreView {
  IpAddress ip = {};
  std::string label = {};
  bool whitelisted = false;
  std::optional<WallTime> since = {};  // of the newest evidence; none: there is none
};
BOOST_DESCRIBE_STRUCT(PeerScoreReply, (ScoreView), (ip, label, whitelisted, since))

// whitelist.suggest (read): array of SuggestionRow (requirements W10). Nothing is ever added by it.
struct SuggestionRow {
  IpAddress ip = {};
  double score = 0;
  double observed_days = 0;  // with a session or a look
  double uptime_ratio = 0;
  std::uint64_t disconnects = 0;
  std::string because = {};  // evidence, one clause
};
BOOST_DESCRIBE_STRUCT(SuggestionRow, (),
                      (ip, score, observed_days, uptime_ratio, disconnects, because))

// report (read): observe::ReportView.
struct ReportRequest {
  std::optional<WallTime> since = {};  // none: a day ago
};
BOOST_DESCRIBE_STRUCT(ReportRequest, (), (since))

}  // namespace timectl::control
