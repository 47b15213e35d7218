#include <gtest/gtest.h>

#include "tests/store/sample_rows_of.h"

namespace timectl::store {
namespace {

StoredScore stored(std::size_t peer, WallTime at) {
  StoredScore score;
  score.ip = address(peer);
  score.state.at = at;
  score.state.loss = {123'456'789'012, 9'000'000'000'000};
  score.state.usual_rtt = {1, 2, 3, 4, 5};
  score.state.disconnects = -7;
  score.state.ended_at = at;
  score.state.ended_by = EndReason::unresponsive;
  return score;
}

TEST(ScoresTable, StatesComeBackTheNewestFirst) {
  const StateDirectory directory;
  {
    auto database = directory.open();
    ASSERT_TRUE(database);
    ASSERT_TRUE(save_scores(*database, {}));
    ASSERT_TRUE(save_scores(*database, std::vector{stored(1, kDay0), stored(2, kDay0)}));
    ASSERT_TRUE(save_scores(*database, std::vector{stored(1, kDay0 + seconds(1))}));
  }
  auto database = directory.open();
  ASSERT_TRUE(database);
  const auto scores = *load_scores(*database);
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(scores[0].ip, address(1));
  EXPECT_TRUE(scores[0].state == stored(1, kDay0 + seconds(1)).state);
  EXPECT_TRUE(scores[1].state == stored(2, kDay0).state);
}

TEST(ScoresTable, OldestGoWhereThereAreTooMany) {
  auto database = Database::in_memory();
  std::vector<StoredScore> scores;
  for (std::size_t i = 0; i < kMaxScores + 10; ++i) {
    scores.push_back(stored(i, kDay0 + seconds(static_cast<int>(i))));
  }
  ASSERT_TRUE(save_scores(database, scores));
  const auto loaded = *load_scores(database);
  ASSERT_EQ(loaded.size(), kMaxScores);
  EXPECT_EQ(loaded.back().ip, address(10));
}

TEST(ScoresTable, EditedRowsAreDamageNamed) {
  for (const char* sql :
       {"UPDATE scores SET state = 'x'", "UPDATE scores SET state = '{\"luck\":1}'",
        "UPDATE scores SET state = '{\"at\":5}'", "UPDATE scores SET ip = 'host'",
        "UPDATE scores SET state = printf('%.*c', 5000, 'x')",
        "UPDATE scores SET state = printf('%.*c', 4000, '[')",
        "UPDATE scores SET state = '{\"disconnects\":1e99}'"}) {
    const StateDirectory directory;
    {
      auto database = directory.open();
      ASSERT_TRUE(database);
      ASSERT_TRUE(save_scores(*database, std::vector{stored(1, kDay0)}));
    }
    tamper(directory.file(), sql);
    auto database = directory.open();
    ASSERT_TRUE(database);
    const auto scores = load_scores(*database);
    ASSERT_FALSE(scores) << sql;
    EXPECT_EQ(scores.error().code, Code::database_damaged) << sql;
    EXPECT_NE(scores.error().message.find("table scores, row"), std::string::npos);
  }
}

}  // namespace
}  // namespace timectl::store
