#include "store/api_table.h"

#include <gtest/gtest.h>

#include "store/whitelist_table.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

using namespace std::chrono_literals;

const std::string kHash = body_hash("one");
const std::string kOther = body_hash("other");

ListMemory full_memory() {
  ListMemory memory;
  auto& s = memory.state;
  s.url = "https://time-coin.io/api/peers";
  s.etag = "\"v1\"";
  s.sha256 = kHash;
  s.fetched_at = kNow;
  s.accepted_at = kNow - 1h;
  s.accepted_sha256 = kOther;
  s.baseline_at = kNow - 2h;
  s.fetched_lists_us = true;
  s.held_since = kNow - 3h;
  s.held_because = "too much";
  s.rejected_sha256 = kOther;
  s.attempted_at = kNow;
  s.failures = 3;
  s.failing_since = kNow - 4h;
  s.failed_step = FetchStep::tls;
  s.failed_because = "expired";
  memory.pending = {{address(1), PendingChange::add, kNow, "new"},
                    {address(2), PendingChange::missing, kNow - 1h, "gone"}};
  memory.rejections = {{address(3), {kNow, "alice"}}};
  return memory;
}

void expect_same(const ListMemory& a, const ListMemory& b) {
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.pending, b.pending);
  EXPECT_EQ(a.rejections, b.rejections);
}

SnapshotWrite snapshot(std::string_view body, WallTime at, const std::string& outcome = "accepted",
                       Duration keep = 24h * 30) {
  return {{at, at, "https://time-coin.io/api/peers", body_hash(body), 5, 1, outcome}, body, keep};
}

TEST(ApiTable, EverythingComesBackAndAnEmptyDatabaseKnowsNothing) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    expect_same(*load_list_memory(*database), {});
    ASSERT_TRUE(save_list(*database, full_memory(), nullptr));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  expect_same(*load_list_memory(*database), full_memory());
  ASSERT_TRUE(save_list(*database, {}, nullptr));
  expect_same(*load_list_memory(*database), {});
}

TEST(ApiTable, ARowThatDoesNotReadIsNamed) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(save_list(*database, full_memory(), nullptr));
  }
  const char* const harms[] = {"UPDATE api_list SET sha256 = 'x'",
                               "UPDATE api_list SET failed_step = 'magic'",
                               "UPDATE api_pending SET ip = '1.2.3' WHERE change = 'add'",
                               "UPDATE api_rejected SET by = char(27)"};
  for (const auto* harm : harms) {
    SCOPED_TRACE(harm);
    const StateDirectory copy;
    std::filesystem::copy_file(directory.file(), copy.file());
    {
      SQLite::Database raw(copy.file().string(), SQLite::OPEN_READWRITE);
      raw.exec(harm);
    }
    auto database = copy.open();
    ASSERT_TRUE(database);
    const auto memory = load_list_memory(*database);
    ASSERT_FALSE(memory);
    EXPECT_EQ(memory.error().code, Code::database_damaged);
    EXPECT_NE(memory.error().message.find("api_"), std::string::npos) << memory.error().message;
  }
}

TEST(ApiTable, TheSameListAgainOnlyMovesItsTimeAndItsBodyIsKeptOnce) {
  auto database = Database::in_memory();
  for (int hour = 0; hour < 5; ++hour) {
    const auto write = snapshot("one", kNow + hour * 1h);
    ASSERT_TRUE(save_list(database, {}, &write));
  }
  const auto held = snapshot("one", kNow + 5h, "held_back");
  ASSERT_TRUE(save_list(database, {}, &held));
  const auto rows = list_snapshots(database, 100);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].first_at, kNow);
  EXPECT_EQ((*rows)[0].last_at, kNow + 4h);
  EXPECT_EQ((*rows)[1].outcome, "held_back");
  EXPECT_EQ(*load_list_body(database, body_hash("one")), "one");
  EXPECT_EQ(*load_list_body(database, kOther), "");
}

TEST(ApiTable, OldListsGoButNeverTheOneInForceOrTheOneFetchedLast) {
  auto database = Database::in_memory();
  ListMemory memory;
  memory.state.accepted_sha256 = body_hash("in force");
  memory.state.sha256 = body_hash("newest");
  for (const auto* body : {"in force", "old"}) {
    const auto write = snapshot(body, kNow);
    ASSERT_TRUE(save_list(database, memory, &write));
  }
  const auto newest = snapshot("newest", kNow + 24h * 31);
  ASSERT_TRUE(save_list(database, memory, &newest));
  EXPECT_EQ(list_snapshots(database, 100)->size(), 1U);
  EXPECT_EQ(*load_list_body(database, body_hash("in force")), "in force");
  EXPECT_EQ(*load_list_body(database, body_hash("newest")), "newest");
  EXPECT_EQ(*load_list_body(database, body_hash("old")), "");
}

