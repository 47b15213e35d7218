#pragma once
// Copies of the database: `timectl db backup|restore|check`. A backup is one self-contained file
// (no write-ahead log beside it), consistent although the node goes on writing, verified before
// it gets its name. Restoring never destroys: the present file is kept beside.

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "store/audit_log.h"
#include "store/database.h"

namespace timectl::store {

struct BackupReport {
  std::string file = {};
  std::uint64_t bytes = 0;
  std::uint64_t audit_rows = 0;
  std::string audit_head = {};
};
BOOST_DESCRIBE_STRUCT(BackupReport, (), (file, bytes, audit_rows, audit_head))

// Writes `file` (mode 0600; cannot_create if it exists), checks the copy (pages and audit chain)
// and syncs file and directory. The node gives it an open_reader() in a thread of its own.
[[nodiscard]] Result<BackupReport> backup(Database& database, const std::filesystem::path& file,
                                          std::stop_token stop = {});

struct RestoreReport {
  std::string file = {};
  std::string kept_as = {};  // where the replaced database is now; empty if there was none
  std::uint64_t audit_rows = 0;
  std::string audit_head = {};  // with the row of the restore itself
};
BOOST_DESCRIBE_STRUCT(RestoreReport, (), (file, kept_as, audit_rows, audit_head))

// Puts a backup in the place of <lock.directory()>/timectl.db: only a sound timectl database of a
// known schema (older ones are migrated) whose audit chain verifies; bad_data otherwise, and
// database_newer. Nothing is changed before all of that is known. The restore is recorded in
// the restored log ("database.restore"). The lock is taken over and released at the end.
[[nodiscard]] Result<RestoreReport> restore(StateLock lock, const std::filesystem::path& file,
                                            const AuditOrigin& origin);

// Everything that is wrong with the database, one sentence each, at most 100: pages, foreign
// keys, rows of every table that do not read, the audit chain. Empty if it is sound.
[[nodiscard]] Result<std::vector<std::string>> check(Database& database, std::stop_token stop = {});

}  // namespace timectl::store
