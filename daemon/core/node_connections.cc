// Node: the life of connections, from the first packet to the last pong.
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {
Connection& Node::State::add(ConnectionId id, const IpAddress& ip, Direction direction, Stage stage,
                             Now now) {
  Connection& c = connections[id];
  c.id = id;
  c.ip = ip;
  c.direction = direction;
  c.stage = stage;
  c.opened = now.mono;
  return c;
}

void Node::State::record_inbound(const Connection& c, Now now) {
  Event e = event(EventKind::inbound_accepted, Severity::info, c.ip, now);
  e.direction = Direction::in;
  e.total = counts.total();
  e.inbound = counts.inbound();
  e.masternodes = counts.total() - counts.regular();
  record(std::move(e));
}

Admission Node::State::reject(EndReason reason, std::string detail, const IpAddress& ip, Now now) {
  // Strangers decide how often this happens; the record of it is not theirs to fill.
  if (is_masternode(ip) || rejection_events.take({10, 1min}, now.mono)) {
    Event e = event(EventKind::inbound_rejected, Severity::notice, ip, now);
    e.direction = Direction::in;
    e.reason = reason;
    e.detail = detail;
    record(std::move(e));
  }
  return {Admit::reject, reason, std::move(detail)};
}

Admission Node::on_inbound(ConnectionId connection, const IpAddress& remote, const IpAddress& local,
                           Now now) {
  State& s = *state_;
  if (!s.started || s.stopping) return {Admit::reject, EndReason::shutdown, "the node is stopping"};
  if (s.options.mode == NodeMode::passive) {
    return {Admit::reject, EndReason::refused, "the node runs passive"};
  }
  s.awake(now);
  if (s.is_blacklisted(remote)) {
    return s.reject(EndReason::banned, "network.blacklisted_peers holds it", remote, now);
  }
  if (const Ban* ban = s.banned(remote)) {
    return s.reject(EndReason::banned, ban_term(*ban), remote, now);
  }
  const Connection* main = s.main_of(remote);
  if (main != nullptr && main->direction == Direction::out &&
      (remote == local || s.is_own(remote))) {
    // Our own dial has come back to us: the address is ours.
    s.close_link(remote, EndReason::self_connection, "our own dial reached us", now);
    return s.reject(EndReason::self_connection, "the address is our own", remote, now);
  }
  const auto peer = s.peers.find(remote);
  if (peer != s.peers.end() && peer->second.reconnect.held_by_operator(now.mono)) {
    return s.reject(EndReason::closed_by_operator, "an operator closed it for a while", remote,
                    now);
  }
  const bool limited =
      !s.is_masternode(remote) || s.policy().whitelist.ban_immunity != BanImmunity::all;
  if (limited) {
    const SlotPolicy& slots = s.policy().slots;
    const bool own_rate = s.ip_rates.available(remote, {slots.per_ip_per_minute, 1min}, now.mono);
    if (!own_rate) s.judge_knock(remote, now);  // not for the neighbours that used up the /24's
    const bool free =
        own_rate &&
        s.subnet_rates.available(remote.subnet(), {slots.per_subnet_per_minute, 1min}, now.mono);
    if (!free)
      return s.reject(EndReason::refused, "too many new connections a minute", remote, now);
  }
  Admission admission = main != nullptr ? s.second_connection(connection, remote, local, now)
                                        : s.accept(connection, remote, limited, now);
  s.pump(now);
  return admission;
}

Admission Node::State::accept(ConnectionId id, const IpAddress& remote, bool limits_apply,
                              Now now) {
  const auto decision = place(remote, Direction::in, std::nullopt, limits_apply, now);
  if (decision.answer == AdmissionAnswer::reject) {
    return reject(EndReason::refused, decision.why, remote, now);
  }
  if (decision.evict) evict(*decision.evict, remote, now);
  if (limits_apply) {
    const SlotPolicy& slots = policy().slots;
    (void)ip_rates.take(remote, {slots.per_ip_per_minute, 1min}, now.mono);
    (void)subnet_rates.take(remote.subnet(), {slots.per_subnet_per_minute, 1min}, now.mono);
  }
  Connection& c = add(id, remote, Direction::in, Stage::tls, now);
  links[remote].main = id;
  recount(remote);
  masternode_due.erase(remote);
  regular_due.erase(remote);
  record_inbound(c, now);
  return {Admit::accept, EndReason::refused, {}};
}

// S4: one connection per peer, and the address of a peer that was power-cycled is not locked.
Admission Node::State::second_connection(ConnectionId id, const IpAddress& remote,
                                         const IpAddress& local, Now now) {
  Link& link = links.at(remote);
  if (link.contender) {
    return reject(EndReason::duplicate, "a second connection is being judged already", remote, now);
  }
  Connection& main = connections.at(link.main);
  if (main.stage == Stage::ready) {
    // One probe in each span: whoever shares the peer's address (NAT) could otherwise have us ping
    // it until it answers no more (SendGuard: 6 pongs in 10 s), and take its place.
    const Duration span = policy().liveness.duplicate_probe_timeout;
    const bool probed = main.probed_at && now.mono - *main.probed_at < span;
    if (probed && main.liveness->last_heard() > *main.probed_at) {
      return reject(EndReason::duplicate, "the first connection is alive", remote, now);
    }
    if (!probed) {
      main.probed_at = now.mono;
      ping(main, false, now.mono);
    }
    Connection& held = add(id, remote, Direction::in, Stage::held, now);
    held.hold_until = *main.probed_at + span;
    link.contender = id;
    checks.set(id, *held.hold_until);
    return {Admit::hold, EndReason::duplicate, {}};
  }
  if (main.direction == Direction::in) {
    return reject(EndReason::duplicate, "its first connection is in its handshake", remote, now);
  }
  // Simultaneous open: both ends keep what the numerically higher address dialled.
  if (remote > options.own_address.value_or(local)) {
    const auto decision = place(remote, Direction::in, main.id, false, now);
    if (decision.answer == AdmissionAnswer::reject) {
      return reject(EndReason::refused, decision.why, remote, now);
    }
    close(main, EndReason::superseded, "the peer has the higher address and dialled too", now);
    return accept(id, remote, false, now);
  }
  if (main.stage != Stage::connecting) {
    return reject(EndReason::duplicate, "our own dial to it is further", remote, now);
  }
  add(id, remote, Direction::in, Stage::held, now);
  link.contender = id;
  return {Admit::hold, EndReason::duplicate, {}};
}

void Node::State::proceed(Connection& c, Now now) {
  const bool is_main = links.at(c.ip).main == c.id;
  if (is_main) {  // what it waited for is gone; that may have held no slot
    const auto decision = place(c.ip, Direction::in, c.id, false, now);
    if (decision.answer == AdmissionAnswer::reject) {
      close(c, EndReason::refused, decision.why, now);
      return;
    }
    if (decision.evict) evict(*decision.evict, c.ip, now);
  }
  c.stage = Stage::tls;
  checks.erase(c.id);
  commands.emplace_back(Proceed{c.id});
  record_inbound(c, now);
}

void Node::on_dial_progress(ConnectionId connection, DialStage stage, const IpAddress& local,
                            Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || c->direction != Direction::out) return;
  s.outside_heard(now);
  if (c->stage != Stage::connecting && c->stage != Stage::tls) return;
  if (local == c->ip) {  // connected to ourselves, which the route shows before any byte does
    s.close_link(c->ip, EndReason::self_connection, "the dial ends at our own address", now);
    return;
  }
  c->stage = stage == DialStage::tcp_connected ? Stage::tls : Stage::handshaking;
  const auto contender = s.links.at(c->ip).contender;
  if (contender) {
    s.close(*s.find(*contender), EndReason::duplicate, "our own dial has connected", now);
  }
}

