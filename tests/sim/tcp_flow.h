#pragma once
// TcpFlow: one direction of a TCP connection as the simulation sees it, sender and receiver in
// one. It models what decides about silences: retransmission after time-outs that double, one
// probe before them, the estimate of the round trip by time stamps (an acknowledgement that came
// late makes the next time-out long), head-of-line blocking, acknowledgements that are lost too,
// and TCP_USER_TIMEOUT. Where nothing is lost it costs no event beyond the arrival itself: an
// acknowledgement that will come is noted, not scheduled.
//
// The caller moves segments over the path and reports what is lost; see World::transmit().

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/core/path_quality.h"
#include "daemon/core/time.h"

namespace timectl::sim {

struct Message {
  std::uint64_t nonce = 0;
  std::uint8_t kind = 0;
};

// Sequence numbers count messages. A retransmission carries all that is unacknowledged, as the
// kernel's collapsing of small buffers makes it.
struct Segment {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t ack = 0;  // of the other direction, with the time stamp that it echoes
  Duration sent = {};
  Duration echo = {};
};

class TcpFlow {
 public:
  static constexpr Duration kNever = Duration::max();
  static constexpr Duration kLeastRto = std::chrono::milliseconds(200);
  static constexpr Duration kMostRto = std::chrono::seconds(120);
  static constexpr Duration kDelayedAck = std::chrono::milliseconds(40);
  // tcp_retries2 = 15 with the least time-out, which is what the kernel computes with.
  static constexpr Duration kRetriesEnd = std::chrono::milliseconds(924'600);

  // user_timeout zero: none, the kernel's tcp_retries2 ends it.
  void open(Duration user_timeout, Duration round_trip);

  // --- the sender. A returned segment is to be transmitted now.
  [[nodiscard]] std::optional<Segment> write(const Message& message, Duration now);
  [[nodiscard]] std::optional<Segment> on_ack(std::uint32_t ack, Duration echo, Duration now);
  [[nodiscard]] std::optional<Segment> on_duplicate_ack(std::uint32_t ack, Duration now);
  // An acknowledgement that is sure to arrive; only where !recovering(), else schedule on_ack().
  void expect_ack(std::uint32_t ack, Duration echo, Duration at);
  // Something of this connection was lost: when the timer has to fire, none where it is set.
  [[nodiscard]] std::optional<Duration> arm(Duration now);
  enum class Timer : std::uint8_t { nothing, again, retransmit, dead };
  [[nodiscard]] Timer on_timer(Duration now);
  [[nodiscard]] Segment retransmission() const { return {una_, nxt_, 0, {}, {}}; }
  [[nodiscard]] bool recovering() const { return lost_; }
  [[nodiscard]] bool idle(Duration now);  // all that was written is acknowledged
  [[nodiscard]] Duration rto() const { return rto_; }
  [[nodiscard]] Duration timer_at() const { return timer_; }
  void set_user_timeout(Duration timeout) { user_timeout_ = timeout; }
  void heard(Duration now) {  // a packet of the peer, for facts()
    ++heard_;
    heard_at_ = now;
  }
  // What TCP_INFO would say to the sender. The times count from the beginning where nothing came.
  [[nodiscard]] TransportFacts facts(Duration now);

  // --- the receiver.
  enum class Arrival : std::uint8_t { fresh, old, gap };
  [[nodiscard]] Arrival receive(const Segment& segment);
  [[nodiscard]] bool has_message() const { return taken_ != rcv_; }
  [[nodiscard]] Message take_message() { return ring_[taken_++ & (ring_.size() - 1)]; }
  // What the next packet of the other direction says of this one.
  void stamp(Segment& segment) {
    segment.ack = acked_ = rcv_;
    segment.echo = recent_;
  }
  [[nodiscard]] bool owes_ack() const { return acked_ != rcv_; }

  Duration last_arrival = {};  // the caller's: TCP shows no reordering

 private:
  void settle(Duration now);
  void acknowledged(std::uint32_t ack, Duration echo, Duration at);
  void sample(Duration round_trip);

  std::vector<Message> ring_;
  std::uint32_t sent_ = 0;  // written by the application
  std::uint32_t nxt_ = 0;   // transmitted at least once
  std::uint32_t una_ = 0;   // acknowledged
  std::uint32_t rcv_ = 0;   // arrived in order
  std::uint32_t taken_ = 0;
  std::uint32_t acked_ = 0;  // the last acknowledgement that was sent
  std::uint32_t rtt_seq_ = 0;
  std::uint32_t pending_ack_ = 0;
  bool lost_ = false;    // after a time-out, until acknowledged
  bool probed_ = false;  // the tail loss probe is used up
  bool fast_ = false;    // retransmitted because of a duplicate acknowledgement
  int backoff_ = 0;
  std::uint64_t segments_ = 0;  // transmitted, and of these again
  std::uint64_t again_ = 0;
  std::uint64_t heard_ = 0;
  Duration heard_at_ = {};
  Duration since_ = {};  // of the oldest unacknowledged message
  Duration last_sent_ = {};
  Duration timer_ = kNever;
  Duration recent_ = {};  // time stamp to echo
  Duration pending_at_ = kNever;
  Duration pending_echo_ = {};
  Duration user_timeout_ = {};
  Duration rto_ = std::chrono::seconds(1);
  Duration::rep srtt_ = 0;  // Linux' scaling: 8 times the mean
  Duration::rep mdev_ = 0;  // 4 times the mean deviation
  Duration::rep mdev_max_ = 0;
  Duration::rep rttvar_ = 0;
};

}  // namespace timectl::sim
