#pragma once
// The chain as it is stored, for the methods without a node: its tip and the history of forks.
// Nobody vouches for anything then, so there is no best height and no lag.

#include <filesystem>
#include <vector>

#include "daemon/core/result.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// The height that the clock gives (protocol 9.1).
[[nodiscard]] std::uint64_t expected_height(Network network, WallTime now);

struct StoredChain {
  SyncStatusView status = {};        // without a chain file `height` is unknown
  std::vector<ForkView> forks = {};  // open ones first, each kind newest first
};

// At most `forks` of them. Creates nothing. Errors as of ChainFile::open, but a missing file is
// none.
[[nodiscard]] Result<StoredChain> stored_chain(const std::filesystem::path& data_dir,
                                               Network network, std::size_t forks, WallTime now);

}  // namespace timectl
