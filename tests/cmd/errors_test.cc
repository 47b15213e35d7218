// Every failure: the right exit status, words for people on stderr, and with --json valid JSON or
// nothing on stdout and one timectl.error/1 on stderr (FT-C10, FT-C11, FT-C13, FT-C16).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <sstream>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

struct Case {
  const char* name;
  std::vector<std::string> words;
  int status;
  const char* code;
};

std::vector<Case> cases() {
  return {
      {"unknown command", {"whitelst"}, 64, "TC-ARG-002"},
      {"unknown verb", {"whitelist", "ad", "203.0.113.7"}, 64, "TC-ARG-002"},
      {"missing verb", {"whitelist"}, 64, "TC-ARG-002"},
      {"unknown option", {"status", "--jsn"}, 64, "TC-ARG-002"},
      {"missing argument", {"whitelist", "add"}, 64, "TC-ARG-001"},
      {"too many arguments", {"peer", "show", "a", "b"}, 64, "TC-ARG-001"},
      {"dash as a command", {"-"}, 64, "TC-ARG-002"},
      {"dash as an address", {"whitelist", "add", "-"}, 64, "TC-WL-001"},
      {"empty", {"whitelist", "add", ""}, 64, "TC-ARG-001"},
      {"not UTF-8", {"whitelist", "add", "\xff\xfe"}, 64, "TC-ARG-001"},
      {"escape", {"whitelist", "add", "1.2.3.4", "--reason", "a\x1b[2J"}, 64, "TC-ARG-001"},
      {"very long", {"whitelist", "add", std::string(100'000, '1')}, 64, "TC-ARG-001"},
      {"CIDR", {"whitelist", "add", "1.2.3.4/33"}, 64, "TC-WL-001"},
      {"port", {"whitelist", "add", "1.2.3.4:24000"}, 64, "TC-WL-001"},
      {"unicode digits", {"whitelist", "add", "\u0661.\u0662.\u0663.\u0664"}, 64, "TC-WL-001"},
      {"wrong word", {"whitelist", "add", "1.2.3.4", "--liveness", "nomal"}, 64, "TC-ARG-001"},
      {"wrong duration", {"events", "--since", "yesterday"}, 64, "TC-ARG-001"},
      {"wrong timeout", {"status", "--timeout", "soon"}, 64, "TC-ARG-001"},
      {"no timeout", {"status", "--timeout"}, 64, "TC-ARG-001"},
      {"unknown network", {"status", "--network", "minnet"}, 64, "TC-ARG-001"},
      {"unknown code", {"explain", "TC-WL-01"}, 66, "TC-EXP-001"},
      {"unknown shell", {"completion", "tcsh"}, 64, "TC-ARG-001"},
      {"no node: stop", {"node", "stop"}, 69, "TC-NODE-001"},
      {"no node: reload", {"node", "reload"}, 69, "TC-NODE-001"},
      {"no node: info", {"node", "info"}, 69, "TC-NODE-001"},
      {"no node: follow", {"events", "--follow"}, 69, "TC-NODE-001"},
      {"no node: slots", {"slots"}, 69, "TC-NODE-001"},
      {"no file", {"wire", "decode", "/nowhere/x"}, 66, "TC-DATA-002"},
      {"no config", {"--config", "/nowhere/x.toml", "status"}, 66, "TC-DATA-002"},
      {"no backup", {"db", "restore", "/nowhere/x.db"}, 66, "TC-DATA-002"},
      {"unknown peer", {"peer", "show", "nobody"}, 66, "TC-PEER-001"},
  };
}

TEST(Errors, EachHasItsExitStatusAndSaysWhatToTry) {
  const Sandbox sandbox;
  for (const auto& one : cases()) {
    const auto ran = sandbox.run(one.words);
    EXPECT_EQ(ran.status, one.status) << one.name << "\n" << ran.err;
    EXPECT_EQ(ran.out, "") << one.name;
    EXPECT_TRUE(ran.err.starts_with("error: ")) << one.name << "\n" << ran.err;
    EXPECT_NE(ran.err.find("[" + std::string(one.code) + "]"), std::string::npos)
        << one.name << "\n"
        << ran.err;
    EXPECT_NE(ran.err.find("\n  try:     "), std::string::npos) << one.name << "\n" << ran.err;
    EXPECT_EQ(ran.err.find('\x1b'), std::string::npos) << one.name;
  }
}

TEST(Errors, WithJsonTheyAreOneObjectOnStderrAndNothingOnStdout) {
  const Sandbox sandbox;
  for (const auto& one : cases()) {
    auto words = one.words;
    words.emplace_back("--json");
    const auto ran = sandbox.run(words);
    EXPECT_EQ(ran.status, one.status) << one.name << "\n" << ran.err;
    EXPECT_EQ(ran.out, "") << one.name;
    boost::system::error_code failed;
    const auto value = json::parse(ran.err, failed);
    ASSERT_FALSE(failed) << one.name << "\n" << ran.err;
    EXPECT_EQ(value.at("schema").as_string(), "timectl.error/1");
    EXPECT_EQ(value.at("error").at("code").as_string(), one.code) << one.name;
    EXPECT_TRUE(value.at("error").at("message").is_string());
    EXPECT_TRUE(value.at("error").as_object().contains("because"));
    EXPECT_FALSE(value.at("error").at("try").as_array().empty()) << one.name;
  }
}

TEST(Errors, ASlipOfTheFingerIsGuessed) {
  const Sandbox sandbox;
  for (const auto& [words, guess] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"whitelst", "list"}, "did you mean whitelist?"},
           {{"whitelist", "lst"}, "did you mean list?"},
           {{"whitelist", "list", "--sorce", "api"}, "did you mean --source?"},
           {{"explain", "tc-wl-01"}, "did you mean TC-WL-001?"},
           {{"whitelist", "list", "--source", "manul"}, "manual"}}) {
    const auto ran = sandbox.run(words);
    EXPECT_NE(ran.err.find(guess), std::string::npos) << ran.err;
  }
}

