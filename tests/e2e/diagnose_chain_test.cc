// `timectl diagnose` about heights and forks (T17 to T22), by a real node whose clock expects a
// height that generated chains reach: the wall clock of its process is shifted, and so are its
// peers'.
#include <gtest/gtest.h>

#include "tests/e2e/diagnose_stage.h"
#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 61;
constexpr std::uint64_t kOtherSeed = 62;
constexpr std::size_t kExpected = 2600;  // E
constexpr milliseconds kPatience = kSanitized ? 40s : 20s;

class DiagnoseChain : public ::testing::Test {
 protected:
  // A node at `height` of the chain of kSeed among so many peers at .11, .12, ...
  void set_up(const std::string& net, int peers, std::size_t height) {
    prepare(net, peers);
    if (height > 0) fill_chain(stage->node, kSeed, height);
  }
  void prepare(const std::string& net, int peers) {
    for (int i = 0; i < peers; ++i) ips.push_back(net + std::to_string(11 + i));
    stage.emplace(net, chain_config(ips));
    shift = clock_shift(kExpected);
    stage->node.run_under(under_shifted_clock(shift));
  }
  void put(const std::string& ip, Chain chain, const std::string& words = "") {
    stage->peers.put(ip, words + " clock=" + std::to_string(shift), std::move(chain));
  }
  bool until(const std::function<bool()>& look) { return wait_for(look, kPatience); }
  NodeProcess& node() { return stage->node; }

  std::vector<std::string> ips;
  std::int64_t shift = 0;
  std::optional<Stage> stage;
};

TEST_F(DiagnoseChain, T17AHeightTheClockDoesNotAllowIsImplausible) {
  set_up("127.137.1.", 4, kExpected);
  const auto chain = chain_of(kSeed, kExpected);
  for (int i = 0; i < 3; ++i) put(ips[i], chain);
  put(ips[3], nullptr, "height=3100 tip=" + std::string(64, 'c'));
  start_with(node(), ips);
  ASSERT_TRUE(until([&] { return synced(node(), chain); })) << sync_of(node()).all;
  EXPECT_EQ(sync_of(node()).all.at("expected_height").to_number<std::size_t>(), kExpected);
  ASSERT_TRUE(until([&] { return !sync_peer(node(), ips[3]).at("height").is_null(); }));
  const auto judged = diagnosed(node(), {"peer", ips[3]});
  expect_verdict(judged, "T17");
  EXPECT_TRUE(judged.evidence("500 above the clock-derived maximum", "FM-S11")) << judged.told();
  for (const char* behind : {"FM-S1", "FM-S2"}) EXPECT_FALSE(judged.found(behind));
  const auto good = diagnosed(node(), {"peer", ips[0]});
  EXPECT_EQ(good.text("code"), "") << "the control: " << good.told();
}

TEST_F(DiagnoseChain, T18BlocksThatComeSlowlyAreNoFault) {
  set_up("127.137.2.", 3, kExpected - 500);
  const auto chain = chain_of(kSeed, kExpected);
  for (const auto& ip : ips) put(ip, chain, "chain-fault=slow");
  start_with(node(), ips);
  const auto moves = [&] {
    const auto now = sync_of(node());
    return now.activity == "syncing" && now.all.at("eta_seconds").is_number();
  };
  ASSERT_TRUE(until(moves)) << sync_of(node()).all;
  const auto judged = diagnosed(node(), {"peer", ips[0]});
  expect_verdict(judged, "T18a");
  EXPECT_TRUE(judged.evidence("blocks a minute", "FM-S1")) << judged.told();
  for (const char* fork : {"FM-S2", "FM-S5", "FM-S7", "FM-S14"}) {
    EXPECT_FALSE(judged.found(fork)) << judged.told();
  }
  EXPECT_EQ(sync_of(node()).exit, 1);
  const auto alerts = json::serialize(node().query({"status"}).at("alerts"));
  EXPECT_NE(alerts.find("Behind by "), std::string::npos) << alerts;
}

