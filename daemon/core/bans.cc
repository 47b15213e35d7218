#include "daemon/core/bans.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr double kForgotten = 0.05;  // points: as good as none
constexpr double kMostPoints = 2;    // thresholds: a score that is full for days helps nobody

// The address itself, or the /64 of IPv6: what one host cannot change at will.
IpAddress host_of(const IpAddress& ip) {
  if (ip.is_v4()) return ip;
  IpAddress::Bytes bytes = ip.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress(bytes);
}

// As the wall clock of now has it: the monotonic one decides, and the other may have been stepped.
Ban shown(Ban ban, const std::optional<Instant>& ends, Now now) {
  if (!ban.until || !ends) return ban;
  const WallTime until = now.wall + duration_cast<milliseconds>(*ends - now.mono);
  const auto off = until > *ban.until ? until - *ban.until : *ban.until - until;
  if (off > milliseconds(1000)) ban.until = until;
  return ban;
}

std::string points(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", number);
  return text.data();
}

// "2 flood, 1 slow": the heaviest first.
std::string summary(const std::array<std::uint32_t, kViolationKinds>& counts) {
  std::vector<ViolationRow> rows(violation_table().begin(), violation_table().end());
  const auto count_of = [&](const ViolationRow& row) {
    return counts.at(static_cast<std::size_t>(row.kind));
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
    return a.points * count_of(a) > b.points * count_of(b);
  });
  std::string text;
  for (const auto& row : rows) {
    if (count_of(row) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count_of(row)) + " " +
            std::string(name_of(row.kind));
  }
  return text;
}

}  // namespace

Standing standing_of(bool whitelisted, BanImmunity immunity) {
  if (!whitelisted) return Standing::stranger;
  return immunity == BanImmunity::all ? Standing::immune : Standing::relaxed;
}

Duration rung(const BanPolicy& policy, std::uint64_t offence) {
  if (offence <= 1) return policy.first;
  return offence == 2 ? policy.second : policy.longest;
}

std::string covered_by(const Ban& ban) {
  const bool whole_host =
      ban.origin == BanOrigin::automatic && !ban.ip.is_v4() && host_of(ban.ip) == ban.ip;
  return ban.ip.to_string() + (whole_host ? "/64" : "");
}

std::string ban_term(const Ban& ban) {
  return (ban.until ? "until " + utc_text(*ban.until) : std::string("for good")) +
         (ban.reason.empty() ? "" : ": " + ban.reason);
}

const Ban* Bans::in_force(const IpAddress& ip, Standing standing) const {
  if (standing == Standing::immune) return nullptr;
  const auto by_hand = operators_.find(ip);
  const auto record = records_.find(judged(ip, standing));
  const bool automatic = record != records_.end() && record->second.in_force;
  if (by_hand == operators_.end()) return automatic ? &*record->second.ban : nullptr;
  const auto& ends = by_hand->second.ends;
  const bool longer = automatic && ends && record->second.ends > *ends;
  return longer ? &*record->second.ban : &by_hand->second.ban;
}

std::vector<Ban> Bans::all(Now now) const {
  std::vector<Ban> bans;
  for (const auto& [ip, held] : operators_) bans.push_back(shown(held.ban, held.ends, now));
  for (const auto& [ip, record] : records_) {
    if (record.in_force) bans.push_back(shown(*record.ban, record.ends, now));
  }
  std::stable_sort(bans.begin(), bans.end(),
                   [](const Ban& a, const Ban& b) { return a.ip < b.ip; });
  return bans;
}

std::vector<Ban> Bans::of(const IpAddress& ip, Standing standing, Now now) const {
  std::vector<Ban> bans;
  const auto by_hand = operators_.find(ip);
  if (by_hand != operators_.end()) {
    bans.push_back(shown(by_hand->second.ban, by_hand->second.ends, now));
  }
  const auto record = records_.find(judged(ip, standing));
  if (record != records_.end() && record->second.in_force) {
    bans.push_back(shown(*record->second.ban, record->second.ends, now));
  }
  return bans;
}

ViolationScore Bans::score(const IpAddress& ip, Standing standing, const BanPolicy& policy,
                           Instant now) const {
  ViolationScore score;
  const auto it = records_.find(judged(ip, standing));
  if (it == records_.end()) return score;
  Record record = it->second;
  decay(record, policy, now);
  (void)forget_old(record, policy, now);  // a copy: nothing is stored
  score.attack = record.attack;
  score.nuisance = record.nuisance;
  score.counts = record.counts;
  if (record.last_at != WallTime{}) score.last_at = record.last_at;
  score.offences = record.ban ? record.ban->offences : 0;
  return score;
}

IpAddress Bans::judged(const IpAddress& ip, Standing standing) {
  return standing == Standing::relaxed ? ip : host_of(ip);
}

