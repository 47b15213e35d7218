#include "daemon/core/node.h"

#include <algorithm>
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {
namespace {

// Bounds of tables that strangers can fill; far above what the rates of S3 let in at once.
constexpr std::size_t kRateBuckets = 4096;
constexpr std::size_t kRegistryEntries = 8192;
// A due time never lies in the past after a check, whatever the policy: the node must not spin.
constexpr Duration kLeastStep = std::chrono::milliseconds(1);

std::string percent(double share) {
  return std::to_string(static_cast<int>(share * 100 + 0.5)) + " %";
}
// In one tick: with the pings that follow from them 3 ms. Many connections that began together stay
// due together, and a pong must not wait for the checks of all of them.
constexpr std::size_t kChecksAtOnce = 128;

}  // namespace

Node::State::State(NodeOptions node_options, const Whitelist& list, Bans* given)
    : options(std::move(node_options)),
      whitelist(list),
      bans(given != nullptr ? *given : own_bans),
      random(options.seed),
      registry(kRegistryEntries),
      ip_rates(kRateBuckets),
      subnet_rates(kRateBuckets) {}

Node::Node(NodeOptions options, const Whitelist& whitelist)
    : state_(std::make_unique<State>(std::move(options), whitelist, nullptr)) {}
Node::Node(NodeOptions options, const Whitelist& whitelist, Bans& bans)
    : state_(std::make_unique<State>(std::move(options), whitelist, &bans)) {}
Node::~Node() = default;

void Node::remember(std::vector<PeerMemory> memories) {
  state_->remembered = std::move(memories);
}

void Node::start(Now now) {
  State& s = *state_;
  TIMECTL_CHECK(!s.started);
  s.started = true;
  s.next_pass = now.mono + s.policy().reconnect.pass_interval;
  for (const auto& memory : std::exchange(s.remembered, {})) {
    Peer* peer = s.ensure_peer(memory.ip);
    if (peer == nullptr) continue;
    const bool was_parked =
        memory.last_reason && outcome_row(*memory.last_reason).ladder == Ladder::parked;
    // The row says: until the configuration or our version changes.
    if (!was_parked || memory.parked_under == s.options.identity) {
      peer->reconnect.restore(memory, now);
    }
    peer->masternode_claimed = memory.masternode_claimed;
    peer->last_connected_at = memory.last_connected_at;
    peer->last_dialed_us_at = memory.last_dialed_us_at;
    peer->last_heard_at = memory.last_heard_at;
    peer->last_text = printable(memory.last_text);
    peer->candidate = s.plausible(memory.ip);
    s.queue(memory.ip, now.mono);
  }
  for (const auto& [ip, entry] : s.whitelist.entries()) {
    if (Peer* peer = s.ensure_peer(ip)) peer->announced_as_masternode = true;
    s.note_protection(ip, now);
    s.dial_soon(ip, now.mono);
  }
  s.pump(now);
}

void Node::stop(Now now) {
  State& s = *state_;
  if (s.stopping) return;
  s.stopping = true;
  while (!s.links.empty()) {
    const IpAddress ip = s.links.begin()->first;
    s.close_link(ip, EndReason::shutdown, "the node is stopping", now);
  }
}

ConnectionId Node::next_connection() {
  return ConnectionId{++state_->last_id};
}

void Node::tick(Now now) {
  State& s = *state_;
  if (!s.started || s.stopping) return;
  s.awake(now);
  s.observer.clocks(s.policy().observer, now);
  s.observer.tick(s.policy().observer, now);
  s.note_health(now);
  for (std::size_t n = 0; n < kChecksAtOnce; ++n) {
    const auto id = s.checks.due(now.mono);
    if (!id) break;
    s.check(*s.find(*id), now);
  }
  s.expire_bans(now);
  if (now.mono >= s.next_pass) s.pass(now);
  s.pump(now);
}

Instant Node::next_tick() const {
  return state_->next_due();
}

Instant Node::State::next_due() const {
  if (!started || stopping) return Instant::max();
  Instant next = next_pass;
  const auto sooner = [&](std::optional<Instant> at) {
    if (at) next = std::min(next, *at);
  };
  sooner(checks.earliest());
  sooner(budget_at);
  sooner(bans.next_end());
  if (!masternodes_blocked) sooner(masternode_due.earliest());
  if (!regular_blocked) sooner(regular_due.earliest());
  return next;
}

std::vector<Command> Node::take_commands(std::vector<Command> spare) {
  TIMECTL_CHECK(spare.empty());
  return std::exchange(state_->commands, std::move(spare));
}

Connection* Node::State::find(ConnectionId id) {
  const auto it = connections.find(id);
  return it == connections.end() ? nullptr : &it->second;
}

const Connection* Node::State::main_of(const IpAddress& ip) const {
  const auto it = links.find(ip);
  return it == links.end() ? nullptr : &connections.at(it->second.main);
}

bool Node::State::ready(const IpAddress& ip) const {
  const Connection* c = main_of(ip);
  return c != nullptr && c->stage == Stage::ready;
}

// An accepted connection holds its slot from the first byte on, an attempt only once it is a
// session: attempts are bounded by the dial budget, and peers that are down must not fill slots.
std::optional<Holding> Node::State::holding_of(const IpAddress& ip) const {
  const Connection* c = main_of(ip);
  if (c == nullptr) return std::nullopt;
  const bool is_ready = c->stage == Stage::ready;
  return Holding{is_masternode(ip) ? Trust::masternode : Trust::regular,
                 c->direction,
                 c->direction == Direction::out && !is_ready,
                 is_ready,
                 is_ready && c->said_suspect,
                 c->as_number};
}

void Node::State::recount(const IpAddress& ip) {
  counts.set(ip, holding_of(ip));
}

std::vector<EvictionCandidate> Node::State::eviction_candidates(Now now) const {
  std::vector<EvictionCandidate> candidates;
  for (const auto& [ip, link] : links) {
    const Connection& c = connections.at(link.main);
    if (c.direction != Direction::in || is_masternode(ip)) continue;
    EvictionCandidate candidate;
    candidate.id = static_cast<std::uint64_t>(c.id);
    candidate.ip = ip;
    candidate.ready = c.stage == Stage::ready;
    candidate.age = now.mono - c.opened;
    candidate.score = score_step(ip, now);
    candidate.useful_bytes = c.traffic.bytes_in;
    candidate.violations = c.traffic.undecodable_frames;
    candidates.push_back(candidate);
  }
  return candidates;
}

AdmissionDecision Node::State::place(const IpAddress& ip, Direction direction,
                                     std::optional<ConnectionId> except, bool limits_apply,
                                     Now now) const {
  const bool masternode = is_masternode(ip);
  AdmissionRequest request;
  request.trust = masternode ? Trust::masternode : Trust::regular;
  request.direction = direction;
  const Connection* main = main_of(ip);
  const bool without_it = main != nullptr && main->id == except;
  request.usage = counts.usage(ip, without_it, direction == Direction::out);
  request.limits_apply = limits_apply;
  const SlotPolicy& slots = policy().slots;
  request.ip_rate_free = ip_rates.available(ip, {slots.per_ip_per_minute, 1min}, now.mono);
  request.subnet_rate_free =
      subnet_rates.available(ip.subnet(), {slots.per_subnet_per_minute, 1min}, now.mono);
  const bool full = masternode && request.usage.total >= slots.max_connections;
  return admit(request, full ? eviction_candidates(now) : std::vector<EvictionCandidate>{}, slots);
}

Peer* Node::State::ensure_peer(const IpAddress& ip) {
  const auto it = peers.find(ip);
  if (it != peers.end()) return &it->second;
  // Masternodes always have room: the whitelist is bounded by itself.
  if (!is_masternode(ip) && peers.size() >= policy().known_peers + whitelist.size()) return nullptr;
  return &peers[ip];
}

Event Node::State::event(EventKind kind, Severity severity, const IpAddress& ip, Now now) const {
  Event e;
  e.at = now.wall;
  e.kind = kind;
  e.severity = severity;
  e.peer = ip;
  e.whitelisted = is_masternode(ip);
  return e;
}

void Node::State::remember(const IpAddress& ip, Now now) {
  const auto it = peers.find(ip);
  if (it == peers.end()) return;
  const Peer& peer = it->second;
  PeerMemory memory;
  memory.ip = ip;
  memory.masternode_claimed = peer.masternode_claimed;
  memory.last_connected_at = peer.last_connected_at;
  memory.last_dialed_us_at = peer.last_dialed_us_at;
  memory.last_heard_at = peer.last_heard_at;
  memory.last_text = peer.last_text;
  peer.reconnect.store_to(memory, now);
  if (peer.reconnect.parked()) memory.parked_under = options.identity;
  commands.emplace_back(Remember{std::move(memory)});
}

void Node::State::ping(Connection& c, bool on_cadence, Instant now) {
  const std::uint64_t nonce = random.next();
  if (on_cadence) {
    c.liveness->pinged(nonce, now);
  } else {
    c.liveness->probed(nonce, now);
  }
  commands.emplace_back(SendPing{c.id, nonce});
}

void Node::State::set_check(Connection& c, Instant now) {
  checks.set(c.id, std::max(c.liveness->next_due(rules_for(c, now)), now + kLeastStep));
}

std::string Node::State::evidence_of(const Connection& c, Now now) const {
  std::string text = c.liveness->evidence(now.mono);
  if (c.silence != Silence::none) text += "; " + std::string(meaning_of(c.silence));
  return text;
}

void Node::State::check(Connection& c, Now now) {
  if (c.stage == Stage::held) {  // the old connection showed no life in time (S4)
    c.hold_until.reset();
    proceed(c, now);
    return;
  }
  const LivenessRules rules = rules_for(c, now.mono);
  Liveness& liveness = *c.liveness;
  const auto answer = liveness.check(rules, now.mono);
  if (answer == Liveness::Answer::unresponsive) {
    Event e = event(EventKind::peer_unresponsive, Severity::warning, c.ip, now);
    e.direction = c.direction;
    e.detail = evidence_of(c, now);
    // R5 names the limits of a masternode; a regular peer's line has what was counted.
    e.missed_pongs = e.whitelisted ? rules.missed_pongs : liveness.missed();
    e.delay_seconds = static_cast<std::uint64_t>(seconds(rules.timeout));
    if (e.whitelisted) e.severity = Severity::critical;
    record(std::move(e));
    close(c, EndReason::unresponsive, evidence_of(c, now), now);
    return;
  }
  if (answer == Liveness::Answer::ping_now) ping(c, true, now.mono);
  // Not shortened while the peer is silent: what an outage held up may be under way again.
  const bool silent = now.mono - liveness.last_heard() >= rules.ping_interval;
  if (c.user_timeout < rules.user_timeout || (c.user_timeout > rules.user_timeout && !silent)) {
    c.user_timeout = rules.user_timeout;
    commands.emplace_back(SetUserTimeout{c.id, rules.user_timeout});
  }
  const bool suspect = liveness.suspect(rules, now.mono);
  const bool newly = suspect && !std::exchange(c.said_suspect, true);
  if (newly) recount(c.ip);
  if (suspect) note_silence(now);  // again at each look: others may have fallen silent since
  if (newly) {
    if (!observer.has(Ailment::uplink_down)) {
      Event e = event(EventKind::peer_suspect, Severity::warning, c.ip, now);
      e.detail = evidence_of(c, now);
      record(std::move(e));
    }
  }
  if (c.path.lossy() != c.said_lossy) {
    c.said_lossy = c.path.lossy();
    Event e = c.said_lossy ? event(EventKind::peer_degraded, Severity::warning, c.ip, now)
                           : event(EventKind::peer_recovered, Severity::info, c.ip, now);
    e.detail = "lossy path: " + percent(c.path.retransmitted().value_or(0)) +
               " of the segments to it are sent again";
    record(std::move(e));
  }
  const bool talks = now.mono - liveness.last_heard() < rules.ping_interval;
  if (liveness.mute(rules) && talks && !std::exchange(c.said_degraded, true)) {
    Event e = event(EventKind::peer_degraded, Severity::warning, c.ip, now);
    e.missed_pongs = liveness.missed();
    e.detail = "it talks, but has left " + std::to_string(liveness.missed()) + " pings unanswered";
    record(std::move(e));
  }
  set_check(c, now.mono);
}

void Node::State::note_masternode_count(Now now, const std::optional<IpAddress>& connected) {
  if (connected) {
    if (!std::exchange(none_connected, false)) return;
    record(event(EventKind::masternode_connected_again, Severity::notice, *connected, now));
    return;
  }
  const bool expected =
      whitelist.size() > (options.own_address && is_masternode(*options.own_address) ? 1U : 0U);
  if (stopping || none_connected || !expected || counts.ready_masternodes() > 0) return;
  none_connected = true;
  Event e;
  e.at = now.wall;
  e.kind = EventKind::no_masternode_connected;
  e.severity = Severity::critical;
  record(std::move(e));
}

}  // namespace timectl
