// The sinks of a node on its thread: a thousand alerts at once, one sink that hangs, a full reload.
#include "daemon/sink_keeper.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <iostream>
#include <mutex>
#include <set>

#include "daemon/clock.h"
#include "daemon/sink_targets.h"
#include "store/alerts_table.h"
#include "store/audit_log.h"
#include "store/connection.h"
#include "store/outbox_table.h"
#include "tests/support/https_server.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;
using testing::HttpsServer;
using testing::ServerConnection;

// The node's loop: what is posted to it runs in the test's thread.
class Loop {
 public:
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    came_.notify_one();
  }
  // Until done() or ten seconds; the longest that one piece of work took.
  bool run(const std::function<bool()>& done) {
    const auto until = std::chrono::seconds(10);
    while (!done()) {
      std::unique_lock lock(mutex_);
      if (!came_.wait_for(lock, until, [this] { return !work_.empty(); })) return false;
      auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      measure(work);
    }
    return true;
  }
  void measure(const std::function<void()>& work) {
    const auto before = thread_time();
    work();
    longest = std::max(longest, thread_time() - before);
  }
  Duration longest = {};

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> work_;
};

struct SinkKeeperTest : ::testing::Test {
  SinkKeeperTest()
      : good({.address = "127.0.0.8"}, [this](auto& c) { serve(c); }),
        hanging({.address = "127.0.0.8"}, [](ServerConnection& c) {
          (void)c.read_request();
          c.wait();
        }) {
    make_keeper();
  }
  void make_keeper() {
    keeper.emplace(database, 1,
                   SinkKeeper::Ways{
                       .post = [this](auto work) { loop.post(std::move(work)); },
                       .log = [this](Severity, const std::string& line) { lines.push_back(line); },
                       .now = [this] { return now(); }});
  }
  [[nodiscard]] Now now() const {
    auto time = clock_now();
    time.mono += ahead;
    time.wall += ahead;
    return time;
  }
  void serve(ServerConnection& connection) {
    const auto head = connection.read_request();
    const auto at = head.find("Content-Length: ");
    const auto body = connection.read_body(std::stoul(head.substr(at + 16)));
    {
      const std::lock_guard lock(mutex);
      for (auto key = body.find("\"key\":"); key != std::string::npos;
           key = body.find("\"key\":", key + 1)) {
        ++received;
      }
      bodies.push_back(body);
    }
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
  void add(const std::string& name, const HttpsServer& server) {
    config::AlertSink sink;
    sink.name = name;
    sink.kind = SinkKind::webhook;
    sink.url = "http://" + server.endpoint() + "/";
    config.alerts.sinks.push_back(sink);
  }
  void put(std::uint64_t count) {
    Alerts::Unsaved unsaved;
    for (std::uint64_t id = 1; id <= count; ++id) {
      Alert alert;
      alert.id = id;
      alert.rule = AlertRule::masternode_down;
      alert.object = "10.0." + std::to_string(id / 250) + "." + std::to_string(id % 250 + 1);
      alert.state = AlertState::firing;
      alert.text = "Whitelisted peer " + alert.object + " is not connected";
      alert.since = clock_now().wall;
      unsaved.alerts.push_back(alert);
    }
    for (const auto& alert : unsaved.alerts) {
      const auto now = clock_now();
      keeper->outbox().put(message_of({NoticeKind::fired, alert}, keeper->identity(), now.wall),
                           now);
    }
    EXPECT_TRUE(store::save_alerts(database, unsaved, keeper->outbox().unsaved()));
    keeper->outbox().saved();
  }
  [[nodiscard]] std::size_t taken() {
    const std::lock_guard lock(mutex);
    return received;
  }

  store::Database database = store::Database::in_memory();
  config::Config config;
  Loop loop;
  std::mutex mutex;
  std::size_t received = 0;
  std::vector<std::string> bodies;
  std::chrono::seconds ahead{0};  // of the clock
  std::vector<std::string> lines;
  HttpsServer good;
  HttpsServer hanging;
  Alerts alerts;
  std::optional<SinkKeeper> keeper;
};

TEST_F(SinkKeeperTest, AThousandAlertsAtOnceArriveWhileAnotherSinkHangs) {
  add("good", good);
  add("hangs", hanging);
  keeper->configure(config, clock_now());
  loop.measure([&] { put(1000); });
  const auto telling = loop.longest;
  loop.longest = {};
  loop.measure([&] { EXPECT_TRUE(keeper->run(alerts, clock_now())); });
  ASSERT_TRUE(loop.run([&] { return keeper->outbox().sink("good")->waiting == 0; }));
  EXPECT_EQ(taken(), 1000U);
  EXPECT_EQ(good.requests().size(), 10U) << "a hundred in each";
  EXPECT_EQ(keeper->outbox().sink("hangs")->waiting, 1000U);
  std::cout << "the node's thread: " << telling.count() / 1000 << " ms for telling and storing 1000"
            << ", then at most " << loop.longest.count() << " us at once\n";
#ifndef TIMECTL_SANITIZED
  EXPECT_LT(loop.longest, 50ms) << "of the thread's own time";
#endif
  EXPECT_EQ(store::load_outbox(database)->messages.size(), 1000U) << "one sink has none of them";
  keeper->stop();
  ASSERT_TRUE(loop.run([&] { return keeper->idle(); }));
  EXPECT_TRUE(keeper->outbox().failing().empty()) << "a stop is no failure";
}

TEST_F(SinkKeeperTest, AReloadTakesASinkThatHangsAwayWithoutWaiting) {
  add("hangs", hanging);
  keeper->configure(config, clock_now());
  put(1);
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  ASSERT_TRUE(hanging.wait_for_requests(1));
  config.alerts.sinks.clear();
  add("good", good);
  loop.longest = {};
  loop.measure([&] { keeper->configure(config, clock_now()); });
  put(2);
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  ASSERT_TRUE(loop.run([&] { return taken() == 2; }));
  ASSERT_TRUE(loop.run([&] { return keeper->idle(); }));
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  EXPECT_TRUE(store::load_outbox(database)->messages.empty());
}

// It would hear of nothing that began before it, except of its end.
TEST_F(SinkKeeperTest, ASinkThatIsNewHearsOnceWhatIsOpenAlready) {
  add("good", good);
  keeper->configure(config, clock_now());
  ASSERT_TRUE(keeper->run(alerts, clock_now())) << "nothing was open";
  Alert open;
  open.id = 7;
  open.rule = AlertRule::masternode_down;
  open.object = "10.0.0.7";
  open.state = AlertState::firing;
  open.text = "Whitelisted peer 10.0.0.7 is not connected";
  open.since = clock_now().wall - 10min;
  open.fired_at = open.told_at = open.since;
  Alert silenced = open;
  silenced.id = 8;
  silenced.object = "10.0.0.8";
  AlertSilence silence{.rule = open.rule,
                       .object = silenced.object,
                       .from = open.since,
                       .until = clock_now().wall + 1h};
  alerts.load({open, silenced}, {silence}, clock_now());
  add("late", good);
  keeper->configure(config, clock_now());
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  EXPECT_EQ(keeper->outbox().sink("good")->waiting, 0U) << "it has heard";
  EXPECT_EQ(keeper->outbox().sink("late")->waiting, 1U);
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  ASSERT_TRUE(loop.run([&] { return taken() == 1; }));
  ASSERT_TRUE(loop.run([&] { return keeper->idle(); }));
  keeper->configure(config, clock_now());
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  EXPECT_EQ(keeper->outbox().size(), 0U) << "a reload is no new sink";
}

TEST(NodeIdentity, IsTheConfiguredNameOrTheHostsWithTheOwnAddress) {
  config::Config config;
  config.node.external_address = IpAddress::v4(203, 0, 113, 1);
  const auto own = identity_of(config);
  EXPECT_EQ(own.instance, own.node + "@203.0.113.1") << "two nodes on one host differ";
  config.node.name = "berlin-watch";
  EXPECT_EQ(identity_of(config).node, "berlin-watch");
  EXPECT_EQ(identity_of(config).instance, "berlin-watch");
}

TEST_F(SinkKeeperTest, ACorrectedUrlDoesNotWaitForTheAttemptAtTheOldOne) {
  add("hook", hanging);
  config.alerts.sinks[0].timeout = 300s;
  keeper->configure(config, clock_now());
  put(1);
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  ASSERT_TRUE(hanging.wait_for_requests(1));
  keeper->configure(config, clock_now());
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  EXPECT_FALSE(keeper->idle()) << "a reload that does not touch it leaves it alone";

  config.alerts.sinks[0].url = "http://" + good.endpoint() + "/";
  keeper->configure(config, clock_now());
  ASSERT_TRUE(loop.run([&] { return keeper->outbox().sink("hook")->waiting == 0; }));
  EXPECT_EQ(taken(), 1U);
  EXPECT_EQ(hanging.requests().size(), 1U);
  EXPECT_EQ(keeper->outbox().sink("hook")->state.attempts, 0U) << "no failure of the new one";
  EXPECT_TRUE(keeper->idle());
}

// Alertmanager ends what is not sent again; a minute is one call here.
TEST_F(SinkKeeperTest, TheAlertmanagerHearsEachMinuteWhatIsOpen) {
  add("manager", good);
  config.alerts.sinks[0].kind = SinkKind::alertmanager;
  Alert alert;
  alert.id = 7;
  alert.rule = AlertRule::masternode_down;
  alert.object = "10.0.0.1";
  alert.state = AlertState::firing;
  alert.since = now().wall;
  alert.told_at = now().wall;
  Alert untold = alert;
  untold.id = 8;
  untold.object = "10.0.0.2";
  untold.told_at.reset();
  alerts.load({alert, untold}, {}, now());
  keeper->configure(config, now());
  std::set<std::string> ends;
  for (std::size_t minute = 1; minute <= 5; ++minute) {
    ASSERT_TRUE(keeper->run(alerts, now()));
    ASSERT_TRUE(loop.run([&] { return keeper->idle(); }));
    ahead += 50s;
    ASSERT_TRUE(keeper->run(alerts, now()));
    EXPECT_TRUE(keeper->idle()) << "not before its time";
    ahead += 10s;
    const std::lock_guard lock(mutex);
    ASSERT_EQ(bodies.size(), minute);
    EXPECT_NE(bodies.back().find("10.0.0.1"), std::string::npos) << bodies.back();
    EXPECT_EQ(bodies.back().find("10.0.0.2"), std::string::npos) << "nobody was told of it";
    ends.insert(bodies.back().substr(bodies.back().find("\"endsAt\"")));
  }
  EXPECT_EQ(ends.size(), 5U) << "each puts its end off";
  alerts = Alerts();
  ASSERT_TRUE(keeper->run(alerts, now()));
  ASSERT_TRUE(loop.run([&] { return keeper->idle(); }));
  const std::lock_guard lock(mutex);
  EXPECT_EQ(bodies.size(), 5U) << "nothing is open, nothing is sent";
}

// It ends after the receiver has the message and before that is noted.
TEST_F(SinkKeeperTest, ANodeThatEndsBetweenSendingAndNotingSendsTheSameKeyAgain) {
  add("good", good);
  keeper->configure(config, now());
  put(1);
  ASSERT_TRUE(keeper->run(alerts, now()));
  ASSERT_TRUE(good.wait_for_requests(1));
  make_keeper();
  ASSERT_TRUE(keeper->open());
  keeper->configure(config, now());
  ASSERT_TRUE(keeper->run(alerts, now()));
  ASSERT_TRUE(loop.run([&] { return keeper->outbox().sink("good")->waiting == 0; }));
  {
    const std::lock_guard lock(mutex);
    ASSERT_EQ(bodies.size(), 2U);
    const auto alert_of = [](const std::string& body) {
      return body.substr(body.find("\"alerts\""));
    };
    EXPECT_EQ(alert_of(bodies[0]), alert_of(bodies[1])) << "its key, too";
  }
  ASSERT_TRUE(keeper->run(alerts, now()));
  make_keeper();
  ASSERT_TRUE(keeper->open());
  keeper->configure(config, now());
  ASSERT_TRUE(keeper->run(alerts, now()));
  EXPECT_TRUE(keeper->idle()) << "noted: not a third time";
}

TEST_F(SinkKeeperTest, AnOpenBatchHoldsUpTheNotingAndNotTheSending) {
  add("good", good);
  keeper->configure(config, now());
  put(1);
  auto batch = store::AuditedBatch::begin(database, {.at = now().wall, .via = "node"});
  ASSERT_TRUE(batch);
  ASSERT_TRUE(keeper->run(alerts, now()));
  ASSERT_TRUE(loop.run([&] { return keeper->outbox().sink("good")->waiting == 0; }));
  ASSERT_TRUE(keeper->run(alerts, now()));
  EXPECT_EQ(taken(), 1U);
  EXPECT_FALSE(keeper->outbox().unsaved().empty());
  batch->reset();
  ASSERT_TRUE(keeper->run(alerts, now()));
  EXPECT_TRUE(keeper->outbox().unsaved().empty());
  EXPECT_TRUE(store::load_outbox(database)->messages.empty());
}

TEST_F(SinkKeeperTest, WhatCannotBeStoredForWantOfSpaceIsSentAllTheSame) {
  add("good", good);
  keeper->configure(config, clock_now());
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  database.connection().execute("PRAGMA max_page_count=1");  // what is there, and no page more
  Alert alert;
  alert.rule = AlertRule::masternode_down;
  for (alert.id = 1; alert.id <= 20; ++alert.id) {
    alert.text = std::string(400, 'x');
    keeper->outbox().put(message_of({NoticeKind::fired, alert}, keeper->identity(), {}),
                         clock_now());
  }
  EXPECT_EQ(keeper->run(alerts, clock_now()).error().code, Code::database_full);
  EXPECT_FALSE(database.write_failure());
  EXPECT_EQ(good.connections(), 0U) << "it was worth a try";
  ASSERT_TRUE(keeper->run(alerts, clock_now())) << "not tried again at once";
  ASSERT_TRUE(loop.run([&] { return taken() == 20; }));
}

TEST_F(SinkKeeperTest, WhatAnotherWriterCannotStoreIsNotWaitedFor) {
  add("good", good);
  keeper->configure(config, clock_now());
  Alert alert;
  alert.id = 1;
  keeper->outbox().put(message_of({NoticeKind::fired, alert}, keeper->identity(), {}), clock_now());
  keeper->note_store(Error{Code::database_locked, "locked"});
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  ASSERT_TRUE(loop.run([&] { return taken() == 1; }));
}

TEST_F(SinkKeeperTest, ASecretThatEverybodyCanReadIsSaidAndNothingIsSent) {
  add("good", good);
  config.alerts.sinks[0].secret_file = "/etc/passwd";
  keeper->configure(config, clock_now());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("/etc/passwd is open to everybody"), std::string::npos) << lines[0];
  put(1);
  ASSERT_TRUE(keeper->run(alerts, clock_now()));
  ASSERT_TRUE(loop.run([&] { return keeper->outbox().failing().size() == 1; }));
  EXPECT_EQ(good.connections(), 0U);
}

}  // namespace
}  // namespace timectl
