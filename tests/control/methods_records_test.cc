#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using Records = MethodsTest;

TEST_F(Records, HistoryIsNewestFirstWithTheOpenSessionOnTop) {
  with_node();
  const auto ip = IpAddress::v4(10, 0, 0, 1);
  std::vector<SessionRecord> sessions(3);
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    sessions[i].ip = ip;
    sessions[i].started_at = now_.wall - std::chrono::hours(10 - i);
    sessions[i].ended_at = sessions[i].started_at + 10min;
    sessions[i].end_reason = i == 1 ? EndReason::transport_dead : EndReason::closed_by_peer;
  }
  ASSERT_TRUE(store::append_history(*database_, sessions, {}));
  connect(ip);
  const auto rows = good("peer.history", json::object{{"peer", "10.0.0.1"}});
  ASSERT_EQ(rows.as_array().size(), 4U);
  EXPECT_EQ(rows.at(0).at("ended_at"), nullptr);
  EXPECT_EQ(rows.at(0).at("direction"), "in");
  EXPECT_EQ(rows.at(1).at("started_at"), to_json(sessions[2].started_at));
  const auto dead =
      good("peer.history", json::object{{"peer", "10.0.0.1"}, {"reason", "transport_dead"}});
  EXPECT_EQ(dead.as_array().size(), 1U);
  EXPECT_EQ(good("peer.history", json::object{{"limit", 2}}).as_array().size(), 2U);
  EXPECT_EQ(bad("peer.history", json::object{{"limit", 0}}).code, Code::invalid_argument);
  EXPECT_EQ(bad("peer.history", json::object{{"limit", 10'001}}).code, Code::invalid_argument);
}

TEST_F(Records, EventsAreListedAndTheFollowerFilterAgrees) {
  with_node();
  std::vector<Event> events(2);
  events[0].at = events[1].at = now_.wall;
  events[0].kind = EventKind::peer_connected;
  events[0].peer = IpAddress::v4(10, 0, 0, 1);
  events[1].kind = EventKind::violation;
  events[1].peer = IpAddress::v4(10, 0, 0, 2);
  int flushed = 0;
  methods_->services().flush = [&] {
    if (flushed++ == 0) {
      ASSERT_TRUE(store::append_history(*database_, {}, events));
    }
  };
  EXPECT_EQ(good("events.list").as_array().size(), 2U) << "what waits for the tick is in the list";
  const json::object one{{"peer", "10.0.0.1"}};
  EXPECT_EQ(good("events.list", one).as_array().size(), 1U);
  const auto reply = methods_->handle("events.follow", one, actor_);
  ASSERT_TRUE(reply.result);
  EXPECT_EQ(reply.result->as_array().size(), 1U);
  ASSERT_TRUE(reply.follow);
  EXPECT_TRUE(reply.follow(events[0]));
  EXPECT_FALSE(reply.follow(events[1]));
}

TEST_F(Records, AuditIsListedVerifiedAndHasItsHead) {
  add({"10.0.0.1", "10.0.0.2"});
  const auto rows = good("audit.list", json::object{{"subject", "::ffff:10.0.0.1"}});
  ASSERT_EQ(rows.as_array().size(), 1U);
  const auto head = good("audit.head");
  EXPECT_EQ(head.at("seq"), 2);
  const auto verdict = good("audit.verify", json::object{{"head", head.at("hash")}});
  EXPECT_EQ(verdict.at("ok"), true);
  EXPECT_EQ(verdict.at("rows"), 2);
  EXPECT_EQ(good("audit.verify", json::object{{"head", std::string(64, 'a')}}).at("ok"), false);
  EXPECT_EQ(bad("audit.verify", json::object{{"head", "beef"}}).code, Code::invalid_argument);
}

TEST_F(Records, ExportComesInPagesThatJoin) {
  add({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  std::vector<std::uint64_t> seen;
  json::value next = 1;
  int pages = 0;
  while (!next.is_null()) {
    const auto page = good("audit.export", json::object{{"from", next}, {"limit", 2}});
    for (const auto& row : page.at("rows").as_array()) {
      seen.push_back(row.at("seq").to_number<std::uint64_t>());
    }
    next = page.at("next");
    ASSERT_LE(++pages, 4);
  }
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(pages, 3);
}

TEST_F(Records, CheckAndBackupRunOnAReaderOfTheirOwn) {
  with_node();
  add({"10.0.0.1"});
  const auto job = methods_->handle("db.check", nullptr, actor_);
  EXPECT_TRUE(job.job) << "the network thread does not wait for it";
  const auto check = good("db.check");
  EXPECT_EQ(check.at("ok"), true) << json::serialize(check);
  const auto file = dir_ / "copy.db";
  const auto report = good("db.backup", json::object{{"path", file}});
  EXPECT_EQ(report.at("audit_rows"), 1);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(bad("db.backup", json::object{{"path", file}}).code, Code::cannot_create);
  EXPECT_EQ(bad("db.backup", json::object{{"path", "copy.db"}}).code, Code::invalid_argument);
}

}  // namespace
}  // namespace timectl::test
