#include <gtest/gtest.h>

#include "store/peer_history.h"
#include "tests/store/sample_rows_of.h"

namespace timectl::store {
namespace {

// Steps of 5 minutes from kDay0 on, of `peers` peers each.
void fill(Database& database, int steps, std::size_t peers, int first = 0) {
  for (int step = first; step < first + steps; ++step) {
    const auto at = kDay0 + minutes(5 * step);
    std::vector<PeerSample> rows;
    for (std::size_t peer = 1; peer <= peers; ++peer) rows.push_back(peer_sample(peer, at));
    ASSERT_TRUE(put(database, rows, {node_sample(at)}));
  }
}

// Node and one peer, a step in each of so many days.
void record_days(Database& database, WallTime first, int days) {
  for (int day = 0; day < days; ++day) {
    const auto at = first + hours(24 * day);
    ASSERT_TRUE(put(database, {peer_sample(1, at)}, {node_sample(at)}));
  }
}

SampleFilter of(SampleStep step) {
  SampleFilter filter;
  filter.step = step;
  filter.limit = 100'000;
  return filter;
}

std::size_t rows_of(Database& database, SampleStep step) {
  return list_peer_samples(database, of(step))->size();
}

TEST(SampleRollUp, HoursAndDaysAreMadeOfCompleteStepsOnly) {
  auto database = Database::in_memory();
  fill(database, 288 + 6, 2);
  roll_up(database, kDay0 + hours(1) + minutes(9));
  EXPECT_EQ(rows_of(database, SampleStep::hour), 0U) << "its last rows may be on their way";
  roll_up(database, kDay0 + hours(1) + minutes(10));
  ASSERT_EQ(rows_of(database, SampleStep::hour), 2U);
  const auto hour = list_peer_samples(database, of(SampleStep::hour))->front();
  EXPECT_EQ(hour.at, kDay0);
  EXPECT_EQ(hour.seconds, 3600);
  EXPECT_EQ(hour.pings, 12U * 11);
  EXPECT_EQ(hour.rtt_ms_mean, 20.25);
  EXPECT_EQ(hour.state, PeerState::degraded);
  roll_up(database, kDay0 + hours(24) + minutes(9));
  EXPECT_EQ(rows_of(database, SampleStep::hour), 46U);
  EXPECT_EQ(rows_of(database, SampleStep::day), 0U);
  roll_up(database, kDay0 + hours(24) + minutes(10));
  EXPECT_EQ(rows_of(database, SampleStep::hour), 48U);
  EXPECT_EQ(rows_of(database, SampleStep::day), 2U);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::day))->front().seconds, 86'400);
  const auto node = list_node_samples(database, of(SampleStep::day));
  ASSERT_EQ(node->size(), 1U);
  EXPECT_EQ(node->front().blocks, 288U * 4);
  EXPECT_EQ(node->front().connected_mean, 10.125);
}

TEST(SampleRollUp, SecondTimeChangesNothing) {
  auto database = Database::in_memory();
  fill(database, 288, 3);
  const auto now = kDay0 + hours(30);
  roll_up(database, now);
  const auto hours_before = json_text(*list_peer_samples(database, of(SampleStep::hour)));
  EXPECT_EQ(roll_up(database, now), 0U) << "nothing is left to do";
  // The rows are written again as they are, as after a restart: the sums are the same.
  fill(database, 288, 3);
  EXPECT_GT(roll_up(database, now), 0U);
  EXPECT_EQ(json_text(*list_peer_samples(database, of(SampleStep::hour))), hours_before);
  EXPECT_EQ(rows_of(database, SampleStep::day), 3U);
}

TEST(SampleRollUp, LateRowIsAddedToItsHourAndDay) {
  auto database = Database::in_memory();
  fill(database, 287, 2);
  roll_up(database, kDay0 + hours(30));
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::day))->front().seconds, 86'100);
  fill(database, 1, 2, 287);
  roll_up(database, kDay0 + hours(31));
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::day))->front().seconds, 86'400);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::hour))->back().seconds, 3600);
  EXPECT_EQ(rows_of(database, SampleStep::hour), 48U);
}

TEST(SampleRollUp, LateRowOfAnHourWhoseStepsAreGoneTakesNothingAway) {
  auto database = Database::in_memory();
  fill(database, 12, 1);
  record_days(database, kDay0 + hours(24), 39);
  const auto now = kDay0 + hours(24 * 40) + minutes(15);
  roll_up(database, now);
  EXPECT_EQ(rows_of(database, SampleStep::five_minutes), 30U);
  ASSERT_TRUE(put(database, {peer_sample(1, kDay0 + minutes(5), 60)}));
  roll_up(database, now);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::hour))->front().seconds, 3600);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::day))->front().seconds, 3600);
}

