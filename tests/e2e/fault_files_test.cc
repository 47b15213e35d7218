// FT-S4, S5, S7, S8, S10, S11, S23: what a file system, a copy by hand, another version or a second
// node does to the state directory. Detected and said with its cause; never silently begun anew.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;

#define NEEDS_SQLITE() \
  if (!has_program("sqlite3")) GTEST_SKIP() << "needs the sqlite3 program"

std::string database_of(const NodeProcess& node) {
  return node.data_dir() + "/timectl.db";
}

// A start that should have been refused and was not must not outlive the test.
Outcome attempt(const NodeProcess& node, const std::vector<std::string>& arguments) {
  auto outcome = ask_json(node, arguments);
  if (arguments[1] == "start" && outcome.status == 0) (void)node.timectl({"node", "stop"});
  return outcome;
}

void add(const NodeProcess& node, const std::vector<std::string>& ips) {
  std::vector<std::string> arguments{"whitelist", "add"};
  arguments.insert(arguments.end(), ips.begin(), ips.end());
  ASSERT_EQ(node.timectl(arguments).status, 0);
}

TEST(FaultS4, WithoutInodesChangesAreRefusedAndReadsWork) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.64.0.2", "");
  const Mount small("tmpfs", "nr_inodes=8", "tmpfs", node.data_dir());
  if (!small.ok()) GTEST_SKIP() << "needs root to mount a tmpfs";
  add(node, {"10.1.0.1"});  // the control: with inodes it works
  int fillers = 0;
  while (fillers < 8 && std::ofstream(node.data_dir() + "/f" + std::to_string(fillers))) ++fillers;
  ASSERT_GT(fillers, 0);
  const auto refused = ask_json(node, {"whitelist", "add", "10.1.0.2"});
  EXPECT_EQ(not_this_error(refused, 74, "TC-DB-004"), "");
  EXPECT_EQ(refused.err.find("No such file"), std::string::npos) << refused.err;
  EXPECT_EQ(whitelisted(node).size(), 1U);
  for (int i = 0; i < fillers; ++i) fs::remove(node.data_dir() + "/f" + std::to_string(i));
  add(node, {"10.1.0.2"});
  EXPECT_EQ(wrong_with(node), "");
}

TEST(FaultS5, OnAReadOnlyFileSystemReadsWorkAndChangesSayWhy) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.65.0.2", "");
  const Mount disk("tmpfs", "size=4m", "tmpfs", node.data_dir());
  if (!disk.ok()) GTEST_SKIP() << "needs root to mount a tmpfs";
  add(node, {"10.1.0.1"});
  ASSERT_TRUE(disk.remount("ro"));
  EXPECT_EQ(whitelisted(node).size(), 1U);
  EXPECT_EQ(wrong_with(node), "");
  EXPECT_EQ(node.timectl({"status"}).status, 3);
  EXPECT_EQ(node.timectl({"db", "check"}).status, 0);
  const auto refused = ask_json(node, {"whitelist", "add", "10.1.0.2"});
  EXPECT_EQ(not_this_error(refused, 74, "TC-DB-005"), "");
  EXPECT_NE(refused.err.find("ead-only file system"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.err.find("No such file"), std::string::npos) << refused.err;
  const auto started = ask_json(node, {"node", "start", "--foreground"});
  EXPECT_TRUE(started.status == 74 || started.status == 73) << started.status << started.err;
  EXPECT_NE(started.err.find("ead-only file system"), std::string::npos) << started.err;
  ASSERT_TRUE(disk.remount("rw"));
  add(node, {"10.1.0.2"});
  EXPECT_EQ(wrong_with(node), "");
}

