// Node: how connections end, by whom, and the record of the session.
#include <utility>

#include "daemon/core/node_state.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

// Ends of our own choosing that say nothing bad about the peer, so that no evidence is due.
bool orderly(EndReason reason) {
  switch (reason) {
    case EndReason::shutdown:
    case EndReason::superseded:
    case EndReason::duplicate:
    case EndReason::closed_by_operator:
      return true;
    default:
      return false;
  }
}

// Ends that the transport decides for limits that were broken; the rest it only reports.
bool cut_by_transport(EndReason reason) {
  switch (reason) {
    case EndReason::frame_too_large:
    case EndReason::flood:
    case EndReason::slow:
    case EndReason::protocol_error:
    case EndReason::wrong_magic:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Node::State::close(Connection& c, EndReason reason, std::string detail, Now now) {
  if (c.stage == Stage::closing) return;
  if (c.was_ready() && is_masternode(c.ip) && !orderly(reason)) {
    Event e = event(EventKind::peer_cut, Severity::critical, c.ip, now);
    e.direction = c.direction;
    e.reason = reason;
    e.detail = detail;
    record(std::move(e));
  }
  c.stage = Stage::closing;
  c.hold_until.reset();
  c.close_reason = reason;
  c.close_detail = detail;
  checks.erase(c.id);
  commands.emplace_back(Close{c.id, reason, std::move(detail)});
  unlink(c, now);
}

void Node::State::close_link(const IpAddress& ip, EndReason reason, const std::string& detail,
                             Now now) {
  const auto it = links.find(ip);
  if (it == links.end()) return;
  const Link link = it->second;
  if (link.contender) close(connections.at(*link.contender), reason, detail, now);
  close(connections.at(link.main), reason, detail, now);
}

// Takes it out of its link; a contender becomes the main connection of the address.
void Node::State::unlink(const Connection& c, Now now) {
  const auto it = links.find(c.ip);
  if (it == links.end()) return;
  Link& link = it->second;
  if (link.contender == c.id) {
    link.contender.reset();
  } else if (link.main == c.id) {
    if (!link.contender) {
      links.erase(it);
      recount(c.ip);
      return;
    }
    link.main = *std::exchange(link.contender, std::nullopt);
    Connection& next = connections.at(link.main);
    next.hold_until.reset();
    recount(c.ip);
    if (next.stage == Stage::held) proceed(next, now);
  }
}

void Node::State::evict(std::uint64_t id, const IpAddress& for_whom, Now now) {
  Connection& c = connections.at(ConnectionId{id});
  Event e = event(EventKind::peer_evicted, Severity::notice, c.ip, now);
  e.detail = "makes room for masternode " + for_whom.to_string();
  const std::string detail = e.detail;
  record(std::move(e));
  close_link(c.ip, EndReason::evicted, detail, now);
}

// After the limits were lowered or a masternode was demoted: the newest go first, masternodes
// only when no regular peer is left.
void Node::State::enforce_slots(Now now) {
  for (;;) {
    const bool too_many = counts.total() > policy().slots.max_connections;
    if (!too_many && counts.regular() <= regular_slots(policy().slots)) return;
    const Connection* newest = nullptr;
    for (const auto& [ip, link] : links) {
      const Connection& c = connections.at(link.main);
      if (holding_of(ip)->attempt) continue;
      if (counts.regular() > 0 && is_masternode(ip)) continue;
      if (newest == nullptr || c.opened > newest->opened) newest = &c;
    }
    TIMECTL_CHECK(newest != nullptr);
    close_link(newest->ip, EndReason::evicted, "no slot is left for it", now);
  }
}

void Node::on_closed(ConnectionId connection, EndReason reason, const std::string& detail,
                     Now now) {
  State& s = *state_;
  s.awake(now);
  const auto it = s.connections.find(connection);
  if (it == s.connections.end()) return;
  // No command for a connection that is gone.
  std::erase_if(s.commands, [&](const Command& command) {
    return std::visit(
        [&](const auto& c) {
          if constexpr (requires { c.connection; }) return c.connection == connection;
          return false;
        },
        command);
  });
  s.checks.erase(connection);
  const bool ours = it->second.stage == Stage::closing;
  const EndReason why = ours ? it->second.close_reason : reason;
  std::string text = printable(ours ? it->second.close_detail : detail);
  if (why == EndReason::transport_dead && it->second.transport) {
    const auto& facts = *it->second.transport;
    const auto way = judge_death(facts, facts.segments_received - it->second.received_when_fine,
                                 it->second.user_timeout);
    text += (text.empty() ? "" : "; ") + std::string(meaning_of(way));
  }
  if (!ours) s.unlink(it->second, now);
  const Connection c = std::move(it->second);
  s.connections.erase(connection);
  if (!ours) s.judge_end(c, why, text, now);
  if (c.was_ready()) {
    if (!ours && cut_by_transport(why) && s.is_masternode(c.ip)) {
      Event e = s.event(EventKind::peer_cut, Severity::critical, c.ip, now);
      e.reason = why;
      e.detail = text;
      s.record(std::move(e));
    }
    s.session_over(c, why, text, now);
  } else if (c.direction == Direction::out && !orderly(why)) {
    const bool masternode = s.is_masternode(c.ip);
    Event e =
        s.event(EventKind::dial_failed, masternode ? Severity::warning : Severity::info, c.ip, now);
    e.direction = c.direction;
    e.reason = why;
    e.detail = text;
    s.record(std::move(e));
  } else if (c.direction == Direction::in && !orderly(why)) {
    (void)s.reject(why, text, c.ip, now);  // accepted, but its handshake failed
  }
  s.attempt_over(c, why, text, now);
  s.pump(now);
}

void Node::State::session_over(const Connection& c, EndReason reason, const std::string& detail,
                               Now now) {
  SessionRecord session;
  session.ip = c.ip;
  session.direction = c.direction;
  session.whitelisted = is_masternode(c.ip);
  session.started_at = c.ready_at;
  session.ended_at = now.wall;
  session.end_reason = reason;
  session.detail = detail;
  session.missed_pongs = c.liveness->missed_total();
  session.rtt_ms_p50 = c.liveness->rtt().quantile_ms(0.5);
  session.rtt_ms_p95 = c.liveness->rtt().quantile_ms(0.95);
  session.bytes_in = c.traffic.bytes_in;
  session.bytes_out = c.traffic.bytes_out;
  commands.emplace_back(RecordSession{std::move(session)});

  // Our own stop, and a newer connection in its place, are no loss.
  const bool loss = reason != EndReason::shutdown && reason != EndReason::superseded;
  if (loss) note(c.ip, ScoreEvidence::ended(now.wall, reason));
  const bool masternode = is_masternode(c.ip);
  Event e = event(EventKind::peer_disconnected,
                  masternode && loss ? Severity::critical : Severity::info, c.ip, now);
  e.direction = c.direction;
  e.reason = reason;
  e.detail = detail;
  const bool from_outside = reason == EndReason::closed_by_peer ||
                            reason == EndReason::transport_dead ||
                            reason == EndReason::unresponsive || reason == EndReason::no_route;
  if (masternode && from_outside) {
    observer.lost(c.ip, counts.ready_masternodes() + 1, policy().observer, now);
    note_health(now);
  }
  for (const auto& own : observer.present()) {
    if (!loss) break;
    e.detail += (e.detail.empty() ? "" : "; ") + std::string("this node itself: ") +
                std::string(name_of(own.ailment));
  }
  e.missed_pongs = c.liveness->missed_total();
  record(std::move(e));
  if (masternode || registry.contains(c.ip)) registry.heard(c.ip, now);
  const auto peer = peers.find(c.ip);
  if (peer != peers.end()) {
    const auto silent =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - c.liveness->last_heard());
    peer->second.last_heard_at = now.wall - silent;
    peer->second.path = c.path;
  }
  if (masternode) note_masternode_count(now, std::nullopt);
}

}  // namespace timectl
