#pragma once
// Rate limits by token bucket: of the whole node (TokenBucket) and per key in a table of bounded
// size (BucketTable), so that an attacker with many addresses costs a constant amount of memory.
// Used by admission (S3) and the dial budget (R7). Pure: the caller passes the time.

#include <cstddef>
#include <list>
#include <unordered_map>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"

namespace timectl {

// `tokens` in each `period`, and as many at once. No tokens means nothing is ever allowed.
struct Rate {
  std::size_t tokens = 1;
  Duration period = std::chrono::seconds(1);
};

class TokenBucket {
 public:
  [[nodiscard]] bool available(Rate rate, Instant now) const { return level(rate, now) >= 1.0; }
  // Takes one token, or says that there is none.
  [[nodiscard]] bool take(Rate rate, Instant now);
  // When a token will be there; `now` where one is. Far away for a rate of none.
  [[nodiscard]] Instant next(Rate rate, Instant now) const;

 private:
  [[nodiscard]] double level(Rate rate, Instant now) const;

  bool used_ = false;  // an unused bucket is full, whatever its rate turns out to be
  double level_ = 0;   // tokens at `since_`
  Instant since_{};
};

class BucketTable {
 public:
  explicit BucketTable(std::size_t max_buckets) : max_buckets_(max_buckets) {}
  [[nodiscard]] bool available(const IpAddress& key, Rate rate, Instant now) const;
  // The table drops its least recently used bucket when it is full: with tables larger than the
  // tokens that one period allows, a forgotten bucket was full again or nearly so.
  [[nodiscard]] bool take(const IpAddress& key, Rate rate, Instant now);
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  struct Slot {
    IpAddress key;
    TokenBucket bucket;
  };
  std::size_t max_buckets_;
  std::list<Slot> order_;  // most recently used first
  std::unordered_map<IpAddress, std::list<Slot>::iterator> buckets_;
};

}  // namespace timectl