TEST(FaultS5, AConfirmedChangeInTheLogAloneIsReadFromAReadOnlyFileSystem) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.65.1.2", "");
  const Mount disk("tmpfs", "size=4m", "tmpfs", node.data_dir());
  if (!disk.ok()) GTEST_SKIP() << "needs root to mount a tmpfs";
  node.start();
  add(node, {"10.1.0.1"});
  node.kill9();
  ASSERT_GT(fs::file_size(database_of(node) + "-wal"), 0U);
  ASSERT_TRUE(disk.remount("ro"));
  EXPECT_EQ(whitelisted(node).size(), 1U);
}

// A database with a backup, to be damaged.
struct Damaged {
  explicit Damaged(const std::string& address)
      : node(sandbox, address, ""), backup(sandbox.path() + "/backup.db") {
    add(node, {"10.1.0.1", "10.1.0.2"});
    EXPECT_EQ(node.timectl({"db", "backup", backup}).status, 0);
    sound = slurp(database_of(node));
  }
  // Every way in says so and leaves the file as it is; `db restore` brings the backup back.
  void expect_detected(const std::string& bytes, const std::string& what) const {
    SCOPED_TRACE(what);
    const auto file = database_of(node);
    spill(file, bytes);
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"whitelist", "list"}, {"whitelist", "add", "10.1.0.9"}, {"node", "start"}}) {
      EXPECT_EQ(not_this_error(attempt(node, arguments), 74, "TC-DB-002"), "") << arguments[1];
    }
    EXPECT_EQ(node.timectl({"db", "check"}).status, 74);
    EXPECT_EQ(slurp(file), bytes) << "the damaged file was changed";
    const auto restored = ask_json(node, {"db", "restore", backup});
    EXPECT_EQ(restored.status, 0) << restored.err;
    EXPECT_EQ(whitelisted(node), (std::set<std::string>{"10.1.0.1", "10.1.0.2"}));
    EXPECT_TRUE(node.query({"audit", "verify"}).at("ok").as_bool());
    const std::string kept(restored.data().at("kept_as").as_string());
    EXPECT_EQ(slurp(kept), bytes) << kept;
    spill(file, sound);
  }
  Sandbox sandbox;
  NodeProcess node;
  std::string backup;
  std::string sound;
};

TEST(FaultS7, ADamagedPageOfWhatTheNodeDecidesByIsFoundAtOnce) {
  const Damaged damaged("127.66.0.2");
  EXPECT_EQ(damaged.node.timectl({"db", "check"}).status, 0);  // the control
  for (const std::size_t page : {2, 3, 4, 5}) {
    auto bytes = damaged.sound;
    for (std::size_t i = 0; i < kPage; ++i) {
      bytes[page * kPage + i] = static_cast<char>((i * 197 + 11) % 251);
    }
    damaged.expect_detected(bytes, "page " + std::to_string(page));
  }
}

TEST(FaultS7, ABadHeaderAShortFileAndAnEmptyOneAreFound) {
  const Damaged damaged("127.66.1.2");
  auto header = damaged.sound;
  for (std::size_t i = 0; i < 100; ++i) header[i] = static_cast<char>(i * 37 + 1);
  damaged.expect_detected(header, "header");
  damaged.expect_detected(damaged.sound.substr(0, damaged.sound.size() / 2), "cut in half");
  damaged.expect_detected(damaged.sound.substr(0, kPage), "one page");
  damaged.expect_detected("", "empty");
  damaged.expect_detected(std::string(damaged.sound.size(), '\0'), "zeros");
}

TEST(FaultS7, AnyDamagedPageIsFoundByTheCheck) {
  const Damaged damaged("127.66.2.2");
  const auto file = database_of(damaged.node);
  for (std::size_t page = 1; page < damaged.sound.size() / kPage; ++page) {
    auto bytes = damaged.sound;
    for (std::size_t i = 0; i < kPage; ++i) bytes[page * kPage + i] = static_cast<char>(i % 253);
    spill(file, bytes);
    EXPECT_EQ(damaged.node.timectl({"db", "check"}).status, 74) << "page " << page;
  }
  auto bytes = damaged.sound;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), '\0');
  spill(file, bytes);
  EXPECT_EQ(damaged.node.timectl({"db", "check"}).status, 74);
  spill(file, damaged.sound);
  EXPECT_EQ(damaged.node.timectl({"db", "check"}).status, 0);
}

