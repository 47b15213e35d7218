#include "store/api_table.h"

#include <algorithm>

#include "daemon/core/reflect.h"
#include "store/audit_rows.h"
#include "store/columns.h"
#include "store/connection.h"
#include "store/whitelist_table.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxEtagBytes = 256;
constexpr std::size_t kMaxWhyBytes = kMaxReasonBytes;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMostSnapshots = 10'000;
constexpr const char* kReading = "reading the list of masternodes";
constexpr const char* kWriting = "writing the list of masternodes";

std::string hash_or_nothing(RowReader& reader) {
  auto text = reader.text(kHashDigits);
  if (!text.empty() && !is_hash(text)) reader.bad_last("is not a hash");
  return text;
}

ListState read_state(Connection& connection) {
  Query query(connection,
              "SELECT id, url, etag, sha256, fetched_at, accepted_at, accepted_sha256, baseline_at,"
              " fetched_lists_us, accepted_lists_us, held_since, held_because, rejected_sha256,"
              " attempted_at, failures, failing_since, failed_step, failed_because FROM api_list");
  ListState state;
  if (!query.step()) return state;  // never fetched
  RowReader reader(query.row(), "api_list");
  const auto time = [&] { return reader.time(); };
  static_cast<void>(reader.integer(1, 1));
  state.url = reader.line(kMaxUrlBytes);
  state.etag = reader.line(kMaxEtagBytes);
  state.sha256 = hash_or_nothing(reader);
  state.fetched_at = reader.optional(time);
  state.accepted_at = reader.optional(time);
  state.accepted_sha256 = hash_or_nothing(reader);
  state.baseline_at = reader.optional(time);
  state.fetched_lists_us = reader.boolean();
  state.accepted_lists_us = reader.boolean();
  state.held_since = reader.optional(time);
  state.held_because = reader.line(kMaxWhyBytes);
  state.rejected_sha256 = hash_or_nothing(reader);
  state.attempted_at = reader.optional(time);
  state.failures = reader.counter();
  state.failing_since = reader.optional(time);
  state.failed_step = reader.optional([&] { return reader.word<FetchStep>(); });
  state.failed_because = reader.line(kMaxWhyBytes);
  return state;
}

std::vector<PendingEntry> read_pending(Connection& connection) {
  Query query(connection, "SELECT ip, change, seen_at, why FROM api_pending LIMIT ?");
  query.bind(kMaxPendingRows);
  std::vector<PendingEntry> pending;
  while (query.step()) {
    RowReader reader(query.row(), "api_pending");
    PendingEntry entry;
    entry.ip = reader.ip();
    entry.change = reader.word<PendingChange>();
    entry.seen_at = reader.time();
    entry.why = reader.line(kMaxWhyBytes);
    pending.push_back(std::move(entry));
  }
  std::ranges::sort(pending, {}, &PendingEntry::ip);
  return pending;
}

std::map<IpAddress, Rejection> read_rejections(Connection& connection) {
  Query query(connection, "SELECT ip, at, by FROM api_rejected LIMIT ?");
  query.bind(kMaxRejectedRows);
  std::map<IpAddress, Rejection> rejections;
  while (query.step()) {
    RowReader reader(query.row(), "api_rejected");
    const auto ip = reader.ip();
    const auto at = reader.time();
    rejections[ip] = {at, reader.line(kMaxNameBytes)};
  }
  return rejections;
}

