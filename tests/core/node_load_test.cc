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

// FT-N23: one limiter for everybody would be emptied by them.
TEST(NodeLoad, StrangersWhoComeAllTheTimeLockNoNewcomerOut) {
  NodeShell shell({});
  shell.start();
  std::vector<ConnectionId> hanging;
  int strangers = 0;
  for (int minute = 0; minute < 60; ++minute) {
    for (int n = 0; n < 25; ++n) {
      ConnectionId id{};
      const auto from = IpAddress::v4(91, static_cast<std::uint8_t>(strangers / 200),
                                      static_cast<std::uint8_t>(strangers % 200), 7);
      ++strangers;
      EXPECT_EQ(shell.inbound(from, &id).verdict, Admit::accept);
      shell.run(2s);
      hanging.push_back(id);
      if (hanging.size() < 5) continue;  // the transport cuts each after 10 s
      shell.closed(hanging.front(), EndReason::tls_failed, "no TLS handshake in time");
      hanging.erase(hanging.begin());
    }
    const auto honest = IpAddress::v4(92, 7, static_cast<std::uint8_t>(minute), 1);
    const auto id = shell.inbound_session(honest);
    shell.closed(id, EndReason::closed_by_peer);
    shell.run(10s);
  }
  // And a limit there is: of 25 from one network the last are refused.
  int refused = 0;
  for (std::uint8_t n = 1; n <= 25; ++n) {
    ConnectionId id{};
    const bool in = shell.inbound(IpAddress::v4(93, 0, 0, n), &id).verdict == Admit::accept;
    in ? shell.closed(id, EndReason::closed_before_tls) : void(++refused);
  }
  EXPECT_EQ(refused, 5);
}

}  // namespace
}  // namespace timectl
