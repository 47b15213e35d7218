#pragma once
// What a diagnosis may ask the network, as functions: the real ones of daemon/probe, or a test's.
// Each blocks within the limits of its request, in a thread of the job that calls it. An empty one
// is not there, and nothing is asked.

#include <functional>
#include <stop_token>
#include <string>

#include "daemon/probe/probe.h"
#include "daemon/probe/rpc.h"
#include "daemon/probe/sntp.h"

namespace timectl {

struct ProbeTools {
  std::function<diagnose::RpcFacts(const probe::RpcRequest&, std::stop_token)> ask_rpc = {};
  std::function<diagnose::ProbeFacts(const probe::ProbeRequest&, std::stop_token)> probe = {};
  std::function<diagnose::LayerFacts(const probe::ProbeRequest&, std::stop_token)> knock = {};
  std::function<void(const probe::SntpRequest&, std::stop_token, diagnose::ClockFacts&)>
      ask_time_servers = {};
  // A connection of this host, not of ours, to the P2P port of that peer; empty: none.
  std::function<std::string(const IpAddress& peer, std::uint16_t port)> foreign_session = {};
};

// Those of daemon/probe, with this machine's clock and sockets.
[[nodiscard]] ProbeTools network_probe_tools();

}  // namespace timectl