void write_state(Connection& connection, const ListState& state) {
  std::optional<std::string> step;
  if (state.failed_step) step = std::string(name_of(*state.failed_step));
  Query(connection,
        "INSERT OR REPLACE INTO api_list (id, url, etag, sha256, fetched_at, accepted_at,"
        " accepted_sha256, baseline_at, fetched_lists_us, accepted_lists_us, held_since,"
        " held_because, rejected_sha256, attempted_at, failures, failing_since, failed_step,"
        " failed_because) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(printable(state.url, kMaxUrlBytes), printable(state.etag, kMaxEtagBytes), state.sha256,
            milliseconds_of(state.fetched_at), milliseconds_of(state.accepted_at),
            state.accepted_sha256, milliseconds_of(state.baseline_at), state.fetched_lists_us,
            state.accepted_lists_us, milliseconds_of(state.held_since),
            printable(state.held_because, kMaxWhyBytes), state.rejected_sha256,
            milliseconds_of(state.attempted_at), bounded(state.failures),
            milliseconds_of(state.failing_since), step,
            printable(state.failed_because, kMaxWhyBytes))
      .run();
}

void write_pending(Connection& connection, const std::vector<PendingEntry>& pending) {
  connection.execute("DELETE FROM api_pending");
  for (const auto& entry : pending) {
    Query(connection, "INSERT INTO api_pending (ip, change, seen_at, why) VALUES (?, ?, ?, ?)")
        .bind(entry.ip.to_string(), name_of(entry.change), milliseconds_of(entry.seen_at),
              printable(entry.why, kMaxWhyBytes))
        .run();
  }
}

void write_rejections(Connection& connection, const std::map<IpAddress, Rejection>& rejections) {
  connection.execute("DELETE FROM api_rejected");
  for (const auto& [ip, rejection] : rejections) {
    Query(connection, "INSERT INTO api_rejected (ip, at, by) VALUES (?, ?, ?)")
        .bind(ip.to_string(), milliseconds_of(rejection.at), printable(rejection.by, kMaxNameBytes))
        .run();
  }
}

// The newest row, if it says the same.
bool moved_last(Connection& connection, const ListSnapshot& snapshot) {
  Query(connection,
        "UPDATE api_snapshot SET last_at = ? WHERE id = (SELECT max(id) FROM api_snapshot)"
        " AND sha256 = ? AND url = ? AND outcome = ?")
      .bind(milliseconds_of(snapshot.last_at), snapshot.sha256,
            printable(snapshot.url, kMaxUrlBytes), snapshot.outcome)
      .run();
  return connection.number("SELECT changes()") > 0;
}

// The bodies in force and fetched last stay whatever the budget is.
void prune(Connection& connection, const ListState& state, WallTime oldest) {
  Query(connection, "DELETE FROM api_snapshot WHERE last_at < ?")
      .bind(milliseconds_of(oldest))
      .run();
  Query(connection, "DELETE FROM api_body WHERE last_at < ? AND sha256 NOT IN (?, ?)")
      .bind(milliseconds_of(oldest), state.sha256, state.accepted_sha256)
      .run();
  while (connection.number("SELECT coalesce(sum(length(body)), 0) FROM api_body") >
         static_cast<std::int64_t>(kMaxKeptBodyBytes)) {
    Query(connection,
          "DELETE FROM api_body WHERE sha256 = (SELECT sha256 FROM api_body"
          " WHERE sha256 NOT IN (?, ?) ORDER BY last_at LIMIT 1)")
        .bind(state.sha256, state.accepted_sha256)
        .run();
    if (connection.number("SELECT changes()") == 0) return;
  }
}

void write_snapshot(Connection& connection, const SnapshotWrite& write, const ListState& state) {
  const auto& snapshot = write.snapshot;
  if (!moved_last(connection, snapshot)) {
    Query(connection,
          "INSERT INTO api_snapshot (first_at, last_at, url, sha256, listed, refused, outcome)"
          " VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(milliseconds_of(snapshot.first_at), milliseconds_of(snapshot.last_at),
              printable(snapshot.url, kMaxUrlBytes), snapshot.sha256, bounded(snapshot.listed),
              bounded(snapshot.refused), snapshot.outcome)
        .run();
  }
  Query(connection, "UPDATE api_body SET last_at = ? WHERE sha256 = ?")
      .bind(milliseconds_of(snapshot.last_at), snapshot.sha256)
      .run();
  const bool fits = !write.body.empty() && write.body.size() <= kMaxBodyBytes;
  if (connection.number("SELECT changes()") == 0 && fits) {
    Query insert(connection, "INSERT INTO api_body (sha256, last_at, body) VALUES (?, ?, ?)");
    insert.row().bind(1, snapshot.sha256);
    insert.row().bind(2, milliseconds_of(snapshot.last_at));
    insert.row().bind(3, write.body.data(), static_cast<int>(write.body.size()));
    insert.run();
  }
  prune(connection, state,
        snapshot.last_at - std::chrono::duration_cast<std::chrono::milliseconds>(write.keep));
}

