#include "daemon/core/discovery.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

constexpr Duration kGrowthWindow = std::chrono::hours(24);  // W7

std::chrono::milliseconds wall(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

AddRequest request_for(const IpAddress& ip, const std::string& host, const std::string& reason,
                       WallTime now) {
  AddRequest request;
  request.ip = ip;
  request.source = {Source::api, reason, host, now};
  return request;
}

// The same source with or without its mark; everything else of the entry stays.
WhitelistChange marked(const Whitelist& whitelist, const WhitelistEntry& entry,
                       std::optional<WallTime> missing_since, Duration expire_after) {
  AddRequest request;
  request.ip = entry.ip;
  request.source = *entry.find(Source::api);
  request.source.missing_since = missing_since;
  request.source.expires_at =
      missing_since ? std::optional(*missing_since + wall(expire_after)) : std::nullopt;
  return whitelist.plan_add(request);
}

// The steps of one refresh, over what it has found so far.
struct Refresh {
  const FetchedList& fetched;
  const Whitelist& whitelist;
  const ListMemory& memory;
  const DiscoveryRules& rules;
  WallTime now;
  RefreshPlan plan = {};
  std::vector<WhitelistChange> additions = {};
  std::vector<IpAddress> newly_missing = {};
  struct Share {
    std::size_t base = 0;  // entries that count
    std::size_t gone = 0;  // of them not on the list
  };
  Share all = {};          // of the API's entries
  Share established = {};  // of those that no recent list brought: new ones must not dilute them
  std::vector<IpAddress> recent = {};  // that the API brought in the growth window

  [[nodiscard]] bool listed(const IpAddress& ip) const {
    return std::ranges::binary_search(fetched.list.ips, ip);
  }
  void refuse(const IpAddress& ip, std::string why) {
    plan.refused.push_back({ip.to_string(), std::move(why)});
  }
  void look_at_present();
  void look_at_entry(const WhitelistEntry& entry, const WhitelistSource& source);
  void look_at_list();
  [[nodiscard]] std::string guard() const;
  [[nodiscard]] std::string growth() const;
  void hold(const std::string& because);
  void take();
  void add_pending(const IpAddress& ip, PendingChange change, const std::string& why);
};

void Refresh::look_at_entry(const WhitelistEntry& entry, const WhitelistSource& source) {
  // A baseline in the future (the clock was set back) excuses nothing.
  const auto given = memory.state.baseline_at.value_or(WallTime::min());
  const auto baseline = given <= now ? given : WallTime::min();
  // What was missing when the operator last said yes to a list is settled.
  const bool settled = source.missing_since && *source.missing_since <= baseline;
  const bool old = source.added_at <= baseline || source.added_at <= now - wall(rules.expire_after);
  if (!settled) ++all.base;
  if (!settled && old) ++established.base;
  if (source.added_at > now - wall(kGrowthWindow) && source.added_at > baseline) {
    recent.push_back(entry.ip);
  }
  if (!listed(entry.ip)) {
    if (!settled) ++all.gone;
    if (!settled && old) ++established.gone;
    plan.missing.push_back(entry.ip);
    if (!source.missing_since) {
      newly_missing.push_back(entry.ip);
    } else if (source.expires_at && *source.expires_at <= now) {
      plan.changes.push_back(whitelist.plan_remove(entry.ip, Source::api));
      plan.changes.back().why = "expired";
    }
    return;
  }
  if (const auto line = whitelist.blacklist().find(entry.ip); line != whitelist.blacklist().end()) {
    refuse(entry.ip, "blacklisted: network.blacklisted_peers holds it (" + line->second + ")");
    plan.changes.push_back(whitelist.plan_remove(entry.ip, Source::api));
    return;
  }
  plan.kept.push_back(entry.ip);
  if (source.missing_since) plan.changes.push_back(marked(whitelist, entry, {}, {}));
}

void Refresh::look_at_present() {
  for (const auto& [ip, entry] : whitelist.entries()) {
    if (const auto* source = entry.find(Source::api)) look_at_entry(entry, *source);
  }
}

void Refresh::look_at_list() {
  std::size_t new_entries = 0;
  for (const auto& ip : fetched.list.ips) {
    const auto* entry = whitelist.find(ip);
    if (entry != nullptr && entry->find(Source::api) != nullptr) continue;
    if (const auto rejected = memory.rejections.find(ip); rejected != memory.rejections.end()) {
      refuse(ip, "rejected by " + rejected->second.by + " on " +
                     rfc3339(rejected->second.at).substr(0, 10));
      continue;
    }
    auto change =
        whitelist.plan_add(request_for(ip, fetched.host, "listed by " + fetched.host, now));
    const bool fills = entry == nullptr;
    if (change.result == ChangeResult::added && fills && !whitelist.has_room_for(new_entries + 1)) {
      refuse(ip, "whitelist full");
      continue;
    }
    if (change.result != ChangeResult::added) {
      const bool blacklisted = change.code == Code::blacklisted;
      refuse(ip, (blacklisted ? "blacklisted: " : "") + change.why);
      continue;
    }
    new_entries += fills ? 1 : 0;
    plan.added.push_back(ip);
    additions.push_back(std::move(change));
  }
}

std::string Refresh::growth() const {
  if (!memory.state.baseline_at || rules.approve_new || plan.added.empty()) return {};
  const auto total = recent.size() + plan.added.size();
  if (total > rules.max_growth) {
    return std::to_string(total) +
           " new addresses in 24 hours (max_growth = " + std::to_string(rules.max_growth) + ")";
  }
  std::map<IpAddress, std::size_t> subnets;
  for (const auto& ip : recent) ++subnets[ip.subnet()];
  for (const auto& ip : plan.added) ++subnets[ip.subnet()];
  for (const auto& ip : plan.added) {
    const auto count = subnets[ip.subnet()];
    if (count <= rules.max_subnet_growth) continue;
    return std::to_string(count) + " new addresses of " + ip.subnet().to_string() +
           (ip.is_v4() ? "/24" : "/56") +
           " in 24 hours (max_subnet_growth = " + std::to_string(rules.max_subnet_growth) + ")";
  }
  return {};
}

// Also of the established ones alone: a list that first brings many could lose the others then.
std::string Refresh::guard() const {
  for (const auto& [share, what] : {std::pair(all, " listed"), std::pair(established, " older")}) {
    const auto most = rules.max_shrink * static_cast<double>(share.base);
    if (static_cast<double>(share.gone) <= most) continue;
    return std::to_string(share.gone) + " of " + std::to_string(share.base) + what +
           " addresses are missing (max_shrink = " +
           std::to_string(std::lround(rules.max_shrink * 100)) + " %)";
  }
  return growth();
}

// What waited already keeps the time at which it was first seen.
void Refresh::add_pending(const IpAddress& ip, PendingChange change, const std::string& why) {
  const auto known = std::ranges::lower_bound(memory.pending, ip, {}, &PendingEntry::ip);
  const bool same = known != memory.pending.end() && known->ip == ip && known->change == change;
  plan.pending.push_back({ip, change, same ? known->seen_at : now, why});
}

void Refresh::hold(const std::string& because) {
  plan.changes.clear();
  plan.was_rejected = fetched.sha256 == memory.state.rejected_sha256;
  plan.held_back = plan.was_rejected ? "this list was rejected; " + because : because;
  if (plan.was_rejected) {
    plan.state.held_since.reset();
    plan.state.held_because.clear();
    return;
  }
  if (!plan.state.held_since) plan.state.held_since = now;
  plan.state.held_because = because;
  plan.waiting = plan.added;
  for (const auto& ip : plan.added) {
    add_pending(ip, PendingChange::add, "held back: " + because);
  }
  for (const auto& ip : newly_missing) {
    add_pending(ip, PendingChange::missing, "held back: " + because);
  }
}

void Refresh::take() {
  auto& state = plan.state;
  state.held_since.reset();
  state.held_because.clear();
  state.accepted_at = now;
  state.accepted_sha256 = fetched.sha256;
  state.accepted_lists_us = fetched.list.lists_us;
  if (!state.baseline_at) state.baseline_at = now;
  for (const auto& ip : newly_missing) {
    plan.changes.push_back(marked(whitelist, *whitelist.find(ip), now, rules.expire_after));
  }
  if (rules.approve_new) {
    plan.waiting = std::exchange(plan.added, {});
    for (const auto& ip : plan.waiting) {
      add_pending(ip, PendingChange::add, "new on the list of " + fetched.host);
    }
    return;
  }
  for (auto& change : additions) plan.changes.push_back(std::move(change));
}

struct Decision {
  const std::vector<IpAddress>& ips;
  bool all = false;
  std::vector<PendingEntry> chosen = {};
  std::vector<IpAddress> rejected_before = {};
};

// Which waiting rows are meant, and which rejections.
Result<Decision> decide_which(const std::vector<IpAddress>& ips, const ListMemory& memory) {
  Decision decision{ips, ips.empty()};
  if (decision.all) {
    const auto& state = memory.state;
    const bool rejected = !state.sha256.empty() && state.rejected_sha256 == state.sha256;
    if (memory.pending.empty() && !state.held_since && !rejected) {
      return Error{Code::not_found, "nothing waits for approval", "", {"timectl refresh"}};
    }
    decision.chosen = memory.pending;
    return decision;
  }
  const std::set<IpAddress> wanted(ips.begin(), ips.end());
  std::set<IpAddress> found;
  for (const auto& entry : memory.pending) {
    if (!wanted.contains(entry.ip)) continue;
    decision.chosen.push_back(entry);
    found.insert(entry.ip);
  }
  for (const auto& ip : wanted) {
    if (found.contains(ip)) continue;
    if (!memory.rejections.contains(ip)) {
      return Error{Code::not_found,
                   ip.to_string() + " does not wait for approval",
                   "",
                   {"timectl whitelist pending", "timectl whitelist add " + ip.to_string()}};
    }
    decision.rejected_before.push_back(ip);
  }
  return decision;
}

// An address waits for one change at a time: it is either new or missing.
void remove_decided(ListMemory& memory, const std::vector<IpAddress>& decided) {
  const std::set<IpAddress> gone(decided.begin(), decided.end());
  std::erase_if(memory.pending, [&](const auto& entry) { return gone.contains(entry.ip); });
}

void end_holding(ListState& state) {
  state.held_since.reset();
  state.held_because.clear();
}

}  // namespace

