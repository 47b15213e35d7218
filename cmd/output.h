#pragma once
// What a command prints, and where: documents and tables for stdout, talk, hints and errors for
// stderr, each as text for people or as JSON. Made once per process by cli.cc from the global
// flags; every command writes through it, so that colour, times, quietness and a closed pipe are
// decided here. Text that a peer chose must have gone through printable() (table.h does it).

#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/digits.h"
#include "daemon/core/json.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl::cmd {

enum class Paint : std::uint8_t { plain, bold, dim, good, warn, bad };

inline constexpr std::size_t kMaxWidth = 100;

struct OutputOptions {
  bool json = false;
  bool quiet = false;
  bool color_out = false;  // stdout is a terminal that wants it
  bool color_err = false;
  bool utc = false;
  std::size_t width_out = kMaxWidth;
  std::size_t width_err = kMaxWidth;
};

// The columns to fill: those of the terminal on `fd`, 60 to 100; 100 where it is none.
[[nodiscard]] std::size_t columns_of(int fd);

// Whether a terminal on `fd` gets colour: not with NO_COLOR, TERM=dumb, or when it is no terminal.
[[nodiscard]] bool wants_color(int fd);

class Output {
 public:
  // The clock is read by the caller, once, so that all of a command's ages agree.
  void configure(const OutputOptions& options, Now now);
  void set_now(Now now) { now_ = now; }                              // of a stream that goes on
  void set_width(std::size_t width) { options_.width_out = width; }  // of a terminal that changes

  [[nodiscard]] bool json() const { return options_.json; }
  [[nodiscard]] Now now() const { return now_; }
  [[nodiscard]] std::size_t width() const { return options_.width_out; }

  // {"schema","generated_at","source","data","warnings"} as one line; `source` is "node" or
  // "database", or null (nothing of a network was asked).
  void document(std::string_view schema, const json::value& data, std::string_view source = {},
                const std::vector<std::string>& warnings = {});
  void json_line(const json::value& value);  // one object of a stream
  void text(std::string_view text);          // to stdout, as it is
  void flush();                              // ends the process quietly on a closed pipe

  void note(std::string_view line);  // to stderr, not with --quiet
  void warning(std::string_view line);
  // Of whatever this command prints: said once, and part of every document.
  void standing_warning(const std::string& line);
  void error(const Error& error) const;

  [[nodiscard]] std::string paint(Paint paint, std::string_view text) const;
  [[nodiscard]] std::string time(WallTime at) const;   // local, or UTC with a Z
  [[nodiscard]] std::string since(WallTime at) const;  // "3 min 20 s", from then to now
  [[nodiscard]] std::string until(WallTime at) const;  // from now to then

 private:
  OutputOptions options_;
  Now now_{};
  std::string pending_;
  std::vector<std::string> standing_ = {};
};

// Valid JSON whatever the strings hold: control characters, bidirectional overrides and broken
// UTF-8 leave as escapes, numbers in their shortest form.
[[nodiscard]] std::string json_text(const json::value& value);

// "1,234", "1.2 MB", "34 %"
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
[[nodiscard]] std::string percent(double ratio);
[[nodiscard]] Paint paint_of(Severity severity);
[[nodiscard]] Paint paint_of(Verdict verdict);

}  // namespace timectl::cmd
