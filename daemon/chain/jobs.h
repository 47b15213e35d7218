#pragma once
// Jobs: the work of sync that takes time (hashing, SQLite), as data. The coordinator makes one at a
// time, daemon/chain_jobs.h does it (the node on a thread of its own, so that no pong waits behind
// it), and the coordinator is told what came out. Nothing here decides anything.

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "daemon/chain/chain_view.h"
#include "daemon/chain/verdict.h"
#include "daemon/core/result.h"

namespace timectl::chain {

// Verify the batch's blocks in order and store those before the first that is refused, in one
// transaction: on the best chain, or (`staged`) on the branch that is being built beside it.
struct VerifyJob {
  bool staged = false;
  Circumstances at;  // of the first block; `keys` must stay alive until the job is done
  std::shared_ptr<const BlockBatch> batch;
  std::shared_ptr<const ProducerKeys> keys;
  // What the block at that height must be, where it is known (the peer said so when it was asked):
  // another one is refused as wrong_hash.
  std::vector<Tip> known;
  // The last block is one of `known`, so that all of the batch must be good or none of it is the
  // network's: nothing is stored where a block is refused.
  bool whole = false;
};
struct VerifyDone {
  std::vector<wire::Hash32> hashes;  // of the blocks stored, in order
  std::optional<ChainTip> tip;       // the last of them
  struct Refused {
    Height height = 0;
    std::vector<Finding> findings;
    bool too_early = false;
    // Only its parent is another block than ours: good on a chain that is not this one.
    bool other_branch = false;
  };
  std::optional<Refused> refused;
  std::size_t signatures_invalid = 0;  // blocks whose producer's signature is wrong: a warning
};

// The staged branch becomes the best chain above `ancestor`, in one transaction; what was there is
// kept as a branch.
struct ReorganiseJob {
  Height ancestor = 0;
};
struct ReorganiseDone {
  ChainTip tip;
  Height replaced = 0;  // blocks of the old branch
};

struct DropStagedJob {};  // the staged blocks go
struct DropStagedDone {};

// Bodies deeper than `keep` below the tip go, at most `most` of them; the headers stay.
struct PruneJob {
  std::uint64_t keep = 0;
  std::size_t most = 2000;
};
struct PruneDone {
  std::size_t pruned = 0;
};

using Job = std::variant<VerifyJob, ReorganiseJob, DropStagedJob, PruneJob>;
// An Error is the store's; then nothing of the job has happened.
using JobDone = Result<std::variant<VerifyDone, ReorganiseDone, DropStagedDone, PruneDone>>;

}  // namespace timectl::chain
