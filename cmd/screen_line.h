#pragma once
// Lines of a full-screen view as plain values: spans of text with a paint, cut and padded to
// columns of the display, and the small pictures that are made of characters (strips and charts).
// Made by top_*.cc, drawn by top_terminal.cc or printed as text; the tests compare them. What goes
// in is printable already (core/events.h). Pure.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/output.h"
#include "cmd/table.h"

namespace timectl::cmd {

struct Span {
  std::string text = {};
  Paint paint = Paint::plain;
  bool inverse = false;
};

class ScreenLine {
 public:
  ScreenLine& add(std::string_view text, Paint paint = Paint::plain);
  ScreenLine& badge(std::string_view text, Paint paint);  // " TEXT ", inverse
  // Exactly `width` columns: cut with "…", or filled with blanks.
  ScreenLine& cell(std::string_view text, std::size_t width, Align align = Align::left,
                   Paint paint = Paint::plain);
  ScreenLine& join(const ScreenLine& other);
  void fill_to(std::size_t width);  // with blanks
  void cut_to(std::size_t width);   // the span that crosses it ends in "…"
  void invert();                    // the whole line, without its colours
  void translate_to_ascii();        // for a terminal whose locale is not UTF-8

  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }
  [[nodiscard]] std::string text() const;  // without paint, without blanks at the end

 private:
  std::vector<Span> spans_;
  std::size_t width_ = 0;
};

using Lines = std::vector<ScreenLine>;

// `left`, and `right` at the end of `width` columns; where both do not fit, the left one is cut.
[[nodiscard]] ScreenLine both_ends(ScreenLine left, const ScreenLine& right, std::size_t width);
// "─ title ──────── right ─"
[[nodiscard]] ScreenLine rule_line(std::string_view title, std::string_view right,
                                   std::size_t width);

using Series = std::vector<std::optional<double>>;  // unknown: nobody looked

// At most `width` values that stand for all: of those that share a place the least or the greatest,
// so that a short outage is not averaged away.
enum class Keep : std::uint8_t { least, greatest };
[[nodiscard]] Series squeezed(const Series& values, std::size_t width, Keep keep);

// One column a value, 0 to 1; unknown is "·". From `good` on a value is painted as good, below a
// half as bad. A share of time is good when it is whole but for one missed look in a thousand.
inline constexpr double kWholeTime = 0.999;
[[nodiscard]] ScreenLine strip(const Series& shares, std::size_t width, double good = kWholeTime);
// `height` lines of one column a value, from 0 up to `top`; unknown is "·" on the lowest line.
[[nodiscard]] Lines chart(const Series& values, double top, std::size_t width, std::size_t height,
                          Keep keep, Paint paint);

}  // namespace timectl::cmd
