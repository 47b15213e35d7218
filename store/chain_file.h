#pragma once
// The chain's own database, <data dir>/chain.db: blocks of the best chain byte for byte, the branch
// that is being built, branches that were replaced, and the history of forks. It is a file of its
// own because it is of another kind than timectl.db: large, public, and to be had again from the
// network; so a backup of the operator's data stays small, and damage here costs a new sync and
// nothing else. The StateLock of the directory covers it: whoever opens it to write holds the lock.
//
// Every change is one transaction; after a crash at any point the file holds the state before or
// after it (a power cut may also lose the newest ones: they are fetched again). Opening takes no
// time that grows with the chain.
//
// After database_unwritable (an input/output error) writing stays off: destroy and open it again.
// A ChainFile belongs to one thread at a time: the node writes with one on the chain's thread and
// reads with another, from open_reader(), on the network thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "daemon/chain/jobs.h"
#include "daemon/core/result.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/vocabulary.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr const char* kChainFile = "chain.db";

class ChainFile final : public chain::ChainView {
 public:
  // read_write creates the file (mode 0600) with the genesis block; read_only without a file:
  // not_found. Errors as of Database::open: database_damaged, database_newer, ...; bad_data where
  // the file is of another network.
  [[nodiscard]] static Result<ChainFile> open(const std::filesystem::path& directory,
                                              timectl::Network network, OpenMode mode);
  // A damaged file is put aside as chain.db.damaged (one is kept), with what stands beside it. No
  // ChainFile of the directory is open.
  [[nodiscard]] static Result<std::filesystem::path> set_aside(
      const std::filesystem::path& directory);
  // For another thread of this process. Destroy it before this one, or the log is not merged.
  [[nodiscard]] Result<ChainFile> open_reader() const;

  ChainFile(ChainFile&&) noexcept;
  ChainFile& operator=(ChainFile&&) noexcept;
  ~ChainFile() override;

  // ChainView. A failing disk or a damaged row gives nothing (at(), hash_at(), bodies()) or the
  // last tip known, and read_failure() says why.
  [[nodiscard]] chain::ChainTip tip() const override;
  [[nodiscard]] std::optional<chain::ChainTip> at(chain::Height height) const override;
  [[nodiscard]] std::optional<wire::Hash32> hash_at(chain::Height height) const override;
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> bodies(
      chain::Height first, chain::Height last, std::size_t most_bytes) const override;
  // Of the reads above, and of rows that forks() left out: the last failure. A file with
  // database_damaged here still serves what is sound; put aside, it is fetched again.
  [[nodiscard]] const std::optional<Error>& read_failure() const;

  // Blocks that go on from the tip, in order. invalid_argument: they do not.
  [[nodiscard]] Result<void> append(std::span<const chain::ChainBlock> blocks);
  // Blocks of the branch beside the best chain: the first ever goes on from `ancestor`'s block,
  // each further one from the last staged.
  [[nodiscard]] Result<void> stage(std::span<const chain::ChainBlock> blocks);
  [[nodiscard]] Result<std::optional<chain::ChainTip>> staged_tip() const;
  [[nodiscard]] Result<void> drop_staged();
  // The staged branch becomes the best chain above `ancestor`; the blocks replaced are kept as a
  // branch (the newest branches, at most kMostBranchBlocks in all).
  [[nodiscard]] Result<chain::ReorganiseDone> reorganise(chain::Height ancestor);
  static constexpr std::size_t kMostBranchBlocks = 20'000;

  // Bodies (of genesis, too) more than `keep` below the tip go, the lowest first, at most `most`;
  // how many went.
  [[nodiscard]] Result<std::size_t> prune(std::uint64_t keep, std::size_t most);
  [[nodiscard]] Result<std::optional<chain::Height>> lowest_body() const;

  // The history of forks, newest first, at most 200; a fork is known by when it was seen.
  [[nodiscard]] Result<void> save_fork(const ForkView& fork);
  [[nodiscard]] Result<std::vector<ForkView>> forks(std::size_t most) const;

  [[nodiscard]] Result<void> set_paused(bool paused);  // `timectl sync pause`, over restarts
  [[nodiscard]] Result<bool> paused() const;

 private:
  struct State;
  explicit ChainFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace timectl::store
