#include "store/open_sessions.h"

#include <algorithm>
#include <string>
#include <vector>

#include "store/columns.h"
#include "store/history_rows.h"
#include "store/peer_history.h"
#include "store/samples.h"

namespace timectl::store {
namespace {

// A session that ended after the last look stands in both tables until the next one.
constexpr const char* kOpen =
    "SELECT id, ip, direction, whitelisted, started_at, ended_at, end_reason, detail, missed_pongs,"
    " rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out FROM open_sessions AS o"
    " WHERE started_at <= ?1 AND ended_at >= ?2 AND NOT EXISTS"
    " (SELECT 1 FROM sessions AS s WHERE s.ip = o.ip AND s.ended_at >= o.started_at"
    " AND s.started_at = o.started_at AND s.direction = o.direction)"
    " ORDER BY id LIMIT ?3";

// Looks are a minute apart; one that failed or came late is no end.
constexpr std::chrono::minutes kLooksApart(5);

std::vector<SessionRecord> read_open(Connection& connection, std::int64_t started_by,
                                     std::int64_t seen_since) {
  Query query(connection, kOpen);
  query.bind(started_by, seen_since, kMaxOpenSessions);
  std::vector<SessionRecord> sessions;
  while (query.step()) sessions.push_back(read_session(query.row(), "open_sessions"));
  return sessions;
}

}  // namespace

void replace_open_sessions(Connection& connection, std::span<const SessionRecord> open) {
  connection.execute("DELETE FROM open_sessions");
  for (const auto& session : open.first(std::min(open.size(), kMaxOpenSessions))) {
    insert_open_row(connection, session);
  }
}

Result<std::vector<SessionRecord>> sessions_at(Database& database, WallTime at) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the history", [&]() -> Result<std::vector<SessionRecord>> {
    const auto moment = milliseconds_of(at);
    std::vector<SessionRecord> sessions;
    // By an index alone down to the rows that match: of a long history thousands of entries are
    // passed over, none of them is read.
    Query query(connection,
                "SELECT id, ip, direction, whitelisted, started_at, ended_at, end_reason, detail,"
                " missed_pongs, rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out FROM sessions"
                " WHERE ended_at > ?1 AND started_at <= ?1 ORDER BY ended_at LIMIT ?2");
    query.bind(moment, kMaxHistoryLimit);
    while (query.step()) sessions.push_back(read_session(query.row(), "sessions"));
    for (auto& session : read_open(connection, moment, milliseconds_of(at - kLooksApart))) {
      sessions.push_back(std::move(session));
    }
    return sessions;
  });
}

Result<std::size_t> end_open_sessions(Database& database) {
  Connection& connection = database.connection();
  std::size_t ended = 0;
  auto done =
      in_transaction(connection, Sync::relaxed, "ending open sessions", [&]() -> Result<void> {
        for (auto& session : read_open(connection, kMaxMilliseconds, 0)) {
          session.end_reason = EndReason::shutdown;
          session.detail =
              "this node was killed or crashed: the end is the last look, a minute before";
          insert_row(connection, session);
          ++ended;
        }
        connection.execute("DELETE FROM open_sessions");
        return {};
      });
  if (!done) return done.error();
  return ended;
}

}  // namespace timectl::store
