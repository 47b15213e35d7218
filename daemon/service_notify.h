#pragma once
// What a service manager is told (systemd's sd_notify protocol: one datagram to $NOTIFY_SOCKET).
// Written out rather than linked: libsystemd has no static archive here, and loading it would
// cost every command its start-up time.

#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/time.h"

namespace timectl {

class ServiceNotify {
 public:
  // Reads NOTIFY_SOCKET and WATCHDOG_USEC once and removes them, so that no child inherits them.
  ServiceNotify();

  // Whether a manager started us: it, and nobody else, starts us again.
  [[nodiscard]] bool managed() const { return !socket_.empty(); }
  // state: "READY=1", "STOPPING=1", "WATCHDOG=1", ...; nothing happens without a manager.
  void send(std::string_view state) const;
  // Half of the manager's limit, at which WATCHDOG=1 is due; none where it does not watch.
  [[nodiscard]] std::optional<Duration> watchdog_interval() const { return watchdog_; }

 private:
  std::string socket_;
  std::optional<Duration> watchdog_;
};

}  // namespace timectl
