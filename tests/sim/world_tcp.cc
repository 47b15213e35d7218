// World: connections below the process: hosts, SYNs, segments, acknowledgements, resets.
#include <algorithm>

#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t kSynTries = 4;  // at 0, 1, 3 and 7 s; the shell gives up after 10 s

}  // namespace

Duration World::delay(const Path& p) {
  if (p.jitter == Duration::zero()) return p.latency;
  return p.latency + Duration(static_cast<Duration::rep>(random_.unit() *
                                                         static_cast<double>(p.jitter.count())));
}

bool World::passes(const Path& p) {
  return !p.cut && (p.loss == 0 || random_.unit() >= p.loss);
}

World::Wire* World::find(std::uint32_t wire, std::uint32_t life) {
  Wire& w = wires_[wire];
  return w.used && w.life == life ? &w : nullptr;
}

std::uint32_t World::new_wire(std::uint16_t from, std::uint16_t to) {
  std::uint32_t index = 0;
  if (free_wires_.empty()) {
    index = static_cast<std::uint32_t>(wires_.size());
    wires_.emplace_back();
  } else {
    index = free_wires_.back();
    free_wires_.pop_back();
  }
  Wire& w = wires_[index];
  w.used = true;
  ++w.life;
  w.syns = 0;
  w.established = false;
  w.ends = {End{.node = from}, End{.node = to}};
  const Duration round_trip = path(from, to).latency + path(to, from).latency;
  for (TcpFlow& flow : w.flows) flow.open(options_.policy.liveness.tcp_user_timeout, round_trip);
  return index;
}

void World::free_wire(std::uint32_t wire) {
  wires_[wire].used = false;
  free_wires_.push_back(wire);
}

// What the kernel still does for a connection that no process has is of no consequence, but for
// an acceptor that has not been told of it yet.
void World::release(std::uint32_t wire) {
  const Wire& w = wires_[wire];
  if (!w.used) return;
  if (w.ends[0].open || w.ends[1].open || w.ends[0].phase == Phase::connecting) return;
  const bool may_come = w.established && w.ends[0].phase != Phase::gone;
  if (w.ends[1].phase != Phase::connecting || !may_come) free_wire(wire);
}

void World::send_syn(std::uint32_t wire) {
  Wire& w = wires_[wire];
  if (w.ends[0].phase != Phase::connecting || w.syns >= kSynTries) return;
  const Path& p = path(w.ends[0].node, w.ends[1].node);
  if (passes(p)) push(now_ + delay(p), {.kind = Kind::syn, .wire = wire, .life = w.life});
  const Duration again = 1s * (1U << w.syns);
  ++w.syns;
  push(now_ + again, {.kind = Kind::syn_again, .side = w.syns, .wire = wire, .life = w.life});
}

void World::syn(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr || w->ends[0].phase != Phase::connecting) return;
  const Box& box = boxes_[w->ends[1].node];
  if (!box.powered) return;
  if (box.node == nullptr) {  // nobody listens: the host refuses
    send_reset(h.wire, 0);
    return;
  }
  const Path& back = path(w->ends[1].node, w->ends[0].node);
  w->ends[1].boot = box.boot;
  if (passes(back)) {
    push(now_ + delay(back), {.kind = Kind::syn_ack, .wire = h.wire, .life = h.life});
  }
}

void World::syn_ack(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr || w->ends[0].phase != Phase::connecting || !w->ends[0].open) return;
  // Through deliver(), because a process that sleeps does not see it yet.
  deliver(h.wire, 0, {0, static_cast<std::uint8_t>(Say::connected)});
}

void World::write(std::uint32_t wire, std::uint8_t side, Say say, std::uint64_t nonce) {
  const auto segment =
      wires_[wire].flows[side].write({nonce, static_cast<std::uint8_t>(say)}, now_);
  if (segment) transmit(wire, side, *segment);
}

void World::transmit(std::uint32_t wire, std::uint8_t side, Segment segment) {
  Wire& w = wires_[wire];
  TcpFlow& flow = w.flows[side];
  w.flows[1U - side].stamp(segment);
  segment.sent = now_;
  const Path& p = path(w.ends[side].node, w.ends[1U - side].node);
  if (!passes(p)) {
    lost(wire);
    return;
  }
  flow.last_arrival = std::max(now_ + delay(p), flow.last_arrival);
  push(flow.last_arrival,
       {.kind = Kind::segment, .side = side, .wire = wire, .life = w.life, .segment = segment});
}

