#include "config/toml_guard.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace timectl::config {
namespace {

std::string refused(std::string_view text) {
  const auto problems = unsafe_to_parse(text, "t.toml");
  return problems.empty() ? "" : problems.front().message;
}

TEST(TomlGuard, OrdinaryFilesPass) {
  EXPECT_EQ(refused(""), "");
  EXPECT_EQ(refused("a = 1\r\nb = \"\\\"[[[[[[[[[[[[\" # [[[[[[[[[[[[[[[\n"), "");
  EXPECT_EQ(refused("s = 'gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80'\n"), "");
  EXPECT_EQ(refused("n = 9223372036854775\nh = 0xffff_ffff\nf = 1.5e3\n"), "");
}

TEST(TomlGuard, InvalidUtf8IsRefusedWithItsPlace) {
  for (const std::string_view bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                     "\xe2\x82", "\x80", "\xf8\x88\x80\x80\x80"}) {
    const auto problems = unsafe_to_parse("a = 1\nb = \"" + std::string(bad) + "\"\n", "t.toml");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].message, "the file is not UTF-8");
    EXPECT_EQ(problems[0].line, 2U);
    EXPECT_EQ(problems[0].column, 6U);
  }
}

TEST(TomlGuard, ControlCharactersAreRefused) {
  EXPECT_EQ(refused(std::string_view("a = \"\0\"\n", 8)), "the file holds a control character");
  EXPECT_EQ(refused("a = 1\rb = 2\n"), "the file holds a control character");
}

TEST(TomlGuard, DeepNestingIsRefused) {
  EXPECT_EQ(refused("a = " + std::string(8, '[') + std::string(8, ']') + "\n"), "");
  EXPECT_EQ(refused("a = " + std::string(9, '[') + "\n"), "the nesting is too deep");
  EXPECT_EQ(refused("a = " + std::string(100'000, '[') + "\n"), "the nesting is too deep");
  // Closing brackets in texts and comments do not count.
  std::string tricky = "a = ";
  for (int i = 0; i < 20; ++i) tricky += "[\"]\", ";
  EXPECT_EQ(refused(tricky), "the nesting is too deep");
}

TEST(TomlGuard, ManyDotsAreRefused) {
  std::string key = "a";
  for (int i = 0; i < 1000; ++i) key += ".a";
  EXPECT_EQ(refused(key + " = 1\n"), "too many dots in one line");
}

TEST(TomlGuard, LargeIntegersAreRefused) {
  EXPECT_EQ(refused("a = 999999999999999999\n"), "");
  EXPECT_EQ(refused("a = 9999999999999999999\n"), "the number is too large");
  EXPECT_EQ(refused("a = 9_9_9_9_9_9_9_9_9_9_9_9_9_9_9_9_9_9_9_9\n"), "the number is too large");
  EXPECT_EQ(refused("a = 0xffffffffffffffffff\n"), "the number is too large");
}

TEST(TomlGuard, TextsEndInTheirLine) {
  EXPECT_EQ(refused("a = \"x\nb = 1\n"), "the text is not closed in its line");
  EXPECT_EQ(refused("a = \"x\\\n"), "the text is not closed in its line");
  EXPECT_EQ(refused("a = \"\"\"x\"\"\"\n"), "multi-line texts are not supported");
  EXPECT_EQ(refused("a = '''x'''\n"), "multi-line texts are not supported");
  EXPECT_EQ(refused("a = ''\nb = \"\"\n"), "");
}

// Each of these ended the process: found by the fuzz target whitelist_file.
TEST(TomlGuard, AKeyThroughAnEmptyListIsRefused) {
  for (const std::string_view bad :
       {"a = []\na.b = 1\n", "a = []\n[a.b]\n", "a = []\n[[a.b]]\n", "x = {a = [], a.b = 1}\n",
        "a = [ # x\n  # y\n ]\na.b = 1\n", "\"a\" = []\na.b=1\n", "'a'=[]\n\"a\" . b=1\n",
        "[n]\na = []\n[n.a.b]\n", "[n]\na = []\n  [ n . a . b ]\n", "n.a = []\nn.a.b = 1\n",
        "1a-_ = []\n1a-_.b = 1\n", "a = []\r\na.b = 1\r\n",
        "ss = []\n1wch0.3.30= []\nw= []\nw.0.1h3.30= []\n"}) {
    EXPECT_NE(refused(bad).find("is an empty list"), std::string::npos) << bad;
    EXPECT_FALSE(check_text(bad, "t.toml").problems.empty()) << bad;
  }
  EXPECT_EQ(refused("\"a\\u0062\" = []\nab.x = 1\n"), "the name of a key has an escape in it");
  const auto problems = unsafe_to_parse("\na = []\n[a.b]\n", "t.toml");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].line, 3U);
  for (const std::string_view good :
       {"a = []\nb.a = 1\n", "a = [1]\nb = []\n[c.b]\n", "a = []\nb = [\"a\", \"c\\\\d\"]\n",
        "a = []\nb = 1.5 # a.c = 1\n", "a = []\nb = \"a.c = 1\"\n", "a = [[1]]\nb = [\n]\n[c]\n",
        "a = []\nb = \"\\\\\"\nc.d = 1\n", "command = [\"a.b\", \"=\"]\nx = 'c\\d'\n"}) {
    EXPECT_EQ(refused(good), "") << good;
  }
}

TEST(TomlGuard, SizeIsBounded) {
  EXPECT_EQ(refused("#" + std::string(kMostBytes - 1, ' ')), "");
  EXPECT_EQ(refused("#" + std::string(kMostBytes, ' ')), "the file is larger than 1048576 bytes");
}

TEST(TomlGuard, WhatIsRefusedIsNotParsed) {
  const auto checked = check_text("[network]\nport = 1\nbad = \"\xff\"\n", "t.toml");
  ASSERT_EQ(checked.problems.size(), 1U);
  EXPECT_EQ(checked.config.network.port, 0);
}

}  // namespace
}  // namespace timectl::config
