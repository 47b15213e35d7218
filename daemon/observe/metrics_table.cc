#include "daemon/observe/metrics_table.h"

#include <array>

#include "daemon/core/reflect.h"
#include "daemon/core/result.h"

namespace timectl::observe {
namespace {

using enum MetricType;

constexpr auto kMetrics = std::to_array<MetricRow>({
    {Metric::build_info, "timectl_build_info", gauge, "", "version network mode",
     "Always 1: the node's version, its network and its mode.", "overview"},
    {Metric::start_time, "process_start_time_seconds", gauge, "seconds", "",
     "When the node started, in seconds since 1970.", "overview"},
    {Metric::verdict, "timectl_verdict", gauge, "", "verdict",
     "1 for the verdict of `timectl status` that holds, 0 for the others.", "overview: status"},
    {Metric::masternodes_whitelisted, "timectl_masternodes_whitelisted", gauge, "masternodes", "",
     "Whitelisted addresses, this node's own left out.", "overview: status"},
    {Metric::masternodes_connected, "timectl_masternodes_connected", gauge, "masternodes", "",
     "Those of them that are connected; absent in passive mode.", "overview: status"},
    {Metric::slots_used, "timectl_slots_used", gauge, "connections", "role", "Connections in use.",
     "overview: status"},
    {Metric::slots_limit, "timectl_slots_limit", gauge, "connections", "limit",
     "Most connections: in all, of regular peers, and those that only masternodes may have.",
     "overview: status"},
    {Metric::connections, "timectl_connections", gauge, "connections", "direction",
     "Connections by who opened them.", "overview: status"},
    {Metric::peers_known, "timectl_peers_known", gauge, "peers", "",
     "Peers that the node knows of.", "overview: peers"},
    {Metric::peers_connected, "timectl_peers_connected", gauge, "peers", "",
     "Those of them that are connected, whitelisted or not.", "overview: peers"},
    {Metric::banned_addresses, "timectl_banned_addresses", gauge, "addresses", "",
     "Addresses that are banned, by any origin.", "overview: peers"},
    {Metric::sync_height, "timectl_sync_height_blocks", gauge, "blocks", "",
     "Height of our verified chain.", "overview: chain"},
    {Metric::sync_best_height, "timectl_sync_best_height_blocks", gauge, "blocks", "",
     "Best height that is believed.", "overview: chain"},
    {Metric::sync_expected_height, "timectl_sync_expected_height_blocks", gauge, "blocks", "",
     "Height that the clock allows.", "overview: chain"},
    {Metric::sync_lag, "timectl_sync_lag_blocks", gauge, "blocks", "",
     "Blocks that our chain is behind what is believed.", "overview: chain"},
    {Metric::sync_lag_seconds, "timectl_sync_lag_seconds", gauge, "seconds", "",
     "The same in the blocks' time.", "overview: chain"},
    {Metric::sync_tip_time, "timectl_sync_tip_time_seconds", gauge, "seconds", "",
     "Time stamp of our newest block, in seconds since 1970.", "overview: chain"},
    {Metric::sync_activity, "timectl_sync_activity", gauge, "", "activity",
     "1 for what sync does now, 0 for the others.", "overview: chain"},
    {Metric::sync_spread, "timectl_sync_spread_blocks", gauge, "blocks", "",
     "Highest less lowest plausible height of the peers.", "overview: chain"},
    {Metric::sync_forks, "timectl_sync_forks", gauge, "forks", "", "Forks that are open.",
     "overview: chain"},
    {Metric::network_stalled, "timectl_sync_network_stalled", gauge, "bool", "",
     "1 while the network makes no blocks: we are where everybody is, and the clock is further.",
     "overview: chain"},
    {Metric::clock_offset, "timectl_clock_offset_seconds", gauge, "seconds", "",
     "Our clock less the median of the peers' clocks.", "overview: clock"},
    {Metric::alerts_firing, "timectl_alerts_firing", gauge, "alerts", "rule severity",
     "Alerts that fire, silenced and acknowledged ones, too.", "overview: alerts"},
    {Metric::alerts_pending, "timectl_alerts_pending", gauge, "alerts", "rule severity",
     "Alerts whose condition has not held for long enough, or that follow from another one.",
     "overview: alerts"},
    {Metric::alerts_silenced, "timectl_alerts_silenced", gauge, "alerts", "rule severity",
     "Alerts that fire in a silence.", "overview: alerts"},
    {Metric::alert_active, "timectl_alert_active", gauge, "", "rule severity object",
     "1 for each alert that fires outside a silence; the object is an address, a fork's height, a "
     "sink's name, or empty. At most 500, the gravest.",
     "overview: alerts"},
    {Metric::alerts_left_out, "timectl_alerts_left_out", gauge, "alerts", "",
     "Open alerts that are not in the figures above: there are too many.", "overview"},
    {Metric::peer_info, "timectl_peer_info", gauge, "", "peer label",
     "Always 1: a masternode's address and the label that the operator gave it.",
     "overview: masternodes"},
    {Metric::peer_up, "timectl_peer_up", gauge, "bool", "peer",
     "1 while the masternode is connected.", "overview: masternodes"},
    {Metric::peer_state, "timectl_peer_state", gauge, "", "peer state",
     "1 for the state that the masternode is in; the others are absent.", "overview: masternodes"},
    {Metric::peer_score, "timectl_peer_score", gauge, "0 to 100", "peer",
     "Health score of the masternode.", "overview: masternodes"},
    {Metric::peer_round_trip, "timectl_peer_round_trip_seconds", gauge, "seconds", "peer",
     "Round trip time of the session's pings.", "overview: masternodes"},
    {Metric::peer_loss, "timectl_peer_loss_ratio", gauge, "0 to 1", "peer",
     "Missed of sent pings of the session.", "overview: masternodes"},
    {Metric::peer_missed_pongs, "timectl_peer_missed_pongs", gauge, "pongs", "peer",
     "Pongs missed in a row.", "overview: masternodes"},
    {Metric::peer_height, "timectl_peer_height_blocks", gauge, "blocks", "peer",
     "Height that the masternode claims.", "overview: masternodes"},
    {Metric::peer_lag, "timectl_peer_lag_blocks", gauge, "blocks", "peer",
     "Blocks that its claim is below what is believed.", "overview: masternodes"},
    {Metric::peer_session_start, "timectl_peer_session_start_time_seconds", gauge, "seconds",
     "peer", "When the session with the masternode began, in seconds since 1970.",
     "overview: masternodes"},
    {Metric::peer_received, "timectl_peer_received_bytes_total", counter, "bytes", "peer",
     "Bytes received in the session, which begins at 0.", "overview: masternodes"},
    {Metric::peer_sent, "timectl_peer_sent_bytes_total", counter, "bytes", "peer",
     "Bytes sent in the session, which begins at 0.", "overview: masternodes"},
    {Metric::peers_left_out, "timectl_peers_left_out", gauge, "masternodes", "",
     "Masternodes that have no series of their own: metrics.max_peers. The worst have one.",
     "overview"},
    {Metric::events, "timectl_events_total", counter, "events", "kind",
     "Events by kind (`timectl events`), also those that the log leaves out.", "events"},
    {Metric::sessions_ended, "timectl_sessions_ended_total", counter, "sessions", "role reason",
     "Sessions that ended, by reason (`timectl explain --list`).", "session records"},
    {Metric::dial_failures, "timectl_dial_failures_total", counter, "dials", "role reason",
     "Dials that failed, by reason.", "events: dial_failed"},
    {Metric::received, "timectl_received_bytes_total", counter, "bytes", "role",
     "Bytes received in sessions that have ended.", "session records"},
    {Metric::sent, "timectl_sent_bytes_total", counter, "bytes", "role",
     "Bytes sent in sessions that have ended.", "session records"},
    {Metric::alert_notices, "timectl_alert_notices_total", counter, "notices", "rule notice",
     "What the alerts told: fired, repeated, flapping, resolved.", "alert notices"},
    {Metric::loop_late, "timectl_loop_late_seconds_total", counter, "seconds", "",
     "Seconds that the node's loop came late to its work.", "the node's upkeep"},
    {Metric::cpu, "process_cpu_seconds_total", counter, "seconds", "", "CPU time of the process.",
     "the kernel"},
    {Metric::resident_memory, "process_resident_memory_bytes", gauge, "bytes", "",
     "Resident memory of the process.", "the kernel"},
    {Metric::open_descriptors, "process_open_fds", gauge, "descriptors", "",
     "File descriptors that are open.", "the kernel"},
    {Metric::max_descriptors, "process_max_fds", gauge, "descriptors", "",
     "File descriptors that may be open.", "the kernel"},
});

}  // namespace

std::span<const MetricRow> metric_table() {
  return kMetrics;
}

const MetricRow& metric_row(Metric metric) {
  const auto& row = kMetrics.at(static_cast<std::size_t>(metric));
  TIMECTL_CHECK(row.metric == metric);
  return row;
}

std::string metric_table_markdown() {
  std::string out = "| name | type | unit | labels | meaning | from |\n|---|---|---|---|---|---|\n";
  for (const auto& row : kMetrics) {
    std::string labels;
    for (const char c : row.labels) labels += c == ' ' ? std::string("`, `") : std::string(1, c);
    out += "| `" + std::string(row.name) + "` | " + std::string(name_of(row.type)) + " | " +
           std::string(row.unit) + " | " + (labels.empty() ? "" : "`" + labels + "`") + " | " +
           std::string(row.help) + " | " + std::string(row.from) + " |\n";
  }
  return out;
}

}  // namespace timectl::observe
