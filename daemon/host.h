#pragma once
// What this host says about a timed that runs on it, and the decision whether the node may speak
// P2P at all. Peers know each other by IP: a second process on the address of a masternode throws
// the first one out (protocol 8.7), so in doubt the node stays passive. The decision is pure;
// the probes below it only look (they send nothing to the P2P port). And what the host grants us.

#include <optional>
#include <string>

#include "config/config.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/vocabulary.h"
#include "daemon/core/whitelist.h"

namespace timectl {

struct HostEvidence {
  bool port_taken = false;           // our listen address and port could not be bound
  bool rpc_answers = false;          // something accepts on timed's RPC port on this host
  std::string foreign_session = {};  // "10.0.0.1 -> 203.0.113.5:24000": not ours; empty: none
};

struct ModeDecision {
  NodeMode mode = NodeMode::active;
  std::string because = {};  // of passive, for people
  bool port_error = false;   // the port is taken by something that is no timed: start fails
};

// 127/8 and ::1 are exempt: nobody outside can mistake such a node for the masternode.
[[nodiscard]] ModeDecision decide_mode(config::ModeChoice choice, bool passive_flag,
                                       const IpAddress& listen, const HostEvidence& evidence);

// Whether a TCP connect to 127.0.0.1:port succeeds within 300 ms; closes at once.
[[nodiscard]] bool rpc_answers(std::uint16_t port);
// An established TCP connection of this host to a whitelisted peer's P2P port (/proc/net/tcp*).
[[nodiscard]] std::string foreign_session(const Whitelist& whitelist, std::uint16_t port);
// The same over the text of one such file; bounded, malformed lines are passed over.
[[nodiscard]] std::string find_session(std::string_view proc_net_tcp, const Whitelist& whitelist,
                                       std::uint16_t port);
// What the peers know this node by: node.external_address, else the listen address where it is no
// wildcard, else the source of the default route.
[[nodiscard]] std::optional<IpAddress> own_address_of(const config::Config& config);
// The source address of the default route; none where there is no route. Sends nothing.
[[nodiscard]] std::optional<IpAddress> route_address();

// Raises this process's limit of descriptors, as far as it may, to what so many connections need.
void raise_descriptor_limit(std::size_t connections);

}  // namespace timectl
