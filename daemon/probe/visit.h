#pragma once
// Visit: one connection of a probe from the SYN to the FIN, layer by layer. probe.cc makes one for
// each question, calls the layers in order and takes the facts. Promises: our Handshake has the
// right magic and leaves as soon as TLS is up; nothing is said that a session would not say; a
// layer that fails ends it.

#include <array>
#include <cstdint>
#include <vector>

#include "daemon/net/handshake.h"
#include "daemon/net/send_guard.h"
#include "daemon/probe/link.h"
#include "daemon/probe/peer_clock.h"
#include "daemon/probe/probe.h"
#include "daemon/wire/arena.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/network_params.h"

namespace timectl::probe {

class Visit {
 public:
  Visit(const ProbeRequest& request, const Waiter& waiter);

  // Each false where the layer failed; then only end() remains.
  [[nodiscard]] bool connect();
  [[nodiscard]] bool secure();
  [[nodiscard]] bool shake_hands();
  void talk();  // pings, tip and genesis, until all are answered
  void end();

  [[nodiscard]] diagnose::ProbeFacts& facts() { return facts_; }

 private:
  struct Ping {
    std::uint64_t nonce = 0;
    Now at = {};
    bool answered = false;
  };

  [[nodiscard]] Instant within(Duration span) const;
  [[nodiscard]] diagnose::LayerFacts layer(diagnose::Outcome outcome,
                                           const std::string& detail) const;
  [[nodiscard]] LinkStep receive(Instant until);
  void take_frame(wire::Bytes payload);
  void judge(const wire::Message* message);
  void on_talk(const wire::Message& message);
  void on_ping(const wire::msg::Ping& ping);
  void on_pong(const wire::msg::Pong& pong);
  void on_tip(const wire::msg::ChainTipResponse& tip);
  void on_genesis(const wire::msg::GenesisHashResponse& genesis);
  void on_late_handshake(const wire::msg::Handshake& handshake);
  void refused(EndReason reason, const std::string& detail);
  [[nodiscard]] bool answer(const wire::Message& message);
  void ping();
  void say(wire::OutgoingMessage message);
  [[nodiscard]] bool all_answered() const;
  void unfinished(const LinkStep& step);
  void missing(std::optional<diagnose::LayerFacts>& layer, const char* what);
  std::optional<diagnose::LayerFacts>* first_open_layer();

  const ProbeRequest& request_;
  const Waiter& waiter_;
  const wire::NetworkParams& network_;
  diagnose::ProbeFacts facts_;
  Instant ends_;   // of the whole visit
  Instant since_;  // of the layer
  Link link_;
  net::Handshake handshake_;
  net::SendGuard guard_;
  wire::FrameReader reader_;
  wire::Arena arena_;
  PeerClock clock_;
  std::array<std::uint8_t, 16'384> chunk_ = {};
  std::vector<std::uint8_t> out_;  // said and not sent yet
  std::vector<Ping> pings_;
  std::size_t frames_behind_ack_ = 0;
  bool spoken_ = false;   // TLS is up, so that an orderly end has a meaning
  bool ready_ = false;    // Ack
  bool over_ = false;     // whatever comes now changes nothing
  bool hostile_ = false;  // no use in waiting for its end
  bool hinted_ = false;   // a list of other peers right behind the Ack
};

}  // namespace timectl::probe
