#include "daemon/core/alerts.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "daemon/core/reflect.h"
#include "tests/core/alerts_shell.h"

namespace timectl {
namespace {

TEST_F(AlertsTest, AConditionFiresOnceAfterItsHoldTimeAndIsResolvedOnceAfterItsClearTime) {
  const auto& row = alert_rule_row(masternode_down);
  EXPECT_TRUE(run({down()}, row.hold).empty());
  EXPECT_EQ(alerts.find(masternode_down, kPeer)->state, AlertState::pending);
  const auto fired = run({down()}, 1h);
  ASSERT_EQ(kinds(fired), Kinds{NoticeKind::fired});
  EXPECT_EQ(fired[0].alert.object, kPeer);
  EXPECT_EQ(fired[0].alert.id, 1U);
  EXPECT_EQ(*fired[0].alert.fired_at - fired[0].alert.since, row.hold);
  EXPECT_TRUE(run({}, row.clear).empty());
  EXPECT_EQ(kinds(run({}, 1h)), Kinds{NoticeKind::resolved});
  EXPECT_EQ(alerts.find(masternode_down, kPeer), nullptr);
  ASSERT_EQ(alerts.resolved().size(), 1U);
  EXPECT_TRUE(alerts.resolved()[0].resolved_at);
}

TEST_F(AlertsTest, WhatIsShorterThanTheHoldTimeIsNeverTold) {
  const auto& row = alert_rule_row(masternode_down);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(run({down()}, row.hold - 1s).empty());
    EXPECT_TRUE(run({}, row.clear).empty());
  }
  EXPECT_TRUE(run({}, 2s).empty());
  EXPECT_TRUE(alerts.open().empty());
  EXPECT_TRUE(alerts.unsaved().alerts.empty()) << "what is pending is not stored";
}

TEST_F(AlertsTest, AReturnWithinTheClearTimeIsTheSameAlert) {
  (void)run({down()}, 1min);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(run({}, alert_rule_row(masternode_down).clear - 1s).empty());
    EXPECT_TRUE(run({down()}, 10s).empty());
  }
  EXPECT_EQ(alerts.find(masternode_down, kPeer)->id, 1U);
}

TEST_F(AlertsTest, AnAlertIsItsRuleAndObjectNotItsText) {
  auto condition = down();
  (void)run({condition}, 1min);
  condition.text = "another reason";
  EXPECT_TRUE(run({condition}, 1min).empty());
  EXPECT_EQ(alerts.find(masternode_down, kPeer)->text, "another reason");
  EXPECT_EQ(kinds(run({condition, down("203.0.113.8")}, 1min)), Kinds{NoticeKind::fired});
}

TEST_F(AlertsTest, ATimeThatIsKnownCountsForTheHoldTimeButTheFutureDoesNot) {
  auto known = about(list_failed);
  known.since = now.wall - 4h;
  EXPECT_EQ(kinds(run({known}, 1s)), Kinds{NoticeKind::fired});
  auto future = about(list_missing);
  future.since = now.wall + 24h;
  EXPECT_TRUE(run({known, future}, 9min).empty());
  EXPECT_EQ(kinds(run({known, future}, 2min)), Kinds{NoticeKind::fired});
}

TEST_F(AlertsTest, ItIsRepeatedUntilItIsAcknowledged) {
  const auto repeat = alert_rule_row(masternode_down).repeat;
  ASSERT_EQ(kinds(run({down()}, 1min)), Kinds{NoticeKind::fired});
  EXPECT_EQ(kinds(run({down()}, repeat)), Kinds{NoticeKind::repeated});
  const auto planned = alerts.plan_acknowledge(1, "alice", now.wall);
  ASSERT_TRUE(planned);
  EXPECT_FALSE(alerts.find(masternode_down, kPeer)->acked_at) << "planned, not put";
  alerts.put_acknowledged(*planned);
  EXPECT_EQ(alerts.plan_acknowledge(1, "bob", now.wall + 1h)->acked_by, "alice");
  EXPECT_TRUE(run({down()}, 2 * repeat).empty());
  EXPECT_EQ(kinds(run({}, 2min)), Kinds{NoticeKind::resolved});
  EXPECT_EQ(alerts.plan_acknowledge(1, "bob", now.wall).error().code, Code::invalid_argument);
  EXPECT_EQ(alerts.plan_acknowledge(2, "bob", now.wall).error().code, Code::not_found);
  EXPECT_EQ(alerts.plan_acknowledge(0, "bob", now.wall).error().code, Code::not_found);
}

