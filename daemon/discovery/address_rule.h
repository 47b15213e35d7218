#pragma once
// Which addresses a list may name and an https source may resolve to: asked by the parser for each
// entry and by the client before each connection, so that neither a wrong list nor a poisoned DNS
// answer points the node at its own machine or network. Pure.

#include <string_view>

#include "daemon/core/ip_address.h"

namespace timectl::discovery {

// Why the address is not admitted, as "a loopback address"; empty: it is. `allow_private` admits
// private (also link-local) and loopback addresses, never the others.
[[nodiscard]] std::string_view not_admitted(const IpAddress& ip, bool allow_private);

}  // namespace timectl::discovery
