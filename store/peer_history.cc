#include "store/peer_history.h"

#include <algorithm>
#include <string>

#include "store/columns.h"
#include "store/connection.h"
#include "store/history_rows.h"
#include "store/sample_rows.h"

namespace timectl::store {
namespace {

constexpr std::int64_t kChunkRows = 500;
// A query with only the conditions that are asked for, so that each finds its index: equalities
// first, and no equality that would lead to the worse of two (a `+` before the column).
class Selection {
 public:
  explicit Selection(const char* columns) : sql_(columns) {}
  void where(const char* condition, std::optional<std::int64_t> value) {
    if (value) add(condition), numbers_.emplace_back(count_, *value);
  }
  void where(const char* condition, std::optional<std::string> value) {
    if (value) add(condition), texts_.emplace_back(count_, std::move(*value));
  }
  Selection& append(const std::string& text) {
    sql_ += text;
    return *this;
  }
  [[nodiscard]] SQLite::Statement prepare(Connection& connection) const {
    SQLite::Statement statement(connection.db(), sql_);
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

// " ORDER BY column DESC LIMIT n"
std::string newest(const char* column, std::size_t limit) {
  limit = std::clamp<std::size_t>(limit, 1, kMaxHistoryLimit);
  return std::string(" ORDER BY ") + column + " DESC LIMIT " + std::to_string(limit);
}

std::optional<std::string> text_of(const std::optional<IpAddress>& ip) {
  return ip ? std::optional(ip->to_string()) : std::nullopt;
}
template <class E>
std::optional<std::string> text_of_word(const std::optional<E>& value) {
  return value ? std::optional(std::string(name_of(*value))) : std::nullopt;
}

void where(Selection& selection, const EventFilter& filter) {
  selection.where("peer = ?", text_of(filter.ip));
  selection.where("at >= ?", milliseconds_of(filter.since));
  selection.where(filter.ip ? "+kind = ?" : "kind = ?", text_of_word(filter.kind));
}

// Whatever chose the rows: in the order in which they were written, the newest first.
template <class Row, class Read>
std::vector<Row> newest_first(SQLite::Statement& statement, const Read& read) {
  std::vector<std::pair<std::int64_t, Row>> numbered;
  while (statement.executeStep()) {
    auto row = read(statement);
    numbered.emplace_back(statement.getColumn(0).getInt64(), std::move(row));
  }
  std::ranges::sort(numbered, std::ranges::greater{}, &std::pair<std::int64_t, Row>::first);
  std::vector<Row> rows;
  rows.reserve(numbered.size());
  for (auto& [id, row] : numbered) rows.push_back(std::move(row));
  return rows;
}

EventCount read_count(Connection& connection, SQLite::Statement& statement) {
  RowReader reader(statement, "events");
  EventCount count;
  const auto id = reader.counter();  // of the row with the greatest `at`: SQLite's rule for max()
  count.kind = reader.word<EventKind>();
  count.reason = reader.optional([&] { return reader.word<EndReason>(); });
  count.count = reader.counter();
  count.last_at = reader.time();
  Query last(connection, "SELECT id, detail FROM events WHERE id = ?");
  if (last.bind(id).step()) {
    RowReader row(last.row(), "events");
    static_cast<void>(row.counter());
    count.detail_of_last = row.line(kMaxDetailBytes);
  }
  return count;
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
    for (const auto& session : sessions) insert_row(connection, session);
    for (const auto& event : events) insert_row(connection, event);
    return {};
  });
}

Result<std::vector<SessionRecord>> list_sessions(Database& database, const SessionFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the history", [&]() -> Result<std::vector<SessionRecord>> {
    Selection selection(kSessionColumns);
    selection.where("ip = ?", text_of(filter.ip));
    selection.where("ended_at >= ?", milliseconds_of(filter.since));
    selection.where(filter.ip ? "+end_reason = ?" : "end_reason = ?", text_of_word(filter.reason));
    // Where a search has to end somewhere (`since`), or an index of three columns finds rare rows
    // of a long history, time chooses; else the order of writing, which no wrong clock disturbs.
    const bool by_time = filter.since || filter.reason;
    auto statement =
        selection.append(newest(by_time ? "ended_at" : "id", filter.limit)).prepare(connection);
    return newest_first<SessionRecord>(statement,
                                       [](auto& row) { return read_session(row, "sessions"); });
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
    where(selection, filter);
    const bool by_time = filter.since || filter.kind;
    auto statement =
        selection.append(newest(by_time ? "at" : "id", filter.limit)).prepare(connection);
    auto events = newest_first<Event>(statement, read_event);
    std::reverse(events.begin(), events.end());
    return events;
  });
}

Result<std::vector<EventCount>> count_events(Database& database, const EventFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "counting the events", [&]() -> Result<std::vector<EventCount>> {
    // Columns of an index alone, so that no row is looked at; then the last row of each group.
    Selection selection(
        "SELECT id, kind, reason, count(*), max(at) FROM"
        " (SELECT id, kind, reason, at FROM events");
    where(selection, filter);
    selection.append(newest("at", kMaxCountedEvents) + ") GROUP BY kind, reason");
    auto statement = selection.prepare(connection);
    std::vector<EventCount> counts;
    while (statement.executeStep()) counts.push_back(read_count(connection, statement));
    std::ranges::stable_sort(counts, std::ranges::greater{}, &EventCount::last_at);
    return counts;
  });
}

Result<std::uint64_t> prune_history(Database& database, const Retention& retention, WallTime now) {
  Connection& connection = database.connection();
  const auto cutoff = [&](Duration keep) {
    const auto by_clock = now - std::chrono::duration_cast<std::chrono::milliseconds>(keep);
    // That is in whole minutes, rounded down.
    return milliseconds_of(
        std::min(by_clock, time_of(aged_before(connection, keep, now)) + std::chrono::minutes(1)));
  };
  std::uint64_t removed = 0;
  auto done =
      in_transaction(connection, Sync::relaxed, "pruning the history", [&]() -> Result<void> {
        removed += remove_chunk(
            connection, "SELECT coalesce(max(id), 0) FROM sessions",
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT ?1)"
            " AND (ended_at < ?2 OR id <= ?3)",
            cutoff(retention.keep), retention.max_sessions);
        removed += remove_chunk(
            connection, "SELECT coalesce(max(id), 0) FROM events",
            "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?1)"
            " AND (at < ?2 OR id <= ?3)",
            cutoff(retention.keep_events.value_or(retention.keep)), retention.max_events);
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
