#pragma once
// The handshake of protocol section 5 in both roles, as a state machine without sockets or clocks:
// messages in, a verdict and replies out. Session drives it from the end of TLS on and closes with
// the reason it gives. Promises: a peer of another network is never called ready, whoever it is (a
// whitelisted one too: whitelisting changes priority, never validity); we never send a ForkAlert.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/node.h"
#include "daemon/wire/network_params.h"
#include "daemon/wire/outgoing.h"

namespace timectl::net {

struct HandshakeTerms {
  const wire::NetworkParams* network = nullptr;
  std::uint32_t commit_count = 0;      // what we say
  std::uint32_t min_commit_count = 0;  // what we accept
};

class Handshake {
 public:
  enum class Verdict : std::uint8_t { wait, ready, close };
  struct Step {
    Verdict verdict = Verdict::wait;
    EndReason reason = EndReason::no_handshake;  // of close
    std::string detail = {};                     // of close; may hold text that the peer chose
    std::vector<wire::OutgoingMessage> replies = {};
  };

  Handshake(Direction direction, const HandshakeTerms& terms)
      : direction_(direction), terms_(terms) {}

  // What to send once TLS is up: our Handshake, where we dialled.
  [[nodiscard]] Step start() const;
  [[nodiscard]] Step on_message(const wire::Message& message);
  // A frame that is no message we know. Only as the first frame of an inbound connection it counts.
  [[nodiscard]] Step on_undecodable();
  // The peer closed before we were ready.
  [[nodiscard]] Step on_end(const std::string& how) const;
  [[nodiscard]] Step on_timeout() const;

  // A Handshake that comes after ready (the acceptor's own follows its Ack). A second one changes
  // nothing (protocol 5.12); the first is judged like any other.
  [[nodiscard]] Step on_late_handshake(const wire::msg::Handshake& handshake);

  // What the peer said; commit_count is none until its Handshake came.
  [[nodiscard]] const PeerHello& hello() const { return hello_; }

 private:
  [[nodiscard]] wire::OutgoingMessage ours() const;
  [[nodiscard]] Step judge(const wire::msg::Handshake& handshake);

  Direction direction_;
  HandshakeTerms terms_;
  PeerHello hello_;
  bool heard_ = false;  // any frame
};

// A zero ForkAlert is how the reference node says why it rejects us (protocol 5.7). None where the
// alert is an ordinary one.
[[nodiscard]] std::optional<EndReason> rejection(const wire::msg::ForkAlert& alert);

}  // namespace timectl::net
