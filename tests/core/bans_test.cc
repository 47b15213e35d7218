#include "daemon/core/bans.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/core/random.h"

namespace timectl {
namespace {

using Kind = ViolationKind;
const IpAddress kStranger = IpAddress::v4(203, 0, 113, 7);

IpAddress v6(std::uint8_t network, std::uint8_t host) {
  return IpAddress({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host});
}

class BansTest : public ::testing::Test {
 protected:
  BansTest() : list_(100) {}

  Bans::Outcome does(Kind kind, const IpAddress& ip = kStranger,
                     Standing standing = Standing::stranger) {
    return bans_.violation(ip, kind, standing, policy_, now_);
  }
  void pass(Duration d) {
    now_.mono += d;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(d);
    (void)bans_.expire(now_.mono);
  }
  [[nodiscard]] bool banned(const IpAddress& ip = kStranger,
                            Standing standing = Standing::stranger) const {
    return bans_.in_force(ip, standing) != nullptr;
  }
  [[nodiscard]] Duration length(const IpAddress& ip = kStranger) const {
    const Ban* ban = bans_.in_force(ip, Standing::stranger);
    return ban == nullptr ? Duration::zero() : *ban->until - now_.wall;
  }
  BanChange by_hand(const IpAddress& ip, std::optional<Duration> lasts = {},
                    const std::string& reason = "spam") {
    auto change = bans_.plan_add({ip, reason, "alice", lasts}, list_, policy_, now_.wall);
    bans_.put(change, now_);
    return change;
  }
  void whitelist(const IpAddress& ip) {
    AddRequest request;
    request.ip = ip;
    list_.put(list_.plan_add(request));
  }

