#include "store/database.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/peer_history.h"
#include "tests/store/schema_v1.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

std::size_t rows_of(Database& database) {
  auto entries = load_whitelist(database);
  return entries ? entries->size() : 999'999;
}

TEST(Database, IsMadeForItsOwnerOnlyAndKeepsWhatWasConfirmed) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database) << database.error().message << database.error().because;
    EXPECT_FALSE(database->stopped_uncleanly());
    add_addresses(*database, 1, 3);
  }
  struct stat status {};
  ASSERT_EQ(::stat(directory.file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(directory.file().string() + "-wal"));
  auto again = directory.open();
  ASSERT_TRUE(again);
  EXPECT_EQ(rows_of(*again), 3U);
}

TEST(Database, FreedPagesGoBackToTheFileSystem) {
  const StateDirectory directory;
  ASSERT_TRUE(directory.open());
  SQLite::Database raw(directory.file().string());
  EXPECT_EQ(raw.execAndGet("PRAGMA auto_vacuum").getInt(), 2);
  EXPECT_EQ(raw.execAndGet("PRAGMA journal_mode").getString(), "wal");
}

TEST(Database, UncleanStopIsKnownAtTheNextStartOnly) {
  const StateDirectory directory;
  leave_after_kill(directory, 5);
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    EXPECT_TRUE(database->stopped_uncleanly());
    EXPECT_EQ(rows_of(*database), 5U);
    auto problems = integrity_check(*database);
    ASSERT_TRUE(problems);
    EXPECT_TRUE(problems->empty());
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_FALSE(database->stopped_uncleanly());
}

TEST(Database, ReadingOnlyChangesNoByteEvenWithALogToRead) {
  const StateDirectory directory;
  leave_after_kill(directory, 5);
  const auto file = bytes_of(directory.file());
  const auto log = bytes_of(directory.file().string() + "-wal");
  ASSERT_FALSE(log.empty());
  std::filesystem::remove(directory.file().string() + "-shm");
  {
    auto database = directory.open(OpenMode::read_only);
    ASSERT_TRUE(database) << database.error().message << database.error().because;
    EXPECT_EQ(rows_of(*database), 5U);
    const std::vector changes{addition(address(9))};
    auto refused = apply_changes(*database, operator_origin(), changes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::database_unwritable);
    auto reader = database->open_reader();
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_EQ(rows_of(*reader), 5U);
  }
  EXPECT_TRUE(bytes_of(directory.file()) == file);
  EXPECT_TRUE(bytes_of(directory.file().string() + "-wal") == log);
  EXPECT_FALSE(std::filesystem::exists(directory.file().string() + "-shm"));
}

TEST(Database, ReadOnlyDirectoryCanBeReadAndSaysWhyItCannotBeChanged) {
  constexpr uid_t kNobody = 65534;
  for (const bool with_log : {false, true}) {
    const StateDirectory directory;
    if (with_log) {
      leave_after_kill(directory, 4);
    } else {
      auto database = directory.open();
      ASSERT_TRUE(database);
      add_addresses(*database, 1, 4);
    }
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (::geteuid() == 0) {
        ASSERT_EQ(::chown(entry.path().c_str(), kNobody, kNobody), 0);
      }
      ASSERT_EQ(::chmod(entry.path().c_str(), 0400), 0);
    }
    ASSERT_EQ(::chmod(directory.path().c_str(), 0555), 0);
    const int status = in_child([&]() -> int {
      if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) return 10;
      {
        auto database = directory.open(OpenMode::read_only);
        if (!database) return 11;
        if (rows_of(*database) != 4) return 12;
        if (directory.open(OpenMode::read_only)) return 13;  // the lock holds here, too
      }
      auto writable = directory.open(OpenMode::read_write);
      if (!writable) return writable.error().code == Code::database_unwritable ? 0 : 14;
      auto changed = apply_changes(*writable, operator_origin(), std::vector{addition(address(9))});
      return !changed && changed.error().code == Code::database_unwritable ? 0 : 15;
    });
    EXPECT_EQ(status, 0) << "with a log: " << with_log;
  }
}

TEST(Database, NothingToReadIsNotFoundAndMakesNoFile) {
  const StateDirectory directory;
  auto database = directory.open(OpenMode::read_only);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
}

