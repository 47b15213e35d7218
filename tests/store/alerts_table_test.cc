#include "store/alerts_table.h"

#include <gtest/gtest.h>

#include "store/connection.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

using namespace std::chrono_literals;

Alert firing(std::uint64_t id, const std::string& object = "203.0.113.7") {
  Alert alert;
  alert.id = id;
  alert.rule = AlertRule::masternode_down;
  alert.object = object;
  alert.state = AlertState::firing;
  alert.text = "K\xc3\xb6ln is not connected";
  alert.since = kNow;
  alert.fired_at = kNow + 30s;
  alert.told_at = kNow + 31s;
  alert.firings = 3;
  alert.flap_since = kNow - 5min;
  alert.flapping = true;
  return alert;
}
Alert resolved(std::uint64_t id) {
  Alert alert = firing(id);
  alert.state = AlertState::resolved;
  alert.cleared_at = kNow + 1h;
  alert.resolved_at = kNow + 2h;
  alert.acked_by = "alice";
  alert.acked_at = kNow + 90s;
  return alert;
}
AlertSilence quiet(std::optional<std::string> object, WallTime from = kNow) {
  return {AlertRule::masternode_down, std::move(object), "alice", "it moves", from, from + 2h};
}

TEST(AlertsTable, EveryFieldComesBack) {
  const StateDirectory directory;
  Alert bare = firing(9, "");
  bare.rule = AlertRule::whitelist_empty;
  bare.fired_at = bare.told_at = bare.flap_since = std::nullopt;
  bare.flapping = false;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(save_alerts(*database, {{firing(8), resolved(7), bare}, {}}));
    ASSERT_TRUE(silence(*database, operator_origin(), quiet("203.0.113.7")));
    ASSERT_TRUE(silence(*database, operator_origin(), quiet(std::nullopt, kNow + 1s)));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  const auto stored = load_alerts(*database);
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->alerts, (std::vector{resolved(7), firing(8), bare}));
  EXPECT_EQ(stored->silences, (std::vector{quiet("203.0.113.7"), quiet(std::nullopt, kNow + 1s)}));
}

TEST(AlertsTable, ARowIsReplacedAndForgottenByItsId) {
  auto database = Database::in_memory();
  ASSERT_TRUE(save_alerts(database, {{firing(1), firing(2, "203.0.113.8")}, {}}));
  ASSERT_TRUE(save_alerts(database, {{resolved(1)}, {2}}));
  EXPECT_EQ(load_alerts(database)->alerts, std::vector{resolved(1)});
  ASSERT_TRUE(save_alerts(database, {}));
}

TEST(AlertsTable, TheSameThingMayEndAndFireAgainInOneTransaction) {
  auto database = Database::in_memory();
  ASSERT_TRUE(save_alerts(database, {{firing(1)}, {}}));
  ASSERT_TRUE(save_alerts(database, {{firing(2), resolved(1)}, {}}));
  EXPECT_EQ(load_alerts(database)->alerts, (std::vector{resolved(1), firing(2)}));
}

TEST(AlertsTable, WhatAnOperatorSaysIsAudited) {
  auto database = Database::in_memory();
  ASSERT_TRUE(save_alerts(database, {{firing(4)}, {}}));
  auto acked = firing(4);
  acked.acked_by = "alice";
  acked.acked_at = kNow + 1h;
  ASSERT_TRUE(acknowledge(database, operator_origin(), {acked}));
  ASSERT_TRUE(silence(database, operator_origin(), quiet("203.0.113.7")));
  EXPECT_EQ(load_alerts(database)->alerts, std::vector{acked});
  const auto rows = *list_audit(database, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].action, "alert.ack");
  EXPECT_EQ(rows[0].subject, "masternode_down 203.0.113.7");
  EXPECT_EQ(rows[0].after, R"({"id":4})");
  EXPECT_EQ(rows[1].action, "alert.silence");
  EXPECT_EQ(rows[1].reason, "it moves");
  EXPECT_TRUE(verify_audit(database)->ok);
}

TEST(AlertsTable, ASilenceThatIsOverGoesWithTheNextOne) {
  auto database = Database::in_memory();
  ASSERT_TRUE(silence(database, operator_origin(), quiet("203.0.113.7")));
  ASSERT_TRUE(silence(database, operator_origin(), quiet("203.0.113.8", kNow + 3h)));
  EXPECT_EQ(load_alerts(database)->silences, std::vector{quiet("203.0.113.8", kNow + 3h)});
}

TEST(AlertsTable, AKillLeavesTheSilenceAndItsAuditRowOrNeitherAndEverySavedAlert) {
  for (const bool written : {false, true}) {
    const StateDirectory directory;
    const int status = in_child([&] {
      auto database = directory.open();
      if (!database || !save_alerts(*database, {{firing(1)}, {}})) return 1;
      if (written && !silence(*database, operator_origin(), quiet("203.0.113.7"))) return 1;
      (void)audited(*database, operator_origin(), [&](AuditScope&) -> Result<void> {
        ::raise(SIGKILL);
        return {};
      });
      return 1;
    });
    ASSERT_EQ(status, 128 + SIGKILL);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto stored = load_alerts(*database);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->alerts, std::vector{firing(1)});
    EXPECT_EQ(stored->silences.size(), written ? 1U : 0U);
    EXPECT_EQ(audit_head(*database)->seq, written ? 1U : 0U);
  }
}

TEST(AlertsTable, ARowThatMakesNoSenseIsDamageThatNamesIt) {
  for (const char* edit :
       {"UPDATE alerts SET rule = 'nothing'", "UPDATE alerts SET state = 'pending'",
        "UPDATE alerts SET state = 'open'", "UPDATE alerts SET since = -5",
        "UPDATE alerts SET flapping = 2", "UPDATE alerts SET text = 'a' || char(27)",
        "UPDATE alerts SET object = printf('%.*c', 65, 'x')", "UPDATE alerts SET id = 0",
        "UPDATE alerts SET id = -1", "UPDATE silences SET rule = ''",
        "UPDATE silences SET until = -1", "UPDATE silences SET why = char(10)"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(save_alerts(*database, {{firing(1)}, {}}));
      ASSERT_TRUE(silence(*database, operator_origin(), quiet("203.0.113.7")));
    }
    tamper(directory.file(), edit);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto stored = load_alerts(*database);
    ASSERT_FALSE(stored) << edit;
    EXPECT_EQ(stored.error().code, Code::database_damaged) << edit;
    EXPECT_NE(stored.error().message.find("s, row"), std::string::npos) << stored.error().message;
  }
}

TEST(AlertsTable, OfTooManyRowsTheFiringAndTheNewestAreRead) {
  auto database = Database::in_memory();
  Alerts::Unsaved many;
  many.alerts.push_back(firing(1));
  const std::size_t most = Alerts::kMaxOpen + Alerts::kMaxResolved;
  for (std::size_t i = 2; i < most + 10; ++i) many.alerts.push_back(resolved(i));
  ASSERT_TRUE(save_alerts(database, many));
  const auto stored = *load_alerts(database);
  ASSERT_EQ(stored.alerts.size(), most);
  EXPECT_EQ(stored.alerts.front(), firing(1));
  EXPECT_EQ(stored.alerts.back().id, most + 9);
}

}  // namespace
}  // namespace timectl::store
