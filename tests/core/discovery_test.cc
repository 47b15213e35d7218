#include "daemon/core/discovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/core/list_life.h"

namespace timectl {
namespace {

using test::address;
using test::addresses;
using test::kHost;
using test::kStart;
using test::Life;

TEST(Discovery, TheFirstListIsTakenWhateverItsSizeAndIsThenKept) {
  Life life;
  const auto first = life.refresh(addresses(0, 5000));
  EXPECT_EQ(first.added.size(), 5000U);
  EXPECT_EQ(first.held_back, "");
  EXPECT_EQ(life.count(Source::api), 5000U);
  const auto again = life.refresh(addresses(0, 5000));
  EXPECT_EQ(again.kept.size(), 5000U);
  EXPECT_TRUE(again.changes.empty());
}

TEST(Discovery, AnEmptyListIsAnOutageAndSoIsOneOfRefusedEntriesOnly) {
  EXPECT_TRUE(outage({}));
  const auto refused = outage({.refused = {{"10.0.0.1", "private"}}});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->step, FetchStep::shape);
  EXPECT_NE(refused->message.find("10.0.0.1: private"), std::string::npos);
  EXPECT_FALSE(outage({.ips = {address(1)}}));
}

// FT-A12: up to half may go missing, one more is held back, and nothing leaves the whitelist.
TEST(Discovery, AListThatShrinksByMoreThanHalfIsHeldBackWhole) {
  Life life;
  life.refresh(addresses(0, 60));
  auto half = addresses(0, 30);
  EXPECT_EQ(life.look(half, "half").held_back, "");
  const auto plan = life.refresh(addresses(0, 29));
  EXPECT_NE(plan.held_back.find("31 of 60"), std::string::npos) << plan.held_back;
  EXPECT_TRUE(plan.changes.empty());
  EXPECT_EQ(life.memory.pending.size(), 31U);
  EXPECT_EQ(life.memory.state.held_since, kStart);
  EXPECT_FALSE(life.api(address(40))->missing_since);
  life.refresh(addresses(0, 60));
  EXPECT_FALSE(life.memory.state.held_since) << "a good list ends it";
  EXPECT_TRUE(life.memory.pending.empty());
}

// A compromised API could take a little every hour.
TEST(Discovery, AListThatShrinksLittleByLittleIsHeldBackAtHalf) {
  Life life;
  life.refresh(addresses(0, 100));
  life.now += std::chrono::hours(1);
  EXPECT_EQ(life.refresh(addresses(20, 100)).held_back, "");
  EXPECT_EQ(life.refresh(addresses(40, 100)).held_back, "");
  EXPECT_EQ(life.refresh(addresses(50, 100)).held_back, "");
  EXPECT_NE(life.refresh(addresses(51, 100)).held_back, "");
}

TEST(Discovery, WhatWasApprovedAsMissingCountsNoMore) {
  Life life;
  life.refresh(addresses(0, 60));
  life.refresh(addresses(0, 10));
  life.approve();
  EXPECT_EQ(life.api(address(20))->missing_since, kStart);
  life.now += std::chrono::hours(1);
  EXPECT_EQ(life.refresh(addresses(0, 10)).held_back, "");
  EXPECT_EQ(life.refresh(addresses(0, 5)).held_back, "") << "half of the ten that are left";
  EXPECT_NE(life.refresh(addresses(0, 4)).held_back, "");
}

TEST(Discovery, MoreNewOnesInADayThanMaxGrowthAreHeldBack) {
  Life life;
  life.refresh(addresses(0, 50));
  life.now += std::chrono::hours(1);
  EXPECT_EQ(life.refresh(addresses(0, 110)).added.size(), 60U);
  life.now += std::chrono::hours(1);
  EXPECT_EQ(life.look(addresses(0, 150), "fits").held_back, "");
  const auto plan = life.refresh(addresses(0, 151));
  EXPECT_NE(plan.held_back.find("101 new addresses in 24 hours"), std::string::npos);
  EXPECT_EQ(life.memory.pending.size(), 41U);
  EXPECT_EQ(life.count(Source::api), 110U);
  life.now += std::chrono::hours(23) + std::chrono::minutes(1);
  EXPECT_EQ(life.refresh(addresses(0, 151)).held_back, "") << "a day later";
}

// FT-A13: sixty new ones of one /24, although sixty are within max_growth.
TEST(Discovery, TooManyNewOnesOfOneNetworkAreHeldBack) {
  Life life;
  auto list = addresses(0, 50);
  life.refresh(list);
  life.now += std::chrono::hours(1);
  const auto grown = [&](int count) {
    auto more = list;
    for (int i = 1; i <= count; ++i) more.push_back(IpAddress::v4(65, 1, 1, std::uint8_t(i)));
    return more;
  };
  EXPECT_EQ(life.look(grown(20), "a few").held_back, "");
  const auto plan = life.refresh(grown(21));
  EXPECT_NE(plan.held_back.find("21 new addresses of 65.1.1.0/24"), std::string::npos)
      << plan.held_back;
}

TEST(Discovery, AMissingEntryStaysForItsTimeAndComesBackWithoutATrace) {
  Life life;
  life.refresh(addresses(0, 10));
  life.now += std::chrono::hours(1);
  life.refresh(addresses(1, 10));
  const auto* source = life.api(address(0));
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->missing_since, life.now);
  EXPECT_EQ(source->expires_at, life.now + std::chrono::hours(24 * 30));
  life.now += std::chrono::hours(24 * 29);
  life.refresh(addresses(0, 10));
  EXPECT_FALSE(life.api(address(0))->missing_since);
  EXPECT_FALSE(life.api(address(0))->expires_at);
  EXPECT_EQ(life.api(address(0))->added_at, kStart);
}

