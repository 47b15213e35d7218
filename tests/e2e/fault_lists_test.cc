// FT-S1 for whole lists: an import that is killed at a system call that writes leaves the whitelist
// of before or the imported one, each with its audit rows, and what was confirmed is there.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kOld = 300;
constexpr int kNew = kSanitized ? 300 : 2000;
constexpr int kKills = kSanitized ? 3 : 12;  // of each system call

std::set<std::string> addresses(int network, int count) {
  std::set<std::string> ips;
  for (int i = 0; i < count; ++i) {
    ips.insert("10." + std::to_string(network) + "." + std::to_string(i / 250) + "." +
               std::to_string(1 + i % 250));
  }
  return ips;
}

std::string lines(const std::set<std::string>& ips) {
  std::string text;
  for (const auto& ip : ips) text += ip + " reason=\"listed as " + ip + "\"\n";
  return text;
}

TEST(FaultS1, AKillInTheMiddleOfABigImportLeavesTheOldWhitelistOrTheNewOne) {
  if (run({"strace", "-qq", "-o", "/dev/null", "true"}).status != 0) {
    GTEST_SKIP() << "needs strace, and the permission to trace a child process";
  }
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.58.0.2", "");
  const auto before = addresses(1, kOld);
  const auto after = addresses(2, kNew);
  const auto old_list = sandbox.path() + "/old.txt";
  const auto new_list = sandbox.path() + "/new.txt";
  spill(old_list, lines(before));
  spill(new_list, lines(after));
  ASSERT_EQ(node.timectl({"whitelist", "import", old_list, "--yes"}).status, 0);
  ASSERT_EQ(whitelisted(node), before);
  const auto copy = sandbox.path() + "/template";
  replace_directory(node.data_dir(), copy);

  const std::vector<std::string> import{"whitelist", "import", new_list, "--replace", "--yes"};
  bool old_seen = false;
  bool new_seen = false;
  for (const std::string call : {"pwrite64", "fdatasync", "ftruncate", "unlink"}) {
    replace_directory(copy, node.data_dir());
    const int calls = count_calls(node, call, import);
    ASSERT_GT(calls, 0) << call;
    ASSERT_EQ(whitelisted(node), after) << "the control: nobody killed it";
    const int step = std::max(1, calls / kKills);
    for (int n = 1; n <= calls; n += step) {
      replace_directory(copy, node.data_dir());
      const auto inject = call + ":signal=KILL:when=" + std::to_string(n);
      SCOPED_TRACE(inject);
      const auto outcome = under_strace(node, inject, import);
      ASSERT_EQ(outcome.status, kKilled) << outcome.err;
      const auto there = whitelisted(node);
      EXPECT_TRUE(there == before || there == after) << there.size() << " entries";
      (there == after ? new_seen : old_seen) = true;
      const auto verified = node.query({"audit", "verify"});
      EXPECT_TRUE(verified.at("ok").as_bool());
      const auto rows = verified.at("rows").to_number<int>();
      EXPECT_EQ(rows, there == after ? kOld + kOld + kNew : kOld);
      if (outcome.out.find("\"applied\":true") != std::string::npos) {
        EXPECT_EQ(there, after) << "confirmed and lost";
      }
    }
  }
  // The loop met both sides of the commit, or it has shown nothing.
  EXPECT_TRUE(old_seen);
  EXPECT_TRUE(new_seen);
}

TEST(Lists, ANodeTakesTheBiggestListInOneRequestAndGoesOn) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.58.1.2", "");
  node.start();
  constexpr int kMost = kSanitized ? 1000 : 10'000;
  std::string list;
  for (int i = 0; i < kMost; ++i) {
    list += "10." + std::to_string(3 + i / 62'500) + "." + std::to_string(i / 250 % 250) + "." +
            std::to_string(1 + i % 250) + " label=masternode-number-" + std::to_string(i) +
            " liveness=lenient reason=\"" + std::string(200, 'r') + "\"\n";
  }
  const auto imported =
      ask_json(node, {"--timeout", "20", "whitelist", "import", "-", "--yes"}, list);
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(imported.data().at("added").to_number<int>(), kMost);
  const auto exported = node.timectl({"whitelist", "export"});
  ASSERT_EQ(exported.status, 0);
  const auto again = ask_json(
      node, {"--timeout", "20", "whitelist", "import", "-", "--replace", "--yes"}, exported.out);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.data().at("unchanged").to_number<int>(), kMost);
  EXPECT_TRUE(node.query({"node", "status"}).at("running").as_bool());
}

}  // namespace
}  // namespace timectl::e2e
