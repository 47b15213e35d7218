#pragma once
// What the store's tests share: a directory that goes away, changes to make, and ways to harm a
// database file as a disk or an intruder would.

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "store/audit_log.h"
#include "store/database.h"
#include "store/whitelist_table.h"

namespace timectl::store {

class StateDirectory {
 public:
  StateDirectory() {
    std::string name = (parent() / "timectl-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~StateDirectory() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path file() const { return path_ / kDatabaseFile; }
  [[nodiscard]] Result<Database> open(OpenMode mode = OpenMode::read_write) const {
    auto lock = StateLock::try_acquire(path_, "test");
    if (!lock) return lock.error();
    return Database::open(std::move(*lock), mode);
  }

 private:
  // In memory where there is such a file system: a kill leaves the same files there, and hundreds
  // of fsyncs cost half a minute on a disk. TIMECTL_TEST_DISK=1 takes the disk.
  [[nodiscard]] static std::filesystem::path parent() {
    const std::filesystem::path memory = "/dev/shm";
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    return usable && std::getenv("TIMECTL_TEST_DISK") == nullptr
               ? memory
               : std::filesystem::temp_directory_path();
  }
  std::filesystem::path path_;
};

inline const WallTime kNow{
    std::chrono::milliseconds(1'795'259'400'123)};  // 2026-11-21T11:10:00.123Z

inline AuditOrigin operator_origin() {
  return {kNow, "operator", 1000, "alice", "cli"};
}

inline IpAddress address(std::size_t number) {
  return IpAddress::v4(10, static_cast<std::uint8_t>(number >> 16U),
                       static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number));
}

inline WhitelistChange addition(const IpAddress& ip, const std::string& reason = "a masternode") {
  WhitelistEntry entry;
  entry.ip = ip;
  entry.label = "mn";
  entry.sources.push_back({Source::manual, reason, "alice", kNow});
  WhitelistChange change;
  change.ip = ip;
  change.result = ChangeResult::added;
  change.after = entry;
  return change;
}

inline WhitelistChange removal(const WhitelistEntry& entry) {
  WhitelistChange change;
  change.ip = entry.ip;
  change.result = ChangeResult::removed;
  change.before = entry;
  return change;
}

// One transaction, an audit row each.
inline void add_addresses(Database& database, std::size_t first, std::size_t count) {
  std::vector<WhitelistChange> changes;
  for (std::size_t i = first; i < first + count; ++i) changes.push_back(addition(address(i)));
  auto applied = apply_changes(database, operator_origin(), changes);
  ASSERT_TRUE(applied) << applied.error().message << ": " << applied.error().because;
}

// Somebody with the sqlite3 shell who knows what they do: the triggers are back afterwards.
inline void tamper(const std::filesystem::path& file, const std::string& sql) {
  SQLite::Database db(file.string(), SQLite::OPEN_READWRITE);
  std::vector<std::pair<std::string, std::string>> triggers;
  {
    SQLite::Statement list(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
    while (list.executeStep()) {
      triggers.emplace_back(list.getColumn(0).getString(), list.getColumn(1).getString());
    }
  }
  for (const auto& [name, text] : triggers) db.exec("DROP TRIGGER " + name);
  db.exec(sql);
  for (const auto& [name, text] : triggers) db.exec(text);
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

// Runs `body` in a child process; its result is the exit status, 128 + signal for a killed one.
inline int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A database whose process was killed after `count` additions: its log is still there.
inline void leave_after_kill(const StateDirectory& directory, std::size_t count) {
  const int status = in_child([&] {
    auto database = directory.open();
    if (!database) return 1;
    add_addresses(*database, 1, count);
    ::raise(SIGKILL);
    return 2;
  });
  ASSERT_EQ(status, 128 + SIGKILL);
}

}  // namespace timectl::store
