#pragma once
// The stored chain as the coordinator and the answers to peers see it, and the values that go in
// and out of it. store/chain_file.h has the real one; tests keep one in memory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/chain/height_truth.h"
#include "daemon/chain/verify.h"
#include "daemon/core/time.h"
#include "daemon/wire/bytes.h"

namespace timectl::chain {

// What the next block and the views need of the last one.
struct ChainTip {
  Parent block;
  std::int64_t timestamp = 0;  // Unix seconds
  friend bool operator==(const ChainTip&, const ChainTip&) = default;
};

// One verified block on its way into the store. Borrows.
struct ChainBlock {
  Height height = 0;
  wire::Hash32 hash{};
  std::uint64_t treasury_balance = 0;
  std::int64_t timestamp = 0;
  std::size_t header_size = 0;  // bytes at the beginning of `raw` that are its header
  wire::Bytes raw;              // as received; served again byte for byte
};

// The best chain, read on the network thread: each call is one look at an index.
class ChainView {
 public:
  virtual ~ChainView() = default;
  [[nodiscard]] virtual ChainTip tip() const = 0;  // at least the genesis block
  [[nodiscard]] virtual std::optional<ChainTip> at(Height height) const = 0;
  [[nodiscard]] virtual std::optional<wire::Hash32> hash_at(Height height) const = 0;
  // Encoded blocks first..last in order: stops before the first whose body is not kept, and
  // before `most_bytes` are exceeded (never with fewer than one block for that).
  [[nodiscard]] virtual std::vector<std::vector<std::uint8_t>> bodies(
      Height first, Height last, std::size_t most_bytes) const = 0;
};

// A BlocksResponse as it came, decoded again by whoever verifies it.
struct BlockBatch {
  std::vector<std::uint8_t> payload;  // of the frame
  std::vector<Height> heights;        // of its blocks in their order
};

}  // namespace timectl::chain
