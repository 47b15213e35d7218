#include "store/sample_rows.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "store/columns.h"

namespace timectl::store {
namespace {

constexpr double kMaxScaled = 1e15;  // of any scaled number: far above what happens, exact in both

// A number in the file's unit; what is not a number counts as nothing.
std::int64_t scaled(double value, double unit) {
  if (!std::isfinite(value)) return 0;
  return std::llround(std::clamp(value, 0.0, kMaxScaled / unit) * unit);
}
std::optional<std::int64_t> scaled(const std::optional<double>& value, double unit) {
  return value && std::isfinite(*value) ? std::optional(scaled(*value, unit)) : std::nullopt;
}
std::optional<std::int64_t> bounded(const std::optional<std::uint64_t>& value) {
  return value ? std::optional(store::bounded(*value)) : std::nullopt;
}

constexpr double kMillisecondsPerSecond = 1000;
constexpr double kMicrosecondsPerMillisecond = 1000;
constexpr double kHundredths = 100;
constexpr double kThousandths = 1000;

std::int64_t milliseconds_of(SampleStep step) {
  return minutes_of(step) * 60'000;
}

SampleStep read_step(RowReader& reader) {
  const auto minutes = reader.integer(0, minutes_of(SampleStep::day));
  for (const auto step : kSteps) {
    if (minutes == minutes_of(step)) return step;
  }
  reader.bad_last("is no length of a step");
}

WallTime read_minute(RowReader& reader, SampleStep step) {
  const auto minute = reader.integer(0, kMaxMinute);
  if (floor_to(step, minute) != minute) reader.bad_last("is no beginning of a step");
  return time_of(minute);
}

// At most `step` long.
double read_seconds(RowReader& reader, SampleStep step) {
  return static_cast<double>(reader.integer(0, milliseconds_of(step))) / kMillisecondsPerSecond;
}

std::int64_t written(double seconds, std::int64_t limit) {
  return std::min(scaled(seconds, kMillisecondsPerSecond), limit);
}

}  // namespace

Minute minute_of(WallTime at) {
  const auto milliseconds = std::clamp<std::int64_t>(milliseconds_of(at), 0, kMaxMilliseconds);
  return milliseconds / 60'000;
}

WallTime time_of(Minute minute) {
  return WallTime(std::chrono::minutes(minute));
}

SQLite::Statement select_peer_samples(Connection& connection, const char* rest) {
  return {connection.db(),
          std::string("SELECT step, minute, ip, looked_ms, connected_ms, own_outage_ms,"
                      " whitelisted_ms, pings, missed_pongs, disconnects, round_trips, rtt_us_min,"
                      " rtt_us_mean, rtt_us_max, height, lag_max, score, state, bytes_in, bytes_out"
                      " FROM peer_samples") +
              rest};
}

SQLite::Statement select_node_samples(Connection& connection, const char* rest) {
  return {connection.db(),
          std::string("SELECT step, minute, looked_ms, own_outage_ms, whitelisted, connected_mean,"
                      " connected_min, connections_max, height, best_height, lag_max, spread_max,"
                      " blocks, syncing_ms, blocks_syncing FROM node_samples") +
              rest};
}

PeerSample read_peer_sample(SQLite::Statement& statement) {
  RowReader reader(statement, "peer_samples", 3);
  const auto counter = [&] { return reader.counter(); };
  const auto milliseconds = [&] {
    return static_cast<double>(reader.counter()) / kMicrosecondsPerMillisecond;
  };
  PeerSample sample;
  const auto step = read_step(reader);
  sample.at = read_minute(reader, step);
  sample.ip = reader.ip();
  sample.seconds = read_seconds(reader, step);
  sample.connected_seconds = read_seconds(reader, step);
  sample.own_outage_seconds = read_seconds(reader, step);
  sample.whitelisted_seconds = read_seconds(reader, step);
  sample.pings = reader.counter();
  sample.missed_pongs = reader.counter();
  sample.disconnects = reader.counter();
  sample.round_trips = reader.counter();
  sample.rtt_ms_min = reader.optional(milliseconds);
  sample.rtt_ms_mean = reader.optional(milliseconds);
  sample.rtt_ms_max = reader.optional(milliseconds);
  sample.height = reader.optional(counter);
  sample.lag_max = reader.optional(counter);
  sample.score =
      reader.optional([&] { return static_cast<double>(reader.integer(0, 10'000)) / kHundredths; });
  sample.state = reader.word<PeerState>();
  sample.bytes_in = reader.counter();
  sample.bytes_out = reader.counter();
  return sample;
}

NodeSample read_node_sample(SQLite::Statement& statement) {
  RowReader reader(statement, "node_samples", 2);
  const auto counter = [&] { return reader.counter(); };
  NodeSample sample;
  const auto step = read_step(reader);
  sample.at = read_minute(reader, step);
  sample.seconds = read_seconds(reader, step);
  sample.own_outage_seconds = read_seconds(reader, step);
  sample.whitelisted = reader.counter();
  sample.connected_mean = static_cast<double>(reader.counter()) / kThousandths;
  sample.connected_min = reader.counter();
  sample.connections_max = reader.counter();
  sample.height = reader.optional(counter);
  sample.best_height = reader.optional(counter);
  sample.lag_max = reader.optional(counter);
  sample.spread_max = reader.optional(counter);
  sample.blocks = reader.counter();
  sample.syncing_seconds = read_seconds(reader, step);
  sample.blocks_syncing = reader.counter();
  return sample;
}

void write_sample(Connection& connection, SampleStep step, const PeerSample& sample) {
  const auto looked = written(sample.seconds, milliseconds_of(step));
  auto score = scaled(sample.score, kHundredths);
  if (score) score = std::min<std::int64_t>(*score, 10'000);
  Query(connection,
        "INSERT INTO peer_samples (step, minute, ip, looked_ms, connected_ms, own_outage_ms,"
        " whitelisted_ms, pings, missed_pongs, disconnects, round_trips, rtt_us_min, rtt_us_mean,"
        " rtt_us_max, height, lag_max, score, state, bytes_in, bytes_out)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (step, minute, ip) DO UPDATE SET looked_ms = excluded.looked_ms,"
        " connected_ms = excluded.connected_ms, own_outage_ms = excluded.own_outage_ms,"
        " whitelisted_ms = excluded.whitelisted_ms, pings = excluded.pings,"
        " missed_pongs = excluded.missed_pongs, disconnects = excluded.disconnects,"
        " round_trips = excluded.round_trips, rtt_us_min = excluded.rtt_us_min,"
        " rtt_us_mean = excluded.rtt_us_mean, rtt_us_max = excluded.rtt_us_max,"
        " height = excluded.height, lag_max = excluded.lag_max, score = excluded.score,"
        " state = excluded.state, bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out"
        " WHERE excluded.looked_ms >= looked_ms")
      .bind(minutes_of(step), floor_to(step, minute_of(sample.at)), sample.ip.to_string(), looked,
            written(sample.connected_seconds, looked), written(sample.own_outage_seconds, looked),
            written(sample.whitelisted_seconds, looked), bounded(sample.pings),
            bounded(sample.missed_pongs), bounded(sample.disconnects), bounded(sample.round_trips),
            scaled(sample.rtt_ms_min, kMicrosecondsPerMillisecond),
            scaled(sample.rtt_ms_mean, kMicrosecondsPerMillisecond),
            scaled(sample.rtt_ms_max, kMicrosecondsPerMillisecond), bounded(sample.height),
            bounded(sample.lag_max), score, name_of(sample.state), bounded(sample.bytes_in),
            bounded(sample.bytes_out))
      .run();
}

void write_sample(Connection& connection, SampleStep step, const NodeSample& sample) {
  const auto looked = written(sample.seconds, milliseconds_of(step));
  Query(connection,
        "INSERT INTO node_samples (step, minute, looked_ms, own_outage_ms, whitelisted,"
        " connected_mean, connected_min, connections_max, height, best_height, lag_max, spread_max,"
        " blocks, syncing_ms, blocks_syncing)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (step, minute) DO UPDATE SET looked_ms = excluded.looked_ms,"
        " own_outage_ms = excluded.own_outage_ms, whitelisted = excluded.whitelisted,"
        " connected_mean = excluded.connected_mean, connected_min = excluded.connected_min,"
        " connections_max = excluded.connections_max, height = excluded.height,"
        " best_height = excluded.best_height, lag_max = excluded.lag_max,"
        " spread_max = excluded.spread_max, blocks = excluded.blocks,"
        " syncing_ms = excluded.syncing_ms, blocks_syncing = excluded.blocks_syncing"
        " WHERE excluded.looked_ms >= looked_ms")
      .bind(minutes_of(step), floor_to(step, minute_of(sample.at)), looked,
            written(sample.own_outage_seconds, looked), bounded(sample.whitelisted),
            scaled(sample.connected_mean, kThousandths), bounded(sample.connected_min),
            bounded(sample.connections_max), bounded(sample.height), bounded(sample.best_height),
            bounded(sample.lag_max), bounded(sample.spread_max), bounded(sample.blocks),
            written(sample.syncing_seconds, looked), bounded(sample.blocks_syncing))
      .run();
}

Minute kept_since(Connection& connection, SampleStep step) {
  Query query(connection, "SELECT step, since_minute FROM sample_kept WHERE step = ?");
  if (!query.bind(minutes_of(step)).step()) return 0;
  RowReader reader(query.row(), "sample_kept");
  static_cast<void>(read_step(reader));
  return reader.integer(0, kMaxMinute);
}

Minute aged_before(Connection& connection, Duration keep, WallTime now) {
  const auto by_clock =
      minute_of(now - std::chrono::duration_cast<std::chrono::milliseconds>(keep));
  const auto day = length_of(SampleStep::day);
  const auto days = (keep + day - Duration(1)) / day;
  // A file of before there were samples has only the clock.
  if (days <= 0 || connection.number("SELECT EXISTS (SELECT 1 FROM node_samples)") == 0) {
    return by_clock;
  }
  Query query(connection,
              "SELECT minute FROM node_samples WHERE step = ? AND minute <= ?"
              " ORDER BY minute DESC LIMIT 1 OFFSET ?");
  query.bind(minutes_of(SampleStep::day), minute_of(now), static_cast<std::int64_t>(days - 1));
  if (!query.step()) return 0;
  return std::min<Minute>(by_clock, query.row().getColumn(0).getInt64());
}

}  // namespace timectl::store
