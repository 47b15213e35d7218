// FT-N28, N29: what happens to all sessions at once, because it happens to our own host.
#include "tests/lab/lab_nodes.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;

TEST_F(LabTest, AfterOurOwnLinkWasDownAllAreBackWithinTenSeconds) {
  std::vector<std::string> ips;
  for (int i = 0; i < 3; ++i) {
    ips.push_back(node(10 + i, fast_numbers() + "outbound_regular = 0\n").address());
  }
  auto& keeper = node(3, fast_numbers() + friends(ips));
  start_all();
  ASSERT_TRUE(wait_for([&] { return keeper.connections() == 3; }, patience(10s)));
  host(keeper).command("ip link set lab0 down");
  EXPECT_TRUE(
      wait_for([&] { return keeper.connections() == 0; }, patience(ping_every + dead_after)))
      << keeper.log();
  std::size_t alerts = 0;
  const auto log = keeper.log();
  const std::string alert = "No whitelisted masternode is connected";
  for (auto at = log.find(alert); at != std::string::npos; at = log.find(alert, at + 1)) ++alerts;
  EXPECT_EQ(alerts, 1U) << log;
  host(keeper).command("ip link set lab0 up");
  EXPECT_TRUE(wait_for([&] { return keeper.connections() == 3; }, patience(10s))) << keeper.log();
}

TEST_F(LabTest, SessionsOfAnAddressThatWeLostAreDialledFromTheNewOne) {
  auto& peer = node(2, fast_numbers({.user_timeout = 300}) + "outbound_regular = 0\n");
  LabHost& moving = lab.add(3);
  // It listens on every address of its host, as an operator with a changing one has it.
  NodeProcess keeper(sandbox, "0.0.0.0", fast_numbers({.user_timeout = 300}) + friends({ip(2)}));
  keeper.run_under(moving.enter());
  peer.start();
  keeper.start();
  ASSERT_TRUE(wait_for([&] { return keeper.connected_to(ip(2)); }, patience(10s))) << keeper.log();
  EXPECT_TRUE(peer.connected_to(ip(3)));
  const auto since = text(lab::peer(keeper, ip(2)), "connected_at");
  // The control: the loss of an address that no session uses.
  moving.command("ip address add 10.77.0.34/24 dev lab0");
  moving.command("ip address del 10.77.0.34/24 dev lab0");
  EXPECT_FALSE(
      wait_for([&] { return text(lab::peer(keeper, ip(2)), "connected_at") != since; }, 500ms));
  lab.links().also(moving.port(), *IpAddress::parse(ip(33)));
  moving.command("ip address add 10.77.0.33/24 dev lab0");
  moving.command("ip address del 10.77.0.3/24 dev lab0");
  moving.command("ip address replace 10.77.0.33/24 dev lab0");  // it may have gone as secondary
  EXPECT_TRUE(wait_for([&] { return peer.connected_to(ip(33)); }, patience(15s)))
      << keeper.log() << peer.log();
  EXPECT_TRUE(keeper.connected_to(ip(2)));
}

}  // namespace
}  // namespace timectl::lab
