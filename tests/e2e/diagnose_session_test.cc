// `timectl diagnose peer` about peers that the running node knows: who differs from us all, whose
// clock is wrong, who may not be probed, and who has to dial (T14, T23, T25, T28).
#include <gtest/gtest.h>

#include "tests/e2e/diagnose_stage.h"
#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds kPatience = kSanitized ? 20s : 10s;
constexpr std::size_t kHeight = 20;
constexpr int kAhead = 600;  // seconds

std::string shown(const NodeProcess& node, const std::string& ip, const char* key) {
  const auto peer = node.query({"peer", "show", ip});
  const auto* value = peer.is_object() ? peer.get_object().if_contains(key) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// A node that answers getblockchaininfo with a clock of its own.
void tell_clock(Stage& stage, const std::string& ip, std::int64_t ahead) {
  stage.rpc(ip).answer("getblockchaininfo",
                       R"({"chain":"testnet","blocks":20,"headers":20,"mediantime":)" +
                           std::to_string(stage.now() + ahead) +
                           R"(,"initialblockdownload":false})");
}

TEST(DiagnoseSession, T14ThreePeersWithAnotherGenesisAreOurFault) {
  const std::string net = "127.132.1.";
  const std::vector<std::string> ips{net + "11", net + "12", net + "13"};
  Stage stage(net, masternodes(ips));
  for (const auto& ip : ips) stage.peers.put(ip, "genesis=" + std::string(64, 'a'));
  stage.node.start();
  // The control: two of them might be wrong themselves.
  ASSERT_TRUE(wait_for(
      [&] {
        return std::ranges::all_of(ips, [&](const auto& ip) {
          return shown(stage.node, ip, "last_end_reason") == "wrong_genesis";
        });
      },
      kPatience))
      << stage.node.log();
  for (const auto& ip : ips) {
    const auto judged = diagnosed(stage.node, {"peer", ip});
    expect_verdict(judged, "T14");
    EXPECT_TRUE(judged.evidence("ban us in turn", "FM-H8")) << judged.told();
    EXPECT_FALSE(judged.found("FM-H6")) << judged.told();
    EXPECT_EQ(json::serialize(judged.data.at("findings")).find("\"severity\":\"critical\"") !=
                  std::string::npos,
              true);
  }
}

TEST(DiagnoseSession, T14OnePeerWithAnotherGenesisIsItsOwnFault) {
  const std::string net = "127.132.2.";
  Stage stage(net, masternodes({net + "11"}));
  stage.peers.put(net + "11", "genesis=" + std::string(64, 'a'));
  stage.node.start();
  ASSERT_TRUE(
      wait_for([&] { return shown(stage.node, net + "11", "last_end_reason") == "wrong_genesis"; },
               kPatience))
      << stage.node.log();
  const auto judged = diagnosed(stage.node, {"peer", net + "11"});
  EXPECT_EQ(judged.text("code"), "FM-H6") << judged.told();
  EXPECT_FALSE(judged.found("FM-H8")) << judged.told();
}

// Three peers with the right time are how we know that it is not ours that is wrong.
TEST(DiagnoseSession, T23APeersClockIsMeasuredAndOursIsRight) {
  const std::string net = "127.132.3.";
  const std::vector<std::string> good{net + "11", net + "12", net + "13"};
  const std::string ahead = net + "14";
  const std::string live = net + "15";
  auto all = good;
  all.push_back(live);
  Stage stage(net, masternodes(all));
  stage.live_at(kHeight);
  for (const auto& ip : good) stage.put(ip);
  for (const auto& ip : {ahead, live}) stage.put(ip, "", kAhead);
  start_with(stage.node, all);
  ASSERT_TRUE(wait_for(
      [&] {
        const auto facts = stage.node.query({"diagnose", "node"});
        return facts.at("facts").at("node").at("clock").at("peers").to_number<int>() >= 4;
      },
      kPatience));
  // One that is not connected by a probe, and one that is by its session.
  for (const auto& ip : {ahead, live}) {
    tell_clock(stage, ip, kAhead);
    const auto judged = diagnosed(stage.node, {"peer", ip, "--probe"});
    expect_verdict(judged, "T23");
    EXPECT_TRUE(judged.evidence("s by its RPC", "FM-X3")) << judged.told();
    EXPECT_TRUE(judged.evidence("s by its pings", "FM-X3")) << judged.told();
    const auto& facts = judged.data.at("facts").at("peer");
    const auto& heard = ip == ahead ? facts.at("probe") : facts.at("node");
    EXPECT_NEAR(heard.at("clock_seconds").to_number<double>(), kAhead, 1);
    EXPECT_NEAR(facts.at("rpc").at("clock_seconds").to_number<double>(), kAhead, 1);
    EXPECT_FALSE(judged.found("FM-X1")) << "ours is right" << judged.told();
  }
  EXPECT_EQ(stage.connections(live), 1U) << "never beside a session";
}

TEST(DiagnoseSession, T25NobodyIsProbedBesideALiveSession) {
  const std::string net = "127.132.4.";
  const auto ip = net + "11";
  Stage stage(net, masternodes({ip}));
  stage.live_at(kHeight);
  stage.put(ip);
  (void)stage.rpc(ip);
  start_with(stage.node, {ip});
  const auto judged = diagnosed(stage.node, {"peer", ip, "--probe"});
  expect_verdict(judged, "T25");
  EXPECT_TRUE(judged.layer("session").is_object()) << judged.told();
  EXPECT_EQ(judged.layer("tcp"), nullptr) << judged.told();
  EXPECT_EQ(stage.connections(ip), 1U) << "no new connection";
  EXPECT_TRUE(stage.node.connected_to(ip));
}

// It dialled us, as the higher address does, and was lost: now it is its turn, and it has forgotten
// us.
TEST(DiagnoseSession, T28WhoHasToDialIsNamedWhereBothWait) {
  const std::string net = "127.132.6.";
  const auto ip = net + "9";
  Stage stage(net, "outbound_regular = 0\n");
  stage.live_at(kHeight);
  stage.put(ip);
  stage.rpc(ip).answer("masternodelist",
                       R"({"total":2,"total_in_registry":2,"masternodes":[)"
                       R"({"address":"192.0.2.1:24000","is_active":true,"is_connected":true},)"
                       R"({"address":"192.0.2.2:24000","is_active":true,"is_connected":true}]})");
  stage.node.start();
  stage.peers.dial(ip, stage.node.address());
  ASSERT_TRUE(wait_for([&] { return stage.node.connected_to(ip); }, kPatience));
  ASSERT_EQ(stage.node.timectl({"whitelist", "add", ip}).status, 0);
  stage.peers.with(ip, [](test::ScriptedPeer& peer) {
    peer.close_all();
    return true;
  });
  ASSERT_TRUE(
      wait_for([&] { return shown(stage.node, ip, "state") == "waiting_passive"; }, kPatience))
      << stage.node.query({"peer", "show", ip});
  const auto judged = diagnosed(stage.node, {"peer", ip, "--probe"});
  expect_verdict(judged, "T28");
  EXPECT_TRUE(judged.evidence(ip + " is the higher address and has to dial", "FM-D2"))
      << judged.told();
  EXPECT_TRUE(judged.found("FM-P4")) << "why it does not" << judged.told();
  EXPECT_LT(judged.took, kSanitized ? 9s : 3s) << judged.told();
}

}  // namespace
}  // namespace timectl::e2e
