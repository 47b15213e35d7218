#include "daemon/web/supply.h"

#include <gtest/gtest.h>

namespace timectl::web {
namespace {

using namespace std::chrono_literals;

struct SupplyTest : testing::Test {
  int questions = 0;
  std::vector<std::string> given;
  Supply supply{[this] { ++questions; }};
  void ask(Duration now) {
    supply.ask(now, [this](const Buffer& text) { given.push_back(text ? *text : "nothing"); });
  }
};

TEST_F(SupplyTest, ThoseWhoAskTogetherShareOneQuestion) {
  for (int i = 0; i < 3; ++i) ask(10s);
  EXPECT_EQ(questions, 1);
  EXPECT_TRUE(given.empty());
  supply.arrived("text", 10s);
  EXPECT_EQ(given, (std::vector<std::string>(3, "text")));
}

TEST_F(SupplyTest, AnAnswerIsGoodForASecond) {
  ask(10s);
  supply.arrived("one", 10s);
  ask(10900ms);
  EXPECT_EQ(questions, 1);
  ask(11s);
  EXPECT_EQ(questions, 2);
  supply.arrived("two", 11s);
  EXPECT_EQ(given, (std::vector<std::string>{"one", "one", "two"}));
}

TEST_F(SupplyTest, ANodeThatDoesNotAnswerIsGivenUp) {
  ask(10s);
  supply.tick(14900ms);
  EXPECT_TRUE(given.empty());
  supply.tick(15s);
  EXPECT_EQ(given, (std::vector<std::string>{"nothing"}));
  supply.arrived("late", 16s);  // serves the next
  ask(16s);
  EXPECT_EQ(given.back(), "late");
  EXPECT_EQ(questions, 1);
}

}  // namespace
}  // namespace timectl::web
