// FT-S1, FT-S2, FT-S6: killed at every system call that writes, the power cut, every such call
// failing. A change is there with its audit row or not at all, and what was confirmed is there.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

constexpr int kKilled = 128 + SIGKILL;
constexpr int kMaxCalls = 400;  // of one system call by one command: a bound for the loops

#define NEEDS_STRACE()                                                           \
  if (run({"strace", "-qq", "-o", "/dev/null", "true"}).status != 0) {           \
    GTEST_SKIP() << "needs strace, and the permission to trace a child process"; \
  }

// A state directory with two entries, and a copy to begin from again.
struct Prepared {
  explicit Prepared(const std::string& address)
      : node(sandbox, address, ""), copy(sandbox.path() + "/template") {
    EXPECT_EQ(node.timectl({"whitelist", "add", "10.1.0.1", "10.1.0.2"}).status, 0);
    replace_directory(node.data_dir(), copy);
  }
  void begin_again() const { replace_directory(copy, node.data_dir()); }
  Sandbox sandbox;
  NodeProcess node;
  std::string copy;
};

// After a fault in `whitelist add 10.1.0.3`: all or nothing, and the next command works.
void expect_whole(const NodeProcess& node, const Outcome& outcome, const std::string& what,
                  std::size_t before) {
  SCOPED_TRACE(what);
  EXPECT_EQ(wrong_with(node), "");
  const auto there = whitelisted(node);
  const bool added = there.contains("10.1.0.3");
  EXPECT_EQ(there.size(), before + (added ? 1 : 0));
  if (outcome.out.find("\"added\"") != std::string::npos) {
    EXPECT_TRUE(added) << "confirmed and lost";
  }
  const auto next = ask_json(node, {"whitelist", "add", "10.1.0.3", "10.1.0.4"});
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(wrong_with(node), "");
  EXPECT_EQ(whitelisted(node).size(), before + 2);
}

TEST(FaultS1, AKillAtAnyWriteOfAChangeLeavesAllOrNothing) {
  NEEDS_STRACE();
  const Prepared prepared("127.61.0.2");
  const std::vector<std::string> change{"whitelist", "add", "10.1.0.3"};
  int kills = 0;
  bool lost = false;
  bool kept = false;
  for (const std::string call : {"pwrite64", "fdatasync", "ftruncate", "unlink"}) {
    prepared.begin_again();
    const int calls = count_calls(prepared.node, call, change);
    ASSERT_GT(calls, 0) << call;
    ASSERT_LT(calls, kMaxCalls) << call;
    for (int n = 1; n <= calls; n += kSanitized ? 5 : 1) {
      prepared.begin_again();
      const auto inject = call + ":signal=KILL:when=" + std::to_string(n);
      const auto outcome = under_strace(prepared.node, inject, change);
      ASSERT_EQ(outcome.status, kKilled) << inject << outcome.err;
      ++kills;
      (whitelisted(prepared.node).contains("10.1.0.3") ? kept : lost) = true;
      expect_whole(prepared.node, outcome, inject, 2);
    }
  }
  // The loop met both sides of the commit, or it has shown nothing.
  EXPECT_TRUE(lost);
  EXPECT_TRUE(kept);
  RecordProperty("kills", kills);
}

TEST(FaultS1, AKillWhileTheDatabaseIsMadeLeavesAWholeOneOrNone) {
  NEEDS_STRACE();
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.61.1.2", "");
  const std::vector<std::string> change{"whitelist", "add", "10.1.0.3"};
  for (const std::string call : {"pwrite64", "fdatasync", "fsync", "rename", "unlink"}) {
    std::filesystem::remove_all(node.data_dir());
    const int calls = count_calls(node, call, change);
    ASSERT_GT(calls, 0) << call;
    const int step = std::max(1, calls / (kSanitized ? 2 : 10));
    for (int n = 1; n <= std::min(calls, kMaxCalls); n += step) {
      std::filesystem::remove_all(node.data_dir());
      const auto inject = call + ":signal=KILL:when=" + std::to_string(n);
      const auto outcome = under_strace(node, inject, change);
      ASSERT_EQ(outcome.status, kKilled) << inject << outcome.err;
      expect_whole(node, outcome, inject, 0);
    }
  }
}

