// FT-P: a peer that has shaken hands and then breaks the protocol, in each row of faults.md that
// the other files of this folder leave open. Each with what must be told apart from it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/net/world.h"

namespace timectl::net {
namespace {

using namespace std::chrono_literals;
using test::frame_of;
using test::ScriptedPeer;

class ProtocolFaultTest : public testing::Test {
 protected:
  void connect(std::string_view words = "", Policy policy = fast_policy()) {
    peer.reset();  // before the io_context that its sockets are of
    world.emplace(policy);
    peer.emplace(world->io, Endpoint{peer_ip, 0}, script(words));
    world->start(0, {});
    peer->dial({node_ip, world->network->port()});
    ASSERT_TRUE(world->until([&] { return world->connected(); }));
    ASSERT_TRUE(world->until([&] { return !peer->last().pings.empty(); }));
  }
  // A question and its answer: everything sent before has been worked off, and the peer is kept.
  testing::AssertionResult still_served() {
    const auto before = peer->last().count("GenesisHashResponse");
    peer->send(wire::msg::GetGenesisHash{});
    if (!world->until([&] { return peer->last().count("GenesisHashResponse") > before; })) {
      return testing::AssertionFailure() << "no answer; its end: " << peer->last().end;
    }
    return testing::AssertionSuccess();
  }
  PeerDetailView view() { return *world->node->peer(peer_ip, real_now()); }

  std::optional<World> world;
  std::optional<ScriptedPeer> peer;
};

wire::msg::Pong pong(std::uint64_t nonce) {
  wire::msg::Pong message;
  message.nonce = nonce;
  return message;
}

TEST_F(ProtocolFaultTest, P1AStreamThatEndsInsideALengthIsACleanEnd) {
  connect();
  const std::vector<std::uint8_t> half{0, 0};
  peer->send_raw(half);
  peer->close_all();
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::closed_by_peer);
  EXPECT_EQ(end->detail, "close_notify");
  EXPECT_EQ(world->network->receive_buffered(), 0U);
}

TEST_F(ProtocolFaultTest, P8BytesBehindAMessageAreIgnored) {
  connect();
  wire::msg::Ping ping;
  ping.nonce = 99;
  auto frame = frame_of(ping);
  frame.insert(frame.end(), {1, 2, 3});
  frame[3] = static_cast<std::uint8_t>(frame[3] + 3);
  peer->send_raw(frame);
  EXPECT_TRUE(world->until([&] { return !peer->last().pongs.empty(); }));
  EXPECT_EQ(peer->last().pongs.front(), 99U);
  EXPECT_EQ(view().undecodable_frames, 0U);
}

TEST_F(ProtocolFaultTest, P14AReplayedConversationChangesNothing) {
  connect();
  const auto before = view();
  wire::msg::Handshake hello;
  hello.magic = wire::params_of(wire::Network::testnet).magic;
  hello.protocol_version = 2;
  hello.network = "testnet";
  hello.commit_count = 4000;
  for (int i = 0; i < 3; ++i) {
    peer->send(hello);
    peer->send(pong(peer->last().pings.front()));
  }
  EXPECT_TRUE(still_served());
  EXPECT_EQ(view().commit_count, before.commit_count);
  EXPECT_EQ(view().connected_at, before.connected_at);
  EXPECT_EQ(peer->last().count("Ack"), 1U);
}

// Only the nonce shows it where an address translator stands in between.
TEST_F(ProtocolFaultTest, P17OurOwnPingComingInIsAConnectionToOurselves) {
  connect();
  wire::msg::Ping ping;
  ping.nonce = peer->last().pings.front() + 1;
  peer->send(ping);
  EXPECT_TRUE(still_served()) << "another nonce is a peer's";
  ping.nonce = peer->last().pings.front();
  peer->send(ping);
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::self_connection);
  EXPECT_TRUE(world->node->peer(peer_ip, real_now())) << "dropped, not banned";
  peer->dial({node_ip, world->network->port()});
  EXPECT_TRUE(world->until([&] { return world->connected(); })) << "not banned";
}

TEST_F(ProtocolFaultTest, P18P19OnlyTheFirstPongOfAPingIsARoundTrip) {
  connect("drop-pongs");
  for (std::uint64_t nonce = 1; nonce <= 99; ++nonce) peer->send(pong(nonce));
  EXPECT_TRUE(still_served());
  EXPECT_FALSE(view().rtt_ms) << "pongs that nobody asked for gave a round trip";
  peer->send(pong(peer->last().pings.front()));
  EXPECT_TRUE(still_served());
  const auto once = view().rtt_ms;
  ASSERT_TRUE(once);
  EXPECT_GT(*once, 0);
  peer->send(pong(peer->last().pings.front()));
  EXPECT_TRUE(still_served());
  EXPECT_EQ(view().rtt_ms, once) << "the same pong twice gave two round trips";
}

TEST_F(ProtocolFaultTest, P20NoncesAreNeverUsedTwiceAndNotInARow) {
  Policy policy = fast_policy();
  policy.liveness.ping_interval = 10ms;
  connect("", policy);
  ASSERT_TRUE(world->until([&] { return peer->last().pings.size() >= 30; }));
  const auto& pings = peer->last().pings;
  EXPECT_EQ(std::set<std::uint64_t>(pings.begin(), pings.end()).size(), pings.size());
  std::size_t near = 0;
  std::size_t high = 0;
  for (std::size_t i = 0; i < pings.size(); ++i) {
    if (i > 0 && pings[i] - pings[i - 1] + 65'536 < 131'072) ++near;
    if (pings[i] >> 32U != 0) ++high;
  }
  EXPECT_EQ(near, 0U) << "the next nonce can be guessed";
  EXPECT_EQ(high, pings.size()) << "they have less than 64 bits";
}

