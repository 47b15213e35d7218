#include "store/peer_history.h"

#include <gtest/gtest.h>

#include "daemon/core/json.h"
#include "store/samples.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

SessionRecord session(std::size_t number, EndReason reason = EndReason::closed_by_peer) {
  SessionRecord record;
  record.ip = address(number % 3);
  record.direction = Direction::in;
  record.whitelisted = true;
  record.started_at = kNow + std::chrono::seconds(number);
  record.ended_at = record.started_at + std::chrono::milliseconds(500);
  record.end_reason = reason;
  record.detail = "close_notify";
  record.missed_pongs = number;
  record.rtt_ms_p50 = 12.25;
  record.bytes_in = 1'000'000'007 * number;
  record.bytes_out = 5;
  return record;
}

Event event(std::size_t number) {
  Event record;
  record.at = kNow + std::chrono::seconds(number);
  record.kind = number % 2 == 0 ? EventKind::peer_connected : EventKind::node_started;
  record.severity = Severity::critical;
  if (number % 2 == 0) record.peer = address(number);
  record.direction = Direction::out;
  record.reason = EndReason::unresponsive;
  record.detail = "evidence";
  record.missed_pongs = number;
  return record;
}

template <class T>
std::string text(const T& value) {
  return json::serialize(to_json(value));
}

TEST(PeerHistory, EveryFieldComesBack) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(append_history(*database, std::vector{session(1), session(2)},
                               std::vector{event(1), event(2)}));
    ASSERT_TRUE(append_history(*database, {}, {}));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(text(*list_sessions(*database, {})), text(std::vector{session(2), session(1)}));
  EXPECT_EQ(text(*list_events(*database, {})), text(std::vector{event(1), event(2)}));
}

TEST(PeerHistory, SessionsAreFoundByPeerTimeAndReason) {
  auto database = Database::in_memory();
  for (std::size_t i = 0; i < 9; ++i) {
    const auto reason = i < 6 ? EndReason::slow : EndReason::flood;
    ASSERT_TRUE(append_history(database, std::vector{session(i, reason)}, {}));
  }
  const auto found = [&](const SessionFilter& filter) {
    std::vector<std::uint64_t> out;
    const auto sessions = list_sessions(database, filter);
    for (const auto& record : *sessions) out.push_back(record.missed_pongs);
    return out;
  };
  using Found = std::vector<std::uint64_t>;
  SessionFilter filter;
  filter.ip = address(1);
  EXPECT_EQ(found(filter), (Found{7, 4, 1}));
  filter.reason = EndReason::slow;
  EXPECT_EQ(found(filter), (Found{4, 1}));
  filter.limit = 1;
  EXPECT_EQ(found(filter), (Found{4}));
  filter = {};
  filter.since = session(7).ended_at;
  EXPECT_EQ(found(filter), (Found{8, 7}));
  EXPECT_EQ((*last_session(database, address(2)))->missed_pongs, 8U);
  EXPECT_EQ(*last_session(database, address(77)), std::nullopt);
}

TEST(PeerHistory, EventsAreFoundByPeerTimeAndKind) {
  auto database = Database::in_memory();
  std::vector<Event> events;
  for (std::size_t i = 0; i < 6; ++i) events.push_back(event(i));
  ASSERT_TRUE(append_history(database, {}, events));
  EventFilter filter;
  filter.kind = EventKind::node_started;
  EXPECT_EQ(list_events(database, filter)->size(), 3U);
  filter = {};
  filter.ip = address(4);
  ASSERT_EQ(list_events(database, filter)->size(), 1U);
  filter = {};
  filter.since = event(4).at;
  EXPECT_EQ(list_events(database, filter)->front().missed_pongs, 4U);
  filter = {};
  filter.limit = 2;
  EXPECT_EQ(list_events(database, filter)->back().missed_pongs, 5U);
}

