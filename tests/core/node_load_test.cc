// Node with many peers: no event and no tick may cost what all of them cost together.
#include <gtest/gtest.h>

#include <set>

#include "tests/core/node_shell.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

constexpr int kMany = 400;

IpAddress peer(int n) {
  return IpAddress::v4(64, 0, static_cast<std::uint8_t>(n / 200),
                       static_cast<std::uint8_t>(n % 200 + 51));
}

Policy roomy() {
  Policy policy;
  policy.slots.max_connections = 2 * kMany;
  policy.slots.reserved_masternode_slots = kMany;
  policy.slots.max_per_subnet = policy.slots.per_subnet_per_minute = kMany;
  return policy;
}

// All connect in the same instant, so that all their pings are due in the same instant.
struct Crowd {
  Crowd() : shell({}, roomy()) {
    shell.start();
    for (int n = 0; n < kMany; ++n) shell.inbound_session(peer(n));
    shell.clear();
  }
  NodeShell shell;
};

TEST(NodeLoad, ChecksThatAreDueTogetherAreWorkedOffInSlices) {
  Crowd crowd;
  auto& shell = crowd.shell;
  shell.now.mono += 30s;
  shell.now.wall += 30s;
  std::multiset<ConnectionId> pinged;
  int ticks = 0;
  for (; shell.node.next_tick() <= shell.now.mono && ticks < 100; ++ticks) {
    shell.node.tick(shell.now);
    shell.collect();
    const auto pings = shell.all<SendPing>();
    EXPECT_LE(pings.size(), 128U);
    for (const auto& ping : pings) pinged.insert(ping.connection);
    shell.clear();
  }
  EXPECT_GE(ticks, 4);
  EXPECT_LT(ticks, 10);
  EXPECT_EQ(pinged.size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(std::set<ConnectionId>(pinged.begin(), pinged.end()).size(), pinged.size());
}

}  // namespace
}  // namespace timectl