void write_all(Connection& connection, const ListMemory& memory, const SnapshotWrite* snapshot) {
  write_state(connection, memory.state);
  write_pending(connection, memory.pending);
  write_rejections(connection, memory.rejections);
  if (snapshot != nullptr) write_snapshot(connection, *snapshot, memory.state);
}

}  // namespace

std::string body_hash(std::string_view body) {
  return sha256_hex(body);
}

Result<ListMemory> load_list_memory(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, kReading, [&]() -> Result<ListMemory> {
    ListMemory memory;
    if (database.schema_version() < 6) return memory;  // read only, written by an older timectl
    memory.state = read_state(connection);
    memory.pending = read_pending(connection);
    memory.rejections = read_rejections(connection);
    return memory;
  });
}

Result<std::string> load_list_body(Database& database, const std::string& sha256) {
  Connection& connection = database.connection();
  return guarded(connection, kReading, [&]() -> Result<std::string> {
    if (database.schema_version() < 6) return std::string();
    Query query(connection, "SELECT body FROM api_body WHERE sha256 = ? AND length(body) <= ?");
    query.bind(sha256, kMaxBodyBytes);
    if (!query.step()) return std::string();
    const auto column = query.row().getColumn(0);
    const auto size = static_cast<std::size_t>(column.getBytes());
    std::string body(static_cast<const char*>(column.getBlob()), size);
    // An altered body is no list that we fetched.
    return sha256_hex(body) == sha256 ? body : std::string();
  });
}

Result<void> save_list(AuditScope& scope, const ListMemory& memory, const SnapshotWrite* snapshot) {
  return guarded(scope.connection(), kWriting, [&]() -> Result<void> {
    write_all(scope.connection(), memory, snapshot);
    return {};
  });
}

Result<void> save_list(Database& database, const ListMemory& memory,
                       const SnapshotWrite* snapshot) {
  Connection& connection = database.connection();
  return in_transaction(connection, Sync::full, kWriting, [&]() -> Result<void> {
    write_all(connection, memory, snapshot);
    return {};
  });
}

Result<std::vector<ListSnapshot>> list_snapshots(Database& database, std::size_t limit) {
  Connection& connection = database.connection();
  return guarded(connection, kReading, [&]() -> Result<std::vector<ListSnapshot>> {
    std::vector<ListSnapshot> snapshots;
    if (database.schema_version() < 6) return snapshots;
    Query query(connection,
                "SELECT first_at, last_at, url, sha256, listed, refused, outcome"
                " FROM api_snapshot ORDER BY id DESC LIMIT ?");
    query.bind(std::clamp<std::size_t>(limit, 1, kMostSnapshots));
    while (query.step()) {
      RowReader reader(query.row(), "api_snapshot");
      ListSnapshot snapshot;
      snapshot.first_at = reader.time();
      snapshot.last_at = reader.time();
      snapshot.url = reader.line(kMaxUrlBytes);
      snapshot.sha256 = hash_or_nothing(reader);
      snapshot.listed = reader.counter();
      snapshot.refused = reader.counter();
      snapshot.outcome = reader.line(kMaxAuditWordBytes);
      snapshots.push_back(std::move(snapshot));
    }
    std::reverse(snapshots.begin(), snapshots.end());
    return snapshots;
  });
}

}  // namespace timectl::store
