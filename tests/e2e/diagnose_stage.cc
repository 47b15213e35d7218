#include "tests/e2e/diagnose_stage.h"

#include <gtest/gtest.h>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

constexpr std::uint64_t kThreeDays = 3 * 86'400;

}  // namespace

Stage::Stage(const std::string& net, const std::string& config)
    : peers(sandbox),
      node(sandbox, net + "2", config),
      net_(net),
      foreign_(std::make_shared<std::atomic<std::size_t>>(0)) {}

testing::FakeRpc& Stage::rpc(const std::string& ip, std::uint64_t height) {
  auto& rpc = rpcs_[ip];
  if (!rpc) {
    testing::FakeRpcWish wish;
    wish.address = ip;
    wish.port = static_cast<std::uint16_t>(sandbox.port() + 1);
    rpc = std::make_unique<testing::FakeRpc>(wish);
    rpc->healthy(height, kThreeDays);
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
