// What blocks may cost a session, with exact times.
#include "daemon/net/block_budgets.h"

#include <gtest/gtest.h>

#include <optional>

namespace timectl::net {
namespace {

using namespace std::chrono_literals;

Instant at(Duration since) {
  return Instant(1h + since);
}

TEST(BlockBudgetsTest, BytesThatNobodyAskedForAllCount) {
  AskedBytes asked;
  EXPECT_EQ(asked.unasked(1000, at(0s)), 1000U);
}

TEST(BlockBudgetsTest, AnAnswerIsFreeUpToItsLimitAndUntilItHasCome) {
  AskedBytes asked;
  asked.asked(1000, at(0s));
  EXPECT_EQ(asked.unasked(600, at(1s)), 0U);
  EXPECT_EQ(asked.unasked(600, at(2s)), 200U) << "more than a frame";
  asked.answered();
  asked.asked(1000, at(3s));
  asked.answered();
  EXPECT_EQ(asked.unasked(10, at(3s)), 10U) << "what is left of an answer is not kept";
}

TEST(BlockBudgetsTest, AskingAgainWhileAnAnswerIsDueGivesNothing) {
  AskedBytes asked;
  asked.asked(1000, at(0s));
  EXPECT_EQ(asked.unasked(900, at(1s)), 0U);
  asked.asked(1000, at(2s));
  EXPECT_EQ(asked.unasked(900, at(3s)), 800U);
}

TEST(BlockBudgetsTest, AnAnswerThatDoesNotComeIsFreeForAMinute) {
  AskedBytes asked;
  asked.asked(1000, at(0s));
  EXPECT_EQ(asked.unasked(10, at(59'999ms)), 0U);
  EXPECT_EQ(asked.unasked(10, at(60s)), 10U);
  asked.asked(1000, at(61s));
  EXPECT_EQ(asked.unasked(1000, at(61s)), 0U) << "and may be asked for anew";
}

TEST(BlockBudgetsTest, ASessionHoldsOneAnswerAndAllTogetherTheLimit) {
  ServedPool pool(250);
  std::optional<ServedBytes> first(pool);
  ServedBytes second(pool);
  ServedBytes third(pool);
  EXPECT_TRUE(first->hold(100, at(0s)));
  EXPECT_FALSE(first->room(1)) << "its own is still under way";
  EXPECT_FALSE(first->hold(1, at(0s)));
  EXPECT_TRUE(second.hold(100, at(0s)));
  EXPECT_FALSE(third.hold(51, at(0s)));
  EXPECT_TRUE(third.room(50));
  second.sent();
  EXPECT_TRUE(third.hold(51, at(0s)));
  first.reset();
  EXPECT_EQ(pool.held(), 51U) << "a session that ends gives back what it held";
}

TEST(BlockBudgetsTest, WhoDoesNotTakeAnAnswerWithinAMinuteIsOverdue) {
  ServedPool pool(1000);
  ServedBytes served(pool);
  EXPECT_FALSE(served.overdue(at(0s)));
  ASSERT_TRUE(served.hold(100, at(0s)));
  EXPECT_FALSE(served.overdue(at(59'999ms)));
  EXPECT_TRUE(served.overdue(at(60s)));
  served.sent();
  EXPECT_FALSE(served.overdue(at(60s)));
}

}  // namespace
}  // namespace timectl::net
