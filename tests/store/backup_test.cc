#include "store/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

StateLock lock_of(const StateDirectory& directory) {
  auto lock = StateLock::try_acquire(directory.path(), "test");
  if (!lock) std::abort();
  return std::move(*lock);
}

TEST(Backup, IsOneVerifiedFileForItsOwnerOnly) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  add_addresses(*database, 1, 5);
  const auto file = directory.path() / "copy.db";
  auto report = backup(*database, file);
  ASSERT_TRUE(report) << report.error().message << report.error().because;
  EXPECT_EQ(report->audit_rows, 5U);
  EXPECT_EQ(report->audit_head, audit_head(*database)->hash);
  EXPECT_EQ(report->bytes, std::filesystem::file_size(file));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const char* suffix : {"-wal", "-shm", "-journal", ".partial"}) {
    EXPECT_FALSE(std::filesystem::exists(file.string() + suffix)) << suffix;
  }
  auto copy = Database::open_copy(file);
  ASSERT_TRUE(copy);
  EXPECT_EQ(load_whitelist(*copy)->size(), 5U);
}

TEST(Backup, NeverOverwritesAFile) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  const auto file = directory.path() / "copy.db";
  write_bytes(file, "precious");
  auto report = backup(*database, file);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::cannot_create);
  EXPECT_EQ(bytes_of(file), "precious");
  EXPECT_FALSE(backup(*database, directory.path() / "no" / "such" / "directory.db"));
}

TEST(Backup, IsConsistentWhileTheNodeGoesOnWriting) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  std::vector<WhitelistChange> changes;
  for (std::size_t i = 1000; i < 6000; ++i) changes.push_back(addition(address(i)));
  ASSERT_TRUE(apply_changes(*database, operator_origin(), changes));
  auto reader = database->open_reader();
  ASSERT_TRUE(reader);
  const auto file = directory.path() / "copy.db";
  Result<BackupReport> report = Error{};
  std::thread thread([&] { report = backup(*reader, file); });
  for (std::size_t i = 1; i <= 50; ++i) add_addresses(*database, i, 1);
  thread.join();
  ASSERT_TRUE(report) << report.error().message << report.error().because;
  auto copy = Database::open_copy(file);
  ASSERT_TRUE(copy);
  EXPECT_EQ(load_whitelist(*copy)->size(), report->audit_rows) << "a row for each entry";
  EXPECT_GE(report->audit_rows, 5000U);
}

TEST(Backup, StopsWhenAskedAndLeavesNothing) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  std::vector<WhitelistChange> changes;
  for (std::size_t i = 0; i < 5000; ++i) changes.push_back(addition(address(i)));
  ASSERT_TRUE(apply_changes(*database, operator_origin(), changes));
  std::stop_source stop;
  stop.request_stop();
  auto report = backup(*database, directory.path() / "copy.db", stop.get_token());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::interrupted);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "copy.db"));
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "copy.db.partial"));
  add_addresses(*database, 9000, 1);
}

TEST(Restore, PutsTheBackupInPlaceKeepsTheOldOneAndSaysSoInTheLog) {
  const StateDirectory directory;
  const auto file = directory.path() / "copy.db";
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 1, 3);
    ASSERT_TRUE(backup(*database, file));
    add_addresses(*database, 4, 4);
  }
  auto report = restore(lock_of(directory), file, operator_origin());
  ASSERT_TRUE(report) << report.error().message << report.error().because;
  auto database = directory.open();
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(load_whitelist(*database)->size(), 3U);
  const auto rows = *list_audit(*database, {});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows.back().action, "database.restore");
  EXPECT_EQ(rows.back().hash, report->audit_head);
  EXPECT_TRUE(verify_audit(*database)->ok);
  auto kept = Database::open_copy(report->kept_as);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(load_whitelist(*kept)->size(), 7U);
}

