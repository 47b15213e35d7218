#pragma once
// Tables for people, as wide as the terminal and at most 100 columns, of described structs: a
// column is a title and a member (or a small function of the row); how a value looks follows from
// its type, in one place. What peers and files chose is made printable here. Wide texts give way
// first, cut with "…".

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cmd/output.h"
#include "daemon/core/events.h"
#include "daemon/core/reflect.h"

namespace timectl::cmd {

struct Cell {
  std::string text = {};  // one line, printable
  Paint paint = Paint::plain;
};

enum class Align : std::uint8_t { left, right };

// A value as people read it. Unknown is "-", never 0; a time is local or UTC as asked for.
class Cells {
 public:
  explicit Cells(const Output& output) : output_(output) {}

  [[nodiscard]] std::string operator()(bool value) const { return value ? "yes" : "no"; }
  [[nodiscard]] std::string operator()(const std::string& value) const {
    return value.empty() ? "-" : printable(value, 400);
  }
  [[nodiscard]] std::string operator()(const IpAddress& value) const { return value.to_string(); }
  [[nodiscard]] std::string operator()(WallTime value) const { return output_.time(value); }
  [[nodiscard]] std::string operator()(Duration value) const { return human_duration(value); }
  [[nodiscard]] std::string operator()(double value) const;  // three significant digits
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) [[nodiscard]] std::string operator()(
      T value) const {
    return std::to_string(value);
  }
  template <DescribedEnum E>
  [[nodiscard]] std::string operator()(E value) const {
    return std::string(name_of(value));
  }
  template <class T>
  [[nodiscard]] std::string operator()(const std::optional<T>& value) const {
    return value ? (*this)(*value) : "-";
  }
  template <class T>
  [[nodiscard]] std::string operator()(const std::vector<T>& values) const {
    std::string all;
    for (const auto& value : values) all += (all.empty() ? "" : ",") + (*this)(value);
    return all.empty() ? "-" : all;
  }
  [[nodiscard]] Cell operator()(Cell cell) const { return cell; }

 private:
  const Output& output_;
};

// Columns in display; combining marks take none, wide characters two.
[[nodiscard]] std::size_t display_width(std::string_view text);

// At most `width` columns: what is longer ends in "…".
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

// The rows of a table before they know their types.
class Grid {
 public:
  explicit Grid(const Output& output) : output_(output) {}

  void column(std::string title, Align align, bool whole) {
    columns_.push_back({std::move(title), align, whole});
  }
  void row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Title line and rows, each ended by a line end. Columns in which no row has a value are left
  // out, so that a narrow terminal shows what there is.
  [[nodiscard]] std::string text() const;

 private:
  struct Column {
    std::string title;
    Align align;
    bool whole;  // an address or a time: the last to be cut
  };
  void narrow(std::vector<std::size_t>& widths, std::size_t excess, bool whole_too) const;
  [[nodiscard]] std::vector<std::size_t> widths() const;

  const Output& output_;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Whether a cell may be cut where the table is too wide. Addresses and times never shrink first.
enum class Fit : std::uint8_t { shrinks, whole };

template <class Row>
class Table {
 public:
  Table(const Output& output, const std::vector<Row>& rows)
      : cells_(output), grid_(output), rows_(rows), made_(rows.size()) {}

  // `get`: a pointer to a member of Row, or a callable of a row that returns a value or a Cell.
  template <class Get>
  Table& column(std::string title, Get get, Align align = Align::left, Fit fit = Fit::shrinks) {
    using Got = std::remove_cvref_t<std::invoke_result_t<Get, const Row&>>;
    constexpr bool kWhole = std::is_same_v<Got, IpAddress> || std::is_same_v<Got, WallTime> ||
                            std::is_same_v<Got, std::optional<WallTime>>;
    grid_.column(std::move(title), align, kWhole || fit == Fit::whole);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      auto value = cells_(std::invoke(get, rows_[i]));
      if constexpr (std::is_same_v<decltype(value), Cell>) {
        made_[i].push_back(std::move(value));
      } else {
        made_[i].push_back(Cell{std::move(value)});
      }
    }
    return *this;
  }
  [[nodiscard]] std::string text() {
    for (auto& row : made_) grid_.row(std::move(row));
    made_.clear();
    return grid_.text();
  }

 private:
  Cells cells_;
  Grid grid_;
  const std::vector<Row>& rows_;
  std::vector<std::vector<Cell>> made_;
};

// "Title    value" lines of one thing: the titles aligned, empty values left out by the caller.
struct Field {
  std::string title;
  std::string value;
};
[[nodiscard]] std::string fields_text(const Output& output, const std::vector<Field>& fields);

// Words wrapped to `width` columns, continuation lines indented.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent,
                                  std::size_t width = kMaxWidth);

}  // namespace timectl::cmd