TEST_F(AlertsTest, AnAcknowledgementIsNotTakenBackByWhatWaitedToBeStored) {
  (void)run({down()}, 1min);  // not stored yet: the database is busy
  alerts.put_acknowledged(*alerts.plan_acknowledge(1, "alice", now.wall));
  save();
  EXPECT_EQ(stored.at(1).acked_by, "alice");
}

TEST_F(AlertsTest, TheThirdFiringWithinAnHourFlapsAndEndsOnlyAfterALongerQuiet) {
  Kinds told;
  for (int i = 0; i < 8; ++i) {
    for (const auto& notice : run({down()}, 1min)) told.push_back(notice.kind);
    for (const auto& notice : run({}, 2min)) told.push_back(notice.kind);
  }
  using enum NoticeKind;
  EXPECT_EQ(told, (Kinds{fired, resolved, fired, resolved, flapping}));
  EXPECT_TRUE(alerts.find(masternode_down, kPeer)->flapping);
  EXPECT_EQ(kinds(run({}, Alerts::kFlapClear)), Kinds{resolved});
  (void)run({}, 1h);
  EXPECT_EQ(kinds(run({down()}, 1min)), Kinds{fired}) << "the hour is over";
}

TEST_F(AlertsTest, ALostUplinkHidesThePeersBehindItAndTheirHoldTimeBeginsAnewAfterIt) {
  const std::vector<AlertCondition> all{about(uplink_down), about(no_masternode), down(),
                                        down("203.0.113.8")};
  const auto told = run(all, 1h);
  ASSERT_EQ(kinds(told), Kinds{NoticeKind::fired});
  EXPECT_EQ(told[0].alert.rule, uplink_down);
  EXPECT_EQ(alerts.cause_of(masternode_down, kPeer)->rule, uplink_down);
  const auto after = run({down()}, alert_rule_row(uplink_down).clear + 1s);
  ASSERT_EQ(kinds(after), Kinds{NoticeKind::resolved});
  EXPECT_TRUE(run({down()}, alert_rule_row(masternode_down).hold - 2s).empty());
  EXPECT_EQ(kinds(run({down()}, 5s)), Kinds{NoticeKind::fired});
}

TEST_F(AlertsTest, ACauseThatIsAboutOnePeerHidesThatPeerOnly) {
  const AlertCondition banned{.rule = protection_lost, .object = kPeer, .text = "banned"};
  std::set<std::string> told;
  for (const auto& notice : run({banned, down(), down("203.0.113.8")}, 5min)) {
    told.insert(std::string(name_of(notice.alert.rule)) + " " + notice.alert.object);
  }
  EXPECT_EQ(told,
            (std::set<std::string>{"protection_lost " + kPeer, "masternode_down 203.0.113.8"}));
}

TEST_F(AlertsTest, WhatWasToldBeforeItsCauseIsNotTakenBackNorRepeated) {
  ASSERT_EQ(kinds(run({down()}, 1min)), Kinds{NoticeKind::fired});
  const auto told = run({about(uplink_down), down()}, 5h);
  for (const auto& notice : told) EXPECT_EQ(notice.alert.rule, uplink_down);
  EXPECT_EQ(alerts.find(masternode_down, kPeer)->state, AlertState::firing);
  (void)run({down()}, 1min);
  EXPECT_EQ(kinds(run({}, 2min)), Kinds{NoticeKind::resolved});
}

