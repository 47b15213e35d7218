#include "store/connection.h"

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace timectl::store {
namespace {

constexpr int kBusyMilliseconds = 2000;
constexpr int kMaxValueBytes = 1 << 22;  // of one value, row or statement, whatever the file says
constexpr int kBackupPages = 256;
// A batch of the history touches two hundred pages, mostly those of the batch before: they stay in
// memory (8 MB), and are copied from the log into the file half as often as by default. A
// checkpoint is still a matter of milliseconds.
constexpr const char* kWriterRoom = "PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=2000";

std::string uri_of(const std::filesystem::path& file, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '?' || c == '#' || c == '%') {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += kHex[byte >> 4U];
      uri += kHex[byte & 0xfU];
    } else {
      uri += c;
    }
  }
  return uri.append("?").append(parameters);
}

bool has_log(const std::filesystem::path& file) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file.string() + "-wal", failed);
  return !failed && size > 0;
}

std::unique_ptr<SQLite::Database> open_handle(const std::filesystem::path& file, Access access) {
  switch (access) {
    case Access::writer:
      return std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE,
                                                kBusyMilliseconds);
    case Access::reader:
      return std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READONLY,
                                                kBusyMilliseconds);
    case Access::without_log:
      return std::make_unique<SQLite::Database>(uri_of(file, "mode=ro&immutable=1"),
                                                SQLite::OPEN_READONLY | SQLite::OPEN_URI);
    case Access::untouched:
      break;
  }
  // Without a log `immutable` reads the file alone. With one, the confirmed changes are in it: the
  // lock-free VFS with exclusive locking reads both and keeps the index of the log in memory.
  const bool log = has_log(file);
  auto handle = std::make_unique<SQLite::Database>(
      uri_of(file, log ? "mode=ro&vfs=unix-none" : "mode=ro&immutable=1"),
      SQLite::OPEN_READONLY | SQLite::OPEN_URI);
  if (log) handle->exec("PRAGMA locking_mode=EXCLUSIVE");
  return handle;
}

void harden(SQLite::Database& db) {
  sqlite3* handle = db.getHandle();
  // The file may have been edited by somebody else: no SQL of its own runs with side effects.
  for (const auto& [option, value] :
       {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        std::pair{SQLITE_DBCONFIG_DQS_DDL, 0}, std::pair{SQLITE_DBCONFIG_DQS_DML, 0},
        std::pair{SQLITE_DBCONFIG_ENABLE_VIEW, 0}}) {
    sqlite3_db_config(handle, option, value, nullptr);
  }
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  db.exec(
      "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;"
      "PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;");
}

// Switching a file to WAL does not wait for the busy time-out (platform.md): a look into the file
// by another program at that moment is no reason to fail.
void use_log(SQLite::Database& db) {
  constexpr int kAttempts = 20;
  for (int attempt = 1;; ++attempt) {
    try {
      SQLite::Statement statement(db, "PRAGMA journal_mode=WAL");
      static_cast<void>(statement.executeStep());
      return;
    } catch (const SQLite::Exception& exception) {
      if (exception.getErrorCode() != SQLITE_BUSY || attempt == kAttempts) throw;
      sqlite3_sleep(25);
    }
  }
}

bool is_full(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

// The reason of the last failed call. A commit fails in the write-ahead log's file, which
// sqlite3_system_errno() does not look at.
int system_error_of(sqlite3* handle) {
  sqlite3_file* log = nullptr;
  int error_number = 0;
  if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
      log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error_number);
  }
  if (error_number == 0) {
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &error_number);
  }
  return error_number != 0 ? error_number : sqlite3_system_errno(handle);
}

Code code_of(int primary, int extended, int system_error) {
  switch (primary) {
    case SQLITE_FULL:
      return Code::database_full;
    case SQLITE_CORRUPT:
      // The machine that runs queries turns a read that ended with EIO into this.
      return system_error == EIO ? Code::input_output : Code::database_damaged;
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_TOOBIG:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
      return Code::database_damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::database_locked;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return is_full(system_error) ? Code::database_full : Code::database_unwritable;
    case SQLITE_IOERR:
      if (is_full(system_error)) return Code::database_full;
      // CORRUPTFS is SQLite's name for a read that ended with EIO.
      return extended == SQLITE_IOERR_READ || extended == SQLITE_IOERR_SHORT_READ ||
                     extended == SQLITE_IOERR_CORRUPTFS
                 ? Code::input_output
                 : Code::database_unwritable;
    case SQLITE_INTERRUPT:
      return Code::interrupted;
    default:
      return Code::internal;
  }
}

