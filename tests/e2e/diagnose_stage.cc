#include "tests/e2e/diagnose_stage.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

constexpr std::uint64_t kThreeDays = 3 * 86'400;
constexpr std::uint64_t kSeed = 63;
constexpr std::int64_t kIntoTheSlot =
    60;  // of 600 s: another height is expected after nine minutes

std::int64_t unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

Stage::Stage(const std::string& net, const std::string& config)
    : peers(sandbox),
      node(sandbox, net + "2", config),
      net_(net),
      foreign_(std::make_shared<std::atomic<std::size_t>>(0)) {}

void Stage::live_at(std::size_t height) {
  shift_ = clock_shift(height);
  chain_ = chain_of(kSeed, height);
  fill_chain(node, kSeed, height);
  node.run_under(under_shifted_clock(shift_));
}

void Stage::put(const std::string& ip, const std::string& words, std::int64_t ahead) {
  peers.put(ip, words + " clock=" + std::to_string(shift_ + ahead), chain_);
}

std::int64_t Stage::now() const {
  return unix_now() + shift_;
}

testing::FakeRpc& Stage::rpc(const std::string& ip) {
  auto& rpc = rpcs_[ip];
  if (!rpc) {
    testing::FakeRpcWish wish;
    wish.address = ip;
    wish.port = static_cast<std::uint16_t>(sandbox.port() + 1);
    rpc = std::make_unique<testing::FakeRpc>(wish);
    const auto expected = wire::expected_height(wire::Network::testnet, now());
    rpc->healthy(expected, kThreeDays);
  }
  return *rpc;
}

void Stage::watch(const std::string& ip) {
  peers.with(ip, [foreign = foreign_](test::ScriptedPeer& peer) {
    peer.listen([foreign](const wire::Message& message) {
      const auto* hello = std::get_if<wire::msg::Handshake>(&message);
      const auto& ours = wire::params_of(wire::Network::testnet).magic;
      if (hello != nullptr && hello->magic != ours) ++*foreign;
    });
  });
}

std::size_t Stage::connections(const std::string& ip) {
  return peers.with(ip, [](test::ScriptedPeer& peer) { return peer.seen().size(); });
}

test::ScriptedPeer::Seen Stage::last(const std::string& ip) {
  return peers.with(ip, [](test::ScriptedPeer& peer) {
    return peer.seen().empty() ? test::ScriptedPeer::Seen{} : peer.last();
  });
}

bool Stage::left_alone(const std::string& ip) {
  return wait_for(
      [&] { return peers.with(ip, [](test::ScriptedPeer& peer) { return peer.living() == 0; }); },
      milliseconds(2000));
}

std::int64_t clock_shift(std::size_t expected_height) {
  const auto genesis = wire::params_of(wire::Network::testnet).genesis_time;
  const auto slot = static_cast<std::int64_t>(expected_height) * wire::block_seconds;
  return genesis + slot + kIntoTheSlot - unix_now();
}

std::vector<std::string> under_shifted_clock(std::int64_t seconds) {
  std::vector<std::string> words{"env", "LD_PRELOAD=" TIMECTL_SHIFTED_CLOCK,
                                 "SHIFTED_CLOCK_SECONDS=" + std::to_string(seconds)};
  if (!kSanitized) return words;
  // The sanitizer wants to be the first library, which is nothing that the clock would need.
  const char* options = std::getenv("ASAN_OPTIONS");
  words.push_back("ASAN_OPTIONS=" + std::string(options == nullptr ? "" : options) +
                  ":verify_asan_link_order=0");
  return words;
}

std::string masternodes(const std::vector<std::string>& ips) {
  std::string config = "outbound_regular = 0\nwhitelisted_peers = [";
  for (const auto& ip : ips) config += "\"" + ip + "\", ";
  return config + "]\n";
}

std::string socket_calls(const NodeProcess& node, std::vector<std::string> arguments) {
  if (!has_program("strace")) return {};
  const auto file = node.data_dir() + ".strace";
  std::vector<std::string> argv{"strace", "-f", "-qq", "-e", "trace=connect", "-o", file};
  for (auto& word : node.command(std::move(arguments))) argv.push_back(word);
  (void)run(argv);
  return slurp(file);
}

}  // namespace timectl::e2e
