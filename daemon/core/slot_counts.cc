#include "daemon/core/slot_counts.h"

namespace timectl {
namespace {

// Groups are bounded by the connections there are: an empty one is forgotten.
template <class Key>
void step(std::unordered_map<Key, std::size_t>& groups, const Key& key, bool appears) {
  if (appears) {
    ++groups[key];
    return;
  }
  const auto it = groups.find(key);
  if (--it->second == 0) groups.erase(it);
}

template <class Key>
std::size_t found(const std::unordered_map<Key, std::size_t>& groups, const Key& key) {
  const auto it = groups.find(key);
  return it == groups.end() ? 0 : it->second;
}

}  // namespace

void SlotCounts::set(const IpAddress& ip, const std::optional<Holding>& holding) {
  const auto it = holdings_.find(ip);
  if (it == holdings_.end()) {
    if (!holding) return;
    holdings_.emplace(ip, *holding);
    count(ip, *holding, true);
    return;
  }
  if (holding == it->second) return;
  count(ip, it->second, false);
  if (!holding) {
    holdings_.erase(it);
    return;
  }
  it->second = *holding;
  count(ip, *holding, true);
}

void SlotCounts::count(const IpAddress& ip, const Holding& holding, bool appears) {
  const auto add = [appears](std::size_t& counter) { appears ? ++counter : --counter; };
  const bool regular = holding.trust == Trust::regular;
  if (regular && holding.direction == Direction::out) {
    step(dialled_, ip.network_group(), appears);
    if (holding.as_number) step(dialled_as_, *holding.as_number, appears);
  }
  if (holding.attempt) {
    add(regular ? regular_attempts_ : masternode_attempts_);
    return;
  }
  add(total_);
  if (holding.direction == Direction::in) add(inbound_);
  if (!regular) {
    if (holding.ready) add(ready_masternodes_);
    if (holding.suspect) add(silent_masternodes_);
    return;
  }
  add(regular_);
  if (holding.direction == Direction::out) {
    add(regular_outbound_);
    return;
  }
  step(subnets_, ip.subnet(), appears);
  if (!ip.is_v4()) step(sites_, ip.network_group(), appears);
}

SlotUsage SlotCounts::usage(const IpAddress& ip, bool without_it, bool with_attempts) const {
  SlotUsage use;
  use.total = total_;
  use.regular = regular_;
  use.regular_outbound = regular_outbound_;
  use.from_subnet = found(subnets_, ip.subnet());
  if (!ip.is_v4()) use.from_site = found(sites_, ip.network_group());
  if (with_attempts) {
    use.total += regular_attempts_;
    use.regular += regular_attempts_;
    use.regular_outbound += regular_attempts_;
  }
  const auto it = holdings_.find(ip);
  if (it == holdings_.end()) return use;
  const Holding& own = it->second;
  const bool regular = own.trust == Trust::regular;
  const bool counted = !own.attempt || (with_attempts && regular);
  if (!without_it) {
    if (counted && regular) use.from_ip = 1;
    return use;
  }
  if (!counted) return use;
  --use.total;
  if (!regular) return use;
  --use.regular;
  if (own.direction == Direction::out) {
    --use.regular_outbound;
  } else {
    --use.from_subnet;
    if (!ip.is_v4()) --use.from_site;
  }
  return use;
}

std::size_t SlotCounts::dialled_in_group(const IpAddress& ip) const {
  return found(dialled_, ip.network_group());
}

std::size_t SlotCounts::dialled_in_as(std::uint32_t as_number) const {
  return found(dialled_as_, as_number);
}

std::size_t SlotCounts::attempts(Trust trust) const {
  return trust == Trust::masternode ? masternode_attempts_ : regular_attempts_;
}

std::optional<Holding> SlotCounts::of(const IpAddress& ip) const {
  const auto it = holdings_.find(ip);
  return it == holdings_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace timectl
