// FT-N22, N23: strangers in numbers, with real connections: what one address, one network and one
// site can take, and that none of it is taken from others.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <deque>
#include <set>
#include <thread>

#include "daemon/core/admission.h"
#include "tests/net/world.h"

namespace timectl::net {
namespace {

using namespace std::chrono_literals;
using test::ScriptedPeer;

// The real limits; whoever hangs keeps its slot for as long as a test takes.
Policy real_limits() {
  Policy policy = fast_policy();
  policy.slots = {};
  policy.transport.accept_timeout = 60s;
  return policy;
}

// The node at `listen` with the limits of real life. Strangers connect and say nothing.
class Strangers {
 public:
  explicit Strangers(const IpAddress& listen, const std::vector<IpAddress>& masternodes = {})
      : world(real_limits()) {
    world.listen = listen;
    world.start(0, masternodes);
  }
  // Connects and waits for the verdict: true where it is let in.
  bool enters(const IpAddress& from) {
    const std::size_t before = world.network->connections();
    const std::size_t refused = refusals();
    attempts.push_back(dial({world.listen, world.network->port()}, from));
    const int error = attempts.back().error;
    EXPECT_TRUE(error == 0 || error == EINPROGRESS) << from.to_string() << ": " << error;
    (void)world.until(
        [&] { return world.network->connections() > before || refusals() > refused || closed(); });
    const bool in = world.network->connections() > before;
    if (!in) attempts.pop_back();
    return in;
  }
  // All that are in leave.
  void leave() {
    attempts.clear();
    ASSERT_TRUE(world.until([&] { return world.network->connections() == 0; }));
  }

  World world;

 private:
  // A flood of refusals is not recorded one by one, so that the end of the socket is looked at,
  // too.
  [[nodiscard]] std::size_t refusals() const {
    std::size_t count = 0;
    for (const auto& event : world.events) count += event.kind == EventKind::inbound_rejected;
    return count;
  }
  [[nodiscard]] bool closed() const {
    std::uint8_t byte = 0;
    const auto got = ::recv(attempts.back().fd.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != ENOTCONN);
  }

  std::deque<Attempt> attempts;
};

IpAddress stranger(std::uint8_t net, std::uint8_t host) {
  return IpAddress::v4(127, 60, net, host);
}

TEST(StrangerTest, AnAddressGetsSixConnectionsAMinuteAndAMasternodeAsManyAsItNeeds) {
  Strangers strangers(node_ip, {peer_ip});
  ASSERT_TRUE(strangers.world.ending()) << "the node's own dial of the masternode";
  int in = 0;
  for (int i = 0; i < 10; ++i) {
    in += strangers.enters(stranger(1, 1)) ? 1 : 0;
    strangers.leave();
  }
  EXPECT_EQ(in, 6);
  EXPECT_TRUE(strangers.enters(stranger(1, 2))) << "the neighbour has a budget of its own";
  strangers.leave();
  in = 0;
  for (int i = 0; i < 10; ++i) {
    in += strangers.enters(peer_ip) ? 1 : 0;
    strangers.leave();
  }
  EXPECT_EQ(in, 10) << "the control";
}

TEST(StrangerTest, ASubnetGetsEightSlotsAndTwentyConnectionsAMinute) {
  Strangers strangers(node_ip);
  int in = 0;
  for (std::uint8_t host = 1; host <= 30; ++host) in += strangers.enters(stranger(2, host)) ? 1 : 0;
  EXPECT_EQ(in, 8) << "slots";
  EXPECT_TRUE(strangers.enters(stranger(3, 1))) << "the control: another subnet";
  strangers.leave();
  in = 0;
  for (std::uint8_t host = 1; host <= 30; ++host) {
    in += strangers.enters(stranger(4, host)) ? 1 : 0;
    strangers.leave();
  }
  EXPECT_EQ(in, 20) << "new connections";
}

// Two connections of one address at once.
TEST(StrangerTest, AnAddressHoldsOneSlot) {
  Strangers strangers(node_ip);
  EXPECT_TRUE(strangers.enters(stranger(5, 1)));
  (void)strangers.enters(stranger(5, 1));
  EXPECT_EQ(strangers.world.node->slots().regular, 1U);
  EXPECT_TRUE(strangers.enters(stranger(5, 2)));
  EXPECT_EQ(strangers.world.node->slots().regular, 2U);
}

// An hour of 25 a minute, all at once: a limit for everybody together would be empty for long.
TEST(StrangerTest, N23AnHoursWorthOfStrangersTakesNothingFromHonestNewcomers) {
  Strangers strangers(node_ip);
  int in = 0;
  for (int i = 0; i < 25 * 60; ++i) {
    const auto net = static_cast<std::uint8_t>(100 + i % 30);
    if (!strangers.enters(stranger(net, static_cast<std::uint8_t>(1 + i / 30)))) continue;
    ++in;
    strangers.leave();
  }
  EXPECT_EQ(in, 30 * 20) << "each of the thirty networks has used up its minute";
  EXPECT_LT(strangers.world.events.size(), 1000U) << "a flood does not fill the log";
  auto& world = strangers.world;
  std::deque<ScriptedPeer> honest;
  for (std::uint8_t net = 1; net <= 20; ++net) {
    honest.emplace_back(world.io, Endpoint{stranger(net, 1), 0}, script(""));
    honest.back().dial({node_ip, world.network->port()});
  }
  EXPECT_TRUE(world.until([&] {
    for (std::uint8_t net = 1; net <= 20; ++net) {
      if (!world.connected(stranger(net, 1))) return false;
    }
    return true;
  }));
  EXPECT_FALSE(strangers.enters(stranger(100, 200))) << "the control: a neighbour of the flood";
  world.node->check_invariants();
}

// In a network of its own, where every address of 2001:db8::/32 is this host's. Gives what is
// missing for it.
std::string with_ipv6(const std::function<void()>& work) {
  std::string missing;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      missing = "no network namespaces here";
    } else if (std::system("ip link set lo up && "
                           "ip -6 route add local 2001:db8::/32 dev lo 2>/dev/null && "
                           "sysctl -qw net.ipv6.ip_nonlocal_bind=1") != 0) {
      missing = "no IPv6 here, or no ip (iproute2)";
    } else {
      work();
    }
  }).join();
  return missing;
}

