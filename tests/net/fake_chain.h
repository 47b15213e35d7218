#pragma once
// A chain's port that notes what it is told and answers what a test says, and a fixture in which it
// stands behind a real Network with one scripted peer.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/net/chain_port.h"
#include "tests/net/world.h"
#include "tests/support/chain_maker.h"

namespace timectl::net {

using Frame = std::vector<std::uint8_t>;

inline constexpr IpAddress other_ip = IpAddress::v4(127, 0, 0, 4);

// Notes all that it is told; answers what the test says.
class FakeChain : public ChainPort {
 public:
  void on_ready(const IpAddress& peer, Now) override {
    told.push_back("ready " + peer.to_string());
    if (when_ready) when_ready();
  }
  void on_gone(const IpAddress& peer, Now) override {
    told.push_back("gone " + peer.to_string());
    if (when_gone) when_gone();
  }
  void on_message(const IpAddress& peer, const wire::Message& message, wire::Bytes payload,
                  Now) override {
    messages.emplace_back(peer, wire::message_name(message));
    payloads.emplace_back(payload.begin(), payload.end());
    if (when_message) when_message(message);
  }
  std::optional<wire::OutgoingMessage> answer(const IpAddress&, const wire::Message& request,
                                              Now) override {
    requests.emplace_back(wire::message_name(request));
    return answers ? answers(request) : std::nullopt;
  }
  std::optional<std::uint64_t> own_height(Now) const override { return height; }

  [[nodiscard]] std::size_t count(std::string_view message) const {
    return static_cast<std::size_t>(
        std::count_if(messages.begin(), messages.end(),
                      [&](const auto& entry) { return entry.second == message; }));
  }

  std::vector<std::string> told;
  std::vector<std::pair<IpAddress, std::string>> messages;
  std::vector<Frame> payloads;
  std::vector<std::string> requests;
  std::function<void()> when_ready;
  std::function<void()> when_gone;
  std::function<void(const wire::Message&)> when_message;
  std::function<std::optional<wire::OutgoingMessage>(const wire::Message&)> answers;
  std::optional<std::uint64_t> height;
};

// So many blocks of a valid chain, as stored.
[[nodiscard]] inline std::vector<Frame> blocks_of(std::size_t count, std::size_t size) {
  test::ChainOptions options;
  options.block_size = size;
  options.sign = false;
  return test::ChainMaker(options).next(count);
}

[[nodiscard]] inline wire::OutgoingMessage blocks_response(const std::vector<Frame>& blocks) {
  const std::vector<wire::Bytes> bytes(blocks.begin(), blocks.end());
  return wire::StoredBlocksResponse{bytes};
}

[[nodiscard]] inline wire::msg::GetBlocks range(std::uint64_t start, std::uint64_t end) {
  wire::msg::GetBlocks request;
  request.start = start;
  request.end = end;
  return request;
}

class ChainPortTest : public testing::Test {
 protected:
  void connect(std::string_view words = "", Policy policy = fast_policy()) {
    world.emplace(policy);
    world->chain = &chain;
    if (served_blocks) world->served_blocks = *served_blocks;
    peer.emplace(world->io, Endpoint{peer_ip, 0}, script(words));
    world->start(0, {});
    peer->dial(node());
    ASSERT_TRUE(world->until([&] { return !chain.told.empty() && peer->last().has("Ping"); }));
  }
  [[nodiscard]] Endpoint node() const { return {node_ip, world->network->port()}; }
  // Comes after everything that was said before.
  [[nodiscard]] bool round_trip() {
    const auto before = peer->last().count("GenesisHashResponse");
    peer->send(wire::msg::GetGenesisHash{});
    return world->until(
        [&, before] { return peer->last().count("GenesisHashResponse") == before + 1; });
  }

  FakeChain chain;
  std::optional<std::size_t> served_blocks;
  std::optional<World> world;
  std::optional<test::ScriptedPeer> peer;
};

}  // namespace timectl::net
