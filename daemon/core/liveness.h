#pragma once
// Liveness: the bookkeeping of one session's pings (requirements L1 to L4). It answers what to do
// now: keep, ping, or give up with the evidence. The node owns one per session and passes the
// rules at each call, because promotion and new numbers hold for open connections at once.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// What holds for one peer now.
struct LivenessRules {
  Duration ping_interval = {};
  Duration check_interval = {};  // give-up is decided on this grid, counted from the start
  std::size_t missed_pongs = 0;  // both conditions must hold (L3)
  Duration timeout = {};         // since the last byte received
  bool never = false;            // only a dead transport ends it
  bool suspects = false;         // masternodes: an extra ping after a silence (L4)
  Duration user_timeout = {};    // unacknowledged data for so long ends the transport (L3)
};
[[nodiscard]] LivenessRules liveness_rules(const LivenessPolicy& policy, bool masternode,
                                           LivenessProfile profile);

// Round trips of a session: a running mean for now, a bounded window for the summary.
class RttWindow {
 public:
  void add(Duration rtt);
  [[nodiscard]] std::optional<double> mean_ms() const;              // EWMA, 1/8 a sample
  [[nodiscard]] std::optional<double> deviation_ms() const;         // EWMA of |x - mean|, 1/4
  [[nodiscard]] std::optional<double> quantile_ms(double q) const;  // nearest rank, 0 < q <= 1
  [[nodiscard]] std::optional<double> last_ms() const;

 private:
  static constexpr std::size_t kSamples = 256;  // about an hour of masternode pings
  std::array<float, kSamples> ms_{};
  std::size_t count_ = 0;  // ever added
  double mean_ = 0;
  double deviation_ = 0;
};

class Liveness {
 public:
  enum class Answer : std::uint8_t { keep, ping_now, unresponsive };

  explicit Liveness(Instant start) : start_(start), last_heard_(start) {}

  void heard(Instant now);  // any bytes of the peer
  // This process stood still for so long: that time does not count against the peer.
  void forgive(Duration stood_still, Instant now);
  void pinged(std::uint64_t nonce, Instant now);
  void probed(std::uint64_t nonce, Instant now);  // a ping beside the cadence (S4)
  // The round trip of the ping that it answers, late ones too; none for a nonce that is not ours.
  std::optional<Duration> pong(std::uint64_t nonce, Instant now);

  // Call when next_due() has come. ping_now: send one and tell pinged(). Each ping that is
  // unanswered when the next is due counts as missed; extra pings to a suspect do not count.
  [[nodiscard]] Answer check(const LivenessRules& rules, Instant now);
  [[nodiscard]] Instant next_due(const LivenessRules& rules) const;

  // Silent for longer than one interval, with a ping out: not down, but looked at (L4).
  [[nodiscard]] bool suspect(const LivenessRules& rules, Instant now) const;
  // Talks, but has left as many pings unanswered as would end a silent session (L3).
  [[nodiscard]] bool mute(const LivenessRules& rules) const;
  [[nodiscard]] std::string evidence(Instant now) const;  // one line, for people

  [[nodiscard]] std::size_t missed() const { return missed_; }  // in a row, now
  [[nodiscard]] std::uint64_t missed_total() const { return missed_total_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }  // regular pings
  [[nodiscard]] Instant last_heard() const { return last_heard_; }
  [[nodiscard]] Instant start() const { return start_; }
  [[nodiscard]] const RttWindow& rtt() const { return rtt_; }

 private:
  struct Ping {
    std::uint64_t nonce;
    Instant sent;
  };
  static constexpr std::size_t kPending = 32;  // older unanswered pings are forgotten

  [[nodiscard]] Instant ping_due(const LivenessRules& rules) const;
  [[nodiscard]] std::optional<Instant> suspect_at(const LivenessRules& rules) const;
  [[nodiscard]] std::optional<Instant> give_up_at(const LivenessRules& rules) const;

  Instant start_;
  Instant last_heard_;
  std::optional<Instant> last_ping_;  // on the regular cadence
  bool last_ping_answered_ = false;
  std::optional<Instant> unanswered_since_;  // the first ping since anything was heard
  bool extra_ping_next_ = false;             // the ping_now just given was for a suspect
  bool extra_ping_sent_ = false;             // one per silence
  std::deque<Ping> pending_;
  std::size_t missed_ = 0;
  std::uint64_t missed_total_ = 0;
  std::uint64_t sent_ = 0;
  RttWindow rtt_;
};

}  // namespace timectl
