// Scripted peers dial the node: friends, strangers and attackers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

#include "daemon/net/tcp.h"
#include "tests/net/world.h"

namespace timectl::net {
namespace {

using test::ScriptedPeer;

class InboundTest : public testing::Test {
 protected:
  void start(std::string_view words, Policy policy = fast_policy()) {
    world.emplace(policy);
    peer.emplace(world->io, Endpoint{peer_ip, 0}, script(words));
    world->start(0, {});
    peer->dial({node_ip, world->network->port()});
  }
  void connect(std::string_view words = "", Policy policy = fast_policy()) {
    start(words, policy);
    ASSERT_TRUE(world->until([&] { return world->connected(); }));
  }
  // Runs until the connection is cut and gives the typed reason.
  EndReason cut() {
    const auto end = world->ending();
    EXPECT_TRUE(end);
    if (!end) return EndReason::shutdown;
    detail = end->detail;
    EXPECT_TRUE(world->until([&] { return world->network->connections() == 0; }));
    EXPECT_EQ(world->network->receive_buffered(), 0U);
    world->node->check_invariants();
    return end->reason.value();
  }

  std::optional<World> world;
  std::optional<ScriptedPeer> peer;
  std::string detail;
};

TEST_F(InboundTest, APeerIsAnsweredLikeTheReferenceNodeDoes) {
  connect();
  ASSERT_TRUE(world->until([&] { return peer->last().has("Ping"); }));
  const auto& messages = peer->last().messages;
  ASSERT_GE(messages.size(), 2U);
  EXPECT_EQ(messages[0], "Ack");
  EXPECT_EQ(messages[1], "Handshake");
  EXPECT_EQ(world->node->peer(peer_ip, real_now())->commit_count, 2344U);
}

TEST_F(InboundTest, APlainPeerIsAcceptedToo) {
  connect("no-tls");
  ASSERT_TRUE(world->until([&] { return !peer->last().messages.empty(); }));
  EXPECT_EQ(peer->last().messages.front(), "Ack");
}

TEST_F(InboundTest, PingsAreAnsweredAndAFloodOfThemIsNot) {
  connect();
  for (std::uint64_t nonce = 1; nonce <= 200; ++nonce) {
    wire::msg::Ping ping;
    ping.nonce = nonce;
    peer->send(ping);
  }
  peer->send(wire::msg::GetGenesisHash{});
  ASSERT_TRUE(world->until([&] { return peer->last().has("GenesisHashResponse"); }));
  EXPECT_EQ(peer->last().pongs, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(world->connected());
}

TEST_F(InboundTest, RequestsAreAnsweredAndSilenceIsKept) {
  connect();
  peer->send(wire::msg::GetChainTip{});
  peer->send(wire::msg::RequestGenesis{});
  peer->send(wire::msg::GetBlocks{});
  peer->send(wire::msg::GetMasternodes{});
  peer->send(wire::msg::GetPeers{});
  ASSERT_TRUE(world->until([&] { return peer->last().has("PeerExchange"); }));
  EXPECT_TRUE(peer->last().has("BlocksResponse"));
  EXPECT_TRUE(peer->last().has("MasternodesResponse"));
  EXPECT_FALSE(peer->last().has("ChainTipResponse"));
  EXPECT_FALSE(peer->last().has("GenesisAnnouncement"));
}

TEST_F(InboundTest, FramesThatAreNoMessageAreCountedAndSkipped) {
  connect();
  const std::vector<std::uint8_t> unknown{0, 0, 0, 4, 200, 0, 0, 0};
  const std::vector<std::uint8_t> empty{0, 0, 0, 0};
  const std::vector<std::uint8_t> short_ping{0, 0, 0, 5, 36, 0, 0, 0, 1};
  for (const auto& frame : {unknown, empty, short_ping}) peer->send_raw(frame);
  peer->send(wire::msg::GetGenesisHash{});
  ASSERT_TRUE(world->until([&] { return peer->last().has("GenesisHashResponse"); }));
  ASSERT_TRUE(world->until(
      [&] { return world->node->peer(peer_ip, real_now())->undecodable_frames == 2; }));
  EXPECT_EQ(world->node->peer(peer_ip, real_now())->unknown_frames, 1U);
}

TEST_F(InboundTest, ASecondHandshakeIsIgnored) {
  connect();
  wire::msg::Handshake again;
  again.network = "mainnet";
  peer->send(again);
  peer->send(wire::msg::GetGenesisHash{});
  ASSERT_TRUE(world->until([&] { return peer->last().has("GenesisHashResponse"); }));
  EXPECT_TRUE(world->connected());
}

TEST_F(InboundTest, WhoSaysNothingIsCutInTime) {
  start("silent");
  EXPECT_EQ(cut(), EndReason::tls_failed) << detail;
}

TEST_F(InboundTest, WhoStopsAfterTlsIsCutInTime) {
  start("no-handshake");
  EXPECT_EQ(cut(), EndReason::no_handshake) << detail;
}

TEST_F(InboundTest, PlainGarbageIsCutAtItsFirstByte) {
  start("no-tls no-handshake");
  const std::string_view request = "GET / HTTP/1.0\r\n\r\n";
  peer->send_raw(std::span(reinterpret_cast<const std::uint8_t*>(request.data()), request.size()));
  EXPECT_EQ(cut(), EndReason::tls_failed);
  EXPECT_NE(detail.find("474554"), std::string::npos) << detail;
}

TEST_F(InboundTest, AnotherFirstFrameIsNoHandshake) {
  start("no-tls no-handshake");
  peer->send(wire::msg::GetGenesisHash{});
  EXPECT_EQ(cut(), EndReason::no_handshake) << detail;
}

TEST_F(InboundTest, BeforeTheHandshakeFramesAreOneKibibyte) {
  start("no-tls no-handshake");
  const std::vector<std::uint8_t> header{0, 0, 4, 1};
  peer->send_raw(header);
  EXPECT_EQ(cut(), EndReason::frame_too_large) << detail;
}

TEST_F(InboundTest, AnotherNetworkIsToldApart) {
  start("magic=c01d7e4d");
  EXPECT_EQ(cut(), EndReason::wrong_magic);
  EXPECT_FALSE(peer->last().has("ForkAlert"));
}

TEST_F(InboundTest, AnOldPeerIsToldApart) {
  start("commit=2061");
  EXPECT_EQ(cut(), EndReason::old_commit);
}

TEST_F(InboundTest, AFrameThatStallsIsCutAndHoldsNoMemory) {
  connect();
  const std::vector<std::uint8_t> header{0, 0x80, 0, 0, 7};
  peer->send_raw(header);
  ASSERT_TRUE(world->until([&] { return world->network->receive_buffered() > 0; }));
  EXPECT_LT(world->network->receive_buffered(), 64U * 1024U) << "grows with what came only";
  EXPECT_EQ(cut(), EndReason::slow) << detail;
}

TEST_F(InboundTest, AFloodOfFramesIsCut) {
  Policy policy = fast_policy();
  policy.transport.frames_burst = 500;
  connect("", policy);
  std::vector<std::uint8_t> many;
  const std::vector<std::uint8_t> frame = test::frame_of(wire::msg::GetChainTip{});
  for (int i = 0; i < 5000; ++i) many.insert(many.end(), frame.begin(), frame.end());
  peer->send_raw(many);
  EXPECT_EQ(cut(), EndReason::flood);
}

TEST_F(InboundTest, AFloodOfBytesIsCut) {
  Policy policy = fast_policy();
  policy.transport.bytes_per_minute = 100'000;
  connect("", policy);
  std::vector<std::uint8_t> frame(200'004, 0xff);
  const std::array<std::uint8_t, 4> header{0, 3, 0x0d, 0x40};
  std::copy(header.begin(), header.end(), frame.begin());
  peer->send_raw(frame);
  EXPECT_EQ(cut(), EndReason::flood) << detail;
}

TEST_F(InboundTest, OverTheBudgetOfAllTheLargestHolderGoes) {
  Policy policy = fast_policy();
  policy.transport.receive_buffers = 200'000;
  connect("", policy);
  ScriptedPeer other(world->io, {IpAddress::v4(127, 0, 0, 4), 0}, {});
  other.dial({node_ip, world->network->port()});
  ASSERT_TRUE(world->until([&] { return world->connected(IpAddress::v4(127, 0, 0, 4)); }));
  std::vector<std::uint8_t> part(300'000, 0);
  part[1] = 0x10;  // of 1 MiB
  peer->send_raw(part);
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::flood) << end->detail;
  EXPECT_TRUE(world->connected(IpAddress::v4(127, 0, 0, 4)));
}

TEST_F(InboundTest, ASecondConnectionOfALivePeerIsRefused) {
  connect();
  peer->dial({node_ip, world->network->port()});
  ASSERT_TRUE(world->until([&] { return !peer->last().end.empty(); }));
  EXPECT_FALSE(peer->last().tls) << "refused before TLS";
  EXPECT_TRUE(world->connected());
  EXPECT_EQ(peer->living(), 1U);
}

TEST_F(InboundTest, ASecondConnectionReplacesASilentOne) {
  connect("drop-pongs");
  peer->send(wire::msg::GetGenesisHash{});
  ASSERT_TRUE(world->until([&] { return peer->last().has("GenesisHashResponse"); }));
  // Its first ping is answered by nothing and it says nothing more: as good as power-cycled.
  peer->set_script({});
  peer->dial({node_ip, world->network->port()});
  ASSERT_TRUE(world->until([&] { return !world->sessions.empty(); }));
  EXPECT_EQ(world->sessions[0].end_reason, EndReason::superseded);
  EXPECT_TRUE(world->connected());
  EXPECT_TRUE(peer->last().tls);
  EXPECT_TRUE(peer->last().end.empty());
}

TEST_F(InboundTest, ATakenPortIsSaidSo) {
  start("");
  World second;
  NetworkOptions options;
  options.listen = node_ip;
  options.port = world->network->port();
  Node node({}, second.whitelist);
  Network network(second.io, options, node, second.whitelist, real_now, {});
  const auto started = network.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::port_in_use);
}

TEST_F(InboundTest, AnAddressOfAnotherHostIsSaidSo) {
  World second;
  NetworkOptions options;
  options.listen = IpAddress::v4(192, 0, 2, 1);
  Node node({}, second.whitelist);
  Network network(second.io, options, node, second.whitelist, real_now, {});
  const auto started = network.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::cannot_create);
}

TEST_F(InboundTest, TheListenerSurvivesWithoutDescriptors) {
  connect();
  EXPECT_EQ(world->network->refused_for_descriptors(), 0U);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  Attempt waiting = dial({node_ip, world->network->port()}, IpAddress::v4(127, 0, 0, 9));
  const int highest = ::dup(0);
  ASSERT_GE(highest, 0);
  ::close(highest);
  rlimit low = old;
  low.rlim_cur = static_cast<rlim_t>(highest);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const bool said = world->until([&] { return !world->troubles.empty(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_TRUE(said);
  EXPECT_GE(world->network->refused_for_descriptors(), 1U);
  EXPECT_TRUE(world->connected());
  ScriptedPeer later(world->io, {IpAddress::v4(127, 0, 0, 8), 0}, {});
  later.dial({node_ip, world->network->port()});
  EXPECT_TRUE(world->until([&] { return world->connected(IpAddress::v4(127, 0, 0, 8)); }));
  EXPECT_EQ(world->troubles.size(), 1U);
}

TEST_F(InboundTest, ReconnectsLeaveNoDescriptorBehind) {
  connect();
  const auto descriptors = [] {
    const int next = ::dup(0);
    ::close(next);
    return next;
  };
  const int before = descriptors();
  for (std::size_t i = 1; i <= 20; ++i) {
    peer->close_all();
    ASSERT_TRUE(world->until([&] { return world->sessions.size() == i; }));
    ASSERT_TRUE(world->until([&] { return world->network->connections() == 0; }));
    peer->dial({node_ip, world->network->port()});
    ASSERT_TRUE(world->until([&] { return world->connected(); }));
  }
  EXPECT_LE(descriptors(), before + 1);
}

}  // namespace
}  // namespace timectl::net
