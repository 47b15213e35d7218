#include "daemon/discovery/address_rule.h"

namespace timectl::discovery {
namespace {

bool is_link_local(const IpAddress& ip) {
  const auto& b = ip.bytes();
  if (ip.is_v4()) return b[12] == 169 && b[13] == 254;
  return b[0] == 0xfe && (b[1] & 0xc0U) == 0x80;
}

// RFC 5737 and RFC 3849, 9637; those that IpAddress::is_public() refuses, by their name.
bool is_documentation(const IpAddress& ip) {
  const auto& b = ip.bytes();
  if (ip.is_v4()) {
    return (b[12] == 192 && b[13] == 0 && b[14] == 2) ||
           (b[12] == 198 && b[13] == 51 && b[14] == 100) ||
           (b[12] == 203 && b[13] == 0 && b[14] == 113);
  }
  return (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) ||
         (b[0] == 0x3f && b[1] == 0xff && (b[2] & 0xf0U) == 0);
}

}  // namespace

std::string_view not_admitted(const IpAddress& ip, bool allow_private) {
  if (ip.is_unspecified()) return "the unspecified address";
  if (ip == IpAddress::v4(255, 255, 255, 255)) return "the broadcast address";
  if (ip.is_multicast()) return "a multicast address";
  if (ip.is_loopback()) return allow_private ? "" : "a loopback address";
  if (is_link_local(ip)) return allow_private ? "" : "a link-local address";
  if (ip.is_private()) return allow_private ? "" : "a private address";
  if (is_documentation(ip)) return "an address for documentation";
  return ip.is_public() ? "" : "a reserved address";
}

}  // namespace timectl::discovery
