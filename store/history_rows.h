#pragma once
// Rows of sessions and events, to and from the file: what the tables of the past and of the open
// sessions share. Reading checks every column (columns.h). Private to store/.

#include "daemon/core/events.h"
#include "store/connection.h"

namespace timectl::store {

// What read_session() expects of a query, of `sessions` and `open_sessions` alike.
inline constexpr const char* kSessionColumns =
    "SELECT id, ip, direction, whitelisted, started_at, ended_at, end_reason, detail, missed_pongs,"
    " rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out FROM sessions";
inline constexpr const char* kEventColumns =
    "SELECT id, at, kind, severity, peer, whitelisted, direction, reason, detail, delay_seconds,"
    " missed_pongs, total, inbound, masternodes FROM events";

// Throw what Query throws.
void insert_row(Connection& connection, const SessionRecord& session);
void insert_open_row(Connection& connection, const SessionRecord& session);  // open_sessions
void insert_row(Connection& connection, const Event& event);
// Throw StoreFailure naming the row and column that does not fit.
[[nodiscard]] SessionRecord read_session(SQLite::Statement& statement, const char* table);
[[nodiscard]] Event read_event(SQLite::Statement& statement);

}  // namespace timectl::store
