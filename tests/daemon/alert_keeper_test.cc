// Alerts of a running node, from its views and events; a virtual node, a real database.
#include "daemon/alert_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "store/alerts_table.h"
#include "store/connection.h"
#include "store/outbox_table.h"
#include "store/peer_history.h"
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

const IpAddress kNear = IpAddress::v4(64, 0, 0, 1);
const IpAddress kAway = IpAddress::v4(64, 0, 1, 1);

struct AlertKeeperTest : testing::Test {
  void SetUp() override {
    services.config = &config;
    services.database = &database;
    services.whitelist = &shell.list;
    services.bans = &bans;
    services.list = &list;
    services.node = &shell.node;
    services.facts.started = shell.now.mono;
    ASSERT_TRUE(keeper.open(shell.now));
    shell.start();
    (void)shell.finish_dial(kNear);
    shell.closed(shell.last_dial(kAway), EndReason::refused);
  }
  // The daemon's tick, once a second; what was told.
  std::vector<AlertNotice> run(Duration time) {
    std::vector<AlertNotice> told;
    for (Duration passed{}; passed < time; passed += 1s) {
      shell.run(1s);
      for (const auto& ping : shell.all<SendPing>()) {
        shell.node.on_pong(ping.connection, ping.nonce, 100, shell.now);
      }
      shell.collect();
      shell.clear();
      EXPECT_TRUE(keeper.look(services, shell.now));
      for (auto& notice : keeper.take_notices()) told.push_back(std::move(notice));
    }
    return told;
  }

  config::Config config;
  store::Database database = store::Database::in_memory();
  AlertKeeper keeper{database};
  NodeShell shell{{kNear, kAway}};
  Bans bans;
  ListMemory list;
  Services services;
};

TEST_F(AlertKeeperTest, AMasternodeThatStaysAwayIsToldOnceAndStoredBefore) {
  const auto told = run(2min);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, NoticeKind::fired);
  EXPECT_EQ(told[0].alert.rule, AlertRule::masternode_down);
  EXPECT_EQ(told[0].alert.object, kAway.to_string());
  EXPECT_EQ(told[0].alert.text,
            "Whitelisted peer 64.0.1.1 is not connected: the connection was refused: no program "
            "listens, or no slot is free");
  const auto stored = store::load_alerts(database)->alerts;
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].id, told[0].alert.id);
  EXPECT_TRUE(stored[0].told_at);
}

TEST_F(AlertKeeperTest, AMessageToEachSinkIsStoredWithItsAlert) {
  Outbox outbox(1);
  SinkChoice choice;
  choice.name = "pager";
  outbox.set_sinks({choice}, shell.now);
  keeper.tell_sinks(outbox, {"host", "testnet"});
  ASSERT_EQ(run(2min).size(), 1U);
  const auto stored = store::load_outbox(database);
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->messages.size(), 1U);
  EXPECT_EQ(stored->messages[0].object, kAway.to_string());
  EXPECT_EQ(outbox.take_due(shell.now, false).size(), 1U) << "stored, so it may be sent";
}

TEST_F(AlertKeeperTest, ARestartGoesOnWhereItWas) {
  ASSERT_EQ(run(1min).size(), 1U);
  AlertKeeper next(database);
  ASSERT_TRUE(next.open(shell.now));
  for (int i = 0; i < 60; ++i) {
    shell.run(1s);
    ASSERT_TRUE(next.look(services, shell.now));
  }
  EXPECT_TRUE(next.take_notices().empty());
  EXPECT_NE(next.alerts().find(AlertRule::masternode_down, kAway.to_string()), nullptr);
}

TEST_F(AlertKeeperTest, AnEventThatMattersIsLookedAtWithTheNextTick) {
  (void)run(1min);
  ASSERT_TRUE(keeper.look(services, shell.now));  // not due
  const Event rejected{.at = shell.now.wall,
                       .kind = EventKind::config_rejected,
                       .severity = Severity::error,
                       .detail = "line 3"};
  keeper.on_event(rejected);
  ASSERT_TRUE(keeper.look(services, shell.now));
  auto told = keeper.take_notices();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].alert.rule, AlertRule::config_rejected);
  EXPECT_NE(told[0].alert.text.find("line 3"), std::string::npos);
  keeper.on_event({.at = shell.now.wall, .kind = EventKind::config_reloaded});
  ASSERT_TRUE(keeper.look(services, shell.now));
  EXPECT_EQ(keeper.take_notices().at(0).kind, NoticeKind::resolved);
}

