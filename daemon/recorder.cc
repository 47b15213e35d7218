#include "daemon/recorder.h"

#include "daemon/core/json.h"
#include "store/peer_history.h"
#include "store/peers_table.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;                // rows kept while the disk refuses them
constexpr Duration kRetryAfter = std::chrono::seconds(5);  // a full disk is asked again

template <class T>
void keep_newest(std::vector<T>& rows) {
  if (rows.size() > kMaxWaiting) {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(kMaxWaiting));
  }
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
  if (auto saved = store::append_history(database_, sessions_, events_); !saved) {
    return failed(saved.error(), now);
  }
  sessions_.clear();
  events_.clear();
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
