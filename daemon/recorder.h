#pragma once
// Where typed events go: the log at once, the followers at once, the history in the next batch.
// One event, four readers, no second place that words it; the counters of /metrics see those, too,
// that are too many to be written. The daemon calls it from the network thread; flush() from its
// tick. A database that cannot be written is a state, not a crash: rows
// wait in memory (bounded, the oldest are given up) and store_degraded is said once.

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/log.h"
#include "daemon/throttle.h"
#include "store/database.h"

namespace timectl {

class Recorder {
 public:
  using Publish = std::function<void(const Event&)>;

  // Both outlive the recorder.
  Recorder(Log& log, store::Database& database, config::LogFormat format);

  void set_publish(Publish publish) { publish_ = std::move(publish); }
  // Told of every event before any is left out, for the counters.
  void set_tally(Publish tally) { tally_ = std::move(tally); }
  void event(Event event, Now now);
  void session(SessionRecord session, Now now);
  void remember(PeerMemory memory);

  // Dial states at once (a crash must not forget that a peer was dialled), the rest with it: all
  // of it, or (for the node's loop) at most kSomeRows of it.
  void flush(Now now);
  void flush_some(Now now);
  static constexpr std::size_t kSomeRows = 500;  // about 3 ms
  [[nodiscard]] bool has_more() const { return events_.size() + sessions_.size() > 0; }
  [[nodiscard]] bool has_dial_state() const { return !memories_.empty(); }
  // Another writer of this database could not write: said and shown like a failure of ours.
  void note_failure(const Error& error, Now now) { failed(error, now); }
  // Why the database cannot be written; none while it can.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  void write(const Event& event, WallTime at);
  void failed(const Error& error, Now now);
  void recovered(Now now);
  void bound();
  void write_rows(Now now, std::size_t most);

  Log& log_;
  store::Database& database_;
  config::LogFormat format_;
  Throttle throttle_{ThrottleLimits{}};
  Throttle session_throttle_{ThrottleLimits{}};  // sessions of strangers, by the same limits
  Publish publish_;
  Publish tally_;
  std::vector<Event> events_;
  std::vector<SessionRecord> sessions_;
  std::map<IpAddress, PeerMemory> memories_;  // the newest of each peer
  std::optional<Error> failure_;
  std::optional<Instant> retry_at_;
};

}  // namespace timectl
