// peer.* and slots.*. Without a node they answer from what is remembered: nothing is connected
// that anybody knew of, so what only a connection can tell is null.

#include <algorithm>
#include <map>
#include <set>

#include "daemon/core/reconnect.h"
#include "daemon/methods_table.h"
#include "store/peer_history.h"
#include "store/peers_table.h"

namespace timectl {
namespace {

constexpr Duration kStayAway = 10min;  // of a disconnect that says nothing

// Every peer that the database knows, without a node.
Result<std::map<IpAddress, PeerDetailView>> remembered(const Call& call) {
  const auto memories =
      store::load_peers(*call.services.database, call.services.config->policy.known_peers);
  if (!memories) return memories.error();
  std::map<IpAddress, PeerDetailView> views;
  for (const auto& memory : *memories) views[memory.ip] = view_of(memory, call.now.wall);
  for (const auto& [ip, entry] : call.services.whitelist->entries()) {
    auto& view = views[ip];
    view.ip = ip;
    view.label = entry.label;
    view.whitelisted = true;
  }
  return views;
}

Result<std::vector<PeerView>> known_peers(const Call& call) {
  if (call.services.node != nullptr) return call.services.node->peers(call.now);
  const auto views = remembered(call);
  if (!views) return views.error();
  std::vector<PeerView> peers;
  for (const auto& [ip, view] : *views) peers.push_back(view);
  std::ranges::stable_sort(peers, std::greater{}, &PeerView::whitelisted);
  return peers;
}

// Numbers before unknown, false before true, texts by byte.
int rank(const json::value& value) {
  if (value.is_null()) return 2;
  return value.is_number() || value.is_bool() ? 0 : 1;
}

bool less(const json::value& a, const json::value& b) {
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (a.is_number() && b.is_number()) return a.to_number<double>() < b.to_number<double>();
  if (a.is_bool() && b.is_bool()) return a.get_bool() < b.get_bool();
  if (a.is_string() && b.is_string()) return a.get_string() < b.get_string();
  return false;
}

control::HistoryRow row_of(const SessionRecord& record) {
  return {record.ip,         record.direction, record.started_at,   record.ended_at,
          record.end_reason, record.detail,    record.missed_pongs, record.rtt_ms_p50,
          record.rtt_ms_p95, record.bytes_in,  record.bytes_out};
}

// Sessions that have not ended, newest first.
std::vector<control::HistoryRow> open_sessions(const Call& call,
                                               const std::optional<IpAddress>& ip) {
  std::vector<control::HistoryRow> rows;
  if (call.services.node == nullptr) return rows;
  for (const auto& peer : call.services.node->peers(call.now)) {
    if (ip && peer.ip != *ip) continue;
    if (!peer.connected_at || !call.services.node->connected(peer.ip)) continue;
    control::HistoryRow row;
    row.ip = peer.ip;
    row.direction = peer.direction.value_or(Direction::out);
    row.started_at = *peer.connected_at;
    row.missed_pongs = peer.missed_pongs.value_or(0);
    row.bytes_in = peer.bytes_in.value_or(0);
    row.bytes_out = peer.bytes_out.value_or(0);
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, std::greater{}, &control::HistoryRow::started_at);
  return rows;
}

// Who is kept out need not be known otherwise.
void add_unknown(const Call& call, std::vector<PeerView>& peers) {
  std::set<IpAddress> banned;
  for (const auto& [ip, line] : call.services.whitelist->blacklist()) banned.insert(ip);
  for (const auto& ban : call.services.bans->all(call.now)) {
    if (covered_by(ban) == ban.ip.to_string()) banned.insert(ban.ip);
  }
  for (const auto& peer : peers) banned.erase(peer.ip);
  for (const auto& ip : banned) {
    PeerView view;
    view.ip = ip;
    peers.push_back(std::move(view));
  }
}

bool is_banned(const Call& call, const IpAddress& ip) {
  const auto& services = call.services;
  const auto standing =
      standing_of(services.whitelist->contains(ip), services.config->policy.whitelist.ban_immunity);
  return services.whitelist->blacklist().contains(ip) ||
         services.bans->in_force(ip, standing) != nullptr;
}

Result<void> refuse_passive(const Call& call) {
  if (call.services.facts.mode == NodeMode::active) return {};
  return Error{Code::passive_mode,
               "the node runs passive and opens no P2P connection",
               call.services.facts.passive_because,
               {"set node.listen to an address of its own, then timectl node restart"}};
}

}  // namespace

Result<void> check_sort_key(const std::string& key) {
  std::string keys;
  bool known = key.empty();
  PeerView example;
  for_each_member(example, [&](const char* name, auto&) {
    known = known || key == name;
    keys += (keys.empty() ? "" : ", ") + std::string(name);
  });
  if (known) return {};
  return Error{Code::invalid_argument, "peers cannot be sorted by " + printable(key, 64),
               "the keys are " + keys};
}

void sort_peer_rows(PeerRows& rows, const std::string& key) {
  if (key.empty()) return;
  std::ranges::stable_sort(rows, [&](const auto& a, const auto& b) {
    if (key == "ip") return a.first < b.first;
    return less(a.second.as_object().at(key), b.second.as_object().at(key));
  });
}

json::value values_of(PeerRows rows) {
  json::array out;
  for (auto& row : rows) out.push_back(std::move(row.second));
  return out;
}

PeerDetailView view_of(const PeerMemory& memory, WallTime now) {
  PeerDetailView view;
  view.ip = memory.ip;
  view.next_attempt_at = memory.next_attempt_at;
  view.attempts = dials_since_session(memory);
  view.last_end_reason = memory.last_reason;
  view.last_text = memory.last_text;
  view.last_heard_at = memory.last_heard_at;
  for (const auto at : memory.recent_attempts) {
    if (now - at <= 1min) ++view.ledger.last_minute;
    if (now - at <= 1h) ++view.ledger.last_hour;
  }
  view.state = memory.next_attempt_at && *memory.next_attempt_at > now ? PeerState::backoff
                                                                       : PeerState::idle;
  return view;
}

control::Reply peer_list(const Call& call) {
  const auto request = read_params<control::PeerListRequest>(call);
  if (!request) return {request.error()};
  const auto& services = call.services;
  if (auto ok = check_sort_key(request->sort); !ok) return {ok.error()};
  if (request->at) return past_peers(call, *request, *request->at);
  if ((request->registry || request->connected) && services.node == nullptr) {
    return {node_needed(request->registry ? "the registry" : "which peers are connected")};
  }
  if (request->registry) return {to_json(services.node->registry(call.now))};
  auto peers = known_peers(call);
  if (!peers) return {peers.error()};
  if (request->banned) add_unknown(call, *peers);
  PeerRows rows;
  for (const auto& peer : *peers) {
    if (request->banned && !is_banned(call, peer.ip)) continue;
    if (request->whitelisted && !peer.whitelisted) continue;
    if (request->connected && !services.node->connected(peer.ip)) continue;
    rows.emplace_back(peer.ip, to_json(peer));
  }
  sort_peer_rows(rows, request->sort);
  return {values_of(std::move(rows))};
}

control::Reply peer_show(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  if (call.services.node != nullptr) {
    const auto view = call.services.node->peer(*ip, call.now);
    if (!view) return {view.error()};
    return {to_json(*view)};
  }
  auto views = remembered(call);
  if (!views) return {views.error()};
  const auto found = views->find(*ip);
  if (found == views->end()) {
    return {Error{Code::unknown_peer,
                  "no peer " + ip->to_string() + " is known",
                  "it is not whitelisted and was never heard of",
                  {"timectl peer list"}}};
  }
  const auto last = store::last_session(*call.services.database, *ip);
  if (!last) return {last.error()};
  if (*last && !found->second.last_end_reason) {
    found->second.last_end_reason = (*last)->end_reason;
    found->second.last_text = (*last)->detail;
  }
  return {to_json(found->second)};
}

control::Reply peer_history(const Call& call) {
  const auto request = read_params<control::PeerHistoryRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxRows);
  if (!limit) return {limit.error()};
  store::SessionFilter filter;
  if (!request->peer.empty()) {
    const auto ip = resolve_peer(call, request->peer);
    if (!ip) return {ip.error()};
    filter.ip = *ip;
  }
  filter.since = request->since;
  filter.reason = request->reason;
  filter.limit = *limit;
  if (call.services.flush) call.services.flush();
  const auto ended = store::list_sessions(*call.services.database, filter);
  if (!ended) return {ended.error()};
  std::vector<control::HistoryRow> rows;
  if (!request->reason) rows = open_sessions(call, filter.ip);
  for (const auto& record : *ended) rows.push_back(row_of(record));
  if (rows.size() > *limit) rows.resize(*limit);
  return {to_json(rows)};
}