// Some packet of the connection did not arrive: from now on its timers matter.
void World::lost(std::uint32_t wire) {
  Wire& w = wires_[wire];
  for (std::uint8_t side = 0; side < 2; ++side) {
    if (w.ends[side].phase == Phase::gone) continue;
    const auto at = w.flows[side].arm(now_);
    if (at) push(*at, {.kind = Kind::timer, .side = side, .wire = wire, .life = w.life});
  }
}

void World::segment(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr) return;
  const std::uint8_t to = 1U - h.side;
  End& end = w->ends[to];
  const Box& box = boxes_[end.node];
  if (path(w->ends[h.side].node, end.node).cut || !box.powered) {
    lost(h.wire);
    return;
  }
  if (end.phase == Phase::gone || (end.boot != box.boot && end.phase != Phase::closed)) {
    end.phase = Phase::gone;
    send_reset(h.wire, h.side);
    return release(h.wire);
  }
  TcpFlow& flow = w->flows[h.side];
  TcpFlow& back = w->flows[to];
  back.heard(now_);
  const auto arrival = flow.receive(h.segment);
  if (const auto queued = back.on_ack(h.segment.ack, h.segment.echo, now_)) {
    transmit(h.wire, to, *queued);
  }
  if (arrival == TcpFlow::Arrival::gap) {
    bare_ack(h.wire, h.side, true, true);
    return;
  }
  while (flow.has_message()) {
    const Message message = flow.take_message();
    deliver(h.wire, to, message);
    if (find(h.wire, h.life) == nullptr) return;
  }
  const bool old = arrival == TcpFlow::Arrival::old;
  if (old || flow.owes_ack()) bare_ack(h.wire, h.side, false, old);
}

void World::bare_ack(std::uint32_t wire, std::uint8_t side, bool duplicate, bool at_once) {
  Wire& w = wires_[wire];
  TcpFlow& flow = w.flows[side];
  Segment stamp;
  flow.stamp(stamp);
  const Path& p = path(w.ends[1U - side].node, w.ends[side].node);
  if (!passes(p)) {
    lost(wire);
    return;
  }
  const Duration at = now_ + (at_once ? Duration::zero() : TcpFlow::kDelayedAck) + delay(p);
  if (duplicate || flow.recovering()) {
    push(at, {.kind = Kind::ack,
              .side = side,
              .node = duplicate,
              .wire = wire,
              .life = w.life,
              .segment = stamp});
  } else {
    flow.expect_ack(stamp.ack, stamp.echo, at);
  }
}

void World::ack(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr || w->ends[h.side].phase == Phase::gone) return;
  if (path(w->ends[1U - h.side].node, w->ends[h.side].node).cut) {
    lost(h.wire);
    return;
  }
  TcpFlow& flow = w->flows[h.side];
  const bool duplicate = h.node != 0;
  const auto segment = duplicate ? flow.on_duplicate_ack(h.segment.ack, now_)
                                 : flow.on_ack(h.segment.ack, h.segment.echo, now_);
  if (segment) transmit(h.wire, h.side, *segment);
}

void World::timer(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr || w->ends[h.side].phase == Phase::gone) return;
  if (!boxes_[w->ends[h.side].node].powered) return;
  TcpFlow& flow = w->flows[h.side];
  switch (flow.on_timer(now_)) {
    case TcpFlow::Timer::nothing:
      return;
    case TcpFlow::Timer::again:
      push(flow.timer_at(), h);
      return;
    case TcpFlow::Timer::retransmit:
      transmit(h.wire, h.side, flow.retransmission());
      return;
    case TcpFlow::Timer::dead:
      if (w->ends[h.side].phase == Phase::closed) {
        w->ends[h.side].phase = Phase::gone;
        return release(h.wire);
      }
      deliver(h.wire, h.side, {0, static_cast<std::uint8_t>(Say::dead)});
      return;
  }
}

void World::send_reset(std::uint32_t wire, std::uint8_t to) {
  const Wire& w = wires_[wire];
  const Path& p = path(w.ends[1U - to].node, w.ends[to].node);
  if (!passes(p)) {
    lost(wire);
    return;
  }
  push(now_ + delay(p), {.kind = Kind::reset,
                         .side = to,
                         .wire = wire,
                         .life = w.life,
                         .message = {0, static_cast<std::uint8_t>(Say::reset)}});
}

}  // namespace timectl::sim
