#include "daemon/chain/sync_plan.h"

#include <algorithm>

namespace timectl::chain {

SyncPlan::SyncPlan(const PlanPolicy& policy, Height height, std::uint64_t seed, Instant now,
                   std::function<bool(const IpAddress&)> masternode)
    : policy_(policy),
      height_(height),
      random_(seed),
      masternode_(std::move(masternode)),
      now_(now),
      pass_due_(now + policy.interval),  // the first source is a hint
      last_pass_(now - policy.hint_gap),
      poll_due_(now),
      progress_at_(now),
      block_bytes_(static_cast<double>(policy.block_bytes)) {}

void SyncPlan::set_policy(const PlanPolicy& policy, Instant now) {
  policy_ = policy;
  if (!policy_.enabled) abandon();
  pass_due_ = std::min(pass_due_, now + policy_.interval);
  poll_due_ = std::min(poll_due_, now + policy_.poll_interval);
  tick(now);
}

// None where all rows are of connected peers: the slots hold no more, so a bug elsewhere.
SyncPlan::Source* SyncPlan::row_of(const IpAddress& ip) {
  const auto at = sources_.find(ip);
  if (at != sources_.end()) return &at->second;
  forget_sources();
  if (sources_.size() >= policy_.max_sources && !forget_one()) return nullptr;
  Source& source = sources_[ip];
  source.batch = policy_.batch;
  source.lot = random_.next();
  return &source;
}

void SyncPlan::on_source(const IpAddress& ip, std::optional<Height> claim, Instant now) {
  now_ = std::max(now_, now);
  Source* source = row_of(ip);
  if (source == nullptr) return;
  source->connected = true;
  source->claim = claim;
  if (phase_ != SyncPhase::syncing && target() > height_ + policy_.threshold) on_hint(now);
  fill(now);
  settle(now);
}

void SyncPlan::on_left(const IpAddress& ip, Instant now) {
  now_ = std::max(now_, now);
  const auto at = sources_.find(ip);
  if (at == sources_.end()) return;
  at->second.connected = false;
  at->second.claim.reset();
  at->second.request.reset();
  forget_sources();
  fill(now);
  settle(now);
}

// Who left is kept only while it is to be left alone, or its requests still count against it.
void SyncPlan::forget_sources() {
  std::erase_if(sources_, [&](const auto& entry) {
    const Source& source = entry.second;
    const bool dropped = source.dropped_until && *source.dropped_until > now_;
    const bool counts =
        !source.sent.empty() && now_ - source.sent.back().at <= policy_.similar_window;
    return !source.connected && !dropped && !counts;
  });
}

// Makes room for a connected one: who left and has the least time to be left alone.
bool SyncPlan::forget_one() {
  auto least = sources_.end();
  for (auto at = sources_.begin(); at != sources_.end(); ++at) {
    if (at->second.connected) continue;
    const bool less =
        least == sources_.end() || at->second.dropped_until < least->second.dropped_until;
    if (less) least = at;
  }
  if (least == sources_.end()) return false;
  sources_.erase(least);
  return true;
}

void SyncPlan::on_hint(Instant now) {
  pass_due_ = std::min(pass_due_, std::max(now, last_pass_ + policy_.hint_gap));
}

Use SyncPlan::on_blocks(const IpAddress& ip, std::span<const Height> heights, std::size_t bytes,
                        Instant now) {
  now_ = std::max(now_, now);
  const auto at = sources_.find(ip);
  if (at == sources_.end() || !at->second.request) return Use::ignore;  // nobody asked
  Source& source = at->second;
  const Request request = *source.request;
  source.request.reset();
  const Range& range = request.range;
  bool fits = heights.size() <= range.last - range.first + 1;
  for (std::size_t i = 0; fits && i < heights.size(); ++i) fits = heights[i] == range.first + i;
  bool kept = false;
  if (request.stale) {
    // Asked for before our chain changed.
  } else if (!fits) {
    drop(ip, DropReason::wrong_range, range.first, now);
  } else if (heights.empty()) {
    source.wait_until = now + policy_.empty_wait;
    if (++source.empties >= policy_.empty_answers) drop(ip, DropReason::empty, range.first, now);
  } else {
    learn_from(ip, range, heights.size(), bytes, now - request.at);
    kept = keep(ip, {range.first, heights.back()}, bytes);
    if (slow(ip, now - request.at)) drop(ip, DropReason::slow, range.first, now);
    verify_next();
  }
  fill(now);
  settle(now);
  return kept ? Use::keep : Use::ignore;
}

void SyncPlan::learn_from(const IpAddress& ip, const Range& asked, std::size_t blocks,
                          std::size_t bytes, Duration took) {
  Source& source = sources_.at(ip);
  const double count = static_cast<double>(blocks);
  const double pace = seconds(took) / count;
  source.pace = source.pace == 0 ? pace : source.pace * 0.75 + pace * 0.25;
  source.empties = 0;
  // A short answer is as much as it gives at once; a full one may become a larger one.
  const bool full = blocks == asked.last - asked.first + 1;
  source.batch = full ? std::min(source.batch * 2, policy_.batch) : blocks;
  block_bytes_ = std::max((block_bytes_ + static_cast<double>(bytes) / count) / 2, 1.0);
}

bool SyncPlan::keep(const IpAddress& ip, const Range& range, std::size_t bytes) {
  buffer_[range.first] = {range.last, ip, bytes};
  buffered_blocks_ += range.last - range.first + 1;
  buffered_bytes_ += bytes;
  // Over the limit the last in order go: the first will be wanted soonest.
  while (buffered_bytes_ > policy_.buffer_bytes && buffer_.size() > 1) {
    const auto highest = std::prev(buffer_.end());
    const bool itself = highest->first == range.first;
    take_back(highest);
    if (!itself) continue;
    commands_.pop_back();  // nobody holds it yet
    return false;
  }
  return true;
}

void SyncPlan::verify_next() {
  if (verifying_ || buffer_.empty() || buffer_.begin()->first != height_ + 1) return;
  verifying_ = true;
  const auto& [first, batch] = *buffer_.begin();
  commands_.emplace_back(VerifyBlocks{batch.peer, first, batch.last});
}

void SyncPlan::on_verified(Height upto, Instant now) {
  now_ = std::max(now_, now);
  if (!verifying_ || upto <= height_ || upto > buffer_.begin()->second.last) return;
  height_ = upto;
  progress_at_ = now;
  stalled_ = false;
  const auto at = buffer_.begin();
  if (upto == at->second.last) {
    const auto source = sources_.find(at->second.peer);
    if (source != sources_.end()) source->second.strikes = 0;
    buffered_blocks_ -= at->second.last - at->first + 1;
    buffered_bytes_ -= at->second.bytes;
    buffer_.erase(at);
    verifying_ = false;
    verify_next();
  }
  fill(now);
  settle(now);
}

void SyncPlan::on_bad(Height at, DropReason reason, Instant now) {
  now_ = std::max(now_, now);
  if (!verifying_) return;
  const auto batch = buffer_.begin();
  const auto peer = batch->second.peer;
  if (at < batch->first || at > batch->second.last) return;
  height_ = std::max(height_, at - 1);
  verifying_ = false;
  take_back(batch);
  drop(peer, reason, at, now);
  verify_next();
  fill(now);
  settle(now);
}

void SyncPlan::on_chain(Height height, Instant now) {
  now_ = std::max(now_, now);
  abandon();
  height_ = height;
  progress_at_ = now;
  fill(now);
  settle(now);
}

void SyncPlan::on_fork_settled(const IpAddress& ip, Instant now) {
  now_ = std::max(now_, now);
  const auto at = sources_.find(ip);
  if (at == sources_.end() || at->second.reason != DropReason::other_branch) return;
  at->second.dropped_until.reset();
  fill(now);
}

void SyncPlan::on_paused(bool paused, Instant now) {
  paused_ = paused;
  progress_at_ = std::max(progress_at_, now);
  tick(now);
}

void SyncPlan::take_back(Buffer::iterator at) {
  commands_.emplace_back(DiscardBlocks{at->first, at->second.last});
  buffered_blocks_ -= at->second.last - at->first + 1;
  buffered_bytes_ -= at->second.bytes;
  buffer_.erase(at);
}

void SyncPlan::take_back_from(const IpAddress& ip) {
  for (auto at = buffer_.begin(); at != buffer_.end();) {
    const auto next = std::next(at);
    const bool in_hand = verifying_ && at == buffer_.begin();
    if (at->second.peer == ip && !in_hand) take_back(at);
    at = next;
  }
}

void SyncPlan::abandon() {
  verifying_ = false;
  while (!buffer_.empty()) take_back(buffer_.begin());
  for (auto& [ip, source] : sources_) {
    if (source.request) source.request->stale = true;
  }
}

void SyncPlan::drop(const IpAddress& ip, DropReason reason, Height at, Instant now) {
  static constexpr Duration PlanPolicy::*kBase[] = {
      // in the order of DropReason
      &PlanPolicy::silent_drop, &PlanPolicy::silent_drop, &PlanPolicy::silent_drop,
      &PlanPolicy::early_drop,  &PlanPolicy::wrong_drop,  &PlanPolicy::bad_drop,
      &PlanPolicy::wrong_drop};
  Duration length = policy_.*kBase[static_cast<std::size_t>(reason)];
  Source* row = row_of(ip);  // it may have left since it served that
  if (row == nullptr) return;
  Source& source = *row;
  if (reason != DropReason::too_early) {  // that is our clock's doing, or its
    for (std::size_t i = 0; i < source.strikes && length < policy_.longest_drop; ++i) length *= 2;
    length = std::min(length, policy_.longest_drop);
    ++source.strikes;
  }
  source.empties = 0;
  source.reason = reason;
  source.dropped_until = now + length;
  const bool lied = reason >= DropReason::wrong_range;  // what else it served is not worth a look
  if (lied) take_back_from(ip);
  commands_.emplace_back(DropSource{ip, reason, at, length});
}

void SyncPlan::expire(Instant now) {
  for (auto& [ip, source] : sources_) {
    if (!source.request || now - source.request->at < policy_.answer_timeout) continue;
    const Height first = source.request->range.first;
    source.request.reset();
    source.batch = std::max<std::size_t>(source.batch / 2, 1);  // large blocks on a slow path
    drop(ip, DropReason::stalled, first, now);
  }
}

void SyncPlan::pass(Instant now) {
  last_pass_ = now;
  pass_due_ = now + policy_.interval;
  const Height to = target();
  if (phase_ == SyncPhase::syncing || to <= height_ + policy_.threshold) return;
  phase_ = SyncPhase::syncing;
  progress_at_ = now;
  stalled_ = false;
  commands_.emplace_back(SyncChanged{SyncNews::started, height_, to});
}

void SyncPlan::tick(Instant now) {
  now_ = std::max(now_, now);
  expire(now);
  const bool active = policy_.enabled && !paused_;
  if (now >= pass_due_) {
    pass_due_ = now + policy_.interval;
    if (active) pass(now);
  }
  if (now >= poll_due_) {
    poll_due_ = now + policy_.poll_interval;
    commands_.emplace_back(PollTips{});  // also when nothing is fetched: the lag must be known
    if (active && phase_ == SyncPhase::idle && target() > height_ &&
        target() <= height_ + policy_.threshold) {
      phase_ = SyncPhase::fetching;
    }
  }
  fill(now);
  settle(now);
}

void SyncPlan::settle(Instant now) {
  if (phase_ == SyncPhase::idle) return;
  const bool syncing = phase_ == SyncPhase::syncing;
  const bool somebody = std::any_of(sources_.begin(), sources_.end(),
                                    [&](const auto& entry) { return usable(entry.second); });
  const bool over = somebody && target() <= height_ && buffer_.empty();
  if (over || !policy_.enabled) {
    if (syncing) commands_.emplace_back(SyncChanged{SyncNews::ended, height_, target()});
    phase_ = SyncPhase::idle;
    return;
  }
  if (syncing && !stalled_ && !paused_ && now - progress_at_ >= policy_.stall_after) {
    stalled_ = true;
    commands_.emplace_back(SyncChanged{SyncNews::stalled, height_, target()});
  }
}

std::vector<SyncCommand> SyncPlan::take_commands() {
  return std::exchange(commands_, {});
}

}  // namespace timectl::chain
