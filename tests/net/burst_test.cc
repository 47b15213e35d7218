// Many strangers at once, or slow on purpose: what they may take, and that friends come first.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "daemon/net/tcp.h"
#include "tests/net/segments.h"
#include "tests/net/world.h"

namespace timectl::net {
namespace {

using namespace std::chrono_literals;
using test::ScriptedPeer;

IpAddress stranger(int n) {
  return IpAddress::v4(127, 9, static_cast<std::uint8_t>(n / 200),
                       static_cast<std::uint8_t>(n % 200 + 1));
}

int backlog_of_this_host() {
  int limit = 0;
  std::ifstream("/proc/sys/net/core/somaxconn") >> limit;
  return limit;
}

// Those that TCP has answered; the node does not run meanwhile.
std::size_t answered(std::vector<Attempt>& attempts, std::chrono::milliseconds within) {
  std::vector<pollfd> waits;
  for (const auto& attempt : attempts) waits.push_back({attempt.fd.get(), POLLOUT, 0});
  const auto count = [&] {
    return static_cast<std::size_t>(std::count_if(waits.begin(), waits.end(), [](const pollfd& w) {
      return (w.revents & POLLOUT) != 0 && (w.revents & (POLLERR | POLLHUP)) == 0;
    }));
  };
  const auto end = std::chrono::steady_clock::now() + within;
  do {
    (void)::poll(waits.data(), waits.size(), 10);
    if (count() == waits.size()) break;
    (void)::poll(nullptr, 0, 10);
  } while (std::chrono::steady_clock::now() < end);
  return count();
}

// A SYN that finds the backlog full is sent again after a second, a masternode's too.
TEST(BurstTest, AThousandAtOnceAreAnsweredWithinASecond) {
  World world;
  world.start(0, {});
  const int burst = std::min(1000, backlog_of_this_host());
  std::vector<Attempt> attempts;
  for (int n = 0; n < burst; ++n) {
    attempts.push_back(dial({node_ip, world.network->port()}, stranger(n)));
  }
  EXPECT_EQ(answered(attempts, 900ms), attempts.size());
}

TEST(BurstTest, TheOldestOfTheBusiestSubnetMakesRoomInTheWaitingRoom) {
  Policy policy = fast_policy();
  policy.transport.accept_timeout = 5s;
  policy.transport.tls_handshakes_waiting = 2;
  World world(policy);
  world.start(0, {});
  const Endpoint node{node_ip, world.network->port()};
  std::vector<Attempt> attempts;
  for (const auto& from : {stranger(0), stranger(1), stranger(300)}) {
    attempts.push_back(dial(node, from));
    ASSERT_TRUE(
        world.until([&] { return world.find(EventKind::inbound_accepted, from).has_value(); }));
  }
  const auto end = world.ending(stranger(0));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::evicted) << end->detail;
  EXPECT_EQ(world.network->connections(), 2U);
  ScriptedPeer friendly(world.io, {IpAddress::v4(127, 9, 9, 9), 0}, {});
  friendly.dial(node);
  EXPECT_TRUE(world.until([&] { return world.connected(IpAddress::v4(127, 9, 9, 9)); }));
}

// Ten seconds in all: bytes that trickle in do not buy more.
TEST(BurstTest, AHandshakeThatTricklesIsCutInTimeAllTheSame) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("no-tls no-handshake"));
  world.start(0, {});
  peer.dial({node_ip, world.network->port()});
  const std::vector<std::uint8_t> header{0, 0, 4, 0};
  peer.send_raw(header);
  const auto began = std::chrono::steady_clock::now();
  auto last = began;
  const std::vector<std::uint8_t> byte{7};
  ASSERT_TRUE(world.until([&] {
    if (std::chrono::steady_clock::now() - last > 20ms && peer.living() > 0) {
      last = std::chrono::steady_clock::now();
      peer.send_raw(byte);
    }
    return world.find(EventKind::inbound_rejected, peer_ip).has_value();
  }));
  EXPECT_EQ(world.find(EventKind::inbound_rejected, peer_ip)->reason, EndReason::no_handshake);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s) << "the limit is 400 ms here";
}

