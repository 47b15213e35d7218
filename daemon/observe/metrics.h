#pragma once
// The text of /metrics: the views of `overview`, the counters and the process' own figures as
// Prometheus series. A pure function of its arguments, called by the composition root
// (daemon/metrics_source.h) when somebody scrapes. What is not known has no series, so that it is
// never taken for 0. The number of series is bounded: by the enums, and by max_peers; label values
// are valid UTF-8 and short, whatever an operator or a peer chose.

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/control/overview_api.h"
#include "daemon/core/result.h"
#include "daemon/observe/counters.h"

namespace timectl::observe {

inline constexpr std::size_t kMaxLabelBytes = 128;  // of a value; names of masternodes are short

// The process as the kernel sees it; what could not be read is empty.
struct ProcessFigures {
  std::optional<double> cpu_seconds = {};
  std::optional<std::uint64_t> resident_bytes = {};
  std::optional<std::uint64_t> descriptors = {};
  std::optional<std::uint64_t> descriptors_limit = {};
};

struct MetricsInput {
  const control::OverviewReply& overview;
  const Counters& counters;
  ProcessFigures process = {};
  std::uint64_t max_peers = 500;  // metrics.max_peers: masternodes with series of their own
};

// In the Prometheus text format 0.0.4. An error: prometheus-cpp is not installed (metrics_library.h).
[[nodiscard]] Result<std::string> metrics_text(const MetricsInput& input);
// Loads the library, so that the first scrape does not wait for it. The same error.
[[nodiscard]] Result<void> load_metrics();

}  // namespace timectl::observe
