#include "daemon/core/score.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace timectl {
namespace {

constexpr double kUnit = 1e6;  // sums are kept in millionths
// No sum of a mean is larger: a year of seconds, and far from the end of 64 bits.
constexpr std::int64_t kMost = 31'536'000'000'000;

// Evidence comes in the order of its time, but for a step of the clock; nothing is so late.
constexpr Duration kLatest = std::chrono::hours(1);

struct EndCost {
  EndReason reason;
  double points;
};
// Ends that are the peer's doing, or its path's. All others are ours, an operator's or nobody's.
constexpr auto kEndCosts = std::to_array<EndCost>({
    {EndReason::closed_by_peer, 1},
    {EndReason::unresponsive, 2},
    {EndReason::transport_dead, 1.5},
    {EndReason::wrong_genesis, 2},
    {EndReason::frame_too_large, 1},
    {EndReason::flood, 1},
    {EndReason::slow, 1},
    {EndReason::protocol_error, 1},
});

struct MisconductCost {
  ChainMisconduct kind;
  double points;
};
constexpr auto kMisconductCosts = std::to_array<MisconductCost>({
    {ChainMisconduct::implausible_height, 2},
    {ChainMisconduct::oscillating, 2},
    {ChainMisconduct::changed_hash, 3},
});

bool of_chain(ViolationKind kind) {
  return kind == ViolationKind::bad_block || kind == ViolationKind::wrong_blocks ||
         kind == ViolationKind::unasked_blocks;
}

double fading(Duration age, Duration half_life) {
  if (age <= Duration::zero() || half_life <= Duration::zero()) return 1;
  return std::exp2(-seconds(age) / seconds(half_life));
}

std::int64_t scaled(std::int64_t sum, double factor) {
  return std::llround(static_cast<double>(sum) * factor);
}

// A number from outside as a sum: neither negative, nor endless, nor no number.
std::int64_t micro(double amount) {
  if (!(amount > 0)) return 0;
  return std::llround(std::min(amount * kUnit, static_cast<double>(kMost)));
}

std::int64_t within(std::int64_t sum) {
  return std::clamp<std::int64_t>(sum, 0, kMost);
}

void add(ScoreMean& mean, double bad, double total, double factor) {
  mean.bad = within(mean.bad + scaled(micro(bad), factor));
  mean.total = within(mean.total + scaled(micro(total), factor));
}

std::optional<double> usual_of(const ScoreUsual& usual, const ScorePolicy& policy) {
  const auto count = static_cast<double>(usual.count) / kUnit;
  if (usual.count <= 0 || count < policy.usual_after) return std::nullopt;
  return std::max(static_cast<double>(usual.sum) / static_cast<double>(usual.count),
                  policy.least_usual_ms);
}

void roll(ScoreUsual& usual, const ScorePolicy& policy, WallTime at) {
  const auto length = std::max<std::int64_t>(policy.usual_step.count(), 1);
  const auto step = Duration(at.time_since_epoch()).count() / length;
  if (step <= usual.step) return;
  const auto factor = fading(Duration((step - usual.step) * length), policy.usual_half_life);
  usual.sum = within(scaled(usual.sum, factor) + usual.next_sum);
  usual.count = within(scaled(usual.count, factor) + usual.next_count);
  usual.next_sum = usual.next_count = 0;
  usual.step = step;
}

// One sample against the usual: its excess as a share of that. Nothing before there is a usual.
void compare(ScoreMean& mean, ScoreUsual& usual, double ms, double factor,
             const ScorePolicy& policy) {
  if (!(ms >= 0)) return;
  if (const auto normal = usual_of(usual, policy)) {
    add(mean, std::clamp(ms / *normal - 1, 0.0, policy.worst_sample), 1, factor);
  }
  usual.next_sum = within(usual.next_sum + micro(ms));
  usual.next_count = within(usual.next_count + micro(1));
}

// A usual from the future: its step is that of `at`, and nothing of it has faded.
void rebase(ScoreUsual& usual, const ScorePolicy& policy, WallTime at) {
  const auto length = std::max<std::int64_t>(policy.usual_step.count(), 1);
  usual.step = std::min(usual.step, Duration(at.time_since_epoch()).count() / length);
}

// The later of two is kept; of one instant the greater name, so that order does not matter.
template <class E>
void keep_last(std::optional<WallTime>& at, std::optional<E>& what, WallTime new_at, E new_what) {
  if (at && what && std::pair(*at, *what) > std::pair(new_at, new_what)) return;
  at = new_at;
  what = new_what;
}

struct MeanPart {
  ScoreMean ScoreState::*sum;
  ScoreMeanPolicy ScorePolicy::*rule;
};
constexpr auto kMeans = std::to_array<MeanPart>({
    {&ScoreState::uptime, &ScorePolicy::uptime},
    {&ScoreState::loss, &ScorePolicy::loss},
    {&ScoreState::rtt, &ScorePolicy::rtt},
    {&ScoreState::jitter, &ScorePolicy::jitter},
    {&ScoreState::lag, &ScorePolicy::lag},
});
struct SumPart {
  std::int64_t ScoreState::*sum;
  ScoreSumPolicy ScorePolicy::*rule;
};
constexpr auto kSums = std::to_array<SumPart>({
    {&ScoreState::disconnects, &ScorePolicy::disconnects},
    {&ScoreState::violations, &ScorePolicy::violations},
    {&ScoreState::misconduct, &ScorePolicy::misconduct},
});

void note_mean(ScoreState& state, const ScoreEvidence& e, const ScorePolicy& policy, Duration age) {
  using Kind = ScoreEvidence::Kind;
  switch (e.kind) {
    case Kind::presence:
      return add(state.uptime, std::min(e.bad, e.amount), e.amount,
                 fading(age, policy.uptime.half_life));
    case Kind::pings:
      return add(state.loss, std::min(e.bad, e.amount), e.amount,
                 fading(age, policy.loss.half_life));
    case Kind::round_trip:
      return compare(state.rtt, state.usual_rtt, e.amount, fading(age, policy.rtt.half_life),
                     policy);
    case Kind::jitter:
      return compare(state.jitter, state.usual_jitter, e.amount,
                     fading(age, policy.jitter.half_life), policy);
    case Kind::lag:
      return add(state.lag, std::clamp(e.amount - policy.in_sync_blocks, 0.0, policy.worst_lag), 1,
                 fading(age, policy.lag.half_life));
    default:
      return;
  }
}

void note_sum(ScoreState& state, const ScoreEvidence& e, const ScorePolicy& policy, Duration age) {
  using Kind = ScoreEvidence::Kind;
  const auto put = [&](std::int64_t& sum, double points, Duration half_life) {
    sum = within(sum + scaled(micro(points), fading(age, half_life)));
  };
  if (e.kind == Kind::session_end) {
    const auto points = disconnect_points(e.reason);
    put(state.disconnects, points, policy.disconnects.half_life);
    if (points > 0) keep_last(state.ended_at, state.ended_by, e.at, e.reason);
  } else if (e.kind == Kind::violation) {
    const bool chain = of_chain(e.violation);
    put(chain ? state.misconduct : state.violations, violation_row(e.violation).points,
        chain ? policy.misconduct.half_life : policy.violations.half_life);
    keep_last(chain ? state.served_at : state.violated_at,
              chain ? state.served_by : state.violated_by, e.at, e.violation);
  } else if (e.kind == Kind::misconduct) {
    put(state.misconduct, misconduct_points(e.misconduct), policy.misconduct.half_life);
    keep_last(state.misled_at, state.misled_by, e.at, e.misconduct);
  }
}

}  // namespace

