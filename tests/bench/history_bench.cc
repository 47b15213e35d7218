// What the history costs when it is long: 10,000,000 events and 1,000,000 sessions of 50 peers are
// written once into a directory that goes away (minutes); then queries, and more rows in batches as
// the node writes them. And the size of a year of samples after roll-up.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/database.h"
#include "store/peer_history.h"
#include "store/samples.h"

namespace timectl::store {
namespace {

constexpr std::size_t kPeers = 50;
constexpr std::size_t kEvents = 10'000'000;
constexpr std::size_t kSessions = 1'000'000;
constexpr std::size_t kBigBatch = 100'000;
constexpr std::size_t kNodesBatch = 500;  // what the recorder writes at once
constexpr WallTime kBegin{std::chrono::milliseconds(1'795'219'200'000)};  // 2026-11-21, midnight
constexpr std::chrono::milliseconds kBetweenEvents(777);                  // 90 days in all

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "timectl-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] Database open() const {
    return Database::open(StateLock::try_acquire(path_, "bench").value(), OpenMode::read_write)
        .value();
  }
  [[nodiscard]] double megabytes() const {
    return static_cast<double>(std::filesystem::file_size(path_ / kDatabaseFile)) / 1e6;
  }

 private:
  std::filesystem::path path_;
};

IpAddress peer(std::size_t number) {
  return IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(number % kPeers));
}

// Pseudo-random, the same each time.
std::size_t dice(std::size_t number) {
  return static_cast<std::size_t>((number * 0x9e3779b97f4a7c15ULL) >> 33U);
}

// Mostly a peer's comings and goings, now and then something rare.
Event event(std::size_t number) {
  static constexpr EventKind kOften[] = {EventKind::peer_connected,   EventKind::peer_disconnected,
                                         EventKind::dial_scheduled,   EventKind::dial_failed,
                                         EventKind::inbound_accepted, EventKind::inbound_rejected,
                                         EventKind::peer_suspect,     EventKind::peer_recovered};
  Event out;
  out.at = kBegin + kBetweenEvents * static_cast<std::int64_t>(number);
  out.kind = dice(number) % 100'000 == 0 ? EventKind::fork_seen : kOften[dice(number) % 8];
  out.severity = Severity::info;
  out.peer = peer(dice(number + 1));
  out.whitelisted = true;
  out.direction = Direction::in;
  if (out.kind == EventKind::peer_disconnected) {
    out.reason = dice(number) % 3 == 0 ? EndReason::unresponsive : EndReason::closed_by_peer;
  }
  out.detail = "close_notify after 3605 s, 2 pongs missed";
  out.missed_pongs = 2;
  return out;
}

SessionRecord session(std::size_t number) {
  SessionRecord out;
  out.ip = peer(dice(number));
  out.whitelisted = true;
  out.ended_at = kBegin + kBetweenEvents * static_cast<std::int64_t>(number * 10);
  out.started_at = out.ended_at - std::chrono::minutes(5);
  out.end_reason = dice(number) % 50'000 == 0 ? EndReason::flood : EndReason::closed_by_peer;
  out.detail = "close_notify";
  out.rtt_ms_p50 = 31.5;
  out.rtt_ms_p95 = 48.25;
  out.bytes_in = 1'234'567;
  out.bytes_out = 234'567;
  return out;
}

class LongHistory {
 public:
  LongHistory() : database_(scratch_.open()) {
    while (events_ < kEvents) append(kBigBatch);
  }
  void append(std::size_t count) {
    std::vector<Event> events;
    std::vector<SessionRecord> sessions;
    for (const auto end = events_ + count; events_ < end; ++events_) {
      events.push_back(event(events_));
      if (events_ % (kEvents / kSessions) == 0) sessions.push_back(session(sessions_++));
    }
    if (!append_history(database_, sessions, events)) std::abort();
  }
  [[nodiscard]] Database& database() { return database_; }
  [[nodiscard]] WallTime ago(Duration back) const {
    return event(events_).at - std::chrono::duration_cast<std::chrono::milliseconds>(back);
  }
  [[nodiscard]] double megabytes() const { return scratch_.megabytes(); }

 private:
  Scratch scratch_;
  Database database_;
  std::size_t events_ = 0;
  std::size_t sessions_ = 0;
};

LongHistory& history() {
  static const auto kHistory = std::make_unique<LongHistory>();
  return *kHistory;
}

constexpr Duration kDay = std::chrono::hours(24);

