#include "store/samples.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <limits>

#include "tests/store/sample_rows_of.h"

namespace timectl::store {
namespace {

TEST(StoredSamples, EveryFieldComesBack) {
  const StateDirectory directory;
  const auto peer = peer_sample(1, kDay0);
  const auto node = node_sample(kDay0);
  auto unknown = peer_sample(2, kDay0 + minutes(5));
  unknown.rtt_ms_min = unknown.rtt_ms_mean = unknown.rtt_ms_max = unknown.score = std::nullopt;
  unknown.height = unknown.lag_max = std::nullopt;
  NodeSample quiet;
  quiet.at = kDay0 + minutes(5);
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(put(*database, {peer, unknown}, {node, quiet}));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(json_text(*list_peer_samples(*database, {})), json_text(std::vector{peer, unknown}));
  EXPECT_EQ(json_text(*list_node_samples(*database, {})), json_text(std::vector{node, quiet}));
}

TEST(StoredSamples, PresentStepIsWrittenAgainAndLessOfItReplacesNothing) {
  auto database = Database::in_memory();
  ASSERT_TRUE(put(database, {peer_sample(1, kDay0, 60)}, {node_sample(kDay0, 60)}));
  ASSERT_TRUE(put(database, {peer_sample(1, kDay0, 120)}, {node_sample(kDay0, 120)}));
  // The clock went back, and the step begins for a second time.
  auto again = peer_sample(1, kDay0, 30);
  again.pings = 77;
  ASSERT_TRUE(put(database, {again}, {node_sample(kDay0, 30)}));
  const auto rows = *list_peer_samples(database, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].seconds, 120);
  EXPECT_EQ(rows[0].pings, 11U);
  EXPECT_EQ(list_node_samples(database, {})->front().seconds, 120);
  // As long, but it knows more: a session that ended in a step that was over.
  again = peer_sample(1, kDay0, 120);
  again.disconnects = 9;
  ASSERT_TRUE(put(database, {again}));
  EXPECT_EQ(list_peer_samples(database, {})->front().disconnects, 9U);
}

TEST(StoredSamples, NodeMayBeLeftOut) {
  auto database = Database::in_memory();
  ASSERT_TRUE(put_samples(database, {}, std::optional<NodeSample>(), {}));
  EXPECT_TRUE(list_node_samples(database, {})->empty());
  ASSERT_TRUE(put_samples(database, {}, std::optional(node_sample(kDay0)), {}));
  EXPECT_EQ(list_node_samples(database, {})->size(), 1U);
}

TEST(StoredSamples, ListsAreFoundByPeerAndTimeOldestFirst) {
  auto database = Database::in_memory();
  for (int step = 0; step < 6; ++step) {
    const auto at = kDay0 + minutes(5 * step);
    ASSERT_TRUE(put(database, {peer_sample(1, at), peer_sample(2, at)}, {node_sample(at)}));
  }
  const auto found = [&](const SampleFilter& filter) {
    std::vector<long> out;
    const auto samples = list_peer_samples(database, filter);
    for (const auto& s : *samples) {
      out.push_back(std::chrono::duration_cast<minutes>(s.at - kDay0).count());
    }
    return out;
  };
  using Found = std::vector<long>;
  SampleFilter filter;
  EXPECT_EQ(found(filter), (Found{0, 0, 5, 5, 10, 10, 15, 15, 20, 20, 25, 25}));
  filter.ip = address(2);
  EXPECT_EQ(found(filter), (Found{0, 5, 10, 15, 20, 25}));
  filter.since = kDay0 + minutes(10);
  EXPECT_EQ(found(filter), (Found{10, 15, 20, 25})) << "the step that ends at it is over";
  filter.since = kDay0 + minutes(10) + seconds(1);
  filter.until = kDay0 + minutes(20);
  EXPECT_EQ(found(filter), (Found{10, 15}));
  filter.until = kDay0 + minutes(20) + std::chrono::milliseconds(1);
  EXPECT_EQ(found(filter), (Found{10, 15, 20}));
  filter = {};
  filter.limit = 3;
  EXPECT_EQ(found(filter), (Found{20, 25, 25})) << "the newest of more";
  filter.step = SampleStep::hour;
  EXPECT_EQ(found(filter), (Found{}));
  filter = {.until = WallTime{}};
  EXPECT_EQ(found(filter), (Found{}));
  EXPECT_EQ(list_node_samples(database, {.until = kDay0 + minutes(7)})->size(), 2U);
}

TEST(StoredSamples, LookIntoAPastMomentGivesTheLastOfEachPeer) {
  auto database = Database::in_memory();
  ASSERT_TRUE(put(database, {peer_sample(1, kDay0), peer_sample(2, kDay0)}, {node_sample(kDay0)}));
  ASSERT_TRUE(put(database, {peer_sample(1, kDay0 + minutes(5), 60)}));
  const auto at = [&](WallTime time, Duration within) {
    std::vector<double> looked;
    const auto samples = peer_samples_at(database, time, within);
    for (const auto& s : *samples) looked.push_back(s.seconds);
    return looked;
  };
  using Found = std::vector<double>;
  EXPECT_EQ(at(kDay0 + minutes(6), minutes(2)), (Found{60, 300}));
  EXPECT_EQ(at(kDay0 + minutes(4), minutes(2)), (Found{300, 300}));
  EXPECT_EQ(at(kDay0 + minutes(8), minutes(2)), (Found{60})) << "the other ended 3 minutes before";
  EXPECT_EQ(at(kDay0 - seconds(1), minutes(2)), (Found{}));
  EXPECT_EQ(at(kDay0 + hours(9), minutes(2)), (Found{}));
  EXPECT_EQ((*node_sample_at(database, kDay0 + minutes(6), minutes(2)))->at, kDay0);
  EXPECT_EQ(*node_sample_at(database, kDay0 + hours(9), minutes(2)), std::nullopt);
}

TEST(StoredSamples, MomentOfWhichOnlyHoursAreKeptIsToldByTheHour) {
  auto database = Database::in_memory();
  for (int step = 0; step < 24; ++step) {
    ASSERT_TRUE(put(database, {peer_sample(1, kDay0 + minutes(5 * step))}));
  }
  roll_up(database, kDay0 + hours(24 * 40));
  const auto samples = *peer_samples_at(database, kDay0 + minutes(50), minutes(2));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].seconds, 3600);
}

