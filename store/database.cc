#include "store/database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <system_error>
#include <utility>

#include "store/connection.h"
#include "store/database_file.h"
#include "store/migrations.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxProblems = 100;
constexpr int kProgressInstructions = 100'000;  // a few milliseconds between looks at `stop`

// The copy gets its name only when it is complete; one of an earlier, killed try is replaced.
void keep_copy_before_migration(Connection& connection, int version) {
  const std::filesystem::path target =
      connection.file().string() + ".v" + std::to_string(version) + ".bak";
  const std::filesystem::path unfinished = target.string() + ".new";
  remove_database_files(unfinished);
  copy_database(connection, unfinished, [] { return false; });
  std::filesystem::rename(unfinished, target);
  sync_directory(target.parent_path());
}

// SQLite does not tie a write-ahead log to its file: one left behind beside a database that was
// put there by hand would replace its pages without a word, when reading as well. The audit log
// ties them: where it ended in the file is part of every later state. Asked before anything is
// opened for writing, since the end of such a connection moves the log into the file.
void refuse_foreign_log(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat((file.string() + "-wal").c_str(), &status) != 0 || status.st_size == 0) return;
  std::int64_t seq = 0;
  std::string hash;
  try {
    Connection alone(file, Access::without_log);
    Query head(alone, "SELECT seq, hash FROM audit_head");
    if (!head.step()) return;
    seq = head.row().getColumn(0).getInt64();
    hash = head.row().getColumn(1).getString();
  } catch (const SQLite::Exception&) {
    return;  // killed before or while it was moved from the log: the checks of all pages decide
  }
  if (seq == 0) return;
  Connection both(file, Access::untouched);
  Query known(both,
              "SELECT count(*) FROM audit_head h JOIN audit last ON last.seq = h.seq AND "
              "last.hash = h.hash JOIN audit old ON old.seq = ?1 AND old.hash = ?2 "
              "WHERE h.seq >= ?1");
  known.bind(seq, hash);
  if (known.step() && known.row().getColumn(0).getInt64() == 1) return;
  throw StoreFailure{Error{Code::database_damaged,
                           file.string() + " does not fit the log beside it",
                           file.string() + "-wal is of another database or of a later copy",
                           {"timectl db restore FILE",
                            "move the -wal and -shm files away if the database was put there by "
                            "hand and is complete"}}};
}

// A page that the disk does not give is no damaged page: a backup would not help.
[[noreturn]] void not_sound(const std::filesystem::path& file, const std::string& text) {
  constexpr std::string_view kCode = "error code=";
  const auto at = text.find(kCode);
  if (at != std::string::npos &&
      (std::atoi(text.c_str() + at + kCode.size()) & 0xff) == SQLITE_IOERR) {
    throw StoreFailure{Error{Code::input_output, "reading " + file.string() + " failed", text}};
  }
  throw_damaged(file, text);
}

// What the node decides by is looked at before it is used; the rest only after an unclean stop.
void quick_check(Connection& connection) {
  for (const char* sql :
       {"PRAGMA quick_check('whitelist')", "PRAGMA quick_check('whitelist_source')",
        "PRAGMA quick_check('audit')", "PRAGMA quick_check('audit_head')"}) {
    Query query(connection, sql);
    if (query.step()) {
      const auto text = query.row().getColumn(0).getString();
      if (text != "ok") not_sound(connection.file(), text);
    }
  }
}

std::unique_ptr<Connection> open_checked(const std::filesystem::path& file, OpenMode mode) {
  const bool writes = mode == OpenMode::read_write;
  if (look_at(file) == Presence::none) {
    if (!writes) {
      throw StoreFailure{Error{Code::not_found,
                               "there is no database in " + file.parent_path().string() + " yet",
                               "no node and no change has made one"}};
    }
    create_database(file, migrate);
  }
  auto connection = std::make_unique<Connection>(file, writes ? Access::writer : Access::untouched);
  const int version = schema_version_of(*connection);
  if (version == 0) throw_damaged(file, "it has no tables");
  check_schema(*connection);
  if (version < newest_version()) {
    if (!writes) {
      throw StoreFailure{Error{Code::database_unwritable,
                               file.string() + " has an older schema",
                               "it must be migrated first, which needs to write",
                               {"make the file system writable and repeat the command"}}};
    }
    quick_check(*connection);
    keep_copy_before_migration(*connection, version);
    migrate(*connection);
    check_schema(*connection);
  }
  quick_check(*connection);
  return connection;
}

enum class First : bool { no, yes };  // of this process; later the log is its own

