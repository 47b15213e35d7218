#include "cmd/output.h"

#include <gtest/gtest.h>

#include "cmd/table.h"

namespace timectl::cmd {
namespace {

struct Row {
  std::string name = {};
  std::optional<double> ratio = {};
  std::optional<std::string> empty = {};
};

TEST(JsonText, EscapesWhatCouldDriveATerminal) {
  EXPECT_EQ(json_text("a\x1b[31m\n\"\\\x7f"), R"("a\u001b[31m\n\"\\\u007f")");
  EXPECT_EQ(json_text("\u202e\u200b\u0085"), R"("\u202e\u200b\u0085")");
  EXPECT_EQ(json_text("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
}

TEST(JsonText, BrokenUtf8BecomesTheReplacementCharacter) {
  for (const char* broken : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3"}) {
    const auto text = json_text(broken);
    EXPECT_TRUE(text.starts_with("\"\\ufffd")) << text;
    boost::system::error_code failed;
    (void)json::parse(text, failed);
    EXPECT_FALSE(failed) << text;
  }
}

TEST(JsonText, NumbersAreShortAndValid) {
  EXPECT_EQ(json_text(json::array{1.5, 0.1, 1e300, -2, 18446744073709551615U}),
            "[1.5,0.1,1e+300,-2,18446744073709551615]");
  EXPECT_EQ(json_text(std::numeric_limits<double>::infinity()), "null");
}

TEST(Human, NumbersReadWell) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1234), "1.2 kB");
  EXPECT_EQ(human_bytes(999'999), "1.0 MB");
  EXPECT_EQ(human_bytes(45'000'000), "45 MB");
  EXPECT_EQ(percent(0), "0 %");
  EXPECT_EQ(percent(0.034), "3.4 %");
  EXPECT_EQ(percent(0.34), "34 %");
}

TEST(Table, UnknownIsADashAndAnEmptyColumnIsLeftOut) {
  Output output;
  const std::vector<Row> rows{{"a", 0.5, {}}, {"bb", {}, {}}};
  EXPECT_EQ(Table(output, rows)
                .column("NAME", &Row::name)
                .column("NOTHING", &Row::empty)
                .column("RATIO", &Row::ratio, Align::right)
                .text(),
            "NAME  RATIO\n"
            "a      0.50\n"
            "bb        -\n");
}

TEST(Table, NoLineIsWiderThan100ColumnsAndTheWidestColumnGivesWay) {
  Output output;
  const std::vector<Row> rows{{std::string(150, 'x'), 0.5, std::string("kept whole")}};
  const auto text = Table(output, rows)
                        .column("NAME", &Row::name)
                        .column("RATIO", &Row::ratio)
                        .column("TEXT", &Row::empty)
                        .text();
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    EXPECT_LE(display_width(text.substr(at, end - at)), kMaxWidth);
    at = end + 1;
  }
  EXPECT_NE(text.find("x…"), std::string::npos);
  EXPECT_NE(text.find("kept whole"), std::string::npos);
}

TEST(Table, OnANarrowTerminalTheTextAtTheEndGivesWay) {
  Output output;
  output.configure({.width_out = 60}, Now{});
  const std::vector<Row> rows{{std::string(30, 'n'), 0.5, std::string(50, 't')}};
  EXPECT_EQ(Table(output, rows)
                .column("NAME", &Row::name)
                .column("RATIO", &Row::ratio)
                .column("TEXT", &Row::empty)
                .text(),
            "NAME" + std::string(28, ' ') + "RATIO  TEXT\n" + std::string(30, 'n') + "  0.50   " +
                std::string(20, 't') + "…\n");
}

TEST(Table, WhatAPeerChoseCannotDriveTheTerminal) {
  Output output;
  const std::vector<Row> rows{{"evil\x1b[2J\nnext", {}, {}}};
  const auto text = Table(output, rows).column("NAME", &Row::name).text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Table, WideAndCombiningCharactersAreMeasured) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("\xe6\x97\xa5"), 2U);  // CJK
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);     // combining acute
}

TEST(Output, TimesAreUtcWithAZOrLocal) {
  Output output;
  const WallTime at = *parse_rfc3339("2026-11-21T11:30:00Z");
  output.configure({.utc = true}, Now{});
  EXPECT_EQ(output.time(at), "2026-11-21 11:30:00Z");
}

}  // namespace
}  // namespace timectl::cmd
