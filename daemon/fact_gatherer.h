#pragma once
// Gathers the facts that a diagnosis rests on (diagnose/facts.h), from what this process knows: the
// node's views, the whitelist, bans, the API's list, the history, the host. Fast and without a
// question to anybody: on the node's thread, some milliseconds. What takes a network (RPC, probe,
// time servers) is added by the job that methods_diagnose.cc makes of it.

#include <vector>

#include "daemon/diagnose/facts.h"
#include "daemon/methods_table.h"

namespace timectl {

[[nodiscard]] Result<diagnose::NodeFacts> gather_node_facts(const Call& call);
[[nodiscard]] Result<diagnose::PeerFacts> gather_peer_facts(const Call& call, const IpAddress& ip);
// Of all masternodes: one query for each kind of thing, not one for each peer.
[[nodiscard]] Result<std::vector<diagnose::PeerFacts>> gather_masternode_facts(const Call& call);

}  // namespace timectl
