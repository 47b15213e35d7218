#pragma once
// SNTP client (RFC 4330 over UDP): how far this clock is from the time servers'. Blocking, for a
// thread of its own; all servers are asked at once. An answer counts only with our own transmit
// time stamp in it, stratum 1 to 15, mode 4, and no alarm; what is further from the others than
// they from each other is left out (median).

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/core/time.h"
#include "daemon/diagnose/node_facts.h"

namespace timectl::probe {

struct SntpRequest {
  std::vector<std::string> servers = {};  // "HOST", "HOST:PORT", "[V6]:PORT"; at most 8
  Duration timeout = std::chrono::seconds(3);
};
// Fills ntp_seconds, ntp_asked and ntp_answered of `clock`.
void ask_time_servers(const SntpRequest& request, std::function<Now()> now, std::stop_token stop,
                      diagnose::ClockFacts& clock);

// The offset that one answer proves: our clock less the server's, in seconds; none where it is no
// valid answer to the request. For tests and the fuzz target.
[[nodiscard]] std::optional<double> sntp_offset(std::span<const std::uint8_t> answer,
                                                std::uint64_t our_transmit_stamp, WallTime sent,
                                                WallTime received);

}  // namespace timectl::probe
