// All 101 messages of the network as one variant whose index is the index on the wire. A Message
// borrows: it is valid as long as the payload and the Arena it was decoded with. The structs are
// grouped by topic in the four headers included here; encoder, decoder, JSON form and equality of
// each follow from its BOOST_DESCRIBE_STRUCT (see schema.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/wire/chain_messages.h"
#include "daemon/wire/ledger_messages.h"
#include "daemon/wire/node_messages.h"
#include "daemon/wire/vote_messages.h"

namespace timectl::wire {

using Message = std::variant<
    msg::GetGenesisHash, msg::GenesisHashResponse, msg::GetBlockHeight, msg::BlockHeightResponse,
    msg::GetChainTip, msg::ChainTipResponse, msg::GetBlocks, msg::BlocksResponse,
    msg::RequestGenesis, msg::GenesisAnnouncement, msg::Handshake, msg::Ack,
    msg::TransactionBroadcast, msg::TransactionFinalized, msg::UTXOStateQuery,
    msg::UTXOStateResponse, msg::UTXOStateNotification, msg::UTXOStateUpdate, msg::Subscribe,
    msg::Unsubscribe, msg::BlockAnnouncement, msg::BlockInventory, msg::BlockRequest,
    msg::BlockResponse, msg::GetUTXOSet, msg::UTXOSetResponse, msg::GetUTXOStateHash,
    msg::UTXOStateHashResponse, msg::MasternodeAnnouncement, msg::MasternodeUnlock,
    msg::GetMasternodes, msg::MasternodesResponse, msg::MasternodeInactive,
    msg::GetLockedCollaterals, msg::LockedCollateralsResponse, msg::Version, msg::Ping, msg::Pong,
    msg::GetPendingTransactions, msg::PendingTransactionsResponse, msg::MempoolSyncRequest,
    msg::MempoolSyncResponse, msg::GetPeers, msg::PeersResponse, msg::PeerExchange,
    msg::GetBlockHash, msg::BlockHashResponse, msg::ConsensusQuery, msg::ConsensusQueryResponse,
    msg::GetBlockRange, msg::BlockRangeResponse, msg::ForkAlert, msg::TransactionVoteRequest,
    msg::TransactionVoteResponse, msg::TimeVoteRequest, msg::TimeVoteResponse,
    msg::TimeVoteBroadcast, msg::TimeProofBroadcast, msg::FinalityVoteRequest,
    msg::FinalityVoteResponse, msg::FinalityVoteBroadcast, msg::TimeLockBlockProposal,
    msg::TimeVotePrepare, msg::TimeVotePrecommit, msg::GetChainWork, msg::ChainWorkResponse,
    msg::GetChainWorkAt, msg::ChainWorkAtResponse, msg::LivenessAlert, msg::FinalityProposal,
    msg::FallbackVote, msg::MasternodeStatusGossip, msg::MasternodeStartedAtGossip,
    msg::MasternodeAnnouncementV2, msg::MasternodeAnnouncementV3, msg::MasternodeAnnouncementV4,
    msg::PaymentRequestRelay, msg::PaymentRequestCancelled, msg::PaymentRequestResponse,
    msg::PaymentRequestViewed, msg::GovernanceProposal, msg::GovernanceVote,
    msg::GetGovernanceState, msg::GovernanceStateResponse, msg::ConnectivityWarning,
    msg::RequestUtxoReconciliation, msg::UtxoReconciliationResponse, msg::UTXOSetChunk,
    msg::UtxoReconciliationChunk, msg::OperatorMessage, msg::MsgSubmit, msg::MsgRelayAck,
    msg::MsgFetchPending, msg::MsgEnvelopes, msg::MsgReadAck, msg::MsgAckQuery, msg::MsgAckResponse,
    msg::MsgExpiryNotice, msg::MsgPubkeyQuery, msg::MsgPubkeyResponse, msg::UnknownMessage>;

inline constexpr std::size_t message_count = std::variant_size_v<Message>;
static_assert(message_count == 101);

// "Ping", "BlocksResponse", ...: the name of a variant by its index, empty above 100.
[[nodiscard]] std::string_view message_name(std::size_t index);
[[nodiscard]] inline std::string_view message_name(const Message& message) {
  return message_name(message.index());
}

// The index of a name, or message_count when there is none of that name.
[[nodiscard]] std::size_t message_index(std::string_view name);

// Whether messages of this index carry blocks: 7, 9, 20, 23, 50 and 61 (the ones `decode_legacy`
// rescues).
[[nodiscard]] bool carries_blocks(std::size_t index);

// The blocks and the transactions outside blocks that a message carries, in wire order. They borrow
// like the message does.
[[nodiscard]] std::vector<const Block*> blocks_of(const Message& message);
[[nodiscard]] std::vector<const Transaction*> transactions_of(const Message& message);

}  // namespace timectl::wire
