#pragma once
// HostPort: "HOST", "HOST:PORT" or "[V6]:PORT" as an operator writes it, for servers that may have
// a name. Checked once, by the configuration and by who resolves the name.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/ip_address.h"
#include "daemon/core/result.h"

namespace timectl {

struct HostPort {
  std::string host = {};
  std::uint16_t port = 0;                 // 0: none was given
  std::optional<IpAddress> address = {};  // where the host is one
};

// Error: invalid_argument. Names are of letters, digits, dots, hyphens and underscores, at most
// 253.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

}  // namespace timectl
