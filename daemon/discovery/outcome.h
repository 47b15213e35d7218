#pragma once
// What a failed hop means: the step at which it ended and one line for people. Pure over the facts
// of transfer.h; called by fetch().

#include "daemon/discovery/transfer.h"

namespace timectl::discovery {

// Of a hop that brought no list: any but a finished 200, and no redirect or expected 304.
[[nodiscard]] FetchFailure failure_of(const Hop& hop, const FetchRequest& request,
                                      const SourceUrl& url, const ProxyChoice& proxy);

}  // namespace timectl::discovery
