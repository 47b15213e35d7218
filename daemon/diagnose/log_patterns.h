#pragma once
// What timed writes, as a table: one row per fragment of a line, with what it means and the failure
// mode that it points to. Fragments are fixed ASCII text (emoji were garbled for two months) and
// may stand anywhere in a line. Both vocabularies are in it: that of January 2026 and that of
// today; the fragments do not collide, so nobody has to say which one a log speaks.
//
// Several rows may fit a line; the first in the order of the table counts. So what is specific
// stands before what is general, and a reason before the line that quotes it.

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace timectl::diagnose {

// What a line tells besides its failure mode. Of the first group the peer is the address in the
// line; the second group is about the node itself.
enum class LineKind : std::uint8_t {
  sign,             // of a failure mode, or with no code: something known and harmless
  dial,             // an attempt begins
  dial_failed,      // it failed
  connected,        // TCP and TLS stand; by itself this proves nothing
  session,          // a session is running
  accepted,         // an inbound handshake was valid
  traffic,          // a ping or pong: the peer is alive; the number is its height or zero
  tls_failed,       // outbound
  closed,           // by the peer, in order
  closed_at_once,   // by the peer, before any message
  reset,            // by the peer or its host, without order
  link_timed_out,   // the kernel gave up; the link died long before
  ended,            // the end marker of a session, whatever the reason
  healed,           // sessions without a writer; several addresses in one line
  wrong_genesis,    // said of a peer
  genesis_hash,     // the line after it, with no address of its own
  node_sign,        // of a failure mode of this node; addresses in it are no culprits
  banner,           // a start, written before anything can go wrong
  started,          // a start
  stopped,          // an orderly stop
  heartbeat,        // the runtime lives
  tick,             // the dialler lives
  watchdog_restart  // somebody restarts the node
};

struct Pattern {
  std::string_view fragment;
  std::string_view code = {};  // of the catalogue; empty: no failure
  LineKind kind = LineKind::sign;
  std::string_view also = {};   // must stand in the line, too
  std::string_view after = {};  // the text before the number of the line
  std::uint64_t low = 0;        // the number must be at least this,
  std::uint64_t high = std::numeric_limits<std::uint64_t>::max();  // and at most this
  bool at_end = false;  // nothing may follow the fragment
};

[[nodiscard]] std::span<const Pattern> patterns();

// The parts of the table in their order.
[[nodiscard]] std::span<const Pattern> process_patterns();  // starts, clock, disk, watchdog
[[nodiscard]] std::span<const Pattern> ban_patterns();      // bans, limits, whitelist, registry
[[nodiscard]] std::span<const Pattern> link_patterns();     // dials, sessions, handshake, TLS
[[nodiscard]] std::span<const Pattern> chain_patterns();    // sync, forks, blocks

}  // namespace timectl::diagnose
