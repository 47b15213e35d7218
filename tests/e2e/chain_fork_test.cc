// A node on the minority's branch: it changes over by itself where that is shallow, and by the
// operator's word where it is deep. Both branches stay visible.

#include <gtest/gtest.h>

#include <csignal>
#include <iostream>

#include "tests/e2e/chain_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 31;
constexpr std::uint64_t kOurSeed = 32;

// Three masternodes on one branch, a node on another.
struct Fork {
  Fork(const std::string& net, std::size_t common, std::size_t ours, std::size_t theirs)
      : ancestor(common),
        chain(chain_of(kSeed, common + theirs)),
        peers(sandbox),
        ips{net + "2", net + "3", net + "4"},
        node(sandbox, net + "9", chain_config(ips)) {
    for (const auto& ip : ips) peers.put(ip, "", chain);
    fill_branch(node, kSeed, common, kOurSeed, ours);
  }
  [[nodiscard]] bool switched() const { return synced(node, chain); }
  [[nodiscard]] json::value shown() const {  // the newest fork, or null
    const auto forks = node.query({"sync", "fork"});
    return forks.is_array() && !forks.get_array().empty() ? forks.at(0) : json::value(nullptr);
  }
  [[nodiscard]] bool waits_for_consent() const {
    const auto fork = shown();
    return fork.is_object() && fork.at("needs_consent") == true;
  }
  // Its two branches, as they stood.
  void expect_branches(const json::value& fork, std::size_t ours) const {
    ASSERT_TRUE(fork.is_object());
    EXPECT_EQ(fork.at("ancestor_height").to_number<std::size_t>(), ancestor);
    ASSERT_EQ(fork.at("branches").as_array().size(), 2U) << fork;
    for (const auto& branch : fork.at("branches").as_array()) {
      const auto top = branch.at("tip_height").to_number<std::size_t>();
      EXPECT_EQ(top, branch.at("ours") == true ? ancestor + ours : chain->height()) << fork;
      EXPECT_EQ(branch.at("peers").as_array().size(), branch.at("ours") == true ? 0U : 3U) << fork;
    }
  }

  std::size_t ancestor;
  Chain chain;
  Sandbox sandbox;
  ScriptedPeers peers;
  std::vector<std::string> ips;
  NodeProcess node;
};

TEST(ChainFork, AShallowForkIsResolvedWithinAMinuteAndBothBranchesAreShown) {
  for (const std::size_t depth : {1U, 3U, 100U}) {
    SCOPED_TRACE(depth);
    Fork fork("127.101.0.", 500, depth, depth + 20);
    start_with(fork.node, fork.ips);
    const auto took = elapsed([&] {
      EXPECT_TRUE(wait_for([&] { return fork.switched(); }, 60s)) << sync_of(fork.node).all;
    });
    std::cout << "a fork of depth " << depth << " is resolved after " << took.count() << " ms\n";
    EXPECT_TRUE(has_event(fork.node, "fork_seen"));
    EXPECT_TRUE(wait_for([&] { return has_event(fork.node, "fork_resolved"); }, 5s));
    const auto shown = fork.shown();
    fork.expect_branches(shown, depth);
    EXPECT_TRUE(shown.at("resolved_at").is_string()) << shown;
    EXPECT_EQ(fork.node.timectl({"sync", "fork"}).status, 0);
    fork.node.signal(SIGTERM);
    EXPECT_EQ(fork.node.wait_exit(), 0);
    EXPECT_EQ(wrong_with_chain(fork.node), "");
    start_with(fork.node, fork.ips);  // the history is on disk
    EXPECT_EQ(fork.shown(), shown);
  }
}

TEST(ChainFork, ADeepForkWaitsForTheOperatorsWordAlsoOverARestart) {
  constexpr std::size_t kDepth = 101;
  Fork fork("127.102.0.", 500, kDepth, kDepth + 30);
  start_with(fork.node, fork.ips);
  const auto tip = sync_of(fork.node).tip;
  ASSERT_TRUE(wait_for([&] { return fork.waits_for_consent(); }, 60s)) << fork.shown();
  fork.expect_branches(fork.shown(), kDepth);
  EXPECT_TRUE(fork.shown().at("resolved_at").is_null());
  EXPECT_EQ(fork.node.timectl({"sync", "fork"}).status, 1);
  EXPECT_EQ(sync_of(fork.node).exit, 1);
  EXPECT_EQ(sync_of(fork.node).activity, "waiting");
  const auto seen_at = fork.shown().at("seen_at");
  fork.node.kill9();
  start_with(fork.node, fork.ips);
  ASSERT_TRUE(wait_for([&] { return fork.waits_for_consent(); }, 60s)) << fork.shown();
  EXPECT_EQ(fork.shown().at("seen_at"), seen_at) << "it is the same fork";
  EXPECT_EQ(sync_of(fork.node).tip, tip) << "not switched without the operator's word";

  EXPECT_EQ(fork.node.timectl({"sync", "fork", "--accept"}).status, 0);
  EXPECT_TRUE(wait_for([&] { return fork.switched(); }, 60s)) << sync_of(fork.node).all;
  EXPECT_TRUE(has_event(fork.node, "fork_resolved"));
  EXPECT_EQ(fork.node.timectl({"sync", "fork"}).status, 0);
  EXPECT_TRUE(fork.shown().at("resolved_at").is_string()) << fork.shown();
  const auto audit = json::serialize(fork.node.query({"audit", "list"}));
  EXPECT_NE(audit.find("fork"), std::string::npos) << audit;
  EXPECT_TRUE(fork.node.query({"audit", "verify"}).at("ok").as_bool());
  EXPECT_NE(fork.node.timectl({"sync", "fork", "--accept"}).status, 0) << "there is none now";
}

// The control: where most masternodes are on our branch, one on another changes nothing.
TEST(ChainFork, AMinoritysBranchIsShownAndNotFollowed) {
  Fork fork("127.103.0.", 500, 10, 30);
  const auto ours = branched(kSeed, 500, kOurSeed, 10);
  fork.peers.put(fork.ips[0], "", ours);
  fork.peers.put(fork.ips[1], "", ours);
  start_with(fork.node, fork.ips);
  EXPECT_TRUE(wait_for([&] { return fork.shown().is_object(); }, 20s));
  const auto best = sync_of(fork.node);
  EXPECT_TRUE(best.at(510, hash_of(ours, 510))) << best.all;
  EXPECT_EQ(fork.node.timectl({"sync", "fork"}).status, 1);
  // It comes over: then there is no fork any more.
  fork.peers.put(fork.ips[2], "", ours);
  EXPECT_TRUE(wait_for([&] { return synced(fork.node, ours); }, 20s)) << sync_of(fork.node).all;
}

}  // namespace
}  // namespace timectl::e2e
