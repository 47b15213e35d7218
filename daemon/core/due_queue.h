#pragma once
// DueQueue: one due time per key, the earliest first. The node keeps two: of connections
// (liveness) and of addresses (dials), so that next_tick() costs nothing however many there are.

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "daemon/core/time.h"

namespace timectl {

template <class Key>
class DueQueue {
 public:
  void set(const Key& key, Instant at) {
    const auto [it, inserted] = times_.try_emplace(key, at);
    if (!inserted) {
      if (it->second == at) return;
      order_.erase({it->second, key});
      it->second = at;
    }
    order_.insert({at, key});
  }

  void erase(const Key& key) {
    const auto it = times_.find(key);
    if (it == times_.end()) return;
    order_.erase({it->second, key});
    times_.erase(it);
  }

  [[nodiscard]] std::optional<Instant> earliest() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }

  // The first key that is due at `now`; it stays in the queue until set() or erase().
  [[nodiscard]] std::optional<Key> due(Instant now) const {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    return order_.begin()->second;
  }

  // The keys that are due at `now`, the earliest first, at most `most` of them.
  template <class Visit>
  void for_due(Instant now, std::size_t most, Visit&& visit) const {
    for (const auto& [at, key] : order_) {
      if (at > now || most-- == 0) return;
      visit(key);
    }
  }

  [[nodiscard]] std::optional<Instant> find(const Key& key) const {
    const auto it = times_.find(key);
    if (it == times_.end()) return std::nullopt;
    return it->second;
  }

  [[nodiscard]] std::size_t size() const { return times_.size(); }

 private:
  std::map<Key, Instant> times_;
  std::set<std::pair<Instant, Key>> order_;
};

}  // namespace timectl
