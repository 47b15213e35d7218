#pragma once
// Suggest: which peers have proved reliable enough to be whitelisted (requirements W10). Pure: the
// caller brings what the history and the scores say of each peer, and gets those that pass, the
// best first, with the reason. Nothing is ever added by it: a human reads it and decides, because a
// good record can be made by an attacker with patience, and protection is for known masternodes.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"

namespace timectl {

struct SuggestPolicy {
  Duration after = std::chrono::hours(24 * 30);  // whitelist.suggest_after: of sessions, in all
  double score = 90;                             // whitelist.suggest_score
  double uptime = 0.8;  // less is as good as gone: 1 - ScorePolicy::uptime.limit
};
BOOST_DESCRIBE_STRUCT(SuggestPolicy, (), (after, score, uptime))

// How far back is looked: a peer needs `after` of sessions within twice that.
[[nodiscard]] constexpr Duration looked_back(const SuggestPolicy& policy) {
  return 2 * policy.after;
}

struct SuggestFacts {
  IpAddress ip = {};
  bool whitelisted = false;
  bool banned = false;
  double connected_seconds = 0;
  double observed_seconds = 0;  // that the node ran since it first saw this peer
  std::uint64_t disconnects = 0;
  std::uint64_t pings = 0;
  std::uint64_t missed_pongs = 0;
  std::optional<double> score = {};  // none: nothing was ever noted
};

struct Suggestion {
  IpAddress ip = {};
  double score = 0;
  double observed_days = 0;  // with a session
  double uptime_ratio = 0;   // of the time that the node ran since it first saw it
  std::uint64_t disconnects = 0;
  std::string because = {};  // evidence, one clause
};
BOOST_DESCRIBE_STRUCT(Suggestion, (),
                      (ip, score, observed_days, uptime_ratio, disconnects, because))

// By score, then by days, then by address.
[[nodiscard]] std::vector<Suggestion> suggest(std::span<const SuggestFacts> peers,
                                              const SuggestPolicy& policy);

}  // namespace timectl
