#pragma once
// Registry: addresses that some peer says are masternodes, and when each was last heard of
// (requirements L5). For the operator's eyes only: a claim makes nobody trusted (W3) and keeps
// nobody whitelisted. Bounded, because any peer can claim anything.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/views.h"

namespace timectl {

class Registry {
 public:
  using IsConnected = std::function<bool(const IpAddress&)>;

  explicit Registry(std::size_t max_entries) : max_entries_(max_entries) {}

  // Gossip or a list names it. A full registry ignores new names; `tier` is printable already.
  void claimed(const IpAddress& ip, const std::string& tier, Now now);
  // It is, or just was, connected, or it is whitelisted: adds it even to a full registry, because
  // strangers can fill that with claims.
  void heard(const IpAddress& ip, Now now);
  // Forgets who was offline for registry_forget_after. A connected one is never offline.
  void sweep(const LivenessPolicy& policy, const IsConnected& connected, Now now);

  [[nodiscard]] std::vector<RegistryView> view(const LivenessPolicy& policy,
                                               const IsConnected& connected, Now now) const;
  [[nodiscard]] bool contains(const IpAddress& ip) const { return entries_.contains(ip); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::optional<std::string> tier = {};
    Instant heard = {};
    WallTime heard_at = {};
  };
  static void note(Entry& entry, Now now);

  std::map<IpAddress, Entry> entries_;
  std::size_t max_entries_;
};

}  // namespace timectl
