#include "daemon/diagnose/log_story.h"

#include <algorithm>
#include <vector>

namespace timectl::diagnose {
namespace {

using namespace std::chrono_literals;

// A heartbeat every 10 s, a tick of the dialler every 30 s. Lines are lost under load and these are
// critical, so two heartbeats and three ticks must be missing; the catalogue's 15 s and 60 s would
// be a single lost line.
constexpr auto kHeartbeatGap = 25s;
constexpr auto kHeartbeatSilence = 30s;
constexpr auto kTickSilence = 100s;
// FM-X12: three restarts within half an hour.
constexpr std::size_t kStormRestarts = 3;
constexpr auto kStormWindow = 30min;
// The watchdog's line and the start that it causes are one restart.
constexpr auto kSameRestart = 60s;
// B.4 of the catalogue: five peers that end within two seconds are one cause of our own.
constexpr std::size_t kBurstPeers = 5;
constexpr auto kBurst = 2s;
constexpr auto kBurstOver = 10s;
// FM-H8: three peers on "another chain" within five minutes are our own chain.
constexpr std::size_t kZeroGenesisPeers = 3;
constexpr auto kZeroGenesisWindow = 5min;
// FM-B12, the hammer: attempts 30 s apart and nothing comes of 20 of them.
constexpr std::uint64_t kHammerDials = 20;
constexpr auto kHammerGap = 45s;
// FM-D13: a dial fails just after the peer was accepted, and is healed within 90 s.
constexpr auto kWipedAfter = 5s;
constexpr auto kWipedHealed = 90s;
constexpr int kMaxHealed = 64;  // addresses of one line that are looked at

bool within(const std::optional<WallTime>& earlier, const std::optional<WallTime>& later,
            Duration limit) {
  return earlier && later && *later >= *earlier && *later - *earlier <= limit;
}

bool longer(const std::optional<WallTime>& earlier, const std::optional<WallTime>& later,
            Duration limit) {
  return earlier && later && *later - *earlier > limit;
}

template <class Rows>
std::size_t distinct_peers(const Rows& rows) {
  std::size_t count = 0;
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const bool before =
        std::any_of(rows.begin(), row, [&](const auto& other) { return other.peer == row->peer; });
    count += before ? 0U : 1U;
  }
  return count;
}

// Drops what is older than the window and more than is needed to decide.
template <class Rows>
void keep_recent(Rows& rows, WallTime now, Duration window, std::size_t most) {
  std::erase_if(rows, [&](const auto& row) { return row.at + window < now || row.at > now; });
  while (rows.size() > most) rows.pop_front();
}

// "(ours=X, theirs=X)": the check that found a difference in equal hashes (FM-H7).
bool says_equal_hashes(std::string_view text) {
  const auto value_after = [&](std::string_view lead) {
    const auto at = text.find(lead);
    if (at == std::string_view::npos) return std::string_view{};
    const auto rest = text.substr(at + lead.size());
    return rest.substr(0, rest.find_first_of(",) "));
  };
  const auto ours = value_after("ours=");
  return !ours.empty() && ours == value_after("theirs=");
}

}  // namespace

void LogStory::on_event(const LogEvent& event) {
  on_node(event);
  if (event.peer && event.pattern->kind != LineKind::healed) {
    on_peer(event, peer_of(*event.peer, event.at));
  }
  seen_anything_ = true;
}

void LogStory::on_node(const LogEvent& event) {
  switch (event.pattern->kind) {
    case LineKind::banner:
      banner_pending_ = true;
      return on_start(event);
    case LineKind::started:
      if (!std::exchange(banner_pending_, false)) on_start(event);
      return;
    case LineKind::stopped:
      stopped_in_order_ = true;
      last_stop_ = event.at;
      return;
    case LineKind::watchdog_restart:
      return note_restart(event, RestartBy::watchdog);
    case LineKind::heartbeat:
      return on_heartbeat(event);
    case LineKind::tick:
      tick_ = event.at;
      tick_told_ = false;
      return;
    case LineKind::healed:
      return on_healed(event);
    case LineKind::wrong_genesis:
      return on_wrong_genesis(event);
    default:
      return;
  }
}

void LogStory::on_start(const LogEvent& event) {
  ++restarts_;
  if (seen_anything_ && !stopped_in_order_) say_({"FM-X10", event.at, {}, event.text});
  stopped_in_order_ = false;
  last_start_ = event.at;
  heartbeat_ = tick_ = {};
  tick_told_ = silence_told_ = false;
  for (auto& [ip, peer] : peers_) peer.live = false;
  note_restart(event, RestartBy::itself);
}

void LogStory::note_restart(const LogEvent& event, RestartBy by) {
  if (!event.at) return;
  keep_recent(recent_restarts_, *event.at, kStormWindow, kStormRestarts);
  if (!recent_restarts_.empty()) {
    const auto& last = recent_restarts_.back();
    if (last.by != by && within(last.at, event.at, kSameRestart)) return;
  }
  recent_restarts_.push_back({*event.at, by});
  if (recent_restarts_.size() >= kStormRestarts) say_({"FM-X12", event.at, {}, event.text});
}

