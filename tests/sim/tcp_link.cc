#include "tests/sim/tcp_link.h"

#include <algorithm>

#include "daemon/core/random.h"

namespace timectl::sim {

TcpLink::TcpLink(const LinkOptions& options) : options_(options) {
  renew();
}

void TcpLink::renew() {
  ++life_;
  for (TcpFlow& flow : flows_) flow.open(options_.user_timeout, 2 * options_.latency);
}

double TcpLink::chance(std::uint8_t side, std::uint64_t salt) const {
  const auto time = static_cast<std::uint64_t>(now_.count());
  Random random(options_.seed * 0x9e3779b97f4a7c15U ^ (time * 4 + side * 2U + salt));
  (void)random.next();
  return random.unit();
}

bool TcpLink::passes(std::uint8_t side) const {
  return !cut_[side] && (options_.loss == 0 || chance(side, 0) >= options_.loss);
}

Duration TcpLink::delay(std::uint8_t side) const {
  const double more = chance(side, 1) * static_cast<double>(options_.jitter.count());
  return options_.latency + Duration(static_cast<Duration::rep>(more));
}

void TcpLink::cut(bool first_way, bool second_way) {
  cut_ = {first_way, second_way};
}

void TcpLink::wake_at(std::uint8_t side, Duration at) {
  wake_[side] = std::max(at, now_);
  queue_.push(wake_[side], {.kind = Kind::wake, .side = side});
}

void TcpLink::write(std::uint8_t side, const Message& message) {
  if (const auto segment = flows_[side].write(message, now_)) transmit(side, *segment);
}

void TcpLink::transmit(std::uint8_t side, Segment segment) {
  flows_[1U - side].stamp(segment);
  segment.sent = now_;
  if (!passes(side)) return lost();
  Duration& last = flows_[side].last_arrival;
  last = std::max(now_ + delay(side), last);
  queue_.push(last, {.kind = Kind::segment, .side = side, .life = life_, .segment = segment});
}

void TcpLink::lost() {
  for (std::uint8_t side = 0; side < 2; ++side) {
    if (const auto at = flows_[side].arm(now_)) {
      queue_.push(*at, {.kind = Kind::timer, .side = side, .life = life_});
    }
  }
}

void TcpLink::bare_ack(std::uint8_t side, Kind kind, bool at_once) {
  Segment stamp;
  flows_[side].stamp(stamp);
  const auto back = static_cast<std::uint8_t>(1U - side);
  if (!passes(back)) return lost();
  const Duration at = now_ + (at_once ? Duration::zero() : TcpFlow::kDelayedAck) + delay(back);
  if (kind == Kind::ack && !flows_[side].recovering()) {
    flows_[side].expect_ack(stamp.ack, stamp.echo, at);
  } else {
    queue_.push(at, {.kind = kind, .side = side, .life = life_, .segment = stamp});
  }
}

void TcpLink::arrive(const Happening& h) {
  const auto to = static_cast<std::uint8_t>(1U - h.side);
  if (cut_[h.side]) return lost();
  TcpFlow& flow = flows_[h.side];
  const auto arrival = flow.receive(h.segment);
  if (const auto queued = flows_[to].on_ack(h.segment.ack, h.segment.echo, now_)) {
    transmit(to, *queued);
  }
  if (arrival == TcpFlow::Arrival::gap) return bare_ack(h.side, Kind::duplicate, true);
  while (life_ == h.life && flow.has_message()) on_message(to, flow.take_message());
  if (life_ != h.life) return;
  const bool old = arrival == TcpFlow::Arrival::old;
  if (old || flow.owes_ack()) bare_ack(h.side, Kind::ack, old);
}

void TcpLink::handle(const Happening& h) {
  if (h.kind == Kind::wake) {
    if (wake_[h.side] != now_) return;
    wake_[h.side] = TcpFlow::kNever;
    return on_wake(h.side);
  }
  if (h.life != life_) return;
  TcpFlow& flow = flows_[h.side];
  switch (h.kind) {
    case Kind::segment:
      return arrive(h);
    case Kind::ack:
    case Kind::duplicate: {
      if (cut_[1U - h.side]) return lost();
      const auto segment = h.kind == Kind::ack ? flow.on_ack(h.segment.ack, h.segment.echo, now_)
                                               : flow.on_duplicate_ack(h.segment.ack, now_);
      if (segment) transmit(h.side, *segment);
      return;
    }
    default:
      break;
  }
  switch (flow.on_timer(now_)) {
    case TcpFlow::Timer::nothing:
      return;
    case TcpFlow::Timer::again:
      queue_.push(flow.timer_at(), h);
      return;
    case TcpFlow::Timer::retransmit:
      return transmit(h.side, flow.retransmission());
    case TcpFlow::Timer::dead:
      return on_dead(h.side);
  }
}

void TcpLink::run_until(Duration end) {
  stopped_ = false;
  while (!stopped_ && !queue_.empty() && queue_.next_at() <= end) {
    now_ = std::max(now_, queue_.next_at());
    handle(queue_.pop());
  }
  if (!stopped_) now_ = std::max(now_, end);
}

}  // namespace timectl::sim