TEST(SampleRollUp, ManyPeersAreSummedInBoundedChunksAndNoneIsLeftOut) {
  auto database = Database::in_memory();
  constexpr std::size_t kPeers = 333;
  fill(database, 12, kPeers);
  // Some are there at the end of the hour only, in the midst of the others' addresses.
  std::vector<PeerSample> late;
  for (std::size_t peer = 1000; peer < 1100; ++peer) {
    late.push_back(peer_sample(peer, kDay0 + minutes(55)));
  }
  ASSERT_TRUE(put(database, late));
  const auto now = kDay0 + hours(3);
  std::size_t chunks = 0;
  for (;; ++chunks) {
    const auto changed = roll_up_samples(database, {}, now);
    ASSERT_TRUE(changed);
    EXPECT_LE(*changed, 41U) << "forty peers and the mark of the hour";
    if (*changed == 0) break;
    // A row that comes in the middle begins the hour anew.
    if (chunks == 3) fill(database, 1, 1);
  }
  EXPECT_GE(chunks, (kPeers + 100) / 40 + 4);
  const auto sums = *list_peer_samples(database, of(SampleStep::hour));
  ASSERT_EQ(sums.size(), kPeers + 100);
  for (const auto& sum : sums) {
    EXPECT_EQ(sum.seconds, sum.ip < address(1000) ? 3600 : 300) << sum.ip.to_string();
  }
}

TEST(SampleRollUp, RetentionByAgeKeepsEachStepForItsOwnTime) {
  auto database = Database::in_memory();
  fill(database, 288 * 3, 2);
  SampleRetention retention;
  retention.five_minutes = hours(24);
  retention.hours = hours(48);
  const auto now = kDay0 + hours(72) + minutes(30);
  while (true) {
    const auto changed = roll_up_samples(database, retention, now);
    ASSERT_TRUE(changed);
    ASSERT_LE(*changed, 520U);
    if (*changed == 0) break;
  }
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::five_minutes))->front().at,
            kDay0 + hours(48));
  EXPECT_EQ(rows_of(database, SampleStep::five_minutes), 2U * 288);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::hour))->front().at, kDay0 + hours(24));
  EXPECT_EQ(rows_of(database, SampleStep::day), 6U);
  EXPECT_EQ(list_node_samples(database, of(SampleStep::five_minutes))->size(), 288U);
  retention.days = hours(24);
  roll_up(database, now, retention);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::day))->front().at, kDay0 + hours(48));
}

TEST(SampleRollUp, ClockThatIsAYearAheadForAnHourRemovesNothing) {
  auto database = Database::in_memory();
  record_days(database, kDay0, 40);
  const auto now = kDay0 + hours(24 * 40) + minutes(15);
  roll_up(database, now);
  const auto fine = rows_of(database, SampleStep::five_minutes);
  EXPECT_EQ(fine, 30U) << "the control: forty days age what is older than thirty";
  const auto wrong = now + hours(24 * 400);
  for (int step = 0; step < 12; ++step) {
    const auto at = wrong + minutes(5 * step);
    ASSERT_TRUE(put(database, {peer_sample(1, at)}, {node_sample(at)}));
    roll_up(database, at);
  }
  EXPECT_EQ(rows_of(database, SampleStep::five_minutes), fine + 12);
  EXPECT_EQ(rows_of(database, SampleStep::hour), 41U);
  // And back: the last day is as it was.
  roll_up(database, now + minutes(5));
  const auto day = sum_node_samples(database, kDay0 + hours(24 * 39), now);
  ASSERT_TRUE(day && *day);
  EXPECT_EQ((*day)->seconds, 300);
  EXPECT_FALSE(peer_samples_at(database, kDay0 + hours(24 * 39), minutes(5))->empty());
}

TEST(SampleRollUp, AfterAStopOfMonthsOldStepsGoAsDaysAreRecorded) {
  auto database = Database::in_memory();
  record_days(database, kDay0, 40);
  const auto back = kDay0 + hours(24 * 140);
  record_days(database, back, 10);
  roll_up(database, back + hours(24 * 10) + minutes(15));
  EXPECT_EQ(rows_of(database, SampleStep::five_minutes), 30U);
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::five_minutes))->front().at,
            kDay0 + hours(24 * 20));
  record_days(database, back + hours(24 * 10), 20);
  roll_up(database, back + hours(24 * 30) + minutes(15));
  EXPECT_EQ(list_peer_samples(database, of(SampleStep::five_minutes))->front().at, back);
}

// After a clock was wrong for longer than steps are kept, what is recorded by the right one counts.
TEST(SampleRollUp, StepsThatAreRecordedAfterALongWrongClockAreReadAgain) {
  auto database = Database::in_memory();
  const auto wrong = kDay0 + hours(24 * 400);
  record_days(database, wrong, 60);
  roll_up(database, wrong + hours(24 * 60) + minutes(15));
  for (int step = 0; step < 12; ++step) {
    const auto at = kDay0 + minutes(5 * step);
    ASSERT_TRUE(put(database, {peer_sample(1, at)}, {node_sample(at)}));
  }
  roll_up(database, kDay0 + minutes(61));
  const auto part = sum_node_samples(database, kDay0, kDay0 + minutes(10));
  ASSERT_TRUE(part && *part);
  EXPECT_EQ((*part)->seconds, 600);
  // A clock that is far back (a board without a battery) is as harmless.
  roll_up(database, wrong + hours(24 * 60) + minutes(15));
  EXPECT_EQ(rows_of(database, SampleStep::five_minutes), 30U);
  const auto at = peer_samples_at(database, wrong, hours(24));
  ASSERT_EQ(at->size(), 1U) << "read from hours or days, as before";
}

