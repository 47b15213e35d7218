#include "tests/sim/world.h"

#include <algorithm>
#include <cmath>

#include "daemon/core/reconnect.h"
#include "daemon/core/reflect.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLookEvery = 20s;
// Mirrors of the drift that quartz has; NTP would hold it smaller.
constexpr double kMostDrift = 300e-6;
constexpr Duration kEpoch = 1000h;                // of the monotonic clocks
constexpr WallTime kBirth{480'000h};              // of the world: 2024
constexpr std::uint64_t kMostAtOnce = 1'000'000;  // events at one moment: somebody spins
constexpr std::uint64_t kFullCheckEvery = 8192;   // events; after changes it is each event

}  // namespace

IpAddress World::address(std::uint16_t node) {
  return IpAddress::v4(64, 0, static_cast<std::uint8_t>(node / 200),
                       static_cast<std::uint8_t>(10 + node % 200));
}

std::uint16_t World::index_of(const IpAddress& ip) {
  return static_cast<std::uint16_t>(ip.bytes()[14] * 200 + ip.bytes()[15] - 10);
}

World::World(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      boxes_(options.nodes),
      paths_(std::size_t{options.nodes} * options.nodes),
      checks_(options.nodes, options.policy) {
  TIMECTL_CHECK(options.nodes >= 2);
  for (std::uint16_t a = 0; a < options.nodes; ++a) {
    Box& box = boxes_[a];
    box.list = std::make_unique<Whitelist>(1000);
    box.drift = kMostDrift * (2 * random_.unit() - 1);
    box.mono_offset = kEpoch + std::chrono::minutes(random_.below(100'000));
    for (std::uint16_t b = 0; b < options.nodes; ++b) {
      Path& p = path(a, b);
      const double of_mean = 0.25 + 1.5 * random_.unit();
      p.latency = Duration(
          static_cast<Duration::rep>(of_mean * static_cast<double>(options.latency.count())));
      p.jitter = options.jitter;
      if (a == b) continue;
      AddRequest request;
      request.ip = address(b);
      request.trusts_us = true;
      box.list->put(box.list->plan_add(request));
    }
  }
  quiet_paths_ = paths_;
  push(kLookEvery, {.kind = Kind::look});
}

World::World(const Schedule& schedule, const Policy& policy)
    : World(WorldOptions{.nodes = schedule.nodes, .seed = schedule.seed, .policy = policy}) {
  for (const Fault& fault : schedule.faults) add(fault);
}

void World::start_all() {
  for (std::uint16_t i = 0; i < size(); ++i) start(i);
}

Now World::local(const Box& box) const {
  const auto skew = static_cast<Duration::rep>(static_cast<double>(now_.count()) * box.drift);
  const Duration wall = now_ + Duration(skew) + box.wall_offset;
  return {Instant(now_ + box.mono_offset + Duration(skew)),
          kBirth + std::chrono::floor<std::chrono::milliseconds>(wall)};
}

// The first moment of the world at which the box' monotonic clock shows `mono`, or a little later.
Duration World::when(const Box& box, Instant mono) const {
  const auto local_time = static_cast<double>((mono.time_since_epoch() - box.mono_offset).count());
  return Duration(static_cast<Duration::rep>(std::ceil(local_time / (1 + box.drift))) + 1);
}

void World::note(std::uint64_t value) {
  trace_ = (trace_ ^ (value + static_cast<std::uint64_t>(now_.count()) * 31)) * 0x100000001b3U;
}

void World::start(std::uint16_t index) {
  if (running(index)) return;
  boxes_[index].powered = true;
  boot(index);
}

void World::boot(std::uint16_t index) {
  Box& box = boxes_[index];
  NodeOptions node_options;
  node_options.policy = options_.policy;
  node_options.own_address = address(index);
  node_options.seed = options_.seed * 1'000'003 + index * 10'007U + ++box.boot;
  box.node = std::make_unique<Node>(node_options, *box.list);
  std::vector<PeerMemory> memories;
  for (const auto& [ip, memory] : box.store) memories.push_back(memory);
  box.node->remember(std::move(memories));
  box.tick_at = TcpFlow::kNever;
  box.busy_until = {};
  checks_.booted(index);
  note(index);
  box.node->start(local(box));
  take(index, After::change);
}

void World::drop_process(std::uint16_t index) {
  Box& box = boxes_[index];
  box.node.reset();
  box.wires.clear();
  box.backlog.clear();
  box.sleepers.clear();
  box.tick_at = TcpFlow::kNever;
  checks_.process_ended(index);
  note(index + 1000U);
}

void World::kill(std::uint16_t index) {
  if (!running(index)) return;
  for (std::uint32_t wire = 0; wire < wires_.size(); ++wire) {
    for (std::uint8_t side = 0; side < 2; ++side) {
      End& end = wires_[wire].ends[side];
      if (!wires_[wire].used || end.node != index || end.boot != boxes_[index].boot) continue;
      shut(wire, side);
      end.open = false;
    }
  }
  drop_process(index);
  for (std::uint32_t wire = 0; wire < wires_.size(); ++wire) release(wire);
}

void World::power_cut(std::uint16_t index) {
  boxes_[index].powered = false;
  for (Wire& w : wires_) {
    for (End& end : w.ends) {
      if (!w.used || end.node != index || end.boot != boxes_[index].boot) continue;
      end.open = false;
      end.phase = Phase::gone;
    }
  }
  drop_process(index);
  for (std::uint32_t wire = 0; wire < wires_.size(); ++wire) release(wire);
}

void World::add(const Fault& fault) {
  faults_.push_back(fault);
  active_.push_back(false);
  const auto index = static_cast<std::uint32_t>(faults_.size() - 1);
  push(fault.at, {.kind = Kind::fault_begins, .wire = index});
}

void World::begin(const Fault& fault, Duration lasts) {
  Fault from_now = fault;
  from_now.at = now_;
  from_now.lasts = lasts;
  add(from_now);
}

void World::run(Duration d) {
  const Duration until = now_ + d;
  Tally& tally = checks_.tally();
  std::uint64_t at_once = 0;
  while (!queue_.empty() && queue_.next_at() <= until) {
    if (queue_.next_at() > now_) at_once = 0;
    now_ = std::max(now_, queue_.next_at());
    const Happening h = queue_.pop();
    if (++at_once > kMostAtOnce) {
      violated(now_, "time stands still: kind " + std::to_string(static_cast<int>(h.kind)) +
                         " of node " + std::to_string(h.node));
    }
    ++tally.events;
    handle(h);
  }
  now_ = until;
}

void World::handle(const Happening& h) {
  switch (h.kind) {
    case Kind::tick:
      return tick(h);
    case Kind::segment:
      return segment(h);
    case Kind::ack:
      return ack(h);
    case Kind::timer:
      return timer(h);
    case Kind::syn:
      return syn(h);
    case Kind::syn_ack:
      return syn_ack(h);
    case Kind::syn_again:
      if (const Wire* w = find(h.wire, h.life); w != nullptr && w->syns == h.side) {
        send_syn(h.wire);
      }
      return;
    case Kind::reset:
      if (find(h.wire, h.life) != nullptr) deliver(h.wire, h.side, h.message);
      return;
    case Kind::app:
      return app(h);
    case Kind::deadline:
      return deadline(h);
    case Kind::closed:
      return closed(h);
    case Kind::fault_begins:
      return fault_begins(h.wire);
    case Kind::fault_ends:
      return fault_ends(h.wire);
    case Kind::fault_step:
      return fault_step(h.wire);
    case Kind::wake:
      return wake(h.node);
    case Kind::look:
      return look();
    case Kind::stranger:
      return stranger(h);
  }
}

void World::schedule_tick(std::uint16_t index) {
  Box& box = boxes_[index];
  const Instant next = box.node->next_tick();
  if (next == Instant::max()) return;
  const Duration at = std::max(when(box, next), now_);
  if (at >= box.tick_at) return;
  box.tick_at = at;
  push(at, {.kind = Kind::tick, .node = index, .life = box.boot});
}

void World::tick(const Happening& h) {
  Box& box = boxes_[h.node];
  if (box.node == nullptr || box.boot != h.life || box.tick_at != now_) return;
  box.tick_at = TcpFlow::kNever;
  if (!box.sleepers.empty()) return;
  box.node->tick(local(box));
  take(h.node, checks_.tally().events % kFullCheckEvery == 0 ? After::change : After::talk);
}

// A process that goes on finds its timers and its messages at once, in an order of chance.
void World::wake(std::uint16_t index) {
  Box& box = boxes_[index];
  if (!box.sleepers.empty() || box.node == nullptr) return;
  const std::uint32_t boot = box.boot;
  const bool timers_first = random_.below(2) == 0;
  const auto timers = [&] {
    if (box.node == nullptr || box.boot != boot) return;
    box.node->tick(local(box));
    take(index, After::change);
  };
  if (timers_first) timers();
  for (const Happening& h : std::exchange(box.backlog, {})) handle(h);
  if (!timers_first) timers();
}

void World::look() {
  push(now_ + kLookEvery, {.kind = Kind::look});
  for (std::uint16_t a = 0; a < size(); ++a) {
    if (!running(a)) continue;
    checks_.tally().node_time += static_cast<std::uint64_t>(seconds(kLookEvery));
    for (std::uint16_t b = static_cast<std::uint16_t>(a + 1); b < size(); ++b) {
      if (!running(b) || !options_.expect_heal || !checks_.healed(now_, a, b)) continue;
      if (checks_.sessions(a, b) == 1 && checks_.sessions(b, a) == 1) continue;
      // The harder rows of the table beat the pass; one side without one is enough.
      const auto may_wait = [&](std::uint16_t node, std::uint16_t target) {
        const auto view = boxes_[node].node->peer(address(target), local(boxes_[node]));
        if (!view || !view->last_end_reason || !view->next_attempt_at) return false;
        const Ladder ladder = outcome_row(*view->last_end_reason).ladder;
        const bool row = ladder == Ladder::after_tcp || ladder == Ladder::rejected;
        // And so does the hour's budget of failures after TCP, whatever the last end was.
        const bool budget = view->next_attempt_reason.find("within the hour") != std::string::npos;
        return (row || budget) && *view->next_attempt_at > local(boxes_[node]).wall;
      };
      if (may_wait(a, b) && may_wait(b, a)) {
        ++checks_.tally().hard_waits;
        continue;
      }
      violated(now_, "nodes " + std::to_string(a) + " and " + std::to_string(b) +
                         " are not connected though nothing is wrong any more: " + seen_by(a, b) +
                         "; " + seen_by(b, a));
    }
  }
}

std::string World::seen_by(std::uint16_t a, std::uint16_t b) const {
  const auto view = boxes_[a].node->peer(address(b), local(boxes_[a]));
  if (!view) return std::to_string(a) + " knows nothing";
  return std::to_string(a) + " is " + std::string(name_of(view->state)) + " after " +
         (view->last_end_reason ? std::string(name_of(*view->last_end_reason)) : "nothing") +
         ", next " +
         (view->next_attempt_at
              ? std::to_string((*view->next_attempt_at - local(boxes_[a]).wall).count()) + " ms"
              : "none") +
         " (" + view->next_attempt_reason + "), sessions " + std::to_string(checks_.sessions(a, b));
}

bool World::connected(std::uint16_t a, std::uint16_t b) const {
  return running(a) && running(b) && boxes_[a].node->connected(address(b)) &&
         boxes_[b].node->connected(address(a));
}

std::size_t World::missing_pairs() const {
  std::size_t missing = 0;
  for (std::uint16_t a = 0; a < size(); ++a) {
    for (std::uint16_t b = static_cast<std::uint16_t>(a + 1); b < size(); ++b) {
      if (running(a) && running(b) && !connected(a, b)) ++missing;
    }
  }
  return missing;
}

}  // namespace timectl::sim
