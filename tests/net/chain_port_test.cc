// The chain's port against real sockets: what it is told, what it answers, what it may do.
#include "daemon/net/chain_port.h"

#include <gtest/gtest.h>

#include "daemon/wire/codec.h"
#include "tests/net/fake_chain.h"

namespace timectl::net {
namespace {

using test::ScriptedPeer;

TEST_F(ChainPortTest, APeerIsReadyOnceAndGoneOnce) {
  connect();
  EXPECT_EQ(chain.told, std::vector<std::string>{"ready 127.0.0.3"});
  peer->close_all();
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 0; }));
  EXPECT_EQ(chain.told, (std::vector<std::string>{"ready 127.0.0.3", "gone 127.0.0.3"}));
}

TEST_F(ChainPortTest, ACloseOfOurOwnIsToldBeforeTheConnectionIsOver) {
  connect();
  ASSERT_TRUE(world->node->disconnect(peer_ip, std::chrono::minutes(1), real_now()));
  EXPECT_EQ(chain.told.size(), 1U);
  world->network->run_commands();
  EXPECT_EQ(chain.told.back(), "gone 127.0.0.3");
  EXPECT_EQ(world->network->connections(), 1U);
  EXPECT_FALSE(world->network->send(peer_ip, wire::msg::GetChainTip{}));
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 0; }));
  EXPECT_EQ(chain.told.size(), 2U);
}

TEST_F(ChainPortTest, WhoNeverGetsReadyIsNotToldOf) {
  connect();
  ScriptedPeer mute(world->io, {other_ip, 0}, script("no-handshake"));
  mute.dial(node());
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 2; }));
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 1; }));
  EXPECT_EQ(chain.told.size(), 1U);
}

// The old session lives until its close is over; the address stays ready all the time.
TEST_F(ChainPortTest, AConnectionInTheOldOnesPlaceIsNothingNew) {
  connect("drop-pongs");
  ASSERT_TRUE(round_trip());
  peer->set_script({});
  peer->dial(node());
  ASSERT_TRUE(world->until([&] { return !world->sessions.empty(); }));
  EXPECT_EQ(world->sessions[0].end_reason, EndReason::superseded);
  EXPECT_EQ(chain.told.size(), 1U);
  EXPECT_TRUE(world->network->send(peer_ip, wire::msg::GetChainTip{}));
  EXPECT_TRUE(world->until([&] { return peer->last().has("GetChainTip"); }));
  EXPECT_FALSE(peer->seen().front().has("GetChainTip"));
  peer->close_all();
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 0; }));
  EXPECT_EQ(chain.told.size(), 2U);
}

TEST_F(ChainPortTest, MessagesArriveWithTheirPayloadAndTheNodeHearsHeightsToo) {
  connect();
  wire::msg::ChainTipResponse tip;
  tip.height = 77;
  tip.hash[0] = 5;
  peer->send(tip);
  peer->send(wire::msg::Ping{});
  peer->send(wire::msg::TimeLockBlockProposal{});
  ASSERT_TRUE(world->until([&] { return chain.count("TimeLockBlockProposal") == 1; }));
  ASSERT_EQ(chain.count("ChainTipResponse"), 1U);
  const auto at = std::find_if(chain.messages.begin(), chain.messages.end(),
                               [](const auto& m) { return m.second == "ChainTipResponse"; });
  EXPECT_EQ(at->first, peer_ip);
  EXPECT_EQ(chain.payloads.at(static_cast<std::size_t>(at - chain.messages.begin())),
            wire::encode(tip));
  EXPECT_EQ(world->node->peer(peer_ip, real_now())->height, 77U);
  EXPECT_EQ(chain.count("Ping"), 1U) << "their heights are claims";
}

TEST_F(ChainPortTest, TheSixRequestsGoToThePortAndItsAnswersLeave) {
  chain.answers = [](const wire::Message& request) -> std::optional<wire::OutgoingMessage> {
    if (std::holds_alternative<wire::msg::GetChainTip>(request)) {
      wire::msg::ChainTipResponse tip;
      tip.height = 12;
      return tip;
    }
    if (std::holds_alternative<wire::msg::GetBlockHeight>(request)) {
      return wire::msg::BlockHeightResponse{};
    }
    return std::nullopt;
  };
  connect();
  std::optional<std::uint64_t> told;
  peer->listen([&](const wire::Message& message) {
    if (const auto* tip = std::get_if<wire::msg::ChainTipResponse>(&message)) told = tip->height;
  });
  peer->send(wire::msg::GetChainTip{});
  peer->send(wire::msg::GetBlockHeight{});
  peer->send(wire::msg::GetBlockHash{});
  peer->send(range(1, 50));
  peer->send(wire::msg::GetBlockRange{});
  peer->send(wire::msg::BlockRequest{});
  ASSERT_TRUE(round_trip());
  EXPECT_EQ(chain.requests,
            (std::vector<std::string>{"GetChainTip", "GetBlockHeight", "GetBlockHash", "GetBlocks",
                                      "GetBlockRange", "BlockRequest"}));
  EXPECT_EQ(told, 12U);
  EXPECT_TRUE(peer->last().has("BlockHeightResponse"));
  EXPECT_FALSE(peer->last().has("BlocksResponse")) << "no answer of the port is silence";
  EXPECT_FALSE(peer->last().has("BlockHashResponse"));
  EXPECT_EQ(chain.count("GetBlocks"), 0U) << "what it answers it is not told of again";
}

