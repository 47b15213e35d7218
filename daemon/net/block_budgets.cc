#include "daemon/net/block_budgets.h"

#include <algorithm>
#include <utility>

namespace timectl::net {
namespace {

// Of an answer with blocks, theirs or ours: 8 MiB at 1.1 Mbit/s, or 50 usual blocks at 10 kbit/s.
constexpr Duration kAnswerTime = std::chrono::seconds(60);

}  // namespace

void AskedBytes::forget_old(Instant now) {
  if (outstanding_ && now - since_ >= kAnswerTime) answered();
}

void AskedBytes::asked(std::size_t most, Instant now) {
  forget_old(now);
  if (std::exchange(outstanding_, true)) return;
  left_ = most;
  since_ = now;
}

std::size_t AskedBytes::unasked(std::size_t bytes, Instant now) {
  forget_old(now);
  const std::size_t free = std::min(bytes, left_);
  left_ -= free;
  return bytes - free;
}

bool ServedBytes::hold(std::size_t bytes, Instant now) {
  if (!room(bytes)) return false;
  held_ = bytes;
  since_ = now;
  pool_.held_ += bytes;
  return true;
}

void ServedBytes::sent() {
  pool_.held_ -= std::exchange(held_, 0);
}

bool ServedBytes::overdue(Instant now) const {
  return held_ > 0 && now - since_ >= kAnswerTime;
}

}  // namespace timectl::net
