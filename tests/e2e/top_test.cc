// `timectl top` in a real terminal, beside real nodes: what is seen, how it follows, how it leaves.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/e2e/terminal_pane.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Neither gone nor a zombie that nobody has waited for.
bool is_running(pid_t pid) {
  const auto stat = read("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

struct Top : testing::Test {
  void SetUp() override {
    node.start();
    ASSERT_EQ(node.timectl({"whitelist", "add", peer.address(), "--label", "berlin"}).status, 0);
  }
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), "top");
    return node.command(std::move(more));
  }

  Sandbox sandbox;
  NodeProcess node{sandbox, "127.38.1.2", ""};
  NodeProcess peer{sandbox, "127.38.1.3", ""};
};

TEST_F(Top, ShowsAMasternodeThatDiesAndComesBack) {
  peer.start();
  // It dials, too, so that it is back as soon as it is up.
  ASSERT_EQ(peer.timectl({"whitelist", "add", node.address()}).status, 0);
  ASSERT_TRUE(wait_for([&] { return node.connected_to(peer.address()); }, 20s));
  TerminalPane pane(sandbox, "pane", 80, 24);
  pane.start(command());
  ASSERT_TRUE(pane.shows("> connected 127.38.1.3 berlin")) << pane.screen();
  EXPECT_TRUE(pane.shows("Masternodes 1 of 1 connected")) << pane.screen();
  peer.kill9();
  EXPECT_TRUE(pane.shows("Masternodes 0 of 1 connected")) << pane.screen();
  EXPECT_TRUE(pane.shows(", again in")) << pane.screen();
  EXPECT_TRUE(pane.shows("Whitelisted peer 127.38.1.3 disconnected")) << pane.screen();
  EXPECT_TRUE(pane.shows(" CRITICAL ")) << pane.screen();
  peer.start();
  EXPECT_TRUE(pane.shows("> connected 127.38.1.3 berlin")) << pane.screen();
}

TEST_F(Top, FollowsKeysAndTheSizeOfTheWindow) {
  TerminalPane pane(sandbox, "pane", 160, 50);
  pane.start(command());
  ASSERT_TRUE(pane.shows("berlin")) << pane.screen();
  const std::vector<std::pair<std::string, std::string>> keys{{"a", "SEVERITY WHAT, STATE"},
                                                              {"e", "THE NEWEST FIRST"},
                                                              {"c", "Expected"},
                                                              {"Tab", "STATE"},
                                                              {"Enter", "Last heard"},
                                                              {"Escape", "STATE"},
                                                              {"?", "Ctrl-L"},
                                                              {"Escape", "STATE"},
                                                              {"s", "IP▾"},
                                                              {"r", "IP▴"},
                                                              {"p", "PAUSED"}};
  for (const auto& [key, seen] : keys) {
    pane.press(key);
    EXPECT_TRUE(pane.shows(seen)) << key << "\n" << pane.screen();
  }
  pane.press("Space");
  EXPECT_TRUE(pane.hides("PAUSED"));
  pane.type("/nobody");
  EXPECT_TRUE(pane.shows("no masternode matches")) << pane.screen();
  pane.press("Escape");
  EXPECT_TRUE(pane.shows("berlin")) << pane.screen();
  pane.resize(80, 24);
  EXPECT_TRUE(pane.shows("m masternodes a alerts e events c chain")) << pane.screen();
  pane.resize(50, 12);
  EXPECT_TRUE(pane.shows("50x12 is small: 80x24 shows more")) << pane.screen();
  EXPECT_TRUE(pane.shows("berlin")) << pane.screen();
  pane.resize(100, 30);
  EXPECT_TRUE(pane.hides("is small")) << pane.screen();
  pane.press("q");
  EXPECT_EQ(pane.await_prompt(), 0);
}

TEST_F(Top, LeavesTheTerminalAsItWasHoweverItEnds) {
  TerminalPane pane(sandbox, "pane", 80, 24);
  // What the next program of the same shell finds; a prompt has settings of its own.
  const std::string around =
      "trap : INT; stty -g >before; stty -g >after; \"$@\"; status=$?; stty -g >after; exit "
      "$status";
  pane.type("cd " + sandbox.path());
  pane.press("Enter");
  (void)pane.await_prompt();
  struct Ending {
    const char* key;
    int signal;
    int status;
  };
  // A crash too; the shell counts 128 more for a signal.
  for (const auto& ending : {Ending{"q", 0, 0}, Ending{"C-c", 0, 130}, Ending{"", SIGTERM, 143},
                             Ending{"", SIGHUP, 129}, Ending{"", SIGABRT, 134}}) {
    auto words = command();
    words.insert(words.begin(), {"sh", "-c", around, "sh"});
    pane.start(words);
    ASSERT_TRUE(pane.shows("berlin")) << pane.screen();
    EXPECT_TRUE(pane.on_alternate_screen());
    const auto before = read(sandbox.path() + "/before");
    ASSERT_FALSE(before.empty());
    EXPECT_NE(pane.settings(), before) << "or this test sees nothing";
    if (*ending.key != '\0') pane.press(ending.key);
    if (ending.signal != 0) ::kill(pane.program(), ending.signal);
    EXPECT_EQ(pane.await_prompt(), ending.status) << ending.key << ending.signal;
    EXPECT_FALSE(pane.on_alternate_screen());
    EXPECT_EQ(read(sandbox.path() + "/after"), before) << ending.key << ending.signal;
  }
}

