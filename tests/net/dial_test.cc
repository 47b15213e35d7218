// The node dials a scripted peer: every way in which it can be turned away is told apart.
#include <gtest/gtest.h>

#include "tests/net/world.h"

namespace timectl::net {
namespace {

using test::ScriptedPeer;

struct DialRow {
  std::string words;
  EndReason reason;
  std::string evidence;  // part of the detail
};

class TurnedAwayTest : public testing::TestWithParam<DialRow> {};

TEST_P(TurnedAwayTest, TheReasonIsTyped) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script(GetParam().words));
  world.start(peer.port(), {peer_ip});
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, GetParam().reason) << end->detail;
  EXPECT_NE(end->detail.find(GetParam().evidence), std::string::npos) << end->detail;
  EXPECT_EQ(peer.seen().size(), 1U) << "never a second try, never plain";
  EXPECT_TRUE(world.until([&] { return world.network->connections() == 0; }));
  world.node->check_invariants();
}

INSTANTIATE_TEST_SUITE_P(
    Protocol15, TurnedAwayTest,
    testing::Values(
        DialRow{"accept-then-close", EndReason::closed_before_tls, "FIN"},
        DialRow{"silent", EndReason::tls_failed, "no TLS answer"},
        DialRow{"no-tls", EndReason::tls_failed, "000000"},
        DialRow{"version-alert", EndReason::tls_failed, "alert protocol version"},
        DialRow{"close-after-tls", EndReason::no_handshake, "without a word"},
        DialRow{"no-ack", EndReason::no_handshake, "no Ack"},
        DialRow{"notice=commit count too small", EndReason::old_commit, "commit count too small"},
        DialRow{"notice=protocol version", EndReason::old_protocol, "rejected us"},
        DialRow{"notice=no", EndReason::rejected_notice, "rejected us: no"},
        DialRow{"magic=c01d7e4d", EndReason::wrong_magic, "mainnet"},
        DialRow{"commit=100", EndReason::old_commit, "100"},
        DialRow{"proto=1", EndReason::old_protocol, "the peer's protocol version is 1"},
        DialRow{"proto=0", EndReason::old_protocol, "the peer's protocol version is 0"},
        DialRow{"commit=2061", EndReason::old_commit, "2061, we accept 2062"},
        DialRow{"genesis=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                EndReason::wrong_genesis, "aaaaaaaa"},
        DialRow{"frame-len=8388609", EndReason::frame_too_large, "8388609"},
        DialRow{"frame-len=2147483648", EndReason::frame_too_large, "2147483648"},
        DialRow{"frame-len=4294967295", EndReason::frame_too_large, "4294967295"},
        DialRow{"frame-len=8388608", EndReason::slow, "stalled"}));

TEST(DialTest, NobodyListensIsRefused) {
  World world;
  std::uint16_t port = 0;
  {
    boost::asio::io_context io;
    port = ScriptedPeer(io, {peer_ip, 0}, {}).port();
  }
  world.start(port, {peer_ip});
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::refused) << end->detail;
}

TEST(DialTest, APeerIsConnectedWithTheExactNameAndHandshakeFirst) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("height=14000"));
  world.start(peer.port(), {peer_ip});
  ASSERT_TRUE(world.until([&] { return !peer.seen().empty() && peer.last().pongs.size() == 1; }));
  ASSERT_TRUE(world.until([&] {
    const auto view = world.node->peer(peer_ip, real_now());
    return view && view->rtt_ms && view->height == 14000;
  }));
  EXPECT_TRUE(world.connected());
  EXPECT_EQ(peer.last().server_name, "timecoin.local");
  EXPECT_EQ(peer.last().remote, node_ip) << "dials come from the listen address";
  EXPECT_EQ(peer.last().messages.front(), "Handshake");
  EXPECT_EQ(peer.last().pongs.front(), 4711U);
  EXPECT_TRUE(peer.last().has("GetGenesisHash"));
  EXPECT_FALSE(peer.last().has("ChainTipResponse")) << "nothing is claimed without a chain";
}

TEST(DialTest, ALateAckAndARedirectAreNoFailure) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("ack-after=150 redirect"));
  world.start(peer.port(), {peer_ip});
  EXPECT_TRUE(world.until([&] { return world.connected(); }));
}

// FT-P12: what is newer than we are is no fault.
TEST(DialTest, APeerOfALaterVersionIsTaken) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("proto=4294967295 commit=4294967295"));
  world.start(peer.port(), {peer_ip});
  EXPECT_TRUE(world.until([&] { return world.connected(); }));
}

TEST(DialTest, StoppingClosesInOrder) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, {});
  world.start(peer.port(), {peer_ip});
  ASSERT_TRUE(world.until([&] { return world.connected(); }));
  EXPECT_TRUE(world.stop());
  EXPECT_EQ(world.network->connections(), 0U);
  ASSERT_TRUE(world.until([&] { return !peer.last().end.empty(); }));
  EXPECT_EQ(peer.last().end, "close_notify");
  ASSERT_EQ(world.sessions.size(), 1U);
  EXPECT_EQ(world.sessions[0].end_reason, EndReason::shutdown);
  EXPECT_GT(world.sessions[0].bytes_in, 0U);
  EXPECT_GT(world.sessions[0].bytes_out, 0U);
}

TEST(DialTest, StoppingIsBoundedWhenThePeerDoesNotAnswer) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("silent"));
  world.start(peer.port(), {peer_ip});
  ASSERT_TRUE(world.until([&] { return !peer.seen().empty(); }));
  EXPECT_TRUE(world.stop());
}

TEST(DialTest, AnEndByThePeerSaysHow) {
  for (const bool reset : {false, true}) {
    World world;
    ScriptedPeer peer(world.io, {peer_ip, 0}, {});
    world.start(peer.port(), {peer_ip});
    ASSERT_TRUE(world.until([&] { return world.connected(); }));
    reset ? peer.reset_all() : peer.close_all();
    const auto end = world.ending();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->reason, EndReason::closed_by_peer);
    EXPECT_EQ(end->detail, reset ? "RST" : "close_notify");
  }
}

TEST(DialTest, AMasternodeThatPromisesAnotherGenesisIsNotExempt) {
  World world;  // peer_ip is whitelisted by start(): validity is not a matter of trust (W4)
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("magic=00000000"));
  world.start(peer.port(), {peer_ip});
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::wrong_magic);
}

TEST(DialTest, DestroyingTheNetworkInTheMiddleLeavesNothing) {
  for (const auto* words : {"silent", "no-ack", ""}) {
    World world;
    ScriptedPeer peer(world.io, {peer_ip, 0}, script(words));
    world.start(peer.port(), {peer_ip});
    ASSERT_TRUE(world.until([&] { return !peer.seen().empty() && peer.living() == 1; }));
    world.network.reset();
    EXPECT_TRUE(world.until([&] { return peer.living() == 0; })) << words;
  }
}

}  // namespace
}  // namespace timectl::net
