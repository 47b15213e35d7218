#include "store/audit_log.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "daemon/core/json.h"
#include "tests/paths.h"
#include "tests/store/schema_v1.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

static_assert(!std::is_copy_constructible_v<AuditScope> &&
                  !std::is_constructible_v<AuditScope, Connection&, const AuditOrigin&, AuditHead,
                                           std::uint64_t>,
              "only audited() makes an AuditScope, so that no change goes unaudited");

AuditVerdict verdict_of(const StateDirectory& directory,
                        const std::optional<std::string>& head = {}) {
  auto database = directory.open();
  EXPECT_TRUE(database) << database.error().message << database.error().because;
  auto verdict = verify_audit(*database, head);
  if (!verdict) {
    ADD_FAILURE() << verdict.error().message << ": " << verdict.error().because;
    return {};
  }
  return *verdict;
}

void fill(const StateDirectory& directory, std::size_t rows) {
  auto database = directory.open();
  ASSERT_TRUE(database);
  add_addresses(*database, 1, rows);
}

TEST(AuditLog, ChangeAndRowAreBothThereOrNeither) {
  auto database = Database::in_memory();
  add_addresses(database, 1, 2);
  auto failed = audited(database, operator_origin(), [&](AuditScope& scope) -> Result<void> {
    EXPECT_TRUE(apply(scope, addition(address(3))));
    return Error{Code::blacklisted, "no"};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::blacklisted);
  EXPECT_EQ(load_whitelist(database)->size(), 2U);
  EXPECT_EQ(list_audit(database, {})->size(), 2U);
  EXPECT_EQ(audit_head(database)->seq, 2U);
  // An exception of the change's own goes through, and rolls back as well.
  EXPECT_THROW(static_cast<void>(audited(database, operator_origin(),
                                         [&](AuditScope& scope) -> Result<void> {
                                           EXPECT_TRUE(apply(scope, addition(address(3))));
                                           throw std::runtime_error("bug");
                                         })),
               std::runtime_error);
  add_addresses(database, 3, 1);
  EXPECT_TRUE(verify_audit(database)->ok);
}

TEST(AuditLog, RowSaysWhoWhenWhatWhyAndHowItWasBefore) {
  auto database = Database::in_memory();
  const auto entry = addition(address(1));
  ASSERT_TRUE(apply_changes(database, operator_origin(), std::vector{entry}));
  ASSERT_TRUE(
      apply_changes(database, operator_origin(), std::vector{removal(*entry.after)}, "moved away"));
  const auto rows = *list_audit(database, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].seq, 1U);
  EXPECT_EQ(rows[0].at, kNow);
  EXPECT_EQ(rows[0].actor, "operator");
  EXPECT_EQ(rows[0].uid, 1000U);
  EXPECT_EQ(rows[0].user, "alice");
  EXPECT_EQ(rows[0].via, "cli");
  EXPECT_EQ(rows[0].action, "whitelist.add");
  EXPECT_EQ(rows[0].subject, "10.0.0.1");
  EXPECT_EQ(rows[0].before, std::nullopt);
  EXPECT_EQ(rows[0].reason, "a masternode");
  EXPECT_EQ(rows[0].result, "added");
  EXPECT_EQ(rows[0].prev_hash, std::string(64, '0'));
  EXPECT_EQ(rows[1].action, "whitelist.remove");
  EXPECT_EQ(rows[1].before, rows[0].after);
  EXPECT_EQ(rows[1].after, std::nullopt);
  EXPECT_EQ(rows[1].reason, "moved away");
  EXPECT_EQ(rows[1].prev_hash, rows[0].hash);
  WhitelistEntry after;
  ASSERT_TRUE(from_json(json::parse(*rows[0].after), after, ""));
  EXPECT_EQ(after, *entry.after);
}

TEST(AuditLog, CanonicalFormIsTheOneOfTheFirstRelease) {
  AuditRow row{1, kNow, "operator", 1000, "alice", "cli", "whitelist.add", "10.0.0.1"};
  row.after = "{}";
  row.reason = "first";
  row.result = "added";
  row.prev_hash = std::string(64, '0');
  EXPECT_EQ(audit_hash(row), kHashV1);
  // Bytes that move from one field to the next make another hash: lengths are part of the form.
  auto moved = row;
  moved.user = "alic";
  moved.via = "ecli";
  EXPECT_NE(audit_hash(moved), audit_hash(row));
  auto empty = row;
  empty.before = "";
  EXPECT_NE(audit_hash(empty), audit_hash(row));
}

