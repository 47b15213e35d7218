#pragma once
// The bytes of a log from a file, a pipe or the standard input, read in chunks; a followed file
// also after it was renamed away and made anew (timed, logrotate) and after it was cut to nothing
// in place (copytruncate). Used by `timectl diagnose log`. A file is read to its end before it is
// left, so that no line is lost or read twice; only what was written between the copy and the cut
// of a copytruncate cannot be seen by anybody.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl::cmd {

class LogSource {
 public:
  struct Handler {
    std::function<void(std::string_view)> on_bytes = {};
    std::function<void()> on_next_file = {};  // what follows is a new file, from its first line
    std::function<void()> on_truncated = {};  // the unfinished line is gone
    std::function<void()> on_idle = {};       // nothing new for now
    std::function<bool()> stopped = {};       // asked before every chunk and every wait
  };

  // "-" is the standard input. Refused: what is not there or not readable, directories, devices,
  // sockets, and compressed files.
  [[nodiscard]] static Result<LogSource> open(const std::string& file);
  LogSource(LogSource&& other) noexcept;
  LogSource& operator=(LogSource&&) = delete;
  ~LogSource();

  // Until the end or until it is stopped; a followed file has no end. `wait` is how long nothing is
  // done when there is nothing new.
  [[nodiscard]] Result<void> read(const Handler& handler, bool follow, Duration wait);

 private:
  enum class Kind : std::uint8_t { file, stream };
  enum class Got : std::uint8_t { some, none_yet, end };
  LogSource(std::string file, int fd, Kind kind) : file_(std::move(file)), fd_(fd), kind_(kind) {}

  [[nodiscard]] Result<Got> read_chunk(const Handler& handler);
  [[nodiscard]] Result<void> start_again(const Handler& handler);
  [[nodiscard]] bool was_truncated() const;
  [[nodiscard]] bool has_successor() const;
  bool take_successor(const Handler& handler);
  void remember_tail(std::string_view chunk);

  std::string file_;
  int fd_ = -1;
  Kind kind_ = Kind::file;
  std::uint64_t offset_ = 0;
  std::string tail_;  // the bytes before offset_, to notice that a file was cut and grew again
  std::vector<char> buffer_;
};

}  // namespace timectl::cmd
