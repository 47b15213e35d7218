// Node: what changes from outside while it runs: the whitelist, the numbers, the operator's word.
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {

void Node::on_whitelist_changed(const IpAddress& ip, Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping) return;
  const bool masternode = s.is_masternode(ip);
  s.recount(ip);
  const auto known = s.peers.find(ip);
  Peer* peer = masternode ? s.ensure_peer(ip) : known != s.peers.end() ? &known->second : nullptr;
  if (peer == nullptr) return;
  const bool was = std::exchange(peer->announced_as_masternode, masternode);
  if (masternode != was) {
    const auto kind = masternode ? EventKind::promoted : EventKind::demoted;
    s.record(s.event(kind, Severity::notice, ip, now));
  }
  s.note_protection(ip, now);
  s.enforce_ban(ip, now);  // a stored ban holds again once nothing exempts the address
  const Connection* main = s.main_of(ip);
  if (main != nullptr && main->stage == Stage::ready) {
    Connection& c = s.connections.at(main->id);
    s.set_check(c, now.mono);  // another ping interval from now on
    if (masternode) {
      s.registry.heard(ip, now);
      s.note_masternode_count(now, ip);
    } else {
      const auto decision = s.place(ip, c.direction, c.id, false, now);
      if (decision.answer == AdmissionAnswer::reject) {
        s.close_link(ip, EndReason::evicted, "no longer whitelisted, and " + decision.why, now);
      }
    }
  } else if (main != nullptr && !masternode && main->direction == Direction::out) {
    s.close_link(ip, EndReason::closed_by_operator, "no longer whitelisted", now);
  }
  if (masternode) {
    // Only a new masternode: another source or label must not skip the gap of its ladder.
    if (!was) s.dial_soon(ip, now.mono);
  } else {
    peer->candidate = s.plausible(ip);
    s.queue(ip, now.mono);
    s.note_masternode_count(now, std::nullopt);
    s.enforce_slots(now);
  }
  s.pump(now);
}

void Node::on_blacklist_changed(Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping) return;
  for (const auto& [ip, where] : s.whitelist.blacklist()) {
    s.close_link(ip, EndReason::banned, "network.blacklisted_peers holds it", now);
  }
  s.note_all_protections(now);
  s.pump(now);
}

void Node::on_policy_changed(const Policy& policy, Now now) {
  State& s = *state_;
  s.awake(now);
  const BanImmunity immunity = s.policy().whitelist.ban_immunity;
  s.options.policy = policy;
  if (!s.started || s.stopping) return;
  for (auto& [ip, peer] : s.peers) {
    if (!peer.reconnect.parked() || s.is_own(ip)) continue;
    peer.reconnect.release();  // parked "until the config changes"
    if (s.is_masternode(ip))
      s.dial_soon(ip, now.mono);
    else
      s.queue(ip, now.mono);
    s.remember(ip, now);
  }
  for (auto& [id, c] : s.connections) {
    if (c.stage != Stage::ready) continue;
    // The shell has just set the policy's own: at once what holds for this path.
    c.user_timeout = s.rules_for(c, now.mono).user_timeout;
    s.commands.emplace_back(SetUserTimeout{id, c.user_timeout});
    s.set_check(c, now.mono);
  }
  s.next_pass = std::min(s.next_pass, now.mono + policy.reconnect.pass_interval);
  s.note_immunity(immunity, now);
  s.note_all_protections(now);
  s.enforce_bans(now);  // whitelist.ban_immunity may be another
  s.enforce_slots(now);
  s.pump(now);
}

Result<void> Node::connect(const IpAddress& ip, Now now) {
  State& s = *state_;
  s.awake(now);
  const std::string name = ip.to_string();
  if (s.options.mode == NodeMode::passive) {
    return Error{Code::passive_mode, "the node runs passive and dials nobody"};
  }
  if (s.is_own(ip)) return Error{Code::invalid_argument, name + " is our own address"};
  if (s.is_blacklisted(ip)) {
    return Error{Code::blacklisted, name + " is blacklisted", s.whitelist.blacklist().at(ip)};
  }
  if (const Ban* ban = s.banned(ip)) {
    return Error{Code::banned, name + " is banned", ban_term(*ban), {"timectl ban remove " + name}};
  }
  if (!s.dialable(ip)) return Error{Code::invalid_argument, name + " cannot be dialled"};
  if (s.links.contains(ip)) return {};  // connected, or an attempt is under way
  Peer* peer = s.ensure_peer(ip);
  if (peer == nullptr) return Error{Code::busy, "the table of known peers is full"};
  const ReconnectPolicy& limits = s.policy().reconnect;
  const Instant allowed = peer->reconnect.ledger_allows(limits, now.mono);
  if (allowed > now.mono) {
    return Error{Code::busy, name + " was dialled as often as its node tolerates",
                 "the next attempt is possible in " + human_duration(allowed - now.mono)};
  }
  const auto decision = s.place(ip, Direction::out, std::nullopt, false, now);
  if (decision.answer == AdmissionAnswer::reject) return Error{Code::busy, decision.why};
  peer->candidate = true;
  peer->reconnect.release();
  s.dial(ip, *peer, now);
  return {};
}

Result<void> Node::disconnect(const IpAddress& ip, Duration stay_away, Now now) {
  State& s = *state_;
  s.awake(now);
  const auto it = s.peers.find(ip);
  if (it == s.peers.end() && !s.links.contains(ip)) {
    return Error{Code::unknown_peer, ip.to_string() + " is not a known peer"};
  }
  Peer* peer = s.ensure_peer(ip);
  if (peer != nullptr && stay_away > Duration::zero()) {
    peer->reconnect.stay_away_until(now.mono + stay_away);
  }
  s.close_link(ip, EndReason::closed_by_operator, "an operator closed it", now);
  s.remember(ip, now);
  s.queue(ip, now.mono);
  s.pump(now);
  return {};
}

}  // namespace timectl
