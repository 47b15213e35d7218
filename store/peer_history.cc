#include "store/peer_history.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {
namespace {

constexpr std::int64_t kChunkRows = 500;
constexpr const char* kSessionColumns =
    "SELECT id, ip, direction, whitelisted, started_at, ended_at, end_reason, detail, missed_pongs,"
    " rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out FROM sessions";
constexpr const char* kEventColumns =
    "SELECT id, at, kind, severity, peer, whitelisted, direction, reason, detail, delay_seconds,"
    " missed_pongs, total, inbound, masternodes FROM events";

std::optional<double> finite(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

template <class E>
std::optional<std::string_view> word_of(const std::optional<E>& value) {
  return value ? std::optional(name_of(*value)) : std::nullopt;
}

void insert(Connection& connection, const SessionRecord& session) {
  Query(connection,
        "INSERT INTO sessions (ip, direction, whitelisted, started_at, ended_at, end_reason,"
        " detail, missed_pongs, rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(session.ip.to_string(), name_of(session.direction), session.whitelisted,
            milliseconds_of(session.started_at), milliseconds_of(session.ended_at),
            name_of(session.end_reason), printable(session.detail, kMaxDetailBytes),
            bounded(session.missed_pongs), finite(session.rtt_ms_p50), finite(session.rtt_ms_p95),
            bounded(session.bytes_in), bounded(session.bytes_out))
      .run();
}

void insert(Connection& connection, const Event& event) {
  Query(connection,
        "INSERT INTO events (at, kind, severity, peer, whitelisted, direction, reason, detail,"
        " delay_seconds, missed_pongs, total, inbound, masternodes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(milliseconds_of(event.at), name_of(event.kind), name_of(event.severity),
            event.peer ? std::optional(event.peer->to_string()) : std::nullopt, event.whitelisted,
            word_of(event.direction), word_of(event.reason),
            printable(event.detail, kMaxDetailBytes), bounded(event.delay_seconds),
            bounded(event.missed_pongs), bounded(event.total), bounded(event.inbound),
            bounded(event.masternodes))
      .run();
}

SessionRecord read_session(SQLite::Statement& statement) {
  RowReader reader(statement, "sessions");
  const auto real = [&] { return reader.real(); };
  SessionRecord session;
  static_cast<void>(reader.counter());
  session.ip = reader.ip();
  session.direction = reader.word<Direction>();
  session.whitelisted = reader.boolean();
  session.started_at = reader.time();
  session.ended_at = reader.time();
  session.end_reason = reader.word<EndReason>();
  session.detail = reader.line(kMaxDetailBytes);
  session.missed_pongs = reader.counter();
  session.rtt_ms_p50 = reader.optional(real);
  session.rtt_ms_p95 = reader.optional(real);
  session.bytes_in = reader.counter();
  session.bytes_out = reader.counter();
  return session;
}

Event read_event(SQLite::Statement& statement) {
  RowReader reader(statement, "events");
  Event event;
  static_cast<void>(reader.counter());
  event.at = reader.time();
  event.kind = reader.word<EventKind>();
  event.severity = reader.word<Severity>();
  event.peer = reader.optional([&] { return reader.ip(); });
  event.whitelisted = reader.boolean();
  event.direction = reader.optional([&] { return reader.word<Direction>(); });
  event.reason = reader.optional([&] { return reader.word<EndReason>(); });
  event.detail = reader.line(kMaxDetailBytes);
  event.delay_seconds = reader.counter();
  event.missed_pongs = reader.counter();
  event.total = reader.counter();
  event.inbound = reader.counter();
  event.masternodes = reader.counter();
  return event;
}

// A query with only the conditions that are asked for, so that each finds its index.
class Selection {
 public:
  explicit Selection(const char* columns) : sql_(columns) {}
  void where(const char* condition, std::optional<std::int64_t> value) {
    if (value) add(condition), numbers_.emplace_back(count_, *value);
  }
  void where(const char* condition, std::optional<std::string> value) {
    if (value) add(condition), texts_.emplace_back(count_, std::move(*value));
  }
  // The newest rows first.
  [[nodiscard]] SQLite::Statement prepare(Connection& connection, std::size_t limit) {
    limit = std::clamp<std::size_t>(limit, 1, kMaxHistoryLimit);
    SQLite::Statement statement(connection.db(),
                                sql_ + " ORDER BY id DESC LIMIT " + std::to_string(limit));
    for (const auto& [index, value] : numbers_) statement.bind(index, value);
    for (const auto& [index, value] : texts_) statement.bind(index, value);
    return statement;
  }

 private:
  void add(const char* condition) {
    sql_.append(count_++ == 0 ? " WHERE " : " AND ").append(condition);
  }
  std::string sql_;
  int count_ = 0;
  std::vector<std::pair<int, std::int64_t>> numbers_ = {};
  std::vector<std::pair<int, std::string>> texts_ = {};
};

std::optional<std::string> text_of(const std::optional<IpAddress>& ip) {
  return ip ? std::optional(ip->to_string()) : std::nullopt;
}
template <class E>
std::optional<std::string> text_of_word(const std::optional<E>& value) {
  return value ? std::optional(std::string(name_of(*value))) : std::nullopt;
}

// Of the oldest rows those that ended before `cutoff` or whose number is more than `max_rows` ago:
// rows are only removed from that end, so the numbers count them without reading the table.
std::uint64_t remove_chunk(Connection& connection, const char* oldest_sql, const char* delete_sql,
                           std::int64_t cutoff, std::size_t max_rows) {
  const auto newest_dropped = connection.number(oldest_sql) - bounded(max_rows);
  Query query(connection, delete_sql);
  query.bind(kChunkRows, cutoff, newest_dropped).run();
  return static_cast<std::uint64_t>(connection.db().getChanges());
}

}  // namespace

Result<void> append_history(Database& database, std::span<const SessionRecord> sessions,
                            std::span<const Event> events) {
  if (sessions.empty() && events.empty()) return {};
  Connection& connection = database.connection();
  return in_transaction(connection, Sync::relaxed, "writing the history", [&]() -> Result<void> {
    for (const auto& session : sessions) insert(connection, session);
    for (const auto& event : events) insert(connection, event);
    return {};
  });
}

Result<std::vector<SessionRecord>> list_sessions(Database& database, const SessionFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the history", [&]() -> Result<std::vector<SessionRecord>> {
    Selection selection(kSessionColumns);
    selection.where("ip = ?", text_of(filter.ip));
    selection.where("ended_at >= ?", milliseconds_of(filter.since));
    selection.where("end_reason = ?", text_of_word(filter.reason));
    auto statement = selection.prepare(connection, filter.limit);
    std::vector<SessionRecord> sessions;
    while (statement.executeStep()) sessions.push_back(read_session(statement));
    return sessions;
  });
}

