#pragma once
// SinkTarget: one sink of the configuration with all that a delivery needs: how to reach it, and
// the secret itself. Made by the daemon (and by `alerts test`), shared with the sink's thread,
// never changed.

#include <string>
#include <vector>

#include "daemon/core/alert_message.h"
#include "daemon/core/time.h"

namespace timectl::sinks {

struct SinkTarget {
  std::string name = {};
  SinkKind kind = SinkKind::webhook;
  SinkTemplate form = SinkTemplate::json;
  std::string url = {};
  std::vector<std::string> command = {};
  std::string secret = {};  // of the signature, and of nothing else; empty: not signed
  std::string to = {};
  std::string from = {};
  std::string ca_file = {};
  Duration timeout = std::chrono::seconds(10);
  NodeIdentity identity = {};
  std::string broken = {};  // why it cannot be used: a secret file that others can read
  friend bool operator==(const SinkTarget&, const SinkTarget&) = default;
};

}  // namespace timectl::sinks
