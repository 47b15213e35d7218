#include "daemon/chain/verify.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>

#include "daemon/chain/distribution.h"
#include "daemon/chain/vrf.h"
#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/hash.h"

namespace timectl::chain {
namespace {

using wire::Hash32;

// a + b, at most 2^64 - 1. A fee of that size is only ever compared.
std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return a > most - b ? most : a + b;
}

std::uint64_t encoded_size(const wire::Block& block) {
  // A block in the form before 1.3 has no bytes of its own: it would be stored in today's.
  return block.raw.empty() ? wire::encode_block(block).size() : block.raw.size();
}

// The 32 bytes at `at`; the caller knows that they are there.
Hash32 part(wire::Bytes bytes, std::size_t at) {
  Hash32 hash{};
  std::copy_n(bytes.begin() + at, hash.size(), hash.begin());
  return hash;
}

std::uint64_t active_masternodes(wire::Bytes bitmap) {
  std::uint64_t count = 0;
  for (const std::uint8_t byte : bitmap) count += static_cast<unsigned>(std::popcount(byte));
  return count;
}

class Check {
 public:
  Check(const Circumstances& at, const wire::Block& block)
      : at_(at), block_(block), header_(block.header) {}

  Verdict run() {
    const std::uint64_t size = encoded_size(block_);
    if (size > wire::max_block_size) {
      find(Reason::too_large, size, std::uint64_t{wire::max_block_size});
      return std::move(verdict_);
    }
    verdict_.hash = wire::block_hash(header_);
    check_link();
    check_times();
    check_lottery();
    if (!verdict_.accepted()) return std::move(verdict_);
    check_transactions();
    check_amounts();
    check_signature();
    return std::move(verdict_);
  }

 private:
  void find(Reason reason, Value found, Value expected) {
    verdict_.findings.push_back({reason, found, expected});
  }
  void expect(Reason reason, std::uint64_t found, std::uint64_t expected) {
    if (found != expected) find(reason, found, expected);
  }
  void expect(Reason reason, const Hash32& found, const Hash32& expected) {
    if (found != expected) find(reason, found, expected);
  }

  [[nodiscard]] bool is_near_tip() const {
    return at_.tip_height &&
           (header_.height >= *at_.tip_height || *at_.tip_height - header_.height <= near_tip);
  }

  void check_link() {
    // Nothing follows the highest number: its successor would be 0, and that is never right here.
    if (header_.height == 0 || header_.height - 1 != at_.parent.height) {
      find(Reason::wrong_height, header_.height, sum(at_.parent.height, 1));
    }
    expect(Reason::wrong_parent, header_.previous_hash, at_.parent.hash);
    if (at_.announced_hash) expect(Reason::wrong_hash, verdict_.hash, *at_.announced_hash);
  }

  void check_times() {
    const std::int64_t genesis = wire::params_of(at_.network).genesis_time;
    // In milliseconds it fits 64 bits, so that there is room for sums in seconds.
    const std::int64_t now =
        std::chrono::floor<std::chrono::seconds>(at_.now.time_since_epoch()).count();
    if (header_.timestamp < genesis) find(Reason::before_genesis, header_.timestamp, genesis);
    if (header_.timestamp > now + max_ahead_of_clock) {
      find(Reason::from_the_future, header_.timestamp, now + max_ahead_of_clock);
    }
    const std::uint64_t highest = wire::expected_height(at_.network, now + max_height_lead);
    if (header_.height > highest) {
      find(Reason::height_ahead_of_clock, header_.height, highest);
      return;  // the slot of such a height need not be a time at all
    }
    const std::int64_t slot =
        genesis + wire::block_seconds * static_cast<std::int64_t>(header_.height);
    if (header_.timestamp < slot - max_before_slot) {
      find(Reason::ahead_of_schedule, header_.timestamp, slot - max_before_slot);
    } else if (is_near_tip() && header_.timestamp < slot - max_before_slot_near_tip) {
      find(Reason::ahead_of_schedule_near_tip, header_.timestamp, slot - max_before_slot_near_tip);
    }
  }

  void check_lottery() {
    if (header_.leader.empty() && header_.height > last_height_without_leader) {
      find(Reason::no_leader, header_.height, last_height_without_leader + 1);
    }
    if (header_.vrf_proof.empty()) return;  // a fallback producer, whose score follows no rule
    if (header_.vrf_proof.size() != proof_size) {
      find(Reason::proof_size, std::uint64_t{header_.vrf_proof.size()}, std::uint64_t{proof_size});
      return;
    }
    expect(Reason::vrf_score, header_.vrf_score, vrf_score(header_.vrf_output));
    expect(Reason::proof_output, part(header_.vrf_proof, proof_output_at), header_.vrf_output);
    expect(Reason::proof_challenge, part(header_.vrf_proof, proof_challenge_at),
           vrf_challenge(vrf_input(header_.height, header_.previous_hash)));
  }

  void check_transactions() {
    if (block_.transactions.size() < 2) {
      find(Reason::few_transactions, std::uint64_t{block_.transactions.size()}, std::uint64_t{2});
    }
    std::vector<Hash32> ids;
    ids.reserve(block_.transactions.size());
    bool memos = false;
    bool empty_reported = !is_near_tip();
    for (const wire::Transaction& tx : block_.transactions) {
      const std::size_t index = ids.size();
      ids.push_back(wire::transaction_id(tx));
      memos = memos || tx.encrypted_memo.has_value();
      if (index == 0) check_coinbase(tx);
      if (index == 1) check_distribution(tx, ids.front());
      if (index > 0 && !empty_reported && tx.inputs.empty() && tx.outputs.empty() &&
          !tx.special_data) {
        find(Reason::empty_transaction, std::uint64_t{index}, std::uint64_t{1});
        empty_reported = true;
      }
    }
    check_merkle_root(ids, memos);
    check_duplicates(std::move(ids));
  }

