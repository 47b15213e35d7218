// `timectl diagnose node`: its clock, its address, its slots, its descriptors (T24, T29, T43, T52).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/diagnose_stage.h"
#include "tests/e2e/fault_support.h"
#include "tests/support/fake_time_server.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
using testing::FakeTime;
using testing::FakeTimeServer;

constexpr milliseconds kPatience = kSanitized ? 20s : 10s;
constexpr int kWitnesses = 5;
constexpr int kOff = 12;  // seconds

std::vector<std::string> witnesses(const std::string& net, int count = kWitnesses) {
  std::vector<std::string> ips;
  for (int i = 0; i < count; ++i) ips.push_back(net + std::to_string(11 + i));
  return ips;
}

// In place of no time servers, which is what nodes of tests have.
void ask(const NodeProcess& node, const std::vector<std::string>& servers) {
  std::string line = "time_servers = [";
  for (const auto& server : servers) line += "\"" + server + "\", ";
  auto text = slurp(node.config_path());
  const std::string none = "time_servers = []";
  text.replace(text.find(none), none.size(), line + "]");
  spill(node.config_path(), text);
}

json::value facts_of_clock(const NodeProcess& node) {
  return node.query({"diagnose", "node"}).at("facts").at("node").at("clock");
}

// Five peers whose clocks are ahead of ours by so much, connected and heard.
void surround(Stage& stage, const std::vector<std::string>& ips, int ahead) {
  for (const auto& ip : ips) {
    stage.peers.put(ip, "clock=" + std::to_string(ahead));
  }
  start_with(stage.node, ips);
  ASSERT_TRUE(wait_for(
      [&] { return facts_of_clock(stage.node).at("peers").to_number<int>() >= kWitnesses; },
      kPatience));
}

TEST(DiagnoseNode, T24AWrongClockOfOursIsMeasuredByServersAndPeers) {
  const std::string net = "127.134.1.";
  const auto ips = witnesses(net);
  Stage stage(net, masternodes(ips));
  const FakeTime right{.offset_seconds = kOff};  // ours is behind
  const FakeTimeServer trio[] = {FakeTimeServer(right, net + "21"),
                                 FakeTimeServer(right, net + "22"),
                                 FakeTimeServer(right, net + "23")};
  ask(stage.node, {trio[0].server(), trio[1].server(), trio[2].server()});
  surround(stage, ips, kOff);
  const auto judged = diagnosed(stage.node, {"node"});
  expect_verdict(judged, "T24a");
  EXPECT_TRUE(judged.evidence("12.0 s behind 3 time servers", "FM-X1")) << judged.told();
  EXPECT_TRUE(judged.evidence("the median of 5 peers", "FM-X1")) << judged.told();
  EXPECT_FALSE(judged.found("FM-X2")) << judged.told();
  EXPECT_EQ(trio[0].asked(), trio[2].asked());
  // The peers, whose clocks are right, are not blamed for ours.
  const auto peer = diagnosed(stage.node, {"peer", ips.front()});
  EXPECT_FALSE(peer.found("FM-X3")) << peer.told();
}

TEST(DiagnoseNode, T24WithoutTimeServersTheOffsetIsThatOfThePeers) {
  const std::string net = "127.134.2.";
  const auto ips = witnesses(net);
  Stage stage(net, masternodes(ips));
  const FakeTime mute{.silent = true};
  const FakeTimeServer trio[] = {FakeTimeServer(mute, net + "21"), FakeTimeServer(mute, net + "22"),
                                 FakeTimeServer(mute, net + "23")};
  ask(stage.node, {trio[0].server(), trio[1].server(), trio[2].server()});
  surround(stage, ips, 0);
  const auto judged = diagnosed(stage.node, {"node"});
  expect_verdict(judged, "T24b");
  EXPECT_TRUE(judged.evidence("by 5 peers our clock is off by", "FM-X2")) << judged.told();
  EXPECT_FALSE(judged.found("FM-X1")) << judged.told();
  EXPECT_GT(trio[0].asked(), 0U);
}

