#pragma once
// The causes that a log names: counts every sign per failure mode and per peer, with first and last
// time and examples, and ranks them. Fed with the events of a LogReader, asked for a report at any
// time. Memory is bounded whatever the log holds: totals per mode are never lost, rows per peer are
// dropped where there are too many, the rarest first.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/diagnose/catalogue.h"
#include "daemon/diagnose/log_reader.h"
#include "daemon/diagnose/log_story.h"

namespace timectl::diagnose {

// Of one failure mode and one peer; without a peer: of the node itself.
struct LogCause {
  std::string code = {};
  std::optional<IpAddress> peer = {};
  std::uint64_t count = 0;
  std::optional<WallTime> first_at = {};
  std::optional<WallTime> last_at = {};
  std::string example = {};  // printable
  std::string remedy = {};
};
BOOST_DESCRIBE_STRUCT(LogCause, (), (code, peer, count, first_at, last_at, example, remedy))

// Of one failure mode, over all peers.
struct LogFinding {
  std::string code = {};
  Gravity severity = Gravity::low;
  std::string title = {};
  Act act = Act::nobody;
  std::uint64_t count = 0;
  std::uint64_t peers = 0;  // at most so many, where rows were dropped and came again
  std::optional<WallTime> first_at = {};
  std::optional<WallTime> last_at = {};
  std::string meaning = {};
  std::string remedy = {};
  std::optional<std::string> follows_from = {};  // the code of another finding that explains it
  std::vector<std::string> examples = {};        // printable
};
BOOST_DESCRIBE_STRUCT(LogFinding, (),
                      (code, severity, title, act, count, peers, first_at, last_at, meaning, remedy,
                       follows_from, examples))

struct LogPeer {
  IpAddress ip = {};
  std::uint64_t sessions = 0;
  std::uint64_t dials = 0;
  std::optional<std::uint64_t> height = {};
  std::optional<WallTime> last_heard_at = {};
  std::string last_end = {};
  std::string main_code = {};
  std::uint64_t signs = 0;
};
BOOST_DESCRIBE_STRUCT(LogPeer, (),
                      (ip, sessions, dials, height, last_heard_at, last_end, main_code, signs))

struct LogReport {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  std::uint64_t known = 0;
  std::uint64_t unparsed = 0;
  std::uint64_t cut = 0;
  std::optional<WallTime> from = {};
  std::optional<WallTime> to = {};
  std::uint64_t restarts = 0;
  std::vector<LogFinding> findings = {};  // the main cause first
  std::vector<LogCause> causes = {};      // in the order of the findings, then by count
  std::uint64_t causes_left_out = 0;
  std::vector<LogPeer> peers = {};  // most signs first
  std::uint64_t peers_left_out = 0;
};
BOOST_DESCRIBE_STRUCT(LogReport, (),
                      (lines, bytes, known, unparsed, cut, from, to, restarts, findings, causes,
                       causes_left_out, peers, peers_left_out))

class LogBook {
 public:
  LogBook();
  LogBook(const LogBook&) = delete;
  LogBook& operator=(const LogBook&) = delete;

  void on_event(const LogEvent& event);
  void on_silence(WallTime now) { story_.on_silence(now); }
  [[nodiscard]] LogReport report(const LogCounts& counts) const;

  // Told of every sign, with how often the mode was seen at that peer: for who follows a log.
  using Listener = std::function<void(const Sign&, const Mode&, std::uint64_t count)>;
  void listen(Listener listener) { listener_ = std::move(listener); }

 private:
  struct Total {
    std::uint64_t count = 0;
    std::optional<WallTime> first = {};
    std::optional<WallTime> last = {};
    std::vector<std::string> examples = {};  // as they came: the first ones and the last
  };
  struct Key {
    std::size_t mode = 0;
    std::optional<IpAddress> peer = {};
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  void on_sign(const Sign& sign);
  static void count(Total& total, const Sign& sign, std::size_t examples);
  void drop_the_rarest();
  [[nodiscard]] std::vector<LogFinding> findings() const;
  [[nodiscard]] std::vector<LogPeer> peers() const;
  void add_causes(LogReport& report) const;

  std::unordered_map<std::string_view, std::size_t> index_;  // of a code in the catalogue
  std::vector<Total> totals_;                                // by that index
  std::unordered_map<Key, Total, KeyHash> rows_;
  std::vector<std::uint64_t> dropped_peers_;  // rows dropped, by mode
  std::uint64_t dropped_ = 0;
  LogStory story_;
  Listener listener_;
};

// Of a code in the catalogue, or of what a log shows besides: "uplink_down", our own network.
[[nodiscard]] const Mode& mode_in_log(std::string_view code);

}  // namespace timectl::diagnose
