#include "daemon/log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace timectl {
namespace {

const WallTime kAt{std::chrono::milliseconds(1'795'000'000'123)};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(LogLine, TextHasTimeAndLevelAndTheLineAsItIs) {
  EXPECT_EQ(format_log_line({}, kAt, Severity::critical, "CRITICAL: gone", ""),
            rfc3339(kAt) + " crit  CRITICAL: gone");
}

TEST(LogLine, TheJournalGetsItsPrefixAndNoTime) {
  EXPECT_EQ(format_log_line({.journal = true}, kAt, Severity::warning, "slow", ""),
            "<4>warn  slow");
}

TEST(LogLine, JsonIsOneObjectWithTheEventInside) {
  const LogOptions options{.format = config::LogFormat::json};
  const auto line = format_log_line(options, kAt, Severity::notice, "a \"b\"", R"({"kind":"x"})");
  const auto value = boost::json::parse(line);
  EXPECT_EQ(value.at("message").as_string(), "a \"b\"");
  EXPECT_EQ(value.at("severity").as_string(), "notice");
  EXPECT_EQ(value.at("event").at("kind").as_string(), "x");
  EXPECT_EQ(boost::json::parse(format_log_line(options, kAt, Severity::info, "m", "")).at("at"),
            boost::json::value(rfc3339(kAt).c_str()));
}

class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "timectl-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(LogFile, RotatesBySizeAndKeepsTheNumberOfFiles) {
  const auto path = directory_ / "timectl.log";
  {
    Log log({.file = path.string(), .max_bytes = 4096, .files = 2});
    for (int i = 0; i < 400; ++i) log.write(kAt, Severity::info, "line " + std::to_string(i));
  }
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    EXPECT_LE(file.file_size(), 4096U);
    ++files;
  }
  EXPECT_EQ(files, 3U);  // the present one and two older
  EXPECT_NE(read(path).find("line 399\n"), std::string::npos);
}

TEST_F(LogFile, LinesBelowTheLevelAreNotWritten) {
  const auto path = directory_ / "timectl.log";
  Log log({.level = config::LogLevel::warning, .file = path.string()});
  log.write(kAt, Severity::info, "quiet");
  log.write(kAt, Severity::warning, "loud");
  log.reconfigure(config::LogLevel::info);
  log.write(kAt, Severity::info, "now heard");
  const auto text = read(path);
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("loud"), std::string::npos);
  EXPECT_NE(text.find("now heard"), std::string::npos);
}

TEST_F(LogFile, AFileThatCannotBeOpenedThrowsAtOnce) {
  EXPECT_ANY_THROW(
      Log({.file = (directory_ / "no" / "\0x").string() + "/" + std::string(300, 'x')}));
}

}  // namespace
}  // namespace timectl
