#pragma once
// prometheus-cpp, whose serializer makes the text of /metrics: loaded when metrics are switched on
// and not when the program starts. Debian ships the shared library alone, and that brings
// libstdc++.so into a program that has its own copy: linked, the two would answer each other's
// calls, and every `timectl status` would pay a third of its time for it. Loaded apart, each keeps
// to itself; what passes between them is one vector that is read and one string that is returned,
// whose layout the library's soname and the C++ ABI fix. Called by metrics.cc only.

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "daemon/core/result.h"

namespace timectl::observe {

// In the Prometheus text format 0.0.4. An error: the library is not installed.
[[nodiscard]] Result<std::string> prometheus_text(
    const std::vector<prometheus::MetricFamily>& families);

}  // namespace timectl::observe
