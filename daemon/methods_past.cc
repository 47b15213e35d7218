// `--at TIME` of peer list and status: what the sessions of that moment and the sample whose step
// holds it say. Read beside the node's thread; what neither of them knows stays null.

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "daemon/control/past_api.h"
#include "daemon/core/peer_words.h"
#include "daemon/methods_table.h"
#include "store/samples.h"

namespace timectl {
namespace {

using control::PastPeerRow;
using control::PastSource;

constexpr std::size_t kMaxDown = 10;  // as of a StatusReply

// All that a job may need of the node's thread.
struct Present {
  std::map<IpAddress, std::string> labels = {};
  std::string network = {};
  std::uint64_t in_sync_blocks = 0;
};

Present present(const Call& call) {
  const auto& config = *call.services.config;
  Present out{{}, std::string(name_of(config.network.name)), config.sync.in_sync_blocks};
  for (const auto& [ip, entry] : call.services.whitelist->entries()) {
    if (!entry.label.empty()) out.labels.emplace(ip, entry.label);
  }
  return out;
}

// The steps that hold this moment.
store::SampleFilter steps_at(WallTime at, SampleStep step) {
  store::SampleFilter filter;
  filter.since = at;
  filter.until = at + std::chrono::milliseconds(1);
  filter.step = step;
  return filter;
}

constexpr SampleStep kFinestFirst[] = {SampleStep::five_minutes, SampleStep::hour, SampleStep::day};

// What lies before or after `at`, nearest first, for the sentence that says why there is nothing.
Result<std::optional<NodeSample>> neighbour(store::Database& database, WallTime at, bool before) {
  std::optional<NodeSample> nearest;
  for (const auto step : kFinestFirst) {
    store::SampleFilter filter;
    filter.step = step;
    (before ? filter.until : filter.since) = at;
    if (before) filter.limit = 1;  // the newest of them
    const auto rows = store::list_node_samples(database, filter);
    if (!rows) return rows.error();
    // An hour or a day around a hole begins before it.
    const auto first =
        std::ranges::find_if(*rows, [&](const NodeSample& row) { return before || row.at > at; });
    if (first == rows->end()) continue;
    const auto& row = before ? rows->back() : *first;
    if (!nearest || (before ? row.at > nearest->at : row.at < nearest->at)) nearest = row;
  }
  return nearest;
}

Error nothing_at(store::Database& database, WallTime at) {
  const auto before = neighbour(database, at, true);
  if (!before) return before.error();
  const auto after = neighbour(database, at, false);
  if (!after) return after.error();
  Error error{Code::not_found, "nothing is recorded of " + utc_text(at)};
  if (!*before && !*after) {
    error.because = "there is no history yet: a node writes it while it runs";
    error.remedy = {"timectl node start"};
  } else if (!*before) {
    error.because = "the history begins at " + utc_text((*after)->at);
    error.remedy = {"timectl status --at " + rfc3339((*after)->at)};
  } else {
    error.because = "no node ran then: the last look before it was after " +
                    utc_text((*before)->at) +
                    (*after ? ", the next one after " + utc_text((*after)->at) : "");
    error.remedy = {"timectl status --at " + rfc3339((*before)->at)};
  }
  return error;
}

struct Moment {
  PastSource source = {};
  NodeSample node = {};
  std::map<IpAddress, PeerSample> peers = {};
  std::map<IpAddress, SessionRecord> sessions = {};  // open then
};

Result<Moment> moment_at(store::Database& database, WallTime at) {
  const auto step = store::step_kept_at(database, at);
  if (!step) return step.error();
  const auto nodes = store::list_node_samples(database, steps_at(at, *step));
  if (!nodes) return nodes.error();
  if (nodes->empty()) return nothing_at(database, at);
  const auto& node = nodes->back();
  Moment moment{{at, node.at, seconds(length_of(*step)), node.seconds}, node};
  auto peers = store::list_peer_samples(database, steps_at(at, *step));
  if (!peers) return peers.error();
  for (auto& peer : *peers) moment.peers.insert_or_assign(peer.ip, peer);
  auto sessions = store::sessions_at(database, at);
  if (!sessions) return sessions.error();
  for (auto& session : *sessions) moment.sessions.insert_or_assign(session.ip, session);
  return moment;
}

PastPeerRow row_of(const IpAddress& ip, const Moment& moment, const Present& now) {
  PastPeerRow row{.ip = ip};
  row.past = moment.source;
  if (const auto label = now.labels.find(ip); label != now.labels.end()) row.label = label->second;
  if (const auto sample = moment.peers.find(ip); sample != moment.peers.end()) {
    const auto& seen = sample->second;
    row.whitelisted = seen.whitelisted_seconds > 0;
    if (!is_connected(seen.state)) row.state = seen.state;
    row.rtt_ms = seen.rtt_ms_mean;
    if (seen.pings > 0) {
      row.loss = static_cast<double>(seen.missed_pongs) / static_cast<double>(seen.pings);
    }
    row.height = seen.height;
    row.score = seen.score;
  }
  if (const auto session = moment.sessions.find(ip); session != moment.sessions.end()) {
    const bool poorly = moment.peers.contains(ip) && is_connected(moment.peers.at(ip).state);
    row.state = poorly ? moment.peers.at(ip).state : PeerState::connected;
    row.direction = session->second.direction;
    row.connected_at = session->second.started_at;
    row.whitelisted = row.whitelisted || session->second.whitelisted;
  }
  return row;
}

// Whitelisted first, then by address.
std::vector<PastPeerRow> rows_of(const Moment& moment, const Present& now) {
  std::set<IpAddress> ips;
  for (const auto& [ip, sample] : moment.peers) ips.insert(ip);
  for (const auto& [ip, session] : moment.sessions) ips.insert(ip);
  std::vector<PastPeerRow> rows;
  for (const auto& ip : ips) rows.push_back(row_of(ip, moment, now));
  std::ranges::stable_sort(rows, std::greater{}, &PastPeerRow::whitelisted);
  return rows;
}

PeerView view_of_down(const PastPeerRow& row) {
  PeerView view{.ip = row.ip, .label = row.label};
  view.state = row.state.value_or(PeerState::idle);
  view.whitelisted = true;
  view.height = row.height;
  view.score = row.score;
  return view;
}

void judge_masternodes(control::PastStatusReply& reply, const Moment& moment, const Present& now) {
  std::uint64_t connected = 0;
  for (const auto& row : rows_of(moment, now)) {
    if (!row.whitelisted) continue;
    if (row.connected_at) {
      ++connected;
    } else if (reply.masternodes.down.size() < kMaxDown) {
      reply.masternodes.down.push_back(view_of_down(row));
    }
  }
  const auto total = std::max(moment.node.whitelisted, connected);
  reply.masternodes.whitelisted = total;
  reply.masternodes.connected = connected;
  if (total == 0) {
    reply.verdict = Verdict::degraded;
    reply.summary = "the whitelist was empty";
  } else {
    reply.verdict = connected == total ? Verdict::ok
                    : connected == 0   ? Verdict::critical
                                       : Verdict::degraded;
    reply.summary = std::to_string(connected) + " of " + std::to_string(total) +
                    " whitelisted masternodes " + (total == 1 ? "was" : "were") + " connected";
  }
}

void judge_chain(control::PastStatusReply& reply, const NodeSample& node, const Present& now) {
  reply.sync.height = node.height;
  reply.sync.best_height = node.best_height;
  if (!node.height) return;
  if (!node.best_height) {
    reply.sync.ground = "no best height was believed then";
    return;
  }
  const auto lag = *node.best_height - std::min(*node.best_height, *node.height);
  reply.sync.lag_blocks = lag;
  if (lag <= now.in_sync_blocks) {
    reply.sync.verdict = control::SyncVerdict::in_sync;
    return;
  }
  reply.sync.verdict = control::SyncVerdict::behind;
  reply.summary += "; " + std::to_string(lag) + " blocks behind";
  if (reply.verdict == Verdict::ok) reply.verdict = Verdict::degraded;
}

control::PastStatusReply status_of(const Moment& moment, const Present& now) {
  control::PastStatusReply reply;
  reply.past = moment.source;
  reply.network = now.network;
  reply.node.running = true;  // it looked
  judge_masternodes(reply, moment, now);
  judge_chain(reply, moment.node, now);
  if (moment.node.own_outage_seconds > 0) {
    const Duration sick(static_cast<Duration::rep>(moment.node.own_outage_seconds * 1e6));
    reply.alerts.push_back(
        {Severity::warning,
         "This node itself was in trouble for " + human_duration(sick) + " of the " +
             human_duration(
                 Duration(static_cast<Duration::rep>(moment.source.sample_seconds * 1e6))) +
             " from " + utc_text(moment.source.sample_at),
         {}});
    if (reply.verdict == Verdict::ok) reply.verdict = Verdict::degraded;
  }
  reply.next_command = "timectl peer list --at " + rfc3339(moment.source.as_of);
  return reply;
}

}  // namespace

Result<void> refuse_future(const Call& call, WallTime at) {
  if (at <= call.now.wall) return {};
  return Error{Code::invalid_argument,
               utc_text(at) + " has not come yet",
               "only the past is recorded; it is " + utc_text(call.now.wall) + " now",
               {"timectl status"}};
}

control::Reply past_peers(const Call& call, const control::PeerListRequest& request, WallTime at) {
  if (auto ok = refuse_future(call, at); !ok) return {ok.error()};
  if (request.registry || request.banned) {
    return {Error{Code::invalid_argument,
                  std::string("the ") + (request.registry ? "registry" : "bans") +
                      " of the past are not kept",
                  "--at knows connections and samples",
                  {"timectl peer list --at " + rfc3339(at)}}};
  }
  if (call.services.flush) call.services.flush();
  return beside(call,
                [at, request, now = std::make_shared<Present>(present(call))](
                    store::Database& database, const std::stop_token&) -> Result<json::value> {
                  const auto moment = moment_at(database, at);
                  if (!moment) return moment.error();
                  PeerRows rows;
                  for (const auto& row : rows_of(*moment, *now)) {
                    if (request.whitelisted && !row.whitelisted) continue;
                    if (request.connected && !row.connected_at) continue;
                    rows.emplace_back(row.ip, to_json(row));
                  }
                  sort_peer_rows(rows, request.sort);
                  return values_of(std::move(rows));
                });
}

control::Reply past_status(const Call& call, WallTime at) {
  if (auto ok = refuse_future(call, at); !ok) return {ok.error()};
  if (call.services.flush) call.services.flush();
  return beside(call,
                [at, now = std::make_shared<Present>(present(call))](
                    store::Database& database, const std::stop_token&) -> Result<json::value> {
                  const auto moment = moment_at(database, at);
                  if (!moment) return moment.error();
                  return to_json(status_of(*moment, *now));
                });
}

}  // namespace timectl
