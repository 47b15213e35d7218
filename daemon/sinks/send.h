#pragma once
// Sends messages to one sink, now: blocking, for the sink's own thread and for `alerts test`. Ends
// within the target's time limit whatever the other side does, or soon after `stop` is requested.
// Never throws. What it reports holds no part of a URL but its host.

#include <optional>
#include <stop_token>
#include <string>

#include "daemon/core/outbox.h"
#include "daemon/sinks/bodies.h"
#include "daemon/sinks/target.h"

namespace timectl::sinks {

inline constexpr std::size_t kMaxAnswer = 4096;  // bytes that are kept of it
// Alertmanager forgets an alert that is not sent again: a missed turn or two must not end it.
inline constexpr Duration kResend = std::chrono::seconds(60);
inline constexpr Duration kLasts = 4 * kResend;

struct SendReport {
  SendOutcome outcome = {};
  std::optional<long> status = {};      // of HTTP
  std::optional<int> exit_status = {};  // of a command; 128 + signal where it was killed
  std::string answer = {};              // the first bytes of the body or output
  Duration took = {};
};

[[nodiscard]] SendReport send(const SinkTarget& target, const Messages& messages, WallTime now,
                              std::stop_token stop = {});

}  // namespace timectl::sinks
