#include "daemon/observe/metrics.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/observe/metrics_library.h"
#include "daemon/observe/metrics_table.h"

namespace timectl::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using Labels = std::vector<ClientMetric::Label>;

// One family for each row of the table, in its order.
class Families {
 public:
  Families() {
    for (const auto& row : metric_table()) {
      MetricFamily family;
      family.name = row.name;
      family.help = row.help;
      family.type = row.type == MetricType::counter ? prometheus::MetricType::Counter
                                                    : prometheus::MetricType::Gauge;
      families_.push_back(std::move(family));
    }
  }

  void reserve(Metric metric, std::size_t count) { family(metric).metric.reserve(count); }

  void add(Metric metric, double value, Labels labels = {}) {
    ClientMetric series;
    series.label = std::move(labels);
    if (family(metric).type == prometheus::MetricType::Counter) {
      series.counter.value = value;
    } else {
      series.gauge.value = value;
    }
    family(metric).metric.push_back(std::move(series));
  }
  void add(Metric metric, std::uint64_t value, Labels labels = {}) {
    add(metric, static_cast<double>(value), std::move(labels));
  }
  void add(Metric metric, WallTime at, Labels labels = {}) {
    add(metric, seconds(Duration(at.time_since_epoch())), std::move(labels));
  }
  template <class T>
  void add(Metric metric, const std::optional<T>& value, Labels labels = {}) {
    if (value) add(metric, *value, std::move(labels));
  }

  // Those that have a series.
  [[nodiscard]] std::vector<MetricFamily> take() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return std::move(families_);
  }

 private:
  MetricFamily& family(Metric metric) { return families_.at(static_cast<std::size_t>(metric)); }
  std::vector<MetricFamily> families_;
};

template <class Word>
std::string word(Word value) {
  return std::string(name_of(value));
}

// Calls visit(value) for each word of an enum.
template <class Word, class Visit>
void each_word(Visit&& visit) {
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Word>>(
      [&](auto d) { visit(d.value); });
}

template <class Word>
void add_state_set(Families& out, Metric metric, const char* label, Word now) {
  each_word<Word>([&](Word value) {
    out.add(metric, value == now ? 1.0 : 0.0, {{label, word(value)}});
  });
}

void add_node(Families& out, const control::OverviewReply& view) {
  const auto& status = view.status;
  Labels build{{"version", printable(view.version, kMaxLabelBytes)},
               {"network", printable(status.network, kMaxLabelBytes)}};
  if (status.node.mode) build.push_back({"mode", word(*status.node.mode)});
  out.add(Metric::build_info, 1.0, std::move(build));
  out.add(Metric::start_time, view.started_at);
  add_state_set(out, Metric::verdict, "verdict", status.verdict);
  out.add(Metric::masternodes_whitelisted, status.masternodes.whitelisted);
  out.add(Metric::masternodes_connected, status.masternodes.connected);
  if (const auto& slots = status.slots) {
    out.add(Metric::slots_used, slots->masternode, {{"role", word(PeerRole::masternode)}});
    out.add(Metric::slots_used, slots->regular, {{"role", word(PeerRole::regular)}});
    out.add(Metric::slots_limit, slots->total_max, {{"limit", "total"}});
    out.add(Metric::slots_limit, slots->regular_max, {{"limit", "regular"}});
    out.add(Metric::slots_limit, slots->masternode_reserved, {{"limit", "reserved"}});
    out.add(Metric::connections, slots->inbound, {{"direction", word(Direction::in)}});
    out.add(Metric::connections, slots->outbound, {{"direction", word(Direction::out)}});
  }
  out.add(Metric::peers_known, view.peers.known);
  out.add(Metric::peers_connected, view.peers.connected);
  out.add(Metric::banned_addresses, view.peers.banned);
  out.add(Metric::clock_offset, view.clock.ahead_seconds);
}

void add_chain(Families& out, const SyncStatusView& chain) {
  out.add(Metric::sync_height, chain.height);
  out.add(Metric::sync_best_height, chain.best_height);
  // Without a chain nobody has asked the clock.
  if (chain.height) out.add(Metric::sync_expected_height, chain.expected_height);
  out.add(Metric::sync_lag, chain.lag_blocks);
  out.add(Metric::sync_lag_seconds, chain.lag_seconds);
  out.add(Metric::sync_tip_time, chain.tip_at);
  out.add(Metric::sync_spread, chain.spread_blocks);
  if (!chain.height) return;
  add_state_set(out, Metric::sync_activity, "activity", chain.activity);
  out.add(Metric::sync_forks, chain.forks);
  out.add(Metric::network_stalled, chain.network_stalled ? 1.0 : 0.0);
}

