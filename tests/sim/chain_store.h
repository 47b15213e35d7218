#pragma once
// ChainStore: the stored chain of a simulated node, in memory, and the jobs on it, done as
// daemon/chain_jobs.h does them: blocks are decoded and verified for real before they are kept. It
// throws where a job would break what the real store promises (blocks that do not link, a
// reorganisation without a branch), because then the coordinator is wrong.

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "daemon/chain/jobs.h"
#include "daemon/wire/arena.h"
#include "tests/sim/chain_made.h"

namespace timectl::sim {

class ChainStore final : public chain::ChainView {
 public:
  ChainStore();  // genesis
  // Blocks of `from` up to `height`, as a node that was in sync there has them.
  void fill(MadeChain& from, Height height);

  [[nodiscard]] chain::ChainTip tip() const override { return best_.back().tip; }
  [[nodiscard]] std::optional<chain::ChainTip> at(Height height) const override;
  [[nodiscard]] std::optional<wire::Hash32> hash_at(Height height) const override;
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> bodies(
      Height first, Height last, std::size_t most_bytes) const override;

  // Does it at once; the time it takes is the caller's to let pass.
  [[nodiscard]] chain::JobDone run(const chain::Job& job);
  // Blocks that the job will have to look at.
  [[nodiscard]] static std::size_t work_of(const chain::Job& job);
  void fail_next(std::size_t jobs) { failing_ = jobs; }  // the disk: an error, nothing done
  [[nodiscard]] bool failing() const { return failing_ > 0; }

  // Links and hashes of the whole best chain, from the bytes. Throws.
  void audit() const;

  [[nodiscard]] std::size_t staged() const { return staged_.size(); }
  std::size_t verified = 0;  // blocks
  std::size_t pruned = 0;

 private:
  struct Kept {
    chain::ChainTip tip;
    std::vector<std::uint8_t> raw;
  };

  [[nodiscard]] chain::JobDone verify(const chain::VerifyJob& job);
  [[nodiscard]] chain::JobDone reorganise(const chain::ReorganiseJob& job);
  [[nodiscard]] const chain::ChainTip* under(const chain::VerifyJob& job) const;

  std::deque<Kept> best_;
  std::vector<Kept> staged_;
  wire::Arena arena_;
  std::size_t failing_ = 0;
};

}  // namespace timectl::sim
