#include "daemon/chain/verify.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <set>

#include "daemon/core/result.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/hash.h"

namespace timectl::chain {
namespace {

using wire::Block;
using wire::Hash32;

constexpr auto kRules = std::to_array<BlockRuleRow>({
    {BlockRule::genesis, "9.9", false, "The block at height 0 is not this network's genesis."},
    {BlockRule::link, "9.5(1)", false, "Its previous hash is not the hash of its parent."},
    {BlockRule::height, "9.5(1)", false, "Its height is not its parent's plus one."},
    {BlockRule::merkle_root, "9.5(2)", false, "Its transactions are not those of its header."},
    {BlockRule::in_the_future, "9.5(3)", false, "Its time is after this host's clock."},
    {BlockRule::before_genesis, "9.5(3)", false, "Its time is before the network began."},
    {BlockRule::height_over_clock, "9.5(3)", false, "Its height is over what the clock allows."},
    {BlockRule::off_schedule, "9.5(3)", false, "It was made too long before its scheduled time."},
    {BlockRule::duplicate_transaction, "9.5(4)", false, "It has the same transaction twice."},
    {BlockRule::too_large, "9.5(4)", false, "It is larger than a block may be."},
    {BlockRule::no_leader, "9.5(4)", false, "It names no leader."},
    {BlockRule::vrf_proof_size, "9.5(5)", false, "Its VRF proof has an impossible length."},
    {BlockRule::vrf_score, "9.5(5)", false, "Its VRF score is not that of its VRF output."},
    {BlockRule::vrf_proof, "9.5(5)", true, "Its VRF proof is for another output or input."},
    {BlockRule::too_few_rewarded, "9.5(6)", false, "It rewards too few masternodes."},
    {BlockRule::too_few_transactions, "9.5(7)", false, "It lacks the two transactions of rewards."},
    {BlockRule::coinbase, "9.5(7)", false, "Its first transaction is no coinbase of its reward."},
    {BlockRule::reward_input, "9.5(7)", false, "Its rewards do not spend its coinbase."},
    {BlockRule::reward_outputs, "9.5(7)", false, "It pays more outputs than it lists rewards."},
    {BlockRule::reward_sums, "9.5(7)", false, "What it pays is not what it lists."},
    {BlockRule::reward_total, "9.5(7)", false, "It pays out more or less than its reward."},
    {BlockRule::block_reward, "9.5(8)", true, "Its reward is not emission and fees less treasury."},
    {BlockRule::treasury, "9.5(8)", false, "Its treasury grew by more than a block's share."},
    {BlockRule::producer_signature, "9.5(9)", true, "Its leader's known key did not sign it."},
    {BlockRule::empty_transaction, "9.5(10)", false, "A transaction of it does nothing."},
});

std::string hex16(const Hash32& hash) {
  return wire::to_hex(hash).substr(0, 16);
}

// Amounts come from the wire: no sum of them may wrap.
std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > ~b ? ~std::uint64_t{0} : a + b;
}

std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = (value << 8U) | bytes[i];
  return value;
}

struct Check {
  const Block& block;
  const BlockSummary& parent;
  const VerifyContext& context;
  std::vector<Hash32> ids = {};
  Verdict verdict = {};

  bool refuse(BlockRule rule, std::string detail) {
    verdict.refused = Violation{rule, std::move(detail)};
    return false;
  }
  void warn(BlockRule rule, std::string detail) {
    verdict.warnings.push_back({rule, std::move(detail)});
  }
  bool place();
  bool content();
  bool time();
  bool shape();
  bool vrf();
  void vrf_proof();
  bool rewarded();
  bool coinbase();
  bool rewards();
  bool treasury();
  void signature();
  bool transactions();
  [[nodiscard]] bool near_tip() const {
    return context.tip_height && block.header.height + kTipBlocks >= *context.tip_height;
  }
};

bool Check::place() {
  const auto& header = block.header;
  if (header.previous_hash != parent.hash) {
    return refuse(BlockRule::link, "previous hash " + hex16(header.previous_hash) +
                                       ", the parent's is " + hex16(parent.hash));
  }
  if (header.height == 0 || header.height - 1 != parent.height) {
    return refuse(BlockRule::height, "height " + std::to_string(header.height) + ", expected " +
                                         std::to_string(add(parent.height, 1)));
  }
  return true;
}

bool Check::content() {
  ids.reserve(block.transactions.size());
  for (const auto& tx : block.transactions) ids.push_back(wire::transaction_id(tx));
  const auto root = wire::merkle_root(ids);
  if (root == block.header.merkle_root || wire::merkle_root_matches(block)) return true;
  return refuse(BlockRule::merkle_root, "root " + hex16(block.header.merkle_root) +
                                            ", its transactions make " + hex16(root));
}

