#pragma once
// The line above every view of the past: as of when, and from which sample.

#include <string>

#include "cmd/output.h"
#include "daemon/control/past_api.h"

namespace timectl::cmd {

// With a line end; wrapped to the output's width.
[[nodiscard]] std::string past_text(const Output& out, const control::PastSource& past);

}  // namespace timectl::cmd
