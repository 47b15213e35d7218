#include "daemon/control/limits.h"

#include <algorithm>

namespace timectl::control {

Limits limits_of(const Limits& limits, bool may_change) {
  auto own = limits;
  if (!may_change) own.request_line = std::min(limits.request_line, limits.reader_line);
  return own;
}

bool admits(const Limits& limits, std::size_t clients, std::size_t of_uid, bool privileged) {
  if (of_uid >= limits.clients_per_uid) return false;
  return clients < (privileged ? limits.clients : limits.clients - limits.reserved);
}

Budget::Budget(const Limits& limits, bool privileged, Instant now)
    : share_(privileged ? limits.share_privileged : limits.share),
      burst_(limits.burst),
      minimum_(limits.call_minimum),
      left_(limits.burst),
      at_(now) {}

void Budget::refill(Instant now) {
  if (now <= at_) return;
  // Capped before the multiplication: a suspended host must not overflow it.
  const auto gap = std::min<Duration>(now - at_, 1h);
  left_ = std::min(
      burst_,
      left_ + Duration(static_cast<Duration::rep>(static_cast<double>(gap.count()) * share_)));
  at_ = now;
}

Duration Budget::wait(Instant now) {
  refill(now);
  if (left_ > Duration::zero()) return Duration::zero();
  return Duration(static_cast<Duration::rep>(static_cast<double>(-left_.count() + 1) / share_)) +
         1us;
}

void Budget::charge(Duration took, Instant now) {
  refill(now);  // first: the call's own time must not pay for the debt it makes
  // The debt is bounded: one slow disk must not lock a user out for minutes.
  left_ = std::max(left_ - std::max(took, minimum_), -burst_);
}

}  // namespace timectl::control
