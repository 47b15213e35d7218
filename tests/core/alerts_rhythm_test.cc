// Conditions that come and go: none of their rhythms keeps them from being told.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>

#include "tests/core/alerts_shell.h"

namespace timectl {
namespace {

using AlertsRhythmTest = AlertsTest;

// The reviewer's rhythms: the down times are shorter than the hold time, for ever.
TEST_F(AlertsRhythmTest, APeerThatComesAndGoesIsToldWhateverItsRhythm) {
  for (const auto& [up, away] : {std::pair{20s, 25s}, {5s, 25s}, {1s, 28s}, {28s, 29s}}) {
    alerts = Alerts();
    std::vector<AlertNotice> told;
    for (Duration passed{}; passed < 24h; passed += up + away) {
      for (auto& notice : run({down()}, away)) told.push_back(std::move(notice));
      for (auto& notice : run({}, up)) told.push_back(std::move(notice));
    }
    ASSERT_FALSE(told.empty()) << away.count();
    EXPECT_LE(*told[0].alert.told_at - told[0].alert.since, 5min);
    EXPECT_LE(told.size(), 7U) << "told once, and repeated every four hours";
    (void)run({}, 2min);
  }
}

TEST_F(AlertsRhythmTest, AMomentNowAndThenIsNotTold) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(run({down()}, 10s).empty());
    EXPECT_TRUE(run({}, 40s).empty());
  }
  EXPECT_TRUE(run({}, 60s).empty());
  EXPECT_TRUE(alerts.open().empty()) << "what was pending is forgotten";
}

TEST_F(AlertsRhythmTest, ACauseThatNeverFiresHidesNothingForLongerThanItsHoldTime) {
  for (const auto& [up, away] : {std::pair{5s, 25s}, {20s, 10s}, {1s, 28s}, {10s, 20s}}) {
    alerts = Alerts();
    const std::vector<AlertCondition> four{down("1"), down("2"), down("3"), down("4")};
    auto all = four;
    all.push_back(down("5"));
    all.push_back(about(no_masternode));
    std::size_t told = 0;
    for (Duration passed{}; passed < 70s; passed += up + away) {
      told += run(all, away).size();
      told += run(four, up).size();
    }
    EXPECT_GT(told, 0U) << away.count();
  }
}

TEST_F(AlertsRhythmTest, ACauseThatIsAboutToFireIsToldInThePlaceOfWhatFollowsFromIt) {
  EXPECT_TRUE(run({down()}, 20s).empty());
  const auto told = run({down(), about(no_masternode)}, 1h);
  ASSERT_EQ(kinds(told), Kinds{NoticeKind::fired});
  EXPECT_EQ(told[0].alert.rule, no_masternode);
}

// Random rhythms of four peers, with their common cause: whoever is away for more than half of ten
// minutes is told of in that time, himself or by what hides him, and nobody is told without end.
TEST_F(AlertsRhythmTest, WhoIsAwayForHalfOfTenMinutesIsToldOf) {
  constexpr int kPeers = 4;
  constexpr int kWindow = 600;
  constexpr int kDay = 24 * 3600;
  // Six an hour (two firings with their ends, a flapping one with its end), and what is repeated.
  constexpr std::size_t kMostADay = 6 * 24 + 6;
  std::size_t checked = 0;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    alerts = Alerts();
    std::mt19937 random(seed);
    const auto longest = 2 + random() % 90;
    std::array<int, kPeers> next{};
    std::array<bool, kPeers> away{};
    std::array<std::deque<bool>, kPeers> past;
    std::array<int, kPeers> covered{};  // until when
    std::map<std::pair<AlertRule, std::string>, std::size_t> told;
    for (int second = 0; second < kDay; ++second) {
      std::vector<AlertCondition> holding;
      int down_now = 0;
      for (std::size_t i = 0; i < kPeers; ++i) {
        if (second >= next[i]) {
          away[i] = !away[i];
          next[i] = second + 1 + static_cast<int>(random() % longest);
        }
        if (!away[i]) continue;
        ++down_now;
        holding.push_back(down(std::to_string(i)));
      }
      if (down_now == kPeers) holding.push_back(about(no_masternode));
      look.holding = holding;
      alerts.evaluate(look, now);
      for (const auto& notice : alerts.take_notices()) {
        ++told[{notice.alert.rule, notice.alert.object}];
      }
      const auto* whole = alerts.find(no_masternode, "");
      for (std::size_t i = 0; i < kPeers; ++i) {
        const auto* own = alerts.find(masternode_down, std::to_string(i));
        for (const auto* alert : {whole, own}) {
          if (alert != nullptr && alert->told_at) covered[i] = second + kWindow;
        }
        past[i].push_back(away[i]);
        if (past[i].size() > kWindow) past[i].pop_front();
        if (second % 10 != 0 || past[i].size() < kWindow) continue;
        const auto gone = std::ranges::count(past[i], true);
        if (gone <= kWindow / 2) continue;
        ++checked;
        ASSERT_GE(covered[i], second) << "seed " << seed << ", peer " << i;
      }
      alerts.saved();
      advance(1s);
    }
    for (const auto& [key, count] : told) EXPECT_LE(count, kMostADay) << key.second;
  }
  EXPECT_GT(checked, 1000U) << "the test does nothing";
}

}  // namespace
}  // namespace timectl
