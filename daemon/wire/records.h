// The parts that messages about masternodes, peers, unspent outputs and payments are made of, in
// wire order (protocol 4.3). Plain values that borrow like the messages do.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/operators.hpp>
#include <cstdint>
#include <optional>
#include <variant>

#include "daemon/wire/bytes.h"
#include "daemon/wire/transaction.h"

namespace timectl::wire {

using Magic = std::array<std::uint8_t, 4>;

// Enumerators are spelled as the network's tools print them.
enum class MasternodeTier : std::uint32_t { Free, Bronze, Silver, Gold };
BOOST_DESCRIBE_ENUM(MasternodeTier, Free, Bronze, Silver, Gold)

struct MasternodeAnnouncementData {
  Text address;
  Text reward_address;
  MasternodeTier tier = MasternodeTier::Free;
  PublicKey public_key;
  std::optional<OutPoint> collateral_outpoint;
  std::uint64_t registered_at = 0;
};
BOOST_DESCRIBE_STRUCT(MasternodeAnnouncementData, (),
                      (address, reward_address, tier, public_key, collateral_outpoint,
                       registered_at))

struct LockedCollateralData {
  OutPoint outpoint;
  Text masternode_address;
  std::uint64_t lock_height = 0;
  std::uint64_t locked_at = 0;
  std::uint64_t amount = 0;
};
BOOST_DESCRIBE_STRUCT(LockedCollateralData, (),
                      (outpoint, masternode_address, lock_height, locked_at, amount))

struct PeerExchangeEntry {
  Text address;
  std::uint16_t connection_count = 0;
  bool is_masternode = false;
  std::optional<MasternodeTier> tier;
};
BOOST_DESCRIBE_STRUCT(PeerExchangeEntry, (), (address, connection_count, is_masternode, tier))

struct MempoolSyncEntry {
  Transaction tx;
  std::uint64_t fee = 0;
  bool is_finalized = false;
};
BOOST_DESCRIBE_STRUCT(MempoolSyncEntry, (), (tx, fee, is_finalized))

struct UTXO {
  OutPoint outpoint;
  std::uint64_t value = 0;
  Bytes script_pubkey;
  Text address;
  std::optional<Text> masternode_key;
};
BOOST_DESCRIBE_STRUCT(UTXO, (), (outpoint, value, script_pubkey, address, masternode_key))

namespace utxo_state {

using boost::describe::operators::operator==;

struct Unspent {};
BOOST_DESCRIBE_STRUCT(Unspent, (), ())
struct Locked {
  Hash32 txid{};
  std::int64_t locked_at = 0;
};
BOOST_DESCRIBE_STRUCT(Locked, (), (txid, locked_at))
struct SpentPending {
  Hash32 txid{};
  std::uint32_t votes = 0;
  std::uint32_t total_nodes = 0;
  std::int64_t spent_at = 0;
};
BOOST_DESCRIBE_STRUCT(SpentPending, (), (txid, votes, total_nodes, spent_at))
struct SpentFinalized {
  Hash32 txid{};
  std::int64_t finalized_at = 0;
  std::uint32_t votes = 0;
};
BOOST_DESCRIBE_STRUCT(SpentFinalized, (), (txid, finalized_at, votes))
struct Archived {
  Hash32 txid{};
  std::uint64_t block_height = 0;
  std::int64_t archived_at = 0;
};
BOOST_DESCRIBE_STRUCT(Archived, (), (txid, block_height, archived_at))
}  // namespace utxo_state
using UTXOState = std::variant<utxo_state::Unspent, utxo_state::Locked, utxo_state::SpentPending,
                               utxo_state::SpentFinalized, utxo_state::Archived>;

struct OutPointState {
  static constexpr JsonKeys json_keys = JsonKeys::none;
  OutPoint outpoint;
  UTXOState state;
};
BOOST_DESCRIBE_STRUCT(OutPointState, (), (outpoint, state))

struct UTXOStateChange {
  OutPoint outpoint;
  UTXOState new_state;
  std::int64_t timestamp = 0;
};
BOOST_DESCRIBE_STRUCT(UTXOStateChange, (), (outpoint, new_state, timestamp))

struct Subscription {
  Text id;
  List<Text> addresses;
  List<OutPoint> outpoints;
};
BOOST_DESCRIBE_STRUCT(Subscription, (), (id, addresses, outpoints))

struct PaymentRequest {
  Text id;
  Text from_address;
  Text to_address;
  std::uint64_t amount = 0;
  Text memo;
  Text requester_name;
  Text pubkey_hex;
  Text signature_hex;
  std::int64_t timestamp = 0;
  std::int64_t expires = 0;
};
BOOST_DESCRIBE_STRUCT(PaymentRequest, (),
                      (id, from_address, to_address, amount, memo, requester_name, pubkey_hex,
                       signature_hex, timestamp, expires))

// When a masternode says it started: an entry of the started-at gossip.
struct StartedAt {
  static constexpr JsonKeys json_keys = JsonKeys::none;
  Text address;
  std::uint64_t started_at = 0;
};
BOOST_DESCRIBE_STRUCT(StartedAt, (), (address, started_at))

}  // namespace timectl::wire
