#pragma once
// Starting a node: in this process (service managers, --foreground), or detached, in which case
// the caller returns when the node listens and answers on its control socket, or says why not.
// `timectl node start` and the demo use it; daemon/daemon.h is what runs.

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/control/api.h"
#include "daemon/core/result.h"

namespace timectl {

struct LaunchOptions {
  config::Config config;    // loaded and checked, with environment and flags applied
  std::string data_dir;     // resolved by config/paths.h
  std::string socket_path;  // resolved; the directory is created if it is the node's own
  bool passive = false;     // --passive: never opens P2P, whatever the config says
  int ready_fd = -1;        // where a detaching parent waits; -1: nobody waits
  // SIGHUP and `node reload`: loads the same sources again. Errors leave the old config in force.
  std::function<Result<config::Config>()> reload;
};

// Runs the node until SIGTERM, SIGINT or node.stop; returns when everything is closed and stored.
// Errors: node_already_running (names the holder), port_in_use, access_denied, cannot_create,
// database_*; they are also written to ready_fd.
[[nodiscard]] Result<void> run_foreground(LaunchOptions options);

// Runs /proc/self/exe with `arguments` (without argv[0]; the caller's global flags, then
// `node start --foreground`) in its own session, and waits up to `timeout` for its report. The
// flag `--ready-fd N` is appended here. The node's stderr goes to <data_dir>/timectl.log unless
// the config names a log file.
[[nodiscard]] Result<control::StartReply> start_detached(const std::vector<std::string>& arguments,
                                                         const std::string& data_dir,
                                                         Duration timeout);

}  // namespace timectl
