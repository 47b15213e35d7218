#include "daemon/log.h"

#include <spdlog/sinks/rotating_file_sink.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

struct LevelRow {
  Severity severity;
  config::LogLevel level;
  std::string_view word;
  int priority;  // syslog's, as the journal reads it
};

constexpr LevelRow kLevels[] = {
    {Severity::critical, config::LogLevel::error, "crit", 2},
    {Severity::error, config::LogLevel::error, "error", 3},
    {Severity::warning, config::LogLevel::warning, "warn", 4},
    {Severity::notice, config::LogLevel::info, "note", 5},
    {Severity::info, config::LogLevel::info, "info", 6},
};

const LevelRow& row_of(Severity severity) {
  for (const auto& row : kLevels) {
    if (row.severity == severity) return row;
  }
  check_failed("every Severity has a level", __FILE__, __LINE__);
}

}  // namespace

struct Log::File {
  explicit File(const LogOptions& options) : sink(options.file, options.max_bytes, options.files) {
    sink.set_pattern("%v");
  }
  spdlog::sinks::rotating_file_sink_st sink;
};

std::string format_log_line(const LogOptions& options, WallTime at, Severity severity,
                            std::string_view line, std::string_view event_json) {
  const auto& row = row_of(severity);
  std::string text;
  if (options.journal) text += "<" + std::to_string(row.priority) + ">";
  if (options.format == config::LogFormat::json) {
    boost::json::object object;
    object["at"] = rfc3339(at);
    object["severity"] = name_of(severity);
    object["message"] = line;
    text += boost::json::serialize(object);
    if (!event_json.empty()) {
      text.back() = ',';
      text += "\"event\":";
      text += event_json;
      text += '}';
    }
    return text;
  }
  if (!options.journal) text += rfc3339(at) + " ";
  text += row.word;
  text.append(5 - row.word.size(), ' ');
  text += ' ';
  text += line;
  return text;
}

Log::Log(const LogOptions& options) : options_(options), level_(options.level) {
  if (!options_.file.empty()) file_ = std::make_unique<File>(options_);
}

Log::~Log() = default;

void Log::write(WallTime at, Severity severity, std::string_view line) {
  write(at, severity, line, {});
}

void Log::write(WallTime at, Severity severity, std::string_view line,
                std::string_view event_json) {
  if (row_of(severity).level < level_) return;
  put(format_log_line(options_, at, severity, line, event_json));
}

void Log::put(const std::string& text) {
  if (!file_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  try {
    file_->sink.log(spdlog::details::log_msg("", spdlog::level::info, text));
    file_->sink.flush();
  } catch (const std::exception& failure) {
    // A full disk must not stop the node; stderr is what is left, and the journal keeps it.
    std::fprintf(stderr, "%s (log file: %s)\n", text.c_str(), failure.what());
  }
}

}  // namespace timectl
