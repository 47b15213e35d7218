#include "daemon/core/protection.h"

#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/core/result.h"

namespace timectl {
namespace {

constexpr auto kFacts = std::to_array<FactRow>({
    {FactName::declared, true, "It is on the whitelist, in memory and where it is kept."},
    {FactName::applied, true, "Its live connection is watched by the rules of masternodes."},
    {FactName::not_banned, true, "No ban by config, by hand or for violations holds for it."},
    {FactName::connected, false, "It is connected now."},
    {FactName::slot, true, "It holds a masternode's slot, or would get one."},
    {FactName::survived, true,
     "We did not end its last session against the rules, and it is back."},
});

bool breaks(FactName name) {
  const auto row = std::ranges::find(kFacts, name, &FactRow::name);
  TIMECTL_CHECK(row != kFacts.end());
  return row->breaks;
}

ProtectionFact declared(const ProtectionInput& input) {
  ProtectionFact fact{FactName::declared, input.whitelisted && input.stored, ""};
  if (input.whitelisted && input.stored) {
    fact.detail = "by " + input.sources;
  } else if (input.whitelisted) {
    fact.detail = "in memory only: neither the database nor the configuration has it";
  } else {
    fact.detail = input.stored ? "stored, but not in force" : "it is not whitelisted";
  }
  return fact;
}

ProtectionFact applied(const ProtectionInput& input) {
  ProtectionFact fact{FactName::applied, {}, input.not_live_because};
  if (!input.live) return fact;
  const LiveProtection& live = *input.live;
  fact.ok = live.watched_as_masternode;
  if (!live.watched_as_masternode) {
    fact.detail = "there is no connection to look at";
  } else if (!*live.watched_as_masternode) {
    fact.detail = "its connection is watched as a regular peer's";
  } else {
    fact.detail = "a ping every " + human_duration(live.ping_interval) + "; ";
    fact.detail += live.never ? "only a dead transport ends it"
                              : "given up after " + std::to_string(live.missed_pongs) +
                                    " missed pongs and " + human_duration(live.timeout);
  }
  return fact;
}

ProtectionFact not_banned(const ProtectionInput& input) {
  if (!input.ban.empty()) return {FactName::not_banned, false, input.ban};
  return {
      FactName::not_banned, true,
      input.immune ? "exempt from bans" : "no ban holds, but one could (whitelist.ban_immunity)"};
}

ProtectionFact connected(const ProtectionInput& input) {
  if (!input.live) return {FactName::connected, {}, input.not_live_because};
  return {FactName::connected, input.live->connected,
          input.live->connected ? "a session is open" : "no session is open"};
}

ProtectionFact slot(const ProtectionInput& input) {
  if (!input.live) return {FactName::slot, {}, input.not_live_because};
  const LiveProtection& live = *input.live;
  if (!live.slot_as_masternode) return {FactName::slot, live.slot_free, live.slot_why};
  return {FactName::slot, live.slot_as_masternode,
          *live.slot_as_masternode ? "it holds a masternode's slot"
                                   : "its connection is counted as a regular peer's"};
}

// Ends of ours that a whitelisted peer must not meet. Of the resource limits, which hold for
// everybody (W4), none is among them.
bool against_the_rules(const SessionRecord& loss, std::uint64_t missed_pongs_limit) {
  if (loss.end_reason == EndReason::unresponsive) return loss.missed_pongs < missed_pongs_limit;
  return loss.end_reason == EndReason::evicted || loss.end_reason == EndReason::refused;
}

ProtectionFact survived(const ProtectionInput& input) {
  if (!input.last_loss) return {FactName::survived, true, "no loss of it since it was whitelisted"};
  const SessionRecord& loss = *input.last_loss;
  const std::string what =
      "lost " + utc_text(loss.ended_at) + ": " + std::string(name_of(loss.end_reason));
  if (against_the_rules(loss, input.missed_pongs_limit)) {
    return {FactName::survived, false, what + ", which was our own doing against the rules"};
  }
  if (!input.live) return {FactName::survived, {}, what + "; whether it came back is not known"};
  if (!input.live->connected) return {FactName::survived, {}, what + "; it is not connected now"};
  return {FactName::survived, true, what + "; it came back"};
}

}  // namespace

std::span<const FactRow> fact_table() {
  return kFacts;
}

ProtectionVerdict protection_verdict(std::span<const ProtectionFact> facts) {
  bool all = facts.size() == kFacts.size();
  for (const auto& fact : facts) {
    if (fact.ok == false && breaks(fact.name)) return ProtectionVerdict::broken;
    all = all && fact.ok == true;
  }
  return all ? ProtectionVerdict::enforced : ProtectionVerdict::unproven;
}

std::vector<ProtectionFact> protection_facts(const ProtectionInput& input) {
  return {declared(input),  applied(input), not_banned(input),
          connected(input), slot(input),    survived(input)};
}

bool is_incident(EndReason reason) {
  switch (reason) {
    case EndReason::shutdown:
    case EndReason::superseded:
    case EndReason::duplicate:
    case EndReason::closed_by_operator:
    case EndReason::self_connection:
    case EndReason::banned:  // an operator's word or the file's; what holds now is its own fact
      return false;
    default:
      return true;
  }
}

}  // namespace timectl
