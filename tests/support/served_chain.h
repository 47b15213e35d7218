#pragma once
// A chain that scripted peers serve: immutable, shared by all who serve it. Made by the words of a
// script, or by a test from blocks of a ChainMaker, also of a branch.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/chain/verify.h"
#include "daemon/wire/network_params.h"

namespace timectl::test {

class ServedChain {
 public:
  using Block = std::vector<std::uint8_t>;  // encoded

  // The genesis block and those above it, in order. Throws std::invalid_argument where one is no
  // block; that they link is the test's matter.
  ServedChain(wire::Network network, std::vector<Block> above_genesis);

  // Of ChainMaker, without signatures; made once in the process for each seed and count.
  [[nodiscard]] static std::shared_ptr<const ServedChain> generated(wire::Network network,
                                                                    std::uint64_t seed,
                                                                    std::size_t count);
  // Every block has the greatest valid size, that of height `over` a byte more. They are made anew
  // each time one is asked for (a tenth of a second), so that none is held; their hashes are made
  // once, as those of generated().
  [[nodiscard]] static std::shared_ptr<const ServedChain> huge(wire::Network network,
                                                               std::uint64_t seed,
                                                               std::size_t count,
                                                               std::optional<std::uint64_t> over);

  [[nodiscard]] std::uint64_t height() const { return places_.size() - 1; }
  // Up to height().
  [[nodiscard]] const wire::Hash32& hash(std::uint64_t height) const;
  [[nodiscard]] Block block(std::uint64_t height) const;
  // How many of its blocks one answer has.
  [[nodiscard]] std::uint64_t batch() const;

 private:
  explicit ServedChain(wire::Network network);
  [[nodiscard]] Block make_huge(std::uint64_t height) const;

  wire::Network network_;
  std::vector<chain::Parent> places_;  // by height
  std::vector<Block> blocks_;          // by height; of a huge chain the genesis block alone
  std::uint64_t seed_ = 0;
  std::optional<std::uint64_t> over_;
};

}  // namespace timectl::test