std::optional<FetchFailure> outage(const PeerList& list) {
  if (!list.ips.empty()) return {};
  if (list.refused.empty()) {
    return FetchFailure{
        FetchStep::shape, "the list is empty, which is taken for an outage", "", {}};
  }
  return FetchFailure{FetchStep::shape,
                      "none of the list's " + std::to_string(list.refused.size()) +
                          (list.refused.size() == 1 ? " entry" : " entries") + " can be taken (" +
                          list.refused.front().address + ": " + list.refused.front().why +
                          "), which is taken for an outage",
                      "",
                      {}};
}

RefreshPlan plan_refresh(const FetchedList& fetched, const Whitelist& whitelist,
                         const ListMemory& memory, const DiscoveryRules& rules, WallTime now) {
  Refresh refresh{fetched, whitelist, memory, rules, now};
  auto& plan = refresh.plan;
  plan.state = memory.state;
  plan.state.sha256 = fetched.sha256;
  plan.state.fetched_lists_us = fetched.list.lists_us;
  plan.refused = fetched.list.refused;
  refresh.look_at_present();
  refresh.look_at_list();
  if (const auto because = refresh.guard(); !because.empty()) {
    refresh.hold(because);
  } else {
    refresh.take();
  }
  std::ranges::sort(plan.pending, {}, &PendingEntry::ip);
  return std::move(plan);
}

