// FT-N: many connections, and one peer's second: what they cost, and whom they harm.
#include <gtest/gtest.h>

#include <deque>

#include "tests/net/world.h"

namespace timectl::net {
namespace {

using namespace std::chrono_literals;
using test::ScriptedPeer;

// Hosts .1 to .250 of 127.N.
IpAddress of(std::uint8_t net, std::size_t host) {
  return IpAddress::v4(127, net, static_cast<std::uint8_t>(host / 250),
                       static_cast<std::uint8_t>(host % 250 + 1));
}

class CrowdTest : public testing::Test {
 protected:
  ScriptedPeer& add(const IpAddress& ip, std::string_view words = "") {
    return peers.emplace_back(world->io, Endpoint{ip, 0}, script(words));
  }
  Endpoint node() { return {node_ip, world->network->port()}; }
  std::size_t connected(std::uint8_t net, std::size_t hosts) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < hosts; ++i) count += world->connected(of(net, i)) ? 1 : 0;
    return count;
  }

  std::optional<World> world;
  std::deque<ScriptedPeer> peers;
};

// FT-N16. With the delays out of the way only the budget is left: failures after TCP are counted by
// the other side, so four an hour are the most.
std::size_t dials_in_a_second(std::size_t after_tcp_failures_per_hour) {
  Policy policy = fast_policy();
  policy.reconnect.early_close_first_delay = 1ms;
  policy.reconnect.pass_interval = 50ms;
  policy.reconnect.attempts_per_minute = 1000;
  policy.reconnect.after_tcp_failures_per_hour = after_tcp_failures_per_hour;
  World world(policy);
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("accept-then-close"));
  world.start(peer.port(), {peer_ip});
  (void)test::run_until(
      world.io, [&] { return peer.seen().size() >= 12; }, 1s);
  for (const auto& event : world.events) {
    if (event.kind == EventKind::dial_failed) {
      EXPECT_EQ(event.reason, EndReason::closed_before_tls);
    }
  }
  return peer.seen().size();
}

TEST(CrowdTests, N16AcceptAndCloseIsDialledWithinTheBudgetOfAnHour) {
  EXPECT_EQ(dials_in_a_second(4), 4U);
  EXPECT_EQ(dials_in_a_second(1000), 12U) << "the control: without the budget it is a flood";
}

TEST(CrowdTests, N16TheNextDialAfterAnEarlyCloseIsTwoAndAHalfMinutesAway) {
  World world;
  ScriptedPeer peer(world.io, {peer_ip, 0}, script("accept-then-close"));
  world.start(peer.port(), {peer_ip});
  ASSERT_TRUE(world.ending());
  const auto next = world.node->peer(peer_ip, real_now())->next_attempt_at;
  ASSERT_TRUE(next);
  EXPECT_GE(*next - real_now().wall, 118s);  // 150 s less a fifth
}

