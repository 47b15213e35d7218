#pragma once
// The node's log: lines for people or JSON objects, to stderr (with the journal's level prefixes
// when the journal reads it) or to a rotating file. Lines are single lines already: what a peer
// chose has been made printable before. Used by daemon/ only; a failing disk never stops the node.

#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

struct LogOptions {
  config::LogLevel level = config::LogLevel::info;
  config::LogFormat format = config::LogFormat::text;
  std::string file = {};  // empty: stderr
  std::size_t max_bytes = 10'485'760;
  std::size_t files = 5;
  bool journal = false;  // stderr goes to the journal: "<4>" prefixes, no time of our own
};

class Log {
 public:
  // Throws std::runtime_error where the file cannot be opened.
  explicit Log(const LogOptions& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(WallTime at, Severity severity, std::string_view line);
  // A structured line: in JSON format `event` is written as it is, in text format `line`.
  void write(WallTime at, Severity severity, std::string_view line, std::string_view event_json);
  void reconfigure(config::LogLevel level) { level_ = level; }

 private:
  struct File;
  void put(const std::string& text);
  LogOptions options_;
  config::LogLevel level_;
  std::unique_ptr<File> file_;
};

// "2026-11-21T11:30:00.123Z WARNING text", the journal's form, or one JSON object; no line end.
[[nodiscard]] std::string format_log_line(const LogOptions& options, WallTime at, Severity severity,
                                          std::string_view line, std::string_view event_json);

}  // namespace timectl
