// Samples and scores of a running node, written from its tick; a virtual node, a real database.
#include "daemon/history_keeper.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "store/samples.h"
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

const IpAddress kNear = IpAddress::v4(64, 0, 0, 1);
const IpAddress kAway = IpAddress::v4(64, 0, 1, 1);

struct KeeperTest : testing::Test {
  void SetUp() override {
    ASSERT_TRUE(keeper.open(shell.now));
    ASSERT_TRUE(keeper.restore_scores(shell.node));
    shell.start();
    session = shell.finish_dial(kNear);
    shell.closed(shell.last_dial(kAway), EndReason::refused);
  }
  // A minute, with its look; the session's pings are answered.
  Result<void> minute() {
    for (int quarter = 0; quarter < 4; ++quarter) {
      shell.run(15s);
      for (const auto& ping : shell.all<SendPing>()) {
        shell.node.on_pong(ping.connection, ping.nonce, 100, shell.now);
      }
      shell.collect();
      shell.clear();
    }
    return keeper.look(shell.node, config, shell.list.size(), sync, standings, shell.now);
  }
  std::vector<PeerSample> stored(const IpAddress& ip) {
    store::SampleFilter filter;
    filter.ip = ip;
    return *store::list_peer_samples(database, filter);
  }

  config::Config config;
  store::Database database = store::Database::in_memory();
  HistoryKeeper keeper{database};
  NodeShell shell{{kNear, kAway}};
  ConnectionId session{};
  std::optional<SyncStatusView> sync;
  std::vector<SyncPeerView> standings;
};

TEST_F(KeeperTest, EachMinuteIsStoredAndAddsUpToTheTimeThatPassed) {
  for (int i = 0; i < 31; ++i) ASSERT_TRUE(minute());
  double looked = 0;
  double connected = 0;
  double away = 0;
  for (const auto& row : stored(kNear)) looked += row.seconds, connected += row.connected_seconds;
  for (const auto& row : stored(kAway)) away += row.seconds - row.connected_seconds;
  EXPECT_NEAR(looked, 30 * 60, 1);
  EXPECT_NEAR(connected, looked, 1);
  EXPECT_NEAR(away, 30 * 60, 1);
  EXPECT_EQ(store::sessions_at(database, shell.now.wall)->size(), 1U);
}

TEST_F(KeeperTest, ScoresOutliveTheNode) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(minute());
  NodeShell again({kNear, kAway});
  HistoryKeeper next(database);
  ASSERT_TRUE(next.open(shell.now));
  ASSERT_TRUE(next.restore_scores(again.node));
  const auto before = shell.node.score(kNear, shell.now);
  const auto after = again.node.score(kNear, shell.now);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->score, before->score);
  EXPECT_EQ(store::sessions_at(database, shell.now.wall)->size(), 0U) << "the crash ended it";
}

TEST_F(KeeperTest, ALieAboutTheChainCostsOnceAndALagCosts) {
  sync.emplace();
  sync->best_height = 200;  // the peer pongs 100
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(minute());
  const auto part = [&](const std::string& name) {
    const auto view = shell.node.score(kNear, shell.now);
    for (const auto& p : view->parts) {
      if (p.name == name) return p.penalty;
    }
    return -1.0;
  };
  EXPECT_GT(part("lag"), 1);
  EXPECT_EQ(part("misconduct"), 0);
  standings = {{.ip = kNear, .state = "implausible"}};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(minute());
  const double once = part("misconduct");
  EXPECT_GT(once, 0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(minute());
  EXPECT_LE(part("misconduct"), once) << "it is still the same lie";
}

// In a child of its own: the file size limit holds for the whole process.
TEST(HistoryKeeper, WhileTheDiskIsFullRowsWaitAndNoneIsLost) {
  std::string pattern = (std::filesystem::temp_directory_path() / "timectl-keep-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    auto database = store::Database::open(*store::StateLock::try_acquire(directory, "test"),
                                          store::OpenMode::read_write);
    const config::Config config;
    NodeShell shell({kAway});
    HistoryKeeper keeper(*database);
    shell.start();
    const auto looks = [&](int count) {
      bool all = true;
      for (int i = 0; i < count; ++i) {
        shell.run(1min);
        all = keeper.look(shell.node, config, 1, std::nullopt, {}, shell.now).has_value() && all;
      }
      return all;
    };
    const bool opened = keeper.open(shell.now).has_value() && looks(2);
    const auto begun = shell.now.wall;
    rlimit limit{8192, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const bool refused = !looks(30) && keeper.waiting() >= 6;
    limit.rlim_cur = RLIM_INFINITY;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (database->write_failure()) (void)database->reopen();
    const bool written = looks(1) && keeper.waiting() <= 1;
    double away = 0;
    for (const auto& row : *store::list_peer_samples(*database, {.since = begun})) {
      away += row.seconds;
    }
    const bool kept = away >= 30 * 60;
    ::_exit(!opened ? 1 : !refused ? 2 : !written ? 3 : !kept ? 4 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace timectl