TEST(Restore, BringsBackADatabaseAfterDamageAndAfterAKill) {
  const StateDirectory directory;
  const auto file = directory.path() / "copy.db";
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 100, 3);
    ASSERT_TRUE(backup(*database, file));
  }
  leave_after_kill(directory, 5);
  auto log = bytes_of(directory.file().string() + "-wal");
  write_bytes(directory.file(), "damaged beyond repair, but not empty");
  auto report = restore(lock_of(directory), file, operator_origin());
  ASSERT_TRUE(report) << report.error().message << report.error().because;
  EXPECT_EQ(bytes_of(report->kept_as), "damaged beyond repair, but not empty");
  EXPECT_TRUE(bytes_of(report->kept_as + "-wal") == log);
  auto database = directory.open();
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(load_whitelist(*database)->size(), 3U) << "the old log was replayed";
}

TEST(Restore, WithoutADatabaseMakesOne) {
  const StateDirectory first;
  const StateDirectory second;
  const auto file = first.path() / "copy.db";
  {
    auto database = first.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 1, 2);
    ASSERT_TRUE(backup(*database, file));
  }
  auto report = restore(lock_of(second), file, operator_origin());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept_as, "");
  auto database = second.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(load_whitelist(*database)->size(), 2U);
}

TEST(Restore, RefusesWhatIsNoSoundBackupAndChangesNothing) {
  const StateDirectory directory;
  const auto good = directory.path() / "copy.db";
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 1, 3);
    ASSERT_TRUE(backup(*database, good));
  }
  const auto before = bytes_of(directory.file());
  const auto bad = directory.path() / "bad.db";
  const auto refused = [&](const char* what, Code code) {
    auto report = restore(lock_of(directory), bad, operator_origin());
    ASSERT_FALSE(report) << what;
    EXPECT_EQ(report.error().code, code) << what << ": " << report.error().message;
    EXPECT_TRUE(bytes_of(directory.file()) == before) << what;
  };
  refused("missing", Code::not_found);
  write_bytes(bad, "");
  refused("empty", Code::bad_data);
  write_bytes(bad, std::string(9000, 'n'));
  refused("no database", Code::bad_data);
  std::filesystem::remove(bad);
  {
    SQLite::Database(bad.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE t (a)");
  }
  refused("another program's", Code::bad_data);
  write_bytes(bad, bytes_of(good));
  tamper(bad, "UPDATE audit SET user = 'mallory' WHERE seq = 2");
  refused("broken chain", Code::bad_data);
  write_bytes(bad, bytes_of(good));
  tamper(bad, "PRAGMA user_version=77");
  refused("newer", Code::database_newer);
  write_bytes(bad, bytes_of(good));
  write_bytes(bad.string() + "-wal", "log");
  refused("copy of a database in use", Code::bad_data);
}

TEST(Check, SoundDatabaseHasNoProblems) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  add_addresses(*database, 1, 5);
  auto problems = check(*database);
  ASSERT_TRUE(problems);
  EXPECT_TRUE(problems->empty());
}

TEST(Check, NamesEveryThingThatIsWrong) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 1, 5);
  }
  tamper(directory.file(),
         "PRAGMA foreign_keys=OFF;"
         "INSERT INTO whitelist_source VALUES ('10.9.9.9', 'manual', '', '', 1, NULL, NULL);"
         "UPDATE audit SET reason = 'x' WHERE seq = 2;"
         "INSERT INTO peers VALUES ('nonsense', 0, NULL, NULL, NULL, NULL, NULL, 0, '', '', '');"
         "INSERT INTO bans VALUES ('10.8.8.8', 'magic', '', '', 1, NULL, 0);"
         "INSERT INTO api_pending VALUES ('10.7.7.7', 'magic', 1, '')");
  auto database = directory.open();
  ASSERT_TRUE(database);
  auto problems = check(*database);
  ASSERT_TRUE(problems);
  std::string all;
  for (const auto& problem : *problems) all += problem + "\n";
  for (const char* named : {"table whitelist_source", "row 10.9.9.9", "row nonsense", "row 2",
                            "row 10.8.8.8", "row 10.7.7.7"}) {
    EXPECT_NE(all.find(named), std::string::npos) << named << " in\n" << all;
  }
}

}  // namespace
}  // namespace timectl::store
