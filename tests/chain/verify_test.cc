#include "daemon/chain/verify.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "daemon/core/reflect.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/hash.h"
#include "tests/support/chain_maker.h"
#include "tests/wire/vectors.h"

namespace timectl::chain {
namespace {

using testing::BlockParts;
using testing::ChainMaker;
using testing::MadeBlock;
using wire::Network;

Verdict judge(const std::vector<std::uint8_t>& bytes, const BlockSummary& parent,
              const VerifyContext& context) {
  wire::Arena arena;
  const auto block = wire::decode_block(bytes, arena);
  if (!block) throw std::runtime_error("does not decode");
  return verify_block(*block, parent, context);
}

std::string word_of(const Verdict& verdict) {
  return verdict.refused ? std::string(name_of(verdict.refused->rule)) : "";
}

TEST(Verify, TheGenesisOfEachNetworkIsItsOwnAlone) {
  for (const auto network : {Network::mainnet, Network::testnet}) {
    const auto other = network == Network::mainnet ? Network::testnet : Network::mainnet;
    wire::Arena arena;
    const auto block = wire::decode_block(wire::genesis_block(network), arena);
    ASSERT_TRUE(block);
    EXPECT_TRUE(verify_genesis(*block, wire::params_of(network)).ok());
    const auto wrong = verify_genesis(*block, wire::params_of(other));
    ASSERT_TRUE(wrong.refused);
    EXPECT_EQ(wrong.refused->rule, BlockRule::genesis);
  }
}

TEST(Verify, AChainOfTheMakerPassesEveryRuleWithoutAWarning) {
  for (const auto network : {Network::mainnet, Network::testnet}) {
    ChainMaker maker(network, 7, 900);
    for (int i = 0; i < 60; ++i) {
      const auto parent = maker.tip();
      const auto& made = maker.next();
      const auto verdict = judge(made.bytes, parent,
                                 {.params = maker.params(),
                                  .now = maker.due(),
                                  .tip_height = made.summary.height,
                                  .leader_key = maker.leader_key()});
      ASSERT_TRUE(verdict.ok()) << word_of(verdict) << ": " << verdict.refused->detail;
      EXPECT_TRUE(verdict.warnings.empty()) << verdict.warnings.front().detail;
      EXPECT_EQ(verdict.summary.hash, made.summary.hash);
    }
  }
}

struct Broken {
  const char* rule;
  std::function<void(BlockParts&)> edit;
  const char* detail = "";
};

// Each row breaks one rule of an otherwise valid block, and is refused for that one.
TEST(Verify, EachRuleRefusesTheBlockThatBreaksIt) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
  const Broken rows[] = {
      {"link", [](auto& b) { b.header.previous_hash[0] ^= 1; }},
      {"height", [](auto& b) { b.header.height += 1; }, "height 7, expected 6"},
      {"height", [](auto& b) { b.header.height = 0; }, "expected 6"},
      {"height", [](auto& b) { b.header.height = kMost; }},
      {"merkle_root", [](auto& b) { b.fix_root = false; }},
      {"in_the_future", [](auto& b) { b.header.timestamp += 6; }, "6 s after the clock"},
      {"in_the_future", [](auto& b) { b.header.timestamp = kLast; }},
      {"before_genesis", [](auto& b) { b.header.timestamp = kFirst; }},
      {"before_genesis", [](auto& b) { b.header.timestamp = 0; }},
      {"off_schedule", [](auto& b) { b.header.timestamp -= 31; }, "31 s before"},
      {"duplicate_transaction", [](auto& b) { b.transactions.push_back(b.transactions.front()); }},
      {"no_leader", [](auto& b) { b.leader.clear(); }},
      {"vrf_proof_size", [](auto& b) { b.vrf_proof.resize(79); }, "79 bytes"},
      {"vrf_score", [](auto& b) { b.header.vrf_score += 1; }},
      {"too_few_rewarded", [](auto& b) { b.rewards.pop_back(); }, "2 rewarded, at least 3"},
      {"too_few_rewarded", [](auto& b) { b.rewards.back().second = 0; }},
      {"too_few_transactions", [](auto& b) { b.transactions.resize(1); }},
      {"coinbase", [](auto& b) { b.transactions[0].spends.push_back({}); }},
      {"coinbase", [](auto& b) { b.transactions[0].pays.push_back(b.transactions[0].pays[0]); }},
      {"coinbase", [](auto& b) { b.transactions[0].pays[0].second += 1; }},
      {"reward_input", [](auto& b) { b.fix_input = false; }},
      {"reward_input",
       [](auto& b) {
         b.fix_input = false;
         b.transactions[1].spends = {{}};
       }},
      {"reward_outputs",
       [](auto& b) {
         auto& pays = b.transactions[1].pays;
         pays.push_back({pays[0].first, 0});
       }},
      {"reward_sums", [](auto& b) { b.transactions[1].pays[1].second += 1; }},
      {"reward_sums", [](auto& b) { b.transactions[1].pays[1].first[0] ^= 1; }},
      {"reward_total",
       [](auto& b) {
         b.transactions[1].pays[1].second += 1;
         b.rewards[1].second += 1;
       }},
      {"reward_total",
       [](auto& b) {
         b.transactions[1].pays[1].second -= 4;
         b.rewards[1].second -= 4;
       }},
      {"reward_total",
       [](auto& b) {  // sums that would wrap
         b.transactions[1].pays[1].second = kMost;
         b.rewards[1].second = kMost;
       }},
      {"treasury", [](auto& b) { b.header.treasury_balance += 1; }},
      {"treasury", [](auto& b) { b.header.treasury_balance = kMost; }},
      {"empty_transaction", [](auto& b) { b.transactions.push_back({}); }},
  };
  ChainMaker maker(Network::testnet);
  for (int i = 0; i < 5; ++i) maker.next();
  const VerifyContext context{.params = maker.params(), .now = maker.due() + 600, .tip_height = 6};
  ASSERT_TRUE(judge(maker.sketch({}).bytes, maker.tip(), context).ok()) << "the control";
  std::map<std::string, int> seen;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.rule);
    const auto verdict = judge(maker.sketch(row.edit).bytes, maker.tip(), context);
    EXPECT_EQ(word_of(verdict), row.rule);
    if (!verdict.refused) continue;
    EXPECT_NE(verdict.refused->detail.find(row.detail), std::string::npos)
        << verdict.refused->detail;
    ++seen[row.rule];
  }
  // Every rule of the table that can refuse has its row here or a test of its own below.
  for (const auto& rule : block_rule_table()) {
    const auto word = std::string(name_of(rule.rule));
    const bool elsewhere = word == "genesis" || word == "height_over_clock" || word == "too_large";
    EXPECT_EQ(seen.contains(word), !rule.warning && !elsewhere) << word;
    EXPECT_FALSE(rule.meaning.empty());
  }
}

