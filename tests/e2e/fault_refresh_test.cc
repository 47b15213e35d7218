// FT-S1 for a list from outside: a refresh that is killed leaves the whitelist of before or the
// list's, each with its audit rows, without a node at a system call that writes, and in a node
// that is in the middle of it.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kOld = 100;
constexpr int kAll = kSanitized ? 300 : 2000;
constexpr int kKills = kSanitized ? 3 : 12;  // of each system call

std::string list_of(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "\"10." : ",\"10.") + std::to_string(i / 250) + "." +
            std::to_string(1 + i % 250) + ".7\"";
  }
  return text + "]";
}

struct Listed {
  explicit Listed(const std::string& address)
      : file(sandbox.path() + "/list.json"),
        node(sandbox, address,
             "\n[discovery]\nurl = \"file://" + file +
                 "\"\nallow_private = true\nmax_growth = 5000\nmax_subnet_growth = 5000\n"),
        copy(sandbox.path() + "/template") {
    spill(file, list_of(kOld));
    EXPECT_EQ(node.timectl({"refresh"}).status, 0);
    replace_directory(node.data_dir(), copy);
    spill(file, list_of(kAll));
  }
  // What is wrong after a kill; empty: the old list or the new one, whole.
  [[nodiscard]] std::string wrong() const {
    const auto count = static_cast<int>(whitelisted(node).size());
    if (count != kOld && count != kAll) return std::to_string(count) + " entries";
    const auto verified = node.query({"audit", "verify"});
    if (!verified.at("ok").as_bool()) return "the chain is broken";
    const auto rows = verified.at("rows").to_number<int>();
    return rows == count ? "" : std::to_string(rows) + " rows for " + std::to_string(count);
  }
  Sandbox sandbox;
  std::string file;
  NodeProcess node;
  std::string copy;
};

TEST(FaultS1, AKillInTheMiddleOfARefreshLeavesTheOldListOrTheNewOne) {
  if (run({"strace", "-qq", "-o", "/dev/null", "true"}).status != 0) {
    GTEST_SKIP() << "needs strace, and the permission to trace a child process";
  }
  const Listed listed("127.58.1.2");
  bool old_seen = false;
  bool new_seen = false;
  for (const std::string call : {"pwrite64", "fdatasync", "ftruncate", "unlink"}) {
    replace_directory(listed.copy, listed.node.data_dir());
    const int calls = count_calls(listed.node, call, {"refresh"});
    ASSERT_GT(calls, 0) << call;
    ASSERT_EQ(whitelisted(listed.node).size(), kAll) << "the control: nobody killed it";
    const int step = std::max(1, calls / kKills);
    for (int n = 1; n <= calls; n += step) {
      replace_directory(listed.copy, listed.node.data_dir());
      const auto inject = call + ":signal=KILL:when=" + std::to_string(n);
      SCOPED_TRACE(inject);
      const auto outcome = under_strace(listed.node, inject, {"refresh"});
      ASSERT_EQ(outcome.status, kKilled) << outcome.err;
      EXPECT_EQ(listed.wrong(), "");
      const bool taken = whitelisted(listed.node).size() == kAll;
      (taken ? new_seen : old_seen) = true;
      if (outcome.out.find("timectl.refresh/1") != std::string::npos) {
        EXPECT_TRUE(taken) << "confirmed and lost";
      }
      EXPECT_EQ(listed.node.timectl({"refresh"}).status, 0);
      EXPECT_EQ(whitelisted(listed.node).size(), kAll);
    }
  }
  // The loop met both sides of the commit, or it has shown nothing.
  EXPECT_TRUE(old_seen);
  EXPECT_TRUE(new_seen);
}

// The node writes the list in slices over some 50 ms; it is killed at moments spread over that.
TEST(FaultS1, ANodeKilledInTheMiddleOfARefreshComesBackWithTheOldListOrTheNewOne) {
  Listed listed("127.58.2.2");
  spill(listed.file, list_of(kOld));
  for (int round = 0; round < (kSanitized ? 3 : 10); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    replace_directory(listed.copy, listed.node.data_dir());
    spill(listed.file, list_of(kOld));
    listed.node.start();
    spill(listed.file, list_of(kAll));
    {
      Background refresh(listed.node.command({"refresh"}));
      // No state can be waited for between the slices: the moment is the point.
      const auto until = std::chrono::steady_clock::now() + milliseconds(10 + 12 * round);
      while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
      listed.node.kill9();
    }
    EXPECT_EQ(listed.wrong(), "");
  }
}

}  // namespace
}  // namespace timectl::e2e