TEST_F(AlertKeeperTest, TheChainsFailureAndTheDatabasesDamageAreAlerts) {
  keeper.on_event({.kind = EventKind::chain_failed, .detail = "no space"});
  keeper.on_integrity("page 3");
  ASSERT_TRUE(keeper.look(services, shell.now));
  const auto told = keeper.take_notices();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].alert.rule, AlertRule::database_damaged);
  EXPECT_EQ(told[1].alert.rule, AlertRule::chain_failed);
}

// A full disk is no input/output error: writing is not off, and yet nothing can be stored.
TEST_F(AlertKeeperTest, WithAFullDiskItTellsAllTheSameAndThatTheDiskIsFull) {
  ASSERT_TRUE(keeper.look(services, shell.now));
  Outbox outbox(1);
  SinkChoice choice;
  choice.name = "pager";
  outbox.set_sinks({choice}, shell.now);
  keeper.tell_sinks(outbox, {"host", "testnet"});
  database.connection().execute("PRAGMA max_page_count=1");  // what is there, and no page more
  Alert big;
  big.text = std::string(400, 'x');
  for (big.id = 100; big.id < 120; ++big.id) {
    outbox.put(message_of(AlertNotice{NoticeKind::fired, big}, {"host", "testnet"}, {}), shell.now);
  }
  keeper.on_integrity("page 3");
  shell.now.mono += AlertKeeper::kInterval;
  const auto done = keeper.look(services, shell.now);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::database_full);
  EXPECT_FALSE(database.write_failure());
  EXPECT_EQ(keeper.take_notices().size(), 1U);
  shell.now.mono += AlertKeeper::kInterval - 1s;
  ASSERT_TRUE(keeper.look(services, shell.now)) << "not due, and not tried";
  shell.now.mono += 1s;
  ASSERT_FALSE(keeper.look(services, shell.now));
  const auto told = keeper.take_notices();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].alert.rule, AlertRule::database_unwritable);
  EXPECT_NE(told[0].alert.text.find("full"), std::string::npos) << told[0].alert.text;
  database.connection().execute("PRAGMA max_page_count=100000");
  for (int i = 0; i < 8; ++i) {
    shell.now.mono += AlertKeeper::kInterval;
    ASSERT_TRUE(keeper.look(services, shell.now));
  }
  EXPECT_EQ(store::load_alerts(database)->alerts.size(), 3U)
      << "nothing is lost; the third is the masternode that stayed away meanwhile";
  std::vector<AlertRule> over;
  for (const auto& notice : keeper.take_notices()) {
    if (notice.kind == NoticeKind::resolved) over.push_back(notice.alert.rule);
  }
  EXPECT_EQ(over, std::vector{AlertRule::database_unwritable});
}

TEST_F(AlertKeeperTest, WhatTheRecorderCannotWriteIsAnAlert) {
  keeper.note_store(Error{Code::database_locked, "writing the history failed", "it is locked"});
  ASSERT_TRUE(keeper.look(services, shell.now));
  EXPECT_EQ(keeper.take_notices().at(0).alert.rule, AlertRule::database_unwritable);
}

// Another process keeps the database: the node's thread does not wait for it.
TEST_F(AlertKeeperTest, ALockThatStaysIsToldAndTheThreadNeverWaitsForIt) {
  std::string pattern = (std::filesystem::temp_directory_path() / "timectl-lock-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  {
    auto file = store::Database::open(*store::StateLock::try_acquire(directory, "test"),
                                      store::OpenMode::read_write);
    ASSERT_TRUE(file);
    store::Connection other(file->file(), store::Access::writer);
    other.execute("BEGIN IMMEDIATE");
    services.database = &*file;
    AlertKeeper locked(*file);
    ASSERT_TRUE(locked.open(shell.now));
    locked.on_integrity("page 3");
    const auto before = std::chrono::steady_clock::now();
    std::vector<AlertRule> told;
    for (int i = 0; i < 15; ++i) {
      (void)locked.look(services, shell.now);
      for (const auto& notice : locked.take_notices()) told.push_back(notice.alert.rule);
      shell.now.mono += 1s;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1500ms) << "one wait takes 2 s";
    EXPECT_EQ(told, (std::vector{AlertRule::database_damaged, AlertRule::database_unwritable}));
    other.execute("ROLLBACK");
    shell.now.mono += AlertKeeper::kInterval;
    ASSERT_TRUE(locked.look(services, shell.now));
    EXPECT_EQ(store::load_alerts(*file)->alerts.size(), 2U);
  }
  std::filesystem::remove_all(directory);
}

