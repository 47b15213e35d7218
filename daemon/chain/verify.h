#pragma once
// Whether a block is consistent with its parent and the network's rules, as far as an observer can
// tell without the set of unspent outputs (protocol 9.2 to 9.5). Sync asks it before anything is
// stored. It shows consistency, not truth: there is no proof of work, so a chain that passes can be
// made by anybody for nothing; which chain to believe is decided elsewhere, by witnesses.
//
// Pure: the clock is an argument. One block at a time, so that the caller's loop goes on between
// two. The rules are asked in the protocol's order and the first that is broken is the answer;
// what the protocol calls a warning never refuses a block.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/wire/block.h"
#include "daemon/wire/network_params.h"

namespace timectl::chain {

enum class BlockRule : std::uint8_t {
  genesis,
  link,
  height,
  merkle_root,
  in_the_future,
  before_genesis,
  height_over_clock,
  off_schedule,
  duplicate_transaction,
  too_large,
  no_leader,
  vrf_proof_size,
  vrf_score,
  vrf_proof,
  too_few_rewarded,
  too_few_transactions,
  coinbase,
  reward_input,
  reward_outputs,
  reward_sums,
  reward_total,
  block_reward,
  treasury,
  producer_signature,
  empty_transaction,
};
BOOST_DESCRIBE_ENUM(BlockRule, genesis, link, height, merkle_root, in_the_future, before_genesis,
                    height_over_clock, off_schedule, duplicate_transaction, too_large, no_leader,
                    vrf_proof_size, vrf_score, vrf_proof, too_few_rewarded, too_few_transactions,
                    coinbase, reward_input, reward_outputs, reward_sums, reward_total, block_reward,
                    treasury, producer_signature, empty_transaction)

struct BlockRuleRow {
  BlockRule rule;
  std::string_view section;  // of the protocol
  bool warning;              // it never refuses a block
  std::string_view meaning;
};
[[nodiscard]] std::span<const BlockRuleRow> block_rule_table();
[[nodiscard]] const BlockRuleRow& block_rule_row(BlockRule rule);

struct Violation {
  BlockRule rule = BlockRule::link;
  std::string detail = {};  // with the numbers: "height 17, expected 16"
};
BOOST_DESCRIBE_STRUCT(Violation, (), (rule, detail))

// What is kept of a verified block, enough to verify its children.
struct BlockSummary {
  wire::Hash32 hash{};
  std::uint64_t height = 0;
  std::int64_t timestamp = 0;
  std::uint64_t treasury_balance = 0;
};

struct VerifyContext {
  const wire::NetworkParams& params;
  std::int64_t now = 0;  // Unix seconds of the wall clock
  // The height of the tip that is believed: the schedule is stricter for the ten blocks before it,
  // and empty transactions count there only. None: not known, the laxer rule.
  std::optional<std::uint64_t> tip_height = {};
  std::optional<wire::Hash32> leader_key = {};  // of the block's leader, where it is known
};

struct Verdict {
  std::optional<Violation> refused = {};
  std::vector<Violation> warnings = {};
  BlockSummary summary = {};  // of the block, whether it is refused or not
  [[nodiscard]] bool ok() const { return !refused; }
};

// Height 0: the one that is compiled in, and nothing else.
[[nodiscard]] Verdict verify_genesis(const wire::Block& block, const wire::NetworkParams& params);
[[nodiscard]] Verdict verify_block(const wire::Block& block, const BlockSummary& parent,
                                   const VerifyContext& context);

// What the rules count with (protocol 9.1, 9.5); satoshis and seconds.
inline constexpr std::uint64_t kEmission = 10'000'000'000;
inline constexpr std::uint64_t kTreasuryShare = 500'000'000;
inline constexpr std::int64_t kClockTolerance = 5;
inline constexpr std::int64_t kHeightTolerance = 10;
inline constexpr std::int64_t kEarliest = 600;      // before the scheduled time
inline constexpr std::int64_t kEarliestAtTip = 30;  // for the last kTipBlocks
inline constexpr std::uint64_t kTipBlocks = 10;
inline constexpr std::size_t kVrfProofBytes = 80;

}  // namespace timectl::chain
