// Messages about transactions, unspent outputs, payment requests and private messages. This program
// only reads them. The number above each struct is its index on the wire. Read through messages.h.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/operators.hpp>

#include "daemon/wire/records.h"

namespace timectl::wire::msg {

using boost::describe::operators::operator==;

// 12
struct TransactionBroadcast {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Transaction tx;
};
BOOST_DESCRIBE_STRUCT(TransactionBroadcast, (), (tx))

// 13
struct TransactionFinalized {
  Hash32 txid{};
  Transaction tx;
};
BOOST_DESCRIBE_STRUCT(TransactionFinalized, (), (txid, tx))

// 14
struct UTXOStateQuery {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<OutPoint> outpoints;
};
BOOST_DESCRIBE_STRUCT(UTXOStateQuery, (), (outpoints))

// 15
struct UTXOStateResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<OutPointState> states;
};
BOOST_DESCRIBE_STRUCT(UTXOStateResponse, (), (states))

// 16
struct UTXOStateNotification {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  UTXOStateChange change;
};
BOOST_DESCRIBE_STRUCT(UTXOStateNotification, (), (change))

// 17
struct UTXOStateUpdate {
  OutPoint outpoint;
  UTXOState state;
};
BOOST_DESCRIBE_STRUCT(UTXOStateUpdate, (), (outpoint, state))

// 18
struct Subscribe {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Subscription subscription;
};
BOOST_DESCRIBE_STRUCT(Subscribe, (), (subscription))

// 19
struct Unsubscribe {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  Text id;
};
BOOST_DESCRIBE_STRUCT(Unsubscribe, (), (id))

// 24
struct GetUTXOSet {};
BOOST_DESCRIBE_STRUCT(GetUTXOSet, (), ())

// 25
struct UTXOSetResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<UTXO> utxos;
};
BOOST_DESCRIBE_STRUCT(UTXOSetResponse, (), (utxos))

// 26
struct GetUTXOStateHash {};
BOOST_DESCRIBE_STRUCT(GetUTXOStateHash, (), ())

// 27
struct UTXOStateHashResponse {
  Hash32 hash{};
  std::uint64_t height = 0;
  std::uint64_t utxo_count = 0;
};
BOOST_DESCRIBE_STRUCT(UTXOStateHashResponse, (), (hash, height, utxo_count))

// 38
struct GetPendingTransactions {};
BOOST_DESCRIBE_STRUCT(GetPendingTransactions, (), ())

// 39
struct PendingTransactionsResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<Transaction> transactions;
};
BOOST_DESCRIBE_STRUCT(PendingTransactionsResponse, (), (transactions))

// 40
struct MempoolSyncRequest {};
BOOST_DESCRIBE_STRUCT(MempoolSyncRequest, (), ())

// 41
struct MempoolSyncResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<MempoolSyncEntry> entries;
};
BOOST_DESCRIBE_STRUCT(MempoolSyncResponse, (), (entries))

// 76
struct PaymentRequestRelay {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  PaymentRequest request;
};
BOOST_DESCRIBE_STRUCT(PaymentRequestRelay, (), (request))

// 77
struct PaymentRequestCancelled {
  Text id;
  Text requester_address;
};
BOOST_DESCRIBE_STRUCT(PaymentRequestCancelled, (), (id, requester_address))

// 78
struct PaymentRequestResponse {
  Text id;
  Text requester_address;
  Text payer_address;
  bool accepted = false;
  std::optional<Text> txid;
};
BOOST_DESCRIBE_STRUCT(PaymentRequestResponse, (),
                      (id, requester_address, payer_address, accepted, txid))

// 79
struct PaymentRequestViewed {
  Text id;
  Text requester_address;
  Text payer_address;
};
BOOST_DESCRIBE_STRUCT(PaymentRequestViewed, (), (id, requester_address, payer_address))

// 85
struct RequestUtxoReconciliation {
  std::uint64_t at_height = 0;
  Hash32 block_hash{};
};
BOOST_DESCRIBE_STRUCT(RequestUtxoReconciliation, (), (at_height, block_hash))

// 86
struct UtxoReconciliationResponse {
  std::uint64_t at_height = 0;
  List<UTXO> utxos;
};
BOOST_DESCRIBE_STRUCT(UtxoReconciliationResponse, (), (at_height, utxos))

// 87
struct UTXOSetChunk {
  std::uint32_t index = 0;
  std::uint32_t total = 0;
  List<UTXO> utxos;
};
BOOST_DESCRIBE_STRUCT(UTXOSetChunk, (), (index, total, utxos))

// 88
struct UtxoReconciliationChunk {
  std::uint64_t at_height = 0;
  std::uint32_t index = 0;
  std::uint32_t total = 0;
  List<UTXO> utxos;
};
BOOST_DESCRIBE_STRUCT(UtxoReconciliationChunk, (), (at_height, index, total, utxos))

// 90
struct MsgSubmit {
  Bytes envelope;
};
BOOST_DESCRIBE_STRUCT(MsgSubmit, (), (envelope))

// 91
struct MsgRelayAck {
  Bytes ack;
};
BOOST_DESCRIBE_STRUCT(MsgRelayAck, (), (ack))

// 92
struct MsgFetchPending {
  Hash32 recipient_addr_hash{};
  std::int64_t since = 0;
};
BOOST_DESCRIBE_STRUCT(MsgFetchPending, (), (recipient_addr_hash, since))

// 93
struct MsgEnvelopes {
  Hash32 recipient_addr_hash{};
  List<Bytes> envelopes;
};
BOOST_DESCRIBE_STRUCT(MsgEnvelopes, (), (recipient_addr_hash, envelopes))

// 94
struct MsgReadAck {
  Bytes ack;
  Hash32 recipient_pubkey{};
};
BOOST_DESCRIBE_STRUCT(MsgReadAck, (), (ack, recipient_pubkey))

// 95
struct MsgAckQuery {
  Hash32 msg_id{};
};
BOOST_DESCRIBE_STRUCT(MsgAckQuery, (), (msg_id))

// 96
struct MsgAckResponse {
  Hash32 msg_id{};
  std::optional<Bytes> ack;
  std::optional<Bytes> delivery;
};
BOOST_DESCRIBE_STRUCT(MsgAckResponse, (), (msg_id, ack, delivery))

// 97
struct MsgExpiryNotice {
  Bytes notice;
};
BOOST_DESCRIBE_STRUCT(MsgExpiryNotice, (), (notice))

// 98
struct MsgPubkeyQuery {
  Hash32 address_hash{};
};
BOOST_DESCRIBE_STRUCT(MsgPubkeyQuery, (), (address_hash))

// 99
struct MsgPubkeyResponse {
  Hash32 address_hash{};
  std::optional<Hash32> pubkey;
};
BOOST_DESCRIBE_STRUCT(MsgPubkeyResponse, (), (address_hash, pubkey))

}  // namespace timectl::wire::msg