TEST(SampleRollUp, WhatIsNotSummedUpIsNotRemoved) {
  auto database = Database::in_memory();
  fill(database, 3, 2);
  SampleRetention retention;
  retention.five_minutes = Duration{};
  retention.hours = Duration{};
  retention.max_bytes = 1;
  roll_up(database, kDay0 + minutes(59), retention);
  EXPECT_EQ(rows_of(database, SampleStep::five_minutes), 6U);
}

TEST(SampleRollUp, RetentionBySizeRemovesTheOldestAndGivesSpaceBack) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  fill(*database, 288, 40);
  std::vector<Event> events(20'000);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].at = kDay0 - hours(24) + seconds(5) * static_cast<int>(i);  // to 3:46 of the day
    events[i].detail = std::string(100, 'x');
  }
  const std::vector<SessionRecord> sessions(10);
  ASSERT_TRUE(append_history(*database, sessions, events));
  const auto now = kDay0 + hours(25);
  roll_up(*database, now);
  EXPECT_EQ(rows_of(*database, SampleStep::five_minutes), 288U * 40);
  SQLite::Database raw(directory.file().string());
  const auto used = [&] { return raw.execAndGet("PRAGMA page_count").getInt() * 4096LL; };
  const auto before = used();
  SampleRetention retention;
  retention.max_bytes = static_cast<std::size_t>(before) * 3 / 10;
  while (true) {
    const auto changed = roll_up_samples(*database, retention, now);
    ASSERT_TRUE(changed);
    ASSERT_LE(*changed, 600U);
    if (*changed == 0) break;
  }
  EXPECT_LE(used(), static_cast<long long>(retention.max_bytes));
  EventFilter all;
  all.limit = 100'000;
  const auto left = *list_events(*database, all);
  ASSERT_FALSE(left.empty());
  EXPECT_LT(left.size(), 20'000U);
  EXPECT_EQ(left.back().at, events.back().at) << "the newest stay";
  // By their time the one is as old as the other, within a chunk.
  const auto oldest = list_peer_samples(*database, of(SampleStep::five_minutes))->front().at;
  EXPECT_GT(oldest, kDay0);
  EXPECT_LT(oldest, left.front().at + hours(2)) << before;
  EXPECT_EQ(rows_of(*database, SampleStep::hour), 24U * 40);
  SessionFilter sessions_left;
  EXPECT_EQ(list_sessions(*database, sessions_left)->size(), 10U);
  // Far too small: everything that has an age goes, nothing else, and it ends.
  retention.max_bytes = 1;
  roll_up(*database, now, retention);
  EXPECT_TRUE(list_events(*database, all)->empty());
  EXPECT_TRUE(list_sessions(*database, sessions_left)->empty());
  EXPECT_EQ(rows_of(*database, SampleStep::hour), 0U);
  EXPECT_EQ(rows_of(*database, SampleStep::day), 40U);
}

TEST(SampleRollUp, StrangersGoBeforeAnythingOfMasternodesWhereAFileIsTooLarge) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  for (int hour = 0; hour < 24; ++hour) {
    const auto at = kDay0 + hours(hour);
    std::vector<PeerSample> rows{peer_sample(1, at)};
    for (std::size_t peer = 2; peer < 302; ++peer) {
      rows.push_back(peer_sample(peer, at));
      rows.back().whitelisted_seconds = 0;
    }
    ASSERT_TRUE(put(*database, rows, {node_sample(at)}));
  }
  ASSERT_TRUE(append_history(*database, std::vector<SessionRecord>(10), std::vector<Event>(100)));
  const auto now = kDay0 + hours(25);
  roll_up(*database, now);
  ASSERT_EQ(rows_of(*database, SampleStep::hour), 24U * 301);
  const auto before =
      SQLite::Database(directory.file().string()).execAndGet("PRAGMA page_count").getInt64() * 4096;
  SampleRetention retention;
  retention.max_bytes = static_cast<std::size_t>(before) / 2;
  roll_up(*database, now, retention);
  EXPECT_GT(rows_of(*database, SampleStep::hour), 24U) << "no more of them than it takes";
  EXPECT_LT(rows_of(*database, SampleStep::hour), 24U * 301);
  SampleFilter ours = of(SampleStep::five_minutes);
  ours.ip = address(1);
  EXPECT_EQ(list_peer_samples(*database, ours)->size(), 24U);
  EXPECT_EQ(list_events(*database, {})->size(), 100U);
  // Sums that are still to be made keep what they are made of.
  PeerSample late = peer_sample(400, now);
  late.whitelisted_seconds = 0;
  ASSERT_TRUE(put(*database, {late}));
  retention.max_bytes = 1;
  roll_up(*database, now, retention);
  EXPECT_EQ(rows_of(*database, SampleStep::hour), 0U);
  EXPECT_EQ(rows_of(*database, SampleStep::five_minutes), 1U) << "the late one";
}

}  // namespace
}  // namespace timectl::store
