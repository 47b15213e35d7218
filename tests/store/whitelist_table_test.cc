#include "store/whitelist_table.h"

#include <gtest/gtest.h>

#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

TEST(WhitelistTable, EveryFieldComesBack) {
  const StateDirectory directory;
  WhitelistEntry entry;
  entry.ip = *IpAddress::parse("2001:db8::1");
  entry.label = "K\xc3\xb6ln-1";
  entry.liveness = LivenessProfile::lenient;
  entry.trusts_us = true;
  entry.sources.push_back({Source::manual, "why", "alice", kNow, kNow + std::chrono::hours(5)});
  entry.sources.push_back({Source::api, "", "time-coin.io", kNow, {}, kNow});
  auto change = addition(address(1));
  change.ip = entry.ip;
  change.after = entry;
  const auto other = addition(address(2));
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(apply_changes(*database, operator_origin(), std::vector{change, other}));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(*load_whitelist(*database), (std::vector{*other.after, entry}));
}

TEST(WhitelistTable, ReplacingAndRemovingLeaveNoSourceBehind) {
  auto database = Database::in_memory();
  auto first = addition(address(1));
  first.after->sources.push_back({Source::api, "listed", "time-coin.io", kNow});
  ASSERT_TRUE(apply_changes(database, operator_origin(), std::vector{first}));
  auto second = addition(address(1), "again");
  second.before = first.after;
  ASSERT_TRUE(apply_changes(database, operator_origin(), std::vector{second}));
  EXPECT_EQ(*load_whitelist(database), std::vector{*second.after});
  ASSERT_TRUE(apply_changes(database, operator_origin(), std::vector{removal(*second.after)}));
  EXPECT_TRUE(load_whitelist(database)->empty());
  EXPECT_EQ(audit_head(database)->seq, 3U);
}

TEST(WhitelistTable, UnchangedAndRefusedWriteNothing) {
  auto database = Database::in_memory();
  auto unchanged = addition(address(1));
  unchanged.result = ChangeResult::unchanged;
  auto refused = addition(address(2));
  refused.result = ChangeResult::refused;
  ASSERT_TRUE(apply_changes(database, operator_origin(), std::vector{unchanged, refused}));
  EXPECT_TRUE(load_whitelist(database)->empty());
  EXPECT_EQ(audit_head(database)->seq, 0U);
}

TEST(WhitelistTable, TextThatCannotBeStoredRefusesTheWholeBatch) {
  for (const std::string& text :
       {std::string("a\nb"), std::string("\xff"), std::string(600, 'x')}) {
    auto database = Database::in_memory();
    auto done = apply_changes(database, operator_origin(),
                              std::vector{addition(address(1)), addition(address(2), text)});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::invalid_argument);
    EXPECT_TRUE(load_whitelist(database)->empty());
  }
}

TEST(WhitelistTable, FiveThousandChangesAreOneTransactionWithARowEach) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  std::vector<WhitelistChange> changes;
  for (std::size_t i = 1; i <= 5000; ++i) changes.push_back(addition(address(i)));
  auto origin = operator_origin();
  origin.actor = "api";
  ASSERT_TRUE(apply_changes(*database, origin, changes));
  EXPECT_EQ(load_whitelist(*database)->size(), 5000U);
  EXPECT_EQ(audit_head(*database)->seq, 5000U);
  EXPECT_TRUE(verify_audit(*database)->ok);
}

TEST(WhitelistTable, EditedRowsAreDamageNamedByTable) {
  const std::vector<std::pair<std::string, std::string>> harms = {
      {"UPDATE whitelist SET ip = '10.0.0.999'", "row 10.0.0.999: column `ip`"},
      {"PRAGMA foreign_keys=OFF; UPDATE whitelist SET ip = '::ffff:10.0.0.1'", "canonical form"},
      {"UPDATE whitelist SET label = CAST(zeroblob(100000) AS TEXT)", "column `label`"},
      {"UPDATE whitelist SET label = char(27)", "column `label`"},
      {"UPDATE whitelist SET liveness = 'immortal'", "column `liveness`"},
      {"UPDATE whitelist SET trusts_us = 7", "column `trusts_us`"},
      {"UPDATE whitelist_source SET source = 'friend'", "column `source`"},
      {"UPDATE whitelist_source SET added_at = -1", "column `added_at`"},
      {"UPDATE whitelist_source SET expires_at = 9223372036854775807", "column `expires_at`"},
      {"UPDATE whitelist_source SET reason = CAST(zeroblob(2000000) AS TEXT)", ""},
      {"DELETE FROM whitelist_source", "no source holds it"},
      {"PRAGMA foreign_keys=OFF; DELETE FROM whitelist", "belongs to no whitelist entry"},
  };
  for (const auto& [sql, named] : harms) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      add_addresses(*database, 1, 1);
    }
    tamper(directory.file(), sql);
    auto database = directory.open();
    if (!database) {
      EXPECT_EQ(database.error().code, Code::database_damaged) << sql;
      continue;
    }
    auto entries = load_whitelist(*database);
    ASSERT_FALSE(entries) << sql;
    EXPECT_EQ(entries.error().code, Code::database_damaged) << sql;
    EXPECT_NE(entries.error().message.find(named), std::string::npos) << entries.error().message;
  }
}

}  // namespace
}  // namespace timectl::store
