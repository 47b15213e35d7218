#pragma once
// What no single line says: sessions, restarts that follow each other, gaps in the heartbeat, a
// dialler that stands still, peers that went all at once. Fed by LogBook with every event of a log
// in its order; answers with signs of failure modes. Memory is bounded: of more than kMaxPeers
// peers those heard of last are kept.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "daemon/core/ip_address.h"
#include "daemon/diagnose/log_reader.h"

namespace timectl::diagnose {

inline constexpr std::size_t kMaxPeers = 4096;

struct Sign {
  std::string_view code = {};
  std::optional<WallTime> at = {};
  std::optional<IpAddress> peer = {};
  std::string_view text = {};  // the line that showed it
};

struct PeerStory {
  std::optional<WallTime> last_at = {};       // of any line about it
  std::optional<WallTime> last_traffic = {};  // it was alive
  std::optional<WallTime> last_dial = {};
  std::optional<WallTime> accepted_at = {};
  std::optional<WallTime> wiped_at = {};  // a dial failed just after it was accepted
  std::optional<std::uint64_t> height = {};
  std::uint64_t sessions = 0;
  std::uint64_t dials = 0;
  std::uint64_t fast_dials = 0;  // in a row, without a session
  bool live = false;
  std::string_view last_end = {};  // "closed by the peer", in our words
};

class LogStory {
 public:
  using Say = std::function<void(const Sign&)>;
  explicit LogStory(Say say) : say_(std::move(say)) {}

  void on_event(const LogEvent& event);
  // What is missing at `now`, the end of the log or the time of who follows it. May be asked again
  // and again: a silence is told once.
  void on_silence(WallTime now);

  [[nodiscard]] const std::unordered_map<IpAddress, PeerStory>& peers() const { return peers_; }
  [[nodiscard]] std::uint64_t forgotten_peers() const { return forgotten_; }
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  using Time = std::optional<WallTime>;
  enum class RestartBy : std::uint8_t { itself, watchdog };

  void on_node(const LogEvent& event);
  void on_peer(const LogEvent& event, PeerStory& peer);
  void on_start(const LogEvent& event);
  void note_restart(const LogEvent& event, RestartBy by);
  void on_heartbeat(const LogEvent& event);
  void on_dial(const LogEvent& event, PeerStory& peer);
  void on_end(const LogEvent& event, PeerStory& peer, std::string_view how);
  void on_healed(const LogEvent& event);
  void on_wrong_genesis(const LogEvent& event);
  PeerStory& peer_of(const IpAddress& ip, Time at);
  void forget_the_oldest();

  Say say_;
  std::unordered_map<IpAddress, PeerStory> peers_;
  std::uint64_t forgotten_ = 0;

  std::uint64_t restarts_ = 0;
  bool seen_anything_ = false;
  bool stopped_in_order_ = false;
  bool banner_pending_ = false;
  Time last_start_;
  Time last_stop_;
  struct Restart {
    WallTime at;
    RestartBy by;
  };
  std::deque<Restart> recent_restarts_;

  Time heartbeat_;
  Time tick_;
  bool tick_told_ = false;
  bool silence_told_ = false;

  struct PeerTime {
    IpAddress peer;
    WallTime at;
  };
  std::deque<PeerTime> ends_;
  Time burst_told_;
  std::deque<PeerTime> wrong_genesis_;
  Time zero_genesis_told_;
};

}  // namespace timectl::diagnose
