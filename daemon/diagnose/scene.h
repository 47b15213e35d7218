#pragma once
// Scene and Proof: what a rule looks at, and what it says. A Scene is the facts with what follows
// from them alone (how the last contact with the peer ended, what height to compare with), so that
// no two rules derive it differently. A Proof gathers evidence, each with its weight and the side
// it comes from; the confidence is computed from that and is lower where only one side was heard.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/vocabulary.h"
#include "daemon/diagnose/catalogue.h"
#include "daemon/diagnose/facts.h"

namespace timectl::diagnose {

// Whose word a piece of evidence is: our own sockets and history; the peer's RPC; other peers, a
// second address, time servers.
enum class Side : std::uint8_t { ours, peer, others };

class Proof {
 public:
  // `weight`: how sure this alone would make us, 0 to 1. The text is made printable.
  void add(Side side, double weight, const std::string& evidence);
  // Something speaks against it: what is left of the confidence is (1 - weight) of it.
  void doubt(double weight);
  void acts(Act act) { act_ = act; }  // where it differs from the rule's
  void weighs(Severity severity) { severity_ = severity; }

  [[nodiscard]] bool empty() const { return evidence_.empty(); }
  // Independent pieces of evidence: 1 less the product of what each leaves open; times kOneSided
  // where they are of one side.
  [[nodiscard]] double confidence() const;
  [[nodiscard]] const std::vector<std::string>& evidence() const { return evidence_; }
  [[nodiscard]] std::optional<Act> act() const { return act_; }
  [[nodiscard]] std::optional<Severity> severity() const { return severity_; }

 private:
  std::vector<std::string> evidence_;
  double open_ = 1;
  double left_ = 1;
  bool heard_[3] = {};
  std::optional<Act> act_;
  std::optional<Severity> severity_;
};

enum class Stage : std::uint8_t { none, tcp, tls, handshake, ping, tip, genesis };

// How far the last attempt to reach the peer came: the probe's, else our last dial's.
struct Contact {
  Stage stage = Stage::none;  // none: no attempt is known
  Outcome outcome = Outcome::ok;
  bool probed = false;
  std::string text = {};  // evidence: "TCP to port 24000: refused after 3 ms (probe)"
};

class Scene {
 public:
  explicit Scene(const Facts& facts);

  [[nodiscard]] const NodeFacts& node() const { return facts_.node; }
  [[nodiscard]] const PeerFacts& peer() const { return *peer_; }
  [[nodiscard]] const RpcFacts& rpc() const { return *rpc_; }  // empty where nobody answered
  [[nodiscard]] const Contact& contact() const { return contact_; }

  [[nodiscard]] bool connected() const;
  [[nodiscard]] bool is_us() const;  // the "peer" is this node's own address
  [[nodiscard]] bool state_is(PeerState state) const;
  [[nodiscard]] bool rpc_ok() const { return peer_->rpc && peer_->rpc->answer == RpcAnswer::ok; }
  [[nodiscard]] bool rpc_is(RpcAnswer answer) const {
    return peer_->rpc && peer_->rpc->answer == answer;
  }
  [[nodiscard]] bool ended_at(Stage stage, Outcome outcome) const {
    return contact_.stage == stage && contact_.outcome == outcome;
  }
  // Accepted, and closed before TLS: bans, limits and stale sessions all look like this.
  [[nodiscard]] bool dropped_at_accept() const { return ended_at(Stage::tls, Outcome::closed); }
  [[nodiscard]] bool probe_reached(Stage stage) const;  // with the outcome ok
  [[nodiscard]] std::optional<Outcome> elsewhere() const;
  [[nodiscard]] std::uint64_t failed_dials(EndReason reason) const;
  [[nodiscard]] std::uint64_t violations(std::string_view kind) const;
  [[nodiscard]] double seconds_since(WallTime at) const;
  [[nodiscard]] double session_seconds() const;  // of the present one; 0 without
  [[nodiscard]] const SessionRecord* last_session() const;
  [[nodiscard]] bool uptime_below(double seconds) const;
  [[nodiscard]] bool uptime_at_least(double seconds) const;
  // The ban of us that its RPC shows, where its reason means `code` (ban_reason.h); empty code:
  // none of the dictionary.
  [[nodiscard]] const BanFacts* banned_there(std::string_view code) const;
  // The height to compare a peer's with: what is believed, else the clock's.
  [[nodiscard]] std::optional<double> reference_height() const;
  [[nodiscard]] std::optional<double> peer_height() const;  // the highest that it claims anywhere
  [[nodiscard]] std::string notice() const;                 // the text of its refusal

 private:
  const Facts& facts_;
  const PeerFacts* peer_;
  const RpcFacts* rpc_;
  Contact contact_;
};

// How a dial would have ended where this probe did; none where it came through.
[[nodiscard]] std::optional<EndReason> end_of(const ProbeFacts& probe);

// For evidence: "3 d 4 h", "12", "0.25".
[[nodiscard]] std::string span_text(double seconds);
[[nodiscard]] std::string count_text(std::uint64_t n, std::string_view one, std::string_view many);
[[nodiscard]] std::string number_text(double value, int digits = 0);
[[nodiscard]] bool all_zero(std::string_view hex);  // and not empty
// As far as both are known: two nodes may show a hash in full or its first 16 digits.
[[nodiscard]] bool same_hash(std::string_view a, std::string_view b);

}  // namespace timectl::diagnose
