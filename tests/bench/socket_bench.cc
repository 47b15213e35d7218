// What an operator waits for: a whitelist change over the control socket of a real node, from the
// request to the reply (the transaction is on disk then), and a read beside it.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "cmd/client.h"
#include "tests/paths.h"

namespace timectl {
namespace {

class RunningNode {
 public:
  // `discovery` goes into the section [discovery].
  explicit RunningNode(const std::string& discovery = "enabled = false\n") {
    std::string pattern = (std::filesystem::temp_directory_path() / "timectl-bench-XXXXXX");
    directory_ = ::mkdtemp(pattern.data());
    std::ofstream(directory_ + "/t.toml")
        << "[node]\nlisten = \"127.61.0.2\"\n[network]\nname = \"testnet\"\nport = 24655\n"
        << "[dashboard]\nenabled = false\n[discovery]\n"
        << discovery;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      ::dup2(null, 2);
      ::execl(TIMECTL_BINARY, "timectl", "--config", (directory_ + "/t.toml").c_str(), "--data-dir",
              (directory_ + "/data").c_str(), "--socket", socket().c_str(), "node", "start",
              "--foreground", nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 1000 && !client_; ++i) {
      auto client = cmd::Client::connect(socket(), std::chrono::seconds(5));
      if (client)
        client_.emplace(std::move(*client));
      else
        ::poll(nullptr, 0, 10);
    }
    if (!client_) std::abort();
  }
  ~RunningNode() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(directory_);
  }
  cmd::Client& client() { return *client_; }
  [[nodiscard]] std::string socket() const { return directory_ + "/node.sock"; }

 private:
  std::string directory_;
  pid_t pid_ = -1;
  std::optional<cmd::Client> client_;
};

void WhitelistChangeConfirmed(benchmark::State& state) {
  RunningNode node;
  std::uint32_t next = 0;
  for (auto _ : state) {
    // TEST-NET addresses of an unroutable range; each is new, so each is a transaction.
    const std::string ip = "240.0." + std::to_string(next / 250) + "." + std::to_string(next % 250);
    ++next;
    const control::WhitelistAddRequest request{.ips = {ip}, .reason = "bench"};
    const auto reply =
        node.client().call("whitelist.add", to_json(request), std::chrono::seconds(10));
    if (!reply) state.SkipWithError(reply.error().message.c_str());
  }
}
BENCHMARK(WhitelistChangeConfirmed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(500);

void StatusOverTheSocket(benchmark::State& state) {
  RunningNode node;
  for (auto _ : state) {
    const auto reply = node.client().call("status", json::object(), std::chrono::seconds(10));
    if (!reply) state.SkipWithError(reply.error().message.c_str());
  }
}
BENCHMARK(StatusOverTheSocket)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(500);

// A list of 5,000 addresses that nobody has: not one can be dialled.
std::string list_of(std::size_t count) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "\"127." : ",\"127.") + std::to_string(100 + i / 60'000) + "." +
            std::to_string(i / 250 % 250) + "." + std::to_string(1 + i % 250) + "\"";
  }
  return text + "]";
}

// The list on disk, changed by the benchmark; the guards would hold back what it measures.
class ListFile {
 public:
  ListFile() {
    std::string pattern = std::filesystem::temp_directory_path() / "timectl-list-XXXXXX";
    const int fd = ::mkstemp(pattern.data());
    ::close(fd);
    path_ = pattern;
    write(1);
  }
  ~ListFile() { std::filesystem::remove(path_); }
  ListFile(const ListFile&) = delete;
  ListFile& operator=(const ListFile&) = delete;
  void write(std::size_t count) const { std::ofstream(path_, std::ios::trunc) << list_of(count); }
  [[nodiscard]] std::string discovery() const {
    return "url = \"file://" + path_ +
           "\"\nallow_private = true\nmax_growth = 5000\nmax_subnet_growth = 5000\n";
  }

 private:
  std::string path_;
};

// From the request to the reply: fetched, parsed, planned, on disk with 4,999 audit rows, in force.
// longest_gap_ms: the longest that another client of the node waited for an answer meanwhile,
// which is the longest that its loop stood still.
void RefreshOf5000InANode(benchmark::State& state) {
  double longest = 0;
  for (auto _ : state) {
    const ListFile list;
    RunningNode node(list.discovery());
    auto probe = cmd::Client::connect(node.socket(), std::chrono::seconds(5));
    if (!probe) return state.SkipWithError("no second client");
    const auto limit = std::chrono::seconds(30);
    // The first list is in force before the second comes.
    (void)node.client().call("refresh", json::object(), limit);
    list.write(5000);
    std::atomic<bool> done = false;
    std::thread prober([&] {
      while (!done) {
        const auto begin = std::chrono::steady_clock::now();
        if (!probe->call("slots.show", json::object(), limit)) return;
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - begin;
        longest = std::max(longest, took.count());
      }
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto reply = node.client().call("refresh", json::object(), limit);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    done = true;
    prober.join();
    const bool all = reply && reply->at("added").as_array().size() == 4999;
    if (!all) return state.SkipWithError("not all were taken");
    state.SetIterationTime(took.count());
  }
  state.counters["longest_gap_ms"] = longest;
}
BENCHMARK(RefreshOf5000InANode)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(5);

void RefreshDryRunOf5000(benchmark::State& state) {
  const ListFile list;
  RunningNode node(list.discovery());
  list.write(5000);
  for (auto _ : state) {
    const auto reply =
        node.client().call("refresh", json::object{{"dry_run", true}}, std::chrono::seconds(30));
    if (!reply) state.SkipWithError(reply.error().message.c_str());
  }
}
BENCHMARK(RefreshDryRunOf5000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(20);

}  // namespace
}  // namespace timectl

BENCHMARK_MAIN();
