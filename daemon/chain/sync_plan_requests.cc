// The part of SyncPlan that chooses: whom to ask for which heights, and when there is more to do.
#include <algorithm>
#include <tuple>

#include "daemon/chain/sync_plan.h"

namespace timectl::chain {

bool SyncPlan::usable(const Source& source) const {
  return source.connected && source.claim &&
         (!source.dropped_until || *source.dropped_until <= now_);
}

bool SyncPlan::regular_too() const {
  std::size_t masternodes = 0;
  for (const auto& [ip, source] : sources_) {
    if (!usable(source) || !masternode_(ip)) continue;
    if (*source.claim > height_ || ++masternodes >= policy_.witnesses) return false;
  }
  return true;
}

Height SyncPlan::target() const {
  const bool regular = regular_too();
  Height highest = height_;
  for (const auto& [ip, source] : sources_) {
    const bool counts = usable(source) && (regular || masternode_(ip));
    if (counts) highest = std::max(highest, *source.claim);
  }
  return highest;
}

std::vector<IpAddress> SyncPlan::ready(Instant now) const {
  const bool regular = regular_too();
  std::vector<std::pair<const Source*, IpAddress>> found;
  for (const auto& [ip, source] : sources_) {
    const bool idle = usable(source) && !source.request && source.wait_until <= now;
    const bool ahead = idle && *source.claim > height_ && (regular || masternode_(ip));
    if (ahead) found.emplace_back(&source, ip);
  }
  const Height end = window();
  std::map<IpAddress, bool> poor;
  if (poorly_) {
    for (const auto& [source, ip] : found) poor[ip] = poorly_(ip);
  }
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    const Height reach_a = std::min(*a.first->claim, end);
    const Height reach_b = std::min(*b.first->claim, end);
    if (reach_a != reach_b) return reach_a > reach_b;
    if (poorly_ && poor[a.second] != poor[b.second]) return poor[b.second];
    return std::tuple(a.first->pace, a.first->lot, a.second) <
           std::tuple(b.first->pace, b.first->lot, b.second);
  });
  std::vector<IpAddress> ips(found.size());
  std::transform(found.begin(), found.end(), ips.begin(),
                 [](const auto& entry) { return entry.second; });
  return ips;
}

bool SyncPlan::repeats(const Source& source, const Range& range, Instant now) const {
  return std::any_of(source.sent.begin(), source.sent.end(), [&](const auto& sent) {
    return sent.range.first == range.first && sent.range.last == range.last &&
           now - sent.at < policy_.repeat_after;
  });
}

bool SyncPlan::within_limits(const Source& source, const Range& range, Instant now) const {
  std::size_t recent = 0;
  std::size_t similar = 0;
  const auto near = [&](Height a, Height b) {
    return (a > b ? a - b : b - a) <= policy_.similar_within;
  };
  for (const auto& sent : source.sent) {
    if (now - sent.at < policy_.request_window) ++recent;
    const bool counts = now - sent.at < policy_.similar_window;
    if (counts && near(sent.range.first, range.first) && near(sent.range.last, range.last)) {
      ++similar;
    }
  }
  return recent < policy_.requests && similar < policy_.similar_requests;
}

// When the oldest of what counts against it counts no more; a moment too early costs one look.
Instant SyncPlan::free_again(const Source& source) const {
  Instant earliest = Instant::max();
  for (const auto& sent : source.sent) {
    for (const auto window :
         {policy_.request_window, policy_.similar_window, policy_.repeat_after}) {
      if (sent.at + window > now_) earliest = std::min(earliest, sent.at + window);
    }
  }
  return earliest;
}

Height SyncPlan::window() const {
  return (verifying_ ? buffer_.begin()->first - 1 : height_) + policy_.buffer_blocks;
}

// Slow is a comparison: the only peer there is, however slow, is the best there is.
bool SyncPlan::slow(const IpAddress& ip, Duration took) const {
  if (took <= policy_.slow_answer) return false;
  const double pace = sources_.at(ip).pace;
  return std::any_of(sources_.begin(), sources_.end(), [&](const auto& entry) {
    const Source& other = entry.second;
    const bool rival = entry.first != ip && usable(other) && other.pace > 0 &&
                       *other.claim > height_ && (masternode_(entry.first) || !masternode_(ip));
    return rival && pace > other.pace * policy_.slow_factor;
  });
}

