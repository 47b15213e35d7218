// Which of the regular candidates a node dials: spread over networks and over ASes (R6).
#include <gtest/gtest.h>

#include <map>

#include "tests/core/node_shell.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

const IpAddress kLow = IpAddress::v4(64, 0, 0, 10);

TEST(NodeSpread, RegularDialsSpreadOverTheNetworksThatAreOnOffer) {
  NodeShell s({kLow});
  s.start();
  s.finish_dial(kLow);
  std::vector<IpAddress> learned;
  for (std::uint8_t host = 1; host <= 40; ++host) learned.push_back(IpAddress::v4(80, 1, 1, host));
  for (std::uint8_t net = 1; net <= 4; ++net) learned.push_back(IpAddress::v4(81, net, 1, 1));
  s.node.on_peers_learned(kLow, learned, s.now);
  s.collect();
  s.run(10s);
  std::map<IpAddress, int> groups;
  for (const auto& dial : s.all<Dial>()) {
    if (dial.ip != kLow) ++groups[dial.ip.network_group()];
  }
  ASSERT_EQ(groups.size(), 5U);  // 8 dials: one to each network, then the rest
  for (std::uint8_t net = 1; net <= 4; ++net) {
    EXPECT_EQ(groups[IpAddress::v4(81, net, 0, 0)], 1);
  }
}

NodeOptions with_as_table(std::map<IpAddress, std::uint32_t> table) {
  NodeOptions options = NodeShell::options({}, NodeMode::active);
  options.as_number = [table = std::move(table)](const IpAddress& ip) {
    const auto it = table.find(ip);
    return it == table.end() ? std::nullopt : std::optional(it->second);
  };
  return options;
}

std::vector<IpAddress> regular_dials(const NodeShell& s) {
  std::vector<IpAddress> order;
  for (const auto& dial : s.all<Dial>()) {
    if (dial.ip != kLow) order.push_back(dial.ip);
  }
  return order;
}

std::vector<IpAddress> dialled_after_learning(NodeShell& s, const std::vector<IpAddress>& learned) {
  s.start();
  s.finish_dial(kLow);
  s.node.on_peers_learned(kLow, learned, s.now);
  s.collect();
  s.run(10s);
  return regular_dials(s);
}

TEST(NodeSpread, OfTwoCandidatesOfOneAsInDifferentNetworksTheSecondIsDialledLast) {
  const auto first = IpAddress::v4(80, 1, 0, 1);
  const auto same_as = IpAddress::v4(80, 2, 0, 1);
  const auto other = IpAddress::v4(80, 3, 0, 1);
  const auto unknown = IpAddress::v4(80, 4, 0, 1);
  const std::vector<IpAddress> learned{first, same_as, other, unknown};
  NodeShell with({kLow}, with_as_table({{first, 64500}, {same_as, 64500}, {other, 64501}}));
  const auto order = dialled_after_learning(with, learned);
  ASSERT_EQ(order.size(), 4U);
  EXPECT_TRUE(order.back() == first || order.back() == same_as) << order.back().to_string();
  NodeShell without({kLow});  // the control: in the order of their addresses
  EXPECT_EQ(dialled_after_learning(without, learned), learned);
}

TEST(NodeSpread, AnAddressWithoutAnAsCountsByItsOwnNetwork) {
  const auto known = IpAddress::v4(80, 1, 0, 1);
  const std::vector<IpAddress> unknown{IpAddress::v4(80, 2, 0, 1), IpAddress::v4(80, 2, 0, 2),
                                       IpAddress::v4(80, 3, 0, 1)};
  NodeShell s({kLow}, with_as_table({{known, 64500}}));
  auto learned = unknown;
  learned.push_back(known);
  const auto order = dialled_after_learning(s, learned);
  ASSERT_EQ(order.size(), 4U);  // two networks and an AS, then the second of a network
  EXPECT_EQ(order.back().network_group(), IpAddress::v4(80, 2, 0, 0));
}

TEST(NodeSpread, ADatabaseThatKnowsNobodyChangesNothing) {
  std::vector<IpAddress> learned;
  for (std::uint8_t host = 1; host <= 20; ++host) learned.push_back(IpAddress::v4(80, 1, 1, host));
  for (std::uint8_t net = 1; net <= 3; ++net) learned.push_back(IpAddress::v4(81, net, 1, 1));
  NodeShell empty({kLow}, with_as_table({}));
  NodeShell without({kLow});
  EXPECT_EQ(dialled_after_learning(empty, learned), dialled_after_learning(without, learned));
}

TEST(NodeSpread, AnAsIsFreeAgainWhenItsPeerIsGoneWhateverTheDatabaseSaysThen) {
  const auto gone = IpAddress::v4(80, 1, 0, 1);
  const auto same_as = IpAddress::v4(80, 2, 0, 1);
  std::uint32_t of_gone = 64500;  // changes while it is connected, as with a new database
  NodeOptions options = NodeShell::options({}, NodeMode::active);
  options.as_number = [&](const IpAddress& ip) -> std::optional<std::uint32_t> {
    return ip == gone ? of_gone : 64500;
  };
  NodeShell s({kLow}, std::move(options));
  dialled_after_learning(s, {gone});
  of_gone = 64501;
  s.closed(s.last_dial(gone), EndReason::refused);
  s.clear();
  s.node.on_peers_learned(kLow, {same_as}, s.now);
  s.collect();
  s.run(1s);
  EXPECT_EQ(s.dials(same_as), 1U);
  s.closed(s.last_dial(same_as), EndReason::refused);  // check_invariants counts anew each time
}

}  // namespace
}  // namespace timectl
