#pragma once
// Typed events: the one thing from which the history row, the log line, the live stream and the
// alert derive. The core makes them; daemon/ hands them on. log_line() prints requirements R5.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

enum class EventKind : std::uint8_t {
  node_started,
  node_stopping,
  config_reloaded,
  config_rejected,
  whitelist_added,
  whitelist_removed,
  promoted,
  demoted,
  dial_scheduled,
  dial_failed,
  inbound_accepted,
  inbound_rejected,
  peer_connected,
  peer_disconnected,
  peer_suspect,
  peer_degraded,
  peer_recovered,
  peer_unresponsive,
  attempts_exhausted,
  peer_parked,
  peer_evicted,
  violation,
  no_masternode_connected,
  masternode_connected_again,
  store_degraded,
  store_recovered,
  peer_cut,       // we end the session of a whitelisted peer; the detail is the evidence
  observer_sick,  // the fault is ours: the detail says which
  observer_well,
  peer_banned,
  ban_ended,
  protection_lost,  // of a whitelisted peer; without one: of all
  protection_regained,
  list_changed,  // the API's list of masternodes brought new ones
  list_failed,
  list_recovered,
  list_held_back,
  sync_started,
  sync_stalled,
  sync_ended,
  lag_high,  // over sync.alert_blocks (notice) or alerts.lag_warning_blocks (warning)
  lag_over,
  fork_seen,
  fork_resolved,
  chain_failed,  // the file of the chain cannot be used
  chain_recovered,
  unreachable_said,   // by a masternode: our port does not answer from outside
  signature_doubted,  // of blocks' producers: the key is a masternode's claim, so a warning
  alert_fired,        // an alert was told: new, once more, or as one that comes and goes
  alert_resolved,
};
BOOST_DESCRIBE_ENUM(EventKind, node_started, node_stopping, config_reloaded, config_rejected,
                    whitelist_added, whitelist_removed, promoted, demoted, dial_scheduled,
                    dial_failed, inbound_accepted, inbound_rejected, peer_connected,
                    peer_disconnected, peer_suspect, peer_degraded, peer_recovered,
                    peer_unresponsive, attempts_exhausted, peer_parked, peer_evicted, violation,
                    no_masternode_connected, masternode_connected_again, store_degraded,
                    store_recovered, peer_cut, observer_sick, observer_well, peer_banned, ban_ended,
                    protection_lost, protection_regained, list_changed, list_failed, list_recovered,
                    list_held_back, sync_started, sync_stalled, sync_ended, lag_high, lag_over,
                    fork_seen, fork_resolved, chain_failed, chain_recovered, unreachable_said,
                    signature_doubted, alert_fired, alert_resolved)

struct Event {
  WallTime at = {};
  EventKind kind = EventKind::node_started;
  Severity severity = Severity::info;
  std::optional<IpAddress> peer = {};
  bool whitelisted = false;
  std::optional<Direction> direction = {};
  std::optional<EndReason> reason = {};
  std::string detail = {};   // evidence, one line, already escaped for a terminal
  bool by_operator = false;  // no peer's doing, so that nothing leaves it out; not stored
  // Numbers that R5's lines print; meaning by kind, 0 where the kind has none.
  std::uint64_t delay_seconds = 0;  // dial_scheduled: the nominal gap
  std::uint64_t missed_pongs = 0;
  std::uint64_t total = 0;  // inbound_accepted: connections now
  std::uint64_t inbound = 0;
  std::uint64_t masternodes = 0;
};
BOOST_DESCRIBE_STRUCT(Event, (),
                      (at, kind, severity, peer, whitelisted, direction, reason, detail,
                       delay_seconds, missed_pongs, total, inbound, masternodes))

// One line without time or level; R5's lines exactly where they apply.
[[nodiscard]] std::string log_line(const Event& event);

// Text that a peer chose, made safe for one line of a terminal or log: control characters,
// escapes, bidirectional overrides and invalid UTF-8 become \xNN or \u{NNNN}; cut at max_bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes = 200);

// One connection's life, for the history (requirements Q2). Written when it ends.
struct SessionRecord {
  IpAddress ip = {};
  Direction direction = Direction::out;
  bool whitelisted = false;
  WallTime started_at = {};
  WallTime ended_at = {};
  EndReason end_reason = EndReason::shutdown;
  std::string detail = {};
  std::uint64_t missed_pongs = 0;
  std::optional<double> rtt_ms_p50 = {};
  std::optional<double> rtt_ms_p95 = {};
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};
BOOST_DESCRIBE_STRUCT(SessionRecord, (),
                      (ip, direction, whitelisted, started_at, ended_at, end_reason, detail,
                       missed_pongs, rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out))

// What is remembered of a peer across restarts: the dial state (protocol 14(10)) and its ledger,
// so that a crash loop of ours never becomes a flood.
struct PeerMemory {
  IpAddress ip = {};
  bool masternode_claimed = false;  // said so itself or in gossip; never trusted (W3)
  std::optional<WallTime> last_connected_at = {};
  std::optional<WallTime> last_dialed_us_at = {};  // S5
  std::optional<WallTime> last_heard_at = {};
  std::optional<WallTime> next_attempt_at = {};
  std::optional<EndReason> last_reason = {};
  std::uint64_t attempts = 0;                  // on the present ladder
  std::vector<WallTime> recent_attempts = {};  // of the last hour, oldest first, at most 16
  std::string last_text = {};                  // the last refusal's text, printable
  std::string parked_under = {};               // NodeOptions::identity when it was parked
};
BOOST_DESCRIBE_STRUCT(PeerMemory, (),
                      (ip, masternode_claimed, last_connected_at, last_dialed_us_at, last_heard_at,
                       next_attempt_at, last_reason, attempts, recent_attempts, last_text,
                       parked_under))

}  // namespace timectl