double disconnect_points(EndReason reason) {
  const auto* row = std::find_if(kEndCosts.begin(), kEndCosts.end(),
                                 [&](const EndCost& cost) { return cost.reason == reason; });
  return row == kEndCosts.end() ? 0 : row->points;
}

double misconduct_points(ChainMisconduct misconduct) {
  return kMisconductCosts.at(static_cast<std::size_t>(misconduct)).points;
}

ScoreEvidence ScoreEvidence::presence(WallTime at, Duration looked, Duration away) {
  return {.at = at, .kind = Kind::presence, .amount = seconds(looked), .bad = seconds(away)};
}
ScoreEvidence ScoreEvidence::pings(WallTime at, std::uint64_t sent, std::uint64_t missed) {
  return {.at = at,
          .kind = Kind::pings,
          .amount = static_cast<double>(sent),
          .bad = static_cast<double>(missed)};
}
ScoreEvidence ScoreEvidence::round_trip(WallTime at, double ms) {
  return {.at = at, .kind = Kind::round_trip, .amount = ms};
}
ScoreEvidence ScoreEvidence::jitter_of(WallTime at, double ms) {
  return {.at = at, .kind = Kind::jitter, .amount = ms};
}
ScoreEvidence ScoreEvidence::behind(WallTime at, std::uint64_t blocks) {
  return {.at = at, .kind = Kind::lag, .amount = static_cast<double>(blocks)};
}
ScoreEvidence ScoreEvidence::ended(WallTime at, EndReason reason) {
  return {.at = at, .kind = Kind::session_end, .reason = reason};
}
ScoreEvidence ScoreEvidence::violated(WallTime at, ViolationKind kind) {
  return {.at = at, .kind = Kind::violation, .violation = kind};
}
ScoreEvidence ScoreEvidence::misled(WallTime at, ChainMisconduct kind) {
  return {.at = at, .kind = Kind::misconduct, .misconduct = kind};
}