TEST(AuditLog, ListFiltersAndKeepsTheNewest) {
  auto database = Database::in_memory();
  add_addresses(database, 1, 5);
  auto later = operator_origin();
  later.at += std::chrono::hours(1);
  later.actor = "config";
  later.user = "";
  later.uid = {};
  ASSERT_TRUE(apply_changes(database, later, std::vector{addition(address(9))}));
  const auto seqs = [&](const AuditFilter& filter) {
    std::vector<std::uint64_t> out;
    const auto rows = list_audit(database, filter);
    for (const auto& row : *rows) out.push_back(row.seq);
    return out;
  };
  using Seqs = std::vector<std::uint64_t>;
  AuditFilter filter;
  EXPECT_EQ(seqs(filter), (Seqs{1, 2, 3, 4, 5, 6}));
  filter.limit = 2;
  EXPECT_EQ(seqs(filter), (Seqs{5, 6}));
  filter = {};
  filter.since = later.at;
  EXPECT_EQ(seqs(filter), (Seqs{6}));
  filter = {};
  filter.actor = "alice";
  EXPECT_EQ(seqs(filter), (Seqs{1, 2, 3, 4, 5}));
  filter.actor = "config";
  EXPECT_EQ(seqs(filter), (Seqs{6}));
  filter.actor = "' OR 1=1 --";
  EXPECT_EQ(seqs(filter), (Seqs{}));
  filter = {};
  filter.subject = "10.0.0.3";
  EXPECT_EQ(seqs(filter), (Seqs{3}));
}

TEST(AuditLog, VerifyNamesTheRowThatWasHarmed) {
  struct Harm {
    const char* sql;
    std::uint64_t first_bad;
  };
  const std::string zeros(64, '0');
  const std::vector<Harm> harms = {
      {"UPDATE audit SET reason = 'other' WHERE seq = 4", 4},
      {"UPDATE audit SET uid = NULL WHERE seq = 1", 1},
      {"UPDATE audit SET at = at + 1 WHERE seq = 10", 10},
      {"UPDATE audit SET \"before\" = '' WHERE seq = 7", 7},
      {"UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 5) WHERE seq = 4", 4},
      {"UPDATE audit SET hash = 'zz' WHERE seq = 4", 4},
      {"UPDATE audit SET user = char(27) || '[2J' WHERE seq = 6", 6},
      {"UPDATE audit SET at = -5 WHERE seq = 6", 6},
      {"UPDATE audit SET reason = CAST(zeroblob(900) AS TEXT) WHERE seq = 6", 6},
      {"DELETE FROM audit WHERE seq = 3", 3},
      {"DELETE FROM audit WHERE seq IN (1, 2)", 1},
      {"DELETE FROM audit WHERE seq > 8", 9},
      {"DELETE FROM audit", 1},
      {"INSERT INTO audit SELECT 11, at, actor, uid, user, via, action, subject, \"before\","
       " \"after\", reason, result, hash, hash FROM audit WHERE seq = 10",
       11},
      {"INSERT INTO audit SELECT -1, at, actor, uid, user, via, action, subject, \"before\","
       " \"after\", reason, result, prev_hash, hash FROM audit WHERE seq = 1",
       1},
      // The row after an inserted one is renumbered, too.
      {"UPDATE audit SET seq = -seq WHERE seq > 5; UPDATE audit SET seq = 1 - seq WHERE seq < 0;"
       "INSERT INTO audit SELECT 6, at, actor, uid, user, via, action, subject, \"before\","
       " \"after\", reason, result, prev_hash, hash FROM audit WHERE seq = 5",
       6},
      {"UPDATE audit SET subject = (SELECT subject FROM audit b WHERE b.seq = 5 - audit.seq)"
       " WHERE seq IN (2, 3)",
       2},
      // Reordered: two rows in each other's place, neighbours and others, and the two ends.
      {"UPDATE audit SET seq = -seq WHERE seq IN (4, 5);"
       "UPDATE audit SET seq = 9 + seq WHERE seq < 0",
       4},
      {"UPDATE audit SET seq = -seq WHERE seq IN (3, 8);"
       "UPDATE audit SET seq = 11 + seq WHERE seq < 0",
       3},
      {"UPDATE audit SET seq = -seq WHERE seq IN (1, 10);"
       "UPDATE audit SET seq = 11 + seq WHERE seq < 0",
       1},
      {"UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE seq = 2)", 10},
  };
  for (const auto& harm : harms) {
    const StateDirectory directory;
    fill(directory, 10);
    ASSERT_TRUE(verdict_of(directory).ok);
    tamper(directory.file(), harm.sql);
    const auto verdict = verdict_of(directory);
    EXPECT_FALSE(verdict.ok) << harm.sql;
    EXPECT_EQ(verdict.first_bad_seq, harm.first_bad) << harm.sql << ": " << verdict.problem;
    EXPECT_FALSE(verdict.problem.empty());
  }
}