// FT-N17, N25: hangers fill every place of a handshake, and 50 masternodes come back at once.
TEST_F(CrowdTest, FiftyMasternodesComeBackAtOnceThroughACrowdThatHangs) {
  Policy policy = fast_policy();
  policy.slots = {};
  policy.transport.accept_timeout = 10s;  // the hangers stay for as long as they can
  world.emplace(policy);
  std::vector<IpAddress> masternodes;
  for (std::size_t i = 0; i < 50; ++i) masternodes.push_back(of(30, i));
  world->start(0, masternodes);
  for (std::size_t i = 0; i < 150; ++i) {  // each in a /24 of its own
    add(IpAddress::v4(127, 31, static_cast<std::uint8_t>(i), 1), "silent").dial(node());
  }
  ASSERT_TRUE(world->until([&] { return world->network->connections() >= 75; }));
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& ip : masternodes) add(ip).dial(node());
  EXPECT_TRUE(world->until([&] { return connected(30, 50) == 50; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  // The control: fifty strangers of one network do not get in.
  for (std::size_t i = 0; i < 50; ++i) add(of(32, i)).dial(node());
  ASSERT_TRUE(world->until([&] {
    return std::all_of(peers.end() - 50, peers.end(), [&](const ScriptedPeer& stranger) {
      return !stranger.last().end.empty() || world->connected(stranger.last().remote);
    });
  }));
  EXPECT_EQ(connected(32, 50), 0U);
  EXPECT_EQ(connected(30, 50), 50U);
  world->node->check_invariants();
}

TEST_F(CrowdTest, N17WhoSendsAByteNowAndThenIsCutLikeWhoSendsNone) {
  world.emplace();
  world->start(0, {peer_ip});
  auto& masternode = add(peer_ip);
  masternode.dial(node());
  ASSERT_TRUE(world->until([&] { return world->connected(); }));
  std::vector<Attempt> slow;
  for (std::size_t i = 0; i < 60; ++i) slow.push_back(dial(node(), of(33, i * 250)));
  const std::array<std::uint8_t, 3> hello{0x16, 3, 1};
  std::size_t sent = 0;
  auto next = std::chrono::steady_clock::now();
  const auto trickle = [&] {
    if (std::chrono::steady_clock::now() < next || sent == hello.size()) return;
    next += 150ms;  // the last byte comes shortly before the deadline of 400 ms
    for (const auto& attempt : slow) {
      (void)!::send(attempt.fd.get(), &hello.at(sent), 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    ++sent;
  };
  ASSERT_TRUE(world->until([&] {
    trickle();
    return world->network->connections() == 61;
  }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(world->until([&] {
    trickle();
    return world->network->connections() == 1;
  }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2000ms);
  EXPECT_GE(sent, 2U);
  EXPECT_TRUE(world->connected());
  EXPECT_EQ(world->find(EventKind::inbound_rejected, of(33, 0))->reason, EndReason::tls_failed);
}

// FT-N18's control: what is slow, but keeps its pace, is kept.
TEST_F(CrowdTest, N18AFrameThatKeepsThePaceIsNotCut) {
  Policy policy = fast_policy();
  policy.transport.frame_grace = 100ms;
  policy.transport.frame_min_rate = 10'000;
  world.emplace(policy);
  world->start(0, {});
  auto& peer = add(peer_ip);
  peer.dial(node());
  // Its own answers would fall into the frame.
  ASSERT_TRUE(world->until(
      [&] { return peer.last().has("GetMasternodes") && !peer.last().pings.empty(); }));
  std::vector<std::uint8_t> part{0, 0, 0x4e, 0x20};  // a frame of 20,000 bytes
  std::size_t sent = 0;
  auto next = std::chrono::steady_clock::now();
  EXPECT_TRUE(world->until([&] {
    if (std::chrono::steady_clock::now() >= next && sent < 20'000) {
      next += 50ms;
      part.resize(part.size() + 1000, 0xff);
      peer.send_raw(part);
      part.clear();
      sent += 1000;
    }
    return world->node->peer(peer_ip, real_now())->unknown_frames == 1;
  })) << (world->sessions.empty() ? "" : world->sessions[0].detail);
  EXPECT_TRUE(world->connected());
}

// FT-N27: who takes the place of a silent session must first complete its own handshake.
TEST_F(CrowdTest, N27ANewcomerThatHangsDoesNotReplaceASilentSession) {
  Policy policy = fast_policy();
  policy.transport.accept_timeout = 300ms;
  world.emplace(policy);
  world->start(0, {});
  auto& peer = add(peer_ip, "drop-pongs");
  peer.dial(node());
  ASSERT_TRUE(world->until([&] { return !peer.last().pings.empty(); }));
  peer.set_script(script("silent"));
  peer.dial(node());
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 2; }));
  ASSERT_TRUE(world->until([&] { return world->network->connections() == 1; }));
  EXPECT_TRUE(world->connected());
  EXPECT_TRUE(world->sessions.empty()) << "the old session was given up for nothing";
  peer.set_script({});  // the control: one that completes it does
  peer.dial(node());
  ASSERT_TRUE(world->until([&] { return !world->sessions.empty(); }));
  EXPECT_EQ(world->sessions[0].end_reason, EndReason::superseded);
  EXPECT_TRUE(world->connected());
}

}  // namespace
}  // namespace timectl::net
