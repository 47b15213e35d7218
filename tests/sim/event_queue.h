#pragma once
// EventQueue: what happens next on the virtual network. A heap of small keys over a pool of
// payloads, because a simulated day has ten million events and they are all paid for here. Events
// at the same time come in the order in which they were made: same seed, same trace.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/core/time.h"

namespace timectl::sim {

template <class Payload>
class EventQueue {
 public:
  void push(Duration at, const Payload& payload) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(pool_.size());
      pool_.push_back(payload);
    } else {
      slot = free_.back();
      free_.pop_back();
      pool_[slot] = payload;
    }
    heap_.push_back({at.count(), ++order_, slot});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] Duration next_at() const { return Duration(heap_.front().at); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

  [[nodiscard]] Payload pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const std::uint32_t slot = heap_.back().slot;
    heap_.pop_back();
    free_.push_back(slot);
    return pool_[slot];
  }

 private:
  struct Key {
    Duration::rep at;
    std::uint32_t order;  // 4 billion events are a year of twenty nodes
    std::uint32_t slot;
  };
  static bool later(const Key& a, const Key& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  std::vector<Key> heap_;
  std::vector<Payload> pool_;
  std::vector<std::uint32_t> free_;
  std::uint32_t order_ = 0;
};

}  // namespace timectl::sim
