#include "cmd/screen_line.h"

#include <gtest/gtest.h>

namespace timectl::cmd {
namespace {

TEST(ScreenLine, ACutLineSaysThatSomethingFollows) {
  for (std::size_t width = 0; width <= 12; ++width) {
    ScreenLine line;
    line.add("abc", Paint::bad).add("def").add("ghi", Paint::good);
    line.cut_to(width);
    EXPECT_LE(line.width(), width);
    EXPECT_EQ(line.text().ends_with("…"), width > 0 && width < 9) << width << line.text();
  }
}

TEST(ScreenLine, CellsOfWideCharactersKeepTheirWidth) {
  for (const auto* text : {"", "a", "漢字漢字", "e\u0301", "abcdefghij"}) {
    for (std::size_t width = 1; width < 12; ++width) {
      for (const auto align : {Align::left, Align::right}) {
        ScreenLine line;
        line.cell(text, width, align);
        EXPECT_EQ(line.width(), width) << text;
      }
    }
  }
}

TEST(ScreenLine, TheLeftEndGivesWay) {
  ScreenLine left;
  left.add("a long sentence that does not fit");
  ScreenLine right;
  right.add("12:00");
  EXPECT_EQ(both_ends(left, right, 24).text(), "a long sentence t… 12:00");
  EXPECT_EQ(both_ends(left, right, 17).text(), "a long sentence …") << "no room for both";
}

TEST(Strip, AShortOutageIsSeenHoweverNarrowItIs) {
  Series day(96, 1.0);
  day[50] = 0.0;
  for (const std::size_t width : {8U, 20U, 96U, 200U}) {
    const auto line = strip(day, width);
    EXPECT_EQ(line.width(), std::min<std::size_t>(width, 96));
    EXPECT_NE(line.text().find("▁"), std::string::npos) << width;
  }
  day[50] = 1.0;
  EXPECT_EQ(strip(day, 20).text().find("▁"), std::string::npos);
}

TEST(Strip, UnknownIsNotZero) {
  EXPECT_EQ(strip({std::nullopt, 0.0, 0.5, 0.9999, 1.0}, 5).text(), "·▁▄██");
}

TEST(Chart, IsAsHighAsItsGreatestValueAndKeepsALittle) {
  const auto lines =
      chart({0.0, 1.0, 50.0, 100.0, std::nullopt}, 100, 5, 2, Keep::greatest, Paint::good);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text(), "   █");
  EXPECT_EQ(lines[1].text(), "▁▁██·");
  for (const auto& value : {-5.0, 0.0, 1e300}) {
    EXPECT_EQ(chart({value}, 0, 5, 3, Keep::least, Paint::good).size(), 3U);
  }
}

}  // namespace
}  // namespace timectl::cmd
