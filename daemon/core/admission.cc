#include "daemon/core/admission.h"

#include <map>
#include <tuple>

namespace timectl {
namespace {

constexpr std::size_t kSiteShare = 4;  // no /48 takes more than a quarter (faults.md, FT-N22)

AdmissionDecision reject(std::string why) {
  return {AdmissionAnswer::reject, std::move(why), std::nullopt};
}

// The limits against one stranger, or one network, taking what is there for all.
std::optional<std::string> limit_reached(const AdmissionRequest& request,
                                         const SlotPolicy& policy) {
  if (request.direction == Direction::out) return std::nullopt;
  const SlotUsage& usage = request.usage;
  if (usage.from_ip >= policy.max_per_ip) {
    return "the address has its " + std::to_string(policy.max_per_ip) + " connection(s)";
  }
  if (usage.from_subnet >= policy.max_per_subnet) {
    return "its subnet has its " + std::to_string(policy.max_per_subnet) + " connections";
  }
  // A /48 is what one customer gets: 256 subnets of 2^72 addresses each (FT-N22).
  const std::size_t site = regular_slots(policy) / kSiteShare;
  if (usage.from_site > 0 && usage.from_site >= site) {
    return "its /48 has a quarter of the regular slots (" + std::to_string(site) + ")";
  }
  if (!request.ip_rate_free) {
    return "more than " + std::to_string(policy.per_ip_per_minute) +
           " new connections a minute from the address";
  }
  if (!request.subnet_rate_free) {
    return "more than " + std::to_string(policy.per_subnet_per_minute) +
           " new connections a minute from its subnet";
  }
  return std::nullopt;
}

}  // namespace

std::size_t regular_slots(const SlotPolicy& policy) {
  if (policy.max_connections <= policy.reserved_masternode_slots) return 0;
  return policy.max_connections - policy.reserved_masternode_slots;
}

AdmissionDecision admit(const AdmissionRequest& request,
                        std::span<const EvictionCandidate> candidates, const SlotPolicy& policy) {
  const SlotUsage& usage = request.usage;
  if (request.limits_apply) {
    if (auto why = limit_reached(request, policy)) return reject(std::move(*why));
  }
  if (request.trust == Trust::masternode) {
    if (usage.total < policy.max_connections) return {AdmissionAnswer::accept, {}, std::nullopt};
    if (const auto evicted = worst(candidates)) {
      return {AdmissionAnswer::accept_and_evict, {}, evicted};
    }
    return reject("all " + std::to_string(policy.max_connections) +
                  " connections are in use and no regular inbound peer can make room");
  }
  if (usage.regular >= regular_slots(policy)) {
    return reject("all " + std::to_string(regular_slots(policy)) + " regular slots are in use");
  }
  if (usage.total >= policy.max_connections) {
    return reject("all " + std::to_string(policy.max_connections) + " connections are in use");
  }
  if (request.direction == Direction::out && usage.regular_outbound >= policy.outbound_regular) {
    return reject("all " + std::to_string(policy.outbound_regular) +
                  " slots for dialled regular peers are in use");
  }
  return {AdmissionAnswer::accept, {}, std::nullopt};
}

std::optional<std::uint64_t> worst(std::span<const EvictionCandidate> candidates) {
  std::map<IpAddress, std::size_t> group_size;
  for (const auto& c : candidates) ++group_size[c.ip.network_group()];
  // Smaller is worse. A flood arrives together, from few networks, and has not been of use yet:
  // old and useful sessions from elsewhere stay. The id makes the order total.
  const auto rank = [&](const EvictionCandidate& c) {
    return std::tuple(c.ready, ~c.violations, ~group_size[c.ip.network_group()], c.score, c.age,
                      c.useful_bytes, ~c.id);
  };
  const EvictionCandidate* worst_one = nullptr;
  for (const auto& c : candidates) {
    if (worst_one == nullptr || rank(c) < rank(*worst_one)) worst_one = &c;
  }
  if (worst_one == nullptr) return std::nullopt;
  return worst_one->id;
}

}  // namespace timectl