bool Check::time() {
  const auto& header = block.header;
  const auto genesis = context.params.genesis_time;
  if (header.timestamp > context.now + kClockTolerance) {
    return refuse(BlockRule::in_the_future, "time " + std::to_string(header.timestamp) + ", " +
                                                std::to_string(header.timestamp - context.now) +
                                                " s after the clock");
  }
  if (header.timestamp < genesis) {
    return refuse(BlockRule::before_genesis, "time " + std::to_string(header.timestamp) +
                                                 ", genesis is at " + std::to_string(genesis));
  }
  // From here on the time is between genesis and now, so that nothing below wraps.
  const auto most = (context.now + kHeightTolerance - genesis) / wire::block_seconds;
  if (most < 0 || header.height > static_cast<std::uint64_t>(most)) {
    return refuse(BlockRule::height_over_clock,
                  "height " + std::to_string(header.height) + ", the clock allows " +
                      std::to_string(std::max<std::int64_t>(most, 0)));
  }
  const auto scheduled = genesis + wire::block_seconds * static_cast<std::int64_t>(header.height);
  const auto early = scheduled - header.timestamp;
  const auto limit = near_tip() ? kEarliestAtTip : kEarliest;
  if (early <= limit) return true;
  return refuse(BlockRule::off_schedule, std::to_string(early) + " s before its scheduled time, " +
                                             std::to_string(limit) + " are allowed");
}

bool Check::shape() {
  auto sorted = ids;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    return refuse(BlockRule::duplicate_transaction, "transaction " + hex16(*twice) + " twice");
  }
  if (block.raw.size() > wire::max_block_size) {
    return refuse(BlockRule::too_large, std::to_string(block.raw.size()) + " bytes, " +
                                            std::to_string(wire::max_block_size) + " are allowed");
  }
  if (block.header.leader.empty() && block.header.height > 3) {
    return refuse(BlockRule::no_leader,
                  "no leader at height " + std::to_string(block.header.height));
  }
  return true;
}

bool Check::vrf() {
  const auto& header = block.header;
  if (header.vrf_proof.empty()) return true;  // a fallback producer; its score is not checked
  if (header.vrf_proof.size() != kVrfProofBytes) {
    return refuse(BlockRule::vrf_proof_size, std::to_string(header.vrf_proof.size()) +
                                                 " bytes, 0 or " + std::to_string(kVrfProofBytes) +
                                                 " are allowed");
  }
  const auto score = little_endian(std::span(header.vrf_output).first(8));
  if (score != header.vrf_score) {
    return refuse(BlockRule::vrf_score, "score " + std::to_string(header.vrf_score) +
                                            ", the output makes " + std::to_string(score));
  }
  vrf_proof();
  return true;
}

// The reference node looks at neither, so a block is not refused for them.
void Check::vrf_proof() {
  const auto& header = block.header;
  if (!std::ranges::equal(std::span(header.vrf_proof.begin(), 32), header.vrf_output)) {
    return warn(BlockRule::vrf_proof, "the proof begins with another output");
  }
  constexpr std::string_view kDomain = "TIMECOIN_VRF_V2";
  std::vector<std::uint8_t> input(kDomain.begin(), kDomain.end());
  for (unsigned shift = 0; shift < 64; shift += 8) {
    input.push_back(static_cast<std::uint8_t>(header.height >> shift));
  }
  input.insert(input.end(), header.previous_hash.begin(), header.previous_hash.end());
  const auto expected = wire::sha512(wire::sha256(input));
  if (!std::ranges::equal(std::span(header.vrf_proof.begin() + 32, 32),
                          std::span(expected).first(32))) {
    warn(BlockRule::vrf_proof, "the proof is for another height or parent");
  }
}

bool Check::rewarded() {
  std::set<wire::Text> addresses;
  for (const auto& reward : block.masternode_rewards) {
    if (reward.amount > 0) addresses.insert(reward.address);
  }
  std::size_t active = 0;
  for (const auto byte : block.header.active_masternodes_bitmap) {
    active += static_cast<std::size_t>(std::popcount(byte));
  }
  const auto least = std::min<std::size_t>(3, std::max<std::size_t>(1, active));
  if (addresses.size() >= least) return true;
  return refuse(BlockRule::too_few_rewarded, std::to_string(addresses.size()) +
                                                 " rewarded, at least " + std::to_string(least) +
                                                 " of " + std::to_string(active) + " active");
}

bool Check::coinbase() {
  if (ids.size() < 2) {
    return refuse(BlockRule::too_few_transactions,
                  std::to_string(ids.size()) + " transactions, at least 2");
  }
  const auto first = block.transactions.begin();
  const wire::Transaction& tx = *first;
  if (!tx.inputs.empty() || tx.outputs.size() != 1) {
    return refuse(BlockRule::coinbase, std::to_string(tx.inputs.size()) + " inputs and " +
                                           std::to_string(tx.outputs.size()) +
                                           " outputs, expected 0 and 1");
  }
  const auto output = tx.outputs.begin();
  const auto value = (*output).value;
  if (value == block.header.block_reward) return true;
  return refuse(BlockRule::coinbase, "pays " + std::to_string(value) + ", the header's reward is " +
                                         std::to_string(block.header.block_reward));
}

