#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/virtual_network.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

// One cap of the ladder with its jitter, one pass, and the time of a handshake.
constexpr Duration kHealed = 72s + 120s + 2s;

// `./dev test --long` sets it: whole days and many seeds.
bool long_run() {
  return std::getenv("TIMECTL_LONG") != nullptr;
}

void expect_one_session_each(const VirtualNetwork& net, std::size_t nodes) {
  for (std::size_t a = 0; a < nodes; ++a) {
    for (std::size_t b = a + 1; b < nodes; ++b) {
      EXPECT_EQ(net.sessions(a, b), 1U) << a << " and " << b;
    }
  }
}

TEST(Simulation, AFreshNetworkIsCompleteWithinSecondsWithOneSessionAPair) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    VirtualNetwork net(8, seed, Policy{});
    net.start_all();
    net.run(5s);
    EXPECT_EQ(net.missing_pairs(), 0U);
    expect_one_session_each(net, 8);
    EXPECT_EQ(net.losses(), 0U);
  }
}

TEST(Simulation, AQuietDayLosesNobody) {
  VirtualNetwork net(20, 7, Policy{});
  net.check_every = 64;
  net.start_all();
  net.run(long_run() ? Duration(24h) : Duration(20min));
  EXPECT_EQ(net.losses(), 0U);
  EXPECT_EQ(net.missing_pairs(), 0U);
  std::cout << net.events() << " events\n";
}

TEST(Simulation, AfterAHealAllMasternodesAreConnectedWithinOneCapAndOnePass) {
  constexpr std::size_t kNodes = 8;
  for (std::uint64_t seed = 1; seed <= (long_run() ? 50U : 6U); ++seed) {
    SCOPED_TRACE(seed);
    std::cout << "seed " << seed << '\n';
    VirtualNetwork net(kNodes, seed, Policy{});
    Random chaos(seed);
    net.start_all();
    net.run(90s);
    for (int step = 0; step < 40; ++step) {
      const std::size_t a = chaos.below(kNodes);
      const std::size_t b = (a + 1 + chaos.below(kNodes - 1)) % kNodes;
      switch (chaos.below(5)) {
        case 0:
          if (net.running(a)) net.kill(a);
          break;
        case 1:
          if (net.running(a)) net.power_cut(a);
          break;
        case 2:
          if (!net.running(a)) net.start(a);
          break;
        case 3:
          net.cut(a, b, true);
          break;
        default:
          net.cut(a, b, false);
          break;
      }
      net.run(std::chrono::seconds(1 + chaos.below(90)));
    }
    for (std::size_t a = 0; a < kNodes; ++a) {
      for (std::size_t b = a + 1; b < kNodes; ++b) net.cut(a, b, false);
      if (!net.running(a)) net.start(a);
    }
    net.run(kHealed);
    EXPECT_EQ(net.missing_pairs(), 0U);
    expect_one_session_each(net, kNodes);
  }
}

TEST(Simulation, AKilledNodeIsBackWithinThreeSecondsOfItsReturn) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    VirtualNetwork net(6, seed, Policy{});
    net.start_all();
    net.run(70s);
    net.kill(seed % 6);
    net.run(2s);
    net.start(seed % 6);
    net.run(3s);
    EXPECT_EQ(net.missing_pairs(), 0U);
    expect_one_session_each(net, 6);
  }
}

TEST(Simulation, TheSameSeedGivesTheSameTraceAndAnotherSeedAnother) {
  const auto run = [](std::uint64_t seed) {
    VirtualNetwork net(6, seed, Policy{});
    net.start_all();
    net.run(60s);
    net.kill(2);
    net.cut(0, 1, true);
    net.run(5min);
    net.start(2);
    net.cut(0, 1, false);
    net.run(5min);
    return net.trace();
  };
  EXPECT_EQ(run(11), run(11));
  EXPECT_NE(run(11), run(12));
}

}  // namespace
}  // namespace timectl
