#include "daemon/diagnose/catalogue.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace timectl::diagnose {
namespace {

// The groups of the catalogue of failures and how many modes each has.
const std::vector<std::pair<char, int>> kGroups{{'R', 9},  {'H', 15}, {'K', 7},  {'D', 15},
                                                {'L', 8},  {'B', 14}, {'P', 14}, {'S', 19},
                                                {'X', 16}, {'C', 10}, {'A', 12}};

TEST(Catalogue, HoldsEveryModeOnceInTheOrderOfTheGroups) {
  std::vector<std::string> expected;
  for (const auto& [group, count] : kGroups) {
    for (int i = 1; i <= count; ++i) {
      expected.push_back(std::string("FM-") + group + std::to_string(i));
    }
  }
  std::vector<std::string> found;
  for (const auto& mode : catalogue()) found.emplace_back(mode.code);
  EXPECT_EQ(found, expected);
}

TEST(Catalogue, EveryModeSaysWhatItIsAndWhatToDo) {
  std::set<std::string_view> titles;
  std::set<std::string_view> names;
  for (const auto& mode : catalogue()) {
    EXPECT_FALSE(mode.title.empty()) << mode.code;
    EXPECT_LE(mode.title.size(), 60U) << mode.code << " " << mode.title;
    EXPECT_FALSE(mode.title.ends_with('.')) << mode.code;
    EXPECT_TRUE(mode.meaning.ends_with('.')) << mode.code;
    EXPECT_FALSE(mode.remedy.empty()) << mode.code;
    EXPECT_TRUE(titles.insert(mode.title).second) << mode.title;
    EXPECT_TRUE(names.insert(mode.name).second) << mode.name;
  }
}

TEST(Catalogue, FindsAModeByItsCodeAndNothingElse) {
  ASSERT_NE(find_mode("FM-K1"), nullptr);
  EXPECT_EQ(find_mode("FM-K1")->name, "HALF-OPEN");
  for (const char* wrong : {"", "FM-", "FM-K", "FM-K99", "fm-k1", "FM-K1 ", "TC-WL-001"}) {
    EXPECT_EQ(find_mode(wrong), nullptr) << wrong;
  }
}

}  // namespace
}  // namespace timectl::diagnose
