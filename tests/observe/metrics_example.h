#pragma once
// An overview in which every metric has a series, for the tests of /metrics and its bench.

#include <chrono>
#include <string>

#include "daemon/observe/metrics.h"

namespace timectl::observe {

inline WallTime example_time(std::int64_t seconds_after = 0) {
  return WallTime(std::chrono::seconds(1'795'000'000 + seconds_after));  // 2026-11-18
}

inline control::MasternodeRow example_masternode(int number) {
  control::MasternodeRow row;
  row.ip = IpAddress::v4(10, 0, static_cast<std::uint8_t>(number / 256),
                         static_cast<std::uint8_t>(number % 256));
  row.label = "mn" + std::to_string(number);
  row.whitelisted = true;
  row.state = PeerState::connected;
  row.connected = true;
  row.direction = Direction::out;
  row.connected_at = example_time(-3600);
  row.rtt_ms = 12.5;
  row.loss = 0.25;
  row.missed_pongs = 1;
  row.height = 4800;
  row.score = 97.5;
  row.lag_blocks = 5;
  row.bytes_in = 1000;
  row.bytes_out = 2000;
  return row;
}

inline control::AlertRow example_alert(AlertRule rule, AlertState state,
                                       const std::string& object) {
  control::AlertRow row;
  row.rule = rule;
  row.severity = alert_rule_row(rule).severity;
  row.state = state;
  row.object = object;
  row.since = example_time();
  return row;
}

// Masternodes 10.0.0.1 and on, all connected.
inline control::OverviewReply example_overview(int masternodes) {
  control::OverviewReply view;
  view.at = example_time();
  view.version = "0.1.0";
  view.started_at = example_time(-86'400);
  auto& status = view.status;
  status.verdict = Verdict::degraded;
  status.network = "mainnet";
  status.node.running = true;
  status.node.mode = NodeMode::active;
  status.masternodes.whitelisted = static_cast<std::uint64_t>(masternodes);
  status.masternodes.connected = static_cast<std::uint64_t>(masternodes);
  status.slots = SlotsView{.total = 14,
                           .total_max = 125,
                           .regular = 12,
                           .regular_max = 75,
                           .masternode = 2,
                           .masternode_reserved = 50,
                           .inbound = 9,
                           .outbound = 5};
  auto& chain = view.chain;
  chain.height = 4795;
  chain.tip_at = example_time(-600);
  chain.best_height = 4805;
  chain.lag_blocks = 10;
  chain.lag_seconds = 6000;
  chain.expected_height = 4806;
  chain.activity = SyncActivity::syncing;
  chain.syncing = true;
  chain.spread_blocks = 5;
  chain.forks = 1;
  view.clock = {.peers = 5, .ahead_seconds = -0.5};
  view.peers = {.known = 40, .connected = 14, .banned = 3};
  for (int i = 1; i <= masternodes; ++i) view.masternodes.push_back(example_masternode(i));
  return view;
}

}  // namespace timectl::observe
