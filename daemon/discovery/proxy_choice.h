#pragma once
// Which proxy the environment names for a host: https_proxy, all_proxy and no_proxy as curl reads
// them. Decided here and not in libcurl because the client must know: the address of a proxy may
// be a private one, that of a list's server may not. Pure: the environment is an argument.

#include <functional>
#include <string>
#include <string_view>

namespace timectl::discovery {

struct ProxyChoice {
  std::string url = {};       // empty: none. May hold a password: not for people
  std::string variable = {};  // that named it, "https_proxy"
};

// `environment` answers like std::getenv.
[[nodiscard]] ProxyChoice choose_proxy(std::string_view host,
                                       const std::function<const char*(const char*)>& environment);

}  // namespace timectl::discovery
