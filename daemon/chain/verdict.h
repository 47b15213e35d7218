// What verification says about a block: findings, each a typed reason with the numbers in it, and
// whether the block may be taken. Made by verify.h; sync decides by it, the score and the events
// quote it. One table says of every reason what it means, which rule of the protocol it is and how
// much it weighs.
#pragma once

#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/wire/bytes.h"

namespace timectl::chain {

// In the order in which verification looks, which is the order of findings in a verdict. The names
// are printed, sent and stored.
enum class Reason : std::uint8_t {
  too_large,
  wrong_height,
  wrong_parent,
  wrong_hash,
  wrong_genesis,
  altered_genesis,
  before_genesis,
  from_the_future,
  height_ahead_of_clock,
  ahead_of_schedule,
  ahead_of_schedule_near_tip,
  no_leader,
  proof_size,
  vrf_score,
  proof_output,
  proof_challenge,
  few_transactions,
  coinbase_inputs,
  coinbase_outputs,
  coinbase_value,
  distribution_inputs,
  distribution_source,
  distribution_outputs,
  distribution_payout,
  distribution_total,
  empty_transaction,
  merkle_root,
  duplicate_transaction,
  few_rewarded,
  block_reward,
  treasury_balance,
  producer_signature,
};
BOOST_DESCRIBE_ENUM(Reason, too_large, wrong_height, wrong_parent, wrong_hash, wrong_genesis,
                    altered_genesis, before_genesis, from_the_future, height_ahead_of_clock,
                    ahead_of_schedule, ahead_of_schedule_near_tip, no_leader, proof_size, vrf_score,
                    proof_output, proof_challenge, few_transactions, coinbase_inputs,
                    coinbase_outputs, coinbase_value, distribution_inputs, distribution_source,
                    distribution_outputs, distribution_payout, distribution_total,
                    empty_transaction, merkle_root, duplicate_transaction, few_rewarded,
                    block_reward, treasury_balance, producer_signature)
inline constexpr std::size_t reason_count = 32;

// refuse: no honest node holds this block. wait: it depends on our clock, and time can cure it, so
// nothing is held against who sent it. warn: the protocol calls it a warning, or it is in bytes
// that the block's hash does not cover, which any relay may have changed.
enum class Effect : std::uint8_t { refuse, wait, warn };
BOOST_DESCRIBE_ENUM(Effect, refuse, wait, warn)

struct ReasonRow {
  Reason reason;
  Effect effect;
  int rule;                   // of protocol section 9.5; 0: the genesis block (9.9)
  std::string_view sentence;  // with {found} and {expected} where the numbers go
  std::string_view meaning;   // one sentence, for people
};
[[nodiscard]] std::span<const ReasonRow> reason_table();  // in the order of the reasons
[[nodiscard]] const ReasonRow& reason_row(Reason reason);

// A number (amount in satoshis, time in Unix seconds, count, height) or a hash.
using Value = std::variant<std::uint64_t, std::int64_t, wire::Hash32>;

struct Finding {
  Reason reason = Reason::wrong_height;
  Value found;     // in the block
  Value expected;  // what it should be, or the limit it breaks
  friend bool operator==(const Finding&, const Finding&) = default;
};
// "height 17, expected 16".
[[nodiscard]] std::string text_of(const Finding& finding);

// absent: the block carries none, which the protocol allows. unknown_key: nobody told us the key of
// its leader. unchecked: the block was refused before.
enum class SignatureState : std::uint8_t { unchecked, absent, unknown_key, valid, invalid };
BOOST_DESCRIBE_ENUM(SignatureState, unchecked, absent, unknown_key, valid, invalid)

struct Verdict {
  wire::Hash32 hash{};            // the block's; zero if it was too large to be looked at
  std::vector<Finding> findings;  // each reason at most once
  SignatureState signature = SignatureState::unchecked;

  // Nothing but warnings.
  [[nodiscard]] bool accepted() const;
  // Not accepted, but only because our clock says it is too early.
  [[nodiscard]] bool too_early() const;
  [[nodiscard]] bool has(Reason reason) const;
};

}  // namespace timectl::chain
