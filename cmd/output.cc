#include "cmd/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>

#include "cmd/table.h"
#include "daemon/core/errors.h"
#include "daemon/core/events.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kFlushAt = 65'536;

std::string_view escape_of(Paint paint) {
  switch (paint) {
    case Paint::plain:
      return "";
    case Paint::bold:
      return "\x1b[1m";
    case Paint::dim:
      return "\x1b[2m";
    case Paint::good:
      return "\x1b[32m";
    case Paint::warn:
      return "\x1b[33m";
    case Paint::bad:
      return "\x1b[1;31m";
  }
  return "";
}

std::string painted(bool color, Paint paint, std::string_view text) {
  if (!color || paint == Paint::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(paint), text);
}

// The reader went away: end as the shell expects of a filter, without a word.
[[noreturn]] void end_by_closed_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
  _exit(128 + SIGPIPE);
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      end_by_closed_pipe();
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "writing the output");
    }
  }
}

// A failure to complain must not replace the complaint.
void complain(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Several lines of evidence keep their lines; everything else in them is made printable.
std::string printable_lines(std::string_view text) {
  constexpr std::size_t kLineBytes = 1000;
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    out += printable(text.substr(0, end), kLineBytes);
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

// Continuation lines stand under the first word.
std::string indented(std::string_view text, std::size_t by) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(by, ' ');
  }
  return out;
}

}  // namespace

std::size_t columns_of(int fd) {
  constexpr std::size_t kMinWidth = 60;
  winsize size{};
  if (isatty(fd) == 0 || ::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kMaxWidth;
  return std::clamp<std::size_t>(size.ws_col, kMinWidth, kMaxWidth);
}

bool wants_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  if (term != nullptr && std::strcmp(term, "dumb") == 0) return false;
  return isatty(fd) != 0;
}

void Output::configure(const OutputOptions& options, Now now) {
  options_ = options;
  now_ = now;
}

void Output::document(std::string_view schema, const json::value& data, std::string_view source,
                      const std::vector<std::string>& warnings) {
  json::object object;
  object["schema"] = schema;
  object["generated_at"] = rfc3339(now_.wall);
  object["source"] = source.empty() ? json::value(nullptr) : json::value(source);
  object["data"] = data;
  auto all = standing_;
  all.insert(all.end(), warnings.begin(), warnings.end());
  object["warnings"] = to_json(all);
  json_line(object);
}

void Output::json_line(const json::value& value) {
  text(json_text(value) + "\n");
}

void Output::text(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kFlushAt) flush();
}

void Output::flush() {
  const std::string out = std::move(pending_);
  pending_.clear();
  write_all(STDOUT_FILENO, out);
}

void Output::note(std::string_view line) {
  flush();  // what was said before stands before it
  if (!options_.quiet) complain(std::string(line) + "\n");
}

void Output::warning(std::string_view line) {
  flush();
  if (options_.quiet || options_.json) return;  // with --json warnings are part of the document
  complain(fmt::format("{} {}\n", painted(options_.color_err, Paint::warn, "warning:"),
                       printable_lines(line)));
}

void Output::standing_warning(const std::string& line) {
  if (std::ranges::find(standing_, line) != standing_.end()) return;
  standing_.push_back(line);
  warning(line);
}

void Output::error(const Error& error) const {
  const auto& row = error_row(error.code);
  auto remedy = error.remedy;
  if (remedy.empty()) remedy.emplace_back(row.remedy);
  if (options_.json) {
    json::object object;
    object["schema"] = "timectl.error/1";
    object["error"] = {
        {"code", row.id},
        {"message", error.message},
        {"because", error.because.empty() ? json::value(nullptr) : json::value(error.because)},
        {"try", to_json(remedy)}};
    complain(json_text(object) + "\n");
    return;
  }
  const bool color = options_.color_err;
  std::string text = fmt::format("{} {}  {}\n", painted(color, Paint::bad, "error:"),
                                 printable_lines(error.message),
                                 painted(color, Paint::dim, fmt::format("[{}]", row.id)));
  if (!error.because.empty()) {
    // Evidence of several lines (a place in a file, its caret) keeps its lines.
    const bool lines = error.because.find('\n') != std::string::npos;
    const std::string because = printable_lines(error.because);
    text +=
        "  because: " + (lines ? indented(because, 11) : wrapped(because, 11, options_.width_err)) +
        "\n";
  }
  for (std::size_t i = 0; i < remedy.size(); ++i) {
    text +=
        (i == 0 ? "  try:     " : "           ") + indented(printable_lines(remedy[i]), 11) + "\n";
  }
  complain(text);
}

std::string Output::paint(Paint paint, std::string_view text) const {
  return painted(options_.color_out && !options_.json, paint, text);
}

std::string Output::time(WallTime at) const {
  const std::time_t when =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::seconds>(at));
  std::tm parts{};
  if (options_.utc) {
    gmtime_r(&when, &parts);
  } else {
    localtime_r(&when, &parts);
  }
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     options_.utc ? "Z" : "");
}

std::string Output::since(WallTime at) const {
  const auto age = std::max(now_.wall - at, std::chrono::milliseconds(0));
  return human_duration(std::chrono::duration_cast<Duration>(age));
}

std::string Output::until(WallTime at) const {
  const auto left = std::max(at - now_.wall, std::chrono::milliseconds(0));
  return human_duration(std::chrono::duration_cast<Duration>(left));
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1000;
  std::string_view unit = "kB";
  for (const std::string_view bigger : {"MB", "GB", "TB", "PB"}) {
    if (amount < 999.5) break;
    amount /= 1000;
    unit = bigger;
  }
  return amount < 9.95 ? fmt::format("{:.1f} {}", amount, unit)
                       : fmt::format("{:.0f} {}", amount, unit);
}

std::string percent(double ratio) {
  const double value = ratio * 100;
  return value == 0 || value >= 9.95 ? fmt::format("{:.0f} %", value)
                                     : fmt::format("{:.1f} %", value);
}

Paint paint_of(Severity severity) {
  switch (severity) {
    case Severity::critical:
    case Severity::error:
      return Paint::bad;
    case Severity::warning:
      return Paint::warn;
    case Severity::notice:
      return Paint::plain;
    case Severity::info:
      return Paint::dim;
  }
  return Paint::plain;
}

Paint paint_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return Paint::good;
    case Verdict::degraded:
      return Paint::warn;
    case Verdict::critical:
      return Paint::bad;
    case Verdict::unknown:
      return Paint::warn;
  }
  return Paint::plain;
}

}  // namespace timectl::cmd
