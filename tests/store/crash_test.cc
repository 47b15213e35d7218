// kill -9 in the middle of changes: what was confirmed is there, and the audit chain is whole.
#include <gtest/gtest.h>

#include "store/peer_history.h"
#include "tests/store/state_directory.h"

namespace timectl::store {
namespace {

// Adds addresses one by one and confirms each through the pipe, until it is killed.
[[noreturn]] void change_until_killed(const StateDirectory& directory, std::size_t first,
                                      int confirmations) {
  auto database = directory.open();
  if (!database) ::_exit(1);
  for (std::size_t i = first;; ++i) {
    if (!apply_changes(*database, operator_origin(), std::vector{addition(address(i))})) ::_exit(2);
    const char byte = 'y';
    if (::write(confirmations, &byte, 1) != 1) ::_exit(3);
    if (!append_history(*database, std::vector<SessionRecord>(3), {})) ::_exit(4);
  }
}

TEST(Crash, KillInTheMiddleOfChangesLosesNothingConfirmedAndKeepsTheChain) {
  const StateDirectory directory;
  std::size_t present = 0;
  for (std::size_t round = 0; round < 8; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) change_until_killed(directory, present + 1, pipe_ends[1]);
    ::close(pipe_ends[1]);
    // Another number of confirmations each time, so that the kill falls on other places.
    std::size_t confirmed = 0;
    char byte = 0;
    while (confirmed < 7 + 13 * round && ::read(pipe_ends[0], &byte, 1) == 1) ++confirmed;
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &byte, 1) == 1) ++confirmed;
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);

    auto database = directory.open();
    ASSERT_TRUE(database) << database.error().message;
    auto entries = load_whitelist(*database);
    ASSERT_TRUE(entries);
    EXPECT_GE(entries->size(), present + confirmed) << "a confirmed change was lost";
    EXPECT_LE(entries->size(), present + confirmed + 1);
    auto verdict = verify_audit(*database);
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->ok) << verdict->problem;
    EXPECT_EQ(verdict->rows, entries->size()) << "row and change: both or neither";
    EXPECT_TRUE(integrity_check(*database)->empty());
    present = entries->size();
  }
}

TEST(Crash, KilledCreationIsBegunAnew) {
  const StateDirectory directory;
  write_bytes(directory.file().string() + ".new", "half a database");
  write_bytes(directory.file().string() + ".new-wal", "and its log");
  auto database = directory.open();
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_FALSE(std::filesystem::exists(directory.file().string() + ".new"));
}

}  // namespace
}  // namespace timectl::store