TEST(Database, NewerSchemaIsRefused) {
  const StateDirectory directory;
  ASSERT_TRUE(directory.open());
  tamper(directory.file(), "PRAGMA user_version=99");
  for (const auto mode : {OpenMode::read_write, OpenMode::read_only}) {
    auto database = directory.open(mode);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Code::database_newer);
    EXPECT_FALSE(database.error().remedy.empty());
  }
}

TEST(Database, OlderSchemaIsMigratedWithItsRowsAfterACopyWasMade) {
  const StateDirectory directory;
  make_schema_v1(directory.file());
  {
    auto reading = directory.open(OpenMode::read_only);
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().code, Code::database_unwritable);
  }
  auto database = directory.open();
  ASSERT_TRUE(database) << database.error().message << database.error().because;
  EXPECT_EQ(database->schema_version(), 9);
  auto entries = load_whitelist(*database);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().label, "old");
  auto verdict = verify_audit(*database);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->ok) << verdict->problem;
  EXPECT_EQ(verdict->rows, 1U);
  EXPECT_TRUE(append_history(*database, std::vector<SessionRecord>(1), {}));
  auto copy = Database::open_copy(directory.file().string() + ".v1.bak");
  ASSERT_TRUE(copy) << copy.error().message;
  EXPECT_EQ(copy->schema_version(), 1);
  EXPECT_EQ(rows_of(*copy), 1U);
}

TEST(Database, FreshAndMigratedSchemasAreTheSame) {
  const StateDirectory fresh;
  const StateDirectory old;
  make_schema_v1(old.file());
  ASSERT_TRUE(fresh.open());
  ASSERT_TRUE(old.open());
  std::string schemas[2];
  int index = 0;
  for (const auto& file : {fresh.file(), old.file()}) {
    SQLite::Database raw(file.string());
    SQLite::Statement list(raw, "SELECT sql FROM sqlite_schema WHERE sql NOTNULL ORDER BY name");
    while (list.executeStep()) schemas[index] += list.getColumn(0).getString() + ";\n";
    ++index;
  }
  EXPECT_EQ(schemas[0], schemas[1]);
}

TEST(Database, DamagedFilesAreNamedAndNeverReplaced) {
  struct Harm {
    const char* name;
    std::function<void(std::string&)> apply;
  };
  const std::vector<Harm> harms = {
      {"empty", [](std::string& b) { b.clear(); }},
      {"header", [](std::string& b) { b.replace(0, 16, 16, 'x'); }},
      {"another program's",
       [](std::string& b) { b = "name,value\n1,2\n" + std::string(2000, 'a'); }},
      {"first page", [](std::string& b) { b.replace(100, 3000, 3000, '\0'); }},
      {"zeroed tail",
       [](std::string& b) { b.replace(8192, b.size() - 8192, b.size() - 8192, '\0'); }},
      {"cut off", [](std::string& b) { b.resize(8192); }},
  };
  for (const auto& harm : harms) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      add_addresses(*database, 1, 50);
    }
    auto bytes = bytes_of(directory.file());
    harm.apply(bytes);
    write_bytes(directory.file(), bytes);
    for (const auto mode : {OpenMode::read_only, OpenMode::read_write}) {
      auto database = directory.open(mode);
      ASSERT_FALSE(database) << harm.name;
      EXPECT_EQ(database.error().code, Code::database_damaged)
          << harm.name << ": " << database.error().message << " " << database.error().because;
    }
    EXPECT_TRUE(bytes_of(directory.file()) == bytes) << harm.name;
  }
}

TEST(Database, AnyCorruptPageIsFoundByTheCheckOrAtOpening) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 1, 40);
    ASSERT_TRUE(append_history(*database, std::vector<SessionRecord>(200), {}));
  }
  const auto sound = bytes_of(directory.file());
  constexpr std::size_t kPage = 4096;
  for (std::size_t page = 0; page < sound.size() / kPage; ++page) {
    auto bytes = sound;
    bytes.replace(page * kPage, kPage, kPage, '\xa5');
    write_bytes(directory.file(), bytes);
    auto database = directory.open();
    if (!database) {
      EXPECT_EQ(database.error().code, Code::database_damaged) << page;
      continue;
    }
    auto problems = integrity_check(*database);
    const bool found = !problems || !problems->empty();
    // Pages of the pointer map hold nothing of ours; SQLite's check names those as well.
    EXPECT_TRUE(found) << "page " << page + 1;
  }
}