  Whitelist list_;
  BanPolicy policy_;
  Bans bans_;
  Now now_{Instant{1000h}, WallTime{400'000h}};
};

TEST_F(BansTest, AttacksClimbFromFiveMinutesToADayAndAWeekOfPeaceForgives) {
  const Duration ladder[] = {5min, 1h, 24h, 24h};
  std::uint64_t offences = 0;
  for (const auto rung : ladder) {
    while (!banned()) (void)does(Kind::flood);
    EXPECT_EQ(length(), rung);
    EXPECT_EQ(bans_.in_force(kStranger, Standing::stranger)->offences, ++offences);
    pass(rung - 1ms);
    EXPECT_TRUE(banned());
    pass(1ms);
    EXPECT_FALSE(banned());
  }
  pass(policy_.forgive_after);
  (void)does(Kind::flood);
  (void)does(Kind::flood);
  EXPECT_EQ(length(), 24h) << "a week to the millisecond is not yet longer than a week";
  pass(24h);
  pass(policy_.forgive_after + 1ms);
  (void)does(Kind::flood);
  (void)does(Kind::flood);
  EXPECT_EQ(length(), 5min);
}

TEST_F(BansTest, NuisancesNeverClimb) {
  for (int round = 0; round < 50; ++round) {
    while (!banned()) (void)does(Kind::no_handshake);
    EXPECT_EQ(length(), 5min) << round;
    EXPECT_EQ(bans_.in_force(kStranger, Standing::stranger)->offences, 0U);
    pass(5min);
  }
}

TEST_F(BansTest, AttacksWithinABanForNuisancesMakeItGraver) {
  for (int i = 0; i < 8; ++i) (void)does(Kind::no_handshake);
  (void)does(Kind::flood);
  EXPECT_EQ(bans_.in_force(kStranger, Standing::stranger)->offences, 0U);
  const auto outcome = does(Kind::flood);
  ASSERT_TRUE(outcome.ban);
  EXPECT_EQ(outcome.ban->offences, 1U);
  EXPECT_FALSE(does(Kind::flood).ban) << "once";
}

TEST_F(BansTest, AScoreHalvesInEachHalfLife) {
  EXPECT_DOUBLE_EQ(does(Kind::flood).score, 5);
  pass(10min);
  EXPECT_DOUBLE_EQ(does(Kind::flood).score, 7.5);
  EXPECT_FALSE(banned());
  pass(20min);
  const auto score = bans_.score(kStranger, Standing::stranger, policy_, now_.mono);
  EXPECT_DOUBLE_EQ(score.total(), 1.875);
  EXPECT_EQ(score.counts.at(static_cast<std::size_t>(Kind::flood)), 2U);
  pass(2h);
  const auto later = bans_.score(kStranger, Standing::stranger, policy_, now_.mono);
  EXPECT_EQ(later.total(), 0);
  EXPECT_EQ(later.counts.at(static_cast<std::size_t>(Kind::flood)), 0U) << "forgotten with it";
  EXPECT_FALSE(later.last_at);
}

TEST_F(BansTest, AnHonestPeerWithAFaultAnHourIsNeverBanned) {
  for (int hour = 0; hour < 1000; ++hour) {
    for (const auto& row : violation_table()) {
      if (row.gravity == Gravity::nuisance && hour % 2 == 0) continue;
      (void)does(row.kind, IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(row.kind)));
      EXPECT_FALSE(banned(IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(row.kind))));
    }
    pass(1h);
  }
}

// Every multiset of up to six violations of four kinds, in every order, at one instant.
TEST_F(BansTest, TheOrderOfEqualEvidenceDoesNotMatter) {
  const Kind kinds[] = {Kind::flood, Kind::unknown_pongs, Kind::slow, Kind::hammering};
  for (std::size_t size = 1; size <= 6; ++size) {
    std::vector<std::size_t> picked(size, 0);
    for (bool more = true; more;) {
      std::optional<std::pair<Duration, double>> first;
      std::uint64_t offences = 0;
      auto order = picked;
      do {
        Bans fresh;
        for (const auto kind : order) {
          (void)fresh.violation(kStranger, kinds[kind], Standing::stranger, policy_, now_);
        }
        const Ban* ban = fresh.in_force(kStranger, Standing::stranger);
        const std::pair<Duration, double> result(
            ban == nullptr ? Duration::zero() : Duration(*ban->until - ban->since),
            fresh.score(kStranger, Standing::stranger, policy_, now_.mono).total());
        if (!first) offences = ban == nullptr ? 0 : ban->offences;
        if (!first) first = result;
        ASSERT_EQ(result, *first);
        ASSERT_EQ(ban == nullptr ? 0 : ban->offences, offences);
      } while (std::next_permutation(order.begin(), order.end()));
      std::size_t at = size;  // the next multiset, as digits that do not fall
      while (at > 0 && picked[at - 1] == 3) --at;
      more = at > 0;
      if (more)
        std::fill(picked.begin() + static_cast<std::ptrdiff_t>(at) - 1, picked.end(),
                  picked[at - 1] + 1);
    }
  }
}

TEST_F(BansTest, StandingDecidesAndNothingIsCopied) {
  EXPECT_EQ(standing_of(false, BanImmunity::all), Standing::stranger);
  EXPECT_EQ(standing_of(false, BanImmunity::timeouts), Standing::stranger);
  EXPECT_EQ(standing_of(true, BanImmunity::all), Standing::immune);
  EXPECT_EQ(standing_of(true, BanImmunity::timeouts), Standing::relaxed);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(does(Kind::flood, kStranger, Standing::immune).counted);
  }
  EXPECT_EQ(bans_.records(), 0U);
  (void)by_hand(kStranger);
  EXPECT_TRUE(banned());
  EXPECT_TRUE(banned(kStranger, Standing::relaxed));
  EXPECT_FALSE(banned(kStranger, Standing::immune)) << "exempt while it is whitelisted";
  EXPECT_TRUE(banned()) << "and held again after that";
  EXPECT_EQ(bans_.of(kStranger, Standing::immune, now_).size(), 1U) << "it stays stored";
}

TEST_F(BansTest, OfIpv6The64IsJudgedAndOfIpv4TheAddress) {
  (void)does(Kind::flood, v6(1, 1));
  (void)does(Kind::flood, v6(1, 2));
  EXPECT_TRUE(banned(v6(1, 77)));
  EXPECT_FALSE(banned(v6(2, 1)));
  EXPECT_EQ(covered_by(*bans_.in_force(v6(1, 1), Standing::stranger)), "2001:db8:0:1::/64");
  (void)does(Kind::flood, IpAddress::v4(10, 0, 0, 1));
  (void)does(Kind::flood, IpAddress::v4(10, 0, 0, 2));
  EXPECT_FALSE(banned(IpAddress::v4(10, 0, 0, 1))) << "never a network (FM-B14)";
  (void)by_hand(v6(3, 1));
  EXPECT_FALSE(banned(v6(3, 2))) << "an operator bans what was typed";
}

TEST_F(BansTest, ANeighbourInThe64CannotBanAWhitelistedPeer) {
  (void)does(Kind::flood, v6(1, 1));
  (void)does(Kind::flood, v6(1, 1));
  EXPECT_TRUE(banned(v6(1, 2)));
  EXPECT_FALSE(banned(v6(1, 2), Standing::relaxed));
  (void)does(Kind::flood, v6(1, 2), Standing::relaxed);
  (void)does(Kind::flood, v6(1, 2), Standing::relaxed);
  EXPECT_TRUE(banned(v6(1, 2), Standing::relaxed)) << "for what it did itself";
}

TEST_F(BansTest, StrangersCannotFillTheTableNorPushOutAnOperatorsBan) {
  policy_.max_automatic = 64;
  (void)by_hand(kStranger);
  (void)does(Kind::flood, IpAddress::v4(10, 9, 9, 9));
  (void)does(Kind::flood, IpAddress::v4(10, 9, 9, 9));
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto n = random.next();
    (void)does(Kind::hammering,
               IpAddress::v4(11, static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8U),
                             static_cast<std::uint8_t>(n >> 16U)));
    ASSERT_LE(bans_.records(), 64U);
  }
  EXPECT_TRUE(banned(IpAddress::v4(10, 9, 9, 9))) << "the banned stay, the least go";
  EXPECT_TRUE(banned());
  EXPECT_EQ(bans_.operators(), 1U);
}

