#include "tests/support/nat.h"

namespace timectl::test {

bool Nat::leave(Packet& packet, Time now) {
  const auto tcp = tcp_header(packet);
  if (!tcp) return true;
  const auto inside = static_cast<std::uint16_t>(word(packet, *tcp, 2));
  auto it = mappings_.find(inside);
  if (it != mappings_.end() && now - it->second.used > rules_.expires_after) {
    mappings_.erase(it);
    it = mappings_.end();
  }
  if (it == mappings_.end()) {
    if (rules_.only_new_connections && !opens_connection(packet)) return false;
    it = mappings_.emplace(inside, Mapping{next_++, now}).first;
  }
  it->second.used = now;
  set_source_port(packet, it->second.outside);
  return true;
}

bool Nat::arrive(Packet& packet, Time now) {
  const auto tcp = tcp_header(packet);
  if (!tcp) return true;
  const auto outside = static_cast<std::uint16_t>(word(packet, *tcp + 2, 2));
  for (const auto& [inside, mapping] : mappings_) {
    if (mapping.outside != outside || now - mapping.used > rules_.expires_after) continue;
    set_destination_port(packet, inside);
    return true;
  }
  return false;
}

}  // namespace timectl::test
