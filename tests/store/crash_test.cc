// kill -9 in the middle of changes: what was confirmed is there, and the audit chain is whole.
#include <gtest/gtest.h>

#include "store/peer_history.h"
#include "store/samples.h"
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

constexpr std::size_t kOpenAtOnce = 5;

// Look after look: a sample of so many seconds and sessions that tell the same number.
[[noreturn]] void look_until_killed(const StateDirectory& directory, int confirmations) {
  auto database = directory.open();
  if (!database) ::_exit(1);
  for (std::uint64_t look = 1;; ++look) {
    PeerSample sample;
    sample.ip = address(1);
    sample.at = kNow;
    sample.pings = look;
    std::vector<SessionRecord> open(kOpenAtOnce);
    for (std::size_t i = 0; i < open.size(); ++i) {
      open[i].ip = address(i);
      open[i].started_at = kNow;
      open[i].ended_at = kNow + std::chrono::seconds(look);
      open[i].missed_pongs = look;
    }
    if (!put_samples(*database, std::vector{sample}, std::optional<NodeSample>(), open)) ::_exit(2);
    const char byte = 'y';
    if (::write(confirmations, &byte, 1) != 1) ::_exit(3);
  }
}

TEST(Crash, KillInTheMiddleOfALookLosesNoOpenSessionAndNoSample) {
  for (std::size_t round = 0; round < 8; ++round) {
    const StateDirectory directory;
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) look_until_killed(directory, pipe_ends[1]);
    ::close(pipe_ends[1]);
    std::uint64_t confirmed = 0;
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
    const auto ended = end_open_sessions(*database);
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_EQ(*ended, kOpenAtOnce);
    const auto samples = *list_peer_samples(*database, {});
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_GE(samples[0].pings, confirmed) << "a look that was confirmed was lost";
    EXPECT_LE(samples[0].pings, confirmed + 1);
    const auto sessions = *list_sessions(*database, {});
    ASSERT_EQ(sessions.size(), kOpenAtOnce);
    for (const auto& session : sessions) {
      EXPECT_EQ(session.missed_pongs, samples[0].pings) << "a look is stored whole or not at all";
      EXPECT_EQ(session.end_reason, EndReason::shutdown);
    }
    EXPECT_TRUE(integrity_check(*database)->empty());
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
