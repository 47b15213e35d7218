#include "daemon/write_gate.h"

namespace timectl {

bool WriteGate::open(Now now) const {
  // After an input/output error writing is off until the recorder has reopened the file.
  return !database_.batch_open() && !database_.write_failure() && now.mono >= retry_at_;
}

Result<void> WriteGate::take(Result<void> done, Now now) {
  if (done) {
    own_.reset();
    locked_since_.reset();
    return done;
  }
  if (done.error().code == Code::database_locked) {
    if (!locked_since_) locked_since_ = now.mono;
    if (now.mono - *locked_since_ < kLockPatience) return {};
  }
  own_ = done.error();
  retry_at_ = now.mono + kRetryAfter;
  return done;
}

const std::optional<Error>& WriteGate::failure() const {
  if (database_.write_failure()) return database_.write_failure();
  return own_ ? own_ : elsewhere_;
}

}  // namespace timectl
