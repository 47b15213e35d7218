#pragma once
// Daemon: the composition root. It owns the parts of a running node and connects them; there is no
// decision here that is about peers (daemon/core) or about what a method answers (methods). Made by
// run_foreground() (launch.h), one per process.

#include <memory>

#include "daemon/core/result.h"
#include "daemon/launch.h"

namespace timectl {

class Daemon {
 public:
  explicit Daemon(LaunchOptions options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Lock, database, whitelist, mode, listener, control socket, in this order: everything that can
  // refuse does so before the first packet is sent.
  [[nodiscard]] Result<control::StartReply> open();
  // Until SIGTERM, SIGINT or node.stop; then closes every connection in order and stores the rest.
  void run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace timectl