TEST_F(ChainPortTest, OurHeightStandsInPingsAndPongs) {
  std::vector<std::optional<std::uint64_t>> heights;
  chain.height = 4242;
  world.emplace();
  world->chain = &chain;
  peer.emplace(world->io, Endpoint{peer_ip, 0}, test::Script{});
  peer->listen([&](const wire::Message& message) {
    if (const auto* ping = std::get_if<wire::msg::Ping>(&message)) heights.push_back(ping->height);
    if (const auto* pong = std::get_if<wire::msg::Pong>(&message)) heights.push_back(pong->height);
  });
  world->start(0, {});
  peer->dial(node());
  ASSERT_TRUE(world->until([&] { return heights.size() == 1; }));
  peer->send(wire::msg::Ping{});
  ASSERT_TRUE(world->until([&] { return heights.size() == 2; }));
  EXPECT_EQ(heights, (std::vector<std::optional<std::uint64_t>>{4242, 4242}));
  chain.height.reset();
  peer->send(wire::msg::Ping{});
  ASSERT_TRUE(world->until([&] { return heights.size() == 3; }));
  EXPECT_FALSE(heights.back());
}

TEST_F(ChainPortTest, NothingIsSentToWhoIsNotReadyOrAgainstTheGuard) {
  connect();
  EXPECT_FALSE(world->network->send(other_ip, wire::msg::GetChainTip{}));
  EXPECT_TRUE(world->network->send(peer_ip, range(1, 50)));
  EXPECT_FALSE(world->network->send(peer_ip, range(1, 50))) << "the same range within 2 s";
  EXPECT_TRUE(world->network->send(peer_ip, range(51, 100)));
  ASSERT_TRUE(world->until([&] { return peer->last().count("GetBlocks") == 2; }));
}

// From each callback, to the peer that it is about and to another.
TEST_F(ChainPortTest, ThePortMaySendFromWithinItsCallbacks) {
  std::vector<std::string> sent;
  const auto say = [&](const char* where) {
    for (const auto& ip : {peer_ip, other_ip}) {
      if (world->network->send(ip, wire::msg::GetChainTip{})) {
        sent.push_back(std::string(where) + " " + ip.to_string());
      }
    }
  };
  chain.when_ready = [&] { say("ready"); };
  chain.when_gone = [&] { say("gone"); };
  connect();
  ScriptedPeer other(world->io, {other_ip, 0}, {});
  other.dial(node());
  ASSERT_TRUE(world->until([&] { return chain.told.size() == 2 && other.last().has("Ping"); }));
  chain.when_message = [&](const wire::Message& message) {
    if (std::holds_alternative<wire::msg::ChainTipResponse>(message)) say("message");
  };
  peer->send(wire::msg::ChainTipResponse{});
  ASSERT_TRUE(world->until([&] { return peer->last().count("GetChainTip") == 3; }));
  other.reset_all();
  ASSERT_TRUE(world->until([&] { return chain.told.size() == 3; }));
  ASSERT_TRUE(world->until([&] { return peer->last().count("GetChainTip") == 4; }));
  EXPECT_EQ(sent,
            (std::vector<std::string>{"ready 127.0.0.3", "ready 127.0.0.3", "ready 127.0.0.4",
                                      "message 127.0.0.3", "message 127.0.0.4", "gone 127.0.0.3"}));
  EXPECT_EQ(other.last().count("GetChainTip"), 2U);
}

// A callback may bring about the end of the very session that it is called from.
TEST_F(ChainPortTest, ACallbackMayOverflowTheQueueOfItsOwnSession) {
  Policy policy = fast_policy();
  policy.transport.send_queue = 400;
  connect("", policy);
  std::size_t accepted = 0;
  chain.when_message = [&](const wire::Message& message) {
    if (!std::holds_alternative<wire::msg::ChainTipResponse>(message)) return;
    while (world->network->send(peer_ip, range(accepted, accepted))) ++accepted;
  };
  peer->send(wire::msg::ChainTipResponse{});
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::slow) << end->detail;
  EXPECT_EQ(accepted, 16U) << "of 24 bytes each";
  EXPECT_EQ(chain.told.back(), "gone 127.0.0.3");
}

}  // namespace
}  // namespace timectl::net
