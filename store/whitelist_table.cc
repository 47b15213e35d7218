#include "store/whitelist_table.h"

#include <algorithm>
#include <map>

#include "daemon/core/json.h"
#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {
namespace {

[[noreturn]] void damaged(const std::string& message) {
  throw StoreFailure{Error{Code::database_damaged,
                           message,
                           "the file was damaged or edited by another program",
                           {"timectl db check", "timectl db restore FILE"}}};
}

std::map<IpAddress, WhitelistEntry> read_entries(Connection& connection) {
  std::map<IpAddress, WhitelistEntry> entries;
  Query query(connection, "SELECT ip, label, liveness, trusts_us FROM whitelist");
  while (query.step()) {
    if (entries.size() == kMaxWhitelistRows) {
      damaged("table whitelist has more than " + std::to_string(kMaxWhitelistRows) + " rows");
    }
    RowReader reader(query.row(), "whitelist");
    WhitelistEntry entry;
    entry.ip = reader.ip();
    entry.label = reader.line(kMaxLabelBytes);
    entry.liveness = reader.optional([&] { return reader.word<LivenessProfile>(); });
    entry.trusts_us = reader.boolean();
    const IpAddress ip = entry.ip;
    entries.emplace(ip, std::move(entry));
  }
  return entries;
}

void read_sources(Connection& connection, std::map<IpAddress, WhitelistEntry>& entries) {
  Query query(connection,
              "SELECT ip, source, reason, added_by, added_at, expires_at, missing_since"
              " FROM whitelist_source");
  while (query.step()) {
    RowReader reader(query.row(), "whitelist_source");
    const auto time = [&] { return reader.time(); };
    const auto entry = entries.find(reader.ip());
    if (entry == entries.end()) reader.bad_last("belongs to no whitelist entry");
    WhitelistSource source;
    source.source = reader.word<Source>();
    source.reason = reader.line(kMaxReasonBytes);
    source.added_by = reader.line(kMaxAddedByBytes);
    source.added_at = reader.time();
    source.expires_at = reader.optional(time);
    source.missing_since = reader.optional(time);
    entry->second.sources.push_back(std::move(source));
  }
}

Result<void> check_line(const std::string& text, std::size_t max_bytes, const char* what) {
  if (text.size() <= max_bytes && printable(text, max_bytes) == text) return {};
  return Error{
      Code::invalid_argument,
      std::string("the ") + what + " cannot be stored: `" + printable(text, 80) + "`",
      "it must be one line of printable UTF-8 of at most " + std::to_string(max_bytes) + " bytes"};
}

Result<void> check_entry(const WhitelistEntry& entry) {
  TIMECTL_CHECK(!entry.sources.empty());
  if (auto ok = check_line(entry.label, kMaxLabelBytes, "label"); !ok) return ok;
  for (const auto& source : entry.sources) {
    if (auto ok = check_line(source.reason, kMaxReasonBytes, "reason"); !ok) return ok;
    if (auto ok = check_line(source.added_by, kMaxAddedByBytes, "name of who adds"); !ok) return ok;
  }
  return {};
}

void insert_entry(Connection& connection, const WhitelistEntry& entry) {
  const auto ip = entry.ip.to_string();
  Query(connection, "INSERT INTO whitelist (ip, label, liveness, trusts_us) VALUES (?, ?, ?, ?)")
      .bind(ip, entry.label,
            entry.liveness ? std::optional(name_of(*entry.liveness)) : std::nullopt,
            entry.trusts_us)
      .run();
  for (const auto& source : entry.sources) {
    Query(connection,
          "INSERT INTO whitelist_source"
          " (ip, source, reason, added_by, added_at, expires_at, missing_since)"
          " VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(ip, name_of(source.source), source.reason, source.added_by,
              milliseconds_of(source.added_at), milliseconds_of(source.expires_at),
              milliseconds_of(source.missing_since))
        .run();
  }
}

// The reason of the source that this change adds or alters.
std::string reason_of(const WhitelistChange& change) {
  if (!change.after) return {};
  for (const auto& source : change.after->sources) {
    const auto* before = change.before ? change.before->find(source.source) : nullptr;
    if (before == nullptr || *before != source) return source.reason;
  }
  return {};
}

std::optional<std::string> json_of(const std::optional<WhitelistEntry>& entry) {
  return entry ? std::optional(json::serialize(to_json(*entry))) : std::nullopt;
}

// A source that is marked, unmarked, renamed or given another time is neither new nor gone.
std::string action_of(const WhitelistChange& change) {
  if (change.result == ChangeResult::removed) return "whitelist.remove";
  const bool same = change.before && change.after &&
                    std::ranges::equal(change.before->sources, change.after->sources, {},
                                       &WhitelistSource::source, &WhitelistSource::source);
  return same ? "whitelist.change" : "whitelist.add";
}

bool writes(const WhitelistChange& change) {
  return change.result == ChangeResult::added || change.result == ChangeResult::removed;
}

}  // namespace

Result<std::vector<WhitelistEntry>> load_whitelist(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the whitelist", [&]() -> Result<std::vector<WhitelistEntry>> {
    auto by_ip = read_entries(connection);
    read_sources(connection, by_ip);
    std::vector<WhitelistEntry> entries;
    entries.reserve(by_ip.size());
    for (auto& [ip, entry] : by_ip) {
      if (entry.sources.empty()) {
        damaged("table whitelist, row " + ip.to_string() + ": no source holds it");
      }
      std::sort(entry.sources.begin(), entry.sources.end(),
                [](const auto& a, const auto& b) { return a.source < b.source; });
      entries.push_back(std::move(entry));
    }
    return entries;
  });
}

Result<void> apply(AuditScope& scope, const WhitelistChange& change, const std::string& reason) {
  if (!writes(change)) return {};
  if (change.after) {
    if (auto ok = check_entry(*change.after); !ok) return ok;
  }
  Connection& connection = scope.connection();
  auto written = guarded(connection, "writing the whitelist", [&]() -> Result<void> {
    Query(connection, "DELETE FROM whitelist WHERE ip = ?").bind(change.ip.to_string()).run();
    if (change.after) insert_entry(connection, *change.after);
    return {};
  });
  if (!written) return written;
  return scope.record({action_of(change), change.ip.to_string(), json_of(change.before),
                       json_of(change.after), reason.empty() ? reason_of(change) : reason,
                       std::string(name_of(change.result))});
}

Result<void> apply_changes(Database& database, const AuditOrigin& origin,
                           std::span<const WhitelistChange> changes, const std::string& reason) {
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

}  // namespace timectl::store
