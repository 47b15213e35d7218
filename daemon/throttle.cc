#include "daemon/throttle.h"

namespace timectl {

void Throttle::begin_interval(Instant now) {
  if (interval_began_ && now - *interval_began_ < limits_.interval) return;
  interval_began_ = now;
  passed_ = 0;
  std::erase_if(seen_, [&](const auto& item) {
    return item.second.left_out == 0 && now - item.second.passed_at >= limits_.interval;
  });
}

std::optional<std::uint64_t> Throttle::admit(const Event& event, Instant now) {
  if (event.whitelisted || !event.peer) return 0;
  begin_interval(now);
  const auto key = std::pair(event.kind, *event.peer);
  auto found = seen_.find(key);
  if (found != seen_.end() && now - found->second.passed_at < limits_.interval) {
    ++found->second.left_out;
    return std::nullopt;
  }
  if (passed_ >= limits_.per_interval || (found == seen_.end() && seen_.size() >= limits_.table)) {
    ++dropped_;
    return std::nullopt;
  }
  ++passed_;
  if (found == seen_.end()) found = seen_.emplace(key, Seen{now, 0}).first;
  found->second.passed_at = now;
  return std::exchange(found->second.left_out, 0);
}

}  // namespace timectl
