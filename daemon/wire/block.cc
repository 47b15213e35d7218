#include "daemon/wire/block.h"

#include <algorithm>
#include <cstring>

#include "daemon/wire/blake3.h"
#include "daemon/wire/hash.h"

namespace timectl::wire {
namespace {

class Preimage {
 public:
  explicit Preimage(std::size_t size) { bytes_.reserve(size); }
  template <class T>
  Preimage& number(T value) {  // little-endian, like this machine (bincode.h asserts it)
    std::array<std::uint8_t, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof(T));
    return content(bytes);
  }
  Preimage& content(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Preimage& content(Text text) {
    return content({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

std::vector<Hash32> ids_of(const Block& block, MemoInId memo) {
  std::vector<Hash32> ids;
  ids.reserve(block.transactions.size());
  for (const Transaction& tx : block.transactions) ids.push_back(transaction_id(tx, memo));
  return ids;
}

}  // namespace

std::vector<std::uint8_t> hash_preimage(const BlockHeader& header) {
  constexpr std::size_t fixed = 4 + 8 + 32 + 32 + 8 + 8 + 32 + 8 + 8;
  return Preimage(fixed + header.leader.size() + header.active_masternodes_bitmap.size())
      .number(header.version)
      .number(header.height)
      .content(header.previous_hash)
      .content(header.merkle_root)
      .number(header.timestamp)
      .number(header.block_reward)
      .content(header.leader)
      .content(header.vrf_output)
      .number(header.vrf_score)
      .content(header.active_masternodes_bitmap.span())
      .number(header.treasury_balance)
      .take();
}

Hash32 block_hash(const BlockHeader& header) {
  return blake3(hash_preimage(header));
}

Hash32 merkle_root(std::vector<Hash32> leaves) {
  if (leaves.empty()) return Hash32{};
  while (leaves.size() > 1) {
    if (leaves.size() % 2 == 1) leaves.push_back(leaves.back());
    for (std::size_t i = 0; i < leaves.size() / 2; ++i) {
      std::array<std::uint8_t, 64> pair{};
      std::copy(leaves[2 * i].begin(), leaves[2 * i].end(), pair.begin());
      std::copy(leaves[2 * i + 1].begin(), leaves[2 * i + 1].end(), pair.begin() + 32);
      leaves[i] = sha256(pair);
    }
    leaves.resize(leaves.size() / 2);
  }
  return leaves.front();
}

Hash32 merkle_root(const Block& block, MemoInId memo) {
  return merkle_root(ids_of(block, memo));
}

bool merkle_root_matches(const Block& block) {
  return merkle_root(block) == block.header.merkle_root ||
         merkle_root(block, MemoInId::included) == block.header.merkle_root;
}

}  // namespace timectl::wire
