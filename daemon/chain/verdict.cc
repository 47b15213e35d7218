#include "daemon/chain/verdict.h"

#include <algorithm>
#include <array>

#include "daemon/core/result.h"

namespace timectl::chain {
namespace {

constexpr auto rows = std::to_array<ReasonRow>({
    {Reason::too_large, Effect::refuse, 4, "{found} bytes, at most {expected}",
     "The block is larger than any node accepts."},
    {Reason::wrong_height, Effect::refuse, 1, "height {found}, expected {expected}",
     "The block does not have the height after its parent's."},
    {Reason::wrong_parent, Effect::refuse, 1, "previous hash {found}, expected {expected}",
     "The block stands on another block than the one before it."},
    {Reason::wrong_hash, Effect::refuse, 1, "hash {found}, expected {expected}",
     "The block is not the one whose hash was announced for its height."},
    {Reason::wrong_genesis, Effect::refuse, 0, "genesis hash {found}, expected {expected}",
     "The first block is that of another network."},
    {Reason::altered_genesis, Effect::refuse, 0,
     "genesis block with the right hash, but not its bytes (SHA-256 {found}, expected {expected})",
     "Fields of the first block that its hash does not cover were changed."},
    {Reason::before_genesis, Effect::refuse, 3, "timestamp {found}, genesis is at {expected}",
     "The block claims to be older than the network."},
    {Reason::from_the_future, Effect::wait, 3, "timestamp {found}, at most {expected} now",
     "The block's time is ahead of our clock, or our clock is slow."},
    {Reason::height_ahead_of_clock, Effect::wait, 3, "height {found}, at most {expected} now",
     "The chain cannot have this height yet by our clock, or our clock is slow."},
    {Reason::ahead_of_schedule, Effect::refuse, 3, "timestamp {found}, at least {expected}",
     "The block was made more than 600 s before its slot."},
    {Reason::ahead_of_schedule_near_tip, Effect::refuse, 3,
     "timestamp {found}, at least {expected} near the tip",
     "The block was made more than 30 s before its slot, which is not allowed near the tip."},
    {Reason::no_leader, Effect::refuse, 4, "no leader at height {found}, one from {expected} on",
     "The block does not say who produced it."},
    {Reason::proof_size, Effect::refuse, 5, "VRF proof of {found} bytes, expected 0 or {expected}",
     "The producer's proof has a size that no proof has."},
    {Reason::vrf_score, Effect::refuse, 5, "VRF score {found}, expected {expected}",
     "The producer's score is not the one that its VRF output gives."},
    {Reason::proof_output, Effect::warn, 5, "VRF proof for output {found}, expected {expected}",
     "The proof does not begin with the output; a relay can have changed it."},
    {Reason::proof_challenge, Effect::warn, 5,
     "VRF proof over challenge {found}, expected {expected}",
     "The proof was made for another height or parent; a relay can have changed it."},
    {Reason::few_transactions, Effect::refuse, 7, "{found} transactions, at least {expected}",
     "A block has a coinbase and a distribution of the reward."},
    {Reason::coinbase_inputs, Effect::refuse, 7,
     "coinbase with {found} inputs, expected {expected}",
     "The coinbase makes new coins, so it spends nothing."},
    {Reason::coinbase_outputs, Effect::refuse, 7,
     "coinbase with {found} outputs, expected {expected}",
     "The coinbase pays the whole reward into one output."},
    {Reason::coinbase_value, Effect::refuse, 7, "coinbase of {found} satoshis, expected {expected}",
     "The coinbase makes another amount than the header says."},
    {Reason::distribution_inputs, Effect::refuse, 7,
     "distribution with {found} inputs, expected {expected}",
     "The distribution spends the coinbase and nothing else."},
    {Reason::distribution_source, Effect::refuse, 7,
     "distribution spends {found}, expected {expected}",
     "The distribution spends something else than the coinbase."},
    {Reason::distribution_outputs, Effect::refuse, 7,
     "distribution with {found} outputs, at most {expected}",
     "The distribution has more outputs than the block lists rewards."},
    {Reason::distribution_payout, Effect::refuse, 7,
     "an address is paid {found} satoshis, its rewards are {expected}",
     "The distribution pays somebody another amount than the block's rewards list."},
    {Reason::distribution_total, Effect::refuse, 7,
     "distribution of {found} satoshis, the reward is {expected}",
     "The distribution pays out more or clearly less than the block's reward."},
    {Reason::empty_transaction, Effect::refuse, 10,
     "transaction {found} has no inputs, outputs or special data, expected from {expected} on",
     "Near the tip a transaction must move coins or carry special data."},
    {Reason::merkle_root, Effect::refuse, 2, "merkle root {found}, expected {expected}",
     "The transactions are not those that the header commits to."},
    {Reason::duplicate_transaction, Effect::refuse, 4,
     "{found} different transactions of {expected}",
     "The same transaction stands in the block more than once."},
    {Reason::few_rewarded, Effect::refuse, 6, "{found} addresses rewarded, at least {expected}",
     "The block rewards fewer masternodes than were active."},
    {Reason::block_reward, Effect::warn, 8, "block reward {found} satoshis, expected {expected}",
     "The reward is not emission, fees and treasury as compiled in; governance may have changed "
     "it."},
    {Reason::treasury_balance, Effect::warn, 8, "treasury of {found} satoshis, at most {expected}",
     "The treasury grew by more than its share; governance may have changed that."},
    {Reason::producer_signature, Effect::warn, 9, "signature {found} is not by key {expected}",
     "The producer's signature does not fit the key known for the leader."},
});
static_assert(rows.size() == reason_count);

std::string text_of(const Value& value) {
  return std::visit(
      []<class T>(const T& held) {
        if constexpr (std::is_same_v<T, wire::Hash32>) {
          return wire::to_hex(held);
        } else {
          return std::to_string(held);
        }
      },
      value);
}

void fill(std::string& text, std::string_view name, const Value& value) {
  const auto at = text.find(name);
  if (at != std::string::npos) text.replace(at, name.size(), text_of(value));
}

}  // namespace

std::span<const ReasonRow> reason_table() {
  return rows;
}

const ReasonRow& reason_row(Reason reason) {
  const ReasonRow& row = rows.at(static_cast<std::size_t>(reason));
  TIMECTL_CHECK(row.reason == reason);
  return row;
}

std::string text_of(const Finding& finding) {
  std::string text(reason_row(finding.reason).sentence);
  fill(text, "{found}", finding.found);
  fill(text, "{expected}", finding.expected);
  return text;
}

bool Verdict::accepted() const {
  return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return reason_row(finding.reason).effect == Effect::warn;
  });
}

bool Verdict::too_early() const {
  return !accepted() && std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return reason_row(finding.reason).effect == Effect::refuse;
  });
}

bool Verdict::has(Reason reason) const {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& finding) { return finding.reason == reason; });
}

}  // namespace timectl::chain