// A node was killed: its log holds what it confirmed. Copies of the two files.
struct Killed {
  Killed(Sandbox& sandbox, const std::string& address, const std::vector<std::string>& ips)
      : node(sandbox, address, "") {
    node.start();
    add(node, ips);
    node.kill9();
    log = slurp(database_of(node) + "-wal");
    EXPECT_FALSE(log.empty());
  }
  NodeProcess node;
  std::string log;
};

TEST(FaultS8, TheLogOfAnotherDatabaseIsNotTakenForOurs) {
  NEEDS_SQLITE();
  Sandbox sandbox;
  const Killed other(sandbox, "127.67.0.3", {"10.9.0.1", "10.9.0.2", "10.9.0.3"});
  const NodeProcess node(sandbox, "127.67.0.2", "");
  add(node, {"10.1.0.1"});
  const auto before = slurp(database_of(node));
  // The control: SQLite by itself takes it, and shows the other's entries.
  const auto control = sandbox.path() + "/control.db";
  spill(control, before);
  spill(control + "-wal", other.log);
  EXPECT_NE(sqlite(control, "SELECT ip FROM whitelist;").out.find("10.9.0.1"), std::string::npos);

  spill(database_of(node) + "-wal", other.log);
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"whitelist", "list"}, {"whitelist", "add", "10.1.0.2"}, {"node", "start"}}) {
    EXPECT_EQ(not_this_error(attempt(node, arguments), 74, "TC-DB-002"), "") << arguments[1];
  }
  EXPECT_EQ(slurp(database_of(node)), before);
  fs::remove(database_of(node) + "-wal");
  fs::remove(database_of(node) + "-shm");
  EXPECT_EQ(whitelisted(node), std::set<std::string>{"10.1.0.1"});
  EXPECT_EQ(wrong_with(node), "");
}

TEST(FaultS8, OurOwnLogIsTakenAndGarbageInItsPlaceHarmsNothing) {
  Sandbox sandbox;
  const Killed killed(sandbox, "127.67.1.2", {"10.1.0.1", "10.1.0.2"});
  EXPECT_EQ(whitelisted(killed.node).size(), 2U);
  add(killed.node, {"10.1.0.3"});  // recovers, and leaves no log
  EXPECT_EQ(wrong_with(killed.node), "");
  spill(database_of(killed.node) + "-wal", std::string(20000, '\x5a'));
  EXPECT_EQ(whitelisted(killed.node).size(), 3U);
  add(killed.node, {"10.1.0.4"});
  EXPECT_EQ(wrong_with(killed.node), "");
}

TEST(FaultS8, AMissingLogLeavesAnEarlierStateThatIsWhole) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.67.2.2", "");
  add(node, {"10.1.0.1"});
  node.start();
  add(node, {"10.1.0.2"});
  node.kill9();
  fs::remove(database_of(node) + "-wal");
  fs::remove(database_of(node) + "-shm");
  EXPECT_EQ(whitelisted(node).count("10.1.0.1"), 1U);
  EXPECT_EQ(wrong_with(node), "");
  add(node, {"10.1.0.3"});
  EXPECT_EQ(wrong_with(node), "");
}

TEST(FaultS8, ALogWithoutItsDatabaseIsNoNewBeginning) {
  Sandbox sandbox;
  const Killed killed(sandbox, "127.67.3.2", {"10.1.0.1"});
  fs::remove(database_of(killed.node));
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"whitelist", "list"}, {"whitelist", "add", "10.1.0.2"}, {"node", "start"}}) {
    EXPECT_EQ(not_this_error(attempt(killed.node, arguments), 74, "TC-DB-002"), "") << arguments[1];
  }
  EXPECT_FALSE(fs::exists(database_of(killed.node)));
  EXPECT_EQ(slurp(database_of(killed.node) + "-wal"), killed.log);
}

