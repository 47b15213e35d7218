#pragma once
// Whether the database can be written now, for those who write it from the network thread again and
// again (the alerts and their sinks): after a failure they wait kRetryAfter instead of failing at
// every tick, and a full disk or a lock of another process counts as "it cannot be written" like an
// input/output error does. They never wait for a lock, so one that is over soon is no failure.

#include <optional>

#include "daemon/core/result.h"
#include "daemon/core/time.h"
#include "store/database.h"

namespace timectl {

class WriteGate {
 public:
  static constexpr Duration kRetryAfter = std::chrono::seconds(5);    // as the recorder does
  static constexpr Duration kLockPatience = std::chrono::seconds(3);  // longer: somebody keeps it

  explicit WriteGate(const store::Database& database) : database_(database) {}

  // Why another writer of this database fails; none while it does not.
  void note(const std::optional<Error>& elsewhere) { elsewhere_ = elsewhere; }
  // A write may be tried.
  [[nodiscard]] bool open(Now now) const;
  // What became of one. An error comes back unless it is a lock that is younger than kLockPatience.
  [[nodiscard]] Result<void> take(Result<void> done, Now now);
  // Why nothing can be written now, ours or another's.
  [[nodiscard]] const std::optional<Error>& failure() const;

 private:
  const store::Database& database_;
  std::optional<Error> elsewhere_;
  std::optional<Error> own_;
  std::optional<Instant> locked_since_;
  Instant retry_at_ = {};
};

}  // namespace timectl
