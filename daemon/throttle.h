#pragma once
// How often what peers cause is written down, so that nobody fills the disk by knocking (FT-S20):
// of strangers one line a minute for the same thing of the same peer, and a bound over all of them;
// of whitelisted peers, which no connection rate holds back, many more than an honest one causes,
// and without that bound. Pure; the recorder asks it before it logs or stores anything about a
// peer. What was left out is counted and said with the next line that passes.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/core/time.h"

namespace timectl {

struct ThrottleLimits {
  Duration interval = std::chrono::minutes(1);
  std::size_t per_interval = 120;    // over all strangers: about 20 KiB a minute
  std::size_t table = 4096;          // (kind, peer) pairs of strangers remembered
  std::size_t per_whitelisted = 20;  // of one kind of one whitelisted peer, in an interval
};

class Throttle {
 public:
  explicit Throttle(ThrottleLimits limits) : limits_(limits) {}

  // The number of like events left out since the last one that passed, or none: leave it out.
  [[nodiscard]] std::optional<std::uint64_t> admit(const Event& event, Instant now);
  // Events left out because of the bound over all; reset by the call.
  [[nodiscard]] std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }

 private:
  struct Seen {
    Instant passed_at;
    std::uint64_t left_out = 0;
    std::size_t passed = 0;  // since passed_at; of whitelisted peers only
  };
  using Key = std::pair<EventKind, IpAddress>;
  void begin_interval(Instant now);
  [[nodiscard]] std::optional<std::uint64_t> admit_whitelisted(const Key& key, Instant now);
  ThrottleLimits limits_;
  std::map<Key, Seen> seen_;
  std::map<Key, Seen> whitelisted_;  // bounded by the whitelist
  std::optional<Instant> interval_began_;
  std::size_t passed_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace timectl
