#pragma once
// Probe: one complete, correct visit to a peer by the network's rules (requirements X2, protocol
// 5.7): TCP, TLS with the network's SNI, Handshake, three pings, tip, genesis, an orderly end. Each
// layer with its time and what happened. Never beside a live session and never outside the ledger:
// who calls has asked the node for that (Node::begin_probe). Blocking, with an io_context of its
// own, for a thread of its own; ends within its limits whatever the other side does.

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"
#include "daemon/diagnose/facts.h"

namespace timectl::probe {

struct ProbeRequest {
  IpAddress peer = {};
  std::uint16_t port = 24000;
  Network network = Network::mainnet;
  std::optional<IpAddress> source = {};   // dial from here (--from)
  std::uint32_t commit_count = 2344;      // what we say in the Handshake
  std::uint32_t min_commit_count = 2062;  // what we accept in theirs
  // What our pings and tip answers say: our verified tip; none: we say nothing.
  std::optional<std::uint64_t> own_height = {};
  std::string own_tip_hash = {};  // hex, with own_height
  Duration connect_timeout = std::chrono::seconds(5);
  Duration tls_timeout = std::chrono::seconds(5);
  Duration ack_timeout = std::chrono::seconds(5);
  Duration ping_timeout = std::chrono::seconds(5);
  Duration close_timeout = std::chrono::seconds(1);  // for the peer's FIN behind ours
  Duration total = std::chrono::seconds(20);         // a whole diagnosis (scenarios.md)
  std::size_t pings = 3;
  std::size_t frame_limit = 8'388'608;
};

// `now`: both clocks, this host's; what a peer's clock is off is measured against it. tip_height
// is from the answer to GetChainTip, else what its pings and pongs claim. A genesis other than the
// network's ends the visit.
[[nodiscard]] diagnose::ProbeFacts probe_peer(const ProbeRequest& request, std::function<Now()> now,
                                              std::stop_token stop);

// Whether a connection to the port comes about at all, for `elsewhere` (a second source address)
// and for the route: connects and completes TLS and the Handshake like a probe, without pings. The
// outcome is that of the layer where it ended, which the detail names.
[[nodiscard]] diagnose::LayerFacts knock(const ProbeRequest& request, std::function<Now()> now,
                                         std::stop_token stop);

}  // namespace timectl::probe
