#pragma once
// Score: how healthy one peer has been lately, 0 to 100, with the reasons (requirements Q1). The
// node notes evidence as it comes; view() is what `timectl peer score` prints. Used to rank: whom
// to evict among equals, whom to ask for blocks, which stranger to try. It is never a ground to
// take protection away: nothing here knows who is whitelisted, and no caller may ask it that.
//
// Promises, each a property test:
// - bounded: 0 to 100 whatever is noted, and the penalties of the parts add up to 100 - score;
// - monotone: worse evidence in the place of better never gives a higher score;
// - independent of order: evidence of one instant gives the same state in any order, to the bit
//   (sums are integers), and what comes late is aged by its own time; later than an hour
//   nothing comes, so that evidence from further back says that the clock was ahead: what it noted
//   then counts as of the evidence's time, without having aged;
// - it decays: without evidence each part goes back to neutral by its half-life;
// - a restart changes nothing: ScoreState is all there is;
// - an outage of our own counts against nobody: evidence passes through HeldEvidence, which throws
//   away what was seen by a sick node (observer.h) or within `hold` before it was known to be sick.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/score_policy.h"
#include "daemon/core/time.h"
#include "daemon/core/violation.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// What a peer does with its chain that no violation of the protocol is (chain/height_truth.h).
enum class ChainMisconduct : std::uint8_t { implausible_height, oscillating, changed_hash };
BOOST_DESCRIBE_ENUM(ChainMisconduct, implausible_height, oscillating, changed_hash)
[[nodiscard]] double misconduct_points(ChainMisconduct misconduct);
// What a session that ended so costs the peer; 0 where it was not its doing.
[[nodiscard]] double disconnect_points(EndReason reason);

struct ScoreEvidence {
  enum class Kind : std::uint8_t {
    presence,    // amount: seconds looked at; bad: of them without a session
    pings,       // amount: sent; bad: missed
    round_trip,  // amount: ms
    jitter,      // amount: ms, the deviation of round trips
    lag,         // amount: blocks behind what is believed
    session_end,
    violation,
    misconduct,
  };
  WallTime at = {};
  Kind kind = Kind::presence;
  double amount = 0;
  double bad = 0;
  EndReason reason = EndReason::closed_by_peer;
  ViolationKind violation = ViolationKind::slow;
  ChainMisconduct misconduct = ChainMisconduct::implausible_height;

  static ScoreEvidence presence(WallTime at, Duration looked, Duration away);
  static ScoreEvidence pings(WallTime at, std::uint64_t sent, std::uint64_t missed);
  static ScoreEvidence round_trip(WallTime at, double ms);
  static ScoreEvidence jitter_of(WallTime at, double ms);
  static ScoreEvidence behind(WallTime at, std::uint64_t blocks);
  static ScoreEvidence ended(WallTime at, EndReason reason);
  static ScoreEvidence violated(WallTime at, ViolationKind kind);
  static ScoreEvidence misled(WallTime at, ChainMisconduct kind);
};

// Sums in millionths of the part's unit, as of ScoreState::at.
struct ScoreMean {
  std::int64_t bad = 0;
  std::int64_t total = 0;
  friend bool operator==(const ScoreMean&, const ScoreMean&) = default;
};
BOOST_DESCRIBE_STRUCT(ScoreMean, (), (bad, total))

// What is usual for a peer: samples of the present step wait, so that all of one step are compared
// with the same number, whatever their order.
struct ScoreUsual {
  std::int64_t sum = 0;
  std::int64_t count = 0;
  std::int64_t next_sum = 0;
  std::int64_t next_count = 0;
  std::int64_t step = 0;  // number of the present step since 1970
  friend bool operator==(const ScoreUsual&, const ScoreUsual&) = default;
};
BOOST_DESCRIBE_STRUCT(ScoreUsual, (), (sum, count, next_sum, next_count, step))

struct ScoreState {
  WallTime at = {};  // of the newest evidence
  ScoreMean uptime = {};
  ScoreMean loss = {};
  ScoreMean rtt = {};
  ScoreMean jitter = {};
  ScoreMean lag = {};
  std::int64_t disconnects = 0;
  std::int64_t violations = 0;
  std::int64_t misconduct = 0;
  ScoreUsual usual_rtt = {};
  ScoreUsual usual_jitter = {};
  // The last of each, for the sentence; of one instant the later in the catalogue.
  std::optional<WallTime> ended_at = {};
  std::optional<EndReason> ended_by = {};
  std::optional<WallTime> violated_at = {};
  std::optional<ViolationKind> violated_by = {};
  std::optional<WallTime> served_at = {};  // a violation with blocks
  std::optional<ViolationKind> served_by = {};
  std::optional<WallTime> misled_at = {};
  std::optional<ChainMisconduct> misled_by = {};
  friend bool operator==(const ScoreState&, const ScoreState&) = default;
};
BOOST_DESCRIBE_STRUCT(ScoreState, (),
                      (at, uptime, loss, rtt, jitter, lag, disconnects, violations, misconduct,
                       usual_rtt, usual_jitter, ended_at, ended_by, violated_at, violated_by,
                       served_at, served_by, misled_at, misled_by))

struct ScorePartView {
  std::string name = {};
  std::optional<double> value = {};  // in the part's own unit; none where nothing is known
  double weight = 0;                 // points it can cost
  double penalty = 0;                // points it does cost
  std::string evidence = {};
  std::string improve = {};  // what would bring them back; empty where nothing is lost
};
BOOST_DESCRIBE_STRUCT(ScorePartView, (), (name, value, weight, penalty, evidence, improve))

struct ScoreView {
  double score = 0;
  std::vector<ScorePartView> parts = {};
};
BOOST_DESCRIBE_STRUCT(ScoreView, (), (score, parts))

class Score {
 public:
  Score() = default;
  // Whatever was stored: what no evidence could have made is put right, not trusted.
  explicit Score(const ScoreState& stored);

  void note(const ScoreEvidence& evidence, const ScorePolicy& policy);
  [[nodiscard]] double value(const ScorePolicy& policy, WallTime now) const;
  [[nodiscard]] ScoreView view(const ScorePolicy& policy, WallTime now) const;
  [[nodiscard]] const ScoreState& state() const { return state_; }

 private:
  void advance(const ScorePolicy& policy, WallTime to);
  void rebase_to(const ScorePolicy& policy, WallTime to);
  ScoreState state_;
};

// Evidence that waits until it is sure that the fault was not ours.
class HeldEvidence {
 public:
  void add(const IpAddress& ip, const ScoreEvidence& evidence, const ScorePolicy& policy);
  // What may be noted now: older than `hold`; in the order in which it came. A sick observer
  // loses all that waits.
  [[nodiscard]] std::vector<std::pair<IpAddress, ScoreEvidence>> due(bool observer_sick,
                                                                     const ScorePolicy& policy,
                                                                     WallTime now);
  [[nodiscard]] std::size_t waiting() const { return held_.size(); }

 private:
  std::deque<std::pair<IpAddress, ScoreEvidence>> held_;
};

}  // namespace timectl
