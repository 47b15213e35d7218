// Node: what it does for whitelisted peers, as `timectl whitelist verify` asks, and the word that
// somebody who should be protected is not.
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {

std::optional<LiveProtection> Node::protection(const IpAddress& ip, Now now) const {
  const State& s = *state_;
  if (!s.started || s.stopping || s.options.mode == NodeMode::passive) return std::nullopt;
  LiveProtection live;
  const Connection* c = s.main_of(ip);
  live.connected = c != nullptr && c->stage == Stage::ready;
  if (!live.connected) {
    const auto check = check_slot(ip, now);
    live.slot_free = check.accept;
    live.slot_why = check.reason;
    return live;
  }
  const LivenessPolicy& limits = s.policy().liveness;
  const LivenessRules rules = s.rules_for(*c, now.mono);
  live.ping_interval = rules.ping_interval;
  live.missed_pongs = rules.missed_pongs;
  live.timeout = rules.timeout;
  live.never = rules.never;
  // Not by asking the whitelist again: the check that is planned was planned by the rules that
  // were applied, and a regular peer's comes later.
  LivenessRules pings_only;
  pings_only.ping_interval = limits.keepalive_interval;
  pings_only.never = true;
  const auto planned = s.checks.find(c->id);
  constexpr Duration kSlack = 1s;  // a check that was due is planned a moment after it
  live.watched_as_masternode =
      planned && *planned <= std::max(c->liveness->next_due(pings_only), now.mono) + kSlack;
  const auto holding = s.counts.of(ip);
  live.slot_as_masternode = holding && holding->trust == Trust::masternode;
  return live;
}

std::string Node::State::unprotected_because(const IpAddress& ip) const {
  if (!is_masternode(ip)) return "it is no longer whitelisted";
  if (is_blacklisted(ip)) return "network.blacklisted_peers holds it";
  const Ban* ban = banned(ip);
  return ban == nullptr ? "" : "it is banned " + ban_term(*ban);
}

// Each loss is said once, and its end. That somebody is protected from the start is `promoted`.
void Node::State::note_protection(const IpAddress& ip, Now now) {
  const auto it = peers.find(ip);
  if (it == peers.end()) return;
  const std::string because = unprotected_because(ip);
  const bool listed = is_masternode(ip);
  const auto state = because.empty() ? Shield::up : listed ? Shield::lost : Shield::none;
  const auto before = std::exchange(it->second.shield, state);
  const bool lost = state == Shield::lost ? before != Shield::lost
                                          : state == Shield::none && before == Shield::up;
  const bool regained = state == Shield::up && before == Shield::lost;
  if (!lost && !regained) return;
  Event e = event(lost ? EventKind::protection_lost : EventKind::protection_regained,
                  regained ? Severity::notice
                  : listed ? Severity::critical
                           : Severity::warning,
                  ip, now);
  e.whitelisted = true;  // it was until now: never left out as a stranger's doing
  e.detail = because;
  record(std::move(e));
}

void Node::State::note_all_protections(Now now) {
  for (const auto& [ip, entry] : whitelist.entries()) note_protection(ip, now);
}

void Node::State::note_immunity(BanImmunity before, Now now) {
  const BanImmunity after = policy().whitelist.ban_immunity;
  if (before == after) return;
  const bool lost = after == BanImmunity::timeouts;
  Event e;
  e.at = now.wall;
  e.kind = lost ? EventKind::protection_lost : EventKind::protection_regained;
  e.severity = lost ? Severity::warning : Severity::notice;
  e.detail = lost ? "whitelist.ban_immunity is \"timeouts\" now: bans hold for all of them"
                  : "whitelist.ban_immunity is \"all\" again: no ban holds for any of them";
  record(std::move(e));
}

}  // namespace timectl
