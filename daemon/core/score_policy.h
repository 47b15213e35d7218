#pragma once
// ScorePolicy: the numbers of a peer's health score (requirements Q1, score.h), each with its
// unit. In the manner of policy.h: described, so that a configuration key maps to each and tests
// scale them; no other file holds a weight or a half-life of the score.

#include <boost/describe/class.hpp>
#include <cstddef>

#include "daemon/core/time.h"

namespace timectl {

using namespace std::chrono_literals;

// A part that is a mean over what was observed: it begins, and ends without evidence, half-way.
struct ScoreMeanPolicy {
  double weight = 0;        // of the points between 0 and 100; the weights are scaled to 100
  Duration half_life = {};  // of the evidence
  double limit = 0;         // the mean that costs the whole weight
  double prior = 0;         // so much evidence of a neutral peer is always there (part's own unit)
};
BOOST_DESCRIBE_STRUCT(ScoreMeanPolicy, (), (weight, half_life, limit, prior))

// A part that is a sum of points: without evidence it costs nothing.
struct ScoreSumPolicy {
  double weight = 0;
  Duration half_life = {};
  double limit = 0;  // the points that cost half of the weight
};
BOOST_DESCRIBE_STRUCT(ScoreSumPolicy, (), (weight, half_life, limit))

struct ScorePolicy {
  // Share of the time that it was not connected, in seconds. A fifth of it down is as good as gone:
  // the network's rewards need masternodes that are there.
  ScoreMeanPolicy uptime{25, 24h * 7, 0.2, 86'400};
  ScoreMeanPolicy loss{15, 24h, 0.1, 200};  // missed of sent pings
  // Above what is usual for itself, as a share of that: 1 is twice the usual.
  ScoreMeanPolicy rtt{10, 6h, 1.0, 20};
  ScoreMeanPolicy jitter{5, 6h, 2.0, 20};
  ScoreMeanPolicy lag{10, 6h, 20, 20};        // blocks behind, in observations
  ScoreSumPolicy disconnects{15, 24h, 4};     // four sessions that it ended cost half
  ScoreSumPolicy violations{10, 24h, 5};      // one attack of violation.cc
  ScoreSumPolicy misconduct{10, 24h * 7, 5};  // of the chain: one block that breaks a rule
  double in_sync_blocks = 2;                  // a lag up to this is none (Y4)
  double worst_sample = 4;                    // one round trip counts as at most so much excess
  double worst_lag = 100;                     // one observation counts as at most so many blocks
  double usual_after = 20;                    // samples until "usual" means something
  double least_usual_ms = 1;                  // below this a ratio is noise of the scheduler
  Duration usual_half_life = 24h * 14;        // of what is usual
  Duration usual_step = 1h;                   // it is renewed in such steps
  Duration hold = 60s;                        // until a fault of our own would have shown:
                                              // LivenessPolicy::tcp_user_timeout and a ping
  std::size_t max_held = 65'536;              // pieces of evidence that wait for that
  std::size_t max_scores = 16'384;            // peers with a score; the longest unheard go first
};
BOOST_DESCRIBE_STRUCT(ScorePolicy, (),
                      (uptime, loss, rtt, jitter, lag, disconnects, violations, misconduct,
                       in_sync_blocks, worst_sample, worst_lag, usual_after, least_usual_ms,
                       usual_half_life, usual_step, hold, max_held, max_scores))

}  // namespace timectl
