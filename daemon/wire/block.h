// A block as it stands on the wire, its hash and its merkle root. Decoders, sync and `wire decode`
// use it; everything in it borrows from the frame and the arena it was decoded with.
//
//   BlockHeader  version:u32 height:u64 previous_hash[32] merkle_root[32] timestamp:i64
//                block_reward:u64 leader:str attestation_root[32] masternode_tiers:4*u32
//                vrf_proof:bytes vrf_output[32] vrf_score:u64 active_masternodes_bitmap:bytes
//                liveness_recovery:option<bool> producer_signature:bytes
//                total_fees:u64 treasury_balance:u64          (these two since 1.3)
//   Block        BlockHeader transactions:vec masternode_rewards:vec<(str,u64)>
//                time_attestations:vec consensus_participants_bitmap:bytes
//                liveness_recovery:option<bool>
//
// The hash covers only part of the header (see block_hash): tiers, proof, rewards and the trailing
// fields can be changed by whoever relays a block.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/operators.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "daemon/wire/bytes.h"
#include "daemon/wire/transaction.h"

namespace timectl::wire {

struct MasternodeTierCounts {
  std::uint32_t free = 0;
  std::uint32_t bronze = 0;
  std::uint32_t silver = 0;
  std::uint32_t gold = 0;
};
BOOST_DESCRIBE_STRUCT(MasternodeTierCounts, (), (free, bronze, silver, gold))

struct BlockHeader {
  static constexpr std::size_t newer_members = 2;  // pre-1.3 blocks end with the signature
  std::uint32_t version = 0;
  std::uint64_t height = 0;
  Hash32 previous_hash{};
  Hash32 merkle_root{};
  std::int64_t timestamp = 0;
  std::uint64_t block_reward = 0;
  Text leader;
  Hash32 attestation_root{};
  MasternodeTierCounts masternode_tiers;
  Bytes vrf_proof;
  Hash32 vrf_output{};
  std::uint64_t vrf_score = 0;
  Bytes active_masternodes_bitmap;
  std::optional<bool> liveness_recovery;
  Bytes producer_signature;
  std::uint64_t total_fees = 0;
  std::uint64_t treasury_balance = 0;
};
BOOST_DESCRIBE_STRUCT(BlockHeader, (),
                      (version, height, previous_hash, merkle_root, timestamp, block_reward, leader,
                       attestation_root, masternode_tiers, vrf_proof, vrf_output, vrf_score,
                       active_masternodes_bitmap, liveness_recovery, producer_signature, total_fees,
                       treasury_balance))

struct WitnessRecord {
  Text witness_address;
  Text witness_pubkey;
  std::int64_t witness_timestamp = 0;
  Text signature;
};
BOOST_DESCRIBE_STRUCT(WitnessRecord, (),
                      (witness_address, witness_pubkey, witness_timestamp, signature))

struct TimeAttestation {
  Text masternode_address;
  std::uint64_t sequence_number = 0;
  std::int64_t heartbeat_timestamp = 0;
  Text masternode_pubkey;
  Text heartbeat_signature;
  LazyList<WitnessRecord> witnesses;
};
BOOST_DESCRIBE_STRUCT(TimeAttestation, (),
                      (masternode_address, sequence_number, heartbeat_timestamp, masternode_pubkey,
                       heartbeat_signature, witnesses))

struct MasternodeReward {
  static constexpr JsonKeys json_keys = JsonKeys::none;
  Text address;
  std::uint64_t amount = 0;
};
BOOST_DESCRIBE_STRUCT(MasternodeReward, (), (address, amount))

struct Block {
  BlockHeader header;
  LazyList<Transaction> transactions;
  LazyList<MasternodeReward> masternode_rewards;
  LazyList<TimeAttestation> time_attestations;
  Bytes consensus_participants_bitmap;
  std::optional<bool> liveness_recovery;

  // Not a field: the bytes this block was decoded from, so that it can be stored and sent again
  // without a change. Empty when it was not decoded, or came in the older form.
  Bytes raw;
};
BOOST_DESCRIBE_STRUCT(Block, (),
                      (header, transactions, masternode_rewards, time_attestations,
                       consensus_participants_bitmap, liveness_recovery))

// What is hashed: version, height, previous_hash, merkle_root, timestamp, block_reward, leader,
// vrf_output, vrf_score, active_masternodes_bitmap, treasury_balance; no lengths, no separators.
[[nodiscard]] std::vector<std::uint8_t> hash_preimage(const BlockHeader& header);

// BLAKE3 of that.
[[nodiscard]] Hash32 block_hash(const BlockHeader& header);

// SHA-256 pairs over the leaves, the last repeated when their number is odd; zero for none, the
// leaf itself for one.
[[nodiscard]] Hash32 merkle_root(std::vector<Hash32> leaves);

// The root over the block's transactions as today's rule computes it.
[[nodiscard]] Hash32 merkle_root(const Block& block, MemoInId memo = MemoInId::left_out);

// Whether the header's root is the block's, by today's rule or by the older one (memos hashed too).
[[nodiscard]] bool merkle_root_matches(const Block& block);

}  // namespace timectl::wire