TEST(Discovery, AMissingEntryGoesAfterItsTimeUnlessAnotherSourceHoldsIt) {
  Life life;
  life.add(address(1), Source::manual);
  life.refresh(addresses(0, 10));
  life.refresh(addresses(2, 10));
  life.now += std::chrono::hours(24 * 30);
  life.refresh(addresses(2, 10));
  EXPECT_FALSE(life.whitelist.contains(address(0)));
  EXPECT_TRUE(life.whitelist.contains(address(1)));
  EXPECT_EQ(life.api(address(1)), nullptr);
}

TEST(Discovery, AnOutageTakesNothingAwayHoweverLong) {
  Life life;
  life.refresh(addresses(0, 10));
  life.refresh(addresses(1, 10));
  life.now += std::chrono::hours(24 * 40);
  EXPECT_FALSE(may_expire(life.memory.state, life.rules, life.now));
  life.refresh(addresses(1, 10));
  EXPECT_TRUE(may_expire(life.memory.state, life.rules, life.now));
}

TEST(Discovery, ByTheApprovePolicyNewOnesWaitAndTheRestGoesOn) {
  Life life;
  life.rules.approve_new = true;
  const auto plan = life.refresh(addresses(0, 200));
  EXPECT_EQ(plan.waiting.size(), 200U);
  EXPECT_TRUE(plan.added.empty());
  EXPECT_EQ(life.whitelist.size(), 0U);
  life.approve({address(3), address(4)});
  EXPECT_EQ(life.whitelist.size(), 2U);
  EXPECT_EQ(life.memory.pending.size(), 198U);
  EXPECT_EQ(life.api(address(3))->added_by, kHost);
  life.now += std::chrono::hours(1);
  life.refresh(addresses(4, 200));
  EXPECT_TRUE(life.api(address(3))->missing_since);
  EXPECT_EQ(life.memory.pending.front().seen_at, kStart) << "first seen, not last";
  life.approve();
  EXPECT_EQ(life.count(Source::api), 197U);
}

TEST(Discovery, ARejectedAddressIsRefusedUntilItIsApproved) {
  Life life;
  life.rules.approve_new = true;
  life.refresh(addresses(0, 3));
  life.reject({address(1)});
  const auto plan = life.refresh(addresses(0, 3));
  EXPECT_EQ(plan.waiting.size(), 2U);
  ASSERT_EQ(plan.refused.size(), 1U);
  EXPECT_EQ(plan.refused[0].address, address(1).to_string());
  EXPECT_NE(plan.refused[0].why.find("rejected by alice"), std::string::npos);
  life.approve({address(1)});
  EXPECT_EQ(life.refresh(addresses(0, 3)).waiting.size(), 3U);
}

TEST(Discovery, ARejectedListIsNotAskedAboutAgainAndAnotherIs) {
  Life life;
  life.refresh(addresses(0, 10), "good");
  life.refresh(addresses(20, 30), "bad");
  life.reject();
  const auto again = life.refresh(addresses(20, 30), "bad");
  EXPECT_TRUE(again.was_rejected);
  EXPECT_TRUE(life.memory.pending.empty());
  EXPECT_FALSE(life.memory.state.held_since);
  EXPECT_EQ(life.memory.state.accepted_sha256, "good");
  EXPECT_FALSE(life.refresh(addresses(20, 31), "worse").was_rejected);
  EXPECT_TRUE(life.memory.state.held_since);
}

