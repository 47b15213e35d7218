// `timectl top` in a pseudo-terminal beside a node with 125 connected masternodes (issue 7: under
// 1 % of a core), and what its questions cost the node.
// TIMECTL_TOP_SECONDS: how long it is watched (30).
#include <benchmark/benchmark.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "tests/bench/crowd.h"
#include "tests/paths.h"

namespace timectl::bench {
namespace {

constexpr std::size_t kPeers = 125;
constexpr double kSettle = 3;

// The command on a terminal of 160x50 whose output is counted and dropped; ends with its owner.
class WatchedTop {
 public:
  explicit WatchedTop(const std::string& socket) {
    winsize size{.ws_row = 50, .ws_col = 160, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ == 0) {
      ::setenv("TERM", "xterm-256color", 1);
      ::setenv("LC_ALL", "C.UTF-8", 1);
      ::execl(TIMECTL_BINARY, "timectl", "--socket", socket.c_str(), "top", nullptr);
      ::_exit(127);
    }
    drain_ = std::thread([this] {
      std::array<char, 65536> buffer{};
      for (;;) {
        const auto got = ::read(terminal_, buffer.data(), buffer.size());
        if (got <= 0) return;
        bytes_ += static_cast<std::uint64_t>(got);
      }
    });
  }
  ~WatchedTop() {
    ::kill(pid_, SIGTERM);
    (void)::waitpid(pid_, nullptr, 0);
    drain_.join();
    ::close(terminal_);
  }
  WatchedTop(const WatchedTop&) = delete;
  WatchedTop& operator=(const WatchedTop&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  int terminal_ = -1;
  pid_t pid_ = -1;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::thread drain_;
};

void TopBeside125Masternodes(benchmark::State& state) {
  raise_descriptors();
  for (auto _ : state) {
    Crowd crowd(Kind::masternode, kPeers);
    if (!crowd.grow(kPeers)) return state.SkipWithError("not all connected");
    (void)crowd.rest(kSettle, false);
    const double seconds = seconds_from("TIMECTL_TOP_SECONDS", 30);
    const auto alone = crowd.rest(seconds, true);
    const WatchedTop top(crowd.node().socket());
    (void)crowd.rest(kSettle, false);
    const double before = cpu_seconds(top.pid());
    const auto bytes = top.bytes();
    const auto watched = crowd.rest(seconds, true);
    auto& c = state.counters;
    c["top_cpu_percent"] = (cpu_seconds(top.pid()) - before) / watched.seconds * 100;
    c["top_bytes_per_second"] = static_cast<double>(top.bytes() - bytes) / watched.seconds;
    c["top_KiB"] = resident_kib(top.pid());
    c["node_cpu_percent"] = watched.cpu_percent;
    c["node_cpu_percent_alone"] = alone.cpu_percent;
    c["lost"] = static_cast<double>(crowd.lost());
    c["load"] = load_average();
  }
}
BENCHMARK(TopBeside125Masternodes)->Repetitions(1)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace timectl::bench

BENCHMARK_MAIN();
