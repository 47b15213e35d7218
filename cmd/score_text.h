#pragma once
// What `timectl peer score` prints: one part after the other with what it costs, the evidence and
// what would improve it. The tenths that are printed add up to the total that is printed.

#include <string>

#include "cmd/output.h"
#include "daemon/control/diagnose_api.h"

namespace timectl::cmd {

// From here on a score is good; the neutral half of what is unknown takes some of the rest.
inline constexpr double kGoodScore = 80;

[[nodiscard]] std::string score_text(const Output& out, const control::PeerScoreReply& reply);

}  // namespace timectl::cmd
