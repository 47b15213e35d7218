#include "daemon/chain/verify.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/chain/one_rule.h"

namespace timectl::chain {
namespace {

using test::after;
using test::ChainMaker;
using test::ChainOptions;
using test::earliest;
using test::latest;
using test::most;
using test::reasons;
using test::said;
using test::verdict_on;

using OneRule = test::OneRule;

TEST(Verify, GeneratedChainsPassWithoutAWarningOnBothNetworks) {
  for (const wire::Network network : {wire::Network::mainnet, wire::Network::testnet}) {
    for (const ChainOptions& options :
         {ChainOptions{.network = network}, ChainOptions{.network = network, .masternodes = 1},
          ChainOptions{.network = network, .block_size = 20'000, .masternodes = 64, .spends = 5},
          ChainOptions{.network = network, .block_size = 0, .masternodes = 2, .sign = false}}) {
      ChainMaker maker(options);
      for (int i = 0; i < 30; ++i) {
        Circumstances at = after(maker);
        at.network = network;
        const auto bytes = maker.next();
        at.announced_hash = maker.tip().hash;
        const Verdict verdict = verdict_on(bytes, at);
        EXPECT_TRUE(verdict.accepted());
        EXPECT_TRUE(verdict.findings.empty()) << said(verdict);
        EXPECT_EQ(verdict.hash, maker.tip().hash);
        EXPECT_EQ(verdict.signature, options.sign ? SignatureState::valid : SignatureState::absent);
        if (options.block_size > 0) {
          EXPECT_EQ(bytes.size(), options.block_size);
        }
      }
    }
  }
}

TEST(Verify, TheSameSeedGivesTheSameChainAndABranchAnotherOne) {
  ChainMaker one;
  ChainMaker two;
  EXPECT_EQ(one.next(5), two.next(5));
  ChainMaker branch = one.branch(2);
  EXPECT_EQ(branch.tip(), one.tip());
  const Circumstances at = after(one);
  const auto ours = one.next();
  const auto theirs = branch.next();
  EXPECT_NE(ours, theirs);
  EXPECT_TRUE(verdict_on(ours, at).findings.empty());
  EXPECT_TRUE(verdict_on(theirs, at).findings.empty());
}

TEST(Verify, TheGenesisOfEachNetworkIsCompiledInAndNoOtherIsTaken) {
  for (const wire::Network network : {wire::Network::mainnet, wire::Network::testnet}) {
    const bool main = network == wire::Network::mainnet;
    wire::Arena arena;
    wire::Block block = wire::decode_block(wire::genesis_block(network), arena).value();
    EXPECT_TRUE(verify_genesis(network, block).findings.empty());
    EXPECT_EQ(genesis_parent(network).hash, wire::params_of(network).genesis_hash);
    EXPECT_EQ(genesis_parent(network).treasury_balance, main ? 10'000'000'000U : 500'000'000U);
    const auto other = main ? wire::Network::testnet : wire::Network::mainnet;
    EXPECT_EQ(reasons(verify_genesis(other, block)), std::vector<Reason>{Reason::wrong_genesis});
    // Not covered by the hash, and still not ours.
    block.header.total_fees = 1;
    EXPECT_EQ(reasons(verify_genesis(network, block)),
              std::vector<Reason>{Reason::altered_genesis});
    block.header.version = 2;
    EXPECT_EQ(reasons(verify_genesis(network, block)), std::vector<Reason>{Reason::wrong_genesis});
  }
}

TEST_F(OneRule, AnUntouchedDraftBreaksNone) {
  EXPECT_TRUE(sealed().findings.empty()) << said(sealed());
  // As in the first download, where nothing is known of the tip and the producers.
  at_.tip_height.reset();
  at_.keys = nullptr;
  EXPECT_TRUE(sealed().findings.empty());
  EXPECT_EQ(sealed().signature, SignatureState::unknown_key);
}

TEST_F(OneRule, MerkleRootIsThatOfTheTransactions) {
  draft_.merkle_root = wire::Hash32{};
  expect_only(Reason::merkle_root);
  // Memos change no id, so a root over ids with memos is the older rule's.
  draft_.merkle_root.reset();
  draft_.transactions[2].memo = std::vector<std::uint8_t>{1, 2, 3};
  const wire::Hash32 without = sealed().hash;
  draft_.memos = wire::MemoInId::included;
  EXPECT_NE(sealed().hash, without);
  EXPECT_TRUE(sealed().findings.empty());
  draft_.merkle_root = wire::Hash32{};
  expect_only(Reason::merkle_root);
}

TEST_F(OneRule, NoTransactionStandsInABlockTwice) {
  draft_.transactions.push_back(draft_.transactions[2]);
  expect_only(Reason::duplicate_transaction, std::uint64_t{4}, std::uint64_t{5});
}

TEST_F(OneRule, ABlockHasAtMost4000000Bytes) {
  auto& script = draft_.transactions[1].inputs[0].script_sig;
  script.resize(script.size() + wire::max_block_size - maker_.seal(draft_).size());
  EXPECT_EQ(maker_.seal(draft_).size(), wire::max_block_size);
  EXPECT_TRUE(sealed().findings.empty());
  script.push_back(0);
  expect_only(Reason::too_large, std::uint64_t{4'000'001}, std::uint64_t{4'000'000});
  // Objects that were never decoded are measured as well.
  wire::Arena arena;
  const auto bytes = maker_.seal(draft_);
  wire::Block block = wire::decode_block(bytes, arena).value();
  block.raw = {};
  EXPECT_EQ(reasons(verify(at_, block)), std::vector<Reason>{Reason::too_large});
  EXPECT_EQ(verify(at_, block).hash, wire::Hash32{});
}

TEST_F(OneRule, AtLeast3AddressesAreRewardedIfSoManyAreActive) {
  // Two of seven get everything.
  const auto pay_two = [&] {
    const auto& all = draft_.header.block_reward;
    draft_.rewards = {{"TIMEa", all - 1}, {"TIMEb", 1}};
    draft_.transactions[1].outputs = {{all - 1, "TIMEa"}, {1, "TIMEb"}};
  };
  pay_two();
  expect_only(Reason::few_rewarded, std::uint64_t{2}, std::uint64_t{3});
  draft_.bitmap = {0x80, 0x01};  // two active
  EXPECT_TRUE(sealed().findings.empty());
  draft_.bitmap = {};  // none: still one has to be rewarded
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(OneRule, ABlockHasTwoTransactions) {
  draft_.transactions.resize(1);
  expect_only(Reason::few_transactions, std::uint64_t{1}, std::uint64_t{2});
  draft_.transactions.clear();
  expect_only(Reason::few_transactions, std::uint64_t{0}, std::uint64_t{2});
}

TEST_F(OneRule, TheCoinbaseSpendsNothingAndPaysTheRewardInOneOutput) {
  const auto coinbase = draft_.transactions[0];
  const auto change = [&](const std::function<void(test::DraftTransaction&)>& how) {
    draft_.transactions[0] = coinbase;
    how(draft_.transactions[0]);
    ChainMaker::link_distribution(draft_);
  };
  const std::uint64_t reward = draft_.header.block_reward;
  change([](auto& tx) { tx.inputs.emplace_back(); });
  expect_only(Reason::coinbase_inputs, std::uint64_t{1}, std::uint64_t{0});
  change([](auto& tx) { tx.outputs = {{1, "x"}, {2, "y"}}; });
  expect_only(Reason::coinbase_outputs, std::uint64_t{2}, std::uint64_t{1});
  change([](auto& tx) { tx.outputs.clear(); });
  expect_only(Reason::coinbase_outputs, std::uint64_t{0}, std::uint64_t{1});
  change([](auto& tx) { tx.outputs[0].value = most; });
  expect_only(Reason::coinbase_value, most, reward);
  change([](auto& tx) { tx.outputs[0].script = "anything"; });  // a convention, no rule
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(OneRule, TheDistributionSpendsTheCoinbaseAndNothingElse) {
  auto& inputs = draft_.transactions[1].inputs;
  const auto input = inputs[0];
  inputs.push_back(input);
  expect_only(Reason::distribution_inputs, std::uint64_t{2}, std::uint64_t{1});
  inputs.clear();
  expect_only(Reason::distribution_inputs, std::uint64_t{0}, std::uint64_t{1});
  inputs = {input};
  inputs[0].txid[0] ^= 1;
  expect_only(Reason::distribution_source, inputs[0].txid, input.txid);
}

TEST_F(OneRule, TheDistributionPaysWhatTheRewardsList) {
  auto& outputs = draft_.transactions[1].outputs;
  const auto whole = outputs;
  std::swap(outputs[0], outputs[1]);  // order is no rule
  EXPECT_TRUE(sealed().findings.empty());
  outputs = whole;
  outputs[0].value -= 1;
  expect_only(Reason::distribution_payout, whole[0].value - 1, whole[0].value);
  outputs = whole;
  outputs.push_back({1, outputs[0].script});
  outputs[0].value -= 1;
  expect_only(Reason::distribution_outputs, std::uint64_t{8}, std::uint64_t{7});
}

TEST_F(OneRule, TheDistributionPaysTheRewardUpToASatoshiForEachReward) {
  const std::uint64_t reward = draft_.header.block_reward;
  const auto pay = [&](std::uint64_t less) {
    draft_.rewards[0].second -= less;
    draft_.transactions[1].outputs[0].value -= less;
  };
  pay(7);
  EXPECT_TRUE(sealed().findings.empty());
  pay(1);
  expect_only(Reason::distribution_total, reward - 8, reward);
  pay(static_cast<std::uint64_t>(-9));  // one more than the reward
  expect_only(Reason::distribution_total, reward + 1, reward);
  draft_.rewards[0].second = draft_.transactions[1].outputs[0].value = most;
  expect_only(Reason::distribution_total, most, reward);
}

TEST_F(OneRule, NearTheTipATransactionMovesCoinsOrHasSpecialData) {
  draft_.transactions[3].inputs.clear();
  draft_.transactions[3].outputs.clear();
  expect_only(Reason::empty_transaction, std::uint64_t{3}, std::uint64_t{1});
  at_.tip_height = 21 + 11;
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(OneRule, AnotherRewardOrTreasuryIsAWarning) {
  const std::uint64_t reward = draft_.header.block_reward;
  draft_.header.total_fees += 1;
  expect_only(Reason::block_reward, reward, reward + 1);
  draft_.header.total_fees = most;
  expect_only(Reason::block_reward, reward, most);
  draft_ = maker_.draft();
  const std::uint64_t treasury = draft_.header.treasury_balance;
  draft_.header.treasury_balance = 0;  // it may shrink
  EXPECT_TRUE(sealed().findings.empty());
  draft_.header.treasury_balance = treasury + 1;
  expect_only(Reason::treasury_balance, treasury + 1, treasury);
  at_.parent.treasury_balance = most;
  draft_.header.treasury_balance = most;
  EXPECT_TRUE(sealed().findings.empty());
}

TEST_F(OneRule, ASignatureByAnotherKeyIsAWarning) {
  ProducerKeys keys = maker_.keys();
  keys.at(draft_.leader)[1] ^= 1;
  at_.keys = &keys;
  expect_only(Reason::producer_signature);
  EXPECT_EQ(sealed().signature, SignatureState::invalid);
  keys.clear();
  EXPECT_TRUE(sealed().findings.empty());
  EXPECT_EQ(sealed().signature, SignatureState::unknown_key);
}

TEST_F(OneRule, SeveralAreAllReportedAndTheBodyIsLeftAloneWhenTheHeaderIsRefused) {
  draft_.transactions.resize(1);
  draft_.rewards.resize(1);
  EXPECT_EQ(reasons(sealed()), (std::vector{Reason::few_transactions, Reason::few_rewarded}));
  EXPECT_EQ(sealed().signature, SignatureState::unchecked);
  at_.parent.hash = {};
  EXPECT_EQ(reasons(sealed()), std::vector<Reason>{Reason::wrong_parent});
}

// Under the sanitizers: no number of a block, a parent or a
// clock makes arithmetic overflow.
TEST_F(OneRule, ExtremeNumbersAreRefusedWithoutOverflow) {
  for (const std::int64_t time : {earliest, earliest + 601, std::int64_t{0}, latest - 5, latest}) {
    for (const std::uint64_t height : {std::uint64_t{0}, std::uint64_t{1}, most - 1, most}) {
      for (const std::uint64_t amount : {std::uint64_t{0}, most}) {
        for (const WallTime now : {WallTime::min(), WallTime(), WallTime::max()}) {
          draft_.header.timestamp = time;
          draft_.header.height = height;
          draft_.header.block_reward = amount;
          draft_.header.total_fees = amount;
          draft_.header.treasury_balance = amount;
          for (auto& reward : draft_.rewards) reward.second = amount;
          for (auto& output : draft_.transactions[1].outputs) output.value = amount;
          at_.now = now;
          for (const std::uint64_t parent : {std::uint64_t{0}, height - 1, most}) {
            at_.parent.height = parent;
            at_.parent.treasury_balance = amount;
            const Verdict verdict = sealed();
            EXPECT_FALSE(verdict.accepted());
            for (const Finding& finding : verdict.findings) EXPECT_NE(text_of(finding), "");
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace timectl::chain
