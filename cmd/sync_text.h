#pragma once
// The pages of `timectl sync` for people, made of the views: status as the verdict and a list of
// fields, peers as one line a source with its legend, forks with their branches. Readable in 80
// columns. Pure: all of them are compared with tests/cmd/golden/sync.txt.

#include <string>
#include <vector>

#include "cmd/output.h"
#include "daemon/control/sync_api.h"

namespace timectl::cmd {

// "\nNext: command\n", or nothing.
[[nodiscard]] std::string next_line(const Output& out, const std::string& command);

// `live`: a node answered, so that "no peers" is a fact and not ignorance.
[[nodiscard]] std::string status_page(const Output& out, const SyncStatusView& view, bool live);
[[nodiscard]] std::string peers_page(const Output& out, const control::SyncPeersReply& reply);
// Open forks first, then resolved ones.
[[nodiscard]] std::string forks_page(const Output& out, const std::vector<ForkView>& forks,
                                     bool live);
[[nodiscard]] std::string accepted_page(const Output& out, const ForkView& fork);

}  // namespace timectl::cmd