// A clock that went back: with `since` the rows of that time are chosen by what they tell, and are
// shown in the order in which they were written.
TEST(PeerHistory, RowsOfAWrongClockAreFoundByTheirTimeAndShownInTheirOrder) {
  auto database = Database::in_memory();
  std::vector<Event> events;
  for (const std::size_t number : {10U, 50U, 20U, 30U}) events.push_back(event(number));
  ASSERT_TRUE(append_history(database, {}, events));
  EventFilter filter;
  filter.since = event(20).at;
  const auto numbers = [&] {
    std::vector<std::uint64_t> out;
    const auto found = list_events(database, filter);
    for (const auto& e : *found) out.push_back(e.missed_pongs);
    return out;
  };
  using Found = std::vector<std::uint64_t>;
  EXPECT_EQ(numbers(), (Found{50, 20, 30}));
  filter.limit = 2;
  EXPECT_EQ(numbers(), (Found{50, 30}));
  filter.since.reset();
  EXPECT_EQ(numbers(), (Found{20, 30})) << "without a time the last that were written";
}

TEST(PeerHistory, EventsAreCountedByKindAndReasonWithTheLastOfEach) {
  auto database = Database::in_memory();
  std::vector<Event> events;
  for (std::size_t i = 0; i < 9; ++i) {
    auto one = event(i);
    one.kind = EventKind::peer_disconnected;
    one.peer = address(i < 8 ? 1 : 2);
    one.reason = i % 2 == 0 ? EndReason::unresponsive : EndReason::closed_by_peer;
    one.detail = "number " + std::to_string(i);
    events.push_back(one);
  }
  events[3].reason.reset();
  events[3].kind = EventKind::peer_suspect;
  ASSERT_TRUE(append_history(database, {}, events));
  EventFilter filter;
  filter.ip = address(1);
  filter.limit = 1;  // of rows that are listed, not of what is counted
  const auto counts = count_events(database, filter);
  ASSERT_TRUE(counts) << counts.error().message;
  ASSERT_EQ(counts->size(), 3U);
  EXPECT_EQ((*counts)[0].reason, EndReason::closed_by_peer);
  EXPECT_EQ((*counts)[0].count, 3U);
  EXPECT_EQ((*counts)[0].detail_of_last, "number 7");
  EXPECT_EQ((*counts)[0].last_at, events[7].at);
  EXPECT_EQ((*counts)[1].count, 4U);
  EXPECT_EQ((*counts)[1].detail_of_last, "number 6");
  EXPECT_EQ((*counts)[2].kind, EventKind::peer_suspect);
  EXPECT_EQ((*counts)[2].reason, std::nullopt);
  filter.since = events[6].at;
  EXPECT_EQ(count_events(database, filter)->size(), 2U);
  filter.kind = EventKind::peer_suspect;
  EXPECT_TRUE(count_events(database, filter)->empty());
  filter = {};
  EXPECT_EQ(count_events(database, filter)->front().count, 5U) << "everybody's";
}

TEST(PeerHistory, CountingEndsWhereThereAreTooMany) {
  auto database = Database::in_memory();
  std::vector<Event> events(kMaxCountedEvents + 100, event(2));
  ASSERT_TRUE(append_history(database, {}, events));
  EXPECT_EQ(count_events(database, {})->front().count, kMaxCountedEvents);
}

