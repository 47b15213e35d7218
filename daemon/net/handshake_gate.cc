#include "daemon/net/handshake_gate.h"

#include <algorithm>

namespace timectl::net {

std::optional<ConnectionId> HandshakeGate::oldest_of_busiest() const {
  std::unordered_map<IpAddress, std::size_t> counts;
  std::size_t most = 0;
  for (const auto& entry : waiting_) {
    if (entry.trust == Trust::regular) most = std::max(most, ++counts[entry.subnet]);
  }
  for (const auto& entry : waiting_) {
    if (entry.trust == Trust::regular && counts[entry.subnet] == most) return entry.id;
  }
  return std::nullopt;
}

std::optional<ConnectionId> HandshakeGate::enter(ConnectionId id, const IpAddress& ip, Trust trust,
                                                 std::size_t limit, std::size_t kept) {
  waiting_.push_back({id, ip.subnet(), trust});
  by_id_[static_cast<std::uint64_t>(id)] = std::prev(waiting_.end());
  const std::size_t room = trust == Trust::masternode ? limit + kept : limit;
  if (waiting_.size() <= room) return std::nullopt;
  const ConnectionId victim = oldest_of_busiest().value_or(id);
  leave(victim);
  return victim;
}

bool HandshakeGate::take_turn(ConnectionId id, std::size_t at_once) {
  const auto it = by_id_.find(static_cast<std::uint64_t>(id));
  const bool stranger = it != by_id_.end() && it->second->trust == Trust::regular;
  std::size_t& turns = stranger ? strangers_turns_ : friends_turns_;
  if (turns >= at_once) return false;
  ++turns;
  return true;
}

void HandshakeGate::leave(ConnectionId id) {
  const auto it = by_id_.find(static_cast<std::uint64_t>(id));
  if (it == by_id_.end()) return;
  waiting_.erase(it->second);
  by_id_.erase(it);
}

}  // namespace timectl::net
