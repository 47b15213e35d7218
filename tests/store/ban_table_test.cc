#include "store/ban_table.h"

#include <gtest/gtest.h>

#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

using namespace std::chrono_literals;

Ban by_hand(const IpAddress& ip, std::optional<WallTime> until = {}) {
  return {ip, BanOrigin::operator_, "K\xc3\xb6ln", "alice", kNow, until, 0};
}
Ban automatic(const IpAddress& ip) {
  return {ip, BanOrigin::automatic, "2 flood", "", kNow, kNow + 1h, 2};
}
BanChange added(const Ban& ban) {
  return {.ip = ban.ip, .result = ChangeResult::added, .after = ban};
}
BanChange removed(const Ban& ban) {
  return {.ip = ban.ip, .result = ChangeResult::removed, .before = ban};
}

TEST(BanTable, EveryFieldComesBack) {
  const StateDirectory directory;
  const auto permanent = by_hand(address(1));
  const auto ending = by_hand(*IpAddress::parse("2001:db8::1"), kNow + 5h);
  const auto own = automatic(address(1));
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(
        apply_bans(*database, operator_origin(), std::vector{added(permanent), added(ending)}));
    ASSERT_TRUE(save_bans(*database, std::vector{BanWrite{own.ip, own.origin, own}}));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(*load_bans(*database), (std::vector{own, permanent, ending}));
}

TEST(BanTable, AnOperatorsBansAreAuditedAndAutomaticOnesAreNot) {
  auto database = Database::in_memory();
  const auto ban = by_hand(address(1));
  ASSERT_TRUE(apply_bans(database, operator_origin(), std::vector{added(ban)}));
  ASSERT_TRUE(save_bans(
      database, std::vector{BanWrite{address(2), BanOrigin::automatic, automatic(address(2))}}));
  ASSERT_TRUE(apply_bans(database, operator_origin(),
                         std::vector{removed(ban), removed(automatic(address(2)))}, "a mistake"));
  EXPECT_TRUE(load_bans(database)->empty());
  const auto rows = *list_audit(database, {});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].action, "ban.add");
  EXPECT_EQ(rows[0].subject, address(1).to_string());
  EXPECT_EQ(rows[0].reason, ban.reason);
  EXPECT_NE(rows[0].after->find("\"origin\":\"operator\""), std::string::npos) << *rows[0].after;
  EXPECT_EQ(rows[1].action, "ban.remove");
  EXPECT_EQ(rows[2].reason, "a mistake");
  EXPECT_NE(rows[2].before->find("\"origin\":\"automatic\""), std::string::npos);
  EXPECT_TRUE(verify_audit(database)->ok);
}

TEST(BanTable, RefusedAndUnchangedWriteNothing) {
  auto database = Database::in_memory();
  auto refused = added(by_hand(address(1)));
  refused.result = ChangeResult::refused;
  auto unchanged = added(by_hand(address(2)));
  unchanged.result = ChangeResult::unchanged;
  ASSERT_TRUE(apply_bans(database, operator_origin(), std::vector{refused, unchanged}));
  EXPECT_TRUE(load_bans(database)->empty());
  EXPECT_EQ(audit_head(database)->seq, 0U);
}

TEST(BanTable, ARowIsReplacedAndDeletedByItsAddressAndOrigin) {
  auto database = Database::in_memory();
  const auto mine = by_hand(address(1));
  auto first = automatic(address(1));
  ASSERT_TRUE(apply_bans(database, operator_origin(), std::vector{added(mine)}));
  ASSERT_TRUE(save_bans(database, std::vector{BanWrite{first.ip, first.origin, first}}));
  first.offences = 3;
  ASSERT_TRUE(save_bans(database, std::vector{BanWrite{first.ip, first.origin, first}}));
  EXPECT_EQ(*load_bans(database), (std::vector{first, mine}));
  ASSERT_TRUE(save_bans(database, std::vector{BanWrite{first.ip, first.origin, {}}}));
  EXPECT_EQ(*load_bans(database), std::vector{mine});
}

TEST(BanTable, AKillLeavesTheBanAndItsAuditRowOrNeither) {
  for (int step = 0; step < 4; ++step) {
    const StateDirectory directory;
    const pid_t child = ::fork();
    if (child == 0) {
      auto database = directory.open();
      if (step == 0) ::raise(SIGKILL);
      (void)audited(*database, operator_origin(), [&](AuditScope& scope) -> Result<void> {
        if (step == 1) ::raise(SIGKILL);
        auto done = apply(scope, added(by_hand(address(1))));
        if (step == 2) ::raise(SIGKILL);
        return done;
      });
      ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const bool all = step == 3;
    EXPECT_EQ(load_bans(*database)->size(), all ? 1U : 0U) << step;
    EXPECT_EQ(audit_head(*database)->seq, all ? 1U : 0U) << step;
    EXPECT_TRUE(verify_audit(*database)->ok);
  }
}

TEST(BanTable, ARowThatMakesNoSenseIsDamageThatNamesIt) {
  for (const char* edit : {"UPDATE bans SET origin = 'nobody'", "UPDATE bans SET origin = 'config'",
                           "UPDATE bans SET until = -5", "UPDATE bans SET ip = '010.0.0.1'"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(
          apply_bans(*database, operator_origin(), std::vector{added(by_hand(address(1)))}));
    }
    SQLite::Database raw(directory.file().string(), SQLite::OPEN_READWRITE);
    raw.exec(edit);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto bans = load_bans(*database);
    ASSERT_FALSE(bans) << edit;
    EXPECT_EQ(bans.error().code, Code::database_damaged);
    EXPECT_NE(bans.error().message.find("table bans"), std::string::npos) << bans.error().message;
  }
}

}  // namespace
}  // namespace timectl::store