void LogStory::on_heartbeat(const LogEvent& event) {
  if (!silence_told_ && longer(heartbeat_, event.at, kHeartbeatGap)) {
    say_({"FM-X6", event.at, {}, event.text});
  }
  heartbeat_ = event.at;
  silence_told_ = false;
  if (!tick_told_ && longer(tick_, event.at, kTickSilence)) {
    tick_told_ = true;
    say_({"FM-X7", event.at, {}, event.text});
  }
}

void LogStory::on_silence(WallTime now) {
  if (silence_told_ || !longer(heartbeat_, now, kHeartbeatSilence)) return;
  silence_told_ = true;
  say_({"FM-X6", now, {}, "no heartbeat since the last one in the log"});
}

void LogStory::on_peer(const LogEvent& event, PeerStory& peer) {
  switch (event.pattern->kind) {
    case LineKind::dial:
      return on_dial(event, peer);
    case LineKind::traffic:
      peer.last_traffic = event.at;
      if (event.number) peer.height = event.number;
      peer.live = true;
      peer.fast_dials = 0;
      return;
    case LineKind::accepted:
      peer.accepted_at = event.at;
      [[fallthrough]];
    case LineKind::session:
    case LineKind::connected:
      if (!peer.live) ++peer.sessions;
      peer.live = true;
      if (event.pattern->kind != LineKind::connected) peer.fast_dials = 0;
      return;
    case LineKind::tls_failed:
      if (within(peer.accepted_at, event.at, kWipedAfter)) peer.wiped_at = event.at;
      return;
    case LineKind::closed:
      return on_end(event, peer, "closed by the peer");
    case LineKind::closed_at_once:
      return on_end(event, peer, "closed at once");
    case LineKind::reset:
      return on_end(event, peer, "broken off");
    case LineKind::link_timed_out:
      return on_end(event, peer, "link timed out");
    case LineKind::ended:
      return on_end(event, peer, peer.live ? "ended" : peer.last_end);
    default:
      return;
  }
}

void LogStory::on_dial(const LogEvent& event, PeerStory& peer) {
  ++peer.dials;
  peer.fast_dials = within(peer.last_dial, event.at, kHammerGap) ? peer.fast_dials + 1 : 1;
  peer.last_dial = event.at;
  if (peer.fast_dials < kHammerDials) return;
  peer.fast_dials = 0;
  say_({"FM-B12", event.at, event.peer, event.text});
}

void LogStory::on_end(const LogEvent& event, PeerStory& peer, std::string_view how) {
  peer.last_end = how;
  if (!std::exchange(peer.live, false) || !event.at) return;
  if (within(last_stop_, event.at, kBurstOver) || within(last_start_, event.at, kBurst)) return;
  keep_recent(ends_, *event.at, kBurst, 2 * kBurstPeers);
  ends_.push_back({*event.peer, *event.at});
  if (distinct_peers(ends_) < kBurstPeers) return;
  const bool goes_on = within(burst_told_, event.at, kBurstOver);
  burst_told_ = event.at;
  if (!goes_on) say_({"uplink_down", event.at, {}, event.text});
}

void LogStory::on_healed(const LogEvent& event) {
  auto rest = event.text;
  for (int i = 0; i < kMaxHealed; ++i) {
    const auto ip = first_address(rest, &rest);
    if (!ip) return;
    const auto& peer = peer_of(*ip, event.at);
    const bool wiped = within(peer.wiped_at, event.at, kWipedHealed);
    say_({wiped ? "FM-D13" : "FM-D5", event.at, *ip, event.text});
  }
}

void LogStory::on_wrong_genesis(const LogEvent& event) {
  if (says_equal_hashes(event.text)) return say_({"FM-H7", event.at, event.peer, event.text});
  say_({"FM-H6", event.at, event.peer, event.text});
  if (!event.peer || !event.at) return;
  keep_recent(wrong_genesis_, *event.at, kZeroGenesisWindow, 4 * kZeroGenesisPeers);
  wrong_genesis_.push_back({*event.peer, *event.at});
  if (distinct_peers(wrong_genesis_) < kZeroGenesisPeers) return;
  if (within(zero_genesis_told_, event.at, kZeroGenesisWindow)) return;
  zero_genesis_told_ = event.at;
  say_({"FM-H8", event.at, {}, event.text});
}

PeerStory& LogStory::peer_of(const IpAddress& ip, Time at) {
  auto found = peers_.find(ip);
  if (found == peers_.end()) {
    if (peers_.size() >= kMaxPeers) forget_the_oldest();
    found = peers_.emplace(ip, PeerStory{}).first;
  }
  if (at) found->second.last_at = at;
  return found->second;
}

// Half of them at once, so that a log full of strangers costs little per line.
void LogStory::forget_the_oldest() {
  std::vector<std::pair<Time, IpAddress>> all;
  all.reserve(peers_.size());
  for (const auto& [ip, peer] : peers_) all.emplace_back(peer.last_at, ip);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  for (auto row = all.begin(); row != middle; ++row) peers_.erase(row->second);
  forgotten_ += all.size() / 2;
}

}  // namespace timectl::diagnose
