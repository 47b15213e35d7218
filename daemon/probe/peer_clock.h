#pragma once
// PeerClock: how far a peer's clock is from ours, from the whole seconds in its pongs. Each pong
// gives an interval (the peer read its clock between our ping and its pong's arrival, and cut it to
// a second); what all of them allow is narrower than each. The visit of a probe fills it.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "daemon/core/time.h"

namespace timectl::probe {

class PeerClock {
 public:
  void on_pong(std::int64_t timestamp, WallTime pinged, WallTime received) {
    // No clock is wrong by millennia: such a number is no time.
    constexpr std::int64_t kMost = 100'000'000'000;
    if (timestamp < -kMost || timestamp > kMost) return;
    const auto at = static_cast<double>(timestamp);
    const double low = at - unix_seconds(received);
    const double high = at + 1 - unix_seconds(pinged);
    // Pongs that contradict each other: the clock was set meanwhile, or the peer invents them. The
    // last one is as good as any.
    const bool agrees = known_ && low <= high_ && high >= low_;
    low_ = agrees ? std::max(low, low_) : low;
    high_ = agrees ? std::min(high, high_) : high;
    known_ = true;
  }

  // Its clock less ours.
  [[nodiscard]] std::optional<double> seconds_ahead() const {
    if (!known_) return std::nullopt;
    return (low_ + high_) / 2;
  }

 private:
  static double unix_seconds(WallTime at) {
    return static_cast<double>(at.time_since_epoch().count()) / 1e3;
  }
  bool known_ = false;
  double low_ = 0;
  double high_ = 0;
};

}  // namespace timectl::probe