TEST(ApiTable, KeptListsHaveABoundTogether) {
  auto database = Database::in_memory();
  ListMemory memory;
  for (int i = 0; i < 23; ++i) {
    const std::string body(kMaxBodyBytes, static_cast<char>('a' + i));
    memory.state.sha256 = body_hash(body);
    const auto write = snapshot(body, kNow + i * 1h);
    const auto saved = save_list(database, memory, &write);
    ASSERT_TRUE(saved) << saved.error().message << saved.error().because;
  }
  EXPECT_EQ(*load_list_body(database, body_hash(std::string(kMaxBodyBytes, 'a'))), "");
  EXPECT_EQ(load_list_body(database, memory.state.sha256)->size(), kMaxBodyBytes);
  const std::string larger(kMaxBodyBytes + 1, 'z');
  const auto write = snapshot(larger, kNow);
  EXPECT_TRUE(save_list(database, memory, &write));
  EXPECT_EQ(*load_list_body(database, body_hash(larger)), "") << "known by its hash alone";
}

TEST(ApiTable, AnAlteredBodyIsNoListOfOurs) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto write = snapshot("one", kNow);
    ASSERT_TRUE(save_list(*database, {}, &write));
  }
  {
    SQLite::Database raw(directory.file().string(), SQLite::OPEN_READWRITE);
    raw.exec("UPDATE api_body SET body = x'00'");
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(*load_list_body(*database, body_hash("one")), "");
}

WhitelistChange listed(unsigned i) {
  Whitelist none(10);
  AddRequest request;
  request.ip = address(i);
  request.source = {Source::api, "listed", "time-coin.io", kNow};
  return none.plan_add(request);
}

AuditOrigin api_origin() {
  return {.at = kNow, .actor = std::string(kActorApi), .via = "node"};
}

TEST(AuditedBatch, PartsAreOneTransactionThatNobodySeesBeforeItsEnd) {
  const StateDirectory directory;
  auto database = directory.open();
  ASSERT_TRUE(database);
  auto batch = AuditedBatch::begin(*database, api_origin());
  ASSERT_TRUE(batch);
  EXPECT_TRUE(database->batch_open());
  for (unsigned i = 1; i <= 3; ++i) {
    ASSERT_TRUE((*batch)->run([&](AuditScope& scope) { return apply(scope, listed(i)); }));
  }
  {
    auto reader = database->open_reader();
    ASSERT_TRUE(reader);
    EXPECT_TRUE(load_whitelist(*reader)->empty());
  }
  ASSERT_TRUE((*batch)->commit());
  EXPECT_FALSE(database->batch_open());
  EXPECT_EQ(load_whitelist(*database)->size(), 3U);
  const auto verdict = verify_audit(*database);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->ok) << verdict->problem;
  EXPECT_EQ(verdict->rows, 3U);
}

TEST(AuditedBatch, AnErrorOrAnEndWithoutCommitLeavesNothing) {
  auto database = Database::in_memory();
  {
    auto batch = AuditedBatch::begin(database, api_origin());
    ASSERT_TRUE(batch);
    ASSERT_TRUE((*batch)->run([&](AuditScope& scope) { return apply(scope, listed(1)); }));
    const auto failed = (*batch)->run([](AuditScope&) -> Result<void> {
      return Error{Code::invalid_argument, "no"};
    });
    EXPECT_FALSE(failed);
    EXPECT_FALSE(database.batch_open());
  }
  {
    auto batch = AuditedBatch::begin(database, api_origin());
    ASSERT_TRUE(batch);
    ASSERT_TRUE((*batch)->run([&](AuditScope& scope) { return apply(scope, listed(2)); }));
  }
  EXPECT_FALSE(database.batch_open());
  EXPECT_TRUE(load_whitelist(database)->empty());
  EXPECT_TRUE(apply_changes(database, api_origin(), std::vector{listed(3)}));
  EXPECT_EQ(verify_audit(database)->rows, 1U);
}

}  // namespace
}  // namespace timectl::store