TEST(FaultS10, OfTwentyStartsAtOnceExactlyOneWins) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.68.0.2", "");
  constexpr int kStarts = kSanitized ? 8 : 20;
  std::vector<Outcome> outcomes(kStarts);
  std::vector<std::thread> threads;
  for (auto& outcome : outcomes) {
    threads.emplace_back([&] { outcome = ask_json(node, {"--timeout", "20", "node", "start"}); });
  }
  for (auto& thread : threads) thread.join();
  int won = 0;
  for (const auto& outcome : outcomes) {
    if (outcome.status == 0) {
      ++won;
    } else {
      EXPECT_EQ(not_this_error(outcome, 75, "TC-NODE-002"), "");
    }
  }
  EXPECT_EQ(won, 1);
  // The control: on data of its own a second node does start.
  const NodeProcess second(sandbox, "127.68.0.3", "");
  EXPECT_EQ(second.timectl({"node", "start"}).status, 0);
  EXPECT_EQ(second.timectl({"node", "stop"}).status, 0);
  EXPECT_EQ(node.timectl({"node", "stop"}).status, 0);
}

TEST(FaultS11, ANewerSchemaIsLeftAloneWithAHint) {
  NEEDS_SQLITE();
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.69.0.2", "");
  add(node, {"10.1.0.1"});
  const auto version = sqlite(database_of(node), "PRAGMA user_version;").out;
  ASSERT_EQ(sqlite(database_of(node),
                   "PRAGMA user_version=" + std::to_string(std::stoi(version) + 1) + ";")
                .status,
            0);
  const auto before = slurp(database_of(node));
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"whitelist", "list"}, {"whitelist", "add", "10.1.0.2"}, {"node", "start"}}) {
    const auto refused = attempt(node, arguments);
    EXPECT_EQ(not_this_error(refused, 78, "TC-DB-003"), "");
    EXPECT_NE(refused.err.find("install"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(slurp(database_of(node)), before);
  ASSERT_EQ(sqlite(database_of(node), "PRAGMA user_version=" + version + ";").status, 0);
  EXPECT_EQ(whitelisted(node).size(), 1U);  // the control: the version alone was the reason
}

TEST(FaultS23, ABackupDuringWritesIsWholeAndACopyByHandIsNotTaken) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.70.0.2", "");
  node.start();
  add(node, {"10.1.0.1"});
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 5000 && !done; ++i) {
      (void)node.timectl(
          {"whitelist", "add", "10.3." + std::to_string(i / 250) + "." + std::to_string(i % 250)});
    }
  });
  std::vector<std::string> files;
  std::size_t rows = 0;
  for (int i = 0; i < 3; ++i) {
    files.push_back(sandbox.path() + "/backup" + std::to_string(i) + ".db");
    const auto made = ask_json(node, {"--timeout", "20", "db", "backup", files.back()});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto now = made.data().at("audit_rows").to_number<std::size_t>();
    EXPECT_GE(now, rows);
    rows = now;
  }
  const auto copy = sandbox.path() + "/by_hand.db";
  spill(copy, slurp(database_of(node)).substr(0, 3 * kPage));
  done = true;
  writer.join();
  EXPECT_GT(rows, 1U);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const NodeProcess reader(sandbox, "127.70.1." + std::to_string(i + 1), "");
    ASSERT_EQ(reader.timectl({"db", "restore", files[i]}).status, 0);
    EXPECT_EQ(reader.timectl({"db", "check"}).status, 0);
    EXPECT_TRUE(whitelisted(reader).contains("10.1.0.1"));
  }
  const NodeProcess control(sandbox, "127.70.2.1", "");
  EXPECT_NE(control.timectl({"db", "restore", copy}).status, 0);
  EXPECT_FALSE(fs::exists(database_of(control)));
}

}  // namespace
}  // namespace timectl::e2e
