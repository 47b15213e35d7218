// Figures of the transport: handshakes a second, the round trip of a ping, and what an idle TLS
// connection costs in memory. Node, network and peers share one process and one core; the memory
// counted is the node's side only, because the clients are a child process.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "daemon/net/network.h"
#include "tests/support/scripted_peer.h"

namespace timectl::net {
namespace {

constexpr IpAddress kNode = IpAddress::v4(127, 0, 1, 1);

Now now() {
  return {Instant(std::chrono::duration_cast<Duration>(
              std::chrono::steady_clock::now().time_since_epoch())),
          std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

Policy policy() {
  Policy numbers;
  numbers.slots.max_connections = 5000;
  numbers.slots.max_per_subnet = 5000;
  numbers.slots.per_ip_per_minute = 1'000'000;
  numbers.slots.per_subnet_per_minute = 1'000'000;
  numbers.transport.tls_handshakes_waiting = 5000;
  numbers.transport.accept_timeout = std::chrono::seconds(60);
  return numbers;
}

struct Host {
  Host() {
    NetworkOptions options;
    options.network = timectl::Network::testnet;
    options.listen = kNode;
    options.port = 0;
    options.policy = policy();
    NetworkSinks sinks;
    sinks.event = [](const Event&) {};
    sinks.session = [this](const SessionRecord&) { ++ended; };
    sinks.memory = [](const PeerMemory&) {};
    sinks.trouble = [](const std::string&) {};
    network = std::make_unique<Network>(io, options, node, whitelist, now, sinks);
    if (!network->start()) throw std::runtime_error("cannot listen");
  }
  ~Host() {
    network.reset();
    io.restart();
    (void)io.poll();
  }
  [[nodiscard]] Endpoint at() const { return {kNode, network->port()}; }

  boost::asio::io_context io{1};
  Whitelist whitelist{10};
  Node node{NodeOptions{policy(), kNode, 1, NodeMode::active}, whitelist};
  std::unique_ptr<Network> network;
  std::size_t ended = 0;
};

double resident_kib() {
  std::size_t size = 0;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> size >> pages;
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024.0;
}

IpAddress client(int n) {
  return IpAddress::v4(127, 1, static_cast<std::uint8_t>(n / 200),
                       static_cast<std::uint8_t>(n % 200 + 1));
}

void Handshakes(benchmark::State& state) {
  Host host;
  test::ScriptedPeer peer(host.io, {client(0), 0}, {}, timectl::Network::testnet);
  for (auto _ : state) {
    peer.dial(host.at());
    if (!test::run_until(host.io, [&] { return host.node.connected(client(0)); })) {
      state.SkipWithError("no connection");
      break;
    }
    state.PauseTiming();
    const auto before = host.ended;
    peer.close_all();
    (void)test::run_until(host.io, [&] { return host.ended > before; });
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Handshakes)->Unit(benchmark::kMicrosecond)->Iterations(200);

void PingRoundTrip(benchmark::State& state) {
  Host host;
  test::ScriptedPeer peer(host.io, {client(0), 0}, {}, timectl::Network::testnet);
  peer.dial(host.at());
  (void)test::run_until(host.io, [&] { return host.node.connected(client(0)); });
  std::uint64_t nonce = 0;
  for (auto _ : state) {  // six at most: the seventh within 10 s is not answered, on purpose
    wire::msg::Ping ping;
    ping.nonce = ++nonce;
    peer.send(ping);
    if (!test::run_until(host.io, [&] { return peer.last().pongs.size() == nonce; })) {
      state.SkipWithError("no pong");
      break;
    }
  }
}
BENCHMARK(PingRoundTrip)->Unit(benchmark::kMicrosecond)->Iterations(6);

// In the child: connections that complete their handshake and then say nothing more.
[[noreturn]] void hold_connections(const Endpoint& at, int count) {
  boost::asio::io_context io{1};
  std::vector<std::unique_ptr<test::ScriptedPeer>> peers;
  for (int n = 0; n < count; ++n) {
    peers.push_back(
        std::make_unique<test::ScriptedPeer>(io, Endpoint{client(n), 0}, test::Script{}));
    peers.back()->dial(at);
    peers.back()->stop_listening();
    (void)test::run_until(io, [&] { return peers.back()->last().has("Ack"); });
  }
  io.run();
  ::_exit(0);
}

void IdleConnections(benchmark::State& state) {
  constexpr int count = 1000;
  rlimit files{};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
  for (auto _ : state) {
    Host host;
    const double before = resident_kib();
    const pid_t child = ::fork();
    if (child == 0) hold_connections(host.at(), count);
    const bool all = test::run_until(
        host.io,
        [&] {
          const auto slots = host.node.slots();
          return slots.inbound == count && host.node.connected(client(count - 1));
        },
        std::chrono::seconds(180));
    if (!all) state.SkipWithError("not all connected");
    state.counters["KiB_per_connection"] = (resident_kib() - before) / count;
    (void)::kill(child, SIGKILL);
    (void)::waitpid(child, nullptr, 0);
  }
}
BENCHMARK(IdleConnections)->Repetitions(1)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace timectl::net

BENCHMARK_MAIN();
