// Puts generated chains into chain.db: for tests of the store, which want blocks in its form, and
// for tests of whole nodes, which want a node that begins at some height. `timectl_chain_fill` is
// the same as a program.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "store/chain_file.h"
#include "tests/support/chain_maker.h"

namespace timectl::test {

// Encoded blocks with what the store is to know of them. Nothing is verified.
class BlocksToStore {
 public:
  explicit BlocksToStore(std::vector<std::vector<std::uint8_t>> raw);
  BlocksToStore(BlocksToStore&&) = default;
  BlocksToStore& operator=(BlocksToStore&&) = default;

  [[nodiscard]] std::span<const chain::ChainBlock> blocks() const { return blocks_; }
  [[nodiscard]] const std::vector<std::vector<std::uint8_t>>& raw() const { return raw_; }
  [[nodiscard]] chain::ChainTip tip_of(std::size_t index) const;

 private:
  std::vector<std::vector<std::uint8_t>> raw_;
  std::vector<chain::ChainBlock> blocks_;
};

// Appends `count` blocks of the maker, which stands where the file's chain ends.
[[nodiscard]] Result<void> fill(store::ChainFile& file, ChainMaker& maker, std::size_t count);

struct FillOptions {
  std::filesystem::path directory;  // made if need be; its lock is held meanwhile
  ChainOptions chain = {};
  std::size_t count = 0;  // blocks above genesis
  // Above `at` not the chain of `chain.seed` but `count` blocks of another seed: what a node holds
  // that is on another branch.
  struct Branch {
    std::size_t at = 0;
    std::uint64_t seed = 0;
    std::size_t count = 0;
  };
  std::optional<Branch> branch = {};
};
[[nodiscard]] Result<chain::ChainTip> fill_directory(const FillOptions& options);

}  // namespace timectl::test
