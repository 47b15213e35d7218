#pragma once
// The state directory and its database. A StateLock says that this process alone owns the
// directory; Database::open takes it and keeps it until it is destroyed, so that no database is
// ever open without it (SQLite 3.40.1 can corrupt a WAL that two connections write: one process
// opens the file, and in it one connection writes). The node and every offline command come
// through here; the tables of store/ take a Database&.
//
// Failures of the disk are results, not exceptions, because the node has to go on without its
// database: database_full (retry later), database_unwritable (read-only, EIO: writing stays off
// until reopen()), database_locked, database_damaged, database_newer, input_output.
// A Database belongs to one thread at a time. Nothing here reads a clock.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl::store {

inline constexpr std::string_view kDatabaseFile = "timectl.db";
inline constexpr std::string_view kLockFile = "timectl.lock";

// An exclusive flock on <directory>/timectl.lock (on the directory itself where the file is not
// there and cannot be made: a read-only file system). The file holds "PID COMMAND\n" for people
// and for the error of the next one; the kernel's lock is what counts, so a crash leaves nothing
// stale. It survives fork() in the child and is closed by exec.
class StateLock {
 public:
  // Makes the directory (mode 0700, parents too). `command` says what this process is, for
  // example "timectl node start". Errors: database_locked naming the holder's pid and command;
  // cannot_create; database_unwritable.
  [[nodiscard]] static Result<StateLock> try_acquire(const std::filesystem::path& directory,
                                                     std::string_view command);
  // Tries every 20 ms until `wait` (0 to 1 hour) is over. Blocks the thread: for commands only,
  // never on the node's network thread.
  [[nodiscard]] static Result<StateLock> acquire(const std::filesystem::path& directory,
                                                 std::string_view command, Duration wait);

  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&& other) noexcept;
  ~StateLock();

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  // Writes this process's pid into the file again: after a fork, by the child that keeps it.
  void name_holder(std::string_view command);

 private:
  StateLock(std::filesystem::path directory, int descriptor, bool writable);
  std::filesystem::path directory_;
  int descriptor_ = -1;
  bool writable_ = false;  // the lock file is open for writing
};

// Who holds the lock of a directory now, without taking it: "pid 4711 (timectl node start)", or
// none. For messages only; it may be gone the next moment.
[[nodiscard]] std::optional<std::string> lock_holder(const std::filesystem::path& directory);

enum class OpenMode : std::uint8_t {
  read_write,  // creates and migrates the database
  read_only,   // never changes a byte; works on a read-only file system
};

class Connection;  // store/connection.h: the only place that knows SQLite
struct RestoreReport;
struct AuditOrigin;

class Database {
 public:
  // Opens <lock.directory()>/timectl.db, creates it (mode 0600) or migrates it in read_write
  // mode (a copy timectl.db.v<N>.bak is made first), and checks the schema and the whitelist and
  // audit tables. read_only without a database: not_found. A damaged file is never replaced.
  [[nodiscard]] static Result<Database> open(StateLock lock, OpenMode mode);
  // A file that nobody writes: a backup. Reads only and makes no file beside it; an older schema
  // is accepted. not_found; bad_data if a write-ahead log is beside it.
  [[nodiscard]] static Result<Database> open_copy(const std::filesystem::path& file);
  // A database without a file or lock, for tests of what stands above the store.
  [[nodiscard]] static Database in_memory();
  // A second, read-only connection to the same file for another thread of this process (check,
  // verify, export, backup). It never writes or checkpoints, so the one-writer rule holds. Destroy
  // it before this database, or the next start takes the stop for an unclean one.
  // invalid_argument for in_memory().
  [[nodiscard]] Result<Database> open_reader() const;

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();  // a clean stop: the write-ahead log is merged and removed

  // The last process did not close the database (its write-ahead log was still there): run
  // integrity_check() in the background.
  [[nodiscard]] bool stopped_uncleanly() const { return stopped_uncleanly_; }
  [[nodiscard]] bool read_only() const { return mode_ == OpenMode::read_only; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] int schema_version() const;

  // Why writing is off: set by an input/output error of a write, because a page that the kernel
  // failed to write may be lost although a later fsync succeeds. Cleared by reopen().
  [[nodiscard]] const std::optional<Error>& write_failure() const;
  // An AuditedBatch is open: nobody else may write, and what is read holds its changes.
  [[nodiscard]] bool batch_open() const;
  // Closes and opens the file again under the same lock, with the checks of open(). After an
  // error the database stays closed for writing and reading; call it again later.
  [[nodiscard]] Result<void> reopen();

  [[nodiscard]] Connection& connection() const { return *connection_; }  // for store/ only
  // Gives the lock back with the database closed: for restore.
  [[nodiscard]] static StateLock close(Database database);

 private:
  friend Result<RestoreReport> restore(StateLock lock, const std::filesystem::path& file,
                                       const AuditOrigin& origin);
  Database();
  [[nodiscard]] static Result<Database> open_file(std::optional<StateLock> lock,
                                                  const std::filesystem::path& file, OpenMode mode);
  std::optional<StateLock> lock_;  // destroyed after the connection
  std::filesystem::path file_;
  OpenMode mode_ = OpenMode::read_write;
  bool stopped_uncleanly_ = false;
  std::unique_ptr<Connection> connection_;
};

// SQLite's check of the whole file: the problems found, at most 100, none if it is sound. Reads
// every page (seconds for a large file), so the node gives it an open_reader() in a thread of its
// own; `stop` ends it early with `interrupted`.
[[nodiscard]] Result<std::vector<std::string>> integrity_check(Database& database,
                                                               std::stop_token stop = {});

}  // namespace timectl::store