TEST_F(AlertKeeperTest, ANoticeIsAnEventWithItsRuleAndId) {
  const auto told = run(1min);
  ASSERT_EQ(told.size(), 1U);
  const auto event = event_of(told[0], shell.now.wall);
  EXPECT_EQ(event.kind, EventKind::alert_fired);
  EXPECT_EQ(event.severity, Severity::critical);
  EXPECT_EQ(event.peer, kAway);
  EXPECT_NE(log_line(event).find("ALERT: Whitelisted peer 64.0.1.1 is not connected"),
            std::string::npos)
      << log_line(event);
  EXPECT_NE(event.detail.find("[masternode_down, alert 1]"), std::string::npos) << event.detail;
  auto ended = told[0].alert;
  ended.cleared_at = ended.since + 52s;
  const auto over = event_of({NoticeKind::resolved, ended}, shell.now.wall);
  EXPECT_EQ(over.kind, EventKind::alert_resolved);
  EXPECT_EQ(over.severity, Severity::notice);
  EXPECT_NE(log_line(over).find("Alert: Whitelisted peer 64.0.1.1 is connected again; it was away "
                                "for 52 s [masternode_down, alert 1]"),
            std::string::npos)
      << log_line(over);
}

TEST_F(AlertKeeperTest, APeerThatLeavesTheWhitelistIsNoLongerAway) {
  AddRequest label;
  label.ip = kAway;
  label.label = "berlin";
  shell.list.put(shell.list.plan_add(label));
  ASSERT_EQ(run(2min).size(), 1U);
  shell.take_away(kAway);
  keeper.on_event({.at = shell.now.wall, .kind = EventKind::whitelist_removed});
  ASSERT_TRUE(keeper.look(services, shell.now));
  const auto told = keeper.take_notices();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, NoticeKind::resolved);
  EXPECT_EQ(text_of(told[0]), "Peer berlin (64.0.1.1) is no longer whitelisted");
}

TEST_F(AlertKeeperTest, ThatThereIsNoRoomForMoreAlertsIsSaidOnce) {
  Alerts::Unsaved full;
  for (std::uint64_t id = 1; id <= Alerts::kMaxOpen; ++id) {
    Alert alert;
    alert.id = id;
    alert.rule = AlertRule::fork_long;
    alert.object = std::to_string(id);
    alert.state = AlertState::firing;
    full.alerts.push_back(alert);
  }
  ASSERT_TRUE(store::save_alerts(database, full));
  AlertKeeper crowded(database);
  ASSERT_TRUE(crowded.open(shell.now));
  ASSERT_TRUE(crowded.look(services, shell.now));
  ASSERT_EQ(crowded.alerts().left_out(), 1U) << "the peer that is away";
  EXPECT_EQ(crowded.take_said(), std::vector<std::string>{left_out_text(1)});
  shell.run(10s);
  ASSERT_TRUE(crowded.look(services, shell.now));
  EXPECT_TRUE(crowded.take_said().empty());
}

TEST_F(AlertKeeperTest, ADayWithoutAGuestIsAnAlertOnlyWhereOthersAreReached) {
  ASSERT_TRUE(keeper.look(services, shell.now));
  EXPECT_FALSE(keeper.slow().reachable);
  services.facts.started = shell.now.mono - 25h;
  AlertKeeper later(database);
  ASSERT_TRUE(later.open(shell.now));
  ASSERT_TRUE(later.look(services, shell.now));
  EXPECT_EQ(later.slow().reachable, false);
  EXPECT_EQ(later.slow().audit_broken, "") << "an empty log is whole";
}

}  // namespace
}  // namespace timectl
