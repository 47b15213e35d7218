#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

struct Script {
  const char* shell;
  const char* file;
};
constexpr Script kScripts[] = {
    {"bash", "timectl.bash"}, {"zsh", "_timectl"}, {"fish", "timectl.fish"}};

std::string path_of_script(const Script& script) {
  return std::string(TIMECTL_SOURCE_DIR) + "/completions/" + script.file;
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// What bash offers for a line with the cursor at its end.
std::string completed(const Sandbox& sandbox, const std::string& line) {
  const std::string program =
      "PATH=" + std::filesystem::path(TIMECTL_BINARY).parent_path().string() + ":$PATH\n" +
      "source '" + path_of_script(kScripts[0]) + "'\n" + "COMP_LINE='" + line +
      "'; COMP_POINT=${#COMP_LINE}; COMP_WORDBREAKS=$' \\t\\n:='; _timectl\n"
      "printf '%s\\n' \"${COMPREPLY[@]}\" | sort -u\n";
  const auto ran = sandbox.run_program({"bash", "--norc", "-c", program});
  EXPECT_EQ(ran.err, "");
  return ran.out;
}

TEST(Completion, TheCommittedScriptsAreThoseOfTheTree) {
  const Sandbox sandbox;
  for (const auto& script : kScripts) {
    const auto made = sandbox.run({"completion", script.shell});
    ASSERT_EQ(made.status, 0) << made.err;
    if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
      std::ofstream(path_of_script(script), std::ios::binary) << made.out;
    }
    EXPECT_EQ(read(path_of_script(script)), made.out)
        << "run the test with TIMECTL_REWRITE_GOLDEN=1";
  }
}

TEST(Completion, EachShellAcceptsItsScript) {
  const Sandbox sandbox;
  for (const auto& script : kScripts) {
    const auto ran = sandbox.run_program({script.shell, "-n", path_of_script(script)});
    if (ran.status == 127) continue;  // the shell is not installed here
    EXPECT_EQ(ran.status, 0) << script.shell << ": " << ran.err;
    EXPECT_EQ(ran.err, "") << script.shell;
  }
}

TEST(Completion, BashCompletesCommandsOptionsAndWords) {
  const Sandbox sandbox;
  EXPECT_EQ(completed(sandbox, "timectl wh"), "whitelist\n");
  EXPECT_EQ(completed(sandbox, "timectl whitelist "),
            "add\napprove\nexport\nimport\nlist\npending\nreject\nremove\nshow\nsuggest\nverify\n");
  EXPECT_EQ(completed(sandbox, "timectl --json whitelist li"), "list\n");
  EXPECT_EQ(completed(sandbox, "timectl whitelist add --li"), "--liveness\n");
  EXPECT_EQ(completed(sandbox, "timectl whitelist add --liveness "), "lenient\nnever\nnormal\n");
  EXPECT_EQ(completed(sandbox, "timectl completion z"), "zsh\n");
  EXPECT_EQ(completed(sandbox, "timectl explain TC-WL-00"),
            "TC-WL-001\nTC-WL-002\nTC-WL-003\nTC-WL-004\n");
}

TEST(Completion, BashOffersLiveAddressesAndLabelsAlsoBehindColons) {
  const Sandbox sandbox;
  ASSERT_EQ(sandbox.run({"whitelist", "add", "203.0.113.7", "--label", "berlin"}).status, 0);
  ASSERT_EQ(sandbox.run({"whitelist", "add", "2001:db8::1"}).status, 0);
  EXPECT_EQ(completed(sandbox, "timectl peer show b"), "berlin\n");
  EXPECT_EQ(completed(sandbox, "timectl peer show 203"), "203.0.113.7\n");
  // Readline replaces what follows the last colon.
  EXPECT_EQ(completed(sandbox, "timectl peer show 2001:db8:"), ":1\n");
}

TEST(Completion, BashOffersTheSinksOfTheConfiguration) {
  Sandbox sandbox;
  EXPECT_EQ(completed(sandbox, "timectl alerts test p"), "\n");
  sandbox.set("TIMECTL_CONFIG",
              sandbox.write("t.toml", "[[alerts.sink]]\nname = \"pager\"\nkind = \"log\"\n"));
  EXPECT_EQ(completed(sandbox, "timectl alerts test p"), "pager\n");
}

TEST(Completion, NothingIsSaidWhereThereIsNothing) {
  const Sandbox sandbox;
  const auto broken = sandbox.write("broken.toml", "[node\n");
  for (const auto& words : {std::vector<std::string>{"__complete", "IP"},
                            {"--config", broken, "__complete", "IP"},
                            {"--data-dir", "/proc/nothing", "__complete", "IP"}}) {
    const auto ran = sandbox.run(words);
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, "");
  }
}

}  // namespace
}  // namespace timectl::testing