TEST_F(DiagnoseChain, T18WhereNoBlockComesTheSyncStalls) {
  set_up("127.137.3.", 3, kExpected - 500);
  const auto chain = chain_of(kSeed, kExpected);
  for (const auto& ip : ips) put(ip, chain, "chain-fault=silent");
  start_with(node(), ips);
  ASSERT_TRUE(until([&] { return sync_of(node()).lag == 500U; })) << sync_of(node()).all;
  ASSERT_TRUE(until([&] { return sync_of(node()).all.at("syncing") == true; }));
  const auto judged = diagnosed(node(), {"peer", ips[0]});
  expect_verdict(judged, "T18b");
  EXPECT_TRUE(judged.evidence("500 blocks behind", "FM-S2")) << judged.told();
  EXPECT_FALSE(judged.found("FM-S5")) << judged.told();
}

TEST_F(DiagnoseChain, T19APeerFarBehindOnOurChainIsItsOwnMatter) {
  set_up("127.137.4.", 4, kExpected);
  const auto chain = chain_of(kSeed, kExpected);
  for (int i = 0; i < 3; ++i) put(ips[i], chain);
  put(ips[3], chain_of(kSeed, kExpected - 2000));
  start_with(node(), ips);
  ASSERT_TRUE(until([&] { return synced(node(), chain); })) << sync_of(node()).all;
  ASSERT_TRUE(until([&] { return sync_peer(node(), ips[3]).at("hash_agrees") == true; }))
      << sync_peer(node(), ips[3]);
  const auto judged = diagnosed(node(), {"peer", ips[3]});
  expect_verdict(judged, "T19");
  EXPECT_TRUE(judged.evidence("2000 blocks behind", "FM-S14")) << judged.told();
  EXPECT_TRUE(judged.evidence("its chain is ours", "FM-S14")) << judged.told();
  EXPECT_EQ(sync_of(node()).exit, 0) << "we are fine";
}

TEST_F(DiagnoseChain, T20ForksNameTheMajority) {
  constexpr std::size_t kDepth = 39;
  const auto ours = chain_of(kSeed, kExpected);
  const auto theirs = branched(kSeed, kExpected - kDepth, kOtherSeed, kDepth);
  const auto fork_known = [&] {
    const auto forks = node().query({"sync", "fork"});
    return forks.is_array() && !forks.get_array().empty() &&
           forks.at(0).at("ancestor_height") == kExpected - kDepth;
  };
  {  // most are on our branch
    set_up("127.137.5.", 4, kExpected);
    for (int i = 0; i < 3; ++i) put(ips[i], ours);
    put(ips[3], theirs);
    start_with(node(), ips);
    ASSERT_TRUE(until(fork_known)) << sync_of(node()).all;
    const auto judged = diagnosed(node(), {"peer", ips[3]});
    expect_verdict(judged, "T20b");
    EXPECT_TRUE(judged.evidence("the majority is on ours", "FM-S5")) << judged.told();
    const auto good = diagnosed(node(), {"peer", ips[0]});
    EXPECT_FALSE(good.found("FM-S5")) << "the control: " << good.told();
  }
  stage.reset();
  ips.clear();
  {  // most are on the other one, and do not give its blocks, so that we stay where we are
    set_up("127.137.6.", 3, kExpected);
    for (const auto& ip : ips) put(ip, theirs, "chain-fault=silent");
    start_with(node(), ips);
    ASSERT_TRUE(until(fork_known)) << sync_of(node()).all;
    const auto judged = diagnosed(node(), {"peer", ips[0]});
    expect_verdict(judged, "T20a");
    EXPECT_TRUE(judged.evidence("since height 2562", "FM-S5")) << judged.told();
  }
}

TEST_F(DiagnoseChain, T22WhereAllStandStillNobodyIsToBlame) {
  set_up("127.137.7.", 4, kExpected - 19);
  const auto chain = chain_of(kSeed, kExpected - 19);
  for (const auto& ip : ips) put(ip, chain);
  start_with(node(), ips);
  ASSERT_TRUE(until([&] { return sync_of(node()).all.at("network_stalled") == true; }))
      << sync_of(node()).all;
  const auto judged = diagnosed(node(), {"node"});
  expect_verdict(judged, "T22");
  EXPECT_TRUE(judged.evidence("the clock expects 2600", "FM-S10")) << judged.told();
  const auto peer = diagnosed(node(), {"peer", ips[0]});
  for (const char* blame : {"FM-S1", "FM-S2", "FM-S14"}) {
    EXPECT_FALSE(peer.found(blame)) << peer.told();
  }
  for (const auto& ip : ips) EXPECT_EQ(stage->connections(ip), 1U) << "no redial";
}

}  // namespace
}  // namespace timectl::e2e
