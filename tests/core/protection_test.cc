#include "daemon/core/protection.h"

#include <gtest/gtest.h>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

const WallTime kAt{std::chrono::hours(400'000)};

ProtectionInput healthy() {
  ProtectionInput input;
  input.whitelisted = input.stored = input.immune = true;
  input.sources = "manual";
  input.missed_pongs_limit = 6;
  LiveProtection live;
  live.connected = true;
  live.watched_as_masternode = live.slot_as_masternode = true;
  live.ping_interval = std::chrono::seconds(15);
  live.missed_pongs = 6;
  live.timeout = std::chrono::seconds(180);
  input.live = live;
  return input;
}

ProtectionVerdict verdict_of(const ProtectionInput& input) {
  return protection_verdict(protection_facts(input));
}

std::optional<bool> fact_of(const ProtectionInput& input, FactName name) {
  for (const auto& fact : protection_facts(input)) {
    EXPECT_FALSE(fact.detail.empty()) << name_of(fact.name);
    if (fact.name == name) return fact.ok;
  }
  ADD_FAILURE() << "no such fact";
  return {};
}

SessionRecord loss(EndReason reason, std::uint64_t missed = 0) {
  SessionRecord session;
  session.whitelisted = true;
  session.ended_at = kAt;
  session.end_reason = reason;
  session.missed_pongs = missed;
  return session;
}

// All 3^6 combinations of six facts that are true, false or unknown.
TEST(Protection, TheVerdictOfEveryCombination) {
  ASSERT_EQ(fact_table().size(), names_of<FactName>().size());
  const std::optional<bool> kValues[] = {true, false, std::nullopt};
  std::size_t enforced = 0;
  std::size_t broken = 0;
  for (int n = 0; n < 729; ++n) {
    std::vector<ProtectionFact> facts;
    bool breaks = false;
    bool all = true;
    int rest = n;
    for (const auto& row : fact_table()) {
      const auto ok = kValues[rest % 3];
      rest /= 3;
      facts.push_back({row.name, ok, ""});
      breaks = breaks || (ok == false && row.name != FactName::connected);
      all = all && ok == true;
    }
    const auto wanted = breaks ? ProtectionVerdict::broken
                        : all  ? ProtectionVerdict::enforced
                               : ProtectionVerdict::unproven;
    EXPECT_EQ(protection_verdict(facts), wanted) << n;
    enforced += wanted == ProtectionVerdict::enforced ? 1 : 0;
    broken += wanted == ProtectionVerdict::broken ? 1 : 0;
  }
  EXPECT_EQ(enforced, 1U);
  EXPECT_EQ(broken, 729U - 3 * 32);
}

TEST(Protection, AMissingFactIsNoProof) {
  auto facts = protection_facts(healthy());
  EXPECT_EQ(protection_verdict(facts), ProtectionVerdict::enforced);
  facts.pop_back();
  EXPECT_EQ(protection_verdict(facts), ProtectionVerdict::unproven);
  EXPECT_EQ(protection_verdict({}), ProtectionVerdict::unproven);
}

TEST(Protection, EachFactAloneDecides) {
  auto input = healthy();
  input.whitelisted = false;
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::broken);
  input = healthy();
  input.stored = false;
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::broken) << "in memory only";
  input = healthy();
  input.ban = "banned for good";
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::broken);
  input = healthy();
  input.live->watched_as_masternode = false;
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::broken);
  input = healthy();
  input.live->slot_as_masternode = false;
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::broken);
}

TEST(Protection, WhoIsAwayIsUnprovenUnlessItCouldNotComeBack) {
  auto input = healthy();
  input.live = LiveProtection{};
  input.live->slot_free = true;
  input.live->slot_why = "a masternode has a slot";
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::unproven);
  EXPECT_EQ(fact_of(input, FactName::connected), false);
  EXPECT_EQ(fact_of(input, FactName::applied), std::nullopt);
  EXPECT_EQ(fact_of(input, FactName::slot), true);
  input.live->slot_free = false;
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::broken);
}

TEST(Protection, WithoutANodeWhatLivesIsUnknownAndWhatIsStoredIsNot) {
  auto input = healthy();
  input.live.reset();
  input.not_live_because = "no node is running";
  EXPECT_EQ(verdict_of(input), ProtectionVerdict::unproven);
  EXPECT_EQ(fact_of(input, FactName::declared), true);
  EXPECT_EQ(fact_of(input, FactName::not_banned), true);
  for (const auto name : {FactName::applied, FactName::connected, FactName::slot}) {
    EXPECT_EQ(fact_of(input, name), std::nullopt) << name_of(name);
  }
}

TEST(Protection, TheLastLossCountsByWhoseDoingItWas) {
  struct Row {
    EndReason reason;
    std::uint64_t missed;
    std::optional<bool> back;  // the fact, where the peer is connected again
    std::optional<bool> away;  // and where it is not
  };
  const Row rows[] = {
      {EndReason::closed_by_peer, 0, true, {}},
      {EndReason::transport_dead, 3, true, {}},
      {EndReason::unresponsive, 6, true, {}},
      {EndReason::unresponsive, 3, false, false},  // cut by the rules of regular peers
      {EndReason::flood, 0, true, {}},             // resource limits hold for everybody
      {EndReason::banned,
       0,
       true,
       {}},  // by hand or by the file; a ban of now is a fact of its own
      {EndReason::evicted, 0, false, false},
  };
  for (const auto& row : rows) {
    auto input = healthy();
    input.last_loss = loss(row.reason, row.missed);
    EXPECT_EQ(fact_of(input, FactName::survived), row.back) << name_of(row.reason);
    input.live->connected = false;
    EXPECT_EQ(fact_of(input, FactName::survived), row.away) << name_of(row.reason);
  }
}

TEST(Protection, OurStopAndAnOperatorsWordAreNoIncidents) {
  for (const auto name : names_of<EndReason>()) {
    const auto reason = *value_of<EndReason>(name);
    const bool ours = reason == EndReason::shutdown || reason == EndReason::superseded ||
                      reason == EndReason::duplicate || reason == EndReason::self_connection ||
                      reason == EndReason::closed_by_operator || reason == EndReason::banned;
    EXPECT_EQ(is_incident(reason), !ours) << name;
  }
}

}  // namespace
}  // namespace timectl