TEST_F(ProtocolFaultTest, P21TenThousandPingsASecondEndTheConnection) {
  connect();
  std::vector<std::uint8_t> many;
  const auto frame = frame_of(wire::msg::Ping{});
  for (int i = 0; i < 10'000; ++i) many.insert(many.end(), frame.begin(), frame.end());
  peer->send_raw(many);
  const auto end = world->ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::flood) << end->detail;
  EXPECT_LE(peer->last().pongs.size(), 6U);
}

TEST_F(ProtocolFaultTest, P23AClockTenYearsOffIsNoReasonToLeave) {
  for (const auto* words : {"clock=+315360000", "clock=-315360000", "clock=+9223372036854775807"}) {
    connect(words);
    EXPECT_TRUE(still_served()) << words;
    EXPECT_TRUE(view().rtt_ms) << "our own clock measures it";
  }
}

TEST_F(ProtocolFaultTest, P23TimesFromAllEndsOfTheRangeAreTakenAsTheyAre) {
  connect();
  constexpr std::int64_t ten_years = 315'360'000;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  for (const std::int64_t at : {INT64_MIN, INT64_MAX, std::int64_t{0}, std::int64_t{-1},
                                now - ten_years, now + ten_years}) {
    wire::msg::Ping ping;
    ping.nonce = 5;
    ping.timestamp = at;
    peer->send(ping);
    wire::msg::Pong late = pong(6);
    late.timestamp = at;
    peer->send(late);
  }
  EXPECT_TRUE(still_served());
  EXPECT_EQ(peer->last().pongs.size(), 6U);
  EXPECT_EQ(view().undecodable_frames, 0U);
}

// What heights are worth is decided by the chain; here they must only do no harm.
TEST_F(ProtocolFaultTest, P25AHeightThatJumpsIsShownAsTheLastClaim) {
  connect();
  for (const std::uint64_t height : {std::uint64_t{14'000}, UINT64_MAX, std::uint64_t{0}}) {
    wire::msg::ChainTipResponse tip;
    tip.height = height;
    peer->send(tip);
    EXPECT_TRUE(still_served());
    EXPECT_EQ(view().height, height);
  }
}

TEST_F(ProtocolFaultTest, P26AMillionEntriesAndThirtyListsCostNothing) {
  connect();
  wire::msg::PeersResponse list;
  const std::vector<wire::Text> million(1'000'000, "");
  list.addresses = million;
  peer->send(list);
  EXPECT_TRUE(still_served());
  EXPECT_EQ(world->network->receive_buffered(), 0U);
  std::vector<std::string> texts;
  std::set<std::string> told;
  for (int i = 0; i < 1000; ++i) {
    texts.push_back("127.9." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  }
  for (int i = 0; i < 30; ++i) {
    for (auto& address : texts) address[4] = static_cast<char>('1' + i % 9);
    const std::vector<wire::Text> views(texts.begin(), texts.end());
    told.insert(texts.begin(), texts.end());
    list.addresses = views;
    peer->send(list);
  }
  EXPECT_TRUE(still_served());
  const auto known = std::count_if(told.begin(), told.end(), [&](const std::string& ip) {
    return bool(world->node->peer(*IpAddress::parse(ip), real_now()));
  });
  EXPECT_LE(known, 6 * 64) << "a burst of six lists, 64 entries of each";
  EXPECT_GT(known, 64) << "nothing was learned at all: nothing is shown";
  world->node->check_invariants();
}

TEST_F(ProtocolFaultTest, P27P28WhatIsNoPeerIsNeitherRememberedNorDialledNorTrusted) {
  connect();
  const std::vector<wire::Text> bad{"10.1.2.3",        "192.168.1.1",        "0.0.0.0",
                                    "255.255.255.255", "224.0.0.1",          "127.0.0.2",
                                    "127.0.0.4:0",     "::ffff:10.0.0.1",    "fe80::1%eth0",
                                    "localhost",       "file:///etc/passwd", "$(reboot)",
                                    "peer.example.",   "127.0.0.5:24000:1",  "127.0.0.300",
                                    "127.1",           "0x7f000005",         "2130706437"};
  wire::msg::PeersResponse list;
  list.addresses = bad;
  peer->send(list);
  EXPECT_TRUE(still_served());
  for (const auto address : bad) {
    const auto ip = IpAddress::parse(address);
    if (!ip) continue;
    EXPECT_FALSE(world->node->peer(*ip, real_now())) << address;
  }
  EXPECT_EQ(world->node->peers(real_now()).size(), 1U);
  EXPECT_EQ(world->network->connections(), 1U);
  EXPECT_EQ(world->whitelist.size(), 0U);
  const std::vector<wire::Text> good{"127.0.0.77"};  // the control
  list.addresses = good;
  peer->send(list);
  EXPECT_TRUE(still_served());
  EXPECT_TRUE(world->node->peer(IpAddress::v4(127, 0, 0, 77), real_now()));
  EXPECT_EQ(world->whitelist.size(), 0U) << "announced is not whitelisted (W3)";
}

}  // namespace
}  // namespace timectl::net
