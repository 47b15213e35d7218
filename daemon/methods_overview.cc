// overview and overview.history: what the page, `timectl top` and /metrics show. Put together from
// the answers of the other methods' own functions; the history from the samples, beside the loop.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "daemon/alert_keeper.h"
#include "daemon/control/overview_api.h"
#include "daemon/methods_table.h"
#include "store/samples.h"

namespace timectl {
namespace {

constexpr std::size_t kMostStrips = 500;
constexpr std::uint64_t kMostPoints = 288;
constexpr double kLevelClock = 0.5;  // seconds: half of what their frames can tell apart

// The less, the more it needs a look: not connected, in doubt, well.
int trouble(const PeerView& peer) {
  if (!is_connected(peer.state)) return 0;
  return peer.state == PeerState::connected ? 2 : 1;
}

// The whitelisted ones without ourselves, the worst first; at most `most` of them.
std::vector<const PeerView*> worst_masternodes(const Call& call, const std::vector<PeerView>& peers,
                                               std::size_t most) {
  std::vector<const PeerView*> out;
  for (const auto& peer : peers) {
    if (peer.whitelisted && peer.ip != call.services.facts.own_address) out.push_back(&peer);
  }
  const auto shown = static_cast<std::ptrdiff_t>(std::min(out.size(), most));
  std::ranges::partial_sort(out, out.begin() + shown, {}, [](const PeerView* peer) {
    return std::tuple(trouble(*peer), peer->score.value_or(0), peer->ip);
  });
  out.resize(static_cast<std::size_t>(shown));
  return out;
}

// The moment of a loss is what its alert says, which all show; the last thing heard of it may be a
// minute older. An alert that is open still while the masternode came and went again is older.
std::optional<WallTime> down_since(const Call& call, const PeerView& peer,
                                   std::optional<WallTime> heard) {
  std::optional<WallTime> since = heard;
  if (auto* keeper = call.services.alerts) {
    const auto* alert = keeper->alerts().find(AlertRule::masternode_down, peer.ip.to_string());
    if (alert != nullptr && alert->state != AlertState::resolved) {
      since = std::max(since.value_or(alert->since), alert->since);
    }
  }
  const auto* entry = since ? nullptr : call.services.whitelist->find(peer.ip);
  return entry == nullptr ? since : entry->strongest().added_at;
}

control::MasternodeRow row_of(const Call& call, const PeerView& peer, const SyncStatusView& chain) {
  control::MasternodeRow row;
  static_cast<PeerView&>(row) = peer;
  row.connected = is_connected(peer.state);
  row.tone = tone_of(peer.state);
  if (peer.height && chain.best_height) {
    row.lag_blocks = *chain.best_height - std::min(*chain.best_height, *peer.height);
  }
  const auto detail = call.services.node->peer(peer.ip, call.now);
  if (!detail) return row;
  // Whole seconds: what is computed from two clocks must not look like a change.
  const auto whole = [](const std::optional<WallTime>& at) {
    return at ? std::optional<WallTime>(std::chrono::round<std::chrono::seconds>(*at)) : at;
  };
  row.next_attempt_at = whole(detail->next_attempt_at);
  row.next_attempt_reason = detail->next_attempt_reason;
  row.last_heard_at = whole(detail->last_heard_at);
  if (row.connected) return row;
  row.down_since = whole(down_since(call, peer, detail->last_heard_at));
  row.attempts = detail->attempts;
  row.last_end_reason = detail->last_end_reason;
  return row;
}

// Steps of equal length since 1970, so that a point stays the same while time goes on.
struct Steps {
  WallTime first = {};
  Duration length = {};
  std::size_t count = 0;
};

Steps steps_of(const control::OverviewHistoryRequest& request, WallTime now) {
  // No step is shorter than what is kept of its time (store::SampleRetention).
  const auto shortest = request.since <= 48h        ? length_of(SampleStep::five_minutes)
                        : request.since <= 24h * 60 ? length_of(SampleStep::hour)
                                                    : length_of(SampleStep::day);
  const auto asked = request.since / static_cast<Duration::rep>(request.points);
  const Duration length = std::max(shortest, (asked + shortest - 1us) / shortest * shortest);
  Steps steps{.length = length,
              .count = static_cast<std::size_t>((request.since + length - 1us) / length)};
  const auto wall_length = std::chrono::duration_cast<WallTime::duration>(length);
  const auto since_epoch = now.time_since_epoch();
  const WallTime end{(since_epoch / wall_length + 1) * wall_length};
  steps.first = end - wall_length * static_cast<WallTime::rep>(steps.count);
  return steps;
}

control::NodePoint point_of(WallTime at, const std::optional<NodeSample>& sample) {
  control::NodePoint point{.at = at};
  if (!sample) return point;
  point.whitelisted = sample->whitelisted;
  point.connected_mean = sample->connected_mean;
  point.connected_min = sample->connected_min;
  point.height = sample->height;
  point.best_height = sample->best_height;
  point.lag_max = sample->lag_max;
  point.own_outage_seconds = sample->own_outage_seconds;
  return point;
}

Result<json::value> history_of(store::Database& database, const Steps& steps,
                               const std::vector<IpAddress>& ips, const std::stop_token& stop) {
  control::OverviewHistory out{.since = steps.first, .step_seconds = seconds(steps.length)};
  std::map<IpAddress, control::MasternodeStrip> strips;
  for (const auto& ip : ips) {
    auto& strip = strips[ip];
    strip.ip = ip;
    strip.connected.resize(steps.count);
    strip.score.resize(steps.count);
  }
  const auto length = std::chrono::duration_cast<WallTime::duration>(steps.length);
  for (std::size_t i = 0; i < steps.count && !stop.stop_requested(); ++i) {
    const WallTime from = steps.first + length * static_cast<WallTime::rep>(i);
    const auto node = store::sum_node_samples(database, from, from + length);
    if (!node) return node.error();
    out.node.push_back(point_of(from, *node));
    if (!*node) continue;  // nobody looked at any peer
    const auto peers = store::sum_peer_samples(database, from, from + length);
    if (!peers) return peers.error();
    for (const auto& sample : *peers) {
      const auto strip = strips.find(sample.ip);
      if (strip == strips.end() || sample.seconds <= 0) continue;
      strip->second.connected[i] = std::min(1.0, sample.connected_seconds / sample.seconds);
      strip->second.score[i] = sample.score;
    }
  }
  for (auto& [ip, strip] : strips) out.masternodes.push_back(std::move(strip));
  return to_json(out);
}

Result<void> check(const control::OverviewHistoryRequest& request) {
  if (request.since < 1h || request.since > 24h * 3653) {
    return Error{Code::invalid_argument, "`since` must be an hour to ten years"};
  }
  if (request.points >= 1 && request.points <= kMostPoints) return {};
  return Error{Code::invalid_argument, "`points` must be 1 to " + std::to_string(kMostPoints)};
}

}  // namespace

Result<control::OverviewReply> overview_now(const Call& call, std::size_t limit) {
  const auto& services = call.services;
  if (services.node == nullptr) return node_needed("overview");
  control::OverviewReply reply;
  reply.at = call.now.wall;
  reply.version = TIMECTL_VERSION;
  const auto up =
      std::chrono::duration_cast<WallTime::duration>(call.now.mono - services.facts.started);
  reply.started_at = std::chrono::round<std::chrono::seconds>(call.now.wall - up);
  reply.status = status_now(call);
  reply.sync_sentence = control::sync_sentence(reply.status.sync);
  if (auto chain = sync_view(call)) reply.chain = std::move(*chain);
  reply.clock = services.node->clock();
  if (const auto& ahead = reply.clock.ahead_seconds) {
    reply.clock_level = std::abs(*ahead) < kLevelClock;
  }
  const auto peers = services.node->peers(call.now);
  reply.peers.known = peers.size();
  reply.peers.connected = static_cast<std::uint64_t>(
      std::ranges::count_if(peers, [](const auto& peer) { return is_connected(peer.state); }));
  reply.peers.banned = services.bans->all(call.now).size() + services.whitelist->blacklist().size();
  for (const auto* peer : worst_masternodes(call, peers, limit)) {
    reply.masternodes.push_back(row_of(call, *peer, reply.chain));
  }
  reply.masternodes_left_out =
      reply.status.masternodes.whitelisted -
      std::min<std::uint64_t>(reply.status.masternodes.whitelisted, reply.masternodes.size());
  auto alerts = open_alerts(call, limit);
  if (!alerts) return alerts.error();
  reply.alerts = std::move(alerts->rows);
  reply.alerts_left_out = alerts->left_out;
  reply.alert_counts = alerts->counts;
  reply.alerts_by_rule = std::move(alerts->by_rule);
  return reply;
}

control::Reply overview(const Call& call) {
  const auto request = read_params<control::OverviewRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxRows);
  if (!limit) return {limit.error()};
  const auto reply = overview_now(call, *limit);
  if (!reply) return {reply.error()};
  return {to_json(*reply)};
}

control::Reply overview_history(const Call& call) {
  const auto request = read_params<control::OverviewHistoryRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = check(*request); !ok) return {ok.error()};
  std::vector<IpAddress> ips;
  if (call.services.node != nullptr) {
    const auto peers = call.services.node->peers(call.now);
    for (const auto* peer : worst_masternodes(call, peers, kMostStrips)) ips.push_back(peer->ip);
  } else {
    for (const auto& [ip, entry] : call.services.whitelist->entries()) {
      if (ips.size() < kMostStrips) ips.push_back(ip);
    }
  }
  return beside(call, [steps = steps_of(*request, call.now.wall), ips = std::move(ips)](
                          store::Database& database, const std::stop_token& stop) {
    return history_of(database, steps, ips, stop);
  });
}

}  // namespace timectl
