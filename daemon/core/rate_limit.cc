#include "daemon/core/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace timectl {
namespace {

using namespace std::chrono_literals;

// Rounding must not leave a bucket a hair short of the token that next() promised.
constexpr double kRounding = 1e-9;

}  // namespace

double TokenBucket::level(Rate rate, Instant now) const {
  const auto capacity = static_cast<double>(rate.tokens);
  if (!used_ || rate.tokens == 0) return capacity;
  const double refill = seconds(now - since_) * capacity / seconds(rate.period);
  return std::min(capacity, level_ + std::max(refill, 0.0) + kRounding);
}

bool TokenBucket::take(Rate rate, Instant now) {
  const double there = level(rate, now);
  if (there < 1.0) return false;
  used_ = true;
  level_ = there - 1.0;
  since_ = now;
  return true;
}

Instant TokenBucket::next(Rate rate, Instant now) const {
  if (rate.tokens == 0) return now + 24h;
  const double missing = 1.0 - level(rate, now);
  if (missing <= 0) return now;
  const double wait = missing * seconds(rate.period) / static_cast<double>(rate.tokens);
  return now + Duration(static_cast<Duration::rep>(std::ceil(wait * 1e6)));
}

bool BucketTable::available(const IpAddress& key, Rate rate, Instant now) const {
  const auto it = buckets_.find(key);
  return it == buckets_.end() ? rate.tokens > 0 : it->second->bucket.available(rate, now);
}

bool BucketTable::take(const IpAddress& key, Rate rate, Instant now) {
  const auto it = buckets_.find(key);
  if (it != buckets_.end()) {
    order_.splice(order_.begin(), order_, it->second);
  } else {
    if (buckets_.size() >= max_buckets_) {
      buckets_.erase(order_.back().key);
      order_.pop_back();
    }
    order_.push_front({key, {}});
    buckets_.emplace(key, order_.begin());
  }
  return order_.front().bucket.take(rate, now);
}

}  // namespace timectl
