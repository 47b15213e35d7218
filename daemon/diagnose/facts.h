#pragma once
// Facts: all that a diagnosis rests on, as plain data. The running node gathers them (core/views.h,
// its history, its bans, the peer's public RPC, a probe where it was asked for), the rules judge
// them, `--facts` prints them and a test pastes them back. Unknown is empty, never 0 or false: a
// rule may only speak of what was seen. facts_from_json() takes text from outside and is bounded.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/protection.h"
#include "daemon/core/result.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/time.h"
#include "daemon/core/views.h"
#include "daemon/core/vocabulary.h"
#include "daemon/diagnose/node_facts.h"

namespace timectl::diagnose {

// How one layer of a probe ended.
enum class Outcome : std::uint8_t {
  ok,
  refused,      // RST
  timed_out,    // nothing came back
  unreachable,  // our own routing, or an ICMP
  closed,       // FIN or reset in the middle
  silent,       // the layer below is up, nothing is said
  plaintext,    // bytes that are no TLS
  failed,       // TLS or a frame broke
  wrong_magic,
  old_protocol,
  old_commit,
  rejected,    // with a notice
  redirected,  // Ack, a list of others, FIN
  too_large,
  mismatch,  // another genesis
};
BOOST_DESCRIBE_ENUM(Outcome, ok, refused, timed_out, unreachable, closed, silent, plaintext, failed,
                    wrong_magic, old_protocol, old_commit, rejected, redirected, too_large,
                    mismatch)

struct LayerFacts {
  Outcome outcome = Outcome::ok;
  std::optional<double> ms = {};
  std::string detail = {};
};
BOOST_DESCRIBE_STRUCT(LayerFacts, (), (outcome, ms, detail))

// A probe, from the outside in; a layer that was not reached is empty.
struct ProbeFacts {
  WallTime at = {};
  std::optional<IpAddress> from = {};
  std::optional<LayerFacts> tcp = {};
  std::optional<LayerFacts> tls = {};
  std::optional<LayerFacts> handshake = {};
  std::optional<LayerFacts> ping = {};
  std::optional<LayerFacts> tip = {};
  std::optional<LayerFacts> genesis = {};
  std::optional<LayerFacts> elsewhere = {};  // the same up to the handshake, from another address
  std::string first_bytes = {};              // hex, where they were no TLS
  std::string magic = {};                    // hex
  std::string notice = {};                   // what it said when it rejected us, printable
  std::uint64_t other_frames = 0;            // in the place of an Ack
  std::optional<std::uint64_t> frame_length = {};  // announced, over the limit
  std::vector<double> rtt_ms = {};
  std::optional<double> clock_seconds = {};  // its clock less the true time
  std::optional<std::uint64_t> tip_height = {};
  std::string genesis_hash = {};  // hex
};
BOOST_DESCRIBE_STRUCT(ProbeFacts, (),
                      (at, from, tcp, tls, handshake, ping, tip, genesis, elsewhere, first_bytes,
                       magic, notice, other_frames, frame_length, rtt_ms, clock_seconds, tip_height,
                       genesis_hash))

enum class RpcAnswer : std::uint8_t {
  ok,
  refused,
  timed_out,  // no connection
  silent,     // connected, and no answer in time
  unauthorized,
  rate_limited,
  no_json,
  too_large,
};
BOOST_DESCRIBE_ENUM(RpcAnswer, ok, refused, timed_out, silent, unauthorized, rate_limited, no_json,
                    too_large)

// A ban of ours, or of us; remaining: none where it has no end.
struct BanFacts {
  std::string reason = {};
  bool permanent = false;
  std::optional<double> remaining_seconds = {};
};
BOOST_DESCRIBE_STRUCT(BanFacts, (), (reason, permanent, remaining_seconds))

// What the peer's public RPC says (protocol 11): of itself, and of us.
struct RpcFacts {
  RpcAnswer answer = RpcAnswer::ok;
  std::string detail = {};
  std::optional<double> uptime_seconds = {};
  std::string version = {};
  std::optional<std::uint64_t> height = {};
  std::optional<std::uint64_t> headers = {};
  std::string tip_hash = {};
  std::string genesis_hash = {};
  std::optional<bool> syncing = {};          // initialblockdownload
  std::optional<double> clock_seconds = {};  // mediantime less the true time
  std::optional<std::uint64_t> connections_in = {};
  std::optional<std::uint64_t> connections_out = {};
  std::optional<std::uint64_t> peers_listed = {};     // getpeerinfo
  std::optional<std::uint64_t> peers_connected = {};  // of them
  std::optional<bool> lists_loopback = {};            // 127.0.0.1 among its peers or bans
  std::optional<std::uint64_t> registry_total = {};   // masternodelist true
  std::optional<std::uint64_t> registry_active = {};
  std::optional<std::uint64_t> whitelisted = {};  // getwhitelist
  std::string masternode_status = {};             // masternodestatus: "active", "not_a_masternode"
  std::string eligibility = {};
  std::optional<bool> publicly_reachable = {};
  std::optional<bool> active = {};
  // Of us:
  std::optional<bool> sees_us = {};  // getpeerinfo: connected
  std::optional<std::uint64_t> our_height = {};
  std::optional<bool> our_ping_known = {};
  std::optional<std::uint64_t> our_rows = {};     // rows with our address, with a port or not
  std::optional<bool> registers_us = {};          // masternodelist true
  std::optional<bool> registered_connected = {};  // is_connected there
  std::optional<bool> registered_active = {};     // is_active there
  std::string our_tier = {};
  std::optional<std::uint64_t> our_identity_at = {};  // addresses with our collateral
  std::optional<bool> bans_read = {};                 // getbanlist answered
  std::optional<BanFacts> bans_us = {};
  std::string bans_our_subnet = {};  // the network and the reason
  std::optional<std::uint64_t> our_violations = {};
};
BOOST_DESCRIBE_STRUCT(RpcFacts, (),
                      (answer, detail, uptime_seconds, version, height, headers, tip_hash,
                       genesis_hash, syncing, clock_seconds, connections_in, connections_out,
                       peers_listed, peers_connected, lists_loopback, registry_total,
                       registry_active, whitelisted, masternode_status, eligibility,
                       publicly_reachable, active, sees_us, our_height, our_ping_known, our_rows,
                       registers_us, registered_connected, registered_active, our_tier,
                       our_identity_at, bans_read, bans_us, bans_our_subnet, our_violations))

struct CountedReason {
  EndReason reason = EndReason::refused;
  std::uint64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(CountedReason, (), (reason, count))
struct CountedViolation {
  std::string kind = {};  // core/violation.h
  std::uint64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(CountedViolation, (), (kind, count))

// Our attempts to reach it, and what its own did, of the last day.
struct ContactFacts {
  std::vector<CountedReason> failed = {};  // dials of ours, by how they ended
  std::optional<WallTime> last_dial_at = {};
  std::optional<EndReason> last_dial = {};  // none: it became a session
  std::string last_text = {};
  std::uint64_t dials_last_hour = 0;
  std::optional<WallTime> last_inbound_at = {};  // it dialled us
  std::vector<CountedViolation> violations = {};
  std::uint64_t identities = 1;  // different commit counts or wallets from its address in an hour
};
BOOST_DESCRIBE_STRUCT(ContactFacts, (),
                      (failed, last_dial_at, last_dial, last_text, dials_last_hour, last_inbound_at,
                       violations, identities))

// Its chain against ours.
struct PeerChainFacts {
  std::optional<std::uint64_t> height = {};      // as it claims
  std::optional<bool> hash_agrees = {};          // at the highest height that both have
  std::optional<std::uint64_t> fork_depth = {};  // blocks since the last one in common
  std::optional<bool> ours_is_majority = {};     // of the masternodes that answered
  std::string tip_hash = {};
  std::string unanswered = {};  // requests for blocks that it did not answer: one clause
};
BOOST_DESCRIBE_STRUCT(PeerChainFacts, (),
                      (height, hash_agrees, fork_depth, ours_is_majority, tip_hash, unanswered))

struct PeerFacts {
  IpAddress ip = {};
  std::string label = {};
  bool whitelisted = false;
  std::optional<bool> in_api_list = {};
  std::optional<PeerDetailView> node = {};   // what the running node shows of it
  std::vector<SessionRecord> sessions = {};  // of the last day, the newest last, at most 200
  ContactFacts contact = {};
  PeerChainFacts chain = {};
  std::optional<BanFacts> banned_here = {};
  std::optional<WallTime> banned_here_since = {};
  std::optional<ProtectionVerdict> protection = {};
  std::vector<ProtectionFact> protection_facts = {};
  std::optional<double> score = {};
  std::uint64_t restarts_half_hour = 0;  // of the peer, by its uptime
  std::optional<RpcFacts> rpc = {};
  std::optional<ProbeFacts> probe = {};
};
BOOST_DESCRIBE_STRUCT(PeerFacts, (),
                      (ip, label, whitelisted, in_api_list, node, sessions, contact, chain,
                       banned_here, banned_here_since, protection, protection_facts, score,
                       restarts_half_hour, rpc, probe))

struct Facts {
  NodeFacts node = {};
  std::optional<PeerFacts> peer = {};
};
BOOST_DESCRIBE_STRUCT(Facts, (), (node, peer))

inline constexpr std::size_t kMaxFactsBytes = 4'194'304;  // 125 peers take about 30 KiB

[[nodiscard]] std::string facts_to_json(const Facts& facts);
// Text of facts_to_json, perhaps edited by hand. Members that are missing keep their default;
// unknown, malformed or oversized ones are refused by name.
[[nodiscard]] Result<Facts> facts_from_json(std::string_view text);

}  // namespace timectl::diagnose
