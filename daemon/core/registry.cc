#include "daemon/core/registry.h"

namespace timectl {
namespace {

Duration offline_after(const LivenessPolicy& policy) {
  return policy.registry_interval * static_cast<Duration::rep>(policy.registry_missed);
}

}  // namespace

void Registry::note(Entry& entry, Now now) {
  entry.heard = now.mono;
  entry.heard_at = now.wall;
}

void Registry::claimed(const IpAddress& ip, const std::string& tier, Now now) {
  if (!entries_.contains(ip) && entries_.size() >= max_entries_) return;
  Entry& entry = entries_[ip];
  if (!tier.empty()) entry.tier = tier;
  note(entry, now);
}

void Registry::heard(const IpAddress& ip, Now now) {
  note(entries_[ip], now);
}

void Registry::sweep(const LivenessPolicy& policy, const IsConnected& connected, Now now) {
  const Duration gone = offline_after(policy) + policy.registry_forget_after;
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (connected(it->first)) {
      it->second.heard = now.mono;
      it->second.heard_at = now.wall;
    }
    it = now.mono - it->second.heard >= gone ? entries_.erase(it) : std::next(it);
  }
}

std::vector<RegistryView> Registry::view(const LivenessPolicy& policy, const IsConnected& connected,
                                         Now now) const {
  std::vector<RegistryView> rows;
  rows.reserve(entries_.size());
  for (const auto& [ip, e] : entries_) {
    const bool live = connected(ip);
    RegistryView row;
    row.ip = ip;
    row.tier = e.tier;
    row.status = live || now.mono - e.heard < offline_after(policy) ? "online" : "offline";
    row.last_heard_at = live ? now.wall : e.heard_at;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace timectl
