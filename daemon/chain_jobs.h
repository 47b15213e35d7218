#pragma once
// Does the jobs of daemon/chain/jobs.h on a ChainFile: verification and storing, one transaction a
// job. The node calls it on the chain's thread (daemon/chain_worker.h), tests and benchmarks
// directly.

#include "daemon/chain/jobs.h"
#include "daemon/wire/arena.h"
#include "store/chain_file.h"

namespace timectl {

// `arena` serves the decoding of one batch and may be used again.
[[nodiscard]] chain::JobDone do_job(store::ChainFile& file, wire::Arena& arena,
                                    const chain::Job& job);

}  // namespace timectl