Result<std::unique_ptr<Connection>> open_guarded(const std::filesystem::path& file, OpenMode mode,
                                                 First first) {
  try {
    if (first == First::yes && look_at(file) == Presence::file) refuse_foreign_log(file);
    return open_checked(file, mode);
  } catch (const StoreFailure& failure) {
    return failure.error;
  } catch (const std::filesystem::filesystem_error& exception) {
    return Error{Code::input_output, "opening the database failed", exception.what()};
  } catch (const SQLite::Exception& exception) {
    // There is no connection to ask: what a constructor throws has its message and code only.
    Error error = describe_open_failure(file, exception);
    return error;
  }
}

}  // namespace

Database::Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(StateLock lock, OpenMode mode) {
  const auto file = lock.directory() / kDatabaseFile;
  return open_file(std::move(lock), file, mode);
}

Result<Database> Database::open_file(std::optional<StateLock> lock,
                                     const std::filesystem::path& file, OpenMode mode) {
  Database database;
  database.lock_ = std::move(lock);
  database.file_ = file;
  database.mode_ = mode;
  database.stopped_uncleanly_ = log_is_there(file);
  auto connection = open_guarded(file, mode, First::yes);
  if (!connection) return connection.error();
  database.connection_ = std::move(*connection);
  return database;
}

Result<Database> Database::open_copy(const std::filesystem::path& file) {
  if (log_is_there(file)) {
    return Error{Code::bad_data,
                 file.string() + " is no complete backup",
                 "it has an unfinished log beside it: a copy of a database in use",
                 {"make backups with `timectl db backup FILE`"}};
  }
  try {
    Database database;
    database.file_ = file;
    database.mode_ = OpenMode::read_only;
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed)) {
      return Error{Code::not_found, file.string() + " is not there or no file"};
    }
    if (std::filesystem::file_size(file, failed) == 0) throw_damaged(file, "it is empty");
    database.connection_ = std::make_unique<Connection>(file, Access::untouched);
    if (schema_version_of(*database.connection_) == 0) throw_damaged(file, "it has no tables");
    check_schema(*database.connection_);
    return database;
  } catch (const StoreFailure& failure) {
    return failure.error;
  } catch (const SQLite::Exception& exception) {
    return describe_open_failure(file, exception);
  }
}

Database Database::in_memory() {
  Database database;
  database.file_ = ":memory:";
  database.connection_ = std::make_unique<Connection>(":memory:", Access::writer);
  migrate(*database.connection_);
  return database;
}

Result<Database> Database::open_reader() const {
  if (!connection_->is_open() || connection_->access() == Access::reader || file_ == ":memory:") {
    return Error{Code::invalid_argument, "no second connection to " + file_.string(),
                 "only an open database file has readers"};
  }
  // A database opened for reading only has no writer beside it, and must not gain log files.
  const Access access = mode_ == OpenMode::read_only ? Access::untouched : Access::reader;
  try {
    Database reader;
    reader.file_ = file_;
    reader.mode_ = OpenMode::read_only;
    reader.connection_ = std::make_unique<Connection>(file_, access);
    return reader;
  } catch (const SQLite::Exception& exception) {
    return describe_open_failure(file_, exception);
  }
}

int Database::schema_version() const {
  return static_cast<int>(connection_->number("PRAGMA user_version"));
}

bool Database::batch_open() const {
  return connection_->batch_open;
}

const std::optional<Error>& Database::write_failure() const {
  return connection_->write_failure;
}

Result<void> Database::reopen() {
  if (!lock_) return Error{Code::invalid_argument, "only the database of the lock is reopened"};
  connection_->close();
  auto connection = open_guarded(file_, mode_, First::no);
  if (!connection) {
    connection_->closed_because = connection.error();
    return connection.error();
  }
  connection_ = std::move(*connection);
  return {};
}

StateLock Database::close(Database database) {
  TIMECTL_CHECK(database.lock_.has_value());
  database.connection_.reset();
  return std::move(*database.lock_);
}

Result<std::vector<std::string>> integrity_check(Database& database, std::stop_token stop) {
  Connection& connection = database.connection();
  return guarded(connection, "checking the database", [&]() -> Result<std::vector<std::string>> {
    sqlite3* handle = connection.db().getHandle();
    sqlite3_progress_handler(
        handle, kProgressInstructions,
        [](void* token) { return static_cast<std::stop_token*>(token)->stop_requested() ? 1 : 0; },
        &stop);
    // The handler points to this frame's token.
    const std::unique_ptr<sqlite3, void (*)(sqlite3*)> unhook(
        handle, [](sqlite3* h) { sqlite3_progress_handler(h, 0, nullptr, nullptr); });
    std::vector<std::string> problems;
    Query query(connection, "PRAGMA integrity_check(100)");
    while (problems.size() < kMaxProblems && query.step()) {
      auto text = query.row().getColumn(0).getString();
      if (text != "ok") problems.push_back(std::move(text));
    }
    return problems;
  });
}

}  // namespace timectl::store