TEST_F(AlertsTest, ASilenceKeepsTheStateAndTellsNothingNew) {
  alerts.put_silence({masternode_down, kPeer, "alice", "moved", now.wall, now.wall + 2h});
  EXPECT_TRUE(run({down()}, 1h).empty());
  EXPECT_EQ(alerts.find(masternode_down, kPeer)->state, AlertState::firing);
  EXPECT_EQ(kinds(run({down(), down("203.0.113.8")}, 10min)), Kinds{NoticeKind::fired})
      << "another peer is not silenced";
  EXPECT_EQ(kinds(run({down()}, 55min)), (Kinds{NoticeKind::resolved, NoticeKind::fired}))
      << "the other's end; and at the end of the silence what still holds is told";
}

TEST_F(AlertsTest, AClockThatIsSetBackDoesNotEndASilence) {
  alerts.put_silence({masternode_down, std::nullopt, "alice", "works", now.wall, now.wall + 2h});
  now.wall -= 1h;
  EXPECT_TRUE(run({down()}, 170min).empty());
  EXPECT_EQ(kinds(run({down()}, 20min)), Kinds{NoticeKind::fired}) << "it ends when it was said";
}

TEST_F(AlertsTest, WhatFiredAndEndedInASilenceIsNeverToldAndTheEndOfWhatWasToldIs) {
  ASSERT_EQ(kinds(run({down("203.0.113.8")}, 1min)), Kinds{NoticeKind::fired});
  alerts.put_silence({masternode_down, std::nullopt, "alice", "works", now.wall, now.wall + 24h});
  EXPECT_TRUE(run({down(), down("203.0.113.8")}, 5h).empty()) << "nor repeated";
  EXPECT_EQ(kinds(run({}, 2min)), Kinds{NoticeKind::resolved});
  EXPECT_EQ(alerts.resolved().size(), 2U);
}

TEST_F(AlertsTest, ALaterSilenceOfTheSameReplacesItAndTheirNumberIsBounded) {
  const auto peer = [](std::size_t i) { return "10.0." + std::to_string(i); };
  for (std::size_t i = 0; i < Alerts::kMaxSilences; ++i) {
    const AlertSilence silence{masternode_down, peer(i), "a", "", now.wall, now.wall + 1h};
    ASSERT_TRUE(alerts.check_silence(silence));
    alerts.put_silence(silence);
  }
  AlertSilence more{lag, std::nullopt, "a", "", now.wall, now.wall + 1h};
  EXPECT_EQ(alerts.check_silence(more).error().code, Code::invalid_argument);
  EXPECT_TRUE(alerts.check_silence({masternode_down, peer(0), "a", "", now.wall, now.wall + 2h}));
  more.from = now.wall + 1h;
  more.until = now.wall + 2h;
  EXPECT_TRUE(alerts.check_silence(more)) << "the others are over";
  more.until = more.from;
  EXPECT_FALSE(alerts.check_silence(more));
}

TEST_F(AlertsTest, ARestartNeitherRepeatsNorForgets) {
  ASSERT_EQ(kinds(run({down()}, 1min)), Kinds{NoticeKind::fired});
  alerts.put_acknowledged(*alerts.plan_acknowledge(1, "alice", now.wall));
  alerts.put_silence({lag, std::nullopt, "alice", "", now.wall, now.wall + 10h});
  auto kept = alerts.open();
  stored[1] = kept[0];  // an acknowledgement is stored by itself
  restart(10min);
  EXPECT_EQ(alerts.open(), kept);
  EXPECT_NE(alerts.silence_of(lag, "", now.wall), nullptr);
  EXPECT_TRUE(run({down()}, 5h).empty()) << "acknowledged before the restart";
  restart(1s);
  EXPECT_EQ(kinds(run({}, 2min)), Kinds{NoticeKind::resolved});
  restart(1s);
  EXPECT_TRUE(run({}, 1h).empty());
  EXPECT_EQ(alerts.resolved().size(), 1U);
  EXPECT_EQ(run({down()}, 1min).at(0).alert.id, 2U) << "an id is never used again";
}

TEST_F(AlertsTest, AConditionThatClearedWhileTheNodeWasDownIsResolvedOnce) {
  (void)run({down(), down("203.0.113.8")}, 1min);
  restart(24h);
  const auto told = run({down("203.0.113.8")}, 10min);
  ASSERT_EQ(kinds(told), (Kinds{NoticeKind::repeated, NoticeKind::resolved}));
  EXPECT_EQ(told[0].alert.object, "203.0.113.8") << "a day later it is said again";
  EXPECT_EQ(told[1].alert.object, kPeer);
}

