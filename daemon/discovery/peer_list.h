#pragma once
// The list of masternodes that time-coin.io publishes (requirements D2): text in, PeerList out.
// Pure; called with whatever a server, a file or a disk holds, so every size, depth and word is
// bounded before anything is made of it.

#include <string_view>
#include <variant>

#include "daemon/core/api_list.h"

namespace timectl::discovery {

struct ListRules {
  std::uint16_t port = 24000;                 // entries may carry this one (W5)
  bool allow_private = false;                 // discovery.allow_private
  std::optional<IpAddress> own_address = {};  // refused as an entry, noted in lists_us
  std::size_t max_bytes = 1'048'576;
  std::size_t max_entries = 5000;  // elements of the array, the refused ones included
};

// An array of "IP", "IP:port", "[IPv6]:port", or objects with `ip` or `address`. FetchFailure: step
// `size` (bytes, entries), `json` (with line and column), `shape` (not an array; an empty one is a
// PeerList without addresses: the firewall knows what that means). An entry that is none is refused
// with its reason and never makes the list fail.
[[nodiscard]] std::variant<PeerList, FetchFailure> parse_peer_list(std::string_view body,
                                                                   const ListRules& rules);

}  // namespace timectl::discovery
