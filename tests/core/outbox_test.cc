// The outbox in virtual time: order, waiting, bounds, restarts.
#include "daemon/core/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace timectl {
namespace {

using namespace std::chrono_literals;

AlertMessage message(std::uint64_t alert, NoticeKind kind = NoticeKind::fired,
                     AlertRule rule = AlertRule::masternode_down) {
  Alert subject;
  subject.id = alert;
  subject.rule = rule;
  subject.object = "203.0.113." + std::to_string(alert);
  subject.text = "is not connected";
  return message_of(AlertNotice{kind, subject}, {"host", "testnet"}, WallTime(1000s));
}

struct OutboxTest : testing::Test {
  OutboxTest() {
    choice.name = "pager";
    box.set_sinks({choice}, now);
  }
  void pass(Duration time) {
    now.mono += time;
    now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
  }
  void put(std::uint64_t alert, NoticeKind kind = NoticeKind::fired) {
    box.put(message(alert, kind), now);
  }
  // The alerts of what is sent now.
  std::vector<std::uint64_t> take(const std::string& sink = "pager") {
    std::vector<std::uint64_t> alerts;
    for (const auto& parcel : box.take_due(now, true)) {
      if (parcel.sink != sink) continue;
      for (const auto& sent : parcel.messages) alerts.push_back(sent->alert);
    }
    return alerts;
  }
  void answer(SendResult result, std::optional<Duration> wish = {}) {
    box.on_outcome("pager", {result, result == SendResult::delivered ? "" : "500", wish}, now);
  }
  // What a new process reads: all that was saved.
  Outbox restarted(Outbox::Stored stored = {}) const {
    for (const auto& saved : box.unsaved().messages) stored.messages.push_back(*saved);
    stored.sinks = box.unsaved().sinks;
    stored.deliveries = box.unsaved().deliveries;
    Outbox next(2);
    next.load(std::move(stored));
    return next;
  }

