#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

TEST(StateLock, MakesTheDirectoryForItsOwnerOnly) {
  const StateDirectory parent;
  const auto directory = parent.path() / "a" / "b";
  ASSERT_TRUE(StateLock::try_acquire(directory, "test"));
  struct stat status {};
  ASSERT_EQ(::stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((directory / kLockFile).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(StateLock, SecondHolderIsToldThePidAndCommandOfTheFirst) {
  const StateDirectory directory;
  int to_child[2];
  int to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = StateLock::try_acquire(directory.path(), "timectl node start");
    char byte = lock ? 'y' : 'n';
    if (::write(to_parent[1], &byte, 1) != 1) ::_exit(1);
    ::close(to_child[1]);
    ::_exit(::read(to_child[0], &byte, 1) == 0 ? 0 : 1);  // until the parent closes
  }
  char byte = 0;
  ASSERT_EQ(::read(to_parent[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto expected = "pid " + std::to_string(child) + " (timectl node start)";
  const auto second = directory.open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::database_locked);
  EXPECT_NE(second.error().because.find(expected), std::string::npos) << second.error().because;
  EXPECT_EQ(lock_holder(directory.path()), expected);
  ::close(to_child[1]);
  ::close(to_child[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(lock_holder(directory.path()), std::nullopt);
  EXPECT_TRUE(directory.open());
}

TEST(StateLock, IsRefusedTwiceInOneProcessAndFreeAfterwards) {
  const StateDirectory directory;
  {
    auto first = StateLock::try_acquire(directory.path(), "test");
    ASSERT_TRUE(first);
    EXPECT_FALSE(StateLock::try_acquire(directory.path(), "test"));
    StateLock moved = std::move(*first);
    EXPECT_FALSE(StateLock::try_acquire(directory.path(), "test"));
  }
  EXPECT_TRUE(StateLock::try_acquire(directory.path(), "test"));
}

TEST(StateLock, WaitsNoLongerThanItWasTold) {
  const StateDirectory directory;
  auto held = StateLock::try_acquire(directory.path(), "test");
  ASSERT_TRUE(held);
  auto second = StateLock::acquire(directory.path(), "test", std::chrono::milliseconds(40));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::database_locked);
}

TEST(StateLock, WaitsForAHolderThatGoes) {
  const StateDirectory directory;
  auto held = StateLock::try_acquire(directory.path(), "test");
  ASSERT_TRUE(held);
  const pid_t child = ::fork();
  if (child == 0) {
    // The child shares the parent's lock until it closes its copy.
    { const StateLock mine = std::move(*held); }
    ::_exit(StateLock::acquire(directory.path(), "child", std::chrono::seconds(10)) ? 0 : 1);
  }
  { const StateLock given_back = std::move(*held); }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(StateLock, DoesNotFollowALinkOfSomebodyElse) {
  const StateDirectory directory;
  const StateDirectory elsewhere;
  std::filesystem::create_symlink(elsewhere.path() / "target", directory.path() / kLockFile);
  auto lock = StateLock::try_acquire(directory.path(), "test");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, Code::cannot_create);
  EXPECT_FALSE(std::filesystem::exists(elsewhere.path() / "target"));
}

TEST(StateLock, PathThatIsAFileIsAnError) {
  const StateDirectory directory;
  write_bytes(directory.path() / "file", "x");
  auto lock = StateLock::try_acquire(directory.path() / "file" / "state", "test");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, Code::cannot_create);
}

}  // namespace
}  // namespace timectl::store