TEST_F(BansTest, WithNothingButBansTheOneThatEndsFirstGoes) {
  policy_.max_automatic = 3;
  for (std::uint8_t host = 1; host <= 4; ++host) {
    const auto ip = IpAddress::v4(10, 0, 0, host);
    (void)does(Kind::flood, ip);
    (void)does(Kind::flood, ip);
    EXPECT_TRUE(banned(ip));
    pass(1s);
  }
  EXPECT_FALSE(banned(IpAddress::v4(10, 0, 0, 1)));
  EXPECT_TRUE(banned(IpAddress::v4(10, 0, 0, 2)));
}

TEST_F(BansTest, AKillSwitchLeavesTheScoresOnly) {
  policy_.automatic = false;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(does(Kind::flood).counted);
  EXPECT_FALSE(banned());
  EXPECT_EQ(bans_.score(kStranger, Standing::stranger, policy_, now_.mono).total(), 20);
}

TEST_F(BansTest, AWhitelistedAddressCannotBeBannedByHand) {
  whitelist(kStranger);
  const auto change = by_hand(kStranger);
  EXPECT_EQ(change.result, ChangeResult::refused);
  EXPECT_EQ(change.code, Code::whitelisted);
  EXPECT_EQ(bans_.operators(), 0U);
}

TEST_F(BansTest, TheConfigsBanStandsAndOnlyTheFileLiftsIt) {
  list_.set_blacklist({{kStranger, "timectl.toml:7"}});
  const auto added = by_hand(kStranger);
  EXPECT_EQ(added.result, ChangeResult::unchanged);
  EXPECT_NE(added.why.find("timectl.toml:7"), std::string::npos);
  const auto removed = bans_.plan_remove(kStranger, list_, BanImmunity::all);
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].result, ChangeResult::refused);
  EXPECT_EQ(removed[0].code, Code::config_holds);
  EXPECT_NE(removed[0].why.find("timectl.toml:7"), std::string::npos);
}

TEST_F(BansTest, AddingAgainSaysOnlyWhatIsNew) {
  EXPECT_EQ(by_hand(kStranger, 1h, "spam").result, ChangeResult::added);
  EXPECT_EQ(by_hand(kStranger, {}, "").after->reason, "spam");
  EXPECT_FALSE(bans_.in_force(kStranger, Standing::stranger)->until);
  EXPECT_EQ(by_hand(kStranger, {}, "spam").result, ChangeResult::unchanged);
  EXPECT_EQ(bans_.next_end(), Instant::max()) << "the old end is gone";
}

TEST_F(BansTest, RemovingLiftsBothKindsAndTheScore) {
  (void)by_hand(kStranger);
  (void)does(Kind::flood);
  (void)does(Kind::flood);
  const auto changes = bans_.plan_remove(kStranger, list_, BanImmunity::all);
  ASSERT_EQ(changes.size(), 2U);
  for (const auto& change : changes) bans_.put(change, now_);
  EXPECT_FALSE(banned());
  EXPECT_EQ(bans_.score(kStranger, Standing::stranger, policy_, now_.mono).total(), 0);
  EXPECT_EQ(bans_.plan_remove(kStranger, list_, BanImmunity::all)[0].result,
            ChangeResult::unchanged);
  EXPECT_EQ(bans_.next_end(), Instant::max());
}

TEST_F(BansTest, TheOperatorsTableRefusesWhatIsTooMuchAndDropsNothing) {
  policy_.max_operator = 2;
  (void)by_hand(IpAddress::v4(10, 0, 0, 1));
  (void)by_hand(IpAddress::v4(10, 0, 0, 2));
  const auto third = by_hand(IpAddress::v4(10, 0, 0, 3));
  EXPECT_EQ(third.code, Code::ban_list_full);
  EXPECT_EQ(by_hand(IpAddress::v4(10, 0, 0, 2), 1h).result, ChangeResult::added) << "changes fit";
  EXPECT_EQ(bans_.operators(), 2U);
}

