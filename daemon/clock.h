#pragma once
// The one place where the clocks are read. Everything else is handed a Now.

#include "daemon/core/time.h"

namespace timectl {

// CLOCK_BOOTTIME would hide a suspended host; CLOCK_MONOTONIC is what timers run on.
[[nodiscard]] Now clock_now();

// What the calling thread has worked, without what it waited.
[[nodiscard]] Duration thread_time();

}  // namespace timectl
