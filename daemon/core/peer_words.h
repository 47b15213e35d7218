#pragma once
// What the state of a peer's connection says to whoever shows it: whether there is a session, and
// how it is to be taken. One place for the node's answers, the commands, the page and /metrics, so
// that none of them decides it anew. Pure.

#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// How a thing is to be taken at a glance; never the only sign.
enum class Tone : std::uint8_t { good, warn, bad, plain };
BOOST_DESCRIBE_ENUM(Tone, good, warn, bad, plain)

struct PeerStateWords {
  PeerState state;
  bool connected;  // a session is up: messages come and go
  Tone tone;
};

// On the way or on its way out: warn. Nobody works at a connection and one is wanted: bad. Nothing
// is wanted of it: plain.
inline constexpr auto kPeerStateWords = std::to_array<PeerStateWords>({
    {PeerState::connected, true, Tone::good},
    {PeerState::suspect, true, Tone::warn},
    {PeerState::degraded, true, Tone::warn},
    {PeerState::connecting, false, Tone::warn},
    {PeerState::tls, false, Tone::warn},
    {PeerState::handshaking, false, Tone::warn},
    {PeerState::closing, false, Tone::warn},
    {PeerState::waiting_passive, false, Tone::warn},
    {PeerState::backoff, false, Tone::bad},
    {PeerState::refused, false, Tone::bad},
    {PeerState::parked, false, Tone::bad},
    {PeerState::idle, false, Tone::plain},
});

[[nodiscard]] constexpr const PeerStateWords& peer_state_words(PeerState state) {
  const auto* const row = std::ranges::find(kPeerStateWords, state, &PeerStateWords::state);
  return row == kPeerStateWords.end() ? kPeerStateWords.back() : *row;
}
[[nodiscard]] constexpr bool is_connected(PeerState state) {
  return peer_state_words(state).connected;
}
[[nodiscard]] constexpr Tone tone_of(PeerState state) {
  return peer_state_words(state).tone;
}

}  // namespace timectl
