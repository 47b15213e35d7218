#include "daemon/core/vocabulary.h"

#include <array>

#include "daemon/core/result.h"

namespace timectl {
namespace {

constexpr auto kReasons = std::to_array<ReasonRow>({
    {EndReason::closed_by_peer, "The peer closed the connection (FIN or reset).",
     "Usually a restart of the peer; if it repeats, ask its operator; `timectl peer "
     "history IP` shows how often."},
    {EndReason::closed_by_operator, "An operator of this node closed it.",
     "`timectl peer connect IP` dials it again."},
    {EndReason::unresponsive, "The peer left pings unanswered and sent nothing for too long.",
     "Check the path to the peer and its load; `timectl peer history IP` shows the missed pongs."},
    {EndReason::transport_dead, "The network stopped delivering: TCP got no acknowledgement.",
     "Look for a cable, route, NAT or firewall that drops packets between the two hosts."},
    {EndReason::superseded, "A newer connection to the same peer took its place.",
     "Nothing to do: the peer is connected by the newer one."},
    {EndReason::duplicate, "The peer is already connected, so the second connection was refused.",
     "Nothing to do, unless two programs share the peer's address."},
    {EndReason::refused, "The connection was refused: no program listens, or no slot is free.",
     "Check that the peer's node runs and that its port is open; `timectl slots` shows ours."},
    {EndReason::timed_out, "Nobody answered the connection attempt in time.",
     "The host is off or a firewall drops the packets: check both."},
    {EndReason::no_route, "This host has no route to the peer.",
     "Check this host's network and routes (`ip route get IP`)."},
    {EndReason::closed_before_tls,
     "TCP connected, but the peer closed before TLS: a ban, a limit, or our slot there is taken.",
     "Wait for the scheduled attempt; ask the peer's operator whether our address is banned."},
    {EndReason::tls_failed, "The TLS handshake failed or took too long.",
     "Check that the peer's port is a TIME Coin node and that nothing in between intercepts TLS."},
    {EndReason::no_handshake, "TLS was set up, but no valid Handshake or Ack came.",
     "The peer may be overloaded or of another kind; its log says more."},
    {EndReason::wrong_magic, "The peer is of another network: its Handshake has another magic.",
     "Check `network` on both sides; then `timectl peer connect IP` lifts the stop."},
    {EndReason::wrong_genesis, "The peer has another genesis block, so it is on another chain.",
     "Check `network` on both sides; then `timectl peer connect IP` lifts the stop."},
    {EndReason::old_protocol, "The protocol version is older than the other side accepts.",
     "Upgrade the older of the two."},
    {EndReason::old_commit, "The software is older (commit count) than the other side accepts.",
     "Upgrade the older of the two."},
    {EndReason::rejected_notice, "The peer rejected our Handshake with a notice, and bans for 4 h.",
     "Upgrade timectl or raise its commit count; the next attempt outlives the ban."},
    {EndReason::frame_too_large, "The peer announced a frame over the limit.",
     "A broken or hostile peer: if it is a masternode, tell its operator."},
    {EndReason::flood, "The peer sent more frames or bytes than any honest node does.",
     "A broken or hostile peer: if it is a masternode, tell its operator."},
    {EndReason::slow, "The peer read or sent too slowly: a queue was full or a frame stalled.",
     "Check the bandwidth of the path and the peer's load."},
    {EndReason::banned, "The address is banned here.",
     "Remove it from network.blacklisted_peers or the ban list if that is wrong."},
    {EndReason::evicted, "Its slot was given to a masternode, or the limits were lowered.",
     "Whitelist the peer if it is a masternode; `timectl slots` shows the slots."},
    {EndReason::shutdown, "This node was stopped.", "Nothing to do."},
    {EndReason::protocol_error, "The peer broke the protocol.",
     "`timectl peer show IP` has the text; compare the versions."},
    {EndReason::self_connection, "The address is our own.",
     "Remove our own address from the whitelist and from network.peers."},
});

constexpr auto kStates = std::to_array<StateRow>({
    {PeerState::idle, "Known; no connection and no attempt planned."},
    {PeerState::waiting_passive, "Waits a short while for the peer to dial us first."},
    {PeerState::backoff, "Not connected; the next attempt has a time."},
    {PeerState::connecting, "TCP connection attempt under way."},
    {PeerState::tls, "TCP is connected, TLS is being set up."},
    {PeerState::handshaking, "TLS is done, the protocol's Handshake is under way."},
    {PeerState::connected, "Connected, and answering."},
    {PeerState::suspect, "Connected, but silent for longer than a ping interval."},
    {PeerState::degraded,
     "Connected and talking, but it leaves pings unanswered or its path loses much."},
    {PeerState::closing, "Being closed in order."},
    {PeerState::refused, "The peer rejects us; the next attempt waits for its ban to end."},
    {PeerState::parked, "Not dialled until the config changes or an operator says so."},
});

}  // namespace

std::span<const ReasonRow> reason_table() {
  return kReasons;
}

const ReasonRow& reason_row(EndReason reason) {
  for (const auto& row : kReasons) {
    if (row.reason == reason) return row;
  }
  check_failed("every EndReason has a row", __FILE__, __LINE__);
}

std::span<const StateRow> state_table() {
  return kStates;
}

}  // namespace timectl
