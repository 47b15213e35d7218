// Roll-up and retention of samples, declared in samples.h. What waits is in sample_pending: an hour
// or day of which a row below was written since it was summed up. From sample_kept on the rows of a
// step are whole; older ones are being removed and no sum reads them.
#include <SQLiteCpp/VariadicBind.h>

#include <algorithm>
#include <map>
#include <string>

#include "store/columns.h"
#include "store/connection.h"
#include "store/sample_rows.h"
#include "store/samples.h"

namespace timectl::store {
namespace {

constexpr std::size_t kChunkPeers = 40;    // with 24 rows each to read
constexpr std::int64_t kChunkRows = 500;   // to remove
constexpr Minute kSettle = 10;             // after its end the last rows of a step are written
constexpr std::int64_t kFreedPages = 256;  // given back to the file system at once: 1 MiB

struct Waiting {
  SampleStep step = SampleStep::hour;
  Minute minute = 0;
  std::string done_to;  // addresses up to here are summed up
};

// The first hour that is over and, where there is none, the first day of which no hour waits.
std::optional<Waiting> next_waiting(Connection& connection, Minute now) {
  for (const auto step : {SampleStep::hour, SampleStep::day}) {
    Query query(connection,
                "SELECT step, minute, done_to FROM sample_pending AS coarse"
                " WHERE step = ?1 AND minute <= ?2 AND (?1 = ?3 OR NOT EXISTS"
                " (SELECT 1 FROM sample_pending AS fine WHERE fine.step = ?3"
                " AND fine.minute BETWEEN coarse.minute AND coarse.minute + ?1 - 1))"
                " ORDER BY minute LIMIT 1");
    query.bind(minutes_of(step), now - minutes_of(step) - kSettle, minutes_of(SampleStep::hour));
    if (!query.step()) continue;
    RowReader reader(query.row(), "sample_pending", 2);
    static_cast<void>(reader.integer(0, minutes_of(SampleStep::day)));
    Waiting waiting{step, reader.integer(0, kMaxMinute), {}};
    if (floor_to(step, waiting.minute) != waiting.minute) reader.bad_last("is no beginning");
    waiting.done_to = reader.line(64);
    return waiting;
  }
  return std::nullopt;
}

void sum_node(Connection& connection, const Waiting& waiting) {
  auto statement = select_node_samples(
      connection, " WHERE step = ? AND minute >= ? AND minute < ? ORDER BY minute");
  SQLite::bind(statement, minutes_of(below(waiting.step)), waiting.minute,
               waiting.minute + minutes_of(waiting.step));
  std::optional<NodeSample> sum;
  while (statement.executeStep()) {
    const auto sample = read_node_sample(statement);
    sum = sum ? merged(*sum, sample) : sample;
  }
  if (sum) write_sample(connection, waiting.step, *sum);
}

// The sums of the next peers of an hour or day. Each step below gives its first peers after
// done_to, so that the first of them all are complete.
std::uint64_t sum_peers(Connection& connection, const Waiting& waiting) {
  std::map<std::string, PeerSample> sums;
  bool more = false;
  const auto finer = below(waiting.step);
  auto statement = select_peer_samples(
      connection, " WHERE step = ? AND minute = ? AND ip > ? ORDER BY ip LIMIT ?");
  for (Minute minute = waiting.minute; minute < waiting.minute + minutes_of(waiting.step);
       minute += minutes_of(finer)) {
    statement.reset();
    SQLite::bind(statement, minutes_of(finer), minute, waiting.done_to,
                 static_cast<std::int64_t>(kChunkPeers));
    std::size_t rows = 0;
    for (; statement.executeStep(); ++rows) {
      const auto sample = read_peer_sample(statement);
      const auto [it, first] = sums.try_emplace(sample.ip.to_string(), sample);
      if (!first) it->second = merged(it->second, sample);
    }
    more = more || rows == kChunkPeers;
  }
  more = more || sums.size() > kChunkPeers;
  std::uint64_t written = 0;
  std::string done_to;
  for (const auto& [ip, sum] : sums) {
    if (written == kChunkPeers) break;
    write_sample(connection, waiting.step, sum);
    done_to = ip;
    ++written;
  }
  if (more) {
    Query(connection, "UPDATE sample_pending SET done_to = ? WHERE step = ? AND minute = ?")
        .bind(done_to, minutes_of(waiting.step), waiting.minute)
        .run();
    return written;
  }
  sum_node(connection, waiting);
  Query(connection, "DELETE FROM sample_pending WHERE step = ? AND minute = ?")
      .bind(minutes_of(waiting.step), waiting.minute)
      .run();
  return written + 1;
}

std::optional<Minute> minimum(Connection& connection, const char* sql, SampleStep step) {
  Query query(connection, sql);
  query.bind(minutes_of(step));
  if (!query.step() || query.row().isColumnNull(0)) return std::nullopt;
  return query.row().getColumn(0).getInt64();
}

std::optional<Minute> oldest_row(Connection& connection, SampleStep step) {
  const auto peer =
      minimum(connection, "SELECT min(minute) FROM peer_samples WHERE step = ?", step);
  const auto node =
      minimum(connection, "SELECT min(minute) FROM node_samples WHERE step = ?", step);
  return peer && node ? std::min(*peer, *node) : peer ? peer : node;
}

// What waits to be summed up is not removed; nor what the step above it could not tell apart.
Minute removable(Connection& connection, SampleStep step, Minute below_minute) {
  if (step == SampleStep::day) return floor_to(step, below_minute);
  const auto above = step == SampleStep::hour ? SampleStep::day : SampleStep::hour;
  const auto waits =
      minimum(connection, "SELECT min(minute) FROM sample_pending WHERE step = ?", above);
  return floor_to(above, waits ? std::min(*waits, below_minute) : below_minute);
}

// A chunk of the rows of a step before a minute, the oldest first.
std::uint64_t remove_steps(Connection& connection, SampleStep step, Minute before) {
  before = removable(connection, step, before);
  std::uint64_t removed = 0;
  for (auto oldest = oldest_row(connection, step);
       oldest && *oldest < before && removed < static_cast<std::uint64_t>(kChunkRows);
       oldest = oldest_row(connection, step)) {
    Query(connection,
          "INSERT INTO sample_kept (step, since_minute) VALUES (?1, ?2) ON CONFLICT (step)"
          " DO UPDATE SET since_minute = ?2 WHERE since_minute < ?2")
        .bind(minutes_of(step), before)
        .run();
    Query(
        connection,
        "DELETE FROM peer_samples WHERE step = ?1 AND minute = ?2 AND ip <= coalesce("
        "(SELECT ip FROM peer_samples WHERE step = ?1 AND minute = ?2 ORDER BY ip"
        " LIMIT 1 OFFSET ?3), (SELECT max(ip) FROM peer_samples WHERE step = ?1 AND minute = ?2))")
        .bind(minutes_of(step), *oldest, kChunkRows)
        .run();
    removed += static_cast<std::uint64_t>(connection.db().getChanges());
    if (minimum(connection, "SELECT min(minute) FROM peer_samples WHERE step = ?", step) ==
        oldest) {
      continue;  // more peers than a chunk has rows
    }
    Query(connection, "DELETE FROM node_samples WHERE step = ? AND minute = ?")
        .bind(minutes_of(step), *oldest)
        .run();
    removed += static_cast<std::uint64_t>(connection.db().getChanges());
  }
  return removed;
}

std::uint64_t remove_old(Connection& connection, const SampleRetention& retention, WallTime now) {
  const std::pair<SampleStep, Duration> kept[] = {
      {SampleStep::five_minutes, retention.five_minutes},
      {SampleStep::hour, retention.hours},
      {SampleStep::day, retention.days}};
  std::uint64_t removed = 0;
  for (const auto& [step, keep] : kept) {
    if (removed == 0) {
      removed = remove_steps(connection, step, aged_before(connection, keep, now));
    }
  }
  return removed;
}

// Rows that are neither too old nor too much and yet before sample_kept: a clock that was ahead for
// long had removed what was before them, and now is right. They are whole again from the first on.
// A chunk that remove_excess() has begun leaves rows, too, of the last hour or day before it.
void lower_kept(Connection& connection) {
  for (const auto step : {SampleStep::five_minutes, SampleStep::hour}) {
    const auto above = step == SampleStep::hour ? SampleStep::day : SampleStep::hour;
    const auto kept = kept_since(connection, step);
    if (kept == 0) continue;
    const auto oldest = oldest_row(connection, step);
    if (!oldest || *oldest >= kept - minutes_of(above)) continue;
    Query(connection, "UPDATE sample_kept SET since_minute = ? WHERE step = ?")
        .bind(floor_to(above, *oldest), minutes_of(step))
        .run();
  }
}

std::uint64_t remove_rows(Connection& connection, const char* sql) {
  Query(connection, sql).bind(kChunkRows).run();
  return static_cast<std::uint64_t>(connection.db().getChanges());
}

// The oldest rows, of any step, of peers that were not whitelisted in it; not of days of which sums
// are still to be made.
std::uint64_t remove_strangers(Connection& connection) {
  return remove_rows(connection,
                     "DELETE FROM peer_samples WHERE (step, minute, ip) IN"
                     " (SELECT step, minute, ip FROM peer_samples WHERE whitelisted_ms = 0"
                     " AND minute < coalesce((SELECT min(minute) FROM sample_pending),"
                     " 9223372036854775807) ORDER BY minute LIMIT ?)");
}

// A file that is too large: of what fills it, first the steps of strangers, of whom anybody may
// send any number; then events and fine steps, the older first; what people ask for after a year,
// sessions and hours, only then.
std::uint64_t remove_excess(Connection& connection, std::size_t max_bytes) {
  const auto used =
      (connection.number("PRAGMA page_count") - connection.number("PRAGMA freelist_count")) *
      connection.number("PRAGMA page_size");
  if (used <= bounded(max_bytes)) return 0;
  if (const auto strangers = remove_strangers(connection); strangers > 0) return strangers;
  constexpr const char* kOldestEvents =
      "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)";
  const auto step = oldest_row(connection, SampleStep::five_minutes);
  const auto event = connection.number(
      "SELECT coalesce((SELECT at FROM events ORDER BY id LIMIT 1), 9223372036854775807)");
  std::uint64_t removed = 0;
  if (step && *step < event / 60'000) {
    removed =
        remove_steps(connection, SampleStep::five_minutes, ceil_to(SampleStep::hour, *step + 1));
  }
  if (removed == 0) removed = remove_rows(connection, kOldestEvents);
  if (removed == 0) {
    removed = remove_rows(connection,
                          "DELETE FROM sessions WHERE id IN"
                          " (SELECT id FROM sessions ORDER BY id LIMIT ?)");
  }
  const auto hour = oldest_row(connection, SampleStep::hour);
  if (removed == 0 && hour) {
    removed = remove_steps(connection, SampleStep::hour, ceil_to(SampleStep::day, *hour + 1));
  }
  return removed;
}

}  // namespace

Result<std::uint64_t> roll_up_samples(Database& database, const SampleRetention& retention,
                                      WallTime now) {
  Connection& connection = database.connection();
  std::uint64_t changed = 0;
  std::uint64_t removed = 0;
  auto done = in_transaction(connection, Sync::relaxed, "rolling up", [&]() -> Result<void> {
    if (const auto waiting = next_waiting(connection, minute_of(now))) {
      changed = sum_peers(connection, *waiting);
      return {};
    }
    removed = remove_old(connection, retention, now);
    if (removed == 0) removed = remove_excess(connection, retention.max_bytes);
    if (removed == 0) lower_kept(connection);
    return {};
  });
  if (!done) return done.error();
  if (removed == 0) return changed;
  auto given_back = guarded(connection, "rolling up", [&]() -> Result<void> {
    connection.db().exec("PRAGMA incremental_vacuum(" + std::to_string(kFreedPages) + ")");
    return {};
  });
  if (!given_back) return given_back.error();
  return removed;
}

}  // namespace timectl::store