// Eight higher peers dialled us and were lost: we wait for all of them. What a node with a public
// address of 0.0.0.0 would say of that is what its facts say with that address in them.
TEST(DiagnoseNode, T29WithoutAnAddressOfOursThereIsOneFindingAndNotEight) {
  const std::string net = "127.134.3.";
  const auto ips = witnesses(net, 8);
  Stage stage(net, "outbound_regular = 0\n");
  stage.node.start();
  for (const auto& ip : ips) {
    stage.peers.put(ip, "");
    stage.peers.dial(ip, stage.node.address());
    ASSERT_TRUE(wait_for([&] { return stage.node.connected_to(ip); }, kPatience));
    ASSERT_EQ(stage.node.timectl({"whitelist", "add", ip}).status, 0);
    stage.peers.remove(ip);
  }
  const auto all_wait = [&] {
    return std::ranges::all_of(ips, [&](const auto& ip) {
      return stage.node.query({"peer", "show", ip}).at("state") == "waiting_passive";
    });
  };
  ASSERT_TRUE(wait_for(all_wait, kPatience)) << stage.node.query({"peer", "list"});
  auto facts = stage.node.query({"diagnose", "node"}).at("facts");
  const NodeProcess asked(stage.sandbox, net + "3", "");
  const auto before = diagnosed(asked, {"facts", "-"}, json::serialize(facts));
  EXPECT_FALSE(before.found("FM-D3")) << before.told();
  facts.at("node").at("address") = "0.0.0.0";
  const auto judged = diagnosed(asked, {"facts", "-"}, json::serialize(facts));
  expect_verdict(judged, "T29");
  EXPECT_FALSE(judged.found("FM-D2")) << judged.told();
  EXPECT_TRUE(judged.evidence("we wait for 8 peers", "FM-D3")) << judged.told();
  const auto& findings = judged.data.at("findings").as_array();
  EXPECT_EQ(std::ranges::count_if(findings, [](const auto& f) { return f.at("code") == "FM-D3"; }),
            1);
}

TEST(DiagnoseNode, T43RefusedGuestsAreSlotsThatAreFull) {
  constexpr int kRegular = 3;
  const std::string net = "127.134.4.";
  Stage stage(net,
              masternodes({net + "11"}) + "max_connections = 6\nreserved_masternode_slots = 3\n");
  stage.peers.put(net + "11", "");
  start_with(stage.node, {net + "11"});
  const auto guest = [](int i) { return "127.135." + std::to_string(i) + ".1"; };
  for (int i = 0; i < kRegular; ++i) {
    stage.peers.put(guest(i), "");
    stage.peers.dial(guest(i), stage.node.address());
  }
  ASSERT_TRUE(wait_for([&] { return stage.node.connections() == kRegular + 1; }, kPatience));
  const auto before = diagnosed(stage.node, {"node"});
  EXPECT_FALSE(before.found("FM-L3")) << "full, and nobody was refused: " << before.told();
  for (int i = kRegular; i < 2 * kRegular; ++i) {
    stage.peers.put(guest(i), "");
    stage.peers.dial(guest(i), stage.node.address());
    ASSERT_TRUE(wait_for([&] { return !stage.last(guest(i)).end.empty(); }, kPatience));
  }
  const auto judged = diagnosed(stage.node, {"node"});
  expect_verdict(judged, "T43");
  EXPECT_TRUE(judged.evidence("3 of 3 regular slots", "FM-L3")) << judged.told();
  EXPECT_EQ(stage.node.connections(), kRegular + 1U) << "and the masternode";
}

TEST(DiagnoseNode, T52TooFewDescriptorsAreNamed) {
  if (!has_program("prlimit")) GTEST_SKIP() << "needs prlimit";
  const std::string net = "127.134.5.";
  Stage stage(net, masternodes({net + "11"}));
  stage.peers.put(net + "11", "");
  start_with(stage.node, {net + "11"});
  const auto before = diagnosed(stage.node, {"node"});
  EXPECT_FALSE(before.found("FM-X9")) << before.told();
  ASSERT_EQ(run({"prlimit", "--pid", std::to_string(stage.node.pid()), "--nofile=64:64"}).status,
            0);
  {
    std::vector<Caller> callers;
    for (int i = 0; i < 100; ++i) {
      callers.emplace_back("127.136." + std::to_string(i) + ".1", stage.node.address(),
                           stage.sandbox.port());
    }
    ASSERT_TRUE(wait_for(
        [&] { return stage.node.log().find("no file descriptor is left") != std::string::npos; },
        kPatience))
        << stage.node.log();
    const auto judged = diagnosed(stage.node, {"node"});
    expect_verdict(judged, "T52");
    EXPECT_TRUE(judged.evidence("Too many open files", "FM-X9")) << judged.told();
  }
  // When some are free again, it serves on, and what happened is still the matter for an hour.
  EXPECT_TRUE(stage.node.connected_to(net + "11"));
  const auto later = diagnosed(stage.node, {"node"});
  EXPECT_EQ(later.text("code"), "FM-X9") << later.told();
}

}  // namespace
}  // namespace timectl::e2e