TEST(PeerHistory, NumbersOutOfSqliteRangeAreBoundedAndInfinityIsUnknown) {
  auto database = Database::in_memory();
  auto record = session(1);
  record.bytes_in = ~0ULL;
  record.rtt_ms_p95 = std::numeric_limits<double>::infinity();
  record.detail = std::string(5000, 'd') + "\n";
  ASSERT_TRUE(append_history(database, std::vector{record}, {}));
  const auto back = list_sessions(database, {})->front();
  EXPECT_EQ(back.bytes_in, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(back.rtt_ms_p95, std::nullopt);
  EXPECT_EQ(back.detail.size(), kMaxDetailBytes);
}

TEST(PeerHistory, EditedRowsAreDamageNamedByTable) {
  for (const char* sql :
       {"UPDATE sessions SET ip = 'host.example'", "UPDATE sessions SET direction = 'up'",
        "UPDATE sessions SET end_reason = ''", "UPDATE sessions SET missed_pongs = -1",
        "UPDATE sessions SET rtt_ms_p50 = 9e999", "UPDATE sessions SET detail = char(10)",
        "UPDATE events SET kind = 'x'", "UPDATE events SET peer = '1.2.3'",
        "UPDATE events SET at = 999999999999999", "UPDATE events SET severity = 'CRITICAL'"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(append_history(*database, std::vector{session(1)}, std::vector{event(2)}));
    }
    tamper(directory.file(), sql);
    auto database = directory.open();
    ASSERT_TRUE(database);
    auto sessions = list_sessions(*database, {});
    auto events = list_events(*database, {});
    ASSERT_TRUE(!sessions || !events) << sql;
    const auto& error = sessions ? events.error() : sessions.error();
    EXPECT_EQ(error.code, Code::database_damaged) << sql;
    EXPECT_NE(error.message.find("row 1: column"), std::string::npos) << error.message;
  }
}

TEST(PeerHistory, RetentionByAgeRemovesInChunksAndGivesSpaceBack) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  std::vector<SessionRecord> sessions;
  for (std::size_t i = 0; i < 3000; ++i) sessions.push_back(session(i));
  ASSERT_TRUE(append_history(*database, sessions, {}));
  Retention retention;
  retention.keep = std::chrono::seconds(1000);
  const WallTime now = kNow + std::chrono::seconds(3000);
  SQLite::Database raw(directory.file().string());
  const int pages = raw.execAndGet("PRAGMA page_count").getInt();
  std::uint64_t removed = 0;
  for (;;) {
    auto chunk = prune_history(*database, retention, now);
    ASSERT_TRUE(chunk);
    EXPECT_LE(*chunk, 500U);
    removed += *chunk;
    if (*chunk == 0) break;
  }
  EXPECT_EQ(removed, 2000U);
  SessionFilter filter;
  filter.limit = 5000;
  EXPECT_EQ(list_sessions(*database, filter)->size(), 1000U);
  EXPECT_LT(raw.execAndGet("PRAGMA page_count").getInt(), pages * 2 / 3);
}

TEST(PeerHistory, ClockThatIsAheadForAnHourRemovesNothing) {
  auto database = Database::in_memory();
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(append_history(database, std::vector{session(i)}, std::vector{event(i)}));
  }
  NodeSample sample;
  sample.at = kNow;
  sample.seconds = 300;
  ASSERT_TRUE(put_samples(database, {}, sample, {}));
  const auto wrong = kNow + std::chrono::hours(24 * 400);
  EXPECT_EQ(*prune_history(database, {}, wrong), 0U);
  // The control: days that were recorded since.
  for (int day = 0; day < 92; ++day) {
    sample.at = wrong - std::chrono::hours(24 * (92 - day));
    ASSERT_TRUE(put_samples(database, {}, sample, {}));
  }
  while (*roll_up_samples(database, {}, wrong) > 0) {
  }
  EXPECT_EQ(*prune_history(database, {}, wrong), 200U);
}

TEST(PeerHistory, EventsMayBeKeptForLessTimeThanSessions) {
  auto database = Database::in_memory();
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(append_history(database, std::vector{session(i)}, std::vector{event(i)}));
  }
  Retention retention;
  retention.keep = std::chrono::seconds(80);
  retention.keep_events = std::chrono::seconds(10);
  while (*prune_history(database, retention, kNow + std::chrono::seconds(100)) > 0) {
  }
  EXPECT_EQ(list_sessions(database, {})->size(), 80U);
  EXPECT_EQ(list_events(database, {})->size(), 10U);
}

TEST(PeerHistory, RetentionByCountKeepsTheNewest) {
  auto database = Database::in_memory();
  std::vector<SessionRecord> sessions;
  std::vector<Event> events;
  for (std::size_t i = 0; i < 1200; ++i) sessions.push_back(session(i)), events.push_back(event(i));
  ASSERT_TRUE(append_history(database, sessions, events));
  Retention retention;
  retention.max_sessions = 100;
  retention.max_events = 1150;
  while (*prune_history(database, retention, kNow) > 0) {
  }
  SessionFilter filter;
  filter.limit = 5000;
  const auto kept = *list_sessions(database, filter);
  ASSERT_EQ(kept.size(), 100U);
  EXPECT_EQ(kept.back().missed_pongs, 1100U);
  EventFilter all;
  all.limit = 5000;
  EXPECT_EQ(list_events(database, all)->size(), 1150U);
}

}  // namespace
}  // namespace timectl::store
