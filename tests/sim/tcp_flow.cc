#include "tests/sim/tcp_flow.h"

#include <algorithm>

namespace timectl::sim {

void TcpFlow::open(Duration user_timeout, Duration round_trip) {
  *this = TcpFlow{};
  user_timeout_ = user_timeout;
  ring_.resize(4);
  sample(round_trip);
}

std::optional<Segment> TcpFlow::write(const Message& message, Duration now) {
  settle(now);
  if (sent_ - taken_ == ring_.size()) {
    std::vector<Message> larger(ring_.size() * 2);
    for (std::uint32_t i = taken_; i != sent_; ++i) {
      larger[i & (larger.size() - 1)] = ring_[i & (ring_.size() - 1)];
    }
    ring_ = std::move(larger);
  }
  ring_[sent_++ & (ring_.size() - 1)] = message;
  if (lost_) return std::nullopt;  // a window of one: it waits for the acknowledgement
  if (una_ == nxt_) since_ = now;
  last_sent_ = now;
  ++segments_;
  return Segment{std::exchange(nxt_, sent_), sent_, 0, {}, {}};
}

void TcpFlow::acknowledged(std::uint32_t ack, Duration echo, Duration at) {
  if (ack <= una_) return;
  una_ = ack;
  sample(at - echo);
  heard(at);
  lost_ = probed_ = fast_ = false;
  backoff_ = 0;
  since_ = last_sent_;
  if (una_ == nxt_) timer_ = kNever;
}

void TcpFlow::settle(Duration now) {
  if (pending_at_ > now) return;
  const Duration at = std::exchange(pending_at_, kNever);
  acknowledged(pending_ack_, pending_echo_, at);
}

void TcpFlow::expect_ack(std::uint32_t ack, Duration echo, Duration at) {
  settle(at);
  if (pending_at_ != kNever && pending_ack_ >= ack) return;
  pending_ack_ = ack;
  pending_echo_ = echo;
  pending_at_ = at;
}

std::optional<Segment> TcpFlow::on_ack(std::uint32_t ack, Duration echo, Duration now) {
  settle(now);
  acknowledged(ack, echo, now);
  if (lost_ || nxt_ == sent_) return std::nullopt;
  if (una_ == nxt_) since_ = now;
  last_sent_ = now;
  ++segments_;
  return Segment{std::exchange(nxt_, sent_), sent_, 0, {}, {}};
}

std::optional<Segment> TcpFlow::on_duplicate_ack(std::uint32_t ack, Duration now) {
  settle(now);
  if (lost_ || fast_ || ack != una_ || una_ == nxt_) return std::nullopt;
  fast_ = true;
  last_sent_ = now;
  ++segments_;
  ++again_;
  return retransmission();
}

std::optional<Duration> TcpFlow::arm(Duration now) {
  settle(now);
  if (una_ == nxt_ || timer_ != kNever) return std::nullopt;
  if (pending_at_ != kNever && pending_ack_ == nxt_) return std::nullopt;
  Duration wait = rto_;
  if (lost_ || probed_) {
    for (int i = 0; i < backoff_ && wait < kMostRto; ++i) wait *= 2;
    wait = std::min(wait, kMostRto);
  } else {  // the tail loss probe: two round trips and the longest delayed acknowledgement
    wait = std::min(Duration(srtt_ / 4) + kLeastRto, rto_);
  }
  timer_ = std::max(last_sent_ + wait, now);
  if (user_timeout_ > Duration::zero()) {
    timer_ = std::max(std::min(timer_, since_ + user_timeout_), now);
  }
  return timer_;
}

TcpFlow::Timer TcpFlow::on_timer(Duration now) {
  if (timer_ != now) return Timer::nothing;
  timer_ = kNever;
  settle(now);
  if (una_ == nxt_) return Timer::nothing;
  if (pending_at_ != kNever) {  // its acknowledgement is on the way
    timer_ = pending_at_;
    return Timer::again;
  }
  const Duration limit = user_timeout_ > Duration::zero() ? user_timeout_ : kRetriesEnd;
  if (now - since_ >= limit) return Timer::dead;
  if (lost_ || probed_) {
    lost_ = true;
    ++backoff_;
  } else {
    probed_ = true;
  }
  last_sent_ = now;
  ++segments_;
  ++again_;
  return Timer::retransmit;
}

TransportFacts TcpFlow::facts(Duration now) {
  settle(now);
  TransportFacts facts;
  facts.segments_sent = segments_;
  facts.segments_retransmitted = again_;
  facts.segments_received = heard_;
  facts.unacknowledged = nxt_ - una_;  // messages: nought is what matters
  facts.retransmits_in_a_row = static_cast<std::uint32_t>(backoff_);
  facts.since_received = facts.since_data = now - heard_at_;
  return facts;
}

bool TcpFlow::idle(Duration now) {
  settle(now);
  return una_ == sent_;
}

TcpFlow::Arrival TcpFlow::receive(const Segment& segment) {
  if (segment.from > rcv_) return Arrival::gap;
  if (segment.from <= acked_) recent_ = std::max(recent_, segment.sent);
  if (segment.to <= rcv_) return Arrival::old;
  rcv_ = segment.to;
  return Arrival::fresh;
}

// tcp_rtt_estimator() of Linux: the mean deviation falls slowly when round trips get shorter.
void TcpFlow::sample(Duration round_trip) {
  Duration::rep m = std::max<Duration::rep>(round_trip.count(), 1);
  constexpr Duration::rep kLeast = kLeastRto.count();
  if (srtt_ == 0) {
    srtt_ = m * 8;
    mdev_ = m * 2;
    rttvar_ = mdev_max_ = std::max(mdev_, kLeast);
    rtt_seq_ = nxt_;
  } else {
    m -= srtt_ / 8;
    srtt_ += m;
    if (m < 0) {
      m = -m - mdev_ / 4;
      if (m > 0) m /= 8;
    } else {
      m -= mdev_ / 4;
    }
    mdev_ += m;
    if (mdev_ > mdev_max_) {
      mdev_max_ = mdev_;
      rttvar_ = std::max(rttvar_, mdev_max_);
    }
    if (una_ > rtt_seq_) {
      if (mdev_max_ < rttvar_) rttvar_ -= (rttvar_ - mdev_max_) / 4;
      rtt_seq_ = nxt_;
      mdev_max_ = kLeast;
    }
  }
  rto_ = std::min(Duration(srtt_ / 8 + rttvar_), kMostRto);
}

}  // namespace timectl::sim
