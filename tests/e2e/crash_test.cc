// Nothing confirmed is lost: kill -9 at any moment, two processes on one database, a full disk.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

#ifdef TIMECTL_SANITIZED
constexpr bool kSanitized = true;  // a process takes 0.2 s there
#else
constexpr bool kSanitized = false;
#endif

std::string ip_of(int i) {
  return "10.9." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250);
}

std::set<std::string> whitelisted(const NodeProcess& node) {
  std::set<std::string> ips;
  const auto rows = node.query({"whitelist", "list"});
  if (!rows.is_array()) return ips;
  for (const auto& row : rows.get_array()) ips.emplace(row.at("ip").as_string());
  return ips;
}

TEST(Crash, Kill9InTheMiddleOfAThousandChangesLosesNothingConfirmed) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.31.0.2", "");
  node.start();
  constexpr int kChanges = kSanitized ? 200 : 1000;
  constexpr int kKillAfter = kChanges / 3;
  std::set<std::string> confirmed;
  std::thread killer;
  for (int i = 0; i < kChanges; ++i) {
    if (i == kKillAfter) killer = std::thread([&node] { node.signal(SIGKILL); });
    // With the node dead a command goes to the database by itself: that counts as well.
    const auto added = node.timectl({"--timeout", "10", "whitelist", "add", ip_of(i)});
    if (added.status == 0) confirmed.insert(ip_of(i));
  }
  killer.join();
  EXPECT_EQ(node.wait_exit(), 128 + SIGKILL);
  EXPECT_GE(confirmed.size(), kChanges - 10U);
  node.start();
  const auto there = whitelisted(node);
  for (const auto& ip : confirmed)
    EXPECT_TRUE(there.contains(ip)) << ip << " was confirmed and lost";
  const auto verdict = node.query({"audit", "verify"});
  EXPECT_TRUE(verdict.at("ok").as_bool()) << verdict;
  EXPECT_GE(verdict.at("rows").to_number<std::size_t>(), confirmed.size());
}

TEST(Crash, AHundredConcurrentAddsOfOneAddressAddItOnce) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.32.0.2", "");
  node.start();
  std::atomic<int> added{0};
  std::atomic<int> unchanged{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 10; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto reply = node.query({"--timeout", "20", "whitelist", "add", "10.1.2.3"});
        if (!reply.is_array()) continue;
        const auto& result = reply.at(0).at("result").as_string();
        if (result == "added") ++added;
        if (result == "unchanged") ++unchanged;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(added, 1);
  EXPECT_EQ(unchanged, 99);
  const auto rows = node.query({"audit", "list", "--subject", "10.1.2.3"});
  EXPECT_EQ(rows.get_array().size(), 1U) << rows;
}

TEST(Crash, ASecondNodeOnTheSameDataSaysWhoHoldsIt) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.33.0.2", "");
  node.start();
  const auto second = node.timectl({"--json", "--timeout", "1", "node", "start", "--foreground"});
  EXPECT_EQ(second.status, 75) << second.err;
  EXPECT_NE(second.err.find(std::to_string(node.pid())), std::string::npos) << second.err;
  EXPECT_NE(second.err.find("TC-NODE-002"), std::string::npos) << second.err;
  EXPECT_TRUE(node.query({"node", "status"}).at("running").as_bool());  // unharmed
}

TEST(Crash, AStaleSocketIsReplacedAndALiveOneNever) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.34.0.2", "");
  node.start();
  node.kill9();
  ASSERT_TRUE(std::filesystem::exists(node.socket_path()));
  node.start();  // replaces what the dead one left
  NodeProcess other(sandbox, "127.34.0.3", "");
  auto argv = other.command({"--timeout", "2", "node", "start", "--foreground"});
  for (auto& word : argv) {
    if (word == other.socket_path()) word = node.socket_path();
  }
  EXPECT_NE(run(argv).status, 0);
  EXPECT_TRUE(node.query({"node", "status"}).at("running").as_bool());
}

TEST(Crash, AFullDiskRefusesTheChangeAndTheNodeGoesOn) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.35.0.2", "");
  if (::geteuid() != 0 || ::mount("tmpfs", node.data_dir().c_str(), "tmpfs", 0, "size=700k") != 0) {
    GTEST_SKIP() << "needs root to mount a small tmpfs";
  }
  node.start();
  EXPECT_EQ(node.timectl({"whitelist", "add", "10.1.1.1"}).status, 0);
  {
    std::ofstream filler(node.data_dir() + "/filler", std::ios::binary);
    const std::string block(4096, 'x');
    while (filler.write(block.data(), 4096) && filler.flush()) {
    }
  }
  bool refused = false;
  for (int i = 0; i < 300 && !refused; ++i) {
    const auto added = node.timectl({"--json", "whitelist", "add", ip_of(i)});
    refused = added.status == 74;
    if (refused) {
      EXPECT_NE(added.err.find("TC-DB-004"), std::string::npos) << added.err;
    }
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(whitelisted(node).contains("10.1.1.1"));
  std::filesystem::remove(node.data_dir() + "/filler");
  EXPECT_TRUE(wait_for(
      [&] {
        return node.timectl({"whitelist", "add", "10.1.1.2"}).status == 0;
      },
      15s));
  EXPECT_TRUE(node.query({"audit", "verify"}).at("ok").as_bool());
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  ::umount2(node.data_dir().c_str(), MNT_DETACH);
}

TEST(Crash, CommandsWorkTheSameWithAndWithoutANode) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.36.0.2", "");
  EXPECT_EQ(node.timectl({"whitelist", "add", "10.1.1.1", "--reason", "offline"}).status, 0);
  node.start();
  EXPECT_EQ(node.timectl({"whitelist", "add", "10.1.1.2", "--reason", "online"}).status, 0);
  const auto online = node.query({"whitelist", "list"});
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  const auto offline = node.query({"whitelist", "list"});
  ASSERT_EQ(online.get_array().size(), 2U);
  ASSERT_EQ(offline.get_array().size(), 2U);
  EXPECT_EQ(offline.at(1).at("added_at"), online.at(1).at("added_at"));
  EXPECT_TRUE(offline.at(0).at("connected").is_null());
  EXPECT_EQ(node.timectl({"whitelist", "remove", "10.1.1.2"}).status, 0);
  EXPECT_EQ(whitelisted(node).size(), 1U);
}

}  // namespace
}  // namespace timectl::e2e
