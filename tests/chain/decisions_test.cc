// The three decisions together, as the coordinator uses them: what to believe, whose chain parts
// from ours and where, and what to fetch then. One node among masternodes, in a virtual time.
#include <gtest/gtest.h>

#include "daemon/chain/fork_search.h"
#include "daemon/chain/height_truth.h"
#include "daemon/chain/sync_plan.h"
#include "tests/chain/toy_plan.h"

namespace timectl::chain {
namespace {

// The network's chain is branch 0 up to `tip`; ours parts from it after `ancestor`.
struct Node {
  Node(Height own, Height parted_after, Height network_tip)
      : tip(network_tip), ancestor(parted_after), own_tip(own), plan(own) {
    facts.expected = network_tip;
    facts.masternode = [](const IpAddress& ip) { return ip.bytes()[13] == 1; };
    facts.own_hash = [this](Height height) -> std::optional<wire::Hash32> {
      if (height > own_tip) return std::nullopt;
      return hash(height <= ancestor ? 0 : 9, height);
    };
    facts.own = Tip{own, *facts.own_hash(own)};
  }
  static wire::Hash32 hash(std::uint8_t branch, Height height) {
    wire::Hash32 out{};
    out[0] = 1;
    out[1] = branch;
    for (std::size_t i = 0; i < 8; ++i) out[8 + i] = static_cast<std::uint8_t>(height >> (8 * i));
    return out;
  }
  void connect(std::size_t masternodes) {
    for (std::size_t n = 1; n <= masternodes; ++n) {
      truth.on_connected(masternode(n), plan.now);
      truth.on_tip(masternode(n), {tip, hash(0, tip)}, plan.now);
      peers.push_back(masternode(n));
    }
  }
  // What the coordinator does after each poll.
  void offer_sources() {
    for (const auto& ip : peers) plan.claim(ip, truth.fit_source(ip, facts, plan.now));
  }
  ForkMember search(const IpAddress& ip) {
    ForkSearch one({}, {own_tip, tip, facts.expected}, true);
    while (const auto height = one.next()) {
      one.on_answer(*height, hash(0, *height), *facts.own_hash(*height));
      ++questions;
    }
    return {ip, true, tip, hash(0, tip), one.result()};
  }
  // The chain that is built: ours up to the ancestor. The old branch stays in the store.
  void part_at(Height height) {
    own_tip = ancestor = height;
    facts.own = Tip{height, hash(0, height)};
    plan.plan.on_chain(height, plan.now);
    plan.take();
  }

  Height tip;
  Height ancestor;
  Height own_tip;
  ChainFacts facts;
  HeightTruth truth{TruthPolicy{}};
  Plan plan;
  std::vector<IpAddress> peers;
  std::size_t questions = 0;
};

TEST(ChainDecisions, T18NodeThatIsOnlyBehindCatchesUpWithoutAForkVerdict) {
  Node node(4500, 4500, 5000);
  node.connect(3);
  EXPECT_EQ(node.truth.standing(node.facts, node.plan.now).lag_blocks, 500U);
  for (const auto& ip : node.peers) EXPECT_EQ(node.search(ip).result.end, ForkEnd::same_chain);
  node.offer_sources();
  node.plan.run(0s);
  node.plan.finish();
  EXPECT_EQ(node.plan.plan.height(), 5000U);
}

TEST(ChainDecisions, T20NodeOnAMinorityBranchFindsThePointAndFetchesTheMajoritysBranch) {
  Node node(5000, 4962, 5000);
  node.connect(4);
  // Everybody else agrees on another block at our height: believed, and not a source yet.
  const auto standing = node.truth.standing(node.facts, node.plan.now);
  EXPECT_EQ(standing.lag_blocks, 0U);
  EXPECT_NE(standing.belief.best, *node.facts.own);
  node.offer_sources();
  node.plan.run(1min);
  EXPECT_TRUE(node.plan.asked.empty());
  std::vector<ForkMember> members;
  for (const auto& ip : node.peers) members.push_back(node.search(ip));
  EXPECT_LE(node.questions, 4U * 16U);  // ceil(log2(5000)) + 3 a node
  const auto report = report_forks(5000, node.facts.own->hash, members);
  EXPECT_TRUE(report.forked);
  EXPECT_EQ(report.ancestor, 4962U);
  ASSERT_EQ(report.majority, 1U);
  EXPECT_EQ(report.branches[1].masternodes, 4U);
  EXPECT_EQ(members[0].result.consent, Consent::not_needed);
  node.part_at(report.ancestor);
  node.offer_sources();
  node.plan.run(5s);
  node.plan.finish();
  EXPECT_EQ(node.plan.plan.height(), 5000U);
}

TEST(ChainDecisions, FtP33ForkDeeperThanAReorganisationIsReportedAndNothingIsFetched) {
  Node node(5000, 4899, 5000);
  node.connect(4);
  node.offer_sources();
  EXPECT_EQ(node.search(node.peers[0]).result.consent, Consent::beyond_reorganisation);
  node.plan.run(10min);
  EXPECT_TRUE(node.plan.asked.empty());
}

TEST(ChainDecisions, T17PeerAboveTheClockIsNoSourceAndNoLag) {
  Node node(5000, 5000, 5000);
  node.connect(3);
  const auto liar = masternode(9);
  node.truth.on_connected(liar, node.plan.now);
  node.truth.on_tip(liar, {5500, Node::hash(0, 5500)}, node.plan.now);
  node.peers.push_back(liar);
  node.offer_sources();
  node.plan.run(10min);
  EXPECT_TRUE(node.plan.asked.empty());
  EXPECT_EQ(node.truth.standing(node.facts, node.plan.now).lag_blocks, 0U);
}

}  // namespace
}  // namespace timectl::chain