TEST(Verify, TheHeightMayNotBeOverWhatTheClockAllows) {
  ChainMaker maker(Network::testnet);
  const auto early = [&](std::int64_t seconds) {
    const auto parent = maker.tip();
    return judge(maker.sketch([&](BlockParts& b) { b.header.timestamp -= seconds; }).bytes, parent,
                 {.params = maker.params(), .now = maker.due() + 600 - seconds});
  };
  EXPECT_TRUE(early(10).ok()) << "ten seconds of tolerance";
  EXPECT_EQ(word_of(early(11)), "height_over_clock");
}

TEST(Verify, AtTheTipABlockMayBeThirtySecondsEarlyAndBeforeItTenMinutes) {
  ChainMaker maker(Network::testnet);
  for (int i = 0; i < 3; ++i) maker.next();
  const auto early = [&](std::int64_t seconds, std::optional<std::uint64_t> tip) {
    return word_of(judge(
        maker.sketch([&](BlockParts& b) { b.header.timestamp -= seconds; }).bytes, maker.tip(),
        {.params = maker.params(), .now = maker.due() + 90'000, .tip_height = tip}));
  };
  EXPECT_EQ(early(30, 14), "");
  EXPECT_EQ(early(31, 14), "off_schedule");
  EXPECT_EQ(early(31, 15), "");
  EXPECT_EQ(early(600, {}), "");
  EXPECT_EQ(early(601, {}), "off_schedule");
}

TEST(Verify, ABlockOverFourMegabytesIsRefused) {
  ChainMaker maker(Network::testnet, 1, 4'000'000);
  const VerifyContext context{.params = maker.params(), .now = maker.due() + 600};
  EXPECT_EQ(word_of(judge(maker.sketch({}).bytes, maker.tip(), context)), "too_large");
}

TEST(Verify, WarningsRefuseNothing) {
  const Broken rows[] = {
      {"vrf_proof", [](auto& b) { b.vrf_proof[0] ^= 1; }},
      {"vrf_proof", [](auto& b) { b.vrf_proof[40] ^= 1; }},
      {"block_reward", [](auto& b) { b.header.total_fees = 17; }},
      {"block_reward",
       [](auto& b) { b.header.total_fees = std::numeric_limits<std::uint64_t>::max(); }},
  };
  ChainMaker maker(Network::mainnet);
  VerifyContext context{.params = maker.params(), .now = maker.due() + 600};
  for (const auto& row : rows) {
    const auto verdict = judge(maker.sketch(row.edit).bytes, maker.tip(), context);
    EXPECT_TRUE(verdict.ok()) << row.rule;
    ASSERT_EQ(verdict.warnings.size(), 1U) << row.rule;
    EXPECT_EQ(name_of(verdict.warnings[0].rule), row.rule);
  }
  context.leader_key = wire::sha256("another key");
  const auto verdict = judge(maker.sketch({}).bytes, maker.tip(), context);
  EXPECT_TRUE(verdict.ok());
  ASSERT_EQ(verdict.warnings.size(), 1U);
  EXPECT_EQ(verdict.warnings[0].rule, BlockRule::producer_signature);
}

// The reference library's chains are linked, hashed and scored, and their rewards are invented:
// each block passes rules 1 to 5 and is refused by one of 6 to 8.
TEST(Verify, TheVectorsPassUpToTheirRewardsAndAreRefusedThere) {
  for (const auto& folder : wire::test::vector_folders()) {
    for (const auto* file : {"chain_main", "chain_fork"}) {
      std::map<std::uint64_t, BlockSummary> by_height;
      for (const auto& value : wire::test::load_vectors(folder, "chain_main")) {
        wire::Arena arena;
        const auto payload = wire::test::bytes_of(value.as_object(), "payload_hex");
        const auto decoded = wire::decode(payload, arena);
        ASSERT_TRUE(decoded);
        const auto& block = std::get<wire::msg::BlockResponse>(decoded->message).block;
        by_height[block.header.height] = {wire::block_hash(block.header), block.header.height,
                                          block.header.timestamp, block.header.treasury_balance};
      }
      std::size_t refused = 0;
      for (const auto& value : wire::test::load_vectors(folder, file)) {
        wire::Arena arena;
        const auto payload = wire::test::bytes_of(value.as_object(), "payload_hex");
        const auto decoded = wire::decode(payload, arena);
        ASSERT_TRUE(decoded);
        const auto& block = std::get<wire::msg::BlockResponse>(decoded->message).block;
        const auto& params = wire::params_of(Network::testnet);
        if (block.header.height == 0) {
          EXPECT_TRUE(verify_genesis(block, params).ok());
          continue;
        }
        const auto& parent = by_height.at(block.header.height - 1);
        const auto verdict = verify_block(
            block, parent, {.params = params, .now = params.genesis_time + 10'000'000});
        ASSERT_TRUE(verdict.refused) << block.header.height;
        const auto& section = block_rule_row(verdict.refused->rule).section;
        EXPECT_TRUE(section == "9.5(6)" || section == "9.5(7)" || section == "9.5(8)")
            << word_of(verdict) << ": " << verdict.refused->detail;
        ++refused;
        by_height[block.header.height] = verdict.summary;
      }
      EXPECT_GT(refused, 3U) << file;
    }
  }
}

// What no rule covers can be changed by whoever relays a block. The list is a finding: these and
// no others.
TEST(Verify, AFlippedByteIsRefusedWhereverARuleCoversIt) {
  ChainMaker maker(Network::testnet, 3, 100);
  maker.next();
  const auto made = maker.sketch({});
  const VerifyContext context{.params = maker.params(),
                              .now = maker.due() + 600,
                              .tip_height = 2,
                              .leader_key = maker.leader_key()};
  ASSERT_TRUE(judge(made.bytes, maker.tip(), context).ok());
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < made.bytes.size(); ++i) {
    auto bytes = made.bytes;
    bytes[i] ^= 1;
    wire::Arena arena;
    const auto block = wire::decode_block(bytes, arena);
    if (!block) continue;
    const auto verdict = verify_block(*block, maker.tip(), context);
    const bool other_hash = verdict.summary.hash != made.summary.hash;
    if (!verdict.ok() || !verdict.warnings.empty() || other_hash) continue;
    ++unseen;
  }
  // attestation_root 32, tiers 16, the last 16 bytes of the proof, liveness_recovery flags,
  // and the trailing bitmap's length where it decodes.
  EXPECT_GE(unseen, 32U + 16U + 16U);
  EXPECT_LE(unseen, 32U + 16U + 16U + 4U);
}

}  // namespace
}  // namespace timectl::chain