// 2001:db8:SITE:SUBNET::HOST
IpAddress v6(unsigned site, unsigned subnet, unsigned host) {
  IpAddress::Bytes bytes{0x20, 0x01, 0x0d, 0xb8};
  const auto put = [&](std::size_t at, unsigned value) {
    bytes.at(at) = static_cast<std::uint8_t>(value >> 8U);
    bytes.at(at + 1) = static_cast<std::uint8_t>(value);
  };
  put(4, site);
  put(6, subnet);
  put(14, host);
  return IpAddress(bytes);
}

TEST(StrangerTest, N22FiveThousandOfOneSiteTakeAQuarterAndOthersTheRest) {
  const auto missing = with_ipv6([] {
    Strangers strangers(v6(0xffff, 0, 1));
    auto& world = strangers.world;
    const std::size_t slots = regular_slots(world.policy.slots);
    // 256 networks of /56 in the /48, twenty addresses of each.
    for (unsigned i = 0; i < 5000; ++i) {
      (void)strangers.enters(v6(1, i % 256 << 8U, 1 + i / 256));
      ASSERT_LE(world.node->slots().regular, slots / 4) << i;
    }
    EXPECT_EQ(world.node->slots().regular, slots / 4) << "the site may have its quarter";
    EXPECT_LT(world.events.size(), 1000U) << "a flood does not fill the log";
    // The control: one connection each of as many other sites has all the rest.
    for (unsigned site = 2; site < 2 + slots; ++site) (void)strangers.enters(v6(site, 0, 1));
    EXPECT_EQ(world.node->slots().regular, slots);
    world.node->check_invariants();
  });
  if (!missing.empty()) GTEST_SKIP() << missing;
}

TEST(StrangerTest, N22AnIpv6NetworkIsASlash56) {
  const auto missing = with_ipv6([] {
    Strangers strangers(v6(0xffff, 0, 1));
    for (unsigned i = 0; i < 30; ++i) (void)strangers.enters(v6(1, i, 1));  // all of one /56
    EXPECT_EQ(strangers.world.node->slots().regular, strangers.world.policy.slots.max_per_subnet);
    EXPECT_TRUE(strangers.enters(v6(1, 0x100, 1))) << "the control: its neighbour";
  });
  if (!missing.empty()) GTEST_SKIP() << missing;
}

}  // namespace
}  // namespace timectl::net
