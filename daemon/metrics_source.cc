#include "daemon/metrics_source.h"

#include <sys/resource.h>

#include <memory>
#include <utility>

#include "daemon/host_facts.h"

namespace timectl {
namespace {

double seconds_of(const timeval& time) {
  constexpr double kMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kMicrosecond;
}

}  // namespace

observe::ProcessFigures process_figures() {
  const auto host = host_facts({}, {});
  observe::ProcessFigures figures{.resident_bytes = host.memory_bytes,
                                  .descriptors = host.descriptors,
                                  .descriptors_limit = host.descriptors_limit};
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    figures.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  }
  return figures;
}

std::function<std::string()> metrics_source(Result<control::OverviewReply> overview,
                                            const observe::Counters& counters,
                                            std::uint64_t max_peers) {
  // Shared, because a function can be copied and an overview is large.
  auto view = std::make_shared<const Result<control::OverviewReply>>(std::move(overview));
  return [view, counters, max_peers] {
    if (!*view) return std::string();
    const auto text = observe::metrics_text({.overview = **view,
                                             .counters = counters,
                                             .process = process_figures(),
                                             .max_peers = max_peers});
    return text ? *text : std::string();
  };
}

}  // namespace timectl