TEST(FaultS1, TheCheckSeesAnEntryWithoutItsRowAndARowThatWasTakenOut) {
  if (!has_program("sqlite3")) GTEST_SKIP() << "needs the sqlite3 program";
  const Prepared prepared("127.61.2.2");
  const auto file = prepared.node.data_dir() + "/timectl.db";
  EXPECT_EQ(wrong_with(prepared.node), "");
  ASSERT_EQ(sqlite(file,
                   "INSERT INTO whitelist VALUES('10.1.0.9','',NULL,0);"
                   "INSERT INTO whitelist_source VALUES('10.1.0.9','manual','','x',0,NULL,NULL);")
                .status,
            0);
  EXPECT_EQ(wrong_with(prepared.node), "3 entries, 2 audit rows");
  prepared.begin_again();
  ASSERT_EQ(
      sqlite(file, "DROP TRIGGER audit_never_deleted; DELETE FROM audit WHERE seq = 2;").status, 0);
  EXPECT_NE(wrong_with(prepared.node), "");
}

TEST(FaultS6, EveryWriteThatFailsIsAnErrorOrAWholeChange) {
  NEEDS_STRACE();
  const Prepared prepared("127.62.0.2");
  const std::vector<std::string> change{"whitelist", "add", "10.1.0.3"};
  for (const std::string error : {"EIO", "ENOSPC"}) {
    int refused = 0;
    for (const std::string call : {"pwrite64", "fdatasync"}) {
      prepared.begin_again();
      const int calls = count_calls(prepared.node, call, change);
      ASSERT_GT(calls, 0);
      const int step = kSanitized ? 6 : call == "pwrite64" ? 3 : 1;
      for (int n = 1; n <= calls; n += step) {
        // Once (a sector that the disk gives up and replaces) and for good (a disk that is gone).
        for (const std::string suffix : {"", "+"}) {
          prepared.begin_again();
          const auto inject = call + ":error=" + error + ":when=" + std::to_string(n) + suffix;
          const auto outcome = under_strace(prepared.node, inject, change);
          const bool there = whitelisted(prepared.node).contains("10.1.0.3");
          if (outcome.status == 0) {
            EXPECT_TRUE(there) << inject;
          } else {
            ++refused;
            EXPECT_FALSE(there) << inject << ": refused and done all the same";
            EXPECT_EQ(not_this_error(outcome, 74, error == "ENOSPC" ? "TC-DB-004" : "TC-DB-005"),
                      "")
                << inject;
          }
          expect_whole(prepared.node, outcome, inject, 2);
        }
      }
    }
    EXPECT_GE(refused, 3) << error << " was never met: nothing is shown";
  }
}

TEST(FaultS6, AReadThatFailsIsNotTakenForADamagedDatabase) {
  NEEDS_STRACE();
  const Prepared prepared("127.62.1.2");
  const std::vector<std::string> look{"whitelist", "list"};
  const int calls = count_calls(prepared.node, "pread64", look);
  int refused = 0;
  for (int n = 1; n <= calls; ++n) {
    const auto inject = "pread64:error=EIO:when=" + std::to_string(n);
    const auto outcome = under_strace(prepared.node, inject, look);
    constexpr int kLoaderFailed = 127;  // the program was not loaded: not ours to say
    if (outcome.status == 0 || outcome.status == kLoaderFailed) continue;
    ++refused;
    EXPECT_EQ(outcome.err.find("TC-DB-002"), std::string::npos)
        << "a disk that does not read is no reason to restore a backup: " << inject << outcome.err;
    EXPECT_EQ(not_this_error(outcome, 74, ""), "") << inject;
  }
  EXPECT_GE(refused, 3);
  EXPECT_EQ(wrong_with(prepared.node), "");
}

