#pragma once
// The append-only audit log (requirements W8). Every change of the whitelist needs an
// AuditScope&, which only audited() makes: it opens the transaction, runs the change, and commits
// with synchronous=FULL, so that change and row are on disk both or neither. An unaudited change
// does not compile. Rows are chained by SHA-256 over the form of docs/audit.md, from the first one.
// Called by daemon/methods and the offline commands.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/result.h"
#include "daemon/core/time.h"
#include "store/database.h"

namespace timectl::store {

// On whose behalf: words, not an enum, because `operator` is a keyword of C++.
inline constexpr std::string_view kActorOperator = "operator";
inline constexpr std::string_view kActorApi = "api";
inline constexpr std::string_view kActorConfig = "config";
inline constexpr std::string_view kActorExpiry = "expiry";
inline constexpr std::string_view kActorNode = "node";

// Who changes, when, and by which way: the same for all rows of one transaction.
struct AuditOrigin {
  WallTime at = {};
  std::string actor = std::string(kActorOperator);  // one of the words above
  std::optional<std::uint32_t> uid = {};            // none where no user asked
  std::string user = {};                            // name of the uid, at most 128 bytes
  std::string via = {};                             // "socket", "cli" (no node), "node"
};

// What changed. Texts over their limit are cut and made printable: action 64, subject 200, reason
// 500 bytes. before and after are compact JSON of at most 64 KiB (more is a bug: CHECK).
struct AuditEntry {
  std::string action = {};   // "whitelist.add", "whitelist.remove", "database.restore", ...
  std::string subject = {};  // the address or name it is about
  std::optional<std::string> before = {};
  std::optional<std::string> after = {};
  std::string reason = {};
  std::string result = {};  // "added", "removed", "refused", "denied", "ok"
};

// One row as stored, listed and exported (keys of cli.md).
struct AuditRow {
  std::uint64_t seq = 0;
  WallTime at = {};
  std::string actor = {};
  std::optional<std::uint32_t> uid = {};
  std::string user = {};
  std::string via = {};
  std::string action = {};
  std::string subject = {};
  std::optional<std::string> before = {};
  std::optional<std::string> after = {};
  std::string reason = {};
  std::string result = {};
  std::string prev_hash = {};  // 64 hex digits; of the first row zeros
  std::string hash = {};
  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};
BOOST_DESCRIBE_STRUCT(AuditRow, (),
                      (seq, at, actor, uid, user, via, action, subject, before, after, reason,
                       result, prev_hash, hash))

struct AuditHead {
  std::uint64_t seq = 0;  // 0: the log is empty
  std::string hash = {};  // 64 hex digits; zeros for an empty log
};
BOOST_DESCRIBE_STRUCT(AuditHead, (), (seq, hash))

// An open, audited transaction. Lives inside audited() only.
class AuditScope {
 public:
  AuditScope(const AuditScope&) = delete;
  AuditScope& operator=(const AuditScope&) = delete;

  // Adds one row. The tables call it for their own changes; others for changes without a table.
  [[nodiscard]] Result<void> record(const AuditEntry& entry);
  [[nodiscard]] const AuditOrigin& origin() const { return origin_; }
  [[nodiscard]] Connection& connection() const { return connection_; }  // for store/ only

 private:
  friend class AuditedBatch;
  friend Result<AuditHead> audited(Database& database, const AuditOrigin& origin,
                                   const std::function<Result<void>(AuditScope&)>& change);
  AuditScope(Connection& connection, const AuditOrigin& origin, AuditHead head,
             std::uint64_t last_seq)
      : connection_(connection), origin_(origin), head_(std::move(head)), last_seq_(last_seq) {}
  Connection& connection_;
  const AuditOrigin& origin_;
  AuditHead head_;
  std::uint64_t last_seq_;
};

// Runs `change` in one transaction and commits. When it returns a value, everything is on disk;
// when it returns an error (the change's own, or the database's), nothing was changed. Any number
// of changes and rows fit in one call: an API list of 5,000 is one transaction. Not reentrant.
[[nodiscard]] Result<AuditHead> audited(Database& database, const AuditOrigin& origin,
                                        const std::function<Result<void>(AuditScope&)>& change);

// The same for a change of thousands of rows, so that the node's loop goes on meanwhile: one
// transaction that stays open over several turns, written part by part. While it is open nothing
// else may write (Database::batch_open); nothing is confirmed before commit() has returned a value.
class AuditedBatch {
 public:
  [[nodiscard]] static Result<std::unique_ptr<AuditedBatch>> begin(Database& database,
                                                                   AuditOrigin origin);
  ~AuditedBatch();  // rolls back unless committed
  AuditedBatch(const AuditedBatch&) = delete;
  AuditedBatch& operator=(const AuditedBatch&) = delete;