TEST(Discovery, ApprovingAHeldListPutsItInForce) {
  Life life;
  life.refresh(addresses(0, 10), "old");
  life.refresh(addresses(20, 30), "new");
  life.approve();
  EXPECT_EQ(life.memory.state.accepted_sha256, "new");
  EXPECT_FALSE(life.memory.state.held_since);
  EXPECT_EQ(life.count(Source::api), 20U) << "the old ones are missing, still protected";
  EXPECT_EQ(life.refresh(addresses(20, 30), "new").held_back, "");
}

// Who first brings many would have only few of the old ones to lose among them.
TEST(Discovery, NewOnesDoNotDiluteTheOldOnes) {
  Life life;
  life.refresh(addresses(0, 23));
  life.now += std::chrono::hours(1);
  EXPECT_NE(life.refresh(addresses(100, 180)).held_back, "");
  auto both = addresses(0, 23);
  for (const auto& ip : addresses(100, 180)) both.push_back(ip);
  std::ranges::sort(both);
  EXPECT_EQ(life.refresh(both).held_back, "");
  for (int day = 1; day <= 29; ++day) {
    life.now += std::chrono::hours(24);
    EXPECT_NE(life.refresh(addresses(100, 180)).held_back, "") << day;
  }
}

TEST(Discovery, SingleDecisionsNeitherTakeTheListNorLeaveAnEmptyHoldBehind) {
  Life life;
  life.refresh(addresses(0, 10));
  life.now += std::chrono::hours(1);
  life.refresh(addresses(0, 111));
  const auto baseline = life.memory.state.baseline_at;
  life.reject(addresses(10, 110));
  EXPECT_TRUE(life.memory.state.held_since) << "one waits";
  life.approve({address(110)});
  EXPECT_FALSE(life.memory.state.held_since);
  EXPECT_EQ(life.memory.state.baseline_at, baseline);
}

TEST(Discovery, AHoldWithoutAnAddressAndARejectionOfAListCanBeTakenBack) {
  Life life;
  life.refresh(addresses(0, 10), "a");
  life.now += std::chrono::hours(1);
  life.refresh(addresses(0, 5), "b");
  life.rules.max_shrink = 0.4;
  EXPECT_NE(life.refresh(addresses(0, 5), "b").held_back, "");
  EXPECT_TRUE(life.memory.pending.empty());
  life.reject();
  EXPECT_TRUE(life.refresh(addresses(0, 5), "b").was_rejected);
  life.approve();
  EXPECT_FALSE(life.refresh(addresses(0, 5), "b").was_rejected);
  life.approve();
  EXPECT_EQ(life.refresh(addresses(0, 5), "b").held_back, "");
}

TEST(Discovery, AnApprovalFillsTheWhitelistAndNoMore) {
  Life life;
  life.whitelist = Whitelist(3);
  life.rules.approve_new = true;
  life.refresh(addresses(0, 3));
  life.add(address(900), Source::manual);
  life.approve();
  EXPECT_EQ(life.whitelist.size(), 3U);
  EXPECT_EQ(life.memory.pending.size(), 1U) << "it goes on waiting";
}

TEST(Discovery, OnlyWhatWaitsCanBeDecidedAndAMissingOneNotByItself) {
  Life life;
  EXPECT_EQ(
      plan_approve({}, life.whitelist, life.memory, "a", kHost, life.rules, kStart).error().code,
      Code::not_found);
  life.refresh(addresses(0, 10));
  life.refresh(addresses(20, 22));
  EXPECT_FALSE(plan_reject({address(99)}, life.memory, "a", kStart));
  const auto plan = plan_reject({address(0), address(20)}, life.memory, "a", kStart);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->refused, std::vector{address(0)});
  EXPECT_EQ(plan->decided, std::vector{address(20)});
}

TEST(Discovery, TheConfigsBlacklistBeatsTheList) {
  Life life;
  life.refresh(addresses(0, 3));
  life.whitelist.set_blacklist({{address(1), "a.toml:4"}, {address(3), "a.toml:5"}});
  const auto plan = life.refresh(addresses(0, 4));
  ASSERT_EQ(plan.refused.size(), 2U);
  EXPECT_TRUE(plan.refused[0].why.starts_with("blacklisted: "));
  EXPECT_TRUE(plan.refused[1].why.starts_with("blacklisted: "));
  EXPECT_FALSE(life.whitelist.contains(address(1)));
  EXPECT_FALSE(life.whitelist.contains(address(3)));
}

TEST(Discovery, AFullWhitelistRefusesWhatHasNoRoomAndTakesSourcesOfWhatIsThere) {
  Life life;
  life.whitelist = Whitelist(3);
  life.add(address(9), Source::manual);
  const auto plan = life.refresh(addresses(0, 10));
  EXPECT_EQ(plan.refused.size(), 7U);
  EXPECT_EQ(life.whitelist.size(), 3U);
  EXPECT_NE(life.api(address(9)), nullptr);
}