// Every rule has its series, so that a first alert is a change from 0 and not a new series.
void add_alerts(Families& out, const control::OverviewReply& view) {
  for (const auto& alert : view.alerts) {
    if (alert.state != AlertState::firing || alert.silenced_until) continue;
    out.add(Metric::alert_active, 1.0,
            {{"rule", word(alert.rule)},
             {"severity", word(alert.severity)},
             {"object", printable(alert.object, kMaxLabelBytes)}});
  }
  for (const auto& row : alert_rule_table()) {
    const Labels labels{{"rule", word(row.rule)}, {"severity", word(row.severity)}};
    const auto found =
        std::ranges::find(view.alerts_by_rule, row.rule, &control::AlertRuleCounts::rule);
    const auto count = found == view.alerts_by_rule.end() ? control::AlertRuleCounts{} : *found;
    out.add(Metric::alerts_firing, count.firing, labels);
    out.add(Metric::alerts_pending, count.pending, labels);
    out.add(Metric::alerts_silenced, count.silenced, labels);
  }
  out.add(Metric::alerts_left_out, view.alerts_left_out);
}

void add_masternode(Families& out, const control::MasternodeRow& row) {
  constexpr double kMillisecond = 1e-3;
  const std::string peer = row.ip.to_string();
  const Labels labels{{"peer", peer}};
  out.add(Metric::peer_info, 1.0,
          {{"peer", peer}, {"label", printable(row.label, kMaxLabelBytes)}});
  out.add(Metric::peer_up, row.connected ? 1.0 : 0.0, labels);
  out.add(Metric::peer_state, 1.0, {{"peer", peer}, {"state", word(row.state)}});
  out.add(Metric::peer_score, row.score, labels);
  if (row.rtt_ms) out.add(Metric::peer_round_trip, *row.rtt_ms * kMillisecond, labels);
  out.add(Metric::peer_loss, row.loss, labels);
  out.add(Metric::peer_missed_pongs, row.missed_pongs, labels);
  out.add(Metric::peer_height, row.height, labels);
  out.add(Metric::peer_lag, row.lag_blocks, labels);
  if (row.connected) out.add(Metric::peer_session_start, row.connected_at, labels);
  out.add(Metric::peer_received, row.bytes_in, labels);
  out.add(Metric::peer_sent, row.bytes_out, labels);
}

void add_masternodes(Families& out, const control::OverviewReply& view, std::uint64_t most) {
  const auto shown = std::min<std::uint64_t>(view.masternodes.size(), most);
  for (const auto& row : metric_table()) {
    if (row.name.starts_with("timectl_peer_")) out.reserve(row.metric, shown);
  }
  for (std::size_t i = 0; i < shown; ++i) add_masternode(out, view.masternodes[i]);
  out.add(Metric::peers_left_out, view.masternodes_left_out + view.masternodes.size() - shown);
}

void add_counters(Families& out, const Counters& counters) {
  each_word<EventKind>([&](EventKind kind) {
    out.add(Metric::events, counters.events()[kind], {{"kind", word(kind)}});
  });
  each_word<PeerRole>([&](PeerRole role) {
    each_word<EndReason>([&](EndReason reason) {
      const Labels labels{{"role", word(role)}, {"reason", word(reason)}};
      out.add(Metric::sessions_ended, counters.sessions_ended(role)[reason], labels);
      out.add(Metric::dial_failures, counters.dial_failures(role)[reason], labels);
    });
    out.add(Metric::received, counters.received()[role], {{"role", word(role)}});
    out.add(Metric::sent, counters.sent()[role], {{"role", word(role)}});
  });
  each_word<AlertRule>([&](AlertRule rule) {
    each_word<NoticeKind>([&](NoticeKind notice) {
      out.add(Metric::alert_notices, counters.notices(rule)[notice],
              {{"rule", word(rule)}, {"notice", word(notice)}});
    });
  });
  out.add(Metric::loop_late, seconds(counters.late()));
}

void add_process(Families& out, const ProcessFigures& process) {
  out.add(Metric::cpu, process.cpu_seconds);
  out.add(Metric::resident_memory, process.resident_bytes);
  out.add(Metric::open_descriptors, process.descriptors);
  out.add(Metric::max_descriptors, process.descriptors_limit);
}

}  // namespace

Result<void> load_metrics() {
  const auto text = prometheus_text({});
  if (!text) return text.error();
  return {};
}

Result<std::string> metrics_text(const MetricsInput& input) {
  Families families;
  add_node(families, input.overview);
  add_chain(families, input.overview.chain);
  add_alerts(families, input.overview);
  add_masternodes(families, input.overview, input.max_peers);
  add_counters(families, input.counters);
  add_process(families, input.process);
  return prometheus_text(families.take());
}

}  // namespace timectl::observe
