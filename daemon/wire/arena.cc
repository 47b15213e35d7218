#include "daemon/wire/arena.h"

#include <algorithm>

namespace timectl::wire {
namespace {

constexpr std::size_t kept_block = std::size_t{256} << 10;
constexpr std::size_t smallest_block = 1024;

}  // namespace

void Arena::begin(std::size_t budget, std::size_t expected) {
  budget_ = budget;
  block_size_ = std::clamp(expected, smallest_block, kept_block);
  next_ = nullptr;
  free_ = 0;
  held_ = 0;
  Block kept;
  for (Block& block : blocks_) {
    if (block.size <= kept_block && block.size > kept.size) kept = std::move(block);
  }
  blocks_.clear();
  if (kept.size == 0) return;
  next_ = kept.bytes.get();
  free_ = std::min(kept.size, budget);  // what is spent is bounded, however large the block
  held_ = free_;
  blocks_.push_back(std::move(kept));
}

std::byte* Arena::add_block(std::size_t bytes) {
  // new[] without parentheses: the memory is written before it is read, zeroing it would cost more
  // than decoding.
  Block block{std::unique_ptr<std::byte[]>(new std::byte[bytes]), bytes};
  std::byte* start = block.bytes.get();
  held_ += bytes;
  blocks_.push_back(std::move(block));
  return start;
}

void* Arena::allocate_slowly(std::size_t bytes) {
  const std::size_t left = budget_ - std::min(held_, budget_);
  if (bytes > left) return nullptr;
  // A large list gets a block of its own, so that at most a quarter of each block is lost at its
  // end.
  if (bytes > block_size_ / 4) return add_block(bytes);
  const std::size_t size = std::min(block_size_, left);
  next_ = add_block(size);
  free_ = size;
  block_size_ = std::min(block_size_ * 2, kept_block);
  void* place = next_;
  next_ += bytes;
  free_ -= bytes;
  return place;
}

}  // namespace timectl::wire
