// Messages about the connection, peers and masternodes: handshake, keep-alive, peer exchange,
// announcements, gossip. The number above each struct is its index on the wire. Read through
// messages.h.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/operators.hpp>

#include "daemon/wire/records.h"

namespace timectl::wire::msg {

using boost::describe::operators::operator==;

// 10
struct Handshake {
  Magic magic{};
  std::uint32_t protocol_version = 0;
  Text network;
  std::uint32_t commit_count = 0;
};
BOOST_DESCRIBE_STRUCT(Handshake, (), (magic, protocol_version, network, commit_count))

// 11
struct Ack {
  Text message_type;
};
BOOST_DESCRIBE_STRUCT(Ack, (), (message_type))

// 28
struct MasternodeAnnouncement {
  Text address;
  Text reward_address;
  MasternodeTier tier = MasternodeTier::Free;
  PublicKey public_key;
};
BOOST_DESCRIBE_STRUCT(MasternodeAnnouncement, (), (address, reward_address, tier, public_key))

// 29
struct MasternodeUnlock {
  static constexpr std::size_t newer_members = 1;  // no signature before commit 2189
  Text address;
  OutPoint collateral_outpoint;
  std::uint64_t timestamp = 0;
  Bytes signature;
};
BOOST_DESCRIBE_STRUCT(MasternodeUnlock, (), (address, collateral_outpoint, timestamp, signature))

// 30
struct GetMasternodes {};
BOOST_DESCRIBE_STRUCT(GetMasternodes, (), ())

// 31
struct MasternodesResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<MasternodeAnnouncementData> masternodes;
};
BOOST_DESCRIBE_STRUCT(MasternodesResponse, (), (masternodes))

// 32
struct MasternodeInactive {
  Text address;
  std::uint64_t timestamp = 0;
};
BOOST_DESCRIBE_STRUCT(MasternodeInactive, (), (address, timestamp))

// 33
struct GetLockedCollaterals {};
BOOST_DESCRIBE_STRUCT(GetLockedCollaterals, (), ())

// 34
struct LockedCollateralsResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<LockedCollateralData> collaterals;
};
BOOST_DESCRIBE_STRUCT(LockedCollateralsResponse, (), (collaterals))

// 35
struct Version {
  Text version;
  Text commit_date;
  Text commit_count;
  std::uint32_t protocol_version = 0;
  Text network;
  Text listen_addr;
  std::int64_t timestamp = 0;
  List<Text> capabilities;
  std::optional<Text> wallet_address;
  std::optional<Text> genesis_hash;
};
BOOST_DESCRIBE_STRUCT(Version, (),
                      (version, commit_date, commit_count, protocol_version, network, listen_addr,
                       timestamp, capabilities, wallet_address, genesis_hash))

// 36
struct Ping {
  std::uint64_t nonce = 0;
  std::int64_t timestamp = 0;
  std::optional<std::uint64_t> height;
};
BOOST_DESCRIBE_STRUCT(Ping, (), (nonce, timestamp, height))

// 37
struct Pong {
  std::uint64_t nonce = 0;
  std::int64_t timestamp = 0;
  std::optional<std::uint64_t> height;
};
BOOST_DESCRIBE_STRUCT(Pong, (), (nonce, timestamp, height))

// 42
struct GetPeers {};
BOOST_DESCRIBE_STRUCT(GetPeers, (), ())

// 43
struct PeersResponse {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<Text> addresses;
};
BOOST_DESCRIBE_STRUCT(PeersResponse, (), (addresses))

// 44
struct PeerExchange {
  static constexpr JsonKeys json_keys = JsonKeys::positions;
  List<PeerExchangeEntry> entries;
};
BOOST_DESCRIBE_STRUCT(PeerExchange, (), (entries))

// 71
struct MasternodeStatusGossip {
  Text reporter;
  List<Text> visible_masternodes;
  std::uint64_t timestamp = 0;
};
BOOST_DESCRIBE_STRUCT(MasternodeStatusGossip, (), (reporter, visible_masternodes, timestamp))

// 72
struct MasternodeStartedAtGossip {
  List<StartedAt> entries;
};
BOOST_DESCRIBE_STRUCT(MasternodeStartedAtGossip, (), (entries))

// 73
struct MasternodeAnnouncementV2 {
  Text address;
  Text reward_address;
  MasternodeTier tier = MasternodeTier::Free;
  PublicKey public_key;
  std::optional<OutPoint> collateral_outpoint;
};
BOOST_DESCRIBE_STRUCT(MasternodeAnnouncementV2, (),
                      (address, reward_address, tier, public_key, collateral_outpoint))

// 74
struct MasternodeAnnouncementV3 {
  Text address;
  Text reward_address;
  MasternodeTier tier = MasternodeTier::Free;
  PublicKey public_key;
  std::optional<OutPoint> collateral_outpoint;
  Bytes certificate;
  std::uint64_t started_at = 0;
};
BOOST_DESCRIBE_STRUCT(MasternodeAnnouncementV3, (),
                      (address, reward_address, tier, public_key, collateral_outpoint, certificate,
                       started_at))

// 75
struct MasternodeAnnouncementV4 {
  Text address;
  Text reward_address;
  MasternodeTier tier = MasternodeTier::Free;
  PublicKey public_key;
  std::optional<OutPoint> collateral_outpoint;
  Bytes certificate;
  std::uint64_t started_at = 0;
  Bytes collateral_proof;
};
BOOST_DESCRIBE_STRUCT(MasternodeAnnouncementV4, (),
                      (address, reward_address, tier, public_key, collateral_outpoint, certificate,
                       started_at, collateral_proof))

// 84
struct ConnectivityWarning {
  Text message;
};
BOOST_DESCRIBE_STRUCT(ConnectivityWarning, (), (message))

// 89
struct OperatorMessage {
  Text from;
  Text message;
  std::uint64_t timestamp = 0;
};
BOOST_DESCRIBE_STRUCT(OperatorMessage, (), (from, message, timestamp))

// 100
struct UnknownMessage {};
BOOST_DESCRIBE_STRUCT(UnknownMessage, (), ())

}  // namespace timectl::wire::msg