  Now now{Instant(1h), WallTime(1000s)};
  SinkChoice choice;
  Outbox box{1};
};

using Alerts_ = std::vector<std::uint64_t>;

TEST_F(OutboxTest, OneParcelAtATimeInTheOrderOfTheTelling) {
  put(1);
  put(2);
  EXPECT_EQ(take(), Alerts_{1});
  EXPECT_EQ(take(), Alerts_{}) << "the first is under way";
  answer(SendResult::delivered);
  EXPECT_EQ(take(), Alerts_{2});
  answer(SendResult::delivered);
  EXPECT_EQ(take(), Alerts_{});
  EXPECT_EQ(box.size(), 0U);
}

TEST_F(OutboxTest, ADayOfRefusalsIsTriedWithinBoundsAndLosesNothing) {
  put(1);
  put(1, NoticeKind::resolved);
  std::size_t attempts = 0;
  for (Duration passed{}; passed < 24h; passed += 1s) {
    if (!take().empty()) {
      ++attempts;
      answer(SendResult::failed);
    }
    pass(1s);
  }
  EXPECT_GT(attempts, 24U * 60 / 6) << "five minutes and a fifth at most";
  EXPECT_LT(attempts, 24U * 60 / 4 + 10);
  const auto said = box.take_said();
  ASSERT_EQ(said.size(), 1U) << "told once";
  EXPECT_NE(said[0].find("pager fails: 500"), std::string::npos) << said[0];
  EXPECT_EQ(box.failing().at(0).waiting, 2U);
  EXPECT_EQ(box.deliveries_of(1).at(0).state, DeliveryState::waiting);
  EXPECT_EQ(box.deliveries_of(1).at(0).attempts, attempts);
  pass(10min);
  for (const auto kind : {NoticeKind::fired, NoticeKind::resolved}) {
    const auto parcels = box.take_due(now, true);
    ASSERT_EQ(parcels.size(), 1U);
    EXPECT_EQ(parcels[0].messages.at(0)->kind, kind);
    answer(SendResult::delivered);
  }
  EXPECT_TRUE(box.failing().empty());
  EXPECT_EQ(box.take_said().size(), 1U) << "it works again";
  EXPECT_EQ(box.deliveries_of(1).at(0).state, DeliveryState::delivered);
}

TEST_F(OutboxTest, AWishOfTheReceiverIsKeptUpToAnHour) {
  put(1);
  EXPECT_EQ(take(), Alerts_{1});
  answer(SendResult::failed, 100s);
  pass(99s);
  EXPECT_EQ(take(), Alerts_{});
  pass(1s);
  EXPECT_EQ(take(), Alerts_{1});
  answer(SendResult::failed, 240h);
  pass(1h);
  EXPECT_EQ(take(), Alerts_{1});
}

TEST_F(OutboxTest, ASinkThatHangsHoldsUpNoOther) {
  SinkChoice second = choice;
  second.name = "second";
  box.set_sinks({choice, second}, now);
  for (std::uint64_t alert = 1; alert <= 3; ++alert) put(alert);
  EXPECT_EQ(take("pager"), Alerts_{1});  // both are busy, and pager never answers
  for (std::uint64_t alert = 2; alert <= 3; ++alert) {
    box.on_outcome("second", {}, now);
    EXPECT_EQ(take("second"), Alerts_{alert});
  }
  box.on_outcome("second", {}, now);
  EXPECT_EQ(box.sink("second")->waiting, 0U);
  EXPECT_EQ(box.sink("pager")->waiting, 3U);
}

TEST_F(OutboxTest, WhatIsRefusedIsFoundAndGivenUpAndTheOthersArrive) {
  choice.batch = 10;
  box.set_sinks({choice}, now);
  for (std::uint64_t alert = 1; alert <= 4; ++alert) put(alert);
  Alerts_ arrived;
  for (int i = 0; i < 100; ++i) {
    const auto sent = take();
    const bool bad = std::ranges::find(sent, 3U) != sent.end();
    if (!sent.empty()) answer(bad ? SendResult::refused : SendResult::delivered);
    if (!bad) arrived.insert(arrived.end(), sent.begin(), sent.end());
    pass(1min);
  }
  EXPECT_EQ(arrived, (Alerts_{1, 2, 4}));
  EXPECT_EQ(box.deliveries_of(3).at(0).state, DeliveryState::failed);
  EXPECT_EQ(box.deliveries_of(3).at(0).error, "500");
  EXPECT_EQ(box.deliveries_of(4).at(0).state, DeliveryState::delivered);
  std::size_t told = 0;
  for (const auto& line : box.take_said()) told += line.find("is given up") != std::string::npos;
  EXPECT_EQ(told, 1U);
}

TEST_F(OutboxTest, AThousandAlertsAreAFewParcels) {
  choice.batch = 100;
  box.set_sinks({choice}, now);
  for (std::uint64_t alert = 1; alert <= 1000; ++alert) put(alert);
  std::size_t parcels = 0;
  Alerts_ arrived;
  for (auto sent = take(); !sent.empty(); sent = take()) {
    ++parcels;
    arrived.insert(arrived.end(), sent.begin(), sent.end());
    answer(SendResult::delivered);
  }
  EXPECT_EQ(parcels, 10U);
  ASSERT_EQ(arrived.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(arrived));
}

// Not one call for each of 131 peers; what comes before and after keeps its place.
TEST_F(OutboxTest, AFloodOfOneRuleIsOneParcelForThoseWhoTakeDigests) {
  choice.digests = true;
  box.set_sinks({choice}, now);
  box.put(message(500, NoticeKind::fired, AlertRule::disk_low), now);
  for (std::uint64_t alert = 1; alert <= 131; ++alert) put(alert);
  for (std::uint64_t alert = 1; alert <= 9; ++alert) put(alert, NoticeKind::resolved);
  std::vector<std::size_t> sizes;
  Alerts_ arrived;
  for (auto sent = take(); !sent.empty(); sent = take()) {
    sizes.push_back(sent.size());
    arrived.insert(arrived.end(), sent.begin(), sent.end());
    answer(SendResult::delivered);
  }
  ASSERT_GE(sizes.size(), 2U);
  EXPECT_EQ(sizes[0], 1U);
  EXPECT_EQ(sizes[1], 131U);
  EXPECT_EQ(sizes.size(), 2U + 9U) << "nine are told one by one";
  EXPECT_EQ(arrived.size(), 141U);
  EXPECT_EQ(box.deliveries_of(131).at(0).state, DeliveryState::delivered);
  EXPECT_EQ(box.size(), 0U);
}

TEST_F(OutboxTest, ABatchEndsWhereADigestBegins) {
  choice.digests = true;
  choice.batch = 100;
  box.set_sinks({choice}, now);
  box.put(message(500, NoticeKind::fired, AlertRule::disk_low), now);
  box.put(message(501, NoticeKind::fired, AlertRule::lag_high), now);
  for (std::uint64_t alert = 1; alert <= 20; ++alert) put(alert);
  EXPECT_EQ(take(), (Alerts_{500, 501}));
  answer(SendResult::failed);
  put(21);
  pass(1h);
  EXPECT_EQ(take(), (Alerts_{500, 501})) << "nothing is lost, the order stays";
  answer(SendResult::delivered);
  EXPECT_EQ(take().size(), 21U);
}

TEST_F(OutboxTest, WhatIsForANewSinkIsForNoOther) {
  (void)box.take_new_sinks();
  SinkChoice late = choice;
  late.name = "late";
  box.set_sinks({choice, late}, now);
  EXPECT_EQ(box.take_new_sinks(), std::vector<std::string>{"late"});
  EXPECT_TRUE(box.take_new_sinks().empty());
  auto old = message(1);
  old.to = "late";
  box.put(old, now);
  EXPECT_EQ(box.sink("pager")->waiting, 0U);
  EXPECT_EQ(take("late"), Alerts_{1});
  box.on_outcome("late", {}, now);
  EXPECT_EQ(box.size(), 0U);
}

TEST_F(OutboxTest, OfTooManyTheOldestAreGivenUpCountedAndToldOnce) {
  for (std::uint64_t alert = 1; alert <= Outbox::kMaxWaiting + 50; ++alert) put(alert);
  EXPECT_EQ(box.size(), Outbox::kMaxWaiting);
  EXPECT_EQ(box.sink("pager")->state.given_up, 50U);
  EXPECT_EQ(box.take_said().size(), 1U);
  EXPECT_EQ(take(), Alerts_{51});
  EXPECT_EQ(box.deliveries_of(50).at(0).state, DeliveryState::failed);
}

TEST_F(OutboxTest, WhatIsNotStoredIsSentOnlyWhereNothingCanBe) {
  put(1);
  EXPECT_TRUE(box.take_due(now, false).empty());
  box.saved();
  EXPECT_EQ(box.take_due(now, false).size(), 1U);
  answer(SendResult::delivered);
  put(2);
  EXPECT_EQ(take(), Alerts_{2});  // the database cannot be written
  answer(SendResult::delivered);
  EXPECT_TRUE(box.unsaved().messages.empty()) << "it is gone before it was stored";
}

TEST_F(OutboxTest, ARestartGoesOnWithTheSameMessageItsKeyAndItsWait) {
  put(1);
  put(2);
  EXPECT_EQ(take(), Alerts_{1});
  answer(SendResult::failed, 50s);
  const auto key = box.unsaved().messages.at(0)->key;
  box = restarted();
  box.set_sinks({choice}, now);
  EXPECT_EQ(box.deliveries_of(2).at(0).state, DeliveryState::waiting);
  EXPECT_EQ(take(), Alerts_{}) << "a crash loop is no flood";
  pass(50s);
  const auto parcels = box.take_due(now, false);
  ASSERT_EQ(parcels.size(), 1U);
  EXPECT_EQ(parcels[0].messages.at(0)->key, key);
  answer(SendResult::delivered);
  put(3);
  EXPECT_EQ(take(), Alerts_{2});
  answer(SendResult::delivered);
  EXPECT_EQ(take(), Alerts_{3}) << "numbers go on";
}

TEST_F(OutboxTest, AClockThatWasSetDoesNotMakeItWaitForYears) {
  put(1);
  EXPECT_EQ(take(), Alerts_{1});
  answer(SendResult::failed);
  box = restarted();
  now.wall -= std::chrono::hours(24 * 365);
  box.set_sinks({choice}, now);
  pass(1h);
  EXPECT_EQ(take(), Alerts_{1});
}

TEST_F(OutboxTest, ANewSinkGetsWhatComesFromNowOnAndAGoneOneIsForgotten) {
  put(1);
  SinkChoice late = choice;
  late.name = "late";
  box.set_sinks({late}, now);
  EXPECT_EQ(box.unsaved().gone_sinks, std::vector<std::string>{"pager"});
  EXPECT_EQ(box.size(), 0U);
  put(2);
  EXPECT_EQ(take("late"), Alerts_{2});
}

TEST_F(OutboxTest, HowManyMessagesGoWithASinkThatIsTakenAwayIsSaid) {
  SinkChoice mild = choice;
  mild.name = "mild";
  SinkChoice other = choice;
  other.name = "lagging";
  other.rules = {AlertRule::lag};
  box.set_sinks({choice, mild, other}, now);
  put(1);
  put(2);
  const auto stored = restarted();
  box.set_sinks({mild}, now);
  const auto said = box.take_said();
  ASSERT_EQ(said.size(), 1U) << "the one that wanted none of them loses nothing";
  EXPECT_TRUE(said[0].starts_with(
      "alert sink pager is no longer configured: 2 messages that waited for it are lost"))
      << said[0];
  EXPECT_EQ(take("mild"), Alerts_{1});
  // Over a restart, too, where what it wanted is no longer known.
  auto next = stored;
  next.set_sinks({mild, other}, now);
  const auto later = next.take_said();
  ASSERT_EQ(later.size(), 1U);
  EXPECT_NE(later[0].find("pager is no longer configured: up to 2 messages"), std::string::npos)
      << later[0];
}

TEST_F(OutboxTest, AReloadTriesAtOnceAndKeepsWhatWaits) {
  put(1);
  EXPECT_EQ(take(), Alerts_{1});
  answer(SendResult::failed, 1h);
  box.set_sinks({choice}, now);
  EXPECT_EQ(take(), Alerts_{1});
}

TEST_F(OutboxTest, ASinkGetsOnlyWhatItWants) {
  choice.mildest = Severity::critical;
  SinkChoice other = choice;
  other.name = "lagging";
  other.mildest = Severity::notice;
  other.rules = {AlertRule::lag};
  box.set_sinks({choice, other}, now);
  box.put(message(1, NoticeKind::fired, AlertRule::lag), now);
  box.put(message(2), now);
  box.put(message(3, NoticeKind::fired, AlertRule::disk_low), now);
  EXPECT_EQ(box.size(), 2U) << "nobody wants the third";
  const auto parcels = box.take_due(now, true);
  ASSERT_EQ(parcels.size(), 2U);
  EXPECT_EQ(parcels[0].messages.at(0)->alert, 1U);
  EXPECT_EQ(parcels[1].messages.at(0)->alert, 2U);
}

TEST_F(OutboxTest, AnInterruptedOneDoesNotCount) {
  put(1);
  EXPECT_EQ(take(), Alerts_{1});
  answer(SendResult::interrupted);
  EXPECT_TRUE(box.failing().empty());
  EXPECT_EQ(take(), Alerts_{1});
}

TEST_F(OutboxTest, ASignOfLifeIsRegularAndNeverQueued) {
  choice.every = 1min;
  choice.messages = false;
  box.set_sinks({choice}, now);
  std::size_t beats = 0;
  for (Duration passed{}; passed < 1h; passed += 1s) {
    beats += box.take_due(now, false).size();
    answer(passed < 30min ? SendResult::delivered : SendResult::failed);
    pass(1s);
  }
  EXPECT_GE(beats, 60U);
  EXPECT_LE(beats, 80U);
  EXPECT_EQ(box.size(), 0U);
  EXPECT_EQ(box.failing().size(), 1U);
}

}  // namespace
}  // namespace timectl
