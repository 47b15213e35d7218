#include "store/open_sessions.h"

#include <gtest/gtest.h>

#include "store/peer_history.h"
#include "tests/store/sample_rows_of.h"

namespace timectl::store {
namespace {

SessionRecord session(std::size_t peer, int from_minute, int to_minute) {
  SessionRecord record;
  record.ip = address(peer);
  record.direction = Direction::in;
  record.whitelisted = true;
  record.started_at = kDay0 + minutes(from_minute);
  record.ended_at = kDay0 + minutes(to_minute);
  record.end_reason = EndReason::closed_by_peer;
  record.missed_pongs = 2;
  record.rtt_ms_p50 = 12.5;
  record.bytes_in = 99;
  return record;
}

Result<void> look(Database& database, const std::vector<SessionRecord>& open) {
  return put_samples(database, {}, std::span<const NodeSample>(), open);
}

std::vector<IpAddress> open_at(Database& database, int minute) {
  std::vector<IpAddress> ips;
  const auto sessions = sessions_at(database, kDay0 + minutes(minute));
  EXPECT_TRUE(sessions) << sessions.error().message;
  for (const auto& record : *sessions) ips.push_back(record.ip);
  std::sort(ips.begin(), ips.end());
  return ips;
}

TEST(OpenSessions, PastMomentHasThoseThatEndedSinceAndThoseThatDidNot) {
  auto database = Database::in_memory();
  ASSERT_TRUE(append_history(
      database, std::vector{session(1, 0, 10), session(2, 5, 100), session(3, 20, 30)}, {}));
  ASSERT_TRUE(look(database, {session(4, 8, 110), session(5, 105, 110)}));
  using Ips = std::vector<IpAddress>;
  EXPECT_EQ(open_at(database, 6), (Ips{address(1), address(2)}));
  EXPECT_EQ(open_at(database, 10), (Ips{address(2), address(4)})) << "an end is the end";
  EXPECT_EQ(open_at(database, 25), (Ips{address(2), address(3), address(4)}));
  EXPECT_EQ(open_at(database, 111), (Ips{address(4), address(5)})) << "since the last look";
  EXPECT_EQ(open_at(database, 300), Ips{}) << "nobody knows";
  EXPECT_EQ(open_at(database, -5), Ips{});
}

TEST(OpenSessions, OneThatEndedSinceTheLastLookIsThereOnce) {
  auto database = Database::in_memory();
  ASSERT_TRUE(look(database, {session(1, 0, 10), session(1, 11, 12)}));
  ASSERT_TRUE(append_history(database, std::vector{session(1, 0, 13)}, {}));
  EXPECT_EQ(open_at(database, 5).size(), 1U);
  EXPECT_EQ(*end_open_sessions(database), 1U) << "the other one";
  EXPECT_EQ(list_sessions(database, {})->size(), 2U);
}

TEST(OpenSessions, EachLookReplacesThem) {
  auto database = Database::in_memory();
  ASSERT_TRUE(look(database, {session(1, 0, 10), session(2, 0, 10)}));
  ASSERT_TRUE(look(database, {session(2, 0, 11)}));
  EXPECT_EQ(open_at(database, 9), (std::vector{address(2)}));
  ASSERT_TRUE(look(database, {}));
  EXPECT_EQ(*end_open_sessions(database), 0U) << "an orderly stop leaves none";
}

TEST(OpenSessions, KillLosesNoSessionAndTheNextStartEndsIt) {
  const StateDirectory directory;
  const int status = in_child([&]() -> int {
    auto database = directory.open();
    if (!database || !look(*database, {session(1, 0, 10), session(2, 3, 10)})) return 1;
    if (!append_history(*database, std::vector{session(9, 1, 2)}, {})) return 2;
    ::raise(SIGKILL);
    return 3;
  });
  ASSERT_EQ(status, 128 + SIGKILL);
  for (int start = 0; start < 2; ++start) {
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto ended = end_open_sessions(*database);
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended, start == 0 ? 2U : 0U);
    const auto sessions = *list_sessions(*database, {});
    ASSERT_EQ(sessions.size(), 3U);
    EXPECT_EQ(sessions[0].ip, address(2));
    EXPECT_EQ(sessions[0].end_reason, EndReason::shutdown);
    EXPECT_EQ(sessions[0].ended_at, kDay0 + minutes(10));
    EXPECT_EQ(sessions[0].rtt_ms_p50, 12.5);
    EXPECT_NE(sessions[0].detail.find("killed"), std::string::npos);
    EXPECT_EQ(sessions[2].end_reason, EndReason::closed_by_peer);
  }
}

TEST(OpenSessions, MoreThanANodeCanHaveAreCut) {
  auto database = Database::in_memory();
  ASSERT_TRUE(look(database, std::vector(kMaxOpenSessions + 5, session(1, 0, 10))));
  EXPECT_EQ(open_at(database, 5).size(), kMaxOpenSessions);
}

TEST(OpenSessions, EditedRowIsDamageNamed) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(look(*database, {session(1, 0, 10)}));
  }
  tamper(directory.file(), "UPDATE open_sessions SET direction = 'up'");
  auto database = directory.open();
  ASSERT_TRUE(database);
  const auto ended = end_open_sessions(*database);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::database_damaged);
  EXPECT_NE(ended.error().message.find("open_sessions, row 1"), std::string::npos)
      << ended.error().message;
}

}  // namespace
}  // namespace timectl::store
