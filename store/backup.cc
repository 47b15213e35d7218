#include "store/backup.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "daemon/core/events.h"
#include "daemon/core/json.h"
#include "store/api_table.h"
#include "store/ban_table.h"
#include "store/connection.h"
#include "store/migrations.h"
#include "store/peer_history.h"
#include "store/peers_table.h"
#include "store/whitelist_table.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxProblems = 100;

Error system_failure(Code code, const std::string& what) {
  const int error_number = errno;
  return Error{error_number == EROFS ? Code::database_unwritable : code, what,
               std::strerror(error_number)};
}

// The first thing that is wrong with a copy, or its audit verdict.
Result<AuditVerdict> verify_copy(Database& copy, std::stop_token stop) {
  auto problems = integrity_check(copy, stop);
  if (!problems) return problems.error();
  if (!problems->empty()) {
    return Error{Code::bad_data, copy.file().string() + " is damaged", problems->front()};
  }
  auto verdict = verify_audit(copy, {}, stop);
  if (!verdict) return verdict.error();
  if (!verdict->ok) {
    return Error{Code::bad_data, "the audit log in " + copy.file().string() + " does not verify",
                 verdict->problem};
  }
  if (auto whitelist = load_whitelist(copy); !whitelist) return whitelist.error();
  return verdict;
}

// renameat2 refuses to replace, atomically; file systems without it have link.
Result<void> give_name(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EINVAL || errno == ENOSYS) {
    if (::link(from.c_str(), to.c_str()) == 0) {
      ::unlink(from.c_str());
      return {};
    }
  }
  return system_failure(Code::cannot_create, "cannot create " + to.string());
}

Error already_there(const std::filesystem::path& file) {
  return Error{Code::cannot_create,
               file.string() + " exists already",
               "a backup never overwrites a file",
               {"choose another name"}};
}

void copy_and_sync(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::copy_file(from, to);
  const int descriptor = ::open(to.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error_number = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) {
    throw StoreFailure{
        Error{Code::input_output, "cannot keep " + from.string(), std::strerror(error_number)}};
  }
}

// Copies the present database under the first free of file.replaced-TIME[-N], with its log where
// the last process did not merge it: the pair opens as it was. The original stays until the rename
// over it, so that a crash in between leaves a database. Returns the name, empty without one.
Result<std::string> keep_old(const std::filesystem::path& file, WallTime at) {
  if (!std::filesystem::exists(file)) return std::string();
  std::string stamp;
  for (const char c : rfc3339(at).substr(0, 19)) {
    if (c != '-' && c != ':') stamp += c;
  }
  for (int number = 1; number <= 100; ++number) {
    std::string kept = file.string() + ".replaced-" + stamp;
    if (number > 1) kept += "-" + std::to_string(number);
    if (std::filesystem::exists(kept)) continue;
    copy_and_sync(file, kept);
    const auto log = file.string() + "-wal";
    if (std::filesystem::exists(log)) copy_and_sync(log, kept + "-wal");
    sync_directory(file.parent_path());
    return kept;
  }
  return Error{Code::cannot_create, "cannot keep " + file.string(),
               "there are 100 kept ones of this second"};
}

Result<RestoreReport> put_in_place(const StateLock& lock, Database restored, const AuditHead& head,
                                   WallTime at) {
  const auto file = lock.directory() / kDatabaseFile;
  const auto unfinished = restored.file();
  { const Database closed = std::move(restored); }
  auto kept = keep_old(file, at);
  if (!kept) return kept.error();
  // A log that stayed belongs to the old file (and is kept): left here it would be replayed into
  // the restored one.
  std::error_code ignored;
  std::filesystem::remove(file.string() + "-wal", ignored);
  std::filesystem::remove(file.string() + "-shm", ignored);
  std::filesystem::remove(file.string() + "-journal", ignored);
  std::filesystem::rename(unfinished, file);
  sync_directory(lock.directory());
  return RestoreReport{file.string(), *kept, head.seq, head.hash};
}

template <class Rows>
void note(std::vector<std::string>& problems, const Result<Rows>& rows) {
  if (!rows && problems.size() < kMaxProblems) problems.push_back(rows.error().message);
}

}  // namespace