TEST_F(AlertsTest, FlapsAreRememberedOverARestart) {
  for (int i = 0; i < 2; ++i) {
    (void)run({down()}, 1min);
    (void)run({}, 2min);
  }
  restart(1min);
  EXPECT_EQ(kinds(run({down()}, 1min)), Kinds{NoticeKind::flapping});
}

TEST_F(AlertsTest, AClockThatIsSetBackOrForwardMakesNothingFireOrStick) {
  (void)run({down()}, 10s);
  now.wall -= 24h;
  EXPECT_TRUE(run({down()}, 15s).empty());
  EXPECT_EQ(kinds(run({down()}, 10s)), Kinds{NoticeKind::fired});
  restart(-3h);
  now.wall += 1h;
  EXPECT_EQ(kinds(run({}, 2min)), Kinds{NoticeKind::resolved});
}

TEST_F(AlertsTest, WhatCannotBeKnownNowStaysAsItIs) {
  (void)run({about(clock_off)}, 11min);
  look.known.erase(clock_off);
  EXPECT_TRUE(run({}, 5h).empty()) << "neither resolved nor repeated";
  EXPECT_NE(alerts.find(clock_off, ""), nullptr);
  look.known.insert(clock_off);
  EXPECT_EQ(kinds(run({}, 11min)), Kinds{NoticeKind::resolved});
}

TEST_F(AlertsTest, ADisabledRuleRaisesNothingAndWhatIsOpenEndsAtOnce) {
  ASSERT_EQ(kinds(run({down()}, 1min)), Kinds{NoticeKind::fired});
  look.disabled.insert(masternode_down);
  EXPECT_EQ(kinds(run({down()}, 1s)), Kinds{NoticeKind::resolved});
  EXPECT_TRUE(run({down()}, 1h).empty());
  EXPECT_TRUE(alerts.open().empty());
}

TEST_F(AlertsTest, MoreThanThereIsRoomForWaitUntilThereIsAndNoneIsLost) {
  std::vector<AlertCondition> all;
  for (std::size_t i = 0; i < Alerts::kMaxOpen + 100; ++i) all.push_back(down(std::to_string(i)));
  std::set<std::string> told;
  look.holding = all;
  for (int i = 0; i < 2; ++i) {
    alerts.evaluate(look, now);
    advance(31s);
    for (const auto& notice : alerts.take_notices()) told.insert(notice.alert.object);
  }
  EXPECT_EQ(told.size(), Alerts::kMaxOpen);
  EXPECT_EQ(alerts.left_out(), 100U);
  // The first thousand end.
  look.holding.assign(all.begin() + 1000, all.end());
  for (int i = 0; i < 4; ++i) {
    alerts.evaluate(look, now);
    advance(61s);
    for (const auto& notice : alerts.take_notices()) told.insert(notice.alert.object);
  }
  EXPECT_EQ(told.size(), all.size());
  EXPECT_EQ(alerts.left_out(), 0U);
  EXPECT_LE(alerts.resolved().size(), Alerts::kMaxResolved);
}

TEST_F(AlertsTest, WhatIsAboutTheNodeFindsRoomWhereThePeersTakeAll) {
  std::vector<AlertCondition> all;
  for (std::size_t i = 0; i < Alerts::kMaxOpen + 1; ++i) all.push_back(down(std::to_string(i)));
  look.holding = all;
  alerts.evaluate(look, now);
  ASSERT_EQ(alerts.open().size(), Alerts::kMaxOpen);
  all.push_back(about(lag_high));
  all.push_back({.rule = sink_failing, .object = "pager", .text = "500"});
  look.holding = all;
  alerts.evaluate(look, now);
  EXPECT_NE(alerts.find(lag_high, ""), nullptr);
  EXPECT_NE(alerts.find(sink_failing, "pager"), nullptr);
  EXPECT_EQ(alerts.left_out(), 1U);
}