  void check_coinbase(const wire::Transaction& coinbase) {
    expect(Reason::coinbase_inputs, std::uint64_t{coinbase.inputs.size()}, 0);
    expect(Reason::coinbase_outputs, std::uint64_t{coinbase.outputs.size()}, 1);
    if (coinbase.outputs.size() != 1) return;
    expect(Reason::coinbase_value, (*coinbase.outputs.begin()).value, header_.block_reward);
  }

  void check_distribution(const wire::Transaction& distribution, const Hash32& coinbase) {
    expect(Reason::distribution_inputs, std::uint64_t{distribution.inputs.size()}, 1);
    if (distribution.inputs.size() == 1) {
      const Hash32 source = (*distribution.inputs.begin()).previous_output.txid;
      expect(Reason::distribution_source, source, coinbase);
    }
    const std::uint64_t rewards = block_.masternode_rewards.size();
    if (distribution.outputs.size() > rewards) {
      find(Reason::distribution_outputs, std::uint64_t{distribution.outputs.size()}, rewards);
    }
    const Payout payout = payout_of(distribution.outputs, block_.masternode_rewards);
    if (payout.difference) {
      find(Reason::distribution_payout, payout.difference->paid, payout.difference->listed);
    }
    // Each division of a pool may lose a satoshi.
    const std::uint64_t least = header_.block_reward - std::min(header_.block_reward, rewards);
    if (payout.total > header_.block_reward || payout.total < least) {
      find(Reason::distribution_total, payout.total, header_.block_reward);
    }
  }

  void check_merkle_root(const std::vector<Hash32>& ids, bool memos) {
    const Hash32 root = wire::merkle_root(ids);
    if (root == header_.merkle_root) return;
    // Blocks from before a fix hashed the memos, too.
    if (memos && wire::merkle_root(block_, wire::MemoInId::included) == header_.merkle_root) return;
    find(Reason::merkle_root, header_.merkle_root, root);
  }

  void check_duplicates(std::vector<Hash32> ids) {
    const std::uint64_t count = ids.size();
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    expect(Reason::duplicate_transaction, std::uint64_t{ids.size()}, count);
  }

  void check_amounts() {
    const std::uint64_t active =
        std::max<std::uint64_t>(1, active_masternodes(header_.active_masternodes_bitmap));
    const std::uint64_t wanted = std::min<std::uint64_t>(rewarded_wanted, active);
    const std::uint64_t rewarded =
        rewarded_addresses(block_.masternode_rewards, static_cast<std::size_t>(wanted));
    if (rewarded < wanted) find(Reason::few_rewarded, rewarded, wanted);
    expect(Reason::block_reward, header_.block_reward,
           sum(emission - treasury_share, header_.total_fees));
    const std::uint64_t most = sum(at_.parent.treasury_balance, treasury_share);
    if (header_.treasury_balance > most) {
      find(Reason::treasury_balance, header_.treasury_balance, most);
    }
  }

  // The dearest check by far, so only for a block that is taken otherwise.
  void check_signature() {
    if (!verdict_.accepted()) return;
    verdict_.signature = SignatureState::absent;
    if (header_.producer_signature.empty()) return;
    verdict_.signature = SignatureState::unknown_key;
    if (at_.keys == nullptr) return;
    const auto key = at_.keys->find(header_.leader);
    if (key == at_.keys->end()) return;
    const bool valid =
        wire::verify_signature(key->second, verdict_.hash, header_.producer_signature);
    verdict_.signature = valid ? SignatureState::valid : SignatureState::invalid;
    if (!valid) {
      find(Reason::producer_signature, wire::sha256(header_.producer_signature.span()),
           key->second);
    }
  }

  const Circumstances& at_;
  const wire::Block& block_;
  const wire::BlockHeader& header_;
  Verdict verdict_;
};

}  // namespace

Parent genesis_parent(wire::Network network) {
  wire::Arena arena;
  const wire::Block block = wire::decode_block(wire::genesis_block(network), arena).value();
  return parent_from(block, wire::params_of(network).genesis_hash);
}

Parent parent_from(const wire::Block& block, const wire::Hash32& hash) {
  return {block.header.height, hash, block.header.treasury_balance};
}

Verdict verify(const Circumstances& at, const wire::Block& block) {
  return Check(at, block).run();
}

Verdict verify_genesis(wire::Network network, const wire::Block& block) {
  const std::uint64_t size = encoded_size(block);
  Verdict verdict;
  if (size > wire::max_block_size) {
    verdict.findings.push_back({Reason::too_large, size, std::uint64_t{wire::max_block_size}});
    return verdict;
  }
  const Hash32& wanted = wire::params_of(network).genesis_hash;
  verdict.hash = wire::block_hash(block.header);
  if (verdict.hash != wanted) {
    verdict.findings.push_back({Reason::wrong_genesis, verdict.hash, wanted});
    return verdict;
  }
  // Encoded anew: what counts is the block as it was handed over.
  const std::vector<std::uint8_t> bytes = wire::encode_block(block);
  const wire::Bytes compiled = wire::genesis_block(network);
  if (!(wire::Bytes(bytes) == compiled)) {
    verdict.findings.push_back(
        {Reason::altered_genesis, wire::sha256(bytes), wire::sha256(compiled.span())});
  }
  verdict.signature = SignatureState::absent;
  return verdict;
}

}  // namespace timectl::chain
