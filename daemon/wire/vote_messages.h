// Messages of consensus and governance: votes, proofs, proposals. This program only reads them. The
// number above each struct is its index on the wire. Read through messages.h.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/operators.hpp>

#include "daemon/wire/transaction.h"
#include "daemon/wire/votes.h"

namespace timectl::wire::msg {

using boost::describe::operators::operator==;

// 47
struct ConsensusQuery {
  std::uint64_t height = 0;
  Hash32 block_hash{};
};
BOOST_DESCRIBE_STRUCT(ConsensusQuery, (), (height, block_hash))

// 48
struct ConsensusQueryResponse {
  bool agrees = false;
  std::uint64_t height = 0;
  Hash32 their_hash{};
};
BOOST_DESCRIBE_STRUCT(ConsensusQueryResponse, (), (agrees, height, their_hash))

// 52
struct TransactionVoteRequest {
  Hash32 txid{};
};
BOOST_DESCRIBE_STRUCT(TransactionVoteRequest, (), (txid))

// 53
struct TransactionVoteResponse {
  Hash32 txid{};
  Text preference;
};
BOOST_DESCRIBE_STRUCT(TransactionVoteResponse, (), (txid, preference))

// 54
struct TimeVoteRequest {
  Hash32 txid{};
  Hash32 tx_hash_commitment{};
  std::uint64_t slot_index = 0;
  std::optional<Transaction> tx;
};
BOOST_DESCRIBE_STRUCT(TimeVoteRequest, (), (txid, tx_hash_commitment, slot_index, tx))

// 55
struct TimeVoteResponse {
  TimeVote vote;
};
BOOST_DESCRIBE_STRUCT(TimeVoteResponse, (), (vote))

// 56
struct TimeVoteBroadcast {
  TimeVote vote;
};
BOOST_DESCRIBE_STRUCT(TimeVoteBroadcast, (), (vote))

// 57
struct TimeProofBroadcast {
  TimeProof proof;
};
BOOST_DESCRIBE_STRUCT(TimeProofBroadcast, (), (proof))

// 58
struct FinalityVoteRequest {
  Hash32 txid{};
  std::uint64_t slot_index = 0;
};
BOOST_DESCRIBE_STRUCT(FinalityVoteRequest, (), (txid, slot_index))

// 59
struct FinalityVoteResponse {
  TimeVote vote;
};
BOOST_DESCRIBE_STRUCT(FinalityVoteResponse, (), (vote))

// 60
struct FinalityVoteBroadcast {
  TimeVote vote;
};
BOOST_DESCRIBE_STRUCT(FinalityVoteBroadcast, (), (vote))

// 62
struct TimeVotePrepare {
  Hash32 block_hash{};
  Text voter_id;
  Bytes signature;
};
BOOST_DESCRIBE_STRUCT(TimeVotePrepare, (), (block_hash, voter_id, signature))

// 63
struct TimeVotePrecommit {
  Hash32 block_hash{};
  Text voter_id;
  Bytes signature;
};
BOOST_DESCRIBE_STRUCT(TimeVotePrecommit, (), (block_hash, voter_id, signature))

// 68
struct LivenessAlert {
  wire::LivenessAlert alert;
};
BOOST_DESCRIBE_STRUCT(LivenessAlert, (), (alert))

// 69
struct FinalityProposal {
  wire::FinalityProposal proposal;
};
BOOST_DESCRIBE_STRUCT(FinalityProposal, (), (proposal))

// 70
struct FallbackVote {
  wire::FallbackVote vote;
};
BOOST_DESCRIBE_STRUCT(FallbackVote, (), (vote))

// 80
struct GovernanceProposal {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  wire::GovernanceProposal proposal;
};
BOOST_DESCRIBE_STRUCT(GovernanceProposal, (), (proposal))

// 81
struct GovernanceVote {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  wire::GovernanceVote vote;
};
BOOST_DESCRIBE_STRUCT(GovernanceVote, (), (vote))

// 82
struct GetGovernanceState {};
BOOST_DESCRIBE_STRUCT(GetGovernanceState, (), ())

// 83
struct GovernanceStateResponse {
  List<wire::GovernanceProposal> proposals;
  List<wire::GovernanceVote> votes;
};
BOOST_DESCRIBE_STRUCT(GovernanceStateResponse, (), (proposals, votes))

}  // namespace timectl::wire::msg
