#include "daemon/core/discovery.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

constexpr Duration kGrowthWindow = std::chrono::hours(24);  // W7
constexpr Duration kFirstRetry = std::chrono::minutes(1);   // then 2, 4 ... up to the interval
constexpr Duration kLongestWish = std::chrono::hours(24);   // Retry-After beyond is not believed
constexpr Duration kCrashLoopGap = std::chrono::seconds(10);
constexpr std::uint64_t kMostDoublings = 20;

std::chrono::milliseconds wall(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

std::string count_text(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
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
  std::size_t base = 0;                // the API's entries that count for shrinking
  std::size_t gone = 0;                // of them not on the list
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
  const auto baseline = memory.state.baseline_at.value_or(now) <= now ? memory.state.baseline_at
                                                                      : std::optional<WallTime>();
  // What was missing when the operator last said yes to a list is settled.
  const bool settled = baseline && source.missing_since && *source.missing_since <= *baseline;
  if (!settled) ++base;
  if (source.added_at > now - wall(kGrowthWindow) && (!baseline || source.added_at > *baseline)) {
    recent.push_back(entry.ip);
  }
  if (!listed(entry.ip)) {
    if (!settled) ++gone;
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

std::string Refresh::guard() const {
  const double share = base == 0 ? 0 : static_cast<double>(gone) / static_cast<double>(base);
  if (share > rules.max_shrink) {
    return std::to_string(gone) + " of " + std::to_string(base) +
           " listed addresses are missing (max_shrink = " +
           std::to_string(std::lround(rules.max_shrink * 100)) + " %)";
  }
  return growth();
}

// What waited already keeps the time at which it was first seen.
void Refresh::add_pending(const IpAddress& ip, PendingChange change, const std::string& why) {
  const auto known = std::ranges::find_if(
      memory.pending, [&](const auto& entry) { return entry.ip == ip && entry.change == change; });
  plan.pending.push_back({ip, change, known != memory.pending.end() ? known->seen_at : now, why});
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
    if (memory.pending.empty()) {
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
  decision.all = decision.chosen.size() == memory.pending.size() && !memory.pending.empty();
  return decision;
}

void remove_chosen(ListMemory& memory, const std::vector<PendingEntry>& chosen) {
  std::erase_if(memory.pending, [&](const auto& entry) {
    return std::ranges::find(chosen, entry) != chosen.end();
  });
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
                      "none of the list's " + count_text(list.refused.size(), "entr") +
                          (list.refused.size() == 1 ? "y" : "ies") + " can be taken (" +
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
  for (const auto& entry : which->chosen) {
    plan.decided.push_back(entry.ip);
    if (entry.change == PendingChange::add) {
      plan.changes.push_back(whitelist.plan_add(
          request_for(entry.ip, host, "listed by " + host + ", approved by " + by, now)));
    } else if (const auto* present = whitelist.find(entry.ip);
               present != nullptr && present->find(Source::api) != nullptr) {
      plan.changes.push_back(marked(whitelist, *present, now, rules.expire_after));
    }
  }
  for (const auto& ip : which->rejected_before) {
    plan.decided.push_back(ip);
    plan.memory.rejections.erase(ip);
  }
  remove_chosen(plan.memory, which->chosen);
  auto& state = plan.memory.state;
  if (which->all && state.held_since) {
    state.accepted_at = now;
    state.accepted_sha256 = state.sha256;
    state.accepted_lists_us = state.fetched_lists_us;
    state.baseline_at = now;
    state.rejected_sha256.clear();
    end_holding(state);
  }
  return plan;
}

Result<DecisionPlan> plan_reject(const std::vector<IpAddress>& ips, const ListMemory& memory,
                                 const std::string& by, WallTime now) {
  auto which = decide_which(ips, memory);
  if (!which) return which.error();
  DecisionPlan plan;
  plan.memory = memory;
  auto& state = plan.memory.state;
  const bool whole = which->all && ips.empty() && state.held_since.has_value();
  if (whole) {
    state.rejected_sha256 = state.sha256;
    end_holding(state);
  }
  std::vector<PendingEntry> settled;
  for (const auto& entry : which->chosen) {
    if (entry.change == PendingChange::missing && !whole) {
      plan.refused.push_back(entry.ip);
      continue;
    }
    settled.push_back(entry);
    plan.decided.push_back(entry.ip);
    if (!whole) plan.memory.rejections[entry.ip] = {now, by};
  }
  for (const auto& ip : which->rejected_before) plan.decided.push_back(ip);  // they are already
  remove_chosen(plan.memory, settled);
  return plan;
}

bool may_expire(const ListState& state, const DiscoveryRules& rules, WallTime now) {
  const auto within = std::max(kConfirmedWithin, 2 * rules.interval);
  return state.accepted_at && now - *state.accepted_at <= wall(within);
}

Duration next_refresh_after(const ListState& state, const DiscoveryRules& rules,
                            std::optional<Duration> retry_after, Random& random) {
  Duration wait = rules.interval;
  if (state.failures > 0) {
    const auto doublings = std::min(state.failures - 1, kMostDoublings);
    wait = std::min(rules.interval, kFirstRetry * (std::int64_t{1} << doublings));
  }
  if (retry_after) wait = std::max(wait, std::min(*retry_after, kLongestWish));
  const double factor = 1 + rules.jitter * (2 * random.unit() - 1);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait) * factor);
}

Duration first_refresh_after(const ListState& state, WallTime now) {
  if (!state.attempted_at || *state.attempted_at > now) return Duration::zero();
  const auto since = std::chrono::duration_cast<Duration>(now - *state.attempted_at);
  return since >= kCrashLoopGap ? Duration::zero() : kCrashLoopGap - since;
}

}  // namespace timectl