// SQLite tries other ways after a refusal, and the last errno tells of those. The file system
// itself knows why nothing can be created on it: EROFS, ENOSPC, or 0 if that is not the reason.
int refusal_of_file_system(const std::filesystem::path& file) {
  const auto directory = file.parent_path();
  struct statvfs status {};
  if (::statvfs(directory.empty() ? "." : directory.c_str(), &status) != 0) return 0;
  if ((status.f_flag & ST_RDONLY) != 0) return EROFS;
  return status.f_files != 0 && status.f_favail == 0 ? ENOSPC : 0;
}

Error describe(const std::filesystem::path& file, const SQLite::Exception& exception,
               std::string_view doing, int system_error) {
  const int primary = exception.getErrorCode() & 0xff;
  if (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY) {
    const int refusal = refusal_of_file_system(file);
    if (refusal != 0) system_error = refusal;
  }
  const Code code = code_of(primary, exception.getExtendedErrorCode(), system_error);
  Error error{code, std::string(doing) + " failed: " + file.string(), exception.what()};
  const bool file_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ||
                           primary == SQLITE_FULL || primary == SQLITE_READONLY ||
                           code == Code::input_output;
  if (primary == SQLITE_CORRUPT && code == Code::input_output) error.because = "a read failed";
  if (file_system && system_error != 0) {
    error.because.append(" (").append(std::strerror(system_error)).append(")");
  }
  if (code == Code::database_damaged) {
    error.message = std::string(doing) + " failed: " + file.string() + " is damaged";
    error.remedy = {"timectl db check", "timectl db restore FILE"};
  }
  return error;
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, Access access)
    : file_(file), access_(access), db_(open_handle(file, access)) {
  harden(*db_);
  if (access == Access::writer && file != ":memory:") {
    use_log(*db_);
    db_->exec(kWriterRoom);
  }
}

SQLite::Database& Connection::db() const {
  if (db_ == nullptr) {
    throw StoreFailure{closed_because.value_or(
        Error{Code::database_unwritable, "the database is closed", "an earlier error closed it"})};
  }
  return *db_;
}

void Connection::close() {
  statements_.clear();
  db_.reset();
}

SQLite::Statement& Connection::prepared(const char* sql) {
  SQLite::Database& handle = db();
  auto& statement = statements_[sql];
  if (statement == nullptr) statement = std::make_unique<SQLite::Statement>(handle, sql);
  statement->tryReset();
  statement->clearBindings();
  return *statement;
}

std::int64_t Connection::number(const char* sql) {
  Query query(*this, sql);
  return query.step() ? query.row().getColumn(0).getInt64() : 0;
}

Error Connection::failure(const SQLite::Exception& exception, std::string_view doing) const {
  const int system_error = db_ == nullptr ? 0 : system_error_of(db_->getHandle());
  return describe(file_, exception, doing, system_error);
}

Error describe_open_failure(const std::filesystem::path& file, const SQLite::Exception& exception) {
  // Few system calls lie between SQLite's and here. A file that is not there is never the reason:
  // it was looked at before, so that ENOENT comes from tidying up.
  return describe(file, exception, "opening the database", errno == ENOENT ? 0 : errno);
}

NoWaiting::NoWaiting(Connection& connection) : connection_(connection) {
  if (connection_.is_open()) sqlite3_busy_timeout(connection_.db().getHandle(), 0);
}

NoWaiting::~NoWaiting() {
  if (connection_.is_open()) {
    sqlite3_busy_timeout(connection_.db().getHandle(), kBusyMilliseconds);
  }
}

