// The score and its parts as an operator reads them: Score::view().
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "daemon/core/reflect.h"
#include "daemon/core/score.h"

namespace timectl {
namespace {

constexpr double kUnit = 1e6;
constexpr double kNeutral = 0.5;  // of the weight, where nothing is known

std::string number(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

double amount(std::int64_t sum, double factor) {
  return static_cast<double>(sum) / kUnit * factor;
}

double fading(WallTime from, WallTime to, Duration half_life) {
  const Duration age = to - from;
  if (age <= Duration::zero() || half_life <= Duration::zero()) return 1;
  return std::exp2(-seconds(age) / seconds(half_life));
}

struct MeanText {
  std::string_view name;
  ScoreMean ScoreState::*sum;
  ScoreMeanPolicy ScorePolicy::*rule;
  double scale;  // of the mean, for the sentence
  int digits;
  std::string_view after;  // the sentence after the number
  std::string_view unknown;
  std::string_view improve;
};
constexpr auto kMeans = std::to_array<MeanText>({
    {"uptime", &ScoreState::uptime, &ScorePolicy::uptime, 100, 1,
     " % of the time without a session", "never looked at for long",
     "It stays connected: half of what was missed is forgotten in "},
    {"loss", &ScoreState::loss, &ScorePolicy::loss, 100, 2, " % of our pings without an answer",
     "no pings were sent to it lately", "It answers its pings: half of the loss is forgotten in "},
    {"rtt", &ScoreState::rtt, &ScorePolicy::rtt, 100, 0,
     " % above its own usual round trip, on average", "its usual round trip is not known yet",
     "Its round trips go back to what is usual for it: half is forgotten in "},
    {"jitter", &ScoreState::jitter, &ScorePolicy::jitter, 100, 0,
     " % above its own usual jitter, on average", "its usual jitter is not known yet",
     "Its path becomes steady again: half is forgotten in "},
    {"lag", &ScoreState::lag, &ScorePolicy::lag, 1, 1,
     " blocks behind what is believed, on average", "its height was not compared lately",
     "It catches up: half of the lag is forgotten in "},
});

ScorePartView mean_part(const MeanText& text, const ScoreState& state, const ScorePolicy& policy,
                        double all_weights, WallTime now) {
  const auto& rule = policy.*text.rule;
  const auto& mean = state.*text.sum;
  const auto factor = fading(state.at, now, rule.half_life);
  const auto total = amount(mean.total, factor);
  const auto bad = amount(mean.bad, factor);
  const auto prior = std::max(rule.prior, 1.0);
  const auto mixed = (bad + kNeutral * rule.limit * prior) / (total + prior);
  const auto share = rule.limit > 0 ? std::clamp(mixed / rule.limit, 0.0, 1.0) : 0.0;
  ScorePartView part{.name = std::string(text.name)};
  part.weight = 100 * rule.weight / all_weights;
  part.penalty = part.weight * share;
  // Less than a hundredth of the prior left of it: it says nothing any more.
  const bool known = total * 100 > prior;
  if (known) {
    part.value = bad / total;
    part.evidence = number(*part.value * text.scale, text.digits) + std::string(text.after);
  } else {
    part.evidence = text.unknown;
  }
  // What is lost is lost to the prior alone, but for a hundredth of it.
  const bool spotless = bad * 100 < kNeutral * rule.limit * prior;
  if (part.penalty > 0) {
    part.improve = !known     ? "Time: it counts as neutral until more is known."
                   : spotless ? "Nothing is held against it: more time with it brings the rest."
                              : std::string(text.improve) + human_duration(rule.half_life) + ".";
  }
  return part;
}

std::string last_text(std::string_view what, std::optional<WallTime> at) {
  return "last: " + std::string(what) + (at ? " at " + utc_text(*at) : "");
}

struct SumText {
  std::string_view name;
  std::int64_t ScoreState::*sum;
  ScoreSumPolicy ScorePolicy::*rule;
  std::string_view after;
  std::string_view none;
  std::string_view improve;
};
constexpr auto kSums = std::to_array<SumText>({
    {"disconnects", &ScoreState::disconnects, &ScorePolicy::disconnects,
     " points for sessions that it or its path ended", "it ended no session lately",
     "Its sessions last: half of the points are forgotten in "},
    {"violations", &ScoreState::violations, &ScorePolicy::violations,
     " points for violations of the protocol", "no violations lately",
     "No more violations (`timectl explain violation`): half of the points are forgotten in "},
    {"misconduct", &ScoreState::misconduct, &ScorePolicy::misconduct,
     " points for what it did with its chain", "nothing against its chain",
     "It serves and claims what is true: half of the points are forgotten in "},
});

std::string last_of(std::string_view name, const ScoreState& state) {
  if (name == "disconnects" && state.ended_by) {
    return last_text(name_of(*state.ended_by), state.ended_at);
  }
  if (name == "violations" && state.violated_by) {
    return last_text(name_of(*state.violated_by), state.violated_at);
  }
  if (name != "misconduct") return "";
  if (state.misled_by) return last_text(name_of(*state.misled_by), state.misled_at);
  if (state.served_by) return last_text(name_of(*state.served_by), state.served_at);
  return "";
}

ScorePartView sum_part(const SumText& text, const ScoreState& state, const ScorePolicy& policy,
                       double all_weights, WallTime now) {
  const auto& rule = policy.*text.rule;
  const auto points = amount(state.*text.sum, fading(state.at, now, rule.half_life));
  ScorePartView part{.name = std::string(text.name), .value = points};
  part.weight = 100 * rule.weight / all_weights;
  part.penalty = rule.limit > 0 ? part.weight * (1 - std::exp2(-points / rule.limit)) : 0;
  constexpr double kShown = 0.05;  // what rounds to 0.0 is none
  if (points < kShown) {
    part.evidence = text.none;
    return part;
  }
  part.evidence = number(points, 1) + std::string(text.after);
  if (const auto last = last_of(text.name, state); !last.empty()) part.evidence += "; " + last;
  part.improve = std::string(text.improve) + human_duration(rule.half_life) + ".";
  return part;
}

}  // namespace

ScoreView Score::view(const ScorePolicy& policy, WallTime now) const {
  double weights = 0;
  for (const auto& text : kMeans) weights += (policy.*text.rule).weight;
  for (const auto& text : kSums) weights += (policy.*text.rule).weight;
  ScoreView view{.score = 100};
  if (!(weights > 0)) return view;  // nothing counts: everybody is perfect
  for (const auto& text : kMeans) {
    view.parts.push_back(mean_part(text, state_, policy, weights, now));
  }
  for (const auto& text : kSums) {
    view.parts.push_back(sum_part(text, state_, policy, weights, now));
  }
  double lost = 0;
  for (const auto& part : view.parts) lost += part.penalty;
  view.score = std::clamp(100 - lost, 0.0, 100.0);
  return view;
}

}  // namespace timectl
