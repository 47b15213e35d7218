#pragma once
// Sessions and events of the past (requirements Q2). The node appends in batches, from its tick;
// `peer history` and `events` query. These rows may be lost by a power cut (a second or two of
// them: synchronous=NORMAL), never by a crash of the process. What the file holds is checked: a
// bad word or address is database_damaged naming the row.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
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
// The newest `limit` sessions that match, newest first (by the order in which they ended). With
// `since` or a reason "the newest" goes by the time that each row tells.
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
// The newest `limit` events that match, oldest first, as a log reads. With `since` or a kind
// "the newest" goes by the time that each row tells.
[[nodiscard]] Result<std::vector<Event>> list_events(Database& database, const EventFilter& filter);

// How often what happened, by kind and reason, the kind that happened last first. Of more than
// kMaxCountedEvents that match the newest are counted; `limit` plays no part.
inline constexpr std::size_t kMaxCountedEvents = 20'000;
struct EventCount {
  EventKind kind = EventKind::node_started;
  std::optional<EndReason> reason = {};
  std::string detail_of_last = {};
  std::uint64_t count = 0;
  WallTime last_at = {};
};
[[nodiscard]] Result<std::vector<EventCount>> count_events(Database& database,
                                                           const EventFilter& filter);

struct Retention {
  Duration keep = std::chrono::hours(24 * 90);
  std::optional<Duration> keep_events = {};  // none: as long as sessions
  std::size_t max_sessions = 1'000'000;
  std::size_t max_events = 10'000'000;
};
// Removes at most one chunk (500 rows of each table, oldest first) that is too old or too many,
// and gives some free pages back to the file system; a few milliseconds. Too old is what as many
// days were recorded after (store/samples.h), so that a wrong clock removes nothing. Returns the
// rows removed: call it again from the next tick until it returns 0.
[[nodiscard]] Result<std::uint64_t> prune_history(Database& database, const Retention& retention,
                                                  WallTime now);

}  // namespace timectl::store
