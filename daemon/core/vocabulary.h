#pragma once
// The words that stand for states, in one place: they are printed, sent as JSON and stored, so
// an enumerator is never renamed. reason_table() says what each end reason means.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <span>
#include <string_view>

namespace timectl {

enum class Network : std::uint8_t { mainnet, testnet };
BOOST_DESCRIBE_ENUM(Network, mainnet, testnet)

enum class NodeMode : std::uint8_t { active, passive };
BOOST_DESCRIBE_ENUM(NodeMode, active, passive)

enum class Direction : std::uint8_t { in, out };
BOOST_DESCRIBE_ENUM(Direction, in, out)

// Where a whitelist entry comes from; the strongest first.
enum class Source : std::uint8_t { manual, config, api };
BOOST_DESCRIBE_ENUM(Source, manual, config, api)

enum class LivenessProfile : std::uint8_t { normal, lenient, never };
BOOST_DESCRIBE_ENUM(LivenessProfile, normal, lenient, never)

enum class BanImmunity : std::uint8_t { all, timeouts };
BOOST_DESCRIBE_ENUM(BanImmunity, all, timeouts)

enum class PeerState : std::uint8_t {
  idle,
  waiting_passive,
  backoff,
  connecting,
  tls,
  handshaking,
  connected,
  suspect,
  degraded,
  closing,
  refused,
  parked,
};
BOOST_DESCRIBE_ENUM(PeerState, idle, waiting_passive, backoff, connecting, tls, handshaking,
                    connected, suspect, degraded, closing, refused, parked)

enum class EndReason : std::uint8_t {
  closed_by_peer,
  closed_by_operator,
  unresponsive,
  transport_dead,
  superseded,
  duplicate,
  refused,
  timed_out,
  no_route,
  closed_before_tls,
  tls_failed,
  no_handshake,
  wrong_magic,
  wrong_genesis,
  old_protocol,
  old_commit,
  rejected_notice,
  frame_too_large,
  flood,
  slow,
  banned,
  evicted,
  shutdown,
  protocol_error,
  self_connection,
};
BOOST_DESCRIBE_ENUM(EndReason, closed_by_peer, closed_by_operator, unresponsive, transport_dead,
                    superseded, duplicate, refused, timed_out, no_route, closed_before_tls,
                    tls_failed, no_handshake, wrong_magic, wrong_genesis, old_protocol, old_commit,
                    rejected_notice, frame_too_large, flood, slow, banned, evicted, shutdown,
                    protocol_error, self_connection)

enum class Severity : std::uint8_t { critical, error, warning, notice, info };
BOOST_DESCRIBE_ENUM(Severity, critical, error, warning, notice, info)

enum class Verdict : std::uint8_t { ok, degraded, critical, unknown };
BOOST_DESCRIBE_ENUM(Verdict, ok, degraded, critical, unknown)

struct ReasonRow {
  EndReason reason;
  std::string_view meaning;  // one sentence, for people
  std::string_view remedy;
};
[[nodiscard]] std::span<const ReasonRow> reason_table();
[[nodiscard]] const ReasonRow& reason_row(EndReason reason);

struct StateRow {
  PeerState state;
  std::string_view meaning;
};
[[nodiscard]] std::span<const StateRow> state_table();

}  // namespace timectl
