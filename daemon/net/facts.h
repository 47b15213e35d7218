#pragma once
// What a peer's message says about others, parsed strictly and bounded: addresses of peers and of
// claimed masternodes. Session hands the results to the Node, which trusts none of it.

#include <cstddef>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/node.h"
#include "daemon/wire/messages.h"

namespace timectl::net {

// Of one message; the rest is ignored (faults.md, FT-P26).
inline constexpr std::size_t max_learned = 1000;

// PeersResponse and PeerExchange: canonical addresses, each once, in the order they came. A port
// behind a single colon is cut off (0 or no number: refused). Everything else is left out.
[[nodiscard]] std::vector<IpAddress> learned_peers(const wire::Message& message);

// MasternodesResponse, announcements and gossip: who is said to be a masternode.
[[nodiscard]] std::vector<ClaimedMasternode> claimed_masternodes(const wire::Message& message);

}  // namespace timectl::net
