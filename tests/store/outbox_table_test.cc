#include "store/outbox_table.h"

#include <gtest/gtest.h>

#include "store/alerts_table.h"
#include "store/connection.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

using namespace std::chrono_literals;

Alert alert(std::uint64_t id) {
  Alert alert;
  alert.id = id;
  alert.rule = AlertRule::masternode_down;
  alert.object = "203.0.113." + std::to_string(id);
  alert.state = AlertState::firing;
  alert.text = "K\xc3\xb6ln is not connected";
  alert.since = alert.fired_at.emplace(kNow);
  return alert;
}

// An outbox of one sink with so many messages.
Outbox outbox(std::uint64_t messages) {
  Outbox box(1);
  const Now now{Instant(1h), kNow};
  SinkChoice choice;
  choice.name = "pager";
  box.set_sinks({choice}, now);
  for (std::uint64_t id = 1; id <= messages; ++id) {
    box.put(message_of(AlertNotice{NoticeKind::fired, alert(id)}, {"host", "testnet"}, kNow), now);
  }
  return box;
}

TEST(OutboxTable, MessagesSinksAndDeliveriesComeBack) {
  const StateDirectory directory;
  auto box = outbox(2);
  ASSERT_EQ(box.take_due({Instant(1h), kNow}, true).size(), 1U);
  box.on_outcome("pager", {}, {Instant(1h), kNow + 1s});
  ASSERT_EQ(box.take_due({Instant(1h), kNow}, true).size(), 1U);
  box.on_outcome("pager", {SendResult::failed, "500\n", {}}, {Instant(1h), kNow + 2s});
  const auto changes = box.unsaved();
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(save_alerts(*database, {{alert(1), alert(2)}, {}}, changes));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  const auto stored = load_outbox(*database);
  ASSERT_TRUE(stored) << stored.error().message;
  ASSERT_EQ(stored->messages.size(), 1U) << "the first is done";
  EXPECT_EQ(stored->messages[0].alert, 2U);
  EXPECT_EQ(stored->messages[0].key, changes.messages.at(0)->key);
  EXPECT_EQ(stored->messages[0].text, alert(2).text);
  EXPECT_EQ(stored->sinks, changes.sinks);
  EXPECT_EQ(stored->sinks.at(0).attempts, 1U);
  EXPECT_EQ(stored->deliveries, changes.deliveries);
  EXPECT_EQ(stored->deliveries.at(0).state, DeliveryState::delivered);
}

TEST(OutboxTable, WhatIsDoneOrForgottenOrGoneIsRemoved) {
  auto database = Database::in_memory();
  auto box = outbox(3);
  ASSERT_TRUE(save_outbox(database, box.unsaved()));
  box.saved();
  EXPECT_EQ(load_outbox(database)->messages.size(), 3U);
  ASSERT_EQ(box.take_due({Instant(1h), kNow}, false).size(), 1U);
  box.on_outcome("pager", {}, {Instant(1h), kNow});
  ASSERT_TRUE(save_outbox(database, box.unsaved()));
  box.saved();
  EXPECT_EQ(load_outbox(database)->messages.size(), 2U);
  EXPECT_EQ(load_outbox(database)->deliveries.size(), 1U);
  box.forget_alert(1);
  ASSERT_TRUE(save_outbox(database, box.unsaved()));
  box.saved();
  EXPECT_TRUE(load_outbox(database)->deliveries.empty());
  box.set_sinks({}, {Instant(1h), kNow});
  ASSERT_TRUE(save_outbox(database, box.unsaved()));
  EXPECT_TRUE(load_outbox(database)->sinks.empty());
  EXPECT_TRUE(load_outbox(database)->messages.empty());
}

TEST(OutboxTable, AnAlertIsToldExactlyWhereItsMessageIsStored) {
  for (const bool written : {false, true}) {
    const StateDirectory directory;
    const int status = in_child([&] {
      auto database = directory.open();
      if (!database) return 1;
      if (written && !save_alerts(*database, {{alert(1)}, {}}, outbox(1).unsaved())) return 1;
      ::raise(SIGKILL);
      return 1;
    });
    ASSERT_EQ(status, 128 + SIGKILL);
    auto database = directory.open();
    ASSERT_TRUE(database);
    EXPECT_EQ(load_alerts(*database)->alerts.size(), written ? 1U : 0U);
    EXPECT_EQ(load_outbox(*database)->messages.size(), written ? 1U : 0U);
  }
}

TEST(OutboxTable, ARowThatMakesNoSenseIsDamageThatNamesIt) {
  for (const char* edit :
       {"UPDATE alert_messages SET message = '{'", "UPDATE alert_messages SET message = '[]'",
        "UPDATE alert_messages SET message = '{\"rule\":\"nothing\"}'",
        "UPDATE alert_messages SET number = 7",
        "UPDATE alert_messages SET message = replace(message, 'host', 'a\\u001bb')",
        "UPDATE alert_messages SET message = printf('%.*c', 9000, 'x')",
        "UPDATE alert_sinks SET done = -1", "UPDATE alert_sinks SET error = char(27)"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(save_outbox(*database, outbox(1).unsaved()));
    }
    tamper(directory.file(), edit);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto stored = load_outbox(*database);
    ASSERT_FALSE(stored) << edit;
    EXPECT_EQ(stored.error().code, Code::database_damaged) << edit;
  }
}

}  // namespace
}  // namespace timectl::store
