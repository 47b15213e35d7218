#include "daemon/recorder.h"

#include <algorithm>
#include <span>

#include "daemon/core/json.h"
#include "store/peer_history.h"
#include "store/peers_table.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;                // rows kept while the disk refuses them
constexpr Duration kRetryAfter = std::chrono::seconds(5);  // a full disk is asked again

template <class T>
void erase_first(std::vector<T>& rows, std::size_t count) {
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
}

template <class T>
void keep_newest(std::vector<T>& rows) {
  if (rows.size() > kMaxWaiting) erase_first(rows, rows.size() - kMaxWaiting);
}

}  // namespace

Recorder::Recorder(Log& log, store::Database& database, config::LogFormat format)
    : log_(log), database_(database), format_(format) {}

void Recorder::write(const Event& event, WallTime at) {
  const bool structured = format_ == config::LogFormat::json;
  log_.write(at, event.severity, log_line(event),
             structured ? json::serialize(to_json(event)) : std::string());
}

void Recorder::event(Event event, Now now) {
  if (tally_) tally_(event);
  const auto left_out = throttle_.admit(event, now.mono);
  if (!left_out) return;
  if (*left_out > 0) {
    event.detail += (event.detail.empty() ? "" : " ") + std::string("(") +
                    std::to_string(*left_out) + " more like this left out)";
  }
  write(event, now.wall);
  if (publish_) publish_(event);
  events_.push_back(std::move(event));
  bound();
}

void Recorder::session(SessionRecord session, Now now) {
  const Event like{
      .kind = EventKind::peer_disconnected, .peer = session.ip, .whitelisted = session.whitelisted};
  if (!session_throttle_.admit(like, now.mono)) return;
  sessions_.push_back(std::move(session));
  bound();
}

void Recorder::remember(PeerMemory memory) {
  const auto ip = memory.ip;
  memories_.insert_or_assign(ip, std::move(memory));
}

void Recorder::bound() {
  keep_newest(events_);
  keep_newest(sessions_);
}

void Recorder::flush(Now now) {
  write_rows(now, kMaxWaiting);
}

void Recorder::flush_some(Now now) {
  write_rows(now, kSomeRows);
}

void Recorder::write_rows(Now now, std::size_t most) {
  if (const auto dropped = throttle_.take_dropped(); dropped > 0) {
    log_.write(now.wall, Severity::notice,
               std::to_string(dropped) + " events of strangers left out: too many of them");
  }
  if (events_.empty() && sessions_.empty() && memories_.empty() && !failure_) return;
  if (database_.batch_open()) return;  // the next upkeep, milliseconds later
  if (retry_at_ && now.mono < *retry_at_) return;
  if (database_.write_failure()) {
    if (auto opened = database_.reopen(); !opened) return failed(opened.error(), now);
  }
  std::vector<PeerMemory> memories;
  for (const auto& [ip, memory] : memories_) memories.push_back(memory);
  if (auto saved = store::save_peers(database_, memories); !saved) {
    return failed(saved.error(), now);
  }
  memories_.clear();
  const std::span sessions(sessions_.data(), std::min(most, sessions_.size()));
  const std::span events(events_.data(), std::min(most, events_.size()));
  if (auto saved = store::append_history(database_, sessions, events); !saved) {
    return failed(saved.error(), now);
  }
  erase_first(sessions_, sessions.size());
  erase_first(events_, events.size());
  if (failure_) recovered(now);
}

void Recorder::failed(const Error& error, Now now) {
  retry_at_ = now.mono + kRetryAfter;
  if (failure_) return;
  failure_ = error;
  event({.at = now.wall,
         .kind = EventKind::store_degraded,
         .severity = Severity::critical,
         .detail = error.message + (error.because.empty() ? "" : ": " + error.because)},
        now);
}

void Recorder::recovered(Now now) {
  failure_.reset();
  retry_at_.reset();
  event({.at = now.wall, .kind = EventKind::store_recovered, .severity = Severity::notice}, now);
}

}  // namespace timectl
