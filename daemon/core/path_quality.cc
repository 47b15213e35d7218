#include "daemon/core/path_quality.h"

#include <algorithm>
#include <cmath>

namespace timectl {
namespace {

// A sample is so many segments, an average some four samples: about 5 minutes of 15 s pings.
constexpr std::uint64_t kSampleSegments = 16;
constexpr double kSampleWeight = 0.25;
// Loss p each way sends 1 - (1-p)^2 of the segments again: 0.30 is 16 % each way, 0.20 is 10 %.
// Between the two it stays what it was.
constexpr double kLossyFrom = 0.30;
constexpr double kFineBelow = 0.20;
constexpr double kSilenceHalfLife = 1800;  // seconds
constexpr double kFlowSpan = 60;           // seconds
// Retransmissions double from 0.2 s: this many in a row are over 1 s without an acknowledgement.
constexpr std::uint32_t kStalled = 3;
// Packets that may have been under way already when the path broke.
constexpr std::uint64_t kStragglers = 2;
// A peer is heard at least every 30 s (its pings), which is within this part of the 45 s after
// which a transport is dead.
constexpr std::int64_t kHeardQuarters = 3;

double decayed(double value, Duration age, double half_life) {
  return value * std::exp2(-seconds(age) / half_life);
}

// A path that takes small packets and swallows large ones without the ICMP that would say so: what
// was sent behind a full segment arrived, the segment itself did not, however often. Pings alone
// never fill a segment, so that plain loss does not look like it.
bool lost_by_size(const TransportFacts& facts) {
  return facts.held_by_peer > 0 && facts.segment_size > 0 &&
         facts.unacknowledged >= facts.segment_size;
}

}  // namespace

Silence judge_silence(const TransportFacts& facts, std::uint64_t arrived, Duration silent,
                      Duration patience) {
  const bool stalled = facts.unacknowledged > 0 && facts.retransmits_in_a_row >= kStalled;
  if (stalled) {
    const bool comes = arrived > kStragglers && facts.since_received < patience;
    if (comes && lost_by_size(facts)) return Silence::large_lost;
    return comes ? Silence::nothing_leaves : Silence::nothing_arrives;
  }
  if (silent < patience) return Silence::none;
  return facts.unacknowledged == 0 ? Silence::peer_mute : Silence::nothing_arrives;
}

Silence judge_death(const TransportFacts& facts, std::uint64_t arrived, Duration user_timeout) {
  const bool more_came = arrived > kStragglers;
  if (more_came && facts.since_received < user_timeout * kHeardQuarters / 4 &&
      lost_by_size(facts)) {
    return Silence::large_lost;
  }
  const bool comes = more_came && facts.since_received < user_timeout / 2;
  return comes ? Silence::nothing_leaves : Silence::nothing_arrives;
}

std::string_view meaning_of(Silence silence) {
  switch (silence) {
    case Silence::none:
      return "";
    case Silence::peer_mute:
      return "its kernel acknowledges, its program says nothing";
    case Silence::nothing_arrives:
      return "nothing arrives from it: the path from it, or both ways";
    case Silence::nothing_leaves:
      return "packets came from it since, so ours do not arrive";
    case Silence::large_lost:
      return "path_mtu: small packets reach it, full-sized ones never do, and no router says so";
  }
  return "";
}

void PathQuality::transport(const TransportFacts& facts) {
  // Totals that went backwards are another connection's.
  if (facts.segments_sent >= sent_ && facts.segments_retransmitted >= again_) {
    sample_sent_ += facts.segments_sent - sent_;
    sample_again_ += facts.segments_retransmitted - again_;
  }
  sent_ = facts.segments_sent;
  again_ = facts.segments_retransmitted;
  if (sample_sent_ < kSampleSegments) return;
  const double share =
      std::min(1.0, static_cast<double>(sample_again_) / static_cast<double>(sample_sent_));
  sample_sent_ = sample_again_ = 0;
  const double before = retransmitted_.value_or(0);  // a first bad sample alone proves little
  retransmitted_ = before + (share - before) * kSampleWeight;
  if (*retransmitted_ >= kLossyFrom) lossy_ = true;
  if (*retransmitted_ < kFineBelow) lossy_ = false;
}

void PathQuality::silence(Duration length, Instant now) {
  const double level = seconds(usual_silence(now));
  silence_ = level + std::max(0.0, seconds(length) - level) / 2;
  silence_at_ = now;
}

Duration PathQuality::usual_silence(Instant now) const {
  if (silence_ <= 0) return {};
  const double level = decayed(silence_, std::max(now - silence_at_, Duration{}), kSilenceHalfLife);
  return Duration(static_cast<Duration::rep>(level * 1e6));
}

void PathQuality::flowed(std::uint64_t bytes, Instant now) {
  flow_ = bytes_per_second(now) + static_cast<double>(bytes) / kFlowSpan;
  flow_at_ = now;
}

double PathQuality::bytes_per_second(Instant now) const {
  if (flow_ <= 0) return 0;
  const double age = std::max(0.0, seconds(now - flow_at_));
  return flow_ * std::exp(-age / kFlowSpan);
}

double PathQuality::patience(Duration timeout, double limit, Instant now) const {
  if (silence_ <= 0 || timeout <= Duration{}) return 1;
  const double needed = 2 * seconds(usual_silence(now));
  return std::clamp(needed / seconds(timeout), 1.0, std::max(limit, 1.0));
}

}  // namespace timectl
