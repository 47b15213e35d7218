// Node: whom it dials and when. Reconnect has the table, this has the order and the budget.
#include <algorithm>
#include <tuple>
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {
namespace {

// Taken from one message; the network's own lists have at most 64 entries (protocol 7.2).
constexpr std::size_t kLearnedAtOnce = 64;
// Looked at for the next regular dial, the earliest due first: enough for a choice.
constexpr std::size_t kCandidates = 64;

}  // namespace

bool Node::State::dialable(const IpAddress& ip) const {
  return started && !stopping && options.mode == NodeMode::active && !is_own(ip) &&
         !is_blacklisted(ip) && banned(ip) == nullptr && !ip.is_unspecified() &&
         !ip.is_multicast() && !probing.contains(ip);
}

// What others tell us is dialled only where it can be a node of this network: public addresses,
// or our own kind of private ones in a private network. IPv6 is dialled by those who have it.
bool Node::State::plausible(const IpAddress& ip) const {
  if (is_own(ip) || is_blacklisted(ip) || ip.is_unspecified() || ip.is_multicast()) return false;
  if (!options.own_address) return ip.is_public() && ip.is_v4();
  const IpAddress& own = *options.own_address;
  if (ip.is_v4() != own.is_v4()) return false;
  if (own.is_loopback()) return ip.is_loopback();
  return ip.is_public() || (own.is_private() && ip.is_private());
}

TargetFacts Node::State::facts_of(const IpAddress& ip, Now now) const {
  TargetFacts facts;
  const WhitelistEntry* entry = whitelist.find(ip);
  facts.masternode = entry != nullptr;
  if (entry == nullptr || !options.own_address) {
    facts.trusts_us = entry != nullptr && entry->trusts_us;
    return facts;
  }
  facts.trusts_us = entry->trusts_us || whitelist.listed_ourselves();
  const auto peer = peers.find(ip);
  if (peer != peers.end() && peer->second.last_dialed_us_at && ip > *options.own_address) {
    facts.wait_passively =
        now.wall - *peer->second.last_dialed_us_at <= policy().reconnect.dialed_us_within;
  }
  return facts;
}

void Node::State::attempt_over(const Connection& c, EndReason reason, const std::string& detail,
                               Now now) {
  if (stopping || links.contains(c.ip)) return;
  const bool masternode = is_masternode(c.ip);
  if (c.direction == Direction::in && !c.was_ready()) {
    // Its dial failed, which says nothing of ours: go on where we were.
    queue(c.ip, now.mono);
    const auto peer = peers.find(c.ip);
    if (masternode && dialable(c.ip) && peer != peers.end() && !masternode_due.find(c.ip) &&
        !peer->second.reconnect.parked() && !peer->second.reconnect.exhausted()) {
      masternode_due.set(c.ip, now.mono + policy().reconnect.masternode_first_delay);
    }
    return;
  }
  Peer* peer = ensure_peer(c.ip);
  if (peer == nullptr) return;
  if (!masternode && c.direction == Direction::in) {
    remember(c.ip, now);  // it came to us; regular peers that did are not called back at once
    queue(c.ip, now.mono);
    return;
  }
  if (!detail.empty()) peer->last_text = detail;
  TargetFacts facts = facts_of(c.ip, now);
  if (c.was_ready()) facts.session = now.mono - c.liveness->start();
  const auto verdict = peer->reconnect.failed(reason, facts, policy().reconnect, random, now.mono);
  const Severity severity = masternode ? Severity::warning : Severity::info;
  if (verdict.parked) {
    Event e = event(EventKind::peer_parked, severity, c.ip, now);
    e.reason = reason;
    e.detail = std::string(outcome_row(reason).why);
    record(std::move(e));
  }
  if (verdict.exhausted) {
    Event e = event(EventKind::attempts_exhausted, masternode ? Severity::error : Severity::info,
                    c.ip, now);
    e.reason = reason;
    e.detail = masternode ? "goes on with every pass" : "forgotten for a day";
    record(std::move(e));
  }
  queue(c.ip, now.mono);
  if (verdict.gap && dialable(c.ip)) {
    Event e = event(EventKind::dial_scheduled, Severity::info, c.ip, now);
    e.reason = reason;
    e.detail = peer->reconnect.why(now.mono);
    e.delay_seconds = static_cast<std::uint64_t>(std::max(1.0, seconds(*verdict.gap)));
    record(std::move(e));
  }
  remember(c.ip, now);
}

void Node::State::queue(const IpAddress& ip, Instant now) {
  const auto it = peers.find(ip);
  masternode_due.erase(ip);
  regular_due.erase(ip);
  if (it == peers.end() || !dialable(ip) || links.contains(ip)) return;
  const Reconnect& reconnect = it->second.reconnect;
  if (reconnect.parked()) return;
  if (is_masternode(ip)) {
    if (reconnect.next()) masternode_due.set(ip, *reconnect.next());  // else the pass dials it
    return;
  }
  if (!it->second.candidate) return;
  const Instant first = reconnect.last_reason() ? now + policy().reconnect.pass_interval : now;
  regular_due.set(ip, reconnect.next().value_or(first));
}

void Node::State::dial_soon(const IpAddress& ip, Instant now) {
  const auto it = peers.find(ip);
  if (it == peers.end() || !dialable(ip) || links.contains(ip)) return;
  if (it->second.reconnect.hard(now)) {
    queue(ip, now);
    return;
  }
  regular_due.erase(ip);
  const auto due = masternode_due.find(ip);
  if (!due || *due > now) masternode_due.set(ip, now);
}

std::optional<std::uint32_t> Node::State::as_of(const IpAddress& ip) const {
  return options.as_number ? options.as_number(ip) : std::nullopt;
}

// R6. An attacker who fills the list of candidates from one AS, or from one network, gets one slot
// of it as long as others are due; who failed less and was connected later comes first. Where the
// AS is not known, the /16 stands for it. Among equals the healthier one, by steps, so that noise
// decides nothing.
std::optional<IpAddress> Node::State::best_candidate(Now now) const {
  const auto rank = [&](const IpAddress& ip) {
    const auto it = peers.find(ip);
    const bool known = it != peers.end();
    const auto last = known ? it->second.last_connected_at : std::nullopt;
    const std::size_t in_group = counts.dialled_in_group(ip);
    const auto as_number = as_of(ip);
    const std::size_t in_as = as_number ? counts.dialled_in_as(*as_number) : in_group;
    return std::tuple(in_as, in_group, known ? it->second.reconnect.attempts() : 0,
                      -score_step(ip, now), last ? -last->time_since_epoch().count() : 0);
  };
  std::optional<std::pair<decltype(rank({})), IpAddress>> best;
  regular_due.for_due(now.mono, kCandidates, [&](const IpAddress& ip) {
    auto own = rank(ip);
    if (!best || own < best->first) best.emplace(std::move(own), ip);
  });
  return best ? std::optional(best->second) : std::nullopt;
}

// What holds for every target of its kind. Asked before one is chosen, because a choice costs more
// and pump() comes after every event.
bool Node::State::may_dial(Trust trust, const Budget& budget, Now now) {
  bool blocked = counts.attempts(trust) >= budget.at_once;
  if (trust == Trust::regular && !blocked) {
    const auto decision = place({}, Direction::out, std::nullopt, false, now);
    blocked = decision.answer == AdmissionAnswer::reject;
  }
  if (!blocked && !budget.bucket.available(budget.rate, now.mono)) {
    blocked = true;
    budget_at = budget.bucket.next(budget.rate, now.mono);
  }
  if (blocked) {  // who waits for the budget among masternodes keeps the others waiting, too
    (trust == Trust::masternode ? masternodes_blocked : regular_blocked) = true;
    regular_blocked = true;
  }
  return !blocked;
}

void Node::State::pump(Now now) {
  masternodes_blocked = regular_blocked = false;
  budget_at.reset();
  if (!started || stopping || options.mode == NodeMode::passive) return;
  const ReconnectPolicy& limits = policy().reconnect;
  const Budget masternode_budget{
      masternode_dials, {limits.masternode_dials_per_second, 1s}, limits.masternode_dials_at_once};
  const Budget regular_budget{
      regular_dials, {limits.regular_dials_per_second, 1s}, limits.regular_dials_at_once};
  while (masternode_due.due(now.mono)) {  // first (R3)
    if (!may_dial(Trust::masternode, masternode_budget, now)) return;
    try_dial(*masternode_due.due(now.mono), Trust::masternode, masternode_budget, now);
  }
  while (regular_due.due(now.mono)) {
    if (!may_dial(Trust::regular, regular_budget, now)) return;
    try_dial(*best_candidate(now), Trust::regular, regular_budget, now);
  }
}

// Dials a target that is due, or takes it out of its queue for now.
void Node::State::try_dial(const IpAddress& ip, Trust trust, const Budget& budget, Now now) {
  const bool masternode = trust == Trust::masternode;
  DueQueue<IpAddress>& due = masternode ? masternode_due : regular_due;
  const ReconnectPolicy& limits = policy().reconnect;
  const auto it = peers.find(ip);
  const bool right_queue = is_masternode(ip) == masternode;
  if (it == peers.end() || !right_queue || !dialable(ip) || links.contains(ip) ||
      it->second.reconnect.parked()) {
    due.erase(ip);
    if (!right_queue) queue(ip, now.mono);
    return;
  }
  const Instant allowed = it->second.reconnect.ledger_allows(limits, now.mono);
  if (allowed > now.mono) {
    due.set(ip, allowed);
    return;
  }
  const auto decision = place(ip, Direction::out, std::nullopt, false, now);
  if (decision.answer == AdmissionAnswer::reject) {
    // A session that could not stay only harms: at the next pass.
    due.set(ip, next_pass > now.mono ? next_pass : now.mono + limits.pass_interval);
    return;
  }
  TIMECTL_CHECK(budget.bucket.take(budget.rate, now.mono));
  dial(ip, it->second, now);
}

void Node::State::dial(const IpAddress& ip, Peer& peer, Now now) {
  masternode_due.erase(ip);
  regular_due.erase(ip);
  const ConnectionId id{++last_id};
  add(id, ip, Direction::out, Stage::connecting, now).as_number = as_of(ip);
  links[ip].main = id;
  recount(ip);
  peer.reconnect.dialled(now.mono);
  // Remembered before it happens: a crash right after it must not forget the attempt.
  remember(ip, now);
  commands.emplace_back(Dial{id, ip});
}

void Node::State::pass(Now now) {
  next_pass = now.mono + policy().reconnect.pass_interval;
  if (options.mode == NodeMode::passive) return;
  for (const auto& [ip, entry] : whitelist.entries()) {
    if (!links.contains(ip) && ensure_peer(ip) != nullptr) dial_soon(ip, now.mono);
  }
  registry.sweep(
      policy().liveness, [&](const IpAddress& ip) { return ready(ip); }, now);
  note_masternode_count(now, std::nullopt);
  // News of others, from one peer at a time: the network allows two such questions a minute.
  std::vector<ConnectionId> ready_ones;
  for (const auto& [ip, link] : links) {
    if (connections.at(link.main).stage == Stage::ready) ready_ones.push_back(link.main);
  }
  if (ready_ones.empty()) return;
  const ConnectionId asked = ready_ones[random.below(ready_ones.size())];
  commands.emplace_back(Ask{asked, Question::peers});
  commands.emplace_back(Ask{asked, Question::masternodes});
}

void Node::State::learn(const IpAddress& ip, bool claimed_masternode, Now now) {
  if (!plausible(ip)) return;
  const bool known = peers.contains(ip);
  Peer* peer = ensure_peer(ip);
  if (peer == nullptr) return;
  const bool news = !peer->candidate || (claimed_masternode && !peer->masternode_claimed);
  peer->candidate = true;
  peer->masternode_claimed = peer->masternode_claimed || claimed_masternode;
  if (!known) queue(ip, now.mono);
  if (news) remember(ip, now);
}

void Node::on_peers_learned(const IpAddress& from, const std::vector<IpAddress>& learned, Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping || !s.ready(from)) return;
  const std::size_t count = std::min(learned.size(), kLearnedAtOnce);
  for (std::size_t i = 0; i < count; ++i) s.learn(learned[i], false, now);
  s.pump(now);
}

void Node::on_masternodes_claimed(const IpAddress& from,
                                  const std::vector<ClaimedMasternode>& claims, Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping || !s.ready(from)) return;
  const std::size_t count = std::min(claims.size(), kLearnedAtOnce);
  for (std::size_t i = 0; i < count; ++i) {
    if (!s.plausible(claims[i].ip)) continue;
    s.registry.claimed(claims[i].ip, printable(claims[i].tier, 32), now);
    s.learn(claims[i].ip, true, now);
  }
  s.pump(now);
}

}  // namespace timectl
