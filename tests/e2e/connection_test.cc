// Real nodes on 127.0.0.x: the mesh forms, survives kill -9, and follows the whitelist at run time.

#include <gtest/gtest.h>

#include <csignal>
#include <memory>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

std::string whitelist_line(const std::vector<std::string>& ips) {
  std::string line = "whitelisted_peers = [";
  for (const auto& ip : ips) line += "\"" + ip + "\", ";
  return line + "]\n";
}

TEST(Mesh, ThreeMasternodesOfEachOthersConfigConnectOnceEach) {
  Sandbox sandbox;
  const std::vector<std::string> ips{"127.21.0.2", "127.21.0.3", "127.21.0.4"};
  std::vector<std::unique_ptr<NodeProcess>> nodes;
  for (const auto& ip : ips) {
    std::vector<std::string> others;
    for (const auto& other : ips) {
      if (other != ip) others.push_back(other);
    }
    nodes.push_back(std::make_unique<NodeProcess>(sandbox, ip, whitelist_line(others)));
    nodes.back()->start();
  }
  EXPECT_TRUE(wait_for(
      [&] {
        for (const auto& node : nodes) {
          if (node->connections() != 2) return false;
        }
        return true;
      },
      10s));
  for (const auto& node : nodes) {
    const auto status = node->query({"status"});
    EXPECT_EQ(status.at("verdict").as_string(), "ok") << status;
    EXPECT_EQ(status.at("masternodes").at("connected").to_number<int>(), 2);
    const auto slots = node->query({"slots"});
    EXPECT_EQ(slots.at("total").to_number<int>(), 2) << slots;
    EXPECT_EQ(slots.at("masternode").to_number<int>(), 2);
  }
}

TEST(Mesh, TwoNodesThatDialEachOtherEndWithOneConnection) {
  for (int round = 0; round < 5; ++round) {
    Sandbox sandbox;
    NodeProcess low(sandbox, "127.22.0.2", whitelist_line({"127.22.0.3"}));
    NodeProcess high(sandbox, "127.22.0.3", whitelist_line({"127.22.0.2"}));
    low.start();
    high.start();
    ASSERT_TRUE(wait_for([&] { return low.connections() == 1 && high.connections() == 1; }, 10s))
        << low.log() << high.log();
    EXPECT_EQ(low.query({"slots"}).at("total").to_number<int>(), 1);
    EXPECT_EQ(high.query({"slots"}).at("total").to_number<int>(), 1);
    const auto direction = [](const NodeProcess& node, const std::string& ip) {
      return std::string(node.query({"peer", "show", ip}).at("direction").as_string());
    };
    EXPECT_NE(direction(low, "127.22.0.3"), direction(high, "127.22.0.2"));
  }
}

TEST(Mesh, AKilledPeerIsNoticedWithinASecondAndBackWithinThreeOfItsReturn) {
  Sandbox sandbox;
  // The higher address, which dials after a loss.
  NodeProcess keeper(sandbox, "127.23.0.3", whitelist_line({"127.23.0.2"}));
  NodeProcess victim(sandbox, "127.23.0.2", whitelist_line({"127.23.0.3"}));
  keeper.start();
  victim.start();
  ASSERT_TRUE(wait_for([&] { return keeper.connected_to("127.23.0.2"); }, 10s));
  victim.kill9();
  const std::string line = "CRITICAL: Whitelisted peer 127.23.0.2 disconnected: closed_by_peer";
  EXPECT_TRUE(wait_for([&] { return keeper.log().find(line) != std::string::npos; }, 1s))
      << keeper.log();
  EXPECT_NE(keeper.log().find("[MASTERNODE] Reconnecting to 127.23.0.2 in 2s..."),
            std::string::npos);
  // The absence: until the node has tried again and failed (2 s after the loss).
  EXPECT_TRUE(wait_for(
      [&] {
        return keeper.log().find("[MASTERNODE] Reconnecting to 127.23.0.2 in 4s...") !=
               std::string::npos;
      },
      4s));
  victim.start();
  EXPECT_TRUE(wait_for([&] { return keeper.connected_to("127.23.0.2"); }, 3s)) << keeper.log();
  const auto history = keeper.query({"peer", "history", "127.23.0.2"});
  bool found = false;
  for (const auto& row : history.get_array()) {
    found = found || (row.at("end_reason").is_string() &&
                      row.at("end_reason").as_string() == "closed_by_peer");
  }
  EXPECT_TRUE(found) << history;
}