Transaction::Transaction(Connection& connection, Sync sync) : connection_(connection) {
  connection_.execute(sync == Sync::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors (a full disk, input/output).
  if (connection_.is_open() && sqlite3_get_autocommit(connection_.db().getHandle()) == 0) {
    connection_.db().tryExec("ROLLBACK");
  }
}

void Transaction::commit() {
  connection_.execute("COMMIT");
}

Result<void> writing(Connection& connection, std::string_view doing,
                     const std::function<Result<void>()>& step) {
  if (connection.access() != Access::writer) {
    return Error{Code::database_unwritable, "cannot change " + connection.file().string(),
                 "it was opened for reading only"};
  }
  if (connection.write_failure) return *connection.write_failure;
  auto result = guarded(connection, doing, step);
  // A page that the kernel could not write may be dropped from its cache, and the next fsync
  // succeed without it: nothing is confirmed through this connection any more.
  if (!result && result.error().code == Code::database_unwritable) {
    connection.write_failure = result.error();
  }
  return result;
}

Result<void> in_transaction(Connection& connection, Sync sync, std::string_view doing,
                            const std::function<Result<void>()>& body) {
  TIMECTL_CHECK(!connection.batch_open);
  return writing(connection, doing, [&]() -> Result<void> {
    Transaction transaction(connection, sync);
    if (auto done = body(); !done) return done;
    transaction.commit();
    return {};
  });
}

void copy_database(Connection& source, const std::filesystem::path& target,
                   const std::function<bool()>& stopped) {
  const int descriptor =
      ::open(target.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    throw StoreFailure{Error{is_full(errno) ? Code::database_full : Code::cannot_create,
                             "cannot create " + target.string(), std::strerror(errno)}};
  }
  ::close(descriptor);
  try {
    SQLite::Database copy(target.string(), SQLite::OPEN_READWRITE);
    copy.exec("PRAGMA synchronous=OFF");  // one fsync at the end instead
    {
      // A read transaction of our own pins one state: without it a commit of the writer would
      // make the copy begin again, for ever on a busy node.
      SQLite::Statement pin(source.db(), "SELECT count(*) FROM sqlite_schema");
      const bool own = sqlite3_get_autocommit(source.db().getHandle()) != 0;
      if (own) source.execute("BEGIN");
      static_cast<void>(pin.executeStep());
      try {
        SQLite::Backup pages(copy, source.db());
        while (pages.executeStep(kBackupPages) != SQLITE_DONE) {
          if (stopped()) throw StoreFailure{Error{Code::interrupted, "the copy was stopped"}};
        }
      } catch (...) {
        pin.tryReset();
        if (own) source.db().tryExec("ROLLBACK");
        throw;
      }
      pin.tryReset();
      if (own) source.execute("ROLLBACK");
    }
    copy.exec("PRAGMA journal_mode=DELETE");
  } catch (const SQLite::Exception& exception) {
    const bool full = exception.getErrorCode() == SQLITE_FULL || errno == EFBIG || errno == ENOSPC;
    remove_database_files(target);
    if (!full) throw;
    throw StoreFailure{Error{Code::database_full, "cannot write " + target.string(),
                             "no space is left for the copy"}};
  } catch (...) {
    remove_database_files(target);
    throw;
  }
  // Opened anew only now: closing any descriptor of a file drops SQLite's locks on it.
  const int written = ::open(target.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = written >= 0 && ::fsync(written) == 0;
  const int error_number = errno;
  if (written >= 0) ::close(written);
  if (!synced) {
    remove_database_files(target);
    throw StoreFailure{Error{is_full(error_number) ? Code::database_full : Code::input_output,
                             "cannot write " + target.string(), std::strerror(error_number)}};
  }
  sync_directory(target.parent_path());
}

void sync_directory(const std::filesystem::path& directory) {
  const auto& path = directory.empty() ? std::filesystem::path(".") : directory;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // a directory that cannot be read can still be written
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;
  const int error_number = errno;
  ::close(descriptor);
  if (!synced) {
    throw StoreFailure{
        Error{Code::input_output, "cannot sync " + path.string(), std::strerror(error_number)}};
  }
}

void remove_database_files(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(file.string() + suffix, ignored);
  }
}

}  // namespace timectl::store
