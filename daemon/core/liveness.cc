#include "daemon/core/liveness.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace timectl {
namespace {

using namespace std::chrono_literals;

}  // namespace

LivenessRules liveness_rules(const LivenessPolicy& policy, bool masternode,
                             LivenessProfile profile) {
  LivenessRules rules;
  rules.check_interval = policy.timeout_check_interval;
  rules.user_timeout = policy.tcp_user_timeout;
  if (!masternode) {
    rules.ping_interval = policy.ping_interval;
    rules.missed_pongs = policy.regular_missed_pongs;
    rules.timeout = policy.regular_timeout;
    return rules;
  }
  const bool lenient = profile == LivenessProfile::lenient;
  rules.ping_interval = policy.keepalive_interval;
  rules.missed_pongs = lenient ? policy.lenient_missed_pongs : policy.masternode_missed_pongs;
  rules.timeout = lenient ? policy.lenient_timeout : policy.masternode_timeout;
  rules.never = profile == LivenessProfile::never;
  rules.suspects = true;
  return rules;
}

void RttWindow::add(Duration rtt) {
  const double ms = std::max(0.0, static_cast<double>(rtt.count()) / 1e3);
  // RFC 6298, section 2: the deviation first, from the mean as it was.
  deviation_ = count_ == 0 ? ms / 2 : deviation_ + (std::abs(ms - mean_) - deviation_) / 4;
  mean_ = count_ == 0 ? ms : mean_ + (ms - mean_) / 8;
  ms_[count_ % kSamples] = static_cast<float>(ms);
  ++count_;
}

std::optional<double> RttWindow::mean_ms() const {
  if (count_ == 0) return std::nullopt;
  return mean_;
}

std::optional<double> RttWindow::deviation_ms() const {
  if (count_ == 0) return std::nullopt;
  return deviation_;
}

std::optional<double> RttWindow::last_ms() const {
  if (count_ == 0) return std::nullopt;
  return ms_[(count_ - 1) % kSamples];
}

std::optional<double> RttWindow::quantile_ms(double q) const {
  if (count_ == 0) return std::nullopt;
  std::vector<float> sorted(ms_.begin(),
                            ms_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, kSamples)));
  std::sort(sorted.begin(), sorted.end());
  const double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void Liveness::heard(Instant now) {
  last_heard_ = std::max(last_heard_, now);
  extra_ping_sent_ = false;
  unanswered_since_.reset();
}

void Liveness::forgive(Duration stood_still, Instant now) {
  const auto later = [&](Instant& at) { at = std::min(at + stood_still, now); };
  later(last_heard_);
  if (last_ping_) later(*last_ping_);
  if (unanswered_since_) later(*unanswered_since_);
  for (auto& ping : pending_) later(ping.sent);
}

void Liveness::probed(std::uint64_t nonce, Instant now) {
  pending_.push_back({nonce, now});
  if (!unanswered_since_) unanswered_since_ = now;
  if (pending_.size() > kPending) pending_.pop_front();
}

void Liveness::pinged(std::uint64_t nonce, Instant now) {
  probed(nonce, now);
  if (extra_ping_next_) {
    extra_ping_next_ = false;
    return;
  }
  ++sent_;
  last_ping_ = now;
  last_ping_answered_ = false;
}

std::optional<Duration> Liveness::pong(std::uint64_t nonce, Instant now) {
  heard(now);
  const auto it = std::find_if(pending_.begin(), pending_.end(),
                               [&](const Ping& p) { return p.nonce == nonce; });
  if (it == pending_.end()) return std::nullopt;
  const Duration rtt = now - it->sent;
  rtt_.add(rtt);
  // Any answer, to an extra ping or a late one too, shows that the peer answers.
  missed_ = 0;
  if (last_ping_ && it->sent >= *last_ping_) last_ping_answered_ = true;
  pending_.erase(it);
  return rtt;
}

Liveness::Answer Liveness::check(const LivenessRules& rules, Instant now) {
  bool ping = false;
  if (now >= ping_due(rules)) {
    if (last_ping_ && !last_ping_answered_) {
      ++missed_;
      ++missed_total_;
    }
    ping = true;
  }
  const auto give_up = give_up_at(rules);
  if (give_up && now >= *give_up) return Answer::unresponsive;
  if (ping) {
    extra_ping_next_ = false;
    return Answer::ping_now;
  }
  if (suspect(rules, now) && !extra_ping_sent_) {
    extra_ping_sent_ = true;
    extra_ping_next_ = true;
    return Answer::ping_now;
  }
  return Answer::keep;
}

Instant Liveness::next_due(const LivenessRules& rules) const {
  Instant due = ping_due(rules);
  if (const auto at = suspect_at(rules); at && !extra_ping_sent_) due = std::min(due, *at);
  if (const auto at = give_up_at(rules)) due = std::min(due, *at);
  return due;
}

Instant Liveness::ping_due(const LivenessRules& rules) const {
  return last_ping_ ? *last_ping_ + rules.ping_interval : start_;
}

// A pong that is merely on its way is no silence: the ping gets some round trips' time, at most a
// third of the interval, so that a dead path shows within 4/3 of it.
std::optional<Instant> Liveness::suspect_at(const LivenessRules& rules) const {
  if (!rules.suspects || !unanswered_since_) return std::nullopt;
  const Duration round_trip(static_cast<Duration::rep>(4e3 * rtt_.mean_ms().value_or(0)));
  const Duration longest = rules.ping_interval / 3;
  const Duration grace = std::min(std::max<Duration>(1s, round_trip), longest);
  // Strictly longer than one interval.
  return std::max(last_heard_ + rules.ping_interval + 1us, *unanswered_since_ + grace);
}

std::optional<Instant> Liveness::give_up_at(const LivenessRules& rules) const {
  if (rules.never || missed_ < rules.missed_pongs) return std::nullopt;
  const Duration silent_at = last_heard_ + rules.timeout - start_;
  if (rules.check_interval <= Duration::zero()) return start_ + silent_at;
  const auto steps = (silent_at + rules.check_interval - 1us) / rules.check_interval;
  return start_ + steps * rules.check_interval;
}

bool Liveness::suspect(const LivenessRules& rules, Instant now) const {
  const auto at = suspect_at(rules);
  return at && now >= *at;
}

bool Liveness::mute(const LivenessRules& rules) const {
  return missed_ >= rules.missed_pongs;
}

std::string Liveness::evidence(Instant now) const {
  return std::to_string(missed_) + " missed pongs, nothing received for " +
         human_duration(now - last_heard_);
}

}  // namespace timectl
