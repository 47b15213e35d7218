// Memory of one decoded message: the lists a decoder builds are bump-allocated here and released
// all at once. Owned by whoever decodes (a session, a command, a test) and reused for message after
// message. Promises that the sum of its allocations never exceeds the budget given to begin(), so a
// hostile frame cannot grow in memory; only trivially destructible types may live here.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace timectl::wire {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Forgets everything allocated so far. Keeps at most one block of 256 KiB for the next message.
  // `expected` (bytes) sizes the first block; `budget` (bytes) bounds all of them together.
  void begin(std::size_t budget, std::size_t expected);

  // Room for `count` objects, not constructed, or nullptr when the budget is spent. The caller has
  // bounded `count` so that the product does not overflow (it is at most the frame's size).
  template <class T>
  [[nodiscard]] T* room_for(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignment);
    return static_cast<T*>(allocate(count * sizeof(T)));
  }

  // Bytes set aside for the current message, at most the budget.
  [[nodiscard]] std::size_t held() const { return held_; }

 private:
  static constexpr std::size_t alignment = 16;
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };

  void* allocate(std::size_t bytes) {
    const std::size_t rounded = (bytes + alignment - 1) & ~(alignment - 1);
    if (rounded <= free_) {
      std::byte* place = next_;
      next_ += rounded;
      free_ -= rounded;
      return place;
    }
    return allocate_slowly(rounded);
  }
  void* allocate_slowly(std::size_t bytes);
  std::byte* add_block(std::size_t bytes);

  std::vector<Block> blocks_;
  std::byte* next_ = nullptr;
  std::size_t free_ = 0;
  std::size_t held_ = 0;
  std::size_t budget_ = 0;
  std::size_t block_size_ = 0;
};

}  // namespace timectl::wire