void Bans::decay(Record& record, const BanPolicy& policy, Instant now) {
  const Duration passed = std::max(now - record.scored_at, Duration::zero());
  const double factor = std::exp2(-seconds(passed) / seconds(policy.half_life));
  record.attack *= factor;
  record.nuisance *= factor;
  record.scored_at = std::max(record.scored_at, now);
}

bool Bans::forget_old(Record& record, const BanPolicy& policy, Instant now) {
  const bool forgiven = record.ban && !record.in_force && now - record.ends > policy.forgive_after;
  if (forgiven) record.ban.reset();
  if (record.attack + record.nuisance >= kForgotten) return forgiven;
  record.attack = record.nuisance = 0;
  record.counts = {};
  record.last_at = {};
  return forgiven;
}

// A sixteenth at once, so that a crowd of attackers does not make each violation a walk.
Bans::Record* Bans::room_for(const IpAddress& key, const BanPolicy& policy, Instant now) {
  if (policy.max_automatic == 0) return nullptr;
  if (records_.size() >= policy.max_automatic) {
    constexpr double kBanned = 1e6;  // above every score
    std::vector<std::pair<double, IpAddress>> ranks;
    for (auto& [ip, record] : records_) {
      decay(record, policy, now);
      if (forget_old(record, policy, now)) note_unsaved({ip, BanOrigin::automatic});
      const double remembered =
          record.ban ? policy.threshold * static_cast<double>(record.ban->offences) : 0;
      ranks.emplace_back(record.in_force ? kBanned + seconds(record.ends - now)
                                         : record.attack + record.nuisance + remembered,
                         ip);
    }
    const std::size_t leave = records_.size() - policy.max_automatic + 1 + records_.size() / 16;
    std::sort(ranks.begin(), ranks.end());
    for (std::size_t i = 0; i < std::min(leave, ranks.size()); ++i) {
      const RowKey row(ranks[i].second, BanOrigin::automatic);
      if (records_.at(row.first).ban) note_unsaved(row);
      ends_.erase(row);
      records_.erase(row.first);
    }
  }
  Record& record = records_[key];
  record.scored_at = now;
  return &record;
}

Bans::Outcome Bans::violation(const IpAddress& ip, ViolationKind kind, Standing standing,
                              const BanPolicy& policy, Now now) {
  if (standing == Standing::immune) return {};
  const IpAddress key = judged(ip, standing);
  const auto known = records_.find(key);
  Record* record = known != records_.end() ? &known->second : room_for(key, policy, now.mono);
  if (record == nullptr) return {};
  decay(*record, policy, now.mono);
  if (forget_old(*record, policy, now.mono)) note_unsaved({key, BanOrigin::automatic});
  const ViolationRow& row = violation_row(kind);
  double& part = row.gravity == Gravity::attack ? record->attack : record->nuisance;
  part = std::min(part + row.points, kMostPoints * policy.threshold);
  std::uint32_t& count = record->counts.at(static_cast<std::size_t>(kind));
  if (count < UINT32_MAX) ++count;
  record->last_at = now.wall;

  Outcome outcome{true, record->attack + record->nuisance, {}};
  const bool grave = record->attack >= policy.threshold;
  // What comes in while a ban holds (connections that were closing) can only make it graver.
  const bool more = record->in_force ? grave && !record->grave : outcome.score >= policy.threshold;
  if (!policy.automatic || !more) return outcome;
  record->grave = grave;
  begin(key, *record, policy, now);
  outcome.ban = record->ban;
  return outcome;
}

void Bans::begin(const IpAddress& key, Record& record, const BanPolicy& policy, Now now) {
  Ban ban;
  ban.ip = key;
  ban.origin = BanOrigin::automatic;
  ban.reason = summary(record.counts) + "; score " + points(record.attack + record.nuisance) +
               " of " + points(policy.threshold);
  ban.since = now.wall;
  ban.offences = record.ban ? record.ban->offences : 0;
  Duration length = policy.first;
  if (record.grave) {
    ++ban.offences;
    length = rung(policy, ban.offences);
  }
  record.ends = std::max(record.in_force ? record.ends : now.mono, now.mono + length);
  ban.until = now.wall + duration_cast<milliseconds>(record.ends - now.mono);
  record.ban = std::move(ban);
  record.in_force = true;
  const RowKey row(key, BanOrigin::automatic);
  ends_.set(row, record.ends);
  note_unsaved(row);
}

std::vector<Ban> Bans::expire(Instant now) {
  std::vector<Ban> ended;
  while (const auto key = ends_.due(now)) {
    ends_.erase(*key);
    if (key->second == BanOrigin::operator_) {
      const auto it = operators_.find(key->first);
      ended.push_back(std::move(it->second.ban));
      operators_.erase(it);
      note_unsaved(*key);
    } else {
      Record& record = records_.at(key->first);
      record.in_force = record.grave = false;
      ended.push_back(*record.ban);
    }
  }
  return ended;
}

Instant Bans::next_end() const {
  return ends_.earliest().value_or(Instant::max());
}

}  // namespace timectl
