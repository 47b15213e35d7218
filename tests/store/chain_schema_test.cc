#include "store/chain_schema.h"

#include <gtest/gtest.h>

#include "tests/store/chain_directory.h"

namespace timectl::store {
namespace {

void expect_refused(const ChainDirectory& directory, Code code) {
  for (const auto mode : {OpenMode::read_write, OpenMode::read_only}) {
    const auto file = directory.open(mode);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, code) << said(file.error());
    EXPECT_FALSE(file.error().remedy.empty());
  }
}

TEST(ChainSchema, AFileOfANewerTimectlIsLeftAlone) {
  const ChainDirectory directory;
  ASSERT_TRUE(directory.open());
  tamper(directory.file(), "PRAGMA user_version = 2");
  const std::string before = bytes_of(directory.file());
  expect_refused(directory, Code::database_newer);
  EXPECT_EQ(bytes_of(directory.file()), before);
}

TEST(ChainSchema, OtherTablesThanOursAreDamage) {
  for (const char* sql :
       {"DROP TABLE fork", "ALTER TABLE block ADD COLUMN more TEXT", "CREATE TABLE more (x)",
        "CREATE INDEX more ON block (hash)", "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER more AFTER INSERT ON block BEGIN DELETE FROM body; END",
        "PRAGMA application_id = 5", "PRAGMA user_version = 0", "PRAGMA user_version = -1"}) {
    SCOPED_TRACE(sql);
    const ChainDirectory directory;
    ASSERT_TRUE(directory.open());
    SQLite::Database(directory.file().string(), SQLite::OPEN_READWRITE).exec(sql);
    expect_refused(directory, Code::database_damaged);
  }
}

TEST(ChainSchema, TheOperatorsDatabaseIsNotTakenForAChain) {
  const ChainDirectory directory;
  const StateDirectory state;
  ASSERT_TRUE(state.open());
  std::filesystem::copy_file(state.file(), directory.file());
  expect_refused(directory, Code::database_damaged);
}

}  // namespace
}  // namespace timectl::store
