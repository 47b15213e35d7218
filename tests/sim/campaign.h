#pragma once
// Campaign: one schedule after another on fresh worlds, each in a process of its own, so that a
// failed CHECK of the core is a finding like any other. What fails is made smaller: faults are
// taken away and shortened as long as it still fails. Called by timectl_sim and campaign_test.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tests/sim/checks.h"
#include "tests/sim/fault.h"

namespace timectl::sim {

struct Outcome {
  std::string failure = {};  // empty: none
  Tally tally = {};
  std::uint64_t trace = 0;
  double cpu_seconds = 0;
};

// In this process; a failed CHECK ends it.
[[nodiscard]] Outcome run(const Schedule& schedule);
// In a child of this process.
[[nodiscard]] Outcome run_apart(const Schedule& schedule);

using Run = std::function<Outcome(const Schedule&)>;
// The smallest schedule found that fails as `run` sees it, in at most `most_runs`.
[[nodiscard]] Schedule shrink(const Schedule& failing, const Run& run, std::size_t most_runs);

struct CampaignOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 20;
  std::uint16_t nodes = 20;
  Duration length = std::chrono::hours(24);
  std::size_t jobs = 1;
};
struct Finding {
  Schedule schedule;
  std::string failure;
};
struct CampaignResult {
  std::uint64_t seeds = 0;
  Tally tally = {};
  double cpu_seconds = 0;
  std::optional<Finding> finding = {};  // the first failure; the campaign ends with it
};
// `progress` is told of each seed that is done.
[[nodiscard]] CampaignResult campaign(const CampaignOptions& options,
                                      const std::function<void(const CampaignResult&)>& progress);
[[nodiscard]] std::string summary(const CampaignResult& result);

}  // namespace timectl::sim