TEST_F(BansTest, ARestartKeepsBansAndTheLadder) {
  (void)by_hand(kStranger);
  (void)by_hand(IpAddress::v4(10, 0, 0, 1), 1h);
  (void)does(Kind::flood, IpAddress::v4(10, 0, 0, 2));
  (void)does(Kind::flood, IpAddress::v4(10, 0, 0, 2));
  std::vector<Ban> stored = bans_.all(now_);
  ASSERT_EQ(stored.size(), 3U);
  now_.wall += std::chrono::minutes(10);
  now_.mono = Instant{5s};  // another boot
  Bans second;
  second.load(stored, policy_, now_);
  EXPECT_TRUE(second.in_force(kStranger, Standing::stranger));
  EXPECT_TRUE(second.in_force(IpAddress::v4(10, 0, 0, 1), Standing::stranger));
  EXPECT_FALSE(second.in_force(IpAddress::v4(10, 0, 0, 2), Standing::stranger)) << "5 min are over";
  for (int i = 0; i < 2; ++i) {
    (void)second.violation(IpAddress::v4(10, 0, 0, 2), Kind::flood, Standing::stranger, policy_,
                           now_);
  }
  EXPECT_EQ(second.in_force(IpAddress::v4(10, 0, 0, 2), Standing::stranger)->offences, 2U);
  now_.mono += 50min;
  now_.wall += std::chrono::minutes(50);
  EXPECT_EQ(second.expire(now_.mono).size(), 1U);
  EXPECT_FALSE(second.in_force(IpAddress::v4(10, 0, 0, 1), Standing::stranger));
}

TEST_F(BansTest, AClockThatWasSetBackLengthensNoBan) {
  (void)by_hand(kStranger, 1h);
  const auto stored = bans_.all(now_);
  now_.wall -= std::chrono::hours(24 * 365);
  Bans second;
  second.load(stored, policy_, now_);
  EXPECT_EQ(second.next_end(), now_.mono + 1h);
  EXPECT_EQ(second.all(now_)[0].until, now_.wall + std::chrono::hours(1)) << "as it will be";
}

TEST_F(BansTest, WhileItRunsTheWallClockDecidesNothing) {
  (void)by_hand(kStranger, 1h);
  now_.wall += std::chrono::hours(5);
  (void)bans_.expire(now_.mono);
  EXPECT_TRUE(banned());
  EXPECT_EQ(bans_.all(now_)[0].until, now_.wall + std::chrono::hours(1));
}

TEST_F(BansTest, TheStoreIsToldOfEachRowOnce) {
  (void)by_hand(kStranger, 1h);
  EXPECT_TRUE(bans_.unsaved(10).empty()) << "an operator's ban was stored before it was put";
  (void)does(Kind::flood, IpAddress::v4(10, 0, 0, 2));
  EXPECT_TRUE(bans_.unsaved(10).empty()) << "a score is no ban";
  (void)does(Kind::flood, IpAddress::v4(10, 0, 0, 2));
  auto rows = bans_.unsaved(10);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].ban->ip, IpAddress::v4(10, 0, 0, 2));
  bans_.saved(rows);
  EXPECT_TRUE(bans_.unsaved(10).empty());
  pass(1h);
  rows = bans_.unsaved(10);
  ASSERT_EQ(rows.size(), 1U) << "the one by hand is over; the automatic one is remembered";
  EXPECT_FALSE(rows[0].ban);
  EXPECT_EQ(rows[0].origin, BanOrigin::operator_);
}

// Else the table in the file grows for as long as strangers come and go.
TEST_F(BansTest, ABanThatIsForgivenTakesItsRowAway) {
  policy_.max_automatic = 16;
  const IpAddress old = IpAddress::v4(10, 0, 0, 1);
  (void)does(Kind::flood, old);
  (void)does(Kind::flood, old);
  bans_.saved(bans_.unsaved(100));
  pass(policy_.forgive_after + 24h);
  bans_.saved(bans_.unsaved(100));
  for (std::uint8_t n = 1; n <= 40; ++n) (void)does(Kind::flood, IpAddress::v4(10, 0, 1, n));
  const auto rows = bans_.unsaved(100);
  EXPECT_TRUE(
      std::ranges::any_of(rows, [&](const auto& row) { return row.ip == old && !row.ban; }));
}

TEST_F(BansTest, TheLongerOfTwoBansIsTheOneThatIsNamed) {
  (void)does(Kind::flood);
  (void)does(Kind::flood);
  (void)by_hand(kStranger, 1min);
  EXPECT_EQ(bans_.in_force(kStranger, Standing::stranger)->origin, BanOrigin::automatic);
  (void)by_hand(kStranger, 1h);
  EXPECT_EQ(bans_.in_force(kStranger, Standing::stranger)->origin, BanOrigin::operator_);
  EXPECT_EQ(bans_.all(now_).size(), 2U);
}

}  // namespace
}  // namespace timectl