Result<DecisionPlan> plan_approve(const std::vector<IpAddress>& ips, const Whitelist& whitelist,
                                  const ListMemory& memory, const std::string& by,
                                  const std::string& host, const DiscoveryRules& rules,
                                  WallTime now) {
  const auto which = decide_which(ips, memory);
  if (!which) return which.error();
  DecisionPlan plan;
  plan.memory = memory;
  std::size_t new_entries = 0;
  for (const auto& entry : which->chosen) {
    const auto* present = whitelist.find(entry.ip);
    if (entry.change == PendingChange::missing) {
      plan.decided.push_back(entry.ip);
      if (present != nullptr && present->find(Source::api) != nullptr) {
        plan.changes.push_back(marked(whitelist, *present, now, rules.expire_after));
      }
      continue;
    }
    if (present == nullptr && !whitelist.has_room_for(++new_entries)) {
      plan.refused.push_back(entry.ip);  // it goes on waiting
      continue;
    }
    plan.decided.push_back(entry.ip);
    plan.changes.push_back(whitelist.plan_add(
        request_for(entry.ip, host, "listed by " + host + ", approved by " + by, now)));
  }
  for (const auto& ip : which->rejected_before) {
    plan.decided.push_back(ip);
    plan.memory.rejections.erase(ip);
  }
  remove_decided(plan.memory, plan.decided);
  auto& state = plan.memory.state;
  if (which->all && plan.refused.empty()) {
    if (state.held_since) {
      state.accepted_at = now;
      state.accepted_sha256 = state.sha256;
      state.accepted_lists_us = state.fetched_lists_us;
      state.baseline_at = now;
    }
    state.rejected_sha256.clear();  // the next refresh looks at that list anew
  }
  if (plan.memory.pending.empty()) end_holding(state);
  return plan;
}

Result<DecisionPlan> plan_reject(const std::vector<IpAddress>& ips, const ListMemory& memory,
                                 const std::string& by, WallTime now) {
  auto which = decide_which(ips, memory);
  if (!which) return which.error();
  DecisionPlan plan;
  plan.memory = memory;
  auto& state = plan.memory.state;
  const bool whole = which->all && state.held_since.has_value();
  if (whole) {
    state.rejected_sha256 = state.sha256;
    end_holding(state);
  }
  for (const auto& entry : which->chosen) {
    if (entry.change == PendingChange::missing && !whole) {
      plan.refused.push_back(entry.ip);
      continue;
    }
    plan.decided.push_back(entry.ip);
    if (!whole) plan.memory.rejections[entry.ip] = {now, by};
  }
  for (const auto& ip : which->rejected_before) plan.decided.push_back(ip);  // they are already
  remove_decided(plan.memory, plan.decided);
  if (plan.memory.pending.empty()) end_holding(state);
  return plan;
}

}  // namespace timectl