// A window that is closed sends SIGHUP to its own session only: another one sees the end of its
// input, and must not wait for keys with all of a core.
TEST_F(Top, EndsWithItsTerminal) {
  for (const std::vector<std::string>& under :
       {std::vector<std::string>{"env"}, {"setsid", "-w"}}) {
    pid_t program = 0;
    {
      TerminalPane pane(sandbox, "pane", 80, 24);
      auto words = command();
      words.insert(words.begin(), under.begin(), under.end());
      pane.start(words);
      ASSERT_TRUE(pane.shows("berlin")) << pane.screen();
      program = pane.program();
      ASSERT_TRUE(is_running(program));
    }
    EXPECT_TRUE(wait_for([&] { return !is_running(program); }, 10s)) << under.front();
    if (is_running(program)) ::kill(program, SIGKILL);
  }
}

TEST_F(Top, UsesColoursAndCharactersAsTheTerminalHasThem) {
  TerminalPane pane(sandbox, "pane", 80, 24);
  struct Case {
    const char* variable;
    bool color;
    bool utf8;
  };
  for (const auto& one : {Case{"TERM=screen", true, true}, Case{"NO_COLOR=1", false, true},
                          Case{"LC_ALL=C", true, false}, Case{"TERM=vt100", false, true}}) {
    auto words = command();
    words.insert(words.begin(), {"env", one.variable});
    pane.start(words);
    ASSERT_TRUE(pane.shows("berlin") && pane.shows("Node started")) << pane.screen();
    EXPECT_EQ(pane.painted_screen().find("\x1b[31m") != std::string::npos ||
                  pane.painted_screen().find(";31m") != std::string::npos,
              one.color)
        << one.variable << pane.painted_screen();
    EXPECT_EQ(pane.screen().find("─ events") != std::string::npos, one.utf8) << pane.screen();
    EXPECT_EQ(pane.screen().find("- events") != std::string::npos, !one.utf8) << pane.screen();
    pane.press("q");
    EXPECT_EQ(pane.await_prompt(), 0);
  }
}

TEST_F(Top, StopsAndGoesOnWithTheShell) {
  TerminalPane pane(sandbox, "pane", 80, 24);
  pane.start(command());
  ASSERT_TRUE(pane.shows("berlin")) << pane.screen();
  pane.press("C-z");
  (void)pane.await_prompt();
  EXPECT_FALSE(pane.on_alternate_screen());
  pane.resize(100, 30);
  pane.type("clear; fg");
  pane.press("Enter");
  EXPECT_TRUE(pane.shows("p pause")) << "it has the new size\n" << pane.screen();
  EXPECT_TRUE(pane.on_alternate_screen());
  pane.press("q");
  EXPECT_EQ(pane.await_prompt(), 0);
}

TEST_F(Top, WaitsForANodeThatGoesAway) {
  TerminalPane pane(sandbox, "pane", 80, 24);
  pane.start(command());
  ASSERT_TRUE(pane.shows("berlin")) << pane.screen();
  node.signal(SIGTERM);
  (void)node.wait_exit();
  EXPECT_TRUE(pane.shows("NO ANSWER")) << pane.screen();
  EXPECT_TRUE(pane.shows("Trying again")) << pane.screen();
  EXPECT_TRUE(pane.shows("berlin")) << "what was known stays\n" << pane.screen();
  pane.press("?");
  EXPECT_TRUE(pane.shows("Ctrl-L")) << "keys are heard\n" << pane.screen();
  pane.press("Escape");
  node.start();
  EXPECT_TRUE(pane.hides("NO ANSWER")) << pane.screen();
  EXPECT_TRUE(pane.shows("Node started")) << "the events are asked for anew\n" << pane.screen();
}

TEST_F(Top, SaysSoWhereItCannotRun) {
  const auto piped = node.timectl({"top"});
  EXPECT_EQ(piped.status, 64) << piped.err;
  EXPECT_NE(piped.err.find("timectl top --once"), std::string::npos) << piped.err;
  const auto once = node.timectl({"top", "--once"});
  EXPECT_EQ(once.status, 0) << once.err;
  EXPECT_NE(once.out.find("berlin"), std::string::npos) << once.out;
  EXPECT_EQ(once.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(node.query({"top"}).at("masternodes").as_array().size(), 1U);
  EXPECT_EQ(node.timectl({"top", "--interval", "0.1"}).status, 64);
  TerminalPane pane(sandbox, "pane", 80, 24);
  for (const auto* term : {"no-such-terminal", "dumb", ""}) {
    auto words = command();
    words.insert(words.begin(), {"env", std::string("TERM=") + term});
    pane.start(words);
    EXPECT_EQ(pane.await_prompt(), 64) << term << pane.screen();
    EXPECT_TRUE(pane.shows("needs a terminal")) << pane.screen();
  }
  node.signal(SIGTERM);
  (void)node.wait_exit();
  pane.start(command());
  EXPECT_EQ(pane.await_prompt(), 69) << pane.screen();
  EXPECT_EQ(node.timectl({"top", "--once"}).status, 69);
}

}  // namespace
}  // namespace timectl::e2e
