// Bans: what comes from the store and from operators, and goes back to the store.
#include <algorithm>
#include <utility>

#include "daemon/core/bans.h"

namespace timectl {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// How long it has to go. A wall clock that was set back must not make it longer than it was meant.
Duration remaining(const Ban& ban, WallTime now) {
  return std::min<Duration>(*ban.until - now, std::max(*ban.until - ban.since, milliseconds(0)));
}

BanChange refused(BanChange change, Code code, std::string why) {
  change.result = ChangeResult::refused;
  change.after = change.before;
  change.code = code;
  change.why = std::move(why);
  return change;
}

}  // namespace

void Bans::load(std::vector<Ban> stored, const BanPolicy& policy, Now now) {
  for (auto& ban : stored) {
    const RowKey key(ban.ip, ban.origin);
    if (ban.origin == BanOrigin::config) continue;  // those stand in the file, not here
    std::optional<Instant> ends;
    if (ban.until) ends = now.mono + remaining(ban, now.wall);
    const bool over = ends && *ends <= now.mono;
    if (ban.origin == BanOrigin::operator_) {
      if (over) {
        note_unsaved(key);
        continue;
      }
      if (ends) ends_.set(key, *ends);
      operators_.insert_or_assign(key.first, Held{std::move(ban), ends});
      continue;
    }
    const bool forgiven = !ends || now.mono - *ends > policy.forgive_after;
    if (forgiven || records_.size() >= policy.max_automatic) {
      note_unsaved(key);
      continue;
    }
    Record& record = records_[key.first];
    record.scored_at = now.mono;
    record.ends = *ends;
    record.in_force = !over;
    record.grave = ban.offences > 0;
    record.ban = std::move(ban);
    if (!over) ends_.set(key, *ends);
  }
}

BanChange Bans::plan_add(const BanRequest& request, const Whitelist& whitelist,
                         const BanPolicy& policy, WallTime now) const {
  BanChange change;
  change.ip = request.ip;
  const auto present = operators_.find(request.ip);
  if (present != operators_.end()) change.before = present->second.ban;
  const auto line = whitelist.blacklist().find(request.ip);
  if (line != whitelist.blacklist().end()) {
    change.after = change.before;
    change.why = "network.blacklisted_peers holds it for good (" + line->second + ")";
    return change;
  }
  if (whitelist.contains(request.ip)) {
    return refused(std::move(change), Code::whitelisted,
                   request.ip.to_string() + " is whitelisted");
  }
  if (request.ip.is_unspecified() || request.ip.is_multicast()) {
    return refused(std::move(change), Code::invalid_argument,
                   "no peer can have this address: it is unspecified, multicast or broadcast");
  }
  if (!change.before && operators_.size() >= policy.max_operator) {
    return refused(
        std::move(change), Code::ban_list_full,
        "there are " + std::to_string(operators_.size()) + " bans by hand (bans.max_operator)");
  }
  Ban ban = change.before.value_or(Ban{});
  ban.ip = request.ip;
  ban.origin = BanOrigin::operator_;
  if (!change.before || !request.reason.empty()) ban.reason = request.reason;
  ban.until.reset();
  if (request.lasts) ban.until = now + duration_cast<milliseconds>(*request.lasts);
  if (change.before && ban == *change.before) {
    change.after = change.before;
    change.why = "it is banned already";
    return change;
  }
  ban.added_by = request.by;
  ban.since = now;
  change.result = ChangeResult::added;
  change.after = std::move(ban);
  return change;
}

std::vector<BanChange> Bans::plan_remove(const IpAddress& ip, const Whitelist& whitelist,
                                         BanImmunity immunity) const {
  const auto line = whitelist.blacklist().find(ip);
  if (line != whitelist.blacklist().end()) {
    return {refused({.ip = ip}, Code::config_holds,
                    "network.blacklisted_peers holds it (" + line->second + ")")};
  }
  std::vector<BanChange> changes;
  const auto taken = [&](const Ban& ban) {
    changes.push_back({.ip = ban.ip, .result = ChangeResult::removed, .before = ban});
  };
  const auto by_hand = operators_.find(ip);
  if (by_hand != operators_.end()) taken(by_hand->second.ban);
  const auto record = records_.find(judged(ip, standing_of(whitelist.contains(ip), immunity)));
  if (record != records_.end() && record->second.in_force) taken(*record->second.ban);
  if (changes.empty()) changes.push_back({.ip = ip, .why = "it is not banned"});
  return changes;
}

void Bans::put(const BanChange& change, Now now) {
  if (change.result != ChangeResult::added && change.result != ChangeResult::removed) return;
  const BanOrigin origin = change.after ? change.after->origin : change.before->origin;
  const RowKey key(change.ip, origin);
  ends_.erase(key);
  unsaved_.erase(key);
  if (!change.after) {
    // With its score: who lifts a ban has looked at the cause (FM-B1).
    if (origin == BanOrigin::automatic) records_.erase(change.ip);
    if (origin == BanOrigin::operator_) operators_.erase(change.ip);
    return;
  }
  Held held{*change.after, {}};
  if (held.ban.until) held.ends = now.mono + remaining(held.ban, now.wall);
  if (held.ends) ends_.set(key, *held.ends);
  operators_.insert_or_assign(change.ip, std::move(held));
}

// Where the store refuses for long, rows of addresses that were dropped meanwhile stay in it: they
// are bounded by the store, and over soon.
void Bans::note_unsaved(const RowKey& key) {
  constexpr std::size_t kMostWaiting = 50'000;
  if (unsaved_.size() < kMostWaiting) unsaved_.insert(key);
}

std::vector<BanWrite> Bans::unsaved(std::size_t limit) const {
  std::vector<BanWrite> rows;
  for (const auto& [ip, origin] : unsaved_) {
    if (rows.size() == limit) break;
    BanWrite row{ip, origin, {}};
    const auto record = records_.find(ip);
    const auto by_hand = operators_.find(ip);
    if (origin == BanOrigin::automatic && record != records_.end()) row.ban = record->second.ban;
    if (origin == BanOrigin::operator_ && by_hand != operators_.end())
      row.ban = by_hand->second.ban;
    rows.push_back(std::move(row));
  }
  return rows;
}

void Bans::saved(std::span<const BanWrite> rows) {
  for (const auto& row : rows) unsaved_.erase({row.ip, row.origin});
}

}  // namespace timectl
