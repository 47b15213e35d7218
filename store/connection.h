#pragma once
// One SQLite connection with its prepared statements: the seam between the tables of store/ and
// SQLite. Private to store/. Inside, the environment's failures are exceptions (SQLite::Exception,
// StoreFailure); guarded() and in_transaction() turn them into the results that callers see.

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "daemon/core/result.h"

namespace timectl::store {

// Thrown inside store/ for what is not SQLite's own error: a row that does not read, a closed
// connection, a schema that is not ours.
struct StoreFailure {
  Error error;
};

enum class Access : std::uint8_t {
  writer,      // the one connection that writes
  reader,      // a second one of the same process, beside the writer
  untouched,   // nobody writes the file; reads without making -wal or -shm files
  without_log  // the same, of the file alone: the state of the last checkpoint
};

enum class Sync : std::uint8_t {
  relaxed,  // synchronous=NORMAL: a power cut may lose the newest commits, never mix them
  full,     // on disk when commit() returns
};

class Connection {
 public:
  // Throws SQLite::Exception. The file must exist; ":memory:" for a database without one.
  Connection(const std::filesystem::path& file, Access access);

  // Throws StoreFailure when close() was called.
  [[nodiscard]] SQLite::Database& db() const;
  void close();
  [[nodiscard]] bool is_open() const { return db_ != nullptr; }
  [[nodiscard]] Access access() const { return access_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  // The prepared statement of a string literal (its address is the key), reset and unbound.
  [[nodiscard]] SQLite::Statement& prepared(const char* sql);
  void execute(const char* sql) { db().exec(sql); }
  [[nodiscard]] std::int64_t number(const char* sql);  // one row, one integer

  // What SQLite reported, as one of the codes of database.h, with the system's reason.
  [[nodiscard]] Error failure(const SQLite::Exception& exception, std::string_view doing) const;

  std::optional<Error> write_failure = {};  // see Database::write_failure
  bool batch_open = false;                  // see AuditedBatch
  std::optional<Error> closed_because = {};

 private:
  std::filesystem::path file_;
  Access access_;
  std::unique_ptr<SQLite::Database> db_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

// A prepared statement for one use: reset when it goes out of scope, so that no read transaction
// stays open behind it.
class Query {
 public:
  Query(Connection& connection, const char* sql) : statement_(connection.prepared(sql)) {}
  ~Query() { statement_.tryReset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Binds all parameters in order; nullopt is NULL.
  template <class... T>
  Query& bind(const T&... values) {
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  [[nodiscard]] bool step() { return statement_.executeStep(); }
  void run() { statement_.exec(); }
  [[nodiscard]] SQLite::Statement& row() { return statement_; }

 private:
  template <std::integral T>
  void bind_one(int index, T value) {
    statement_.bind(index, static_cast<std::int64_t>(value));
  }
  void bind_one(int index, double value) { statement_.bind(index, value); }
  void bind_one(int index, const std::string& value) { statement_.bind(index, value); }
  void bind_one(int index, std::string_view value) { statement_.bind(index, std::string(value)); }
  // Borrowed until the query has run.
  void bind_one(int index, std::span<const std::uint8_t> value) {
    // SQLite takes no address for NULL, not for an empty blob.
    const void* bytes = value.empty() ? static_cast<const void*>("") : value.data();
    statement_.bindNoCopy(index, bytes, static_cast<int>(value.size()));
  }
  template <class T>
  void bind_one(int index, const std::optional<T>& value) {
    if (value) {
      bind_one(index, *value);
    } else {
      statement_.bind(index);
    }
  }
  SQLite::Statement& statement_;
};

// Runs `body` and turns what it throws into an Error; `doing` begins its message ("reading the
// whitelist").
template <class Body>
[[nodiscard]] auto guarded(Connection& connection, std::string_view doing, Body&& body)
    -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& exception) {
    return connection.failure(exception, doing);
  } catch (const StoreFailure& failure) {
    return failure.error;
  }
}

// While it lives a lock of another process is an error at once (database_locked), not waited for:
// for what the network thread writes and may as well write later.
class NoWaiting {
 public:
  explicit NoWaiting(Connection& connection);
  ~NoWaiting();
  NoWaiting(const NoWaiting&) = delete;
  NoWaiting& operator=(const NoWaiting&) = delete;

 private:
  Connection& connection_;
};

// A transaction that rolls back unless committed. SQLiteCpp's has no rollback() and cannot tell
// BEGIN IMMEDIATE's failure from the commit's. All throw SQLite::Exception.
class Transaction {
 public:
  Transaction(Connection& connection, Sync sync);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
};

// Runs `step` of a transaction: refused on connections that do not write and after a write failure;
// an input/output error of a write (other than a full disk) turns writing off, see
// Database::write_failure.
[[nodiscard]] Result<void> writing(Connection& connection, std::string_view doing,
                                   const std::function<Result<void>()>& step);

// BEGIN IMMEDIATE, `body`, COMMIT; an error or exception of `body` rolls back. The rules of
// writing() hold.
[[nodiscard]] Result<void> in_transaction(Connection& connection, Sync sync, std::string_view doing,
                                          const std::function<Result<void>()>& body);

// The same for an exception of Connection's constructor, where there is no connection to ask.
[[nodiscard]] Error describe_open_failure(const std::filesystem::path& file,
                                          const SQLite::Exception& exception);

// Copies every page of `source` to the new file `target` (mode 0600; must not exist), one
// consistent state, as a self-contained file without a write-ahead log, and syncs it. Throws
// SQLite::Exception and StoreFailure; the unfinished file is removed. `stopped` ends it early.
void copy_database(Connection& source, const std::filesystem::path& target,
                   const std::function<bool()>& stopped);

void sync_directory(const std::filesystem::path& directory);
void remove_database_files(const std::filesystem::path& file);  // with -wal, -shm, -journal

}  // namespace timectl::store
