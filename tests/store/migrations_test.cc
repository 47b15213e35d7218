#include "store/migrations.h"

#include <gtest/gtest.h>

#include "store/peer_history.h"
#include "tests/store/sample_rows_of.h"

namespace timectl::store {
namespace {

// Steps are never changed once released, so the steps up to a version make a file of that version.
void make_schema(const std::filesystem::path& file, int version) {
  SQLite::Database db(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec("PRAGMA auto_vacuum=INCREMENTAL");
  db.exec("PRAGMA journal_mode=WAL");
  for (const auto& step : migrations()) {
    if (step.version <= version) db.exec(step.sql);
  }
  db.exec("PRAGMA user_version=" + std::to_string(version));
  db.exec("PRAGMA application_id=" + std::to_string(kApplicationId));
}

TEST(Migrations, FileOfSchema6KeepsItsHistoryAndTakesSamples) {
  const StateDirectory directory;
  make_schema(directory.file(), 6);
  SQLite::Database(directory.file().string(), SQLite::OPEN_READWRITE)
      .exec(
          "INSERT INTO sessions VALUES (7, '10.0.0.1', 'in', 1, 1795259400123, 1795259500000,"
          " 'unresponsive', 'three pongs', 3, 12.5, NULL, 10, 20);"
          "INSERT INTO events VALUES (9, 1795259400123, 'peer_suspect', 'warning', '10.0.0.1', 1,"
          " 'in', NULL, 'silent', 0, 1, 0, 0, 0);"
          "DROP INDEX sessions_by_end");  // somebody tidied up: indexes are nobody's evidence
  auto database = directory.open();
  ASSERT_TRUE(database) << database.error().message << database.error().because;
  EXPECT_EQ(database->schema_version(), 9);
  SessionFilter filter;
  filter.ip = address(1);
  filter.since = kDay0;
  ASSERT_EQ(list_sessions(*database, filter)->size(), 1U);
  EXPECT_EQ(list_events(*database, {})->front().detail, "silent");
  EXPECT_TRUE(put(*database, {peer_sample(1, kDay0)}, {node_sample(kDay0)}));
  auto copy = Database::open_copy(directory.file().string() + ".v6.bak");
  ASSERT_TRUE(copy) << copy.error().message;
  EXPECT_EQ(copy->schema_version(), 6);
}

}  // namespace
}  // namespace timectl::store
