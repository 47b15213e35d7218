#pragma once
// Reconnect: when a peer is dialled again (requirements R1, R2, R7, S5). outcome_table() says
// which ladder each end of an attempt or session climbs; a Reconnect is the state of one target
// with its ledger of attempts. Pure; the node asks due() and reports what came of it. The reason
// for the long gaps: other nodes count failures after TCP and ban for them (protocol 7.4), so
// haste there makes the outage.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/core/policy.h"
#include "daemon/core/random.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

enum class Ladder : std::uint8_t {
  none,       // nothing to be learned about the peer: our own doing
  ordinary,   // 2, 4, 8 ... or 5, 10, 20 ...
  unclean,    // the other side may still hold our dead connection
  after_tcp,  // counted and banned for by the other side
  rejected,   // it banned us for 4 hours
  parked,     // until something changes
};

// Why an attempt waits for the ledger and not for its ladder, for people.
inline constexpr std::string_view ledger_is_full =
    "as many attempts were made, or failed after TCP within the hour, as its node tolerates";

struct OutcomeRow {
  EndReason reason;
  Ladder ladder;
  std::string_view why;  // of the gap, for people
};
[[nodiscard]] std::span<const OutcomeRow> outcome_table();
[[nodiscard]] const OutcomeRow& outcome_row(EndReason reason);

// What the peer is to us at the moment of the failure.
struct TargetFacts {
  bool masternode = false;
  bool trusts_us = false;                // R7: taken to whitelist us
  bool wait_passively = false;           // S5: it dials us; a session was lost
  std::optional<Duration> session = {};  // how long it lived; none for an attempt
};

// The nominal gap before attempt number `attempt` (0: the first after a failure), without jitter.
[[nodiscard]] Duration nominal_gap(Ladder ladder, std::size_t attempt, const TargetFacts& facts,
                                   const ReconnectPolicy& policy);

// Of what was stored: the attempts of the last hour that no session followed.
[[nodiscard]] std::size_t dials_since_session(const PeerMemory& memory);

class Reconnect {
 public:
  struct Verdict {
    std::optional<Duration> gap = {};  // nominal, for log lines; none: nothing is scheduled
    bool exhausted = false;            // just now: the ladder's last attempt has failed
    bool parked = false;               // just now
    bool passive = false;              // waits for the peer to dial
  };

  // From the store, at start. Ordinary gaps are forgotten (a starting node dials everybody), the
  // ledger and the harder rows hold.
  void restore(const PeerMemory& memory, Now now);
  void store_to(PeerMemory& memory, Now now) const;

  void dialled(Instant now);  // an attempt begins: one line in the ledger, and nothing is scheduled
  // A probe that somebody asked for: a line in the same ledger; what is scheduled, and who keeps
  // the peer away, stays.
  void probed(Instant now);
  // How it failed. What the peer's node counts and bans for moves the ladder as a dial would, but
  // never to an earlier attempt; all else changes nothing.
  void probe_failed(EndReason reason, const TargetFacts& facts, const ReconnectPolicy& policy,
                    Random& random, Instant now);
  // When a probe may be made: by the ledger, and not while the peer is known to have banned us.
  [[nodiscard]] Instant probe_allowed(const ReconnectPolicy& policy, Instant now) const;
  Verdict failed(EndReason reason, const TargetFacts& facts, const ReconnectPolicy& policy,
                 Random& random, Instant now);
  void connected();  // a session began; the ladder stays until it proves stable
  // The failures of the ordinary ladder were not the peer's: it starts anew, due at once.
  void forgive(Instant now);
  // The operator's word, or a changed configuration: parked and waiting targets are free again.
  void release();
  void stay_away_until(Instant until);

  // When the next attempt is scheduled; none: with the next pass, or not at all where parked().
  [[nodiscard]] std::optional<Instant> next() const { return next_; }
  // A row that beats the 120 s pass: not to be dialled before next().
  [[nodiscard]] bool hard(Instant now) const;
  [[nodiscard]] bool parked() const { return ladder_ == Ladder::parked; }
  [[nodiscard]] bool waits_passively(Instant now) const {
    return passive_ && next_ && *next_ > now;
  }
  [[nodiscard]] bool held_by_operator(Instant now) const {
    return held_by_operator_ && next_ && *next_ > now;
  }
  [[nodiscard]] bool held_by_budget(Instant now) const {
    return held_by_budget_ && next_ && *next_ > now;
  }
  [[nodiscard]] bool exhausted() const { return exhausted_; }
  [[nodiscard]] Ladder ladder() const { return ladder_; }
  [[nodiscard]] std::size_t attempts() const;  // failures on the present ladder
  // Dials since the last session, as far as is known: after a restart those of the last hour.
  [[nodiscard]] std::size_t dials() const { return dials_; }
  [[nodiscard]] std::optional<EndReason> last_reason() const { return last_reason_; }
  // The earliest time that the ledger allows; `now` where it allows one now.
  [[nodiscard]] Instant ledger_allows(const ReconnectPolicy& policy, Instant now) const;
  [[nodiscard]] std::size_t attempts_within(Duration period, Instant now) const;
  [[nodiscard]] std::string why(Instant now) const;  // of the next attempt's time, for people

 private:
  static constexpr std::size_t kLedger = 64;    // attempts remembered of the last hour
  static constexpr std::size_t kAfterTcp = 16;  // failures after TCP, of the last hour

  std::size_t& counter(Ladder ladder);
  [[nodiscard]] Instant budget_allows(const ReconnectPolicy& policy, Instant at) const;

  Ladder ladder_ = Ladder::none;
  std::size_t ordinary_ = 0;  // failures since the last stable connection, by ladder
  std::size_t after_tcp_ = 0;
  std::size_t rejected_ = 0;
  std::size_t dials_ = 0;
  bool exhausted_ = false;
  bool passive_ = false;
  bool held_by_operator_ = false;
  bool held_by_budget_ = false;  // the hour's budget of failures after TCP, not the ladder
  std::optional<Instant> next_;
  std::optional<EndReason> last_reason_;
  std::deque<Instant> ledger_;
  std::deque<Instant> after_tcp_failures_;
};

}  // namespace timectl
