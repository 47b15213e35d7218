#include "store/history_rows.h"

#include <cmath>
#include <string>

#include "store/columns.h"
#include "store/peer_history.h"

namespace timectl::store {
namespace {

std::optional<double> finite(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

template <class E>
std::optional<std::string_view> word_of(const std::optional<E>& value) {
  return value ? std::optional(name_of(*value)) : std::nullopt;
}

void insert_session(Connection& connection, const char* sql, const SessionRecord& session) {
  Query(connection, sql)
      .bind(session.ip.to_string(), name_of(session.direction), session.whitelisted,
            milliseconds_of(session.started_at), milliseconds_of(session.ended_at),
            name_of(session.end_reason), printable(session.detail, kMaxDetailBytes),
            bounded(session.missed_pongs), finite(session.rtt_ms_p50), finite(session.rtt_ms_p95),
            bounded(session.bytes_in), bounded(session.bytes_out))
      .run();
}

}  // namespace

void insert_row(Connection& connection, const SessionRecord& session) {
  insert_session(connection,
                 "INSERT INTO sessions (ip, direction, whitelisted, started_at, ended_at,"
                 " end_reason, detail, missed_pongs, rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 session);
}

void insert_open_row(Connection& connection, const SessionRecord& session) {
  insert_session(connection,
                 "INSERT INTO open_sessions (ip, direction, whitelisted, started_at, ended_at,"
                 " end_reason, detail, missed_pongs, rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 session);
}

void insert_row(Connection& connection, const Event& event) {
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

SessionRecord read_session(SQLite::Statement& statement, const char* table) {
  RowReader reader(statement, table);
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

}  // namespace timectl::store
