// The ceiling of sync's network part alone: batches of 50 blocks over TLS on loopback from one
// scripted peer (a thread of its own) into a Network whose port asks for the next range at once and
// throws the blocks away. 40 batches are what the send guard lets out in one go; afterwards it is
// the guard, at 200 blocks a second, and no ceiling.
#include <benchmark/benchmark.h>
#include <ctime>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "daemon/net/chain_port.h"
#include "daemon/net/network.h"
#include "tests/support/chain_maker.h"
#include "tests/support/scripted_peer.h"

namespace timectl::net {
namespace {

constexpr IpAddress kNode = IpAddress::v4(127, 0, 1, 2);
constexpr IpAddress kPeer = IpAddress::v4(127, 0, 1, 3);
constexpr std::uint64_t kBatch = wire::max_blocks_per_response;
constexpr std::uint64_t kBlocks = 40 * kBatch;

Now now() {
  return {Instant(std::chrono::duration_cast<Duration>(
              std::chrono::steady_clock::now().time_since_epoch())),
          std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

double thread_cpu_seconds() {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class HungryPort : public ChainPort {
 public:
  void on_ready(const IpAddress&, Now) override { ready = true; }
  void on_gone(const IpAddress&, Now) override { ready = false; }
  void on_message(const IpAddress&, const wire::Message& message, wire::Bytes payload,
                  Now) override {
    const auto* answer = std::get_if<wire::msg::BlocksResponse>(&message);
    if (answer == nullptr) return;
    blocks += answer->blocks.size();
    bytes += payload.size();
    if (blocks < kBlocks) ask();
  }
  std::optional<wire::OutgoingMessage> answer(const IpAddress&, const wire::Message&,
                                              Now) override {
    return std::nullopt;
  }
  std::optional<std::uint64_t> own_height(Now) const override { return std::nullopt; }

  void ask() {
    wire::msg::GetBlocks request;
    request.start = blocks + 1;
    request.end = blocks + kBatch;
    refused = refused || !network->send(kPeer, request);
  }

  Network* network = nullptr;
  bool ready = false;
  bool refused = false;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
};

// A peer that serves, on a thread of its own.
class Server {
 public:
  explicit Server(const test::Script& script)
      : peer_(io_, {kPeer, 0}, script, timectl::Network::testnet), thread_([this] { io_.run(); }) {}
  ~Server() {
    boost::asio::post(io_, [this] { io_.stop(); });
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  void dial(const Endpoint& to) {
    boost::asio::post(io_, [this, to] { peer_.dial(to); });
  }

 private:
  boost::asio::io_context io_{1};
  test::ScriptedPeer peer_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::thread thread_;
};

void BlocksOverTls(benchmark::State& state) {
  test::ChainOptions options;
  options.block_size = static_cast<std::size_t>(state.range(0));
  options.sign = false;
  test::Script script;
  script.chain = std::make_shared<test::ServedChain>(wire::Network::testnet,
                                                     test::ChainMaker(options).next(kBlocks));
  double cpu = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    boost::asio::io_context io{1};
    Whitelist whitelist{10};
    Bans bans;
    Node node{NodeOptions{.own_address = kNode, .seed = 1}, whitelist, bans};
    HungryPort port;
    NetworkOptions network_options;
    network_options.network = timectl::Network::testnet;
    network_options.listen = kNode;
    network_options.port = 0;
    network_options.chain = &port;
    NetworkSinks sinks;
    sinks.event = [](const Event&) {};
    sinks.session = [](const SessionRecord&) {};
    sinks.memory = [](const PeerMemory&) {};
    sinks.trouble = [](const std::string&) {};
    auto network = std::make_unique<Network>(io, network_options, node, whitelist, now, sinks);
    port.network = network.get();
    if (!network->start()) throw std::runtime_error("cannot listen");
    auto server = std::make_unique<Server>(script);
    server->dial({kNode, network->port()});
    if (!test::run_until(io, [&] { return port.ready; })) state.SkipWithError("no connection");
    const double before = thread_cpu_seconds();
    state.ResumeTiming();
    port.ask();
    const bool all = test::run_until(
        io, [&] { return port.blocks >= kBlocks || !port.ready; }, std::chrono::seconds(30));
    state.PauseTiming();
    cpu += thread_cpu_seconds() - before;
    bytes += port.bytes;
    if (!all || port.refused || port.blocks < kBlocks) state.SkipWithError("not all blocks came");
    network.reset();
    io.restart();
    (void)io.poll();
    server.reset();
    state.ResumeTiming();
  }
  const auto blocks = static_cast<double>(state.iterations()) * static_cast<double>(kBlocks);
  state.counters["blocks/s"] = benchmark::Counter(blocks, benchmark::Counter::kIsRate);
  state.counters["node_cpu_us/block"] = cpu / blocks * 1e6;
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(BlocksOverTls)->Arg(1500)->Arg(8000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace timectl::net

BENCHMARK_MAIN();
