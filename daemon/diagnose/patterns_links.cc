#include <array>

#include "daemon/diagnose/log_patterns.h"

namespace timectl::diagnose {
namespace {

using enum LineKind;

constexpr auto kPatterns = std::to_array<Pattern>({
    // Most of a log of today: the traces of the dialler and the pings.
    {"[PHASE3-STALL-TRACE] tick woke", "", tick},
    {"[PHASE3-STALL-TRACE]", "", node_sign},
    {"Received ping from", "", traffic, "", "at height "},
    {"Received pong from", "", traffic},
    {"Sent pong to", ""},
    {"Sent ping to", ""},
    {"Pong MATCHED for", "", traffic},
    {"Before pong: ", ""},
    {"Received heartbeat from", "", traffic, "", "at height "},
    {"Peer check: ", "", node_sign},

    // Framing, before the lines of sessions that quote it. A length that a whole reply may have
    // is H13; what no reply can be is H12. 100 MiB parts them.
    {"Frame too large", "FM-H13", sign, "", "too large: ", 8388609, 104857600},
    {"Frame too large", "FM-H12"},
    {"Oversized frame from", "FM-H12"},
    {"Message too large", "FM-H13"},
    {"Trimmed block response from", "FM-H13", node_sign},
    {"Failed to deserialize large message", "FM-H14"},
    {"Received unrecognized message", "FM-H14"},
    {"Migrated pre-v1.3", "FM-H14", node_sign},
    {"appears concatenated but couldn't split", "FM-H15"},
    {"Failed to parse message", "FM-H15"},
    {"trailing characters", "FM-H15"},
    {"failed parse attempts", "FM-H15"},
    {"Rejecting oversized message from", "FM-H15"},

    // Dials.
    {"Reconnecting to masternode", "", dial},
    {"[PHASE1-MN] Initiating priority connection", "", dial},
    {"[PHASE2-PEER] Connecting to", "", dial},
    {"[PHASE3-PEER]", "", dial},
    {"[OUTBOUND-WHITELIST] Connecting to", "", dial},
    {"[MASTERNODE] Reconnecting to", "", sign},
    {"Connection refused", "FM-R1", dial_failed, "Connection to "},
    {"Connection refused", "FM-R1", dial_failed, "Failed to connect to "},
    {" timed out (10s)", "FM-R2", dial_failed},
    {"No route to host", "FM-R2", dial_failed},
    {"Network is unreachable", "FM-R2", dial_failed},
    {"Failed to connect to 2", "FM-R8", dial_failed, "::"},
    {"(they are preferred dialer)", "FM-D2"},
    {"(they dial us)", "FM-D2"},
    {"stale connecting peer(s)", "FM-D9", node_sign},

    // TLS. What the text says decides; a bare end of file means that the peer did not want us.
    {"tls handshake eof", "FM-H11", tls_failed, "TLS handshake failed with"},
    {"reset by peer", "FM-H11", tls_failed, "TLS handshake failed with"},
    {"timed out", "FM-R6", tls_failed, "TLS handshake failed with"},
    {"TLS handshake failed with", "FM-H9", tls_failed},
    {"TLS handshake failed for", "FM-H9"},
    {"TLS rejected by", "FM-H9", sign, "retrying in plaintext"},
    {"TLS handshake eof from", ""},
    {"Plaintext connection from", "FM-H9"},
    {"invalid SNI", "FM-H10"},
    {"sent unexpected SNI", "FM-H10"},
    {"Illegal SNI extension", "FM-H10"},

    // Handshake.
    {"no handshake received within 10s", "FM-H1"},
    {"sent message before handshake", "FM-H2"},
    {"invalid magic bytes", "FM-H3"},
    {"(~W~M magic bytes)", "FM-H4"},
    {"which is below the minimum required version", "FM-H4", node_sign},
    {"is below the minimum required version", "FM-H5", node_sign, "(commit "},
    {"is too old (minimum: 2)", "FM-H4"},
    {"unsupported protocol version", "FM-H4"},
    {"running obsolete software", "FM-H5"},
    {"is running outdated software", ""},
    {"is running newer software", ""},
    {"FORK ALERT from", "FM-S5"},
    {"Handshake accepted from", "", accepted, "", "commit: "},
    {"Genesis hash verified with peer", ""},
    {"genesis hash mismatch (ours=", "FM-H6", wrong_genesis},
    {"Genesis hash MISMATCH with peer", "FM-H6", wrong_genesis},
    {"INCOMPATIBLE PEER DETECTED", "FM-H6", wrong_genesis},
    {"genesis hash mismatch (wrong network/fork)", "FM-H6", wrong_genesis},
    {"Genesis mismatch with whitelisted peer", "FM-H6", wrong_genesis},
    {"Genesis block mismatch detected!", "FM-H6", wrong_genesis},
    {"Our genesis:   0000000000000000", "FM-H8", genesis_hash},
    {"Our genesis:", "", genesis_hash},
    {"Their genesis:", "", genesis_hash},
    {"peer not genesis-confirmed", "FM-H7"},
    {"Response channel closed", "FM-H7"},

    // Direction and duplicates.
    {"yielding Connected outbound", "FM-D12"},
    {"Simultaneous connection with", "FM-D1"},
    {"already Disconnected", "FM-D8"},
    {"(IP tiebreaker)", "FM-D1"},
    {"(ConnectionManager)", "FM-D1", sign, "Rejecting inbound from"},
    {"Rejecting duplicate inbound from", "FM-D1"},
    {"Dropping duplicate inbound from", "FM-D1"},
    {"superseded before mark_connected", "FM-D1"},
    {"Replacing existing inbound slot", "FM-R9"},
    {"superseded by newer session", "FM-D6"},
    {"skipping cleanup", "FM-D6", sign, "superseded"},
    {"Replaced live writer for", "FM-D6"},
    {"Evicted writer for", "FM-D6"},
    {"no live writer", "FM-D5", healed},
    {"Suppressing kick of whitelisted peer", "FM-K7"},
    {"Suppressing mark_incompatible", "FM-K7"},
    {"NOT disconnecting - protected", "FM-K7"},
    {"WHITELIST VIOLATION: Masternode", "FM-K1"},
    {"Kicked zombie peer", "FM-S14"},
    {"Broadcast: no peers connected", "FM-S18", node_sign},
    {"Broadcast to", "FM-D15", sign, "failed"},
    {"not found in registry", "FM-K5", sign, "Peer "},
    {"Writer channel closed", "FM-K5"},
    {" not connected", "FM-K5", sign, "Peer "},

    // Keepalive.
    {"(os error 110)", "FM-K1", link_timed_out},
    {"Failed to send ping to", "FM-K1"},
    {"Pending pings exceeded", "FM-K1"},
    {"unresponsive after", "FM-K1", sign, "missed pongs"},
    {"due to timeout", "FM-K1", sign, "Disconnecting"},
    {"Disconnecting non-whitelisted peer", "FM-K1"},
    {"ping(s) expired", ""},
    {"Pong nonce mismatch from", "FM-K2"},
    {"Received pong for unknown nonce", "FM-K2"},
    {"but no pending pings", "FM-K2"},

    // Sessions.
    {"Connected to peer", "", connected},
    {"unified message loop for", "", session},
    {"Starting message loop for", "", session},
    {"New peer connection from", ""},
    {"in PeerConnectionRegistry", ""},
    {"[Inbound] Accepted connection from", ""},
    {"Accepting inbound connection from", ""},
    {"Accepted masternode connection from", ""},
    {"Received Ack from", "", session},
    {"after 0 messages", "FM-H11", closed_at_once},
    {"Connection closed by", "", closed},
    {"closed by peer (EOF)", "", closed},
    {"disconnected (EOF)", "", closed},
    {"Connection reset by peer", "", reset},
    {"(os error 104)", "", reset},
    {"Error reading from", "", reset},
    {"Reader channel closed for", ""},
    {"Failed to send handshake to", "", dial_failed},
    {"message loop ended for", "", ended},
    {"Message loop ended for", "", ended},
    {"ended quickly (", ""},
    {"ended gracefully", ""},
    {"Connection from ", "", reset, " ended: "},
    {"Connection to ", "", dial_failed, " failed"},
    {"active masternode(s) with priority", "", node_sign},
    {"Starting network client", "", node_sign},
    {"[PHASE0]", "", node_sign},
    {"waking PHASE3", "", node_sign},
});

}  // namespace

std::span<const Pattern> link_patterns() {
  return kPatterns;
}

}  // namespace timectl::diagnose
