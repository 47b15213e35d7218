// What blocks cost over real sockets: those that we asked for, and those that we serve.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>

#include "daemon/net/tcp.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/frame.h"
#include "tests/net/fake_chain.h"

namespace timectl::net {
namespace {

class ChainBytesTest : public ChainPortTest {
 protected:
  // 200 KB of blocks, where 100 KB a minute are allowed.
  void connect_with_few_bytes() {
    Policy policy = fast_policy();
    policy.transport.bytes_per_minute = 100'000;
    connect("", policy);
  }
  Frame blocks = blocks_response(blocks_of(50, 4000)).frame();
};

TEST_F(ChainBytesTest, BlocksThatWeAskedForAreNoFlood) {
  connect_with_few_bytes();
  for (std::uint64_t n = 1; n <= 3; ++n) {
    ASSERT_TRUE(world->network->send(peer_ip, range(n * 50, n * 50 + 49)));
    peer->send_raw(blocks);
    ASSERT_TRUE(world->until([&] { return chain.count("BlocksResponse") == n; }));
  }
  EXPECT_EQ(chain.payloads.back().size() + wire::frame_header_size, blocks.size());
  ASSERT_TRUE(round_trip());
  EXPECT_TRUE(world->connected());
}

TEST_F(ChainBytesTest, BlocksThatNobodyAskedForAre) {
  connect_with_few_bytes();
  peer->send_raw(blocks);
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::flood) << end->detail;
  EXPECT_EQ(chain.count("BlocksResponse"), 0U);
}

TEST_F(ChainBytesTest, OneRequestAllowsForOneAnswer) {
  connect_with_few_bytes();
  ASSERT_TRUE(world->network->send(peer_ip, range(1, 50)));
  ASSERT_TRUE(world->network->send(peer_ip, range(51, 100))) << "while one is outstanding";
  peer->send_raw(blocks);
  peer->send_raw(blocks);
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::flood) << end->detail;
  EXPECT_EQ(chain.count("BlocksResponse"), 1U);
}

class ServedBlocksTest : public ChainPortTest {
 protected:
  // Asks for blocks without TLS, and reads nothing.
  [[nodiscard]] Attempt dial_deaf() {
    Attempt deaf = dial(node(), other_ip);
    const int small = 4096;
    EXPECT_EQ(::setsockopt(deaf.fd.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    EXPECT_TRUE(world->until([&] { return world->network->connections() == 2; }));
    wire::msg::Handshake hello;
    hello.magic = wire::params_of(wire::Network::testnet).magic;
    hello.protocol_version = wire::protocol_version;
    hello.network = "testnet";
    hello.commit_count = wire::current_commit;
    Frame said = test::frame_of(hello);
    const Frame request = test::frame_of(range(1, 50));
    said.insert(said.end(), request.begin(), request.end());
    EXPECT_EQ(::send(deaf.fd.get(), said.data(), said.size(), 0),
              static_cast<ssize_t>(said.size()));
    return deaf;
  }
  void serve(const wire::OutgoingMessage& answer) {
    chain.answers = [&answer](const wire::Message& request) {
      const bool blocks = std::holds_alternative<wire::msg::GetBlocks>(request);
      return blocks ? std::optional(answer) : std::nullopt;
    };
  }
  [[nodiscard]] std::size_t asked() const {
    return static_cast<std::size_t>(
        std::count(chain.requests.begin(), chain.requests.end(), "GetBlocks"));
  }
};

TEST_F(ServedBlocksTest, AnAnswerAboveTheSendQueueDoesNotEndTheSession) {
  const auto answer = blocks_response(blocks_of(2, 3'900'000));
  serve(answer);
  connect();
  std::size_t bytes = 0;
  peer->listen([&](const wire::Message& message) {
    const auto* blocks = std::get_if<wire::msg::BlocksResponse>(&message);
    if (blocks != nullptr) bytes += wire::encode(*blocks).size() + wire::frame_header_size;
  });
  peer->send(range(1, 50));
  ASSERT_TRUE(world->until([&] { return peer->last().has("BlocksResponse"); }));
  EXPECT_EQ(bytes, answer.frame().size());
  ASSERT_TRUE(round_trip());
  EXPECT_TRUE(world->connected());
}

// The second comes while the first cannot have left: not even read from the store.
TEST_F(ServedBlocksTest, OneAnswerAPeerIsUnderWay) {
  const auto answer = blocks_response(blocks_of(1, 1'000'000));
  serve(answer);
  connect();
  Frame two = test::frame_of(range(1, 50));
  const Frame second = test::frame_of(range(51, 100));
  two.insert(two.end(), second.begin(), second.end());
  peer->send_raw(two);
  ASSERT_TRUE(world->until([&] { return peer->last().has("BlocksResponse"); }));
  ASSERT_TRUE(round_trip());
  EXPECT_EQ(asked(), 1U);
  peer->send(range(51, 100));
  ASSERT_TRUE(world->until([&] { return peer->last().count("BlocksResponse") == 2; }));
}

TEST_F(ServedBlocksTest, FortyEightAnswersInTenSecondsAndThenSilence) {
  const auto answer = blocks_response({});
  serve(answer);
  connect();
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t n = 0; n < 200; ++n) peer->send(range(n, n));
  ASSERT_TRUE(round_trip());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const std::size_t answered = peer->last().count("BlocksResponse");
  EXPECT_GE(answered, 48U);
  EXPECT_LE(static_cast<double>(answered), 48 + 4.8 * took.count() + 1);
  EXPECT_EQ(asked(), answered) << "what is not answered is not read";
  EXPECT_TRUE(world->connected());
}

// Who asks and does not read holds an answer; the memory of all together is bounded.
TEST_F(ServedBlocksTest, OverTheLimitOfAllPeersNobodyIsAnswered) {
  served_blocks = wire::max_frame_size + 1'000'000;
  const auto answer = blocks_response(blocks_of(2, 3'900'000));
  serve(answer);
  connect();
  const Attempt deaf = dial_deaf();
  ASSERT_TRUE(world->until([&] { return asked() == 1; }));
  peer->send(range(1, 50));
  ASSERT_TRUE(round_trip());
  EXPECT_EQ(asked(), 1U);
  EXPECT_FALSE(peer->last().has("BlocksResponse"));
  ::shutdown(deaf.fd.get(), SHUT_RDWR);
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 1; }));
  peer->send(range(51, 100));
  EXPECT_TRUE(world->until([&] { return peer->last().has("BlocksResponse"); }));
}

// Bytes are a sign of life, so that it would keep the answer's memory for ever with one now and
// then.
TEST_F(ServedBlocksTest, WhoDoesNotReadWhatItAskedForIsCutAfterAMinute) {
  const auto answer = blocks_response(blocks_of(2, 3'900'000));
  serve(answer);
  connect();
  const Attempt deaf = dial_deaf();
  ASSERT_TRUE(world->until([&] { return asked() == 1; }));
  for (const auto ahead : {std::chrono::seconds(59), std::chrono::seconds(61)}) {
    EXPECT_TRUE(world->connected(other_ip)) << ahead.count();
    world->ahead = ahead;
    world->node->tick(world->now());  // pings
    world->network->run_commands();
  }
  const auto end = world->ending(other_ip);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::slow) << end->detail;
  EXPECT_TRUE(end->detail.starts_with("it asked for blocks and does not read")) << end->detail;
  EXPECT_TRUE(world->connected());
}

}  // namespace
}  // namespace timectl::net