TEST(Mesh, TheWhitelistPromotesAndDemotesALiveConnection) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.24.0.2", "");
  NodeProcess peer(sandbox, "127.24.0.3", whitelist_line({"127.24.0.2"}));
  node.start();
  peer.start();
  ASSERT_TRUE(wait_for([&] { return node.connected_to("127.24.0.3"); }, 10s)) << node.log();
  const auto since = node.query({"peer", "show", "127.24.0.3"}).at("connected_at");
  EXPECT_EQ(node.query({"slots"}).at("regular").to_number<int>(), 1);

  EXPECT_EQ(node.timectl({"whitelist", "add", "127.24.0.3"}).status, 0);
  EXPECT_EQ(node.query({"slots"}).at("masternode").to_number<int>(), 1);
  EXPECT_TRUE(node.query({"peer", "show", "127.24.0.3"}).at("whitelisted").as_bool());
  EXPECT_NE(node.log().find("Marked 127.24.0.3 as whitelisted masternode with enhanced protection"),
            std::string::npos);

  EXPECT_EQ(node.timectl({"whitelist", "remove", "127.24.0.3"}).status, 0);
  const auto after = node.query({"peer", "show", "127.24.0.3"});
  EXPECT_FALSE(after.at("whitelisted").as_bool());
  EXPECT_EQ(after.at("connected_at"), since);  // the same connection all the time
}

TEST(Mesh, AStoppedNodeSaysGoodbyeAndIsNotTakenForACrash) {
  Sandbox sandbox;
  NodeProcess keeper(sandbox, "127.25.0.2", whitelist_line({"127.25.0.3"}));
  NodeProcess leaver(sandbox, "127.25.0.3", whitelist_line({"127.25.0.2"}));
  keeper.start();
  leaver.start();
  ASSERT_TRUE(wait_for([&] { return leaver.connected_to("127.25.0.2"); }, 10s));
  leaver.signal(SIGTERM);
  EXPECT_EQ(leaver.wait_exit(), 0);
  EXPECT_TRUE(wait_for([&] { return keeper.connections() == 0; }, 2s));
  leaver.start();
  EXPECT_TRUE(wait_for([&] { return keeper.connected_to("127.25.0.3"); }, 3s)) << keeper.log();
  const auto history = leaver.query({"peer", "history", "127.25.0.2", "--reason", "shutdown"});
  EXPECT_EQ(history.get_array().size(), 1U);
}

TEST(Mesh, AnOperatorHangsUpAndDialsAgain) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.26.0.3", whitelist_line({"127.26.0.2"}));
  NodeProcess peer(sandbox, "127.26.0.2", whitelist_line({"127.26.0.3"}));
  peer.start();
  node.start();
  ASSERT_TRUE(wait_for([&] { return node.connected_to("127.26.0.2"); }, 10s));
  const auto closed = node.query({"peer", "disconnect", "127.26.0.2", "--for", "1h"});
  EXPECT_EQ(closed.at("stay_away_seconds").to_number<int>(), 3600);
  EXPECT_TRUE(wait_for([&] { return node.connections() == 0; }, 5s));
  EXPECT_EQ(node.timectl({"peer", "connect", "127.26.0.2"}).status, 0);
  EXPECT_TRUE(wait_for([&] { return node.connected_to("127.26.0.2"); }, 5s)) << node.log();
  EXPECT_EQ(node.timectl({"peer", "connect", "nobody"}).status, 66);
}

}  // namespace
}  // namespace timectl::e2e
