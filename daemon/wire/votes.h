// The parts that consensus and governance messages are made of, in wire order (protocol 4.3). Plain
// values that borrow like the messages do. Enumerators are spelled as the network's tools print
// them.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/operators.hpp>
#include <cstdint>
#include <optional>
#include <variant>

#include "daemon/wire/bytes.h"

namespace timectl::wire {

using boost::describe::operators::operator==;

enum class VoteDecision : std::uint32_t { Accept, Reject };
BOOST_DESCRIBE_ENUM(VoteDecision, Accept, Reject)

struct TimeVote {
  std::uint32_t chain_id = 0;
  Hash32 txid{};
  Hash32 tx_hash_commitment{};
  std::uint64_t slot_index = 0;
  VoteDecision decision = VoteDecision::Accept;
  Text voter_mn_id;
  std::uint64_t voter_weight = 0;
  Bytes signature;
};
BOOST_DESCRIBE_STRUCT(TimeVote, (),
                      (chain_id, txid, tx_hash_commitment, slot_index, decision, voter_mn_id,
                       voter_weight, signature))

struct TimeProof {
  Hash32 txid{};
  std::uint64_t slot_index = 0;
  List<TimeVote> votes;
};
BOOST_DESCRIBE_STRUCT(TimeProof, (), (txid, slot_index, votes))

struct PollResult {
  std::uint64_t round = 0;
  std::uint32_t votes_valid = 0;
  std::uint32_t votes_invalid = 0;
  std::uint32_t votes_unknown = 0;
  std::uint64_t timestamp_ms = 0;
};
BOOST_DESCRIBE_STRUCT(PollResult, (),
                      (round, votes_valid, votes_invalid, votes_unknown, timestamp_ms))

struct LivenessAlert {
  std::uint32_t chain_id = 0;
  Hash32 txid{};
  Hash32 tx_hash_commitment{};
  std::uint64_t slot_index = 0;
  List<PollResult> poll_history;
  std::uint32_t current_confidence = 0;
  std::uint64_t stall_duration_ms = 0;
  Text reporter_mn_id;
  Bytes reporter_signature;
};
BOOST_DESCRIBE_STRUCT(LivenessAlert, (),
                      (chain_id, txid, tx_hash_commitment, slot_index, poll_history,
                       current_confidence, stall_duration_ms, reporter_mn_id, reporter_signature))

enum class FallbackDecision : std::uint32_t { Accept, Reject };
BOOST_DESCRIBE_ENUM(FallbackDecision, Accept, Reject)

struct FinalityProposal {
  std::uint32_t chain_id = 0;
  Hash32 txid{};
  Hash32 tx_hash_commitment{};
  std::uint64_t slot_index = 0;
  FallbackDecision decision = FallbackDecision::Accept;
  Text justification;
  Text leader_mn_id;
  Bytes leader_signature;
};
BOOST_DESCRIBE_STRUCT(FinalityProposal, (),
                      (chain_id, txid, tx_hash_commitment, slot_index, decision, justification,
                       leader_mn_id, leader_signature))

enum class FallbackVoteDecision : std::uint32_t { Approve, Reject };
BOOST_DESCRIBE_ENUM(FallbackVoteDecision, Approve, Reject)

struct FallbackVote {
  std::uint32_t chain_id = 0;
  Hash32 proposal_hash{};
  FallbackVoteDecision vote = FallbackVoteDecision::Approve;
  Text voter_mn_id;
  std::uint64_t voter_weight = 0;
  Bytes voter_signature;
};
BOOST_DESCRIBE_STRUCT(FallbackVote, (),
                      (chain_id, proposal_hash, vote, voter_mn_id, voter_weight, voter_signature))

struct FeeTier {
  static constexpr JsonKeys json_keys = JsonKeys::none;
  std::uint64_t amount = 0;
  std::uint64_t fee = 0;
};
BOOST_DESCRIBE_STRUCT(FeeTier, (), (amount, fee))

struct TreasurySpend {
  Text recipient;
  std::uint64_t amount = 0;
  Text description;
};
BOOST_DESCRIBE_STRUCT(TreasurySpend, (), (recipient, amount, description))
struct FeeScheduleChange {
  std::uint64_t new_min_fee = 0;
  List<FeeTier> new_tiers;
};
BOOST_DESCRIBE_STRUCT(FeeScheduleChange, (), (new_min_fee, new_tiers))
struct EmissionRateChange {
  std::uint64_t new_satoshis_per_block = 0;
  Text description;
};
BOOST_DESCRIBE_STRUCT(EmissionRateChange, (), (new_satoshis_per_block, description))
using ProposalPayload = std::variant<TreasurySpend, FeeScheduleChange, EmissionRateChange>;

namespace proposal_status {

using boost::describe::operators::operator==;

struct Active {};
BOOST_DESCRIBE_STRUCT(Active, (), ())
struct Passed {
  std::uint64_t execute_at_height = 0;
};
BOOST_DESCRIBE_STRUCT(Passed, (), (execute_at_height))
struct Failed {};
BOOST_DESCRIBE_STRUCT(Failed, (), ())
struct Executed {};
BOOST_DESCRIBE_STRUCT(Executed, (), ())
}  // namespace proposal_status
using ProposalStatus = std::variant<proposal_status::Active, proposal_status::Passed,
                                    proposal_status::Failed, proposal_status::Executed>;

struct GovernanceProposal {
  Hash32 id{};
  ProposalPayload payload;
  Text submitter_address;
  Hash32 submitter_pubkey{};
  Signature64 submitter_signature{};
  std::uint64_t submit_height = 0;
  std::uint64_t vote_end_height = 0;
  ProposalStatus status;
};
BOOST_DESCRIBE_STRUCT(GovernanceProposal, (),
                      (id, payload, submitter_address, submitter_pubkey, submitter_signature,
                       submit_height, vote_end_height, status))

struct GovernanceVote {
  Hash32 proposal_id{};
  Text voter_address;
  Hash32 voter_pubkey{};
  bool approve = false;
  std::uint64_t vote_height = 0;
  Signature64 signature{};
};
BOOST_DESCRIBE_STRUCT(GovernanceVote, (),
                      (proposal_id, voter_address, voter_pubkey, approve, vote_height, signature))

}  // namespace timectl::wire
