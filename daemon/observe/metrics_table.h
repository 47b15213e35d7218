#pragma once
// The table of metrics: one row for each name that /metrics may have. metrics.cc takes names, types
// and help texts from it, docs/metrics.md prints it, and tests hold the alerting rules and the
// dashboard of config/ against it. A name is never changed: somebody's rules use it.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <span>
#include <string_view>

namespace timectl::observe {

enum class Metric : std::uint8_t {
  build_info,
  start_time,
  verdict,
  masternodes_whitelisted,
  masternodes_connected,
  slots_used,
  slots_limit,
  connections,
  peers_known,
  peers_connected,
  banned_addresses,
  sync_height,
  sync_best_height,
  sync_expected_height,
  sync_lag,
  sync_lag_seconds,
  sync_tip_time,
  sync_activity,
  sync_spread,
  sync_forks,
  network_stalled,
  clock_offset,
  alerts_firing,
  alerts_pending,
  alerts_silenced,
  alert_active,
  alerts_left_out,
  peer_info,
  peer_up,
  peer_state,
  peer_score,
  peer_round_trip,
  peer_loss,
  peer_missed_pongs,
  peer_height,
  peer_lag,
  peer_session_start,
  peer_received,
  peer_sent,
  peers_left_out,
  events,
  sessions_ended,
  dial_failures,
  received,
  sent,
  alert_notices,
  loop_late,
  cpu,
  resident_memory,
  open_descriptors,
  max_descriptors,
};
BOOST_DESCRIBE_ENUM(Metric, build_info, start_time, verdict, masternodes_whitelisted,
                    masternodes_connected, slots_used, slots_limit, connections, peers_known,
                    peers_connected, banned_addresses, sync_height, sync_best_height,
                    sync_expected_height, sync_lag, sync_lag_seconds, sync_tip_time, sync_activity,
                    sync_spread, sync_forks, network_stalled, clock_offset, alerts_firing,
                    alerts_pending, alerts_silenced, alert_active, alerts_left_out, peer_info,
                    peer_up, peer_state, peer_score, peer_round_trip, peer_loss, peer_missed_pongs,
                    peer_height, peer_lag, peer_session_start, peer_received, peer_sent,
                    peers_left_out, events, sessions_ended, dial_failures, received, sent,
                    alert_notices, loop_late, cpu, resident_memory, open_descriptors,
                    max_descriptors)

enum class MetricType : std::uint8_t { gauge, counter };
BOOST_DESCRIBE_ENUM(MetricType, gauge, counter)

struct MetricRow {
  Metric metric;
  std::string_view name;
  MetricType type;
  std::string_view unit;
  std::string_view labels;  // separated by a space
  std::string_view help;    // one line without a backslash
  std::string_view from;    // the view or event that it is taken from
};
// In the order of Metric, which is that of the text.
[[nodiscard]] std::span<const MetricRow> metric_table();

}  // namespace timectl::observe
