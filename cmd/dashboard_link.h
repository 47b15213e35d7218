#pragma once
// The link to the dashboard with its token, for `node info` and the demo. The token is read here,
// from its file, by whoever asks: the node never sends it, so that no reply, report or log has it.

#include <string>

#include "daemon/control/api.h"

namespace timectl::cmd {

// The link; where the file cannot be read, the address and which file it takes; or why it is off.
[[nodiscard]] std::string dashboard_text(const control::NetworkInfo& info);
// Empty: it cannot be read, or there is none.
[[nodiscard]] std::string dashboard_link(const std::string& url, const std::string& token_file);

}  // namespace timectl::cmd
