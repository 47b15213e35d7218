#pragma once
// Reads a log of timed as a stream: bytes in, typed events out, in every form and both
// vocabularies of the catalogue of failures. Whatever the bytes are, it neither fails nor grows:
// what it cannot read it counts. Who calls it opens files and follows rotations.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/ip_address.h"
#include "daemon/diagnose/log_lines.h"
#include "daemon/diagnose/log_matcher.h"
#include "daemon/diagnose/log_prefix.h"

namespace timectl::diagnose {

struct LogEvent {
  std::optional<WallTime> at = {};  // of the line, else of the last line that had one
  const Pattern* pattern = nullptr;
  std::optional<IpAddress> peer = {};
  std::optional<std::uint64_t> number = {};  // of Pattern::after
  std::string_view text = {};                // the message, as it came; valid during the call only
};

struct LogCounts {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t known = 0;     // of them: a row of the table fits
  std::uint64_t unparsed = 0;  // neither that nor a prefix; blank lines are none
  std::uint64_t cut = 0;       // longer than kMaxLine
  std::optional<WallTime> from = {};
  std::optional<WallTime> to = {};
};

class LogReader {
 public:
  using Sink = std::function<void(const LogEvent&)>;
  LogReader(LogClock clock, Sink sink);

  // Lines before this are counted and not handed on.
  void set_since(WallTime since) { since_ = since; }
  void feed(std::string_view chunk);
  void finish();  // the last line, if it has no end
  void forget_partial_line() { lines_.forget(); }

  [[nodiscard]] const LogCounts& counts() const { return counts_; }

 private:
  void on_line(std::string_view line, bool cut);
  void on_journal(std::string_view line);
  void on_message(const LogLine& line);
  void note_time(std::optional<WallTime> at);

  Sink sink_;
  LogPrefix prefix_;
  LineSplitter lines_;
  LogCounts counts_;
  std::optional<WallTime> since_;
  std::optional<WallTime> last_time_;
  std::string message_;  // of a journal's entry
  std::string plain_;    // without colours
};

// The matcher of patterns(), built once per process.
[[nodiscard]] const LogMatcher& log_matcher();
// The first address in the text, after any port is taken off; `rest` is what follows it.
[[nodiscard]] std::optional<IpAddress> first_address(std::string_view text,
                                                     std::string_view* rest = nullptr);

}  // namespace timectl::diagnose
