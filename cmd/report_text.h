#pragma once
// What `timectl report` prints, of the view that observe/report.h makes: for a terminal, and as
// Markdown for a ticket or a chat. Figures are cut, never rounded, so that a target that is missed
// by a little is not shown as met.

#include <string>

#include "cmd/output.h"
#include "daemon/observe/report.h"

namespace timectl::cmd {

[[nodiscard]] std::string report_text(const Output& out, const observe::ReportView& view);
[[nodiscard]] std::string report_markdown(const observe::ReportView& view);  // times in UTC

}  // namespace timectl::cmd