// The figure: 50,000 events a second; with them a session for every ten.
void Ingest(benchmark::State& state) {
  auto& long_history = history();
  for (auto _ : state) long_history.append(kNodesBatch);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kNodesBatch));
  state.counters["database_MB"] = long_history.megabytes();
}
BENCHMARK(Ingest)->Unit(benchmark::kMillisecond)->Iterations(400)->UseRealTime();

struct SessionQuery {
  const char* name;
  SessionFilter filter;
  Duration back;  // of `since`; 0: none
};
// The figure: under 20 ms. The rare reason is what a search without an end would look for longest.
const SessionQuery kSessionQueries[] = {
    {"newest", {}, {}},
    {"peer", {.ip = peer(7)}, {}},
    {"peer_since_a_day", {.ip = peer(7)}, kDay},
    {"peer_since_80_days", {.ip = peer(7)}, kDay * 80},
    {"rare_reason", {.reason = EndReason::flood}, {}},
    {"rare_reason_since_a_day", {.reason = EndReason::flood}, kDay},
    {"never_seen_reason_since_80_days", {.reason = EndReason::banned}, kDay * 80},
    {"peer_rare_reason", {.ip = peer(7), .reason = EndReason::flood}, {}},
    {"peer_never_seen_reason_since_80_days",
     {.ip = peer(7), .reason = EndReason::banned},
     kDay * 80},
    {"since_a_minute", {}, std::chrono::minutes(1)},
    {"peer_thousand", {.ip = peer(7), .limit = 1000}, {}},
};

void ListSessions(benchmark::State& state, const SessionQuery& query) {
  auto& long_history = history();
  auto filter = query.filter;
  if (query.back > Duration{}) filter.since = long_history.ago(query.back);
  std::size_t rows = 0;
  for (auto _ : state) rows = list_sessions(long_history.database(), filter).value().size();
  state.counters["rows"] = static_cast<double>(rows);
}

struct EventQuery {
  const char* name;
  EventFilter filter;
  Duration back;
};
const EventQuery kEventQueries[] = {
    {"newest", {}, {}},
    {"since_an_hour", {}, std::chrono::hours(1)},
    {"since_80_days", {}, kDay * 80},
    {"peer", {.ip = peer(7)}, {}},
    {"peer_since_a_day", {.ip = peer(7)}, kDay},
    {"kind_rare", {.kind = EventKind::fork_seen}, {}},
    {"kind_never_seen_since_80_days", {.kind = EventKind::peer_banned}, kDay * 80},
    {"peer_kind_rare", {.ip = peer(7), .kind = EventKind::fork_seen}, {}},
    {"peer_kind_never_seen", {.ip = peer(7), .kind = EventKind::peer_banned}, {}},
    {"peer_kind_never_seen_since_a_day", {.ip = peer(7), .kind = EventKind::peer_banned}, kDay},
};

void ListEvents(benchmark::State& state, const EventQuery& query) {
  auto& long_history = history();
  auto filter = query.filter;
  if (query.back > Duration{}) filter.since = long_history.ago(query.back);
  std::size_t rows = 0;
  for (auto _ : state) rows = list_events(long_history.database(), filter).value().size();
  state.counters["rows"] = static_cast<double>(rows);
}

const EventQuery kCountQueries[] = {
    {"peer_since_a_day", {.ip = peer(7)}, kDay},
    {"peer_since_30_days", {.ip = peer(7)}, kDay * 30},
    {"everybody_since_an_hour", {}, std::chrono::hours(1)},
};

void CountEvents(benchmark::State& state, const EventQuery& query) {
  auto& long_history = history();
  auto filter = query.filter;
  filter.since = long_history.ago(query.back);
  std::uint64_t counted = 0;
  for (auto _ : state) {
    counted = 0;
    const auto counts = count_events(long_history.database(), filter).value();
    for (const auto& count : counts) counted += count.count;
  }
  state.counters["events"] = static_cast<double>(counted);
}