TEST(AuditLog, RowWhoseHashWasMadeAnewBreaksTheNextOne) {
  const StateDirectory directory;
  fill(directory, 5);
  AuditRow row;
  {
    auto database = directory.open();
    row = list_audit(*database, {})->at(2);
  }
  row.reason = "never happened";
  tamper(directory.file(), "UPDATE audit SET reason = 'never happened', hash = '" +
                               audit_hash(row) + "' WHERE seq = 3");
  EXPECT_EQ(verdict_of(directory).first_bad_seq, 4U);
}

TEST(AuditLog, OnlyANotedHeadShowsThatTheEndWasCutOffWithCare) {
  const StateDirectory directory;
  fill(directory, 10);
  const auto noted = verdict_of(directory).head;
  EXPECT_TRUE(verdict_of(directory, noted).ok);
  tamper(directory.file(),
         "DELETE FROM audit WHERE seq > 8; UPDATE audit_head SET seq = 8,"
         " hash = (SELECT hash FROM audit WHERE seq = 8)");
  EXPECT_TRUE(verdict_of(directory).ok);
  const auto verdict = verdict_of(directory, noted);
  EXPECT_FALSE(verdict.ok);
  EXPECT_EQ(verdict.first_bad_seq, 9U);
}

TEST(AuditLog, HeadNotedEarlierStillVerifiesWhenTheLogHasGrown) {
  auto database = Database::in_memory();
  add_addresses(database, 1, 3);
  auto noted = audit_head(database)->hash;
  add_addresses(database, 4, 3);
  EXPECT_TRUE(verify_audit(database, noted)->ok);
  for (char& c : noted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(verify_audit(database, noted)->ok);
  EXPECT_TRUE(verify_audit(database, std::string(64, '0'))->ok);
  EXPECT_FALSE(verify_audit(database, std::string(64, '1'))->ok);
  auto nonsense = verify_audit(database, "abc");
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().code, Code::invalid_argument);
}

TEST(AuditLog, BreakStaysNamedWhenTheLogGoesOn) {
  for (const char* sql : {"DELETE FROM audit WHERE seq > 3",
                          "INSERT INTO audit SELECT 9, at, actor, uid, user, via, action, subject,"
                          " \"before\", \"after\", reason, result, prev_hash, hash FROM audit"
                          " WHERE seq = 5"}) {
    const StateDirectory directory;
    fill(directory, 5);
    tamper(directory.file(), sql);
    const auto before = verdict_of(directory);
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      add_addresses(*database, 100, 5);
    }
    const auto after = verdict_of(directory);
    EXPECT_FALSE(after.ok);
    EXPECT_EQ(after.first_bad_seq, before.first_bad_seq) << after.problem;
  }
}

TEST(AuditLog, TriggersRefuseEverythingButAppending) {
  const StateDirectory directory;
  fill(directory, 3);
  SQLite::Database raw(directory.file().string(), SQLite::OPEN_READWRITE);
  for (const char* sql : {"UPDATE audit SET reason = 'x'", "DELETE FROM audit WHERE seq = 2",
                          "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
                          "DELETE FROM audit_head"}) {
    EXPECT_THROW(raw.exec(sql), SQLite::Exception) << sql;
  }
}

TEST(AuditLog, HostileTextIsOneReadableLine) {
  auto database = Database::in_memory();
  auto origin = operator_origin();
  origin.user = "al\nice\xff\x1b[2J";
  auto done = audited(database, origin, [](AuditScope& scope) {
    return scope.record(
        {"x", std::string(5000, 's'), "{\"a\":\"\x01\"}", {}, "\xe2\x80\xae why", "ok"});
  });
  ASSERT_TRUE(done) << done.error().message;
  const auto rows = *list_audit(database, {});
  EXPECT_EQ(rows[0].user, "al\\x0Aice\\xFF\\x1B[2J");
  EXPECT_EQ(rows[0].subject.size(), 200U);
  EXPECT_TRUE(verify_audit(database)->ok);
}

