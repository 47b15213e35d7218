// Node: what it shows, and what a test may ask it to prove about itself.
#include <algorithm>
#include <set>

#include "daemon/core/node_state.h"

namespace timectl {
namespace {

constexpr std::size_t kDownShown = 10;

PeerState state_of(const Connection& c) {
  switch (c.stage) {
    case Stage::connecting:
      return PeerState::connecting;
    case Stage::held:
    case Stage::tls:
      return PeerState::tls;
    case Stage::handshaking:
      return PeerState::handshaking;
    case Stage::closing:
      return PeerState::closing;
    case Stage::ready:
      break;
  }
  if (c.said_suspect) return PeerState::suspect;
  return c.said_degraded || c.said_lossy ? PeerState::degraded : PeerState::connected;
}

PeerState state_of(const Peer& peer, Instant now) {
  const Reconnect& reconnect = peer.reconnect;
  if (reconnect.parked()) return PeerState::parked;
  if (reconnect.waits_passively(now)) return PeerState::waiting_passive;
  if (reconnect.next() && reconnect.ladder() == Ladder::rejected) return PeerState::refused;
  return reconnect.next() ? PeerState::backoff : PeerState::idle;
}

PathView path_of(const Connection& c, const LivenessRules& rules, Instant now) {
  PathView view;
  view.rtt_deviation_ms = c.liveness->rtt().deviation_ms();
  view.retransmitted = c.path.retransmitted();
  view.usual_silence_seconds = seconds(c.path.usual_silence(now));
  view.bytes_per_second = c.path.bytes_per_second(now);
  view.timeout_seconds = rules.never ? 0 : seconds(rules.timeout);
  view.missed_pongs_limit = rules.never ? 0 : rules.missed_pongs;
  view.user_timeout_seconds = seconds(rules.user_timeout);
  view.silence = meaning_of(c.silence);
  return view;
}

}  // namespace

SlotsView Node::slots() const {
  const State& s = *state_;
  SlotsView view;
  view.total_max = s.policy().slots.max_connections;
  view.regular_max = regular_slots(s.policy().slots);
  view.masternode_reserved = s.policy().slots.reserved_masternode_slots;
  view.total = s.counts.total();
  view.regular = s.counts.regular();
  view.masternode = view.total - view.regular;
  view.inbound = s.counts.inbound();
  view.outbound = view.total - view.inbound;
  return view;
}

std::string Node::kept_away_because(const IpAddress& ip, Now now) const {
  const State& s = *state_;
  if (s.is_blacklisted(ip)) return "it is blacklisted: " + s.whitelist.blacklist().at(ip);
  if (const Ban* ban = s.banned(ip)) return "it is banned " + ban_term(*ban);
  if (s.is_own(ip)) return "it is our own address";
  if (ip.is_unspecified() || ip.is_multicast()) return "it is no address of a host";
  const auto peer = s.peers.find(ip);
  if (peer == s.peers.end() || !peer->second.reconnect.held_by_operator(now.mono)) return "";
  const auto until = *peer->second.reconnect.next() - now.mono;
  return "an operator keeps it away for another " + human_duration(until);
}

SlotCheckView Node::check_slot(const IpAddress& ip, Now now) const {
  const State& s = *state_;
  SlotCheckView view;
  view.ip = ip;
  view.reason = kept_away_because(ip, now);
  if (!view.reason.empty()) return view;
  if (s.options.mode == NodeMode::passive) {
    view.reason = "the node runs passive and accepts nobody";
  } else if (s.ready(ip)) {
    view.reason = "it is connected already: a second connection would be a duplicate";
  } else {
    const bool limited =
        !s.is_masternode(ip) || s.policy().whitelist.ban_immunity != BanImmunity::all;
    const auto decision = s.place(ip, Direction::in, std::nullopt, limited, now);
    view.accept = decision.answer != AdmissionAnswer::reject;
    view.reason = view.accept
                      ? (s.is_masternode(ip) ? "a masternode has a slot" : "a regular slot is free")
                      : decision.why;
    if (decision.evict) view.would_evict = s.connections.at(ConnectionId{*decision.evict}).ip;
  }
  return view;
}

namespace {

template <class State>
PeerView view_of(const State& s, const IpAddress& ip, Now now) {
  PeerView view;
  view.ip = ip;
  const WhitelistEntry* entry = s.whitelist.find(ip);
  view.whitelisted = entry != nullptr;
  if (entry != nullptr) view.label = entry->label;
  const auto peer = s.peers.find(ip);
  if (peer != s.peers.end()) view.state = state_of(peer->second, now.mono);
  const bool due = s.masternode_due.find(ip).has_value() || s.regular_due.find(ip).has_value();
  if (view.state == PeerState::idle && due) view.state = PeerState::backoff;
  if (s.scores.contains(ip)) view.score = s.score_of(ip, now);
  const Connection* c = s.main_of(ip);
  if (c == nullptr) return view;
  view.direction = c->direction;
  view.state = state_of(*c);
  view.height = c->height;
  view.bytes_in = c->traffic.bytes_in;
  view.bytes_out = c->traffic.bytes_out;
  if (c->commit_count) view.commit_count = *c->commit_count;
  if (!c->was_ready()) return view;
  view.connected_at = c->ready_at;
  view.rtt_ms = c->liveness->rtt().mean_ms();
  view.missed_pongs = c->liveness->missed();
  if (c->liveness->sent() > 0) {
    view.loss =
        static_cast<double>(c->liveness->missed_total()) / static_cast<double>(c->liveness->sent());
  }
  return view;
}

}  // namespace

std::vector<PeerView> Node::peers(Now now) const {
  const State& s = *state_;
  std::vector<PeerView> views;
  for (const auto& [ip, entry] : s.whitelist.entries()) views.push_back(view_of(s, ip, now));
  std::set<IpAddress> others;  // with a connection or a ladder; idle candidates are not shown
  for (const auto& [ip, link] : s.links) others.insert(ip);
  for (const auto& [ip, peer] : s.peers) {
    if (peer.reconnect.last_reason()) others.insert(ip);
  }
  for (const auto& ip : others) {
    if (!s.is_masternode(ip)) views.push_back(view_of(s, ip, now));
  }
  return views;
}

Result<PeerDetailView> Node::peer(const IpAddress& ip, Now now) const {
  const State& s = *state_;
  const auto it = s.peers.find(ip);
  const Connection* c = s.main_of(ip);
  if (it == s.peers.end() && c == nullptr && !s.is_masternode(ip)) {
    return Error{Code::unknown_peer, "no peer has the address " + ip.to_string()};
  }
  PeerDetailView view;
  static_cast<PeerView&>(view) = view_of(s, ip, now);
  if (c != nullptr) {
    view.unknown_frames = c->traffic.unknown_frames;
    view.undecodable_frames = c->traffic.undecodable_frames;
    view.clock_seconds = c->clock_seconds;
    if (c->was_ready()) view.path = path_of(*c, s.rules_for(*c, now.mono), now.mono);
  }
  if (it == s.peers.end()) return view;
  const Peer& peer = it->second;
  const Reconnect& reconnect = peer.reconnect;
  view.attempts = reconnect.dials();
  view.ledger = {reconnect.attempts_within(1min, now.mono),
                 reconnect.attempts_within(1h, now.mono)};
  view.last_end_reason = reconnect.last_reason();
  view.last_text = peer.last_text;
  view.last_heard_at = peer.last_heard_at;
  if (c != nullptr && c->was_ready()) {
    view.last_heard_at = now.wall - std::chrono::duration_cast<std::chrono::milliseconds>(
                                        now.mono - c->liveness->last_heard());
  }
  if (c != nullptr) return view;
  auto at = s.masternode_due.find(ip);
  if (!at) at = s.regular_due.find(ip);
  if (!at && s.is_masternode(ip) && !reconnect.parked() && s.dialable(ip)) at = s.next_pass;
  if (at) {
    view.next_attempt_at =
        now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(*at - now.mono);
  }
  view.next_attempt_reason = kept_away_because(ip, now);
  if (!view.next_attempt_reason.empty()) return view;
  const Instant allowed = reconnect.ledger_allows(s.policy().reconnect, now.mono);
  const bool full = at && allowed > now.mono && allowed >= *at;
  view.next_attempt_reason = full ? std::string(ledger_is_full) : reconnect.why(now.mono);
  return view;
}

std::vector<RegistryView> Node::registry(Now now) const {
  const State& s = *state_;
  return s.registry.view(
      s.policy().liveness, [&](const IpAddress& ip) { return s.ready(ip); }, now);
}

MasternodesView Node::masternodes(Now now) const {
  const State& s = *state_;
  MasternodesView view;
  for (const auto& [ip, entry] : s.whitelist.entries()) {
    if (s.is_own(ip)) continue;  // the API's list has us, too
    ++view.whitelisted;
    if (s.ready(ip)) {
      ++view.connected;
    } else if (view.down.size() < kDownShown) {
      view.down.push_back(view_of(s, ip, now));
    }
  }
  return view;
}

std::vector<IpAddress> Node::masternodes_down() const {
  const State& s = *state_;
  std::vector<IpAddress> down;
  for (const auto& [ip, entry] : s.whitelist.entries()) {
    if (!s.is_own(ip) && !s.ready(ip)) down.push_back(ip);
  }
  return down;
}

bool Node::connected(const IpAddress& ip) const {
  return state_->ready(ip);
}

void Node::check_invariants() const {
  const State& s = *state_;
  const SlotsView use = slots();
  TIMECTL_CHECK(use.total <= use.total_max);
  TIMECTL_CHECK(use.regular <= use.regular_max);
  SlotCounts anew;
  for (const auto& [ip, link] : s.links) anew.set(ip, s.holding_of(ip));
  TIMECTL_CHECK(anew == s.counts);
  std::set<ConnectionId> linked;
  for (const auto& [ip, link] : s.links) {
    // By name: clang 14 captures no structured binding by [&].
    const auto in_link = [&, peer = ip](ConnectionId id) {
      const auto it = s.connections.find(id);
      TIMECTL_CHECK(it != s.connections.end());
      TIMECTL_CHECK(it->second.ip == peer && it->second.stage != Stage::closing);
      TIMECTL_CHECK(linked.insert(id).second);
      return it->second;
    };
    TIMECTL_CHECK(in_link(link.main).stage != Stage::held);
    if (link.contender) TIMECTL_CHECK(in_link(*link.contender).stage != Stage::ready);
    TIMECTL_CHECK(!s.masternode_due.find(ip) || !s.regular_due.find(ip));
  }
  for (const auto& [id, c] : s.connections) {
    TIMECTL_CHECK((c.stage == Stage::closing) != linked.contains(id));
    TIMECTL_CHECK(c.stage != Stage::ready || s.checks.find(id).has_value());
  }
  for (const auto& command : s.commands) {
    std::visit(
        [&](const auto& v) {
          if constexpr (requires { v.connection; }) {
            TIMECTL_CHECK(s.connections.contains(v.connection));
          }
        },
        command);
  }
  TIMECTL_CHECK(s.peers.size() <= s.policy().known_peers + s.policy().whitelist.max_entries);
  if (s.options.mode == NodeMode::passive) TIMECTL_CHECK(s.connections.empty());
}

}  // namespace timectl