TEST(Errors, DashesAreNoLikeness) {
  const Sandbox sandbox;
  const auto ran = sandbox.run({"status", "--by", "1h"});
  EXPECT_EQ(ran.status, 64);
  EXPECT_EQ(ran.err.find("did you mean"), std::string::npos) << ran.err;
}

TEST(Errors, AMissingValueIsSaidInPlainWords) {
  const Sandbox sandbox;
  const auto ran = sandbox.run({"status", "--timeout"});
  EXPECT_NE(ran.err.find("error: --timeout needs a value"), std::string::npos) << ran.err;
}

TEST(Errors, ALongReasonIsWrappedAndACommandToTryIsNot) {
  const Sandbox sandbox;
  const auto ran = sandbox.run({"events", "--kind", "foo"});
  EXPECT_EQ(ran.status, 64);
  std::istringstream lines(ran.err);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(Errors, AFilterThatMatchesNothingIsNotAnEmptyWhitelist) {
  const Sandbox sandbox;
  ASSERT_EQ(sandbox.run({"whitelist", "add", "203.0.113.7"}).status, 0);
  EXPECT_EQ(sandbox.run({"whitelist", "list", "--source", "api"}).out,
            "no address has the source api\n");
  EXPECT_EQ(sandbox.run({"audit", "list", "--actor", "nobody"}).out,
            "no recorded change matches\n");
}

TEST(Errors, AFullDiskBehindStdoutIsReported) {
  const Sandbox sandbox;
  const auto ran = sandbox.run_program(
      {"sh", "-c", std::string(TIMECTL_BINARY) + " explain --list > /dev/full"});
  EXPECT_EQ(ran.status, 74);
  EXPECT_NE(ran.err.find("TC-IO-001"), std::string::npos) << ran.err;
}

TEST(Errors, AClosedPipeEndsTheProcessWithoutAWord) {
  const Sandbox sandbox;
  const auto ran = sandbox.run_program(
      {"bash", "-c",
       std::string(TIMECTL_BINARY) + " config example | true; echo ${PIPESTATUS[0]}"});
  EXPECT_EQ(ran.err, "");
  EXPECT_TRUE(ran.out == "141\n" || ran.out == "0\n") << ran.out;
}

TEST(Errors, AConfigurationWithErrorsNamesAllOfThem) {
  const Sandbox sandbox;
  const auto file = sandbox.write("bad.toml", "[network]\nmax_conections = 3\nport = \"x\"\n");
  const auto ran = sandbox.run({"config", "check", file});
  EXPECT_EQ(ran.status, 78);
  EXPECT_NE(ran.out.find("bad.toml:2:1"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("bad.toml:3"), std::string::npos) << ran.out;
  EXPECT_EQ(sandbox.run({"--config", file, "whitelist", "list"}).status, 78);
}

TEST(Errors, ASecretThatCannotBeUsedIsAWarningOfConfigCheck) {
  const Sandbox sandbox;
  const auto secret = sandbox.write("hook.secret", "geheim\n");
  const auto file = sandbox.write(
      "t.toml",
      "[[alerts.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://e.org/K\"\n"
      "secret_file = \"" +
          secret + "\"\n");
  std::filesystem::permissions(secret, std::filesystem::perms(0644));
  const auto open = sandbox.run({"config", "check", file});
  EXPECT_EQ(open.status, 0) << "the file itself is valid\n" << open.err;
  EXPECT_NE(open.err.find("warning: the alert sink hook sends nothing"), std::string::npos)
      << open.err;
  EXPECT_NE(open.err.find("open to everybody"), std::string::npos) << open.err;
  const auto document = json::parse(sandbox.run({"config", "check", file, "--json"}).out);
  EXPECT_EQ(document.at("warnings").as_array().size(), 1U);
  std::filesystem::permissions(secret, std::filesystem::perms(0600));
  EXPECT_EQ(sandbox.run({"config", "check", file}).err, "") << "closed, it is fine";
  std::filesystem::remove(secret);
  EXPECT_NE(sandbox.run({"config", "check", file}).err.find("cannot be read"), std::string::npos);
}

// A process each; with a sanitizer each starts for a fifth of a second, so every eighth does there.
TEST(Explain, EveryCodeThatIsListedIsExplained) {
#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t kStep = 8;
#else
  constexpr std::size_t kStep = 1;
#endif
  const Sandbox sandbox;
  const auto list = json::parse(sandbox.run({"--json", "explain", "--list"}).out);
  const auto& codes = list.at("data").as_array();
  EXPECT_GT(codes.size(), 100U);
  for (std::size_t i = 0; i < codes.size(); i += kStep) {
    const std::string code(codes[i].at("code").as_string());
    const auto shown = sandbox.run({"explain", code});
    EXPECT_EQ(shown.status, 0) << code << shown.err;
    EXPECT_NE(shown.out.find("what"), std::string::npos) << code;
  }
}

}  // namespace
}  // namespace timectl::testing
