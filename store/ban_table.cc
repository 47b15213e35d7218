#include "store/ban_table.h"

#include <algorithm>

#include "daemon/core/json.h"
#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxNameBytes = 128;

Ban read_ban(SQLite::Statement& statement) {
  RowReader reader(statement, "bans");
  Ban ban;
  ban.ip = reader.ip();
  ban.origin = reader.word<BanOrigin>();
  if (ban.origin == BanOrigin::config) reader.bad_last("holds `config`, which is in no database");
  ban.reason = reader.line(kMaxBanReasonBytes);
  ban.added_by = reader.line(kMaxNameBytes);
  ban.since = reader.time();
  ban.until = reader.optional([&] { return reader.time(); });
  ban.offences = reader.counter();
  return ban;
}

void write_row(Connection& connection, const BanWrite& row) {
  if (!row.ban) {
    Query(connection, "DELETE FROM bans WHERE ip = ? AND origin = ?")
        .bind(row.ip.to_string(), name_of(row.origin))
        .run();
    return;
  }
  const Ban& ban = *row.ban;
  Query(connection,
        "INSERT OR REPLACE INTO bans (ip, origin, reason, added_by, since, until, offences)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(ban.ip.to_string(), name_of(ban.origin), printable(ban.reason, kMaxBanReasonBytes),
            printable(ban.added_by, kMaxNameBytes), milliseconds_of(ban.since),
            milliseconds_of(ban.until), bounded(ban.offences))
      .run();
}

std::optional<std::string> json_of(const std::optional<Ban>& ban) {
  return ban ? std::optional(json::serialize(to_json(*ban))) : std::nullopt;
}

bool writes(const BanChange& change) {
  return change.result == ChangeResult::added || change.result == ChangeResult::removed;
}

}  // namespace

Result<std::vector<Ban>> load_bans(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the bans", [&]() -> Result<std::vector<Ban>> {
    Query query(
        connection,
        "SELECT * FROM (SELECT ip, origin, reason, added_by, since, until, offences FROM bans"
        " ORDER BY origin = 'automatic', until DESC LIMIT ?) ORDER BY ip, origin");
    query.bind(kMaxBanRows);  // of too many automatic ones those that end first are left out
    std::vector<Ban> bans;
    while (query.step()) {
      bans.push_back(read_ban(query.row()));
    }
    return bans;
  });
}

Result<void> apply(AuditScope& scope, const BanChange& change, const std::string& reason) {
  if (!writes(change)) return {};
  const Ban& ban = change.after ? *change.after : *change.before;
  auto written = guarded(scope.connection(), "writing the bans", [&]() -> Result<void> {
    write_row(scope.connection(), {change.ip, ban.origin, change.after});
    return {};
  });
  if (!written) return written;
  const bool added = change.result == ChangeResult::added;
  return scope.record({added ? "ban.add" : "ban.remove", change.ip.to_string(),
                       json_of(change.before), json_of(change.after),
                       reason.empty() && added ? ban.reason : reason,
                       std::string(name_of(change.result))});
}

Result<void> apply_bans(Database& database, const AuditOrigin& origin,
                        std::span<const BanChange> changes, const std::string& reason) {
  if (std::none_of(changes.begin(), changes.end(), writes)) return {};
  auto done = audited(database, origin, [&](AuditScope& scope) -> Result<void> {
    for (const auto& change : changes) {
      if (auto applied = apply(scope, change, reason); !applied) return applied;
    }
    return {};
  });
  if (!done) return done.error();
  return {};
}

Result<void> save_bans(Database& database, std::span<const BanWrite> rows) {
  if (rows.empty()) return {};
  Connection& connection = database.connection();
  return in_transaction(connection, Sync::relaxed, "writing the bans", [&]() -> Result<void> {
    for (const auto& row : rows) write_row(connection, row);
    return {};
  });
}

}  // namespace timectl::store
