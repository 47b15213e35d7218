// Node: what a probe by somebody else in our name needs of it (`diagnose peer --probe`): a place in
// the ledger, and that nobody dials meanwhile; and what peers tell of ourselves: our clock, our
// port.
#include <algorithm>
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {
namespace {

constexpr double kClockWeight = 0.25;    // of the newest of a peer's time stamps, which are seconds
constexpr Duration kWarningsApart = 1h;  // of one session
constexpr std::size_t kLeastClocks = 3;  // fewer may be wrong together

// As a real number: the difference of two stamps from outside may not fit one of its own kind.
double since_1970(WallTime at) {
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

Error refused(const IpAddress& ip, std::string because, std::vector<std::string> remedy = {}) {
  return {Code::busy, ip.to_string() + " is not probed now", std::move(because), std::move(remedy)};
}

}  // namespace

Result<void> Node::begin_probe(const IpAddress& ip, Now now) {
  State& s = *state_;
  s.awake(now);
  if (s.options.mode == NodeMode::passive) {
    return Error{Code::passive_mode, "a passive node makes no connection",
                 "a second one from its address would cost the first"};
  }
  if (!s.started || s.stopping) return refused(ip, "the node is starting or stopping");
  if (s.is_own(ip)) return refused(ip, "it is our own address");
  if (ip.is_unspecified() || ip.is_multicast()) return refused(ip, "it is no address of a host");
  if (const Connection* c = s.main_of(ip)) {
    return refused(ip,
                   c->stage == Stage::ready
                       ? "it is connected, and a second connection would harm the first"
                       : "a connection to it is being made or ended",
                   {"timectl peer show " + ip.to_string()});
  }
  if (s.probing.contains(ip)) return refused(ip, "it is being probed");
  Peer* peer = s.ensure_peer(ip);
  if (peer == nullptr) return refused(ip, "too many peers are remembered");
  auto& probes = s.probes[ip];
  std::erase_if(probes, [&](Instant at) { return now.mono - at >= 1h; });
  const auto& limits = s.policy().reconnect;
  Instant allowed = peer->reconnect.probe_allowed(limits, now.mono);
  if (probes.size() >= limits.probes_per_hour) allowed = std::max(allowed, probes.front() + 1h);
  if (allowed > now.mono) {
    return refused(
        ip, std::string(ledger_is_full) + "; again in " + human_duration(allowed - now.mono));
  }
  probes.push_back(now.mono);
  std::erase_if(s.probes, [&](const auto& entry) {
    return entry.second.empty() || now.mono - entry.second.back() >= 1h;
  });
  s.probing.emplace(ip, s.masternode_due.find(ip));
  s.masternode_due.erase(ip);
  s.regular_due.erase(ip);
  peer->reconnect.probed(now.mono);
  s.remember(ip, now);  // before it happens, like a dial
  return {};
}

void Node::end_probe(const IpAddress& ip, Now now, std::optional<EndReason> failed) {
  State& s = *state_;
  s.awake(now);
  const auto peer = s.peers.find(ip);
  const auto probing = s.probing.find(ip);
  if (probing == s.probing.end()) return;
  const auto due = probing->second;
  s.probing.erase(probing);
  if (peer == s.peers.end() || s.links.contains(ip)) return;
  if (failed) {
    peer->second.reconnect.probe_failed(*failed, s.facts_of(ip, now), s.policy().reconnect,
                                        s.random, now.mono);
    s.remember(ip, now);
  }
  s.queue(ip, now.mono);
  // A first dial has no place on a ladder; never sooner than it would have been.
  if (due && s.is_masternode(ip) && s.dialable(ip) && !s.masternode_due.find(ip) &&
      !peer->second.reconnect.parked()) {
    const auto soon = now.mono + s.policy().reconnect.masternode_first_delay;
    s.masternode_due.set(ip, std::max(*due, soon));
  }
  s.pump(now);
}

void Node::on_clock(ConnectionId connection, WallTime theirs, Now now) {
  Connection* c = state_->find(connection);
  if (c == nullptr || c->stage != Stage::ready) return;
  // Whole seconds, cut off: half of one is the best guess. Years apart is no clock.
  constexpr double kMostSeconds = 1e9;
  const double off =
      std::clamp(since_1970(theirs) - since_1970(now.wall) + 0.5, -kMostSeconds, kMostSeconds);
  c->clock_seconds =
      c->clock_seconds ? *c->clock_seconds + kClockWeight * (off - *c->clock_seconds) : off;
}

void Node::on_unreachable_said(ConnectionId connection, const std::string& text, Now now) {
  State& s = *state_;
  s.awake(now);
  Connection* c = s.find(connection);
  if (c == nullptr || c->stage != Stage::ready || !s.is_masternode(c->ip)) return;
  if (c->warned_at && now.mono - *c->warned_at < kWarningsApart) return;
  c->warned_at = now.mono;
  Event e = s.event(EventKind::unreachable_said, Severity::warning, c->ip, now);
  e.detail = printable(text);
  s.record(std::move(e));
}

ClockView Node::clock() const {
  std::vector<double> offsets;
  for (const auto& [ip, link] : state_->links) {
    const Connection& c = state_->connections.at(link.main);
    if (c.clock_seconds) offsets.push_back(*c.clock_seconds);
  }
  ClockView view;
  view.peers = offsets.size();
  if (offsets.size() < kLeastClocks) return view;
  const auto middle = offsets.begin() + static_cast<std::ptrdiff_t>(offsets.size() / 2);
  std::ranges::nth_element(offsets, middle);
  view.ahead_seconds = -*middle;
  return view;
}

}  // namespace timectl