Result<BackupReport> backup(Database& database, const std::filesystem::path& file,
                            std::stop_token stop) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) {
    return already_there(file);
  }
  const std::filesystem::path unfinished = file.string() + ".partial";
  Connection& connection = database.connection();
  return guarded(connection, "making a backup", [&]() -> Result<BackupReport> {
    copy_database(connection, unfinished, [&] { return stop.stop_requested(); });
    const auto fail = [&](Error error) {
      remove_database_files(unfinished);
      return error;
    };
    BackupReport report;
    {
      auto copy = Database::open_copy(unfinished);
      if (!copy) return fail(copy.error());
      auto verdict = verify_copy(*copy, stop);
      if (!verdict) return fail(verdict.error());
      report = {file.string(), std::filesystem::file_size(unfinished), verdict->rows,
                verdict->head};
    }
    if (auto named = give_name(unfinished, file); !named) return fail(named.error());
    sync_directory(file.parent_path());
    return report;
  });
}

Result<RestoreReport> restore(StateLock lock, const std::filesystem::path& file,
                              const AuditOrigin& origin) {
  auto source = Database::open_copy(file);
  if (!source) {
    Error error = source.error();
    // The database in the state directory is not what is damaged.
    if (error.code == Code::database_damaged) {
      error.code = Code::bad_data;
      error.remedy = {"choose another backup"};
    }
    return error;
  }
  const std::filesystem::path unfinished =
      (lock.directory() / kDatabaseFile).string() + ".restoring";
  remove_database_files(unfinished);
  try {
    auto verdict = verify_copy(*source, {});
    if (!verdict) return verdict.error();
    copy_database(source->connection(), unfinished, [] { return false; });
    auto restored = Database::open_file(std::nullopt, unfinished, OpenMode::read_write);
    if (!restored) {
      remove_database_files(unfinished);
      return restored.error();
    }
    auto head = audited(*restored, origin, [&](AuditScope& scope) {
      return scope.record(
          {"database.restore",
           file.string(),
           {},
           json::serialize(json::object{{"head", verdict->head}, {"rows", verdict->rows}}),
           "",
           "ok"});
    });
    auto report = head ? put_in_place(lock, std::move(*restored), *head, origin.at)
                       : Result<RestoreReport>(head.error());
    if (!report) remove_database_files(unfinished);
    return report;
  } catch (const StoreFailure& failure) {
    remove_database_files(unfinished);
    return failure.error;
  } catch (const SQLite::Exception& exception) {
    remove_database_files(unfinished);
    return describe_open_failure(unfinished, exception);
  } catch (const std::filesystem::filesystem_error& exception) {
    remove_database_files(unfinished);
    return Error{Code::input_output, "restoring " + file.string() + " failed", exception.what()};
  }
}

Result<std::vector<std::string>> check(Database& database, std::stop_token stop) {
  auto pages = integrity_check(database, stop);
  if (!pages) return pages;
  std::vector<std::string> problems = std::move(*pages);
  Connection& connection = database.connection();
  auto keys = guarded(connection, "checking the database", [&]() -> Result<void> {
    Query query(connection, "PRAGMA foreign_key_check");
    while (problems.size() < kMaxProblems && query.step()) {
      problems.push_back("table " + printable(query.row().getColumn(0).getString(), 64) +
                         ": a row refers to one that is not there");
    }
    return {};
  });
  note(problems, keys);
  note(problems, load_whitelist(database));
  if (database.schema_version() == newest_version()) {  // a copy may be older
    note(problems, load_bans(database));
    note(problems, load_list_memory(database));
    note(problems, list_snapshots(database, kMaxHistoryLimit));
  }
  note(problems, load_peers(database, kMaxPeerRows));
  SessionFilter sessions;
  sessions.limit = kMaxHistoryLimit;
  note(problems, list_sessions(database, sessions));
  EventFilter events;
  events.limit = kMaxHistoryLimit;
  note(problems, list_events(database, events));
  auto verdict = verify_audit(database, {}, stop);
  note(problems, verdict);
  if (verdict && !verdict->ok && problems.size() < kMaxProblems) {
    problems.push_back("the audit log does not verify: " + verdict->problem);
  }
  return problems;
}

}  // namespace timectl::store
