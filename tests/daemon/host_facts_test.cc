#include "daemon/host_facts.h"

#include <gtest/gtest.h>

#include <fstream>

#include "daemon/clock.h"
#include "tests/control/lab.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// A made-up /proc/self and control group hierarchy.
class HostFacts : public ::testing::Test {
 protected:
  HostFacts() {
    fs::create_directories(process() / "fd");
    for (int i = 0; i < 7; ++i) write(process() / "fd" / std::to_string(i), "");
    write(process() / "limits",
          "Limit                     Soft Limit           Hard Limit           Units\n"
          "Max open files            64                   4096                 files\n");
    write(process() / "statm", "9000 1000 500 1 0 800 0\n");
    write(process() / "cgroup", "1:name=systemd:/x\n0::/system.slice/timectl.service\n");
    write(group() / "memory.max", "max\n");
    write(group() / "memory.events", "low 0\noom 3\noom_kill 2\n");
    write(cgroups() / "system.slice" / "memory.max", "536870912\n");
  }
  [[nodiscard]] fs::path process() const { return fs::path(dir_.path()) / "self"; }
  [[nodiscard]] fs::path cgroups() const { return fs::path(dir_.path()) / "cgroup"; }
  [[nodiscard]] fs::path group() const { return cgroups() / "system.slice" / "timectl.service"; }
  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  [[nodiscard]] diagnose::ResourceFacts facts() const {
    return host_facts({.data_dir = dir_.path(),
                       .log_file = dir_ / "node.log",
                       .process = process(),
                       .cgroups = cgroups()},
                      clock_now().wall + 48h);
  }
  test::TempDir dir_;
};

TEST_F(HostFacts, CountDescriptorsAgainstTheLimitInForce) {
  EXPECT_EQ(facts().descriptors, 7U);
  EXPECT_EQ(facts().descriptors_limit, 64U);
  write(process() / "limits", "Max open files            unlimited            unlimited  files\n");
  EXPECT_FALSE(facts().descriptors_limit);
}

TEST_F(HostFacts, TakeTheTightestMemoryLimitOfTheGroupsAbove) {
  EXPECT_EQ(facts().memory_bytes, 1000U * static_cast<std::uint64_t>(::getpagesize()));
  EXPECT_EQ(facts().memory_limit_bytes, 536'870'912U);
  EXPECT_EQ(facts().oom_kills, 2U);
  EXPECT_EQ(facts().cgroup, "system.slice/timectl.service");
  write(group() / "memory.max", "1048576\n");
  EXPECT_EQ(facts().memory_limit_bytes, 1'048'576U);
}

TEST_F(HostFacts, AreUnknownWhereNothingCanBeRead) {
  const auto nothing = host_facts({.data_dir = dir_ / "none",
                                   .log_file = dir_ / "none.log",
                                   .process = dir_ / "none",
                                   .cgroups = dir_ / "none"},
                                  clock_now().wall);
  EXPECT_FALSE(nothing.disk_free_bytes);
  EXPECT_FALSE(nothing.descriptors);
  EXPECT_FALSE(nothing.descriptors_limit);
  EXPECT_FALSE(nothing.memory_bytes);
  EXPECT_FALSE(nothing.memory_limit_bytes);
  EXPECT_FALSE(nothing.log_bytes);
}

TEST_F(HostFacts, LeaveTheHierarchyToNobodyWhoPointsOutOfIt) {
  write(process() / "cgroup", "0::/../../etc\n");
  EXPECT_FALSE(facts().memory_limit_bytes);
  EXPECT_EQ(facts().oom_kills, 0U);
}

TEST_F(HostFacts, KnowTheDiskOfTheDataDirectory) {
  ASSERT_TRUE(facts().disk_free_bytes);
  EXPECT_GT(*facts().disk_total_bytes, *facts().disk_free_bytes);
}

TEST_F(HostFacts, AddUpTheLogWithWhatWasRotatedAndItsGrowth) {
  write(dir_ / "node.log", std::string(1000, 'x'));
  write(dir_ / "node.1.log", std::string(3000, 'x'));
  write(dir_ / "node.3.log", std::string(50'000, 'x'));  // no row of rotations reaches it
  EXPECT_EQ(facts().log_bytes, 4000U);
  // Two days old, as the test's clock has it.
  const auto a_day = facts().log_bytes_a_day;
  if (!a_day) GTEST_SKIP() << "this file system knows no time of birth";
  EXPECT_NEAR(static_cast<double>(*a_day), 2000, 20);
}

TEST_F(HostFacts, OfThisVeryProcessAreThere) {
  const auto own = host_facts({.data_dir = "/tmp"}, clock_now().wall);
  EXPECT_GT(own.descriptors.value_or(0), 0U);
  EXPECT_GT(own.memory_bytes.value_or(0), 1'000'000U);
}

}  // namespace
}  // namespace timectl
