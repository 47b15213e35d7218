#pragma once
// Sessions and events of the past (requirements Q2). The node appends in batches, from its tick;
// `peer history` and `events` query. These rows may be lost by a power cut (a second or two of
// them: synchronous=NORMAL), never by a crash of the process. What the file holds is checked: a
// bad word or address is database_damaged naming the row.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "daemon/core/events.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxDetailBytes = 500;       // longer details are cut
inline constexpr std::size_t kMaxHistoryLimit = 100'000;  // rows of one query

// All in one transaction; both may be empty.
[[nodiscard]] Result<void> append_history(Database& database,
                                          std::span<const SessionRecord> sessions,
                                          std::span<const Event> events);

struct SessionFilter {
  std::optional<IpAddress> ip = {};
  std::optional<WallTime> since = {};  // ended at or after
  std::optional<EndReason> reason = {};
  std::size_t limit = 100;  // 1 to kMaxHistoryLimit
};
// The newest `limit` sessions that match, newest first (by the order in which they ended).
[[nodiscard]] Result<std::vector<SessionRecord>> list_sessions(Database& database,
                                                               const SessionFilter& filter);
[[nodiscard]] Result<std::optional<SessionRecord>> last_session(Database& database,
                                                                const IpAddress& ip);

struct EventFilter {
  std::optional<WallTime> since = {};
  std::optional<IpAddress> ip = {};
  std::optional<EventKind> kind = {};
  std::size_t limit = 100;
};
// The newest `limit` events that match, oldest first, as a log reads.
[[nodiscard]] Result<std::vector<Event>> list_events(Database& database, const EventFilter& filter);

struct Retention {
  Duration keep = std::chrono::hours(24 * 90);
  std::size_t max_sessions = 1'000'000;
  std::size_t max_events = 1'000'000;
};
// Removes at most one chunk (500 rows of each table, oldest first) that is too old or too many,
// and gives some free pages back to the file system; a few milliseconds. Returns the rows
// removed: call it again from the next tick until it returns 0.
[[nodiscard]] Result<std::uint64_t> prune_history(Database& database, const Retention& retention,
                                                  WallTime now);

}  // namespace timectl::store
