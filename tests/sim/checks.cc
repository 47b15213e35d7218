#include "tests/sim/checks.h"

#include <algorithm>

#include "daemon/core/reconnect.h"
#include "daemon/core/reflect.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

// The nodes' clocks run up to 500 ppm apart from the world's.
constexpr double kDrift = 0.999;
// How long a hurt can show after it is over: the longest silence that is waited for, with the
// dead connections that others still hold.
constexpr Duration kAftermath = 400s;
constexpr Duration kLate = 60s;

Duration shortened(Duration d) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * kDrift));
}

std::string pair_name(std::uint16_t node, std::uint16_t target) {
  return "node " + std::to_string(node) + " to " + std::to_string(target);
}

}  // namespace

void violated(Duration at, const std::string& what) {
  throw Violation("at " + human_duration(at) + " (" + std::to_string(at.count() / 1000) +
                  " ms): " + what);
}

void Tally::add(const Tally& other) {
  events += other.events;
  node_time += other.node_time;
  dials += other.dials;
  pings += other.pings;
  sessions += other.sessions;
  sessions_lost += other.sessions_lost;
  strangers += other.strangers;
  hard_waits += other.hard_waits;
  most_dials_a_minute = std::max(most_dials_a_minute, other.most_dials_a_minute);
}

Checks::Checks(std::uint16_t nodes, const Policy& policy)
    : nodes_(nodes),
      policy_(policy),
      pairs_(std::size_t{nodes} * nodes),
      stepped_(nodes),
      recent_dials_(nodes),
      at_once_(nodes) {}

void Checks::dialled(Duration now, std::uint16_t node, std::uint16_t target) {
  ++tally_.dials;
  const ReconnectPolicy& limits = policy_.reconnect;
  Pair& p = pair(node, target);
  const std::size_t most = std::min(limits.attempts_per_minute, p.dials.size());
  if (p.dial_count >= most) {
    const Duration oldest = p.dials[(p.dial_count - most) % p.dials.size()];
    if (now - oldest < shortened(60s)) {
      violated(now, pair_name(node, target) + " was dialled more than " + std::to_string(most) +
                        " times in a minute");
    }
  }
  p.dials[p.dial_count++ % p.dials.size()] = now;
  const auto in_minute = static_cast<std::uint64_t>(
      std::count_if(p.dials.begin(), p.dials.begin() + std::min<std::ptrdiff_t>(p.dial_count, 4),
                    [&](Duration at) { return now - at < 60s; }));
  tally_.most_dials_a_minute = std::max(tally_.most_dials_a_minute, in_minute);
  if (now < p.hard_from + shortened(p.hard_until - p.hard_from)) {
    violated(now, pair_name(node, target) + " was dialled before a hard row was over");
  }
  p.dialling = true;
  if (++at_once_[node] > limits.masternode_dials_at_once) {
    violated(now, "node " + std::to_string(node) + " dials too many at once");
  }
  // A full bucket and its refill: twice the rate in any second, then never more.
  std::vector<Duration>& recent = recent_dials_[node];
  const std::size_t rate = 2 * limits.masternode_dials_per_second;
  if (recent.size() == rate) {
    if (now - recent.front() < shortened(1s)) {
      violated(now, "node " + std::to_string(node) + " dials too fast");
    }
    recent.erase(recent.begin());
  }
  recent.push_back(now);
}

void Checks::dial_failed(Duration now, std::uint16_t node, std::uint16_t target, EndReason reason) {
  Pair& p = pair(node, target);
  if (std::exchange(p.dialling, false)) --at_once_[node];
  const Ladder ladder = outcome_row(reason).ladder;
  const bool hard = ladder == Ladder::after_tcp || ladder == Ladder::rejected;
  if (!hard) return;
  p.hard_from = now;
  p.hard_until = now + (ladder == Ladder::after_tcp ? policy_.reconnect.early_close_first_delay
                                                    : policy_.reconnect.rejected_first_delay);
}

void Checks::session_began(Duration now, std::uint16_t node, std::uint16_t target, bool dialled) {
  Pair& p = pair(node, target);
  if (dialled && std::exchange(p.dialling, false)) --at_once_[node];
  p.hard_from = p.hard_until = {};
  ++tally_.sessions;
  if (++p.sessions > 1) violated(now, pair_name(node, target) + ": two sessions at once");
}

void Checks::session_ended(Duration now, std::uint16_t node, std::uint16_t target,
                           EndReason reason) {
  Pair& p = pair(node, target);
  --p.sessions;
  if (reason == EndReason::shutdown) return;
  ++tally_.sessions_lost;
  if (p.hurting > 0 || now - p.hurt_until < kAftermath) return;
  // Whoever has the peer's address (NAT) may take its place, but only from one that is late to
  // answer the probe of S4: an impostor alone does not suffice.
  const bool late = p.touching > 1 || now - p.touched_until < kLate;
  const bool replaced = reason == EndReason::superseded || reason == EndReason::closed_by_peer;
  if (replaced && late) return;  // the second as the one who was replaced sees it
  violated(now, pair_name(node, target) + ": a session ended as " + std::string(name_of(reason)) +
                    ", and nothing had hurt it");
}

void Checks::process_ended(std::uint16_t node) {
  at_once_[node] = 0;
  recent_dials_[node].clear();  // R7 is of the process; per target the ledger holds
  for (std::uint16_t target = 0; target < nodes_; ++target) {
    pair(node, target).sessions = 0;
    pair(node, target).dialling = false;
  }
}

void Checks::booted(std::uint16_t node) {
  if (!stepped_[node]) return;
  stepped_[node] = false;
  for (std::uint16_t target = 0; target < nodes_; ++target) {
    Pair& p = pair(node, target);
    p.dial_count = 0;
    p.hard_from = p.hard_until = {};
  }
}

void Checks::touch(Duration now, std::uint16_t a, std::uint16_t b, bool hurts, bool begins) {
  for (Pair* p : {&pair(a, b), &pair(b, a)}) {
    if (begins) {
      ++p->touching;
      if (hurts) ++p->hurting;
      continue;
    }
    --p->touching;
    p->touched_until = now;
    if (!hurts) continue;
    --p->hurting;
    p->hurt_until = now;
  }
}

bool Checks::healed(Duration now, std::uint16_t a, std::uint16_t b) const {
  const Pair& p = pair(a, b);
  return p.touching == 0 && now - p.touched_until >= kHealed;
}

}  // namespace timectl::sim