TEST(BurstTest, AFrameThatTricklesIsCut) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, {});
  world.start(0, {});
  peer.dial({node_ip, world.network->port()});
  ASSERT_TRUE(world.until([&] { return world.connected(); }));
  const std::vector<std::uint8_t> header{0, 0x80, 0, 0};
  peer.send_raw(header);
  auto last = std::chrono::steady_clock::now();
  const std::vector<std::uint8_t> few(10, 7);
  ASSERT_TRUE(world.until([&] {
    if (std::chrono::steady_clock::now() - last > 10ms && peer.living() > 0) {
      last = std::chrono::steady_clock::now();
      peer.send_raw(few);
    }
    return !world.sessions.empty();
  }));
  EXPECT_EQ(world.sessions[0].end_reason, EndReason::slow) << world.sessions[0].detail;
}

// Whoever speaks too early gets no orderly end: it would hold its slot for two seconds more.
TEST(BurstTest, WhoSpeaksTooEarlyIsCutAtOnce) {
  Policy policy = fast_policy();
  policy.transport.close_timeout = 5s;
  World world(policy);
  world.start(0, {});
  const Attempt deaf = dial({node_ip, world.network->port()}, peer_ip);
  ASSERT_TRUE(world.until([&] { return world.network->connections() == 1; }));
  const auto frame = test::frame_of(wire::msg::Ping{});
  ASSERT_EQ(::send(deaf.fd.get(), frame.data(), frame.size(), 0),
            static_cast<ssize_t>(frame.size()));
  const auto began = std::chrono::steady_clock::now();
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::no_handshake);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_EQ(world.network->connections(), 0U);
}

// FT-N17: a byte of a ClientHello each, and then nothing.
TEST(BurstTest, SlowLorisesAreAllCutInTimeAndAFriendNoticesNothing) {
  Policy policy = fast_policy();
  policy.slots.max_connections = 400;
  policy.slots.max_per_subnet = 400;
  World world(policy);
  world.start(0, {});
  const Endpoint node{node_ip, world.network->port()};
  ScriptedPeer friendly(world.io, {peer_ip, 0}, {});
  friendly.dial(node);
  ASSERT_TRUE(world.until([&] { return world.connected(); }));
  std::vector<Attempt> lorises;
  const std::uint8_t first = 0x16;
  for (int n = 0; n < 200; ++n) {
    lorises.push_back(dial(node, stranger(n)));
    (void)::send(lorises.back().fd.get(), &first, 1, MSG_NOSIGNAL);
  }
  ASSERT_TRUE(world.until([&] { return world.network->connections() > 150; }));
  ASSERT_TRUE(world.until([&] { return world.network->connections() == 1; }));
  EXPECT_TRUE(world.connected());
  EXPECT_TRUE(world.sessions.empty());
}

// Ack and Handshake in one record and segment, three questions and a ping in another: not six.
TEST(BurstTest, WhatAnEventMakesUsSayLeavesTogether) {
  World world;
  world.start(0, {});
  const Attempt peer = dial({node_ip, world.network->port()}, peer_ip);
  ASSERT_TRUE(world.until([&] { return world.network->connections() == 1; }));
  wire::msg::Handshake hello;
  hello.magic = wire::params_of(wire::Network::testnet).magic;
  hello.protocol_version = wire::protocol_version;
  hello.network = "testnet";
  hello.commit_count = 2344;
  const auto frame = test::frame_of(hello);
  ASSERT_EQ(::send(peer.fd.get(), frame.data(), frame.size(), 0),
            static_cast<ssize_t>(frame.size()));
  ASSERT_TRUE(world.until([&] { return world.connected(); }));
  std::array<std::uint8_t, 1024> answer{};
  EXPECT_GT(::recv(peer.fd.get(), answer.data(), answer.size(), MSG_DONTWAIT), 100);
  EXPECT_EQ(data_segments_received(peer.fd.get()), 2U);
}

}  // namespace
}  // namespace timectl::net
