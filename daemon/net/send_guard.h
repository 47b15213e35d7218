#pragma once
// The brake on what we send (protocol 14(5)): far below the limits by which other nodes drop or
// ban, so that no bug of ours and no flood of requests makes us the offender. One per connection;
// Session asks before each frame. Pongs have a bucket of their own: a ping flood ends there.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/core/rate_limit.h"
#include "daemon/core/time.h"
#include "daemon/wire/outgoing.h"

namespace timectl::net {

class SendGuard {
 public:
  // Whether this may go out now; takes from its bucket if so. What may not is dropped, not kept.
  [[nodiscard]] bool allows(const wire::OutgoingMessage& message, Instant now);
  // Whether a message of this index could: asked before an answer that costs something is made.
  [[nodiscard]] bool room(std::size_t index, Instant now) const;

 private:
  struct Range {  // of a GetBlocks: start and end as they stand in the frame
    std::array<std::uint8_t, 16> bytes;
    Instant at;
  };
  [[nodiscard]] bool repeats(const wire::OutgoingMessage& message, Instant now);

  static constexpr std::size_t bucket_count = 8;
  std::array<TokenBucket, bucket_count> buckets_;
  std::vector<Range> ranges_;  // asked for in the last 2 s, so at most 40
};

}  // namespace timectl::net