TEST(StoredSamples, WhateverIsHandedOverIsBroughtIntoRange) {
  auto database = Database::in_memory();
  constexpr auto kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr auto kInfinity = std::numeric_limits<double>::infinity();
  auto hostile = peer_sample(1, kDay0 + seconds(17), 1e300);
  hostile.connected_seconds = kInfinity;
  hostile.own_outage_seconds = -5;
  hostile.whitelisted_seconds = kNan;
  hostile.pings = ~0ULL;
  hostile.rtt_ms_min = kNan;
  hostile.rtt_ms_mean = -1;
  hostile.rtt_ms_max = 1e308;
  hostile.height = ~0ULL;
  hostile.score = 1e9;
  auto before = peer_sample(2, WallTime(std::chrono::milliseconds(-5)));
  auto after = peer_sample(3, WallTime(std::chrono::milliseconds(9'000'000'000'000'000)));
  auto node = node_sample(kDay0, 301);
  node.connected_mean = kNan;
  node.syncing_seconds = 1e9;
  ASSERT_TRUE(put(database, {hostile, before, after}, {node}));
  const auto rows = list_peer_samples(database, {});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 3U);
  const auto& row = (*rows)[1];
  EXPECT_EQ(row.at, kDay0);
  EXPECT_EQ(row.seconds, 300);
  EXPECT_EQ(row.connected_seconds, 0);
  EXPECT_EQ(row.own_outage_seconds, 0);
  EXPECT_EQ(row.whitelisted_seconds, 0);
  EXPECT_EQ(row.pings, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(row.rtt_ms_min, std::nullopt);
  EXPECT_EQ(row.rtt_ms_mean, 0);
  EXPECT_EQ(row.rtt_ms_max, 1e12);
  EXPECT_EQ(row.score, 100);
  EXPECT_EQ(list_node_samples(database, {})->front().syncing_seconds, 300);
  roll_up(database, kDay0 + hours(72));
}

TEST(StoredSamples, EditedRowsAreDamageNamedByStepTimeAndPeer) {
  for (const char* sql :
       {"UPDATE peer_samples SET ip = '010.0.0.1'", "UPDATE peer_samples SET looked_ms = 300001",
        "UPDATE peer_samples SET connected_ms = -1", "UPDATE peer_samples SET score = 10001",
        "UPDATE peer_samples SET state = 'fine'", "UPDATE peer_samples SET rtt_us_max = -1",
        "UPDATE peer_samples SET pings = -1", "UPDATE peer_samples SET minute = minute + 1",
        "UPDATE node_samples SET syncing_ms = 300001", "UPDATE node_samples SET blocks = -1",
        "UPDATE node_samples SET minute = minute + 1"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(put(*database, {peer_sample(1, kDay0)}, {node_sample(kDay0)}));
    }
    tamper(directory.file(), sql);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto peers = list_peer_samples(*database, {});
    const auto nodes = list_node_samples(*database, {});
    ASSERT_TRUE(!peers || !nodes) << sql;
    const auto& error = peers ? nodes.error() : peers.error();
    EXPECT_EQ(error.code, Code::database_damaged) << sql;
    EXPECT_NE(error.message.find("row 5/29920"), std::string::npos) << error.message;
    // At a minute where no step begins the roll-up does not look.
    if (std::string(sql).find("minute") != std::string::npos) continue;
    EXPECT_FALSE(roll_up_samples(*database, {}, kDay0 + hours(2))) << sql;
    EXPECT_TRUE(!sum_peer_samples(*database, kDay0, kDay0 + hours(1)) ||
                !sum_node_samples(*database, kDay0, kDay0 + hours(1)))
        << sql;
  }
}

TEST(StoredSamples, FullDiskIsNamedAndWhatWasStoredStays) {
  const StateDirectory directory;
  const int status = in_child([&]() -> int {
    ::signal(SIGXFSZ, SIG_IGN);
    auto database = directory.open();
    if (!database || !put(*database, {peer_sample(1, kDay0)})) return 10;
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 400'000;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::size_t stored = 1;
    Error error;
    for (; stored < 100'000; ++stored) {
      const auto at = kDay0 + minutes(5 * static_cast<int>(stored));
      if (auto put_one = put(*database, {peer_sample(1, at)}); !put_one) {
        error = put_one.error();
        break;
      }
    }
    if (error.code != Code::database_full) return 11;
    if (database->write_failure()) return 12;
    SampleFilter all;
    all.limit = 100'000;
    if (list_peer_samples(*database, all)->size() != stored) return 13;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto at = kDay0 + minutes(5 * static_cast<int>(stored));
    if (!put(*database, {peer_sample(1, at)})) return 14;
    return list_peer_samples(*database, all)->size() == stored + 1 ? 0 : 15;
  });
  EXPECT_EQ(status, 0);
}

TEST(Samples, HoleIsToldByTheFinestStepThatIsKeptThere) {
  auto database = Database::in_memory();
  for (int day = 0; day < 40; ++day) {
    ASSERT_TRUE(put(database, {}, {node_sample(kDay0 + hours(24 * day))}));
  }
  EXPECT_EQ(*step_kept_at(database, kDay0 + minutes(30)), SampleStep::five_minutes);
  roll_up(database, kDay0 + hours(24 * 40) + minutes(15));
  EXPECT_EQ(*step_kept_at(database, kDay0 + minutes(30)), SampleStep::hour);
  EXPECT_EQ(*step_kept_at(database, kDay0 + hours(24 * 39) + minutes(30)),
            SampleStep::five_minutes);
}

}  // namespace
}  // namespace timectl::store
