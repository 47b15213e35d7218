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

}  // namespace
}  // namespace timectl::lab
