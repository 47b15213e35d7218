#pragma once
// Fully valid chains of any length for tests and benchmarks: linked, hashed, on schedule, with
// rewards that add up, VRF scores and producer signatures. Seeded: the same seed gives the same
// chain. A test may change a block's parts before it is sealed, to break exactly one rule.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/chain/verify.h"
#include "daemon/wire/block.h"

namespace timectl::testing {

// A transaction and a block with what they only borrow on the wire.
struct TransactionParts {
  std::uint32_t version = 2;
  std::vector<wire::Hash32> spends = {};  // one input each, of output 0
  std::vector<std::pair<std::vector<std::uint8_t>, std::uint64_t>> pays = {};
  std::int64_t timestamp = 0;
};

struct BlockParts {
  wire::BlockHeader header = {};  // without what follows here
  std::string leader = {};
  std::vector<std::uint8_t> bitmap = {};
  std::vector<std::uint8_t> vrf_proof = {};
  std::vector<TransactionParts> transactions = {};
  std::vector<std::pair<std::string, std::uint64_t>> rewards = {};
  bool fix_root = true;   // the header's root is that of the transactions
  bool fix_input = true;  // the rewards spend the coinbase
  bool sign = true;
};

struct MadeBlock {
  std::vector<std::uint8_t> bytes = {};
  chain::BlockSummary summary = {};
};

class ChainMaker {
 public:
  // `filler` bytes in a third transaction, so that blocks have the size that a test wants.
  explicit ChainMaker(wire::Network network, std::uint64_t seed = 1, std::size_t filler = 0);

  // The next block on top of the last one; `edit` may change it before it is sealed.
  const MadeBlock& next(const std::function<void(BlockParts&)>& edit = {});
  // One that goes nowhere: the chain stays as it is.
  [[nodiscard]] MadeBlock sketch(const std::function<void(BlockParts&)>& edit) const;
  // From here on it grows from this height: a branch.
  void back_to(std::uint64_t height, std::uint64_t seed);

  [[nodiscard]] const chain::BlockSummary& tip() const { return blocks_.back().summary; }
  [[nodiscard]] const std::vector<MadeBlock>& blocks() const { return blocks_; }  // by height
  [[nodiscard]] wire::Hash32 leader_key() const;
  [[nodiscard]] const wire::NetworkParams& params() const { return params_; }
  // A clock at which the tip is just due.
  [[nodiscard]] std::int64_t due() const;

 private:
  [[nodiscard]] BlockParts parts() const;
  [[nodiscard]] MadeBlock seal(BlockParts& parts) const;
  const wire::NetworkParams& params_;
  std::uint64_t seed_;
  std::size_t filler_;
  std::vector<MadeBlock> blocks_;
};

}  // namespace timectl::testing
