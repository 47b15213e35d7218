// What an operator waits for: a whitelist change over the control socket of a real node, from the
// request to the reply (the transaction is on disk then), and a read beside it.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cmd/client.h"
#include "tests/paths.h"

namespace timectl {
namespace {

class RunningNode {
 public:
  RunningNode() {
    std::string pattern = (std::filesystem::temp_directory_path() / "timectl-bench-XXXXXX");
    directory_ = ::mkdtemp(pattern.data());
    std::ofstream(directory_ + "/t.toml")
        << "[node]\nlisten = \"127.61.0.2\"\n[network]\nname = \"testnet\"\nport = "
           "24655\n[discovery]\nenabled = false\n";
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

 private:
  [[nodiscard]] std::string socket() const { return directory_ + "/node.sock"; }
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

}  // namespace
}  // namespace timectl

BENCHMARK_MAIN();
