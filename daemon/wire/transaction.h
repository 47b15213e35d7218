// A transaction as it stands on the wire, and its id. Decoders and the chain use it; everything in
// it borrows from the frame and the arena it was decoded with.
//
//   OutPoint     txid[32] vout:u32
//   TxInput      OutPoint script_sig:bytes sequence:u32
//   TxOutput     value:u64 script_pubkey:bytes
//   Transaction  version:u32 inputs:vec outputs:vec lock_time:u32 timestamp:i64
//                special_data:option<enum> encrypted_memo:option<bytes>
//
// Amounts in satoshis, times in Unix seconds, integers little-endian, counts and lengths u64.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/operators.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "daemon/wire/bytes.h"
#include "daemon/wire/lazy_list.h"

namespace timectl::wire {

using boost::describe::operators::operator==;

struct OutPoint {
  Hash32 txid{};
  std::uint32_t vout = 0;
};
BOOST_DESCRIBE_STRUCT(OutPoint, (), (txid, vout))

struct TxInput {
  OutPoint previous_output;
  Bytes script_sig;
  std::uint32_t sequence = 0;
};
BOOST_DESCRIBE_STRUCT(TxInput, (), (previous_output, script_sig, sequence))

struct TxOutput {
  std::uint64_t value = 0;
  Bytes script_pubkey;
};
BOOST_DESCRIBE_STRUCT(TxOutput, (), (value, script_pubkey))

struct MasternodeRegistration {
  Text node_address;
  Text wallet_address;
  Text reward_address;
  Text collateral_outpoint;
  Text pubkey;
  Text signature;
};
BOOST_DESCRIBE_STRUCT(MasternodeRegistration, (),
                      (node_address, wallet_address, reward_address, collateral_outpoint, pubkey,
                       signature))
struct MasternodeDeregistration {
  Text node_address;
  std::uint32_t slot_id = 0;
  Text pubkey;
  Text signature;
};
BOOST_DESCRIBE_STRUCT(MasternodeDeregistration, (), (node_address, slot_id, pubkey, signature))
struct MasternodePayoutUpdate {
  Text node_address;
  Text new_reward_address;
  Text pubkey;
  Text signature;
};
BOOST_DESCRIBE_STRUCT(MasternodePayoutUpdate, (),
                      (node_address, new_reward_address, pubkey, signature))
using SpecialTransactionData =
    std::variant<MasternodeRegistration, MasternodeDeregistration, MasternodePayoutUpdate>;

struct Transaction {
  std::uint32_t version = 0;
  LazyList<TxInput> inputs;
  LazyList<TxOutput> outputs;
  std::uint32_t lock_time = 0;
  std::int64_t timestamp = 0;
  std::optional<SpecialTransactionData> special_data;
  std::optional<Bytes> encrypted_memo;
};
BOOST_DESCRIBE_STRUCT(Transaction, (),
                      (version, inputs, outputs, lock_time, timestamp, special_data,
                       encrypted_memo))

// Whether the memo takes part in the hashed text. Today's ids leave it out; blocks made before that
// was fixed have merkle roots over ids with it (protocol 9.4).
enum class MemoInId { left_out, included };

// The text that is hashed to the id: serde_json's compact form of the transaction.
[[nodiscard]] std::string id_preimage(const Transaction& tx, MemoInId memo = MemoInId::left_out);

// SHA-256 of that text. Shown as plain hex, not reversed.
[[nodiscard]] Hash32 transaction_id(const Transaction& tx, MemoInId memo = MemoInId::left_out);

}  // namespace timectl::wire