bool Check::rewards() {
  auto second = block.transactions.begin();
  ++second;
  const wire::Transaction& tx = *second;
  const auto input = tx.inputs.begin();
  if (tx.inputs.size() != 1 || (*input).previous_output.txid != ids[0]) {
    return refuse(BlockRule::reward_input,
                  std::to_string(tx.inputs.size()) + " inputs, expected the coinbase alone");
  }
  const auto listed = block.masternode_rewards.size();
  if (tx.outputs.size() > listed) {
    return refuse(BlockRule::reward_outputs, std::to_string(tx.outputs.size()) + " outputs, " +
                                                 std::to_string(listed) + " rewards");
  }
  std::map<std::string, std::uint64_t> paid;
  std::map<std::string, std::uint64_t> promised;
  std::uint64_t total = 0;
  for (const auto& output : tx.outputs) {
    auto& sum = paid[std::string(output.script_pubkey.begin(), output.script_pubkey.end())];
    sum = add(sum, output.value);
    total = add(total, output.value);
  }
  for (const auto& reward : block.masternode_rewards) {
    if (reward.amount == 0) continue;  // a listed masternode that is paid nothing has no output
    auto& sum = promised[std::string(reward.address)];
    sum = add(sum, reward.amount);
  }
  std::erase_if(paid, [](const auto& entry) { return entry.second == 0; });
  if (paid != promised) {
    return refuse(BlockRule::reward_sums, std::to_string(paid.size()) + " addresses are paid, " +
                                              std::to_string(promised.size()) +
                                              " are listed, or their sums differ");
  }
  const auto reward = block.header.block_reward;
  const auto least = reward - std::min<std::uint64_t>(reward, listed);
  if (total >= least && total <= reward) return true;
  return refuse(BlockRule::reward_total,
                "pays " + std::to_string(total) + " of a reward of " + std::to_string(reward));
}

bool Check::treasury() {
  const auto& header = block.header;
  const auto expected = add(kEmission, header.total_fees) - kTreasuryShare;
  if (header.block_reward != expected) {
    warn(BlockRule::block_reward, "reward " + std::to_string(header.block_reward) + ", expected " +
                                      std::to_string(expected));
  }
  const auto most = add(parent.treasury_balance, kTreasuryShare);
  if (header.treasury_balance <= most) return true;
  return refuse(BlockRule::treasury, "treasury " + std::to_string(header.treasury_balance) +
                                         ", at most " + std::to_string(most));
}

void Check::signature() {
  const auto& signature = block.header.producer_signature;
  if (!context.leader_key || signature.empty()) return;
  if (!wire::verify_signature(*context.leader_key, verdict.summary.hash, signature)) {
    warn(BlockRule::producer_signature,
         "not signed by the known key of " + std::string(block.header.leader));
  }
}

bool Check::transactions() {
  if (!near_tip()) return true;
  std::size_t index = 0;
  for (const auto& tx : block.transactions) {
    const bool empty = tx.inputs.empty() && tx.outputs.empty() && !tx.special_data;
    if (index > 0 && empty) {
      return refuse(BlockRule::empty_transaction,
                    "transaction " + hex16(ids[index]) + " has no inputs, outputs or data");
    }
    ++index;
  }
  return true;
}

BlockSummary summary_of(const Block& block) {
  const auto& header = block.header;
  return {wire::block_hash(header), header.height, header.timestamp, header.treasury_balance};
}

}  // namespace

std::span<const BlockRuleRow> block_rule_table() {
  return kRules;
}

const BlockRuleRow& block_rule_row(BlockRule rule) {
  const auto row = std::ranges::find(kRules, rule, &BlockRuleRow::rule);
  TIMECTL_CHECK(row != kRules.end());
  return *row;
}

Verdict verify_genesis(const Block& block, const wire::NetworkParams& params) {
  Verdict verdict;
  verdict.summary = summary_of(block);
  // The hash does not cover transactions that a merkle root of zero does not name.
  if (verdict.summary.hash != params.genesis_hash || !block.transactions.empty()) {
    verdict.refused = Violation{BlockRule::genesis, "hash " + hex16(verdict.summary.hash) + ", " +
                                                        std::string(params.name) + "'s is " +
                                                        hex16(params.genesis_hash)};
  }
  return verdict;
}

Verdict verify_block(const Block& block, const BlockSummary& parent, const VerifyContext& context) {
  Check check{block, parent, context};
  check.verdict.summary = summary_of(block);
  const bool sound = check.place() && check.content() && check.time() && check.shape() &&
                     check.vrf() && check.rewarded() && check.coinbase() && check.rewards() &&
                     check.treasury() && check.transactions();
  if (sound) check.signature();
  return std::move(check.verdict);
}

}  // namespace timectl::chain
