// The shipped timectl.toml and the table of keys cannot drift apart.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "config/keys.h"
#include "config/load.h"
#include "daemon/core/reflect.h"
#include "tests/paths.h"

namespace timectl::config {
namespace {

std::string shipped() {
  std::ifstream file(TIMECTL_SOURCE_DIR "/config/timectl.toml");
  return {std::istreambuf_iterator<char>(file), {}};
}

// "section.key" -> the value, for each "# key = value" or "key = value" line of the file. Lines
// with more indentation after the # are examples.
std::map<std::string, std::string> listed(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) section = line.substr(1, line.find(']') - 1);
    if (line.starts_with("# ")) line.erase(0, 2);
    const auto equals = line.find(" = ");
    if (equals == std::string::npos || section.empty() ||
        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != equals) {
      continue;
    }
    auto value = line.substr(equals + 3);
    value.erase(std::min(value.find("  #"), value.size()));
    value.erase(std::min(value.find(" # "), value.size()));
    while (value.ends_with(' ')) value.pop_back();
    EXPECT_TRUE(values.emplace(section + "." + line.substr(0, equals), value).second) << line;
  }
  return values;
}

TEST(DefaultFile, LoadsWithoutAProblemAndChangesNothing) {
  const auto checked = check_text(shipped(), "timectl.toml");
  EXPECT_EQ(render(checked.problems), "");
  EXPECT_TRUE(checked.config.placed.empty());
}

TEST(DefaultFile, ListsEveryKeyWithItsDefault) {
  const auto values = listed(shipped());
  const Config defaults;
  std::set<std::string> known;
  for (const auto& key : key_table()) {
    const auto name = std::string(key.section) + "." + std::string(key.name);
    known.insert(name);
    const auto found = values.find(name);
    if (found == values.end()) {
      ADD_FAILURE() << "timectl.toml does not list " << name;
    } else {
      EXPECT_EQ(found->second, value_text(defaults, key)) << name;
    }
  }
  for (const auto& [name, value] : values) {
    EXPECT_TRUE(known.contains(name)) << "timectl.toml lists " << name << ", which is no key";
  }
}

TEST(DefaultFile, LoadsWithEveryDefaultUncommented) {
  std::istringstream lines(shipped());
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const auto bare = line.starts_with("# ") ? line.substr(2) : line;
    const auto equals = bare.find(" = ");
    const bool is_key = equals != std::string::npos &&
                        bare.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == equals;
    text += (is_key ? bare : line) + "\n";
  }
  const auto checked = check_text(text, "timectl.toml");
  EXPECT_EQ(render(checked.problems), "");
  EXPECT_EQ(checked.config.placed.size(), key_table().size());
  const Config defaults;
  for (const auto& key : key_table()) {
    EXPECT_EQ(value_text(checked.config, key), value_text(defaults, key)) << key.name;
  }
}

TEST(DefaultFile, IsWhatTheBinaryPrints) {
  EXPECT_EQ(default_toml(), shipped());
}

template <class T>
void collect_leaves(T& object, const std::string& name, std::map<const void*, std::string>& out) {
  if constexpr (boost::describe::has_describe_members<T>::value) {
    for_each_member(object, [&](const char* member, auto& value) {
      collect_leaves(value, name + "." + member, out);
    });
  } else {
    out.emplace(&object, name);
  }
}

TEST(KeyTable, EveryNumberOfThePolicyHasOneKey) {
  Config config;
  std::map<const void*, std::string> leaves;
  collect_leaves(config.policy, "policy", leaves);
  ASSERT_GT(leaves.size(), 60U);
  for (const auto& key : key_table()) {
    const void* member = std::visit(
        [](const auto& m) -> const void* {
          if constexpr (std::is_same_v<std::decay_t<decltype(m)>, Word>) {
            return m.target;
          } else {
            return m;
          }
        },
        key.slot(config));
    leaves.erase(member);
  }
  for (const auto& [member, name] : leaves) ADD_FAILURE() << name << " has no key";
}

TEST(KeyTable, NamesAreUniqueAndSectionsStandTogether) {
  std::set<std::string> names;
  for (const auto& key : key_table()) {
    EXPECT_TRUE(names.insert(std::string(key.section) + "." + std::string(key.name)).second);
    EXPECT_FALSE(key.description.empty());
    EXPECT_LE(key.minimum, key.maximum);
  }
  const auto sections = section_names();
  EXPECT_EQ(std::set(sections.begin(), sections.end()).size(), sections.size());
}

TEST(KeyTable, BoundsHoldOnBothSides) {
  for (const auto& key : key_table()) {
    if (key.maximum == 0) continue;
    Config config;
    const bool is_real = std::holds_alternative<double*>(key.slot(config)) ||
                         std::holds_alternative<Duration*>(key.slot(config));
    const auto number = [&](double value) {
      return is_real ? Scalar(value) : Scalar(static_cast<std::int64_t>(value));
    };
    EXPECT_FALSE(assign(config, key, number(key.minimum))) << key.name;
    EXPECT_FALSE(assign(config, key, number(key.maximum))) << key.name;
    EXPECT_TRUE(assign(config, key, number(key.minimum - 1))) << key.name;
    EXPECT_TRUE(assign(config, key, number(key.maximum + 1))) << key.name;
    EXPECT_TRUE(assign(config, key, Scalar(true))) << key.name;
  }
}

}  // namespace
}  // namespace timectl::config