TEST(Database, MissingFileBesideItsLogIsNotANewDatabase) {
  const StateDirectory directory;
  leave_after_kill(directory, 3);
  std::filesystem::remove(directory.file());
  auto database = directory.open();
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::database_damaged);
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
}

TEST(Database, LogOfGarbageIsIgnoredAndTheFileStaysSound) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    add_addresses(*database, 1, 3);
  }
  write_bytes(directory.file().string() + "-wal", std::string(50'000, 'z'));
  auto database = directory.open();
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_TRUE(database->stopped_uncleanly());
  EXPECT_EQ(rows_of(*database), 3U);
}

TEST(Database, SchemaOfSomebodyElseIsRefused) {
  for (const char* sql :
       {"DROP TRIGGER audit_never_deleted",
        "CREATE TRIGGER helpful AFTER INSERT ON whitelist BEGIN DELETE FROM whitelist; END",
        "CREATE VIEW v AS SELECT 1", "DROP TABLE whitelist_source", "PRAGMA application_id=1",
        "PRAGMA user_version=-3"}) {
    const StateDirectory directory;
    ASSERT_TRUE(directory.open());
    SQLite::Database(directory.file().string(), SQLite::OPEN_READWRITE).exec(sql);
    auto database = directory.open();
    ASSERT_FALSE(database) << sql;
    EXPECT_EQ(database.error().code, Code::database_damaged) << sql;
  }
}

TEST(Database, LinkInItsPlaceIsRefused) {
  const StateDirectory directory;
  const StateDirectory elsewhere;
  ASSERT_TRUE(elsewhere.open());
  std::filesystem::create_symlink(elsewhere.file(), directory.file());
  auto database = directory.open();
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::database_unwritable);
}

TEST(Database, ReaderSeesCommitsOfTheWriterAndCannotWrite) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  auto reader = database->open_reader();
  ASSERT_TRUE(reader) << reader.error().message << reader.error().because;
  add_addresses(*database, 1, 2);
  EXPECT_EQ(rows_of(*reader), 2U);
  auto refused = apply_changes(*reader, operator_origin(), std::vector{addition(address(9))});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::database_unwritable);
  std::stop_source stop;
  stop.request_stop();
  add_addresses(*database, 3, 1);
  EXPECT_EQ(rows_of(*reader), 3U);
}

TEST(Database, ReopensUnderItsLock) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  add_addresses(*database, 1, 2);
  ASSERT_TRUE(database->reopen());
  EXPECT_EQ(rows_of(*database), 2U);
  EXPECT_FALSE(directory.open()) << "the lock was lost";
  write_bytes(directory.file(), "not a database any more, and not an empty one either");
  std::filesystem::remove(directory.file().string() + "-wal");
  ASSERT_FALSE(database->reopen());
  auto entries = load_whitelist(*database);
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().code, Code::database_damaged);
}

TEST(Database, FullDiskIsNamedLosesNothingAndIsLeftBehindWhenSpaceReturns) {
  const StateDirectory directory;
  const int status = in_child([&]() -> int {
    ::signal(SIGXFSZ, SIG_IGN);
    auto database = directory.open();
    if (!database) return 10;
    add_addresses(*database, 1, 1);
    const rlim_t size = 262'144;
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::size_t confirmed = 1;
    Error error;
    for (; confirmed < 2000; ++confirmed) {
      auto applied = apply_changes(*database, operator_origin(),
                                   std::vector{addition(address(confirmed + 1))});
      if (!applied) {
        error = applied.error();
        break;
      }
    }
    if (error.code != Code::database_full) {
      std::fprintf(stderr, "%s: %s\n", error.message.c_str(), error.because.c_str());
      return 11;
    }
    if (rows_of(*database) != confirmed) return 12;
    if (database->write_failure()) return 13;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (!apply_changes(*database, operator_origin(),
                       std::vector{addition(address(confirmed + 1))})) {
      return 14;
    }
    if (rows_of(*database) != confirmed + 1) return 15;
    auto verdict = verify_audit(*database);
    return verdict && verdict->ok && verdict->rows == confirmed + 1 ? 0 : 16;
  });
  EXPECT_EQ(status, 0);
}

TEST(Database, FullDiskAtTheFirstStartLeavesNothingBehind) {
  const StateDirectory directory;
  const int status = in_child([&]() -> int {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 20'000;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto database = directory.open();
    if (database) return 1;
    return database.error().code == Code::database_full ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
  EXPECT_TRUE(directory.open());
}

}  // namespace
}  // namespace timectl::store
