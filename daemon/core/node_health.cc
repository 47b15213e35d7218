// Node: is it us? What the Observer is told, and what follows from its answers.
#include <algorithm>
#include <utility>

#include "daemon/core/node_state.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

// A masternode that an outage took was heard so shortly before it was noticed.
constexpr Duration kSilentBefore = 2min;

Duration stretched(Duration d, double factor) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * factor));
}

}  // namespace

// Every fact comes with the time. One that comes long after work was due shows that this process
// was not running, and nobody's silence meanwhile counts against him.
void Node::State::awake(Now now) {
  if (!started || stopping) return;
  // The shell's loop begins when it begins: what came before it is no standstill.
  if (!std::exchange(awake_once, true)) last_fact = now.mono;
  // Since the last fact at most: those that had piled up come one by one, before the timer.
  const Instant since = std::max(next_due(), std::exchange(last_fact, now.mono));
  if (since >= now.mono || now.mono - since < policy().observer.late_timer) return;
  const Duration late = now.mono - since;
  observer.late(late, policy().observer, now);
  for (auto& [id, c] : connections) {
    if (c.hold_until) {
      *c.hold_until += late;
      checks.set(id, *c.hold_until);
    }
    if (!c.liveness) continue;
    c.liveness->forgive(late, now.mono);
    if (c.stage == Stage::ready) set_check(c, now.mono);
  }
  note_health(now);
}

void Node::State::note_health(Now now) {
  for (auto& change : observer.changes()) {
    const bool uplink = change.ailment == Ailment::uplink_down;
    Event e;
    e.at = now.wall;
    e.kind = change.began ? EventKind::observer_sick : EventKind::observer_well;
    e.severity = change.began ? ailment_row(change.ailment).severity : Severity::notice;
    e.detail = std::string(name_of(change.ailment)) + ": " + change.detail;
    record(std::move(e));
    if (!uplink || change.began) continue;
    // What failed meanwhile says nothing of those peers: they are tried again, but for the rows of
    // the table that protect us from their bans. Who was down before it stays on its ladder.
    for (const auto& [ip, entry] : whitelist.entries()) {
      const auto peer = peers.find(ip);
      if (peer == peers.end() || links.contains(ip)) continue;
      const auto last = peer->second.last_heard_at;
      if (!last || *last < change.since - kSilentBefore) continue;
      peer->second.reconnect.forgive(now.mono);
      dial_soon(ip, now.mono);
    }
  }
}

void Node::State::outside_heard(Now now) {
  observer.heard(now);
  note_health(now);
}

void Node::State::note_silence(Now now) {
  observer.silence(counts.silent_masternodes(), counts.ready_masternodes(),
                   policy().liveness.keepalive_interval, policy().observer, now);
  note_health(now);
}

// L6: the defaults, stretched by what is known of the path and of ourselves; never below them.
LivenessRules Node::State::rules_for(const Connection& c, Instant now) const {
  const LivenessPolicy& limits = policy().liveness;
  const WhitelistEntry* entry = whitelist.find(c.ip);
  const auto profile =
      entry != nullptr ? entry->liveness.value_or(policy().whitelist.liveness) : LivenessProfile{};
  LivenessRules rules = liveness_rules(limits, entry != nullptr, profile);
  const double own = observer.stretches(policy().observer, now) ? policy().observer.stretch : 1.0;
  const auto patience = [&](Duration timeout) {
    return std::max(own, c.path.patience(timeout, limits.patience_limit, now));
  };
  rules.timeout = stretched(rules.timeout, patience(rules.timeout));
  rules.user_timeout = stretched(rules.user_timeout, patience(rules.user_timeout));
  return rules;
}

void Node::on_transport(ConnectionId connection, const TransportFacts& facts, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || !c->liveness) return;
  c->transport = facts;
  c->path.transport(facts);
  // Of a dead socket the kernel has forgotten what was unacknowledged: that is no all clear.
  if (facts.unacknowledged == 0 && facts.retransmits_in_a_row == 0) {
    c->received_when_fine = facts.segments_received;
  }
  c->silence =
      judge_silence(facts, facts.segments_received - c->received_when_fine,
                    now.mono - c->liveness->last_heard(), s.rules_for(*c, now.mono).ping_interval);
}

std::vector<AilmentView> Node::ailments() const {
  std::vector<AilmentView> views;
  for (const auto& present : state_->observer.present()) {
    views.push_back({present.ailment, present.since, present.detail});
  }
  return views;
}

}  // namespace timectl
