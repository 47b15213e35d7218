#include "store/audit_log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/core/json.h"
#include "store/audit_rows.h"
#include "store/connection.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxListRows = 100'000;
constexpr std::size_t kAuditTail = 20;  // rows whose hashes are computed again
constexpr std::size_t kMaxUids = 1024;
constexpr auto kDeniedInterval = std::chrono::minutes(1);
constexpr auto kActors = std::to_array<std::string_view>(
    {kActorOperator, kActorApi, kActorConfig, kActorExpiry, kActorNode});

std::string count_json(std::uint64_t count) {
  return "{\"count\":" + std::to_string(count) + "}";
}

// The row must read back: a control character that a caller let through is escaped here.
std::optional<std::string> printable_json(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  TIMECTL_CHECK(text->size() <= kMaxAuditJsonBytes);
  return printable(*text, kMaxAuditJsonBytes);
}

Result<void> write_denied(Database& database, const AuditOrigin& origin, const std::string& action,
                          const std::string& subject, std::uint64_t count) {
  auto written = audited(database, origin, [&](AuditScope& scope) {
    return scope.record({action, subject, {}, count_json(count), "not permitted", "denied"});
  });
  if (!written) return written.error();
  return {};
}

}  // namespace

Result<AuditHead> audited(Database& database, const AuditOrigin& origin,
                          const std::function<Result<void>(AuditScope&)>& change) {
  TIMECTL_CHECK(std::find(kActors.begin(), kActors.end(), origin.actor) != kActors.end());
  Connection& connection = database.connection();
  AuditHead head;
  auto done =
      in_transaction(connection, Sync::full, "writing the audit log", [&]() -> Result<void> {
        AuditScope scope(connection, origin, read_audit_head(connection),
                         last_audit_seq(connection));
        if (auto changed = change(scope); !changed) return changed;
        head = scope.head_;
        return {};
      });
  if (!done) return done.error();
  return head;
}

struct AuditedBatch::Open {
  explicit Open(Connection& connection, const AuditOrigin& origin)
      : transaction(connection, Sync::full),
        scope(connection, origin, read_audit_head(connection), last_audit_seq(connection)) {}
  Transaction transaction;
  AuditScope scope;
};

AuditedBatch::AuditedBatch(Database& database, AuditOrigin origin)
    : database_(database), origin_(std::move(origin)) {}

AuditedBatch::~AuditedBatch() {
  if (!open_) return;
  open_.reset();
  database_.connection().batch_open = false;
}

Result<std::unique_ptr<AuditedBatch>> AuditedBatch::begin(Database& database, AuditOrigin origin) {
  TIMECTL_CHECK(std::find(kActors.begin(), kActors.end(), origin.actor) != kActors.end());
  Connection& connection = database.connection();
  TIMECTL_CHECK(!connection.batch_open);
  std::unique_ptr<AuditedBatch> batch(new AuditedBatch(database, std::move(origin)));
  auto begun = writing(connection, "writing the audit log", [&]() -> Result<void> {
    batch->open_ = std::make_unique<Open>(connection, batch->origin_);
    return {};
  });
  if (!begun) return begun.error();
  connection.batch_open = true;
  return batch;
}

Result<void> AuditedBatch::run(const std::function<Result<void>(AuditScope&)>& part) {
  TIMECTL_CHECK(open_ != nullptr);
  Connection& connection = database_.connection();
  auto done = writing(connection, "writing the audit log", [&] { return part(open_->scope); });
  if (done) return done;
  open_.reset();
  connection.batch_open = false;
  return done;
}

Result<void> AuditedBatch::commit() {
  TIMECTL_CHECK(open_ != nullptr);
  Connection& connection = database_.connection();
  auto done = writing(connection, "writing the audit log", [&]() -> Result<void> {
    open_->transaction.commit();
    return {};
  });
  open_.reset();
  connection.batch_open = false;
  return done;
}

