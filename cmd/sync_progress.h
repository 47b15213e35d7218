#pragma once
// The lines of `timectl sync watch`: a sequence of (time, status) in, what to write out. In a
// terminal one line that is redrawn in place, with a bar, height, target, speed and time left; in a
// pipe a line per change, without escapes; with --json a document per change. The speed is that of
// a window of samples, the status's own where the window is too young. Pure; the loop around it is
// in sync_watch.cc.

#include <deque>
#include <optional>
#include <string>

#include "cmd/output.h"
#include "daemon/control/sync_api.h"

namespace timectl::cmd {

// Blocks a minute over the last half minute. A height that falls (a reorganisation) starts anew.
class Pace {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(30);
  static constexpr Duration kYoung = std::chrono::seconds(3);  // less says nothing
  static constexpr std::size_t kMostSamples = 256;             // kWindow at 8 a second

  void add(Instant at, std::uint64_t height);
  // None: too young, or not one block came within the window.
  [[nodiscard]] std::optional<double> blocks_per_minute() const;

 private:
  struct Sample {
    Instant at;
    std::uint64_t height;
  };
  std::deque<Sample> samples_;
};

enum class WatchStyle : std::uint8_t { terminal, lines, json };

class SyncWatch {
 public:
  explicit SyncWatch(WatchStyle style) : style_(style) {}

  // Remembers the status as of `now`; the output's clock and width are those of this moment.
  void on_status(const SyncStatusView& view, Now now);
  // What to write for it: nothing in a pipe where nothing changed.
  [[nodiscard]] std::string next(const Output& out);
  [[nodiscard]] std::string end() const;  // leaves the redrawn line on the screen

  // The status with the window's speed and time left.
  [[nodiscard]] const SyncStatusView& view() const { return view_; }
  [[nodiscard]] bool changed() const { return changed_; }
  [[nodiscard]] bool seen() const { return seen_; }
  [[nodiscard]] control::SyncVerdict verdict() const { return control::verdict_of(view_); }

 private:
  [[nodiscard]] std::string bar_line(const Output& out) const;

  WatchStyle style_;
  Pace pace_;
  SyncStatusView view_;
  bool seen_ = false;
  bool changed_ = false;
  bool drawn_ = false;
  std::string told_;  // the last line, without its numbers that change always
};

}  // namespace timectl::cmd