PeerSample sample(std::size_t number, WallTime at, std::size_t step) {
  const auto chance = dice(number * 131 + step);
  PeerSample out;
  out.ip = peer(number);
  out.at = at;
  out.seconds = 300;
  out.connected_seconds = chance % 50 == 0 ? 251.337 : 300;
  out.whitelisted_seconds = 300;
  out.pings = 10;
  out.missed_pongs = chance % 40 == 0 ? 1 : 0;
  out.disconnects = chance % 50 == 0 ? 1 : 0;
  out.round_trips = 10;
  out.rtt_ms_mean = 20 + static_cast<double>(chance % 100'000) / 1000;
  out.rtt_ms_min = *out.rtt_ms_mean - 1.5;
  out.rtt_ms_max = *out.rtt_ms_mean + 2.25;
  out.height = 100'000 + step / 2;
  out.lag_max = chance % 3;
  out.score = 90 + static_cast<double>(chance % 1000) / 100;
  out.state = PeerState::connected;
  out.bytes_in = 1'000'000 + chance % 100'000;
  out.bytes_out = 500'000 + chance % 100'000;
  return out;
}

constexpr std::size_t kStepsOfADay = 288;

// A day of 50 peers, written and rolled up as the node does, with 10 sessions and 60 events of
// each.
void put_day(Database& database, std::size_t day) {
  const auto midnight = kBegin + std::chrono::hours(24) * static_cast<std::int64_t>(day);
  std::vector<SessionRecord> sessions;
  std::vector<Event> events;
  for (std::size_t i = 0; i < kPeers * 30; ++i) {
    events.push_back(event(day * kPeers * 30 + i));
    events.back().at = midnight + std::chrono::seconds(56) * static_cast<std::int64_t>(i);
    if (i % 6 != 0) continue;
    sessions.push_back(session(day * kPeers * 5 + i / 6));
    sessions.back().ended_at = events.back().at;
    sessions.back().started_at = events.back().at - std::chrono::minutes(5);
  }
  if (!append_history(database, sessions, events)) std::abort();
  for (std::size_t step = 0; step < kStepsOfADay; step += 12) {
    std::vector<PeerSample> peers;
    std::vector<NodeSample> nodes(12);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].at = midnight + std::chrono::minutes(5) * static_cast<std::int64_t>(step + i);
      nodes[i].seconds = 300;
      for (std::size_t n = 0; n < kPeers; ++n) {
        peers.push_back(sample(n, nodes[i].at, day * kStepsOfADay + step + i));
      }
    }
    if (!put_samples(database, peers, nodes, {})) std::abort();
  }
}

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

void report(benchmark::State& state, Database& database) {
  const auto end = kBegin + std::chrono::hours(24 * 365);
  for (const auto& [name, since] : {std::pair{"sum_30_days_ms", end - std::chrono::hours(24 * 30)},
                                    std::pair{"sum_year_ms", kBegin}}) {
    const auto begin = std::chrono::steady_clock::now();
    if (sum_peer_samples(database, since + std::chrono::minutes(17), end).value().size() !=
        kPeers) {
      state.SkipWithError("not a row for each peer");
    }
    state.counters[name] = milliseconds_since(begin);
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto moment = kBegin + std::chrono::hours(24 * 100) + std::chrono::minutes(7);
  if (peer_samples_at(database, moment, std::chrono::minutes(5)).value().size() != kPeers ||
      sessions_at(database, moment).value().empty()) {
    state.SkipWithError("nothing is known of the past");
  }
  state.counters["past_moment_ms"] = milliseconds_since(begin);
}

// The figure: a year of 50 peers under 200 MB after roll-up. Then what a report and `--at` read of
// it.
void YearOfSamples(benchmark::State& state) {
  constexpr std::size_t kYear = 365;
  for (auto _ : state) {
    const Scratch scratch;
    auto database = scratch.open();
    double slowest = 0;
    for (std::size_t day = 0; day < kYear; ++day) {
      put_day(database, day);
      const auto now = kBegin + std::chrono::hours(24) * static_cast<std::int64_t>(day + 1);
      const Retention retention{.keep = kDay * 365, .keep_events = kDay * 90};
      while (prune_history(database, retention, now).value() > 0) {
      }
      for (bool more = true; more;) {
        const auto begin = std::chrono::steady_clock::now();
        more = roll_up_samples(database, {}, now).value() > 0;
        slowest = std::max(slowest, milliseconds_since(begin));
      }
    }
    state.counters["MB"] = scratch.megabytes();
    state.counters["slowest_chunk_ms"] = slowest;
    report(state, database);
  }
}
BENCHMARK(YearOfSamples)->Unit(benchmark::kSecond)->Iterations(1)->Repetitions(1)->UseRealTime();

template <class Query, class Run>
void add(const char* name, const Query& query, const Run& run) {
  benchmark::RegisterBenchmark((std::string(name) + "/" + query.name).c_str(), run, query)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

void register_queries() {
  for (const auto& query : kSessionQueries) add("ListSessions", query, ListSessions);
  for (const auto& query : kEventQueries) add("ListEvents", query, ListEvents);
  for (const auto& query : kCountQueries) add("CountEvents", query, CountEvents);
}

}  // namespace timectl::store

int main(int argc, char** argv) {
  timectl::store::register_queries();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