void Node::on_ready(ConnectionId connection, const PeerHello& hello, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || c->stage == Stage::closing) return;
  if (c->stage == Stage::ready) {  // an acceptor's own Handshake follows its Ack (protocol 5.1)
    if (hello.commit_count) c->commit_count = hello.commit_count;
    return;
  }
  const IpAddress ip = c->ip;
  const auto decision = s.place(ip, c->direction, connection, false, now);
  Link& link = s.links.at(ip);
  if (c->direction == Direction::out) {
    if (decision.answer == AdmissionAnswer::reject) {
      s.close(*c, EndReason::evicted, decision.why, now);
      return;
    }
    if (decision.evict) s.evict(*decision.evict, ip, now);
  }
  if (link.main != connection) {
    const Connection& first = s.connections.at(link.main);
    // It was only slow. A power-cycled peer's old session never speaks again; somebody who shares
    // the peer's address would otherwise take its place whenever its path stalls for 3 s.
    if (first.probed_at && first.liveness && first.liveness->last_heard() > *first.probed_at) {
      s.close(*c, EndReason::duplicate, "the first connection is alive", now);
      return;
    }
    const ConnectionId old = std::exchange(link.main, connection);
    link.contender.reset();
    s.close(*s.find(old), EndReason::superseded, "silent when the peer connected anew", now);
  } else if (link.contender) {
    const ConnectionId other = *link.contender;
    s.close(*s.find(other), EndReason::duplicate, "the first connection is up", now);
  }
  c->stage = Stage::ready;
  s.recount(ip);
  s.outside_heard(now);
  c->ready_at = now.wall;
  c->commit_count = hello.commit_count;
  c->liveness.emplace(now.mono);
  c->user_timeout = s.policy().liveness.tcp_user_timeout;
  s.masternode_due.erase(ip);
  s.regular_due.erase(ip);
  if (Peer* peer = s.ensure_peer(ip)) {
    peer->reconnect.connected();
    peer->last_connected_at = peer->last_heard_at = now.wall;
    if (c->direction == Direction::in) peer->last_dialed_us_at = now.wall;
    c->path = peer->path;
    c->path.session_began();
    c->said_lossy = c->path.lossy();
    peer->candidate = peer->candidate || s.plausible(ip);
  }
  s.remember(ip, now);
  Event e = s.event(EventKind::peer_connected, Severity::info, ip, now);
  e.direction = c->direction;
  const bool masternode = e.whitelisted;
  s.record(std::move(e));
  if (masternode || s.registry.contains(ip)) s.registry.heard(ip, now);
  if (masternode) s.note_masternode_count(now, ip);
  for (const Question q : {Question::genesis_hash, Question::peers, Question::masternodes}) {
    s.commands.emplace_back(Ask{connection, q});
  }
  s.check(*c, now);  // the first ping, which gives the first round trip
  s.pump(now);
}

