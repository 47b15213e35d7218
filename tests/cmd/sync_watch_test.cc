// `timectl sync watch` and its sisters, the real binary, against a control server that answers
// sync.status with one view after the other: what a script and a terminal see, and how it ends.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <sstream>
#include <thread>

#include "daemon/clock.h"
#include "daemon/control/server.h"
#include "daemon/core/json.h"
#include "tests/cmd/command.h"
#include "tests/cmd/sync_lab.h"
#include "tests/paths.h"

namespace timectl::cmd {
namespace {

class WatchCommand : public ::testing::Test {
 protected:
  ~WatchCommand() override {
    done_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // Each question gets the next view, the last one for ever; where `goes_away`, the server ends
  // with the question after the last.
  void answer_with(std::vector<SyncStatusView> views, bool goes_away = false) {
    views_ = std::move(views);
    goes_away_ = goes_away;
    control::ServerOptions options;
    options.path = socket();
    options.node_uid = ::getuid();
    options.now = [] { return clock_now().mono; };
    server_ = std::make_unique<control::Server>(
        io_, options,
        [this](const std::string& name, const json::value&, const control::Actor& actor) {
          return reply_to(name, actor.pid);
        });
    ASSERT_TRUE(server_->listen());
    thread_ = std::thread([this] {
      while (!done_) {
        io_.restart();
        io_.run_one_for(5ms);
      }
      server_.reset();
    });
  }
  control::Reply reply_to(const std::string& name, pid_t asker) {
    if (name == "hello") return {to_json(control::HelloReply{control::kApiVersion, "test", 77})};
    EXPECT_EQ(name, "sync.status");
    if (goes_away_ && asked_ == views_.size()) {
      done_ = true;
      control::Reply never;
      never.later = [](control::Answer) {};
      return never;
    }
    if (asked_ == interrupt_at_) ::kill(asker, SIGINT);  // it is one of ours: Sandbox started it
    const auto& view = views_.at(std::min(asked_, views_.size() - 1));
    ++asked_;
    return {to_json(view)};
  }
  [[nodiscard]] std::string socket() const { return sandbox_.directory() + "/fake.sock"; }
  [[nodiscard]] std::vector<std::string> words(std::vector<std::string> more) const {
    std::vector<std::string> all{"--socket", socket(), "--utc"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] timectl::testing::Ran watch(std::vector<std::string> more = {}) const {
    auto all = words({"sync", "watch", "--poll-ms", "10"});
    all.insert(all.end(), more.begin(), more.end());
    return sandbox_.run(all);
  }

  timectl::testing::Sandbox sandbox_;
  boost::asio::io_context io_{1};
  std::unique_ptr<control::Server> server_;
  std::thread thread_;
  std::atomic<bool> done_ = false;
  std::vector<SyncStatusView> views_;  // from here on of the server's thread
  bool goes_away_ = false;
  std::size_t interrupt_at_ = SIZE_MAX;  // the asker of this question is sent Ctrl-C
  std::size_t asked_ = 0;
};

TEST_F(WatchCommand, InAPipeUntilSyncedEndsByItselfWithALinePerChange) {
  const auto start = lagging(100, 400, SyncActivity::syncing);
  answer_with({start, start, start, lagging(300, 400, SyncActivity::syncing), level(400)});
  const auto ran = watch({"--until-synced"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 3) << ran.out;
  EXPECT_NE(ran.out.find("behind by 300 blocks"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("in sync at height 400, vouched for by 3 masternodes\n"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(ran.err, "");
}

TEST_F(WatchCommand, WithJsonEachChangeIsADocument) {
  answer_with({lagging(100, 400, SyncActivity::syncing), level(400)});
  const auto ran = watch({"--until-synced", "--json"});
  EXPECT_EQ(ran.status, 0);
  std::istringstream lines(ran.out);
  std::vector<json::value> seen;
  for (std::string line; std::getline(lines, line);) seen.push_back(json::parse(line));
  ASSERT_EQ(seen.size(), 2U) << ran.out;
  EXPECT_EQ(seen[0].at("schema"), "timectl.sync.watch/1");
  EXPECT_EQ(seen[0].at("data").at("lag_blocks"), 300);
  EXPECT_EQ(seen[1].at("data").at("lag_blocks"), 0);
}

TEST_F(WatchCommand, ANodeThatGoesAwayIs69AndSaidClearly) {
  answer_with({lagging(100, 400, SyncActivity::syncing)}, true);
  const auto ran = watch();
  EXPECT_EQ(ran.status, 69) << ran.err;
  EXPECT_NE(ran.err.find("the node went away while it was watched"), std::string::npos) << ran.err;
  EXPECT_NE(ran.out.find("behind by 300 blocks"), std::string::npos);
}

TEST_F(WatchCommand, ClaimsAboveWhatIsBelievedDoNotEndIt) {
  auto claimed = level(400);
  claimed.claimed_height = 500;
  answer_with({claimed, claimed, claimed, level(500)});
  const auto ran = watch({"--until-synced"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.out.find("perhaps behind"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("in sync at height 500"), std::string::npos) << ran.out;
}

TEST_F(WatchCommand, AnInterruptEndsItWithTheExitStatusOfTheStatus) {
  interrupt_at_ = 2;
  answer_with({lagging(100, 400, SyncActivity::syncing)});
  const auto ran = watch();
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_EQ(ran.err, "");
}

TEST_F(WatchCommand, AtATerminalOneLineIsRedrawnAndTheScreenIsLeftInOrder) {
  const auto at_a_terminal = [&](const std::string& command) {
    return sandbox_.run_program({"script", "-qec", command, "/dev/null"});
  };
  if (at_a_terminal("true").status != 0) GTEST_SKIP() << "needs util-linux's script";
  answer_with({lagging(2250, 5000, SyncActivity::syncing),
               lagging(4000, 5000, SyncActivity::syncing), level(5000)});
  const auto ran =
      at_a_terminal("stty cols 80; TERM=xterm NO_COLOR=1 " TIMECTL_BINARY " --socket " + socket() +
                    " sync watch --poll-ms 10 --until-synced");
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_EQ(ran.out,
            "\r\x1b[K[##################......................] 45.0 %  2,250 of 5,000"
            "\r\x1b[K[################################........] 80.0 %  4,000 of 5,000"
            "\r\x1b[Kin sync at height 5,000, vouched for by 3 masternodes\r\n");
}

TEST_F(WatchCommand, StatusExitsAsTheContractSays) {
  auto unknown = level(400);
  unknown.best_height.reset();
  unknown.lag_blocks.reset();
  auto claimed = level(400);
  claimed.claimed_height = 500;
  answer_with({level(400), lagging(100, 400, SyncActivity::paused), claimed, unknown});
  for (const int status : {0, 1, 1, 3}) {
    EXPECT_EQ(sandbox_.run(words({"sync", "status"})).status, status);
  }
}

}  // namespace
}  // namespace timectl::cmd
