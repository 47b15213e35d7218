// Latencies of the transport with node, network and peer in one process and on one core: a whole
// connection, and the round trip of a ping. Load on a real node: crowd_bench and flood_bench.
#include <benchmark/benchmark.h>

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
  Bans bans;
  Node node{NodeOptions{.policy = policy(), .own_address = kNode, .seed = 1}, whitelist, bans};
  std::unique_ptr<Network> network;
  std::size_t ended = 0;
};

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

}  // namespace
}  // namespace timectl::net

BENCHMARK_MAIN();