  // After an error nothing was changed and the batch is over.
  [[nodiscard]] Result<void> run(const std::function<Result<void>(AuditScope&)>& part);
  [[nodiscard]] Result<void> commit();

 private:
  struct Open;
  AuditedBatch(Database& database, AuditOrigin origin);
  Database& database_;
  AuditOrigin origin_;
  std::unique_ptr<Open> open_;
};

// Denied attempts: the first is written at once, the following ones of the same uid are counted
// and written as one row a minute, with {"count":N} in `after`. So nobody fills the disk by asking.
class DeniedAttempts {
 public:
  // At most 1024 uids are told apart; the others share one row. `now` is the monotonic time.
  [[nodiscard]] Result<void> record(Database& database, const AuditOrigin& origin,
                                    const std::string& action, const std::string& subject,
                                    Instant now);
  // Writes the counts whose minute is over; with `everything` all of them (at stop). Call it from
  // the tick. `at` is the time of the rows.
  [[nodiscard]] Result<void> flush(Database& database, Instant now, WallTime at,
                                   bool everything = false);

 private:
  struct Pending {
    Instant written_at = {};
    std::uint64_t count = 0;  // since then
    AuditOrigin origin = {};
    std::string action = {};
    std::string subject = {};
  };
  std::map<std::optional<std::uint32_t>, Pending> pending_;
};

struct AuditFilter {
  std::optional<WallTime> since = {};
  std::optional<std::string> actor = {};    // matches the actor's word or the user's name
  std::optional<std::string> subject = {};  // exact; addresses in canonical form
  std::size_t limit = 1000;                 // 1 to 100,000
};
// The newest `limit` rows that match, oldest first.
[[nodiscard]] Result<std::vector<AuditRow>> list_audit(Database& database,
                                                       const AuditFilter& filter);
// What is wrong with the newest rows (20) and the head after them, empty where nothing is: cheap,
// for now and then; the whole log is for verify_audit.
[[nodiscard]] Result<std::string> audit_tail_problem(Database& database);

struct AuditVerdict {
  bool ok = false;
  std::uint64_t rows = 0;  // read
  std::string head = {};   // hash of the last row that fits, 64 hex digits
  std::optional<std::uint64_t> first_bad_seq = {};
  std::string problem = {};  // one sentence, empty if ok
};
BOOST_DESCRIBE_STRUCT(AuditVerdict, (), (ok, rows, head, first_bad_seq, problem))

// Recomputes the chain (about 5 s of one core per million rows; give it a reader in a thread of its
// own for long logs). `expected_head`, 64 hex digits noted earlier by `audit head`, must be the
// hash of a row: it shows that no rows were cut off since. A broken chain is a verdict, not an
// error.
[[nodiscard]] Result<AuditVerdict> verify_audit(
    Database& database, const std::optional<std::string>& expected_head = {},
    std::stop_token stop = {});

[[nodiscard]] Result<AuditHead> audit_head(Database& database);

// Every row as one line of JSON with its newline, oldest first: what docs/audit.md verifies.
[[nodiscard]] Result<void> export_audit(
    Database& database, const std::function<Result<void>(std::string_view line)>& sink);

// The hash of docs/audit.md over all fields of `row` but `hash` itself: 64 hex digits.
[[nodiscard]] std::string audit_hash(const AuditRow& row);

}  // namespace timectl::store
