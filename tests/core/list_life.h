#pragma once
// A whitelist that lives through refreshes as the daemon applies them, with a clock that the test
// moves.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/discovery.h"

namespace timectl::test {

inline const WallTime kStart{std::chrono::hours(500'000)};
inline constexpr const char* kHost = "time-coin.io";

inline IpAddress address(std::size_t i) {
  // A new /24 for each, so that only the growth guard counts them unless a test wants otherwise.
  return IpAddress::v4(64, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i), 7);
}

inline std::vector<IpAddress> addresses(std::size_t from, std::size_t to) {
  std::vector<IpAddress> ips;
  for (auto i = from; i < to; ++i) ips.push_back(address(i));
  std::ranges::sort(ips);
  return ips;
}

// A whitelist that lives through refreshes as the daemon applies them.
struct Life {
  Whitelist whitelist{10'000};
  ListMemory memory;
  DiscoveryRules rules;
  WallTime now = kStart;
  std::uint64_t lists = 0;

  RefreshPlan look(const std::vector<IpAddress>& ips, const std::string& hash) const {
    FetchedList fetched{{.ips = ips}, hash, kHost};
    return plan_refresh(fetched, whitelist, memory, rules, now);
  }
  RefreshPlan refresh(const std::vector<IpAddress>& ips, std::string hash = {}) {
    if (hash.empty()) hash = "list " + std::to_string(++lists);
    auto plan = look(ips, hash);
    put(plan.changes);
    memory.state = plan.state;
    memory.pending = plan.pending;
    return plan;
  }
  void put(const std::vector<WhitelistChange>& changes) {
    for (const auto& change : changes) whitelist.put(change);
  }
  void approve(const std::vector<IpAddress>& ips = {}) {
    auto plan = plan_approve(ips, whitelist, memory, "alice", kHost, rules, now);
    ASSERT_TRUE(plan) << plan.error().message;
    put(plan->changes);
    memory = plan->memory;
  }
  void reject(const std::vector<IpAddress>& ips = {}) {
    auto plan = plan_reject(ips, memory, "alice", now);
    ASSERT_TRUE(plan) << plan.error().message;
    memory = plan->memory;
  }
  void add(const IpAddress& ip, Source source) {
    AddRequest request;
    request.ip = ip;
    request.source = {source, "", "alice", now};
    whitelist.put(whitelist.plan_add(request));
  }
  [[nodiscard]] std::size_t count(Source source) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        whitelist.entries(), [&](const auto& row) { return row.second.find(source) != nullptr; }));
  }
  [[nodiscard]] const WhitelistSource* api(const IpAddress& ip) const {
    const auto* entry = whitelist.find(ip);
    return entry == nullptr ? nullptr : entry->find(Source::api);
  }
};

}  // namespace timectl::test
