#pragma once
// PathQuality: what is known of the path to one peer (requirements L6), beyond one session: how
// much TCP had to send again, how long the silences were that ended by themselves, how much flows.
// The node keeps one per peer and stretches its time-outs by patience(), never below their defaults
// and never over LivenessPolicy::patience_limit times them. Pure; nobody else decides by it.
//
// Loss does not show as lost pongs: pings share one TCP stream, so 30 % loss each way loses none of
// them and makes silences of minutes (faults.md, the laboratory). So it is measured where it is:
// in the kernel's retransmissions.

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/core/policy.h"
#include "daemon/core/time.h"

namespace timectl {

// TCP_INFO of a connection, as far as it decides anything. Totals are since its beginning.
struct TransportFacts {
  std::uint64_t segments_sent = 0;  // with data, retransmissions among them
  std::uint64_t segments_retransmitted = 0;
  std::uint64_t segments_received = 0;  // any packet of the peer, an empty acknowledgement too
  std::uint64_t unacknowledged = 0;     // bytes
  std::uint32_t retransmits_in_a_row = 0;
  Duration since_received = {};    // a packet
  Duration since_data = {};        // a packet with data
  std::uint32_t held_by_peer = 0;  // segments that arrived behind one that did not (SACK)
  std::uint32_t segment_size = 0;  // bytes of data in a full segment
};

// Which way a silence is, as far as one end can tell.
enum class Silence : std::uint8_t {
  none,             // nothing waits for an acknowledgement for long
  peer_mute,        // its kernel acknowledges, its program says nothing
  nothing_arrives,  // from it to us, or both ways: this end cannot tell these apart
  nothing_leaves,   // its packets come, ours are not acknowledged
  large_lost,       // its packets come, small ones of ours arrive, a full-sized one never does
};
// `arrived`: packets of the peer since it last owed us no acknowledgement; `silent`: since the last
// byte that its program sent us; `patience`: what is too long.
[[nodiscard]] Silence judge_silence(const TransportFacts& facts, std::uint64_t arrived,
                                    Duration silent, Duration patience);
// Of a connection that the kernel gave up after `user_timeout` without an acknowledgement.
[[nodiscard]] Silence judge_death(const TransportFacts& facts, std::uint64_t arrived,
                                  Duration user_timeout);
[[nodiscard]] std::string_view meaning_of(Silence silence);  // for people; empty for none

class PathQuality {
 public:
  // A new session: its totals begin at nought.
  void session_began() { sent_ = again_ = 0; }
  void transport(const TransportFacts& facts);
  // A silence of the peer that it ended itself.
  void silence(Duration length, Instant now);
  void flowed(std::uint64_t bytes, Instant now);

  // Segments sent again of all segments sent, 0 to 1, over the last hundred or so; none before
  // the first measurement.
  [[nodiscard]] std::optional<double> retransmitted() const { return retransmitted_; }
  [[nodiscard]] bool lossy() const { return lossy_; }
  // How long its silences get, lately: one alone counts half.
  [[nodiscard]] Duration usual_silence(Instant now) const;
  [[nodiscard]] double bytes_per_second(Instant now) const;  // both ways, over the last minutes
  // 1 to `limit`: by how much a time-out of `timeout` shall be stretched for this path.
  [[nodiscard]] double patience(Duration timeout, double limit, Instant now) const;

 private:
  std::uint64_t sent_ = 0;  // of this session, as last seen
  std::uint64_t again_ = 0;
  std::uint64_t sample_sent_ = 0;  // not in the average yet
  std::uint64_t sample_again_ = 0;
  std::optional<double> retransmitted_;
  bool lossy_ = false;
  double silence_ = 0;  // seconds, at silence_at_
  Instant silence_at_ = {};
  double flow_ = 0;  // bytes a second, at flow_at_
  Instant flow_at_ = {};
};

}  // namespace timectl
