#pragma once
// Checks: the promises of architecture.md as the outside of a node sees them, looked at with every
// event of the virtual network and at a constant cost each:
// - never more than 4 dials a minute to one target, restarts included; R7's rate and number at
//   once; no dial before a hard row of requirements R is over;
// - no session of two masternodes ends without a fault that hurts one of them or their path;
// - one session a pair; no masternode refused while a slot is free;
// - after a heal everybody is connected within one cap of the ladder and one pass.
// What only the node itself can see is Node::check_invariants(), which World calls.

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/core/policy.h"
#include "daemon/core/vocabulary.h"

namespace timectl::sim {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};
[[noreturn]] void violated(Duration at, const std::string& what);

// What a run saw, for the summary line; sums.
struct Tally {
  std::uint64_t events = 0;
  std::uint64_t node_time = 0;  // seconds of running nodes
  std::uint64_t dials = 0;
  std::uint64_t pings = 0;
  std::uint64_t sessions = 0;
  std::uint64_t sessions_lost = 0;
  std::uint64_t strangers = 0;
  std::uint64_t hard_waits = 0;  // pairs that were late after a heal because both waited for one
  std::uint64_t most_dials_a_minute = 0;  // to one target
  void add(const Tally& other);
};

class Checks {
 public:
  // One cap of the ladder with its jitter, one pass, and the time of a handshake.
  static constexpr Duration kHealed = std::chrono::seconds(72 + 120 + 2);

  Checks(std::uint16_t nodes, const Policy& policy);

  void dialled(Duration now, std::uint16_t node, std::uint16_t target);
  // The end of a dial that did not become a session.
  void dial_failed(Duration now, std::uint16_t node, std::uint16_t target, EndReason reason);
  void session_began(Duration now, std::uint16_t node, std::uint16_t target, bool dialled);
  void session_ended(Duration now, std::uint16_t node, std::uint16_t target, EndReason reason);
  // Somebody else had a session from the target's address: the node has forgotten its row.
  void hard_row_over(std::uint16_t node, std::uint16_t target) {
    pair(node, target).hard_from = pair(node, target).hard_until = {};
  }
  void process_ended(std::uint16_t node);
  // The wall clock was set: what the store says of times is off after the next start.
  void clock_stepped(std::uint16_t node) { stepped_[node] = true; }
  void booted(std::uint16_t node);

  // Faults that touch a pair; `hurts`: it may end their session.
  void touch(Duration now, std::uint16_t a, std::uint16_t b, bool hurts, bool begins);
  [[nodiscard]] bool healed(Duration now, std::uint16_t a, std::uint16_t b) const;
  [[nodiscard]] std::size_t sessions(std::uint16_t node, std::uint16_t target) const {
    return pair(node, target).sessions;
  }
  [[nodiscard]] bool waits_for_hard_row(Duration now, std::uint16_t node,
                                        std::uint16_t target) const {
    return pair(node, target).hard_until > now;
  }

  [[nodiscard]] Tally& tally() { return tally_; }
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  struct Pair {  // of a node and a target; trouble counts for both orders alike
    std::array<Duration, 4> dials = {};
    std::uint32_t dial_count = 0;
    std::uint16_t sessions = 0;
    std::uint16_t hurting = 0;
    std::uint16_t touching = 0;
    bool dialling = false;
    Duration hard_from = {};
    Duration hard_until = {};
    Duration hurt_until = -std::chrono::hours(1);
    Duration touched_until = {};
  };
  [[nodiscard]] Pair& pair(std::uint16_t a, std::uint16_t b) {
    return pairs_[std::size_t{a} * nodes_ + b];
  }
  [[nodiscard]] const Pair& pair(std::uint16_t a, std::uint16_t b) const {
    return pairs_[std::size_t{a} * nodes_ + b];
  }

  std::uint16_t nodes_;
  Policy policy_;
  std::vector<Pair> pairs_;
  std::vector<bool> stepped_;
  std::vector<std::vector<Duration>> recent_dials_;  // by node: as many as R7 lets into a second
  std::vector<std::size_t> at_once_;
  Tally tally_;
};

}  // namespace timectl::sim
