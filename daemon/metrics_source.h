#pragma once
// What /metrics is made of, put together: the views are gathered on the network thread
// (Daemon::Parts::metrics()), the text is made later in the thread of whoever serves it, so that
// nothing of it takes the node's time. Reads /proc for the process' own figures.

#include <functional>
#include <string>

#include "daemon/control/overview_api.h"
#include "daemon/observe/counters.h"
#include "daemon/observe/metrics.h"

namespace timectl {

// Of this process, now; a few files of /proc.
[[nodiscard]] observe::ProcessFigures process_figures();

// Makes the text, in any thread. Where it cannot be made (no overview, no library) it is empty,
// which the web server answers with 503: a node that cannot tell is not one without anything to
// say.
[[nodiscard]] std::function<std::string()> metrics_source(Result<control::OverviewReply> overview,
                                                          const observe::Counters& counters,
                                                          std::uint64_t max_peers);

}  // namespace timectl