void Node::State::heard(Connection& c, Now now) {
  const Duration silent = now.mono - c.liveness->last_heard();
  if (silent > policy().liveness.keepalive_interval && !observer.sick()) {
    // Up to a third more than an interval is what a ping and its round trip look like.
    const Duration interval = rules_for(c, now.mono).ping_interval;
    if (silent > interval + interval / 3) c.path.silence(silent, now.mono);
  }
  c.silence = Silence::none;
  c.liveness->heard(now.mono);
  outside_heard(now);
  if (std::exchange(c.said_suspect, false)) {
    recount(c.ip);
    record(event(EventKind::peer_recovered, Severity::info, c.ip, now));
  }
  const auto link = links.find(c.ip);
  if (link == links.end() || link->second.main != c.id || !link->second.contender) return;
  Connection& contender = connections.at(*link->second.contender);
  if (contender.stage == Stage::held && contender.hold_until) {
    close(contender, EndReason::duplicate, "the first connection is alive", now);
  }
}

void Node::on_traffic(ConnectionId connection, const Traffic& traffic, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr) return;
  c->path.flowed(traffic.bytes_in + traffic.bytes_out, now.mono);
  c->traffic.bytes_in += traffic.bytes_in;
  c->traffic.bytes_out += traffic.bytes_out;
  c->traffic.unknown_frames += traffic.unknown_frames;
  c->traffic.undecodable_frames += traffic.undecodable_frames;
  if (c->stage == Stage::ready && traffic.bytes_in > 0) s.heard(*c, now);
  s.judge_frames(*c, now);
}

void Node::on_pong(ConnectionId connection, std::uint64_t nonce,
                   std::optional<std::uint64_t> height, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || c->stage != Stage::ready) return;
  s.heard(*c, now);
  if (height) c->height = height;
  const bool known = c->liveness->pong(nonce, now.mono).has_value();
  s.judge_pong(*c, known, now);
  if (!known) return;
  if (std::exchange(c->said_degraded, false)) {
    s.record(s.event(EventKind::peer_recovered, Severity::info, c->ip, now));
  }
}

void Node::on_height(ConnectionId connection, std::uint64_t height, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || c->stage != Stage::ready) return;
  c->height = height;
  s.heard(*c, now);
}

void Node::on_wrong_genesis(ConnectionId connection, const std::string& detail, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || c->stage == Stage::closing) return;
  s.close_link(c->ip, EndReason::wrong_genesis, printable(detail), now);
}

}  // namespace timectl
