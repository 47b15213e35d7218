#pragma once
// Requests and replies of `overview`: what the dashboard, `timectl top` and /metrics show, in one
// answer made of the same views as the other methods, so that no figure is computed twice. As those
// of api.h.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/control/alerts_api.h"
#include "daemon/control/api.h"
#include "daemon/core/peer_words.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/views.h"

namespace timectl::control {

// overview (read, needs the node): OverviewReply. `limit`: of masternodes and of alerts, each.
struct OverviewRequest {
  std::uint64_t limit = 500;
};
BOOST_DESCRIBE_STRUCT(OverviewRequest, (), (limit))
struct MasternodeRow : PeerView {
  bool connected = false;  // a session is up; `connected_at` outlasts it while it closes
  Tone tone = Tone::plain;
  // It has had no connection since then, as far as this node knows: since its alert
  // masternode_down; without one since it was heard, or else since it was whitelisted.
  std::optional<WallTime> down_since = {};
  std::optional<WallTime> next_attempt_at = {};
  std::string next_attempt_reason = {};
  std::uint64_t attempts = 0;                     // since the last session; connected: 0
  std::optional<EndReason> last_end_reason = {};  // connected: null, it is over
  std::optional<WallTime> last_heard_at = {};
  std::optional<std::uint64_t> lag_blocks = {};  // its claim below what is believed; 0: level
};
BOOST_DESCRIBE_STRUCT(MasternodeRow, (PeerView),
                      (connected, tone, down_since, next_attempt_at, next_attempt_reason, attempts,
                       last_end_reason, last_heard_at, lag_blocks))
struct PeerTotals {
  std::uint64_t known = 0;
  std::uint64_t connected = 0;  // of them, whitelisted or not
  std::uint64_t banned = 0;     // addresses, by any origin
};
BOOST_DESCRIBE_STRUCT(PeerTotals, (), (known, connected, banned))
// Of all open alerts, each in one figure.
struct AlertCounts {
  std::uint64_t critical = 0;  // by severity: firing, neither silenced nor hidden
  std::uint64_t error = 0;
  std::uint64_t warning = 0;
  std::uint64_t notice = 0;
  std::uint64_t pending = 0;   // not said yet, neither silenced nor hidden
  std::uint64_t silenced = 0;  // firing or pending, and not hidden
  std::uint64_t hidden = 0;    // they follow from another open alert
};
BOOST_DESCRIBE_STRUCT(AlertCounts, (),
                      (critical, error, warning, notice, pending, silenced, hidden))
// Of all open alerts of one rule, for /metrics.
struct AlertRuleCounts {
  AlertRule rule = AlertRule::database_unwritable;
  std::uint64_t firing = 0;    // silenced ones, too
  std::uint64_t pending = 0;   // hidden ones, too
  std::uint64_t silenced = 0;  // of those that fire
};
BOOST_DESCRIBE_STRUCT(AlertRuleCounts, (), (rule, firing, pending, silenced))
struct OverviewReply {
  WallTime at = {};
  std::string version = {};
  WallTime started_at = {};  // of the node
  StatusReply status = {};
  SyncStatusView chain = {};
  std::string sync_sentence = {};
  ClockView clock = {};
  // No further from the peers' than their frames can tell, which have whole seconds; null: not
  // compared.
  std::optional<bool> clock_level = {};
  PeerTotals peers = {};
  std::vector<MasternodeRow> masternodes = {};  // without ourselves; the worst first
  std::uint64_t masternodes_left_out = 0;
  std::vector<AlertRow> alerts = {};  // open ones, the gravest first
  std::uint64_t alerts_left_out = 0;
  AlertCounts alert_counts = {};                     // of all of them
  std::vector<AlertRuleCounts> alerts_by_rule = {};  // of all of them; rules without one left out
};
BOOST_DESCRIBE_STRUCT(OverviewReply, (),
                      (at, version, started_at, status, chain, sync_sentence, clock, clock_level,
                       peers, masternodes, masternodes_left_out, alerts, alerts_left_out,
                       alert_counts, alerts_by_rule))

// overview.history (read): OverviewHistory: `points` equal steps that end now. Without a node the
// same from the database.
struct OverviewHistoryRequest {
  Duration since = std::chrono::hours(24);  // 1 h to 10 years
  std::uint64_t points = 96;                // 1 to 288; a step is at least 5 minutes
};
BOOST_DESCRIBE_STRUCT(OverviewHistoryRequest, (), (since, points))
struct NodePoint {   // null: no node looked, or it did not know
  WallTime at = {};  // the beginning of the step
  std::optional<std::uint64_t> whitelisted = {};
  std::optional<double> connected_mean = {};  // masternodes
  std::optional<std::uint64_t> connected_min = {};
  std::optional<std::uint64_t> height = {};
  std::optional<std::uint64_t> best_height = {};
  std::optional<std::uint64_t> lag_max = {};
  std::optional<double> own_outage_seconds = {};
};
BOOST_DESCRIBE_STRUCT(NodePoint, (),
                      (at, whitelisted, connected_mean, connected_min, height, best_height, lag_max,
                       own_outage_seconds))
struct MasternodeStrip {  // of one that is whitelisted now; one value a step, as in `node`
  IpAddress ip = {};
  std::vector<std::optional<double>> connected = {};  // share of the time looked at, 0 to 1
  std::vector<std::optional<double>> score = {};
};
BOOST_DESCRIBE_STRUCT(MasternodeStrip, (), (ip, connected, score))
struct OverviewHistory {
  WallTime since = {};
  double step_seconds = 0;
  std::vector<NodePoint> node = {};
  std::vector<MasternodeStrip> masternodes = {};  // by address, at most 500
};
BOOST_DESCRIBE_STRUCT(OverviewHistory, (), (since, step_seconds, node, masternodes))

}  // namespace timectl::control