TEST(Discovery, WhetherWeAreListedIsTakenWithTheListInForceOnly) {
  Life life;
  life.refresh(addresses(0, 10));
  FetchedList fetched{{.ips = addresses(20, 30), .lists_us = true}, "other", kHost};
  auto plan = plan_refresh(fetched, life.whitelist, life.memory, life.rules, life.now);
  EXPECT_FALSE(plan.state.accepted_lists_us);
  life.memory.state = plan.state;
  life.memory.pending = plan.pending;
  life.approve();
  EXPECT_TRUE(life.memory.state.accepted_lists_us);
}

TEST(Discovery, AFailureIsTriedAgainAfterOneTwoFourMinutesUpToTheInterval) {
  DiscoveryRules rules;
  rules.jitter = 0;
  Random random(1);
  ListState state;
  EXPECT_EQ(next_refresh_after(state, rules, {}, random), std::chrono::hours(1));
  const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
  for (const int expected : minutes) {
    ++state.failures;
    EXPECT_EQ(next_refresh_after(state, rules, {}, random), std::chrono::minutes(expected));
  }
  state.failures = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(next_refresh_after(state, rules, {}, random), std::chrono::hours(1));
  state.failures = 1;
  EXPECT_EQ(next_refresh_after(state, rules, Duration(std::chrono::minutes(7)), random),
            std::chrono::minutes(7));
  EXPECT_EQ(next_refresh_after(state, rules, Duration(std::chrono::hours(1000)), random),
            std::chrono::hours(24));
}

TEST(Discovery, TheIntervalsJitterIsWithinItsBoundsAndUsed) {
  Random random(7);
  std::set<Duration> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(next_refresh_after({}, {}, {}, random));
  EXPECT_GE(*seen.begin(), std::chrono::minutes(54));
  EXPECT_LE(*seen.rbegin(), std::chrono::minutes(66));
  EXPECT_GT(seen.size(), 900U);
}

TEST(Discovery, ACrashLoopIsNoFloodOfFetches) {
  ListState state;
  EXPECT_EQ(first_refresh_after(state, kStart), Duration::zero());
  state.attempted_at = kStart;
  EXPECT_EQ(first_refresh_after(state, kStart + std::chrono::seconds(4)), std::chrono::seconds(6));
  EXPECT_EQ(first_refresh_after(state, kStart + std::chrono::seconds(10)), Duration::zero());
  EXPECT_EQ(first_refresh_after(state, kStart - std::chrono::hours(1)), Duration::zero())
      << "the clock was set back";
}

TEST(Discovery, AClockThatWasSetBackIsNoWayRoundTheGuards) {
  Life life;
  life.refresh(addresses(0, 60));
  life.now -= std::chrono::hours(24 * 365);
  EXPECT_NE(life.refresh(addresses(0, 120)).held_back, "") << "the sixty count as new, too";
  life.approve();
  EXPECT_EQ(life.refresh(addresses(0, 120)).held_back, "");
}

// Whatever a list says: manual and config entries stay, growth and shrinking have their bounds.
TEST(Discovery, NoSequenceOfListsDoesMoreThanTheRulesAllow) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Life life;
    life.rules.max_growth = 10;
    life.add(address(900), Source::manual);
    life.add(address(901), Source::config);
    life.refresh(addresses(0, 40));
    std::vector<std::pair<WallTime, std::size_t>> grown;
    for (int hour = 0; hour < 24 * 45; ++hour) {
      life.now += std::chrono::hours(1);
      const auto from = random.below(60);
      const auto before = life.whitelist;
      const auto plan = life.refresh(addresses(from, from + random.below(40)));
      ASSERT_TRUE(life.whitelist.contains(address(900)));
      ASSERT_TRUE(life.whitelist.contains(address(901)));
      if (!plan.held_back.empty()) {
        ASSERT_EQ(life.whitelist.entries(), before.entries());
      } else {
        grown.emplace_back(life.now, plan.added.size());
      }
      std::size_t day = 0;
      for (const auto& [at, count] : grown) {
        if (at > life.now - std::chrono::hours(24)) day += count;
      }
      ASSERT_LE(day, 10U);
      for (const auto& [ip, entry] : before.entries()) {
        const auto* source = entry.find(Source::api);
        if (source == nullptr || life.whitelist.contains(ip)) continue;
        ASSERT_TRUE(source->missing_since);
        ASSERT_GE(life.now - *source->missing_since, std::chrono::hours(24 * 30));
      }
    }
  }
}

}  // namespace
}  // namespace timectl