Score::Score(const ScoreState& stored) : state_(stored) {
  for (const auto& part : kMeans) {
    auto& mean = state_.*part.sum;
    mean.total = within(mean.total);
    mean.bad = within(mean.bad);
  }
  for (const auto& part : kSums) state_.*part.sum = within(state_.*part.sum);
  for (auto* usual : {&state_.usual_rtt, &state_.usual_jitter}) {
    for (auto* sum : {&usual->sum, &usual->count, &usual->next_sum, &usual->next_count}) {
      *sum = within(*sum);
    }
    usual->step = std::max<std::int64_t>(usual->step, 0);
  }
}

void Score::advance(const ScorePolicy& policy, WallTime to) {
  const Duration age = to - state_.at;
  if (age <= Duration::zero()) return;
  for (const auto& part : kMeans) {
    const auto factor = fading(age, (policy.*part.rule).half_life);
    auto& mean = state_.*part.sum;
    mean = {scaled(mean.bad, factor), scaled(mean.total, factor)};
  }
  for (const auto& part : kSums) {
    auto& sum = state_.*part.sum;
    sum = scaled(sum, fading(age, (policy.*part.rule).half_life));
  }
  state_.at = to;
}

// After a clock that was ahead: what was noted by it is of now.
void Score::rebase_to(const ScorePolicy& policy, WallTime to) {
  if (state_.at - to <= kLatest) return;
  state_.at = to;
  rebase(state_.usual_rtt, policy, to);
  rebase(state_.usual_jitter, policy, to);
  for (auto* last : {&state_.ended_at, &state_.violated_at, &state_.served_at, &state_.misled_at}) {
    if (*last) *last = std::min(**last, to);
  }
}

void Score::note(const ScoreEvidence& evidence, const ScorePolicy& policy) {
  rebase_to(policy, evidence.at);
  advance(policy, evidence.at);
  roll(state_.usual_rtt, policy, evidence.at);
  roll(state_.usual_jitter, policy, evidence.at);
  const Duration age = state_.at - evidence.at;  // of what comes late
  note_mean(state_, evidence, policy, age);
  note_sum(state_, evidence, policy, age);
}

double Score::value(const ScorePolicy& policy, WallTime now) const {
  return view(policy, now).score;
}

void HeldEvidence::add(const IpAddress& ip, const ScoreEvidence& evidence,
                       const ScorePolicy& policy) {
  // Too much to hold: the oldest is lost. Nobody gains by it, since it is good and bad alike.
  if (held_.size() >= policy.max_held && !held_.empty()) held_.pop_front();
  held_.emplace_back(ip, evidence);
}

std::vector<std::pair<IpAddress, ScoreEvidence>> HeldEvidence::due(bool observer_sick,
                                                                   const ScorePolicy& policy,
                                                                   WallTime now) {
  std::vector<std::pair<IpAddress, ScoreEvidence>> ready;
  if (observer_sick) {
    held_.clear();
    return ready;
  }
  // A clock that was set back must not hold evidence for hours: what is of the future is due.
  while (!held_.empty()) {
    const Duration age = now - held_.front().second.at;
    if (age >= Duration::zero() && age < policy.hold) break;
    ready.push_back(held_.front());
    held_.pop_front();
  }
  return ready;
}

}  // namespace timectl
