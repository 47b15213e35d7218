#include "store/peers_table.h"

#include <gtest/gtest.h>

#include "daemon/core/json.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

PeerMemory peer(std::size_t number) {
  PeerMemory memory;
  memory.ip = address(number);
  memory.masternode_claimed = true;
  memory.last_connected_at = kNow;
  memory.last_heard_at = kNow + std::chrono::seconds(number);
  memory.next_attempt_at = kNow + std::chrono::hours(4);
  memory.last_reason = EndReason::rejected_notice;
  memory.attempts = number;
  memory.recent_attempts = {kNow, kNow + std::chrono::seconds(2)};
  memory.last_text = "too old";
  return memory;
}

template <class T>
std::string text(const T& value) {
  return json::serialize(to_json(value));
}

TEST(PeersTable, EveryFieldComesBackAndTheLatestVersionWins) {
  const StateDirectory directory;
  auto changed = peer(1);
  changed.attempts = 9;
  changed.recent_attempts.clear();
  changed.last_reason = {};
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(save_peers(*database, std::vector{peer(1), peer(2)}, Durability::durable));
    ASSERT_TRUE(save_peers(*database, std::vector{changed}));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  EXPECT_EQ(text(*load_peers(*database, 10)), text(std::vector{peer(2), changed}));
  EXPECT_EQ(text(*load_peers(*database, 1)), text(std::vector{peer(2)}));
  ASSERT_TRUE(forget_peers(*database, std::vector{address(2)}));
  EXPECT_EQ(text(*load_peers(*database, 10)), text(std::vector{changed}));
}

TEST(PeersTable, AttemptsAndTextAreCut) {
  auto database = Database::in_memory();
  auto memory = peer(1);
  memory.recent_attempts.clear();
  for (int i = 0; i < 40; ++i) memory.recent_attempts.push_back(kNow + std::chrono::seconds(i));
  memory.last_text = std::string(1000, 'x') + "\x1b";
  ASSERT_TRUE(save_peers(database, std::vector{memory}));
  const auto back = load_peers(database, 1)->front();
  ASSERT_EQ(back.recent_attempts.size(), kMaxRecentAttempts);
  EXPECT_EQ(back.recent_attempts.back(), kNow + std::chrono::seconds(39));
  EXPECT_EQ(back.last_text.size(), kMaxPeerTextBytes);
}

TEST(PeersTable, HasAnEndAndForgetsAddressesNeverConnectedFirst) {
  auto database = Database::in_memory();
  auto old_friend = peer(0);
  ASSERT_TRUE(save_peers(database, std::vector{old_friend}));
  std::vector<PeerMemory> flood;
  for (std::size_t i = 1; i <= kMaxPeerRows; ++i) {
    PeerMemory memory;
    memory.ip = address(i);
    memory.last_heard_at = kNow + std::chrono::hours(1);
    flood.push_back(memory);
  }
  ASSERT_TRUE(save_peers(database, flood));
  const auto peers = *load_peers(database, kMaxPeerRows);
  EXPECT_EQ(peers.size(), kMaxPeerRows);
  EXPECT_EQ(peers.back().ip, old_friend.ip);
}

TEST(PeersTable, EditedRowsAreDamageNamedByAddress) {
  for (const char* sql :
       {"UPDATE peers SET recent_attempts = '1,'", "UPDATE peers SET recent_attempts = '1,,2'",
        "UPDATE peers SET recent_attempts = '-1'", "UPDATE peers SET recent_attempts = 'x'",
        "UPDATE peers SET recent_attempts = '99999999999999999999'",
        "UPDATE peers SET recent_attempts = '1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1'",
        "UPDATE peers SET last_reason = 'bored'", "UPDATE peers SET attempts = -1",
        "UPDATE peers SET last_text = CAST(zeroblob(201) AS TEXT)"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(save_peers(*database, std::vector{peer(1)}));
    }
    tamper(directory.file(), sql);
    auto database = directory.open();
    ASSERT_TRUE(database);
    auto peers = load_peers(*database, 10);
    ASSERT_FALSE(peers) << sql;
    EXPECT_EQ(peers.error().code, Code::database_damaged);
    EXPECT_NE(peers.error().message.find("row 10.0.0.1"), std::string::npos);
  }
}

}  // namespace
}  // namespace timectl::store