TEST_F(AlertsTest, ResolvedOnesAreForgottenOldestFirst) {
  std::vector<AlertCondition> all;
  for (std::size_t i = 0; i < Alerts::kMaxResolved + 10; ++i)
    all.push_back(down(std::to_string(i)));
  (void)run(all, 32s);
  save();
  EXPECT_EQ(stored.size(), all.size());
  (void)run({}, 62s);
  save();
  EXPECT_EQ(stored.size(), Alerts::kMaxResolved);
  EXPECT_EQ(stored.begin()->first, 11U);
  EXPECT_EQ(alerts.resolved().front().id, Alerts::kMaxResolved + 10) << "the newest first";
}

// Random conditions, silences and restarts: of every alert `fired` (or `flapping`) is told at most
// once and first, `resolved` at most once and last, and what is told as fired is resolved in the
// end.
TEST_F(AlertsTest, WhateverHappensEachFiringIsToldOnceAndResolvedOnce) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    alerts = Alerts();
    stored.clear();
    std::mt19937 random(seed);
    const auto chance = [&](unsigned of) { return random() % of == 0; };
    std::set<std::pair<AlertRule, std::string>> holding;
    std::map<std::uint64_t, Kinds> told;
    const auto step = [&](Duration by) {
      std::vector<AlertCondition> conditions;
      for (const auto& [rule, object] : holding) conditions.push_back({rule, object, "t"});
      look.holding = conditions;
      alerts.evaluate(look, now);
      for (const auto& notice : alerts.take_notices()) told[notice.alert.id].push_back(notice.kind);
      save();
      advance(by);
    };
    for (int i = 0; i < 3000; ++i) {
      const auto rule = alert_rule_table()[random() % alert_rule_table().size()].rule;
      const std::string object =
          alert_rule_row(rule).subject == AlertSubject::node ? "" : std::to_string(random() % 4);
      if (chance(3)) holding.emplace(rule, object);
      if (chance(2) && !holding.empty())
        holding.erase(std::next(holding.begin(), static_cast<long>(random() % holding.size())));
      if (chance(40)) alerts.put_silence({rule, std::nullopt, "a", "", now.wall, now.wall + 20min});
      if (chance(60)) restart(std::chrono::seconds(random() % 7200));
      step(std::chrono::seconds(random() % 200));
    }
    holding.clear();
    for (int i = 0; i < 60; ++i) step(60s);
    EXPECT_TRUE(alerts.open().empty()) << seed;
    EXPECT_GT(told.size(), 100U) << "the test does nothing";
    for (const auto& [id, kinds] : told) {
      ASSERT_GE(kinds.size(), 2U) << id;
      EXPECT_TRUE(kinds.front() == NoticeKind::fired || kinds.front() == NoticeKind::flapping);
      EXPECT_EQ(kinds.back(), NoticeKind::resolved);
      for (std::size_t i = 1; i + 1 < kinds.size(); ++i) EXPECT_EQ(kinds[i], NoticeKind::repeated);
    }
  }
}

TEST_F(AlertsTest, WhatIsNoLongerThereToBeWatchedEndsAtOnceAndSaysSo) {
  ASSERT_EQ(run({down(), down("203.0.113.8")}, 1min).size(), 2U);
  look.known.erase(masternode_down);  // also where it cannot be known
  look.moot[{masternode_down, kPeer}] = "it left the whitelist";
  const auto told = run({down("203.0.113.8")}, 1s);
  ASSERT_EQ(kinds(told), Kinds{NoticeKind::resolved});
  EXPECT_EQ(told[0].alert.object, kPeer);
  EXPECT_EQ(told[0].moot, "it left the whitelist");
  EXPECT_NE(alerts.find(masternode_down, "203.0.113.8"), nullptr);
}

TEST_F(AlertsTest, ALabelComesWithTheConditionAndIsNotTheAlertsKey) {
  auto named = down();
  named.label = "berlin";
  const auto told = run({named}, 1min);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].alert.label, "berlin");
  named.label = "tokyo";
  EXPECT_TRUE(run({named}, 1min).empty());
  EXPECT_EQ(alerts.find(masternode_down, kPeer)->label, "tokyo");
}

}  // namespace
}  // namespace timectl