control::Reply peer_connect(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = refuse_passive(call); !ok) return {ok.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  if (call.services.node->connected(*ip)) {
    return {json::value(json::object{{"ip", to_json(*ip)}, {"result", "unchanged"}})};
  }
  if (auto ok = call.services.node->connect(*ip, call.now); !ok) return {ok.error()};
  if (call.services.pump) call.services.pump();
  return {json::value(json::object{{"ip", to_json(*ip)}, {"result", "dialing"}})};
}

control::Reply peer_disconnect(const Call& call) {
  const auto request = read_params<control::PeerDisconnectRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  const auto away = request->stay_away.value_or(kStayAway);
  const bool connected = call.services.node->connected(*ip);
  if (auto ok = call.services.node->disconnect(*ip, away, call.now); !ok) return {ok.error()};
  if (call.services.pump) call.services.pump();
  return {json::value(json::object{{"ip", to_json(*ip)},
                                   {"result", connected ? "disconnected" : "unchanged"},
                                   {"stay_away_seconds", to_json(away)}})};
}

control::Reply slots_show(const Call& call) {
  return {to_json(call.services.node->slots())};
}

// Without a node: as a node would answer that has just started.
control::Reply slots_check(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  if (call.services.node != nullptr) {
    return {to_json(call.services.node->check_slot(*ip, call.now))};
  }
  NodeOptions options;
  options.policy = call.services.config->policy;
  options.own_address = call.services.config->node.external_address;
  const Node empty(options, *call.services.whitelist, *call.services.bans);
  return {to_json(empty.check_slot(*ip, call.now))};
}

}  // namespace timectl
