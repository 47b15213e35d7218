#include "daemon/core/host_port.h"

#include <algorithm>
#include <charconv>

#include "daemon/core/events.h"

namespace timectl {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, without the last dot

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= kLongestName && text.front() != '.' &&
         text.front() != '-' && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), fits) &&
         std::any_of(text.begin(), text.end(), letter);  // else: a mistyped address
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const Error refused{Code::invalid_argument,
                      printable(text, 64) + " is no server",
                      "it must be HOST, HOST:PORT, an address or [V6]:PORT",
                      {}};
  HostPort parsed;
  std::string_view host = text;
  std::string_view port;
  const bool bare_v6 = std::count(text.begin(), text.end(), ':') > 1 && !text.starts_with('[');
  const auto colon = text.rfind(':');
  if (!bare_v6 && colon != std::string_view::npos && !text.ends_with(']')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    const auto* end = port.data() + port.size();
    const auto number = std::from_chars(port.data(), end, parsed.port);
    if (number.ec != std::errc{} || number.ptr != end || parsed.port == 0) return refused;
  }
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (const auto ip = IpAddress::parse(host)) {
    if (brackets && ip->is_v4()) return refused;
    parsed.address = *ip;
  } else if (brackets || !is_name(host)) {
    return refused;
  }
  parsed.host = host;
  return parsed;
}

}  // namespace timectl
