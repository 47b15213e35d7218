#include "daemon/throttle.h"

namespace timectl {

void Throttle::begin_interval(Instant now) {
  if (interval_began_ && now - *interval_began_ < limits_.interval) return;
  interval_began_ = now;
  passed_ = 0;
  const auto old = [&](const auto& item) {
    return item.second.left_out == 0 && now - item.second.passed_at >= limits_.interval;
  };
  std::erase_if(seen_, old);
  std::erase_if(whitelisted_, old);
}

std::optional<std::uint64_t> Throttle::admit_whitelisted(const Key& key, Instant now) {
  Seen& seen = whitelisted_.try_emplace(key, Seen{now}).first->second;
  if (now - seen.passed_at >= limits_.interval) {
    seen.passed_at = now;
    seen.passed = 0;
  }
  if (seen.passed >= limits_.per_whitelisted) {
    ++seen.left_out;
    return std::nullopt;
  }
  ++seen.passed;
  return std::exchange(seen.left_out, 0);
}

std::optional<std::uint64_t> Throttle::admit(const Event& event, Instant now) {
  if (event.kind == EventKind::no_masternode_connected) {  // a peer's doing, too
    return admit_whitelisted(Key(event.kind, IpAddress{}), now);
  }
  // What the operator did is no peer's doing.
  const bool by_hand = event.kind == EventKind::promoted || event.by_operator;
  if (!event.peer || by_hand) return 0;
  begin_interval(now);
  const Key key(event.kind, *event.peer);
  if (event.whitelisted) return admit_whitelisted(key, now);
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
