// `whitelist import` at a terminal, and with a real node; what it prints is in golden/lists.txt.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

class Lists : public ::testing::Test {
 protected:
  // util-linux's script makes a terminal; what is typed waits in it for the question.
  Ran at_a_terminal(const std::string& arguments, const std::string& typed) {
    return sandbox_.run_program(
        {"script", "-qec", std::string(TIMECTL_BINARY) + " " + arguments, "/dev/null"}, typed);
  }
  bool have_terminal() { return at_a_terminal("version", "").status == 0; }
  std::string exported() { return sandbox_.run({"whitelist", "export"}).out; }

  Sandbox sandbox_;
};

TEST_F(Lists, AYesAtTheTerminalAppliesWhatWasShownAndAnythingElseDoesNot) {
  if (!have_terminal()) GTEST_SKIP() << "needs util-linux's script";
  (void)sandbox_.write("list.txt", "203.0.113.7\n");
  const auto empty = exported();
  for (const std::string typed : {"n\n", "\n", "nay\n", "yesterday\n"}) {
    const auto ran = at_a_terminal("whitelist import list.txt", typed);
    EXPECT_EQ(ran.status, 80) << typed << ran.out;
    EXPECT_NE(ran.out.find("apply? [y/N]"), std::string::npos) << ran.out;
    EXPECT_EQ(exported(), empty) << typed;
  }
  const auto ran = at_a_terminal("whitelist import list.txt", "y\n");
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_NE(ran.out.find("applied"), std::string::npos) << ran.out;
  EXPECT_NE(exported().find("203.0.113.7"), std::string::npos);
  const auto again = at_a_terminal("whitelist import list.txt", "");
  EXPECT_EQ(again.out.find("apply?"), std::string::npos) << "there is nothing to ask";
  EXPECT_EQ(again.status, 0);
}

TEST_F(Lists, WithoutATerminalNothingIsAppliedUnlessYesIsSaid) {
  const auto list = "203.0.113.7\n";
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-"}, list).status, 80);
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--dry-run"}, list).status, 0);
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--dry-run", "--yes"}, list).status, 0);
  EXPECT_EQ(exported().find("203.0.113.7"), std::string::npos);
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--yes"}, list).status, 0);
  EXPECT_NE(exported().find("203.0.113.7"), std::string::npos);
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-"}, list).status, 0) << "nothing to change";
}

TEST_F(Lists, APipeIsReadAndADirectoryIsNot) {
  const auto pipe = sandbox_.directory() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { (void)sandbox_.write("pipe", "203.0.113.7\n"); });
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "pipe", "--yes"}).status, 0);
  writer.join();
  EXPECT_EQ(sandbox_.run({"whitelist", "import", ".", "--yes"}).status, 74);
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-"}, std::string(5'000'000, '#')).status, 65);
}

TEST_F(Lists, ARunningNodeExportsAndImportsTheSameAsItsDatabase) {
  ASSERT_EQ(sandbox_.run({"node", "start", "--passive"}).status, 0);
  const std::string list =
      "203.0.113.7 label=berlin expires_at=2099-01-01T00:00:00Z reason=\"a # b\"\n2001:db8::1\n";
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--yes"}, list).status, 0);
  const auto live = exported();
  EXPECT_NE(live.find("berlin"), std::string::npos);
  EXPECT_EQ(sandbox_.run({"node", "stop"}).status, 0);
  EXPECT_EQ(exported(), live);
  for (const std::string form : {"text", "json", "toml"}) {
    const auto saved = sandbox_.run({"whitelist", "export", "--format", form}).out;
    EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--yes", "--replace"}, "10.0.0.1").status,
              0);
    EXPECT_NE(exported(), live);
    EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--yes", "--replace"}, saved).status, 0);
    EXPECT_EQ(exported(), live) << form;
  }
  // What `list --json` prints is a list as well.
  const auto rows = sandbox_.run({"whitelist", "list", "--json"}).out;
  EXPECT_EQ(sandbox_.run({"whitelist", "import", "-", "--replace", "--json"}, rows).status, 0);
}

}  // namespace
}  // namespace timectl::testing