Result<std::optional<SessionRecord>> last_session(Database& database, const IpAddress& ip) {
  SessionFilter filter;
  filter.ip = ip;
  filter.limit = 1;
  auto sessions = list_sessions(database, filter);
  if (!sessions) return sessions.error();
  return sessions->empty() ? std::optional<SessionRecord>() : std::optional(sessions->front());
}

Result<std::vector<Event>> list_events(Database& database, const EventFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the events", [&]() -> Result<std::vector<Event>> {
    Selection selection(kEventColumns);
    selection.where("at >= ?", milliseconds_of(filter.since));
    selection.where("peer = ?", text_of(filter.ip));
    selection.where("kind = ?", text_of_word(filter.kind));
    auto statement = selection.prepare(connection, filter.limit);
    std::vector<Event> events;
    while (statement.executeStep()) events.push_back(read_event(statement));
    std::reverse(events.begin(), events.end());
    return events;
  });
}

Result<std::uint64_t> prune_history(Database& database, const Retention& retention, WallTime now) {
  Connection& connection = database.connection();
  const auto keep = std::chrono::duration_cast<std::chrono::milliseconds>(retention.keep);
  const std::int64_t cutoff = milliseconds_of(now - keep);
  std::uint64_t removed = 0;
  auto done =
      in_transaction(connection, Sync::relaxed, "pruning the history", [&]() -> Result<void> {
        removed += remove_chunk(
            connection, "SELECT coalesce(max(id), 0) FROM sessions",
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT ?1)"
            " AND (ended_at < ?2 OR id <= ?3)",
            cutoff, retention.max_sessions);
        removed += remove_chunk(
            connection, "SELECT coalesce(max(id), 0) FROM events",
            "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?1)"
            " AND (at < ?2 OR id <= ?3)",
            cutoff, retention.max_events);
        return {};
      });
  if (!done) return done.error();
  if (removed == 0) return removed;
  auto given_back = guarded(connection, "pruning the history", [&]() -> Result<void> {
    connection.execute("PRAGMA incremental_vacuum(64)");
    return {};
  });
  if (!given_back) return given_back.error();
  return removed;
}

}  // namespace timectl::store