TEST(FaultS6, ANodeWhoseDiskFailsKeepsItsSessionsAndComesBack) {
  NEEDS_STRACE();
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.62.2.2", "whitelisted_peers = [\"127.62.2.3\"]\n");
  NodeProcess peer(sandbox, "127.62.2.3", "whitelisted_peers = [\"127.62.2.2\"]\n");
  node.start();
  peer.start();
  ASSERT_TRUE(wait_for([&] { return node.connected_to("127.62.2.3"); }, 10s)) << node.log();
  const auto since = node.query({"peer", "show", "127.62.2.3"}).at("connected_at");
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1"}).status, 0);
  {
    Background disk({"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,pwrite64",
                     "-e", "inject=fdatasync,pwrite64:error=EIO", "-p",
                     std::to_string(node.pid())});
    Outcome refused;
    for (int i = 2; i < 200 && refused.status != 74; ++i) {
      refused = ask_json(node, {"whitelist", "add", "10.1.1." + std::to_string(i)});
    }
    EXPECT_EQ(not_this_error(refused, 74, "TC-DB-005"), "");
    EXPECT_TRUE(node.query({"node", "status"}).at("running").as_bool());
    EXPECT_EQ(node.query({"peer", "show", "127.62.2.3"}).at("connected_at"), since);
    // The event goes to the log; it cannot go to the database.
    EXPECT_TRUE(wait_for(
        [&] {
          (void)node.timectl({"peer", "show", "127.62.2.3"});
          return node.log().find("database") != std::string::npos ||
                 node.log().find("store_degraded") != std::string::npos;
        },
        15s))
        << node.log();
    EXPECT_TRUE(disk.running());
  }
  const auto held = whitelisted(node).size();
  EXPECT_TRUE(wait_for(
      [&] {
        return node.timectl({"whitelist", "add", "10.1.2.1"}).status == 0;
      },
      25s))
      << node.log();
  EXPECT_EQ(whitelisted(node).size(), held + 1);
  EXPECT_EQ(node.query({"peer", "show", "127.62.2.3"}).at("connected_at"), since);
  EXPECT_TRUE(node.query({"audit", "verify"}).at("ok").as_bool());
}

// _IOR('X', 125, __u32) of the kernel's fs/ext4/ext4.h; the second flag: not even the journal.
constexpr unsigned long kExt4Shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kNoLogFlush = 2;

bool cut_power(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::uint32_t how = kNoLogFlush;
  const bool cut = fd >= 0 && ::ioctl(fd, kExt4Shutdown, &how) == 0;
  if (fd >= 0) ::close(fd);
  return cut;
}

TEST(FaultS2, APowerCutLosesNoConfirmedChangeAndOneWithoutSyncDoes) {
  if (!is_root() || !has_program("mkfs.ext4") || !has_program("sqlite3")) {
    GTEST_SKIP() << "needs root, mkfs.ext4 and sqlite3";
  }
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.63.0.2", "");
  const auto image = sandbox.path() + "/disk";
  spill(image, "");
  std::filesystem::resize_file(image, 48U << 20U);
  if (run({"mkfs.ext4", "-q", "-F", image}).status != 0) GTEST_SKIP() << "mkfs.ext4 fails";
  Mount disk("ext4", "loop", image, node.data_dir());
  if (!disk.ok()) GTEST_SKIP() << "no loop device can be mounted here";
  const auto careless = node.data_dir() + "/careless.db";
  ASSERT_EQ(sqlite(careless, "PRAGMA journal_mode=WAL; CREATE TABLE t(i);").status, 0);

  node.start();
  constexpr int kChanges = 40;
  (void)run({"sync", "-f", node.data_dir()});
  // The control first: its commits have the longer time to reach the disk by themselves. Without
  // the checkpoint at the end, which would sync.
  std::string commits = ".dbconfig no_ckpt_on_close on\nPRAGMA synchronous=OFF;\n";
  for (int i = 0; i < kChanges; ++i)
    commits += "INSERT INTO t VALUES(" + std::to_string(i) + ");\n";
  ASSERT_EQ(sqlite(careless, commits).status, 0);
  std::vector<std::string> confirmed;
  for (int i = 1; i <= kChanges; ++i) {
    const auto ip = "10.2.0." + std::to_string(i);
    if (node.timectl({"whitelist", "add", ip}).status == 0) confirmed.push_back(ip);
  }
  ASSERT_EQ(confirmed.size(), static_cast<std::size_t>(kChanges));
  ASSERT_TRUE(cut_power(node.data_dir()));
  node.kill9();
  disk.unmount();

  const Mount after("ext4", "loop", image, node.data_dir());
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(wrong_with(node), "");
  const auto there = whitelisted(node);
  for (const auto& ip : confirmed) EXPECT_TRUE(there.contains(ip)) << ip << " was lost";
  const auto left = sqlite(careless, "SELECT count(*) FROM t;");
  EXPECT_NE(left.out, std::to_string(kChanges) + "\n")
      << "the power cut harms nobody: nothing is shown";
}

}  // namespace
}  // namespace timectl::e2e