Result<void> AuditScope::record(const AuditEntry& entry) {
  AuditRow row;
  // After a cut-off tail the head is ahead of the rows, after an inserted row behind them: the
  // chain goes on from the head, so that the break stays where it happened and is named for ever.
  row.seq = std::max(head_.seq, last_seq_) + 1;
  row.at = origin_.at;
  row.actor = origin_.actor;
  row.uid = origin_.uid;
  row.user = printable(origin_.user, kMaxAuditNameBytes);
  row.via = printable(origin_.via, kMaxAuditWordBytes);
  row.action = printable(entry.action, kMaxAuditWordBytes);
  row.subject = printable(entry.subject, kMaxAuditSubjectBytes);
  row.before = printable_json(entry.before);
  row.after = printable_json(entry.after);
  row.reason = printable(entry.reason, kMaxAuditReasonBytes);
  row.result = printable(entry.result, kMaxAuditWordBytes);
  row.prev_hash = head_.hash;
  row.hash = audit_hash(row);
  return guarded(connection_, "writing the audit log", [&]() -> Result<void> {
    write_audit_row(connection_, row);
    head_ = {row.seq, row.hash};
    last_seq_ = row.seq;
    return {};
  });
}

Result<void> DeniedAttempts::record(Database& database, const AuditOrigin& origin,
                                    const std::string& action, const std::string& subject,
                                    Instant now) {
  auto key = origin.uid;
  if (pending_.size() >= kMaxUids && !pending_.contains(key)) key = std::nullopt;
  const auto it = pending_.find(key);
  if (it != pending_.end() && now < it->second.written_at + kDeniedInterval) {
    it->second.count += 1;
    it->second.origin = origin;
    it->second.action = action;
    it->second.subject = subject;
    return {};
  }
  const auto earlier = it == pending_.end() ? 0 : it->second.count;
  // Counted before it is written: a failing disk must not lift the limit.
  pending_[key] = {now, 0, origin, action, subject};
  return write_denied(database, origin, action, subject, earlier + 1);
}

Result<void> DeniedAttempts::flush(Database& database, Instant now, WallTime at, bool everything) {
  Result<void> result;
  for (auto it = pending_.begin(); it != pending_.end();) {
    Pending& pending = it->second;
    if (!everything && now < pending.written_at + kDeniedInterval) {
      ++it;
      continue;
    }
    if (pending.count == 0) {
      it = pending_.erase(it);
      continue;
    }
    pending.origin.at = at;
    auto written =
        write_denied(database, pending.origin, pending.action, pending.subject, pending.count);
    if (!written) result = written.error();
    if (written) pending.count = 0;
    pending.written_at = now;
    ++it;
  }
  return result;
}

Result<std::vector<AuditRow>> list_audit(Database& database, const AuditFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the audit log", [&]() -> Result<std::vector<AuditRow>> {
    Query query(connection,
                "SELECT seq, at, actor, uid, user, via, action, subject, \"before\", \"after\","
                " reason, result, prev_hash, hash FROM audit"
                " WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR actor = ?2 OR user = ?2)"
                " AND (?3 IS NULL OR subject = ?3) ORDER BY seq DESC LIMIT ?4");
    query.bind(filter.since ? std::optional(filter.since->time_since_epoch().count())
                            : std::optional<std::int64_t>(),
               filter.actor, filter.subject,
               std::clamp<std::size_t>(filter.limit, 1, kMaxListRows));
    std::vector<AuditRow> rows;
    while (query.step()) rows.push_back(read_audit_row(query.row()));
    std::reverse(rows.begin(), rows.end());
    return rows;
  });
}

Result<AuditHead> audit_head(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the audit log",
                 [&]() -> Result<AuditHead> { return read_audit_head(connection); });
}

Result<void> export_audit(Database& database,
                          const std::function<Result<void>(std::string_view line)>& sink) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the audit log", [&]() -> Result<void> {
    Query query(connection, kAllAuditRows);
    while (query.step()) {
      const auto line = json::serialize(to_json(read_audit_row(query.row()))) + "\n";
      if (auto written = sink(line); !written) return written;
    }
    return {};
  });
}

Result<std::string> audit_tail_problem(Database& database) {
  AuditFilter filter;
  filter.limit = kAuditTail;
  const auto rows = list_audit(database, filter);
  if (!rows) return rows.error();
  const auto head = audit_head(database);
  if (!head) return head.error();
  if (rows->empty() ? head->seq != 0 : rows->back().hash != head->hash) {
    return std::string("its newest row is not its head");
  }
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const auto& row = (*rows)[i];
    const bool follows = i == 0 || row.prev_hash == (*rows)[i - 1].hash;
    if (!follows || audit_hash(row) != row.hash) {
      return "row " + std::to_string(row.seq) + " does not fit its hash";
    }
  }
  return std::string();
}

}  // namespace timectl::store