std::optional<SyncPlan::Range> SyncPlan::gap(Height end) const {
  std::vector<Range> taken;
  for (const auto& [first, batch] : buffer_) taken.push_back({first, batch.last});
  for (const auto& [ip, source] : sources_) {
    if (source.request && !source.request->stale) taken.push_back(source.request->range);
  }
  std::sort(taken.begin(), taken.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  Height next = height_ + 1;
  for (const auto& range : taken) {
    if (range.first > next) {
      end = std::min(end, range.first - 1);
      break;
    }
    next = std::max(next, range.last + 1);
  }
  if (next > end) return std::nullopt;
  return Range{next, end};
}

std::size_t SyncPlan::batch_for(const Source& source) const {
  // An answer is one frame; asking for more than comes in it would only be cut (protocol 9.8).
  const double share = static_cast<double>(policy_.buffer_bytes) /
                       static_cast<double>(std::max<std::size_t>(policy_.peers_at_once, 1));
  const auto by_size = static_cast<std::size_t>(std::max(share / block_bytes_, 1.0));
  return std::max<std::size_t>(std::min({source.batch, policy_.batch, by_size}), 1);
}

std::size_t SyncPlan::reserved_bytes() const {
  double bytes = static_cast<double>(buffered_bytes_);
  for (const auto& [ip, source] : sources_) {
    if (!source.request || source.request->stale) continue;
    const auto& [first, last] = source.request->range;
    bytes += static_cast<double>(last - first + 1) * block_bytes_;
  }
  return static_cast<std::size_t>(bytes);
}

bool SyncPlan::ask(const IpAddress& ip, Instant now) {
  Source& source = sources_.at(ip);
  auto range = gap(std::min(*source.claim, window()));
  if (!range) return false;
  range->last = std::min<Height>(range->last, range->first + batch_for(source) - 1);
  const double more = static_cast<double>(range->last - range->first + 1) * block_bytes_;
  const bool in_order = range->first == height_ + 1;
  if (!in_order &&
      static_cast<double>(reserved_bytes()) + more > static_cast<double>(policy_.buffer_bytes)) {
    return false;
  }
  while (!source.sent.empty() && now - source.sent.front().at >= policy_.similar_window &&
         now - source.sent.front().at >= policy_.request_window) {
    source.sent.pop_front();
  }
  while (range->last > range->first && repeats(source, *range, now)) --range->last;
  if (repeats(source, *range, now) || !within_limits(source, *range, now)) return false;
  source.sent.push_back({*range, now});
  source.request = Request{*range, now};
  commands_.emplace_back(RequestBlocks{ip, range->first, range->last});
  return true;
}

void SyncPlan::fill(Instant now) {
  if (phase_ == SyncPhase::idle || paused_ || !policy_.enabled) return;
  auto busy = static_cast<std::size_t>(
      std::count_if(sources_.begin(), sources_.end(),
                    [](const auto& entry) { return entry.second.request.has_value(); }));
  for (const auto& ip : ready(now)) {
    if (busy >= policy_.peers_at_once) return;
    if (ask(ip, now)) ++busy;
  }
}

std::vector<IpAddress> SyncPlan::asked() const {
  std::vector<IpAddress> ips;
  for (const auto& [ip, source] : sources_) {
    if (source.request) ips.push_back(ip);
  }
  return ips;
}

std::optional<DropReason> SyncPlan::dropped(const IpAddress& ip) const {
  const auto at = sources_.find(ip);
  const bool is =
      at != sources_.end() && at->second.dropped_until && *at->second.dropped_until > now_;
  return is ? std::optional(at->second.reason) : std::nullopt;
}

Instant SyncPlan::next_tick() const {
  Instant next = std::min(pass_due_, poll_due_);
  const bool active = phase_ != SyncPhase::idle && !paused_;
  const auto later = [&](Instant at) {
    if (at > now_) next = std::min(next, at);
  };
  for (const auto& [ip, source] : sources_) {
    if (source.request) next = std::min(next, source.request->at + policy_.answer_timeout);
    if (!active || !source.connected || source.request) continue;
    later(source.wait_until);
    if (source.dropped_until) later(*source.dropped_until);
    if (!source.sent.empty()) later(free_again(source));
  }
  if (phase_ == SyncPhase::syncing && !stalled_) later(progress_at_ + policy_.stall_after);
  return next;
}

}  // namespace timectl::chain
