#include "daemon/recorder.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/peer_history.h"
#include "store/peers_table.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

const IpAddress kPeer = IpAddress::v4(127, 0, 0, 9);
const Now kNow{Instant(100s), WallTime(1'795'000'000s)};

Event lost() {
  return {.at = kNow.wall,
          .kind = EventKind::peer_disconnected,
          .severity = Severity::critical,
          .peer = kPeer,
          .whitelisted = true,
          .reason = EndReason::closed_by_peer};
}

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "timectl-rec-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~RecorderTest() override { std::filesystem::remove_all(directory_); }
  std::string log_text() const {
    std::ifstream file(directory_ / "log");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  LogOptions log_options() const { return {.file = (directory_ / "log").string()}; }
  std::filesystem::path directory_;
};

TEST_F(RecorderTest, OneEventReachesLogFollowersAndHistory) {
  auto database = store::Database::in_memory();
  Log log(log_options());
  Recorder recorder(log, database, config::LogFormat::text);
  std::vector<Event> followed;
  recorder.set_publish([&](const Event& event) { followed.push_back(event); });
  recorder.event(lost(), kNow);
  EXPECT_NE(log_text().find("CRITICAL: Whitelisted peer 127.0.0.9 disconnected: closed_by_peer"),
            std::string::npos)
      << log_text();
  ASSERT_EQ(followed.size(), 1U);
  recorder.flush(kNow);
  const auto rows = store::list_events(database, {});
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().kind, EventKind::peer_disconnected);
  EXPECT_EQ(rows->front().peer, kPeer);
}

TEST_F(RecorderTest, WhatIsTooMuchToBeWrittenIsCountedAllTheSame) {
  auto database = store::Database::in_memory();
  Log log(log_options());
  Recorder recorder(log, database, config::LogFormat::text);
  int followed = 0;
  int counted = 0;
  recorder.set_publish([&](const Event&) { ++followed; });
  recorder.set_tally([&](const Event&) { ++counted; });
  const Event knock{.kind = EventKind::inbound_rejected, .peer = kPeer};
  for (int i = 0; i < 5; ++i) recorder.event(knock, kNow);
  EXPECT_EQ(counted, 5);
  EXPECT_EQ(followed, 1);
}

TEST_F(RecorderTest, OnlyTheNewestDialStateOfAPeerIsWritten) {
  auto database = store::Database::in_memory();
  Log log(log_options());
  Recorder recorder(log, database, config::LogFormat::text);
  recorder.remember({.ip = kPeer, .attempts = 1});
  recorder.remember({.ip = kPeer, .attempts = 2});
  EXPECT_TRUE(recorder.has_dial_state());
  recorder.flush(kNow);
  EXPECT_FALSE(recorder.has_dial_state());
  const auto peers = store::load_peers(database, 10);
  ASSERT_TRUE(peers);
  ASSERT_EQ(peers->size(), 1U);
  EXPECT_EQ(peers->front().attempts, 2U);
}

// In a child of its own: the file size limit holds for the whole process.
TEST_F(RecorderTest, AFullDiskIsSaidOnceAndNothingWaitingIsLostWhenSpaceReturns) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    auto lock = store::StateLock::try_acquire(directory_, "test");
    auto database = store::Database::open(std::move(*lock), store::OpenMode::read_write);
    Log log({.level = config::LogLevel::info});  // stderr: the limit holds for files
    Recorder recorder(log, *database, config::LogFormat::text);
    int degraded = 0;
    int recovered = 0;
    recorder.set_publish([&](const Event& event) {
      degraded += event.kind == EventKind::store_degraded ? 1 : 0;
      recovered += event.kind == EventKind::store_recovered ? 1 : 0;
    });
    rlimit limit{8192, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 200; ++i) {
      auto event = lost();
      event.peer = IpAddress::v4(127, 0, 1, static_cast<std::uint8_t>(i));
      recorder.event(event, kNow);
    }
    recorder.flush(kNow);
    recorder.flush({kNow.mono + 6s, kNow.wall});
    const bool refused = degraded == 1 && recorder.failure().has_value();
    limit.rlim_cur = RLIM_INFINITY;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    recorder.flush({kNow.mono + 20s, kNow.wall});
    const bool back = recovered == 1 && !recorder.failure();
    recorder.flush({kNow.mono + 30s, kNow.wall});
    const auto rows = store::list_events(*database, {.limit = 1000});
    const bool kept = rows && rows->size() == 202;  // and degraded and recovered themselves
    ::_exit(!refused ? 1 : !back ? 2 : !kept ? 3 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace timectl