TEST(DeniedAttempts, AreOneRowAMinuteAndUserWithACount) {
  auto database = Database::in_memory();
  DeniedAttempts denied;
  auto origin = operator_origin();
  Instant now{std::chrono::hours(1)};
  const auto attempt = [&] {
    ASSERT_TRUE(denied.record(database, origin, "whitelist.add", "10.0.0.1", now));
  };
  for (int i = 0; i < 100; ++i) attempt();
  EXPECT_EQ(audit_head(database)->seq, 1U);
  origin.uid = 1001;
  attempt();
  EXPECT_EQ(audit_head(database)->seq, 2U) << "another user has a minute of its own";
  origin.uid = 1000;
  now += std::chrono::seconds(60);
  attempt();
  auto rows = *list_audit(database, {});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].after, "{\"count\":1}");
  EXPECT_EQ(rows[0].result, "denied");
  EXPECT_EQ(rows[2].after, "{\"count\":100}");
  attempt();
  attempt();
  ASSERT_TRUE(denied.flush(database, now, kNow));
  EXPECT_EQ(audit_head(database)->seq, 3U);
  ASSERT_TRUE(denied.flush(database, now + std::chrono::seconds(60), kNow));
  rows = *list_audit(database, {});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3].after, "{\"count\":2}");
  ASSERT_TRUE(denied.flush(database, now + std::chrono::hours(1), kNow, true));
  EXPECT_EQ(audit_head(database)->seq, 4U);
}

TEST(DeniedAttempts, ManyUsersShareARowInsteadOfGrowingTheTable) {
  auto database = Database::in_memory();
  DeniedAttempts denied;
  auto origin = operator_origin();
  for (std::uint32_t uid = 0; uid < 1500; ++uid) {
    origin.uid = uid;
    ASSERT_TRUE(denied.record(database, origin, "x", "y", Instant{}));
  }
  EXPECT_EQ(audit_head(database)->seq, 1025U);
}

std::string script_of_the_manual() {
  const auto text = bytes_of(std::filesystem::path(TIMECTL_SOURCE_DIR) / "docs" / "audit.md");
  const std::string fence = "```perl\n";
  const auto begin = text.find(fence) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST(AuditLog, ScriptOfTheManualVerifiesAnExport) {
  if (std::system("perl -MDigest::SHA -MJSON::PP -e 1 2>/dev/null") != 0) {
    GTEST_SKIP() << "perl is not installed";
  }
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  add_addresses(*database, 1, 20);
  auto origin = operator_origin();
  origin.uid = {};
  origin.user = "J\xc3\xbcrgen \"the\\one\"";
  ASSERT_TRUE(apply_changes(*database, origin,
                            std::vector{addition(address(50), "caf\xc3\xa9 \xf0\x9f\x92\xbe /")}));
  std::string lines;
  ASSERT_TRUE(export_audit(*database, [&](std::string_view line) -> Result<void> {
    lines += line;
    return {};
  }));
  const auto script = directory.path() / "verify.pl";
  const auto log = directory.path() / "audit.jsonl";
  write_bytes(script, script_of_the_manual());
  const auto run = [&](const std::string& content, const std::string& argument) {
    write_bytes(log, content);
    return std::system(("perl " + script.string() + " " + argument + " < " + log.string() + " > " +
                        (directory.path() / "out").string() + " 2>&1")
                           .c_str());
  };
  const auto head = audit_head(*database)->hash;
  EXPECT_EQ(run(lines, head), 0) << bytes_of(directory.path() / "out");
  EXPECT_EQ(bytes_of(directory.path() / "out"), "ok: 21 rows, head " + head + "\n");
  EXPECT_NE(run(lines, std::string(64, '1')), 0);
  auto altered = lines;
  altered.replace(altered.find("10.0.0.7"), 8, "10.0.0.8");
  EXPECT_NE(run(altered, ""), 0);
  EXPECT_EQ(bytes_of(directory.path() / "out"), "row 7 was altered\n");
  EXPECT_NE(run(lines.substr(lines.find('\n') + 1), ""), 0);
}

TEST(AuditLog, ExportStopsWhenItsReaderDoes) {
  auto database = Database::in_memory();
  add_addresses(database, 1, 3);
  int lines = 0;
  auto done = export_audit(database, [&](std::string_view) -> Result<void> {
    ++lines;
    return Error{Code::input_output, "broken pipe"};
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(lines, 1);
}

}  // namespace
}  // namespace timectl::store
