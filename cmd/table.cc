#include "cmd/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace timectl::cmd {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;  // a column gives way down to this

struct Range {
  std::uint32_t from;
  std::uint32_t to;
};

// Enough of Unicode's East Asian Width and combining marks for names that people type.
constexpr auto kWide = std::to_array<Range>({{0x1100, 0x115f},
                                             {0x2e80, 0x303e},
                                             {0x3041, 0xa4cf},
                                             {0xac00, 0xd7a3},
                                             {0xf900, 0xfaff},
                                             {0xfe30, 0xfe6f},
                                             {0xff00, 0xff60},
                                             {0xffe0, 0xffe6},
                                             {0x1f300, 0x1faff},
                                             {0x20000, 0x3fffd}});
constexpr auto kNone = std::to_array<Range>({{0x0300, 0x036f},
                                             {0x0483, 0x0489},
                                             {0x0591, 0x05bd},
                                             {0x0610, 0x061a},
                                             {0x064b, 0x065f},
                                             {0x1ab0, 0x1aff},
                                             {0x20d0, 0x20ff},
                                             {0xfe00, 0xfe0f},
                                             {0xfe20, 0xfe2f}});

template <class Ranges>
bool is_in(const Ranges& ranges, std::uint32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return c >= range.from && c <= range.to; });
}

std::size_t length_of(unsigned char first) {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

// The width of the character at the front, and its bytes; the text is valid UTF-8 by printable().
std::pair<std::size_t, std::size_t> front_of(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = std::min(length_of(first), text.size());
  std::uint32_t value = bytes == 1 ? first : first & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return {is_in(kNone, value) ? 0 : is_in(kWide, value) ? 2 : 1, bytes};
}

}  // namespace

std::string Cells::operator()(double value) const {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  return size >= 100  ? fmt::format("{:.0f}", value)
         : size >= 10 ? fmt::format("{:.1f}", value)
                      : fmt::format("{:.2f}", value);
}

std::string cut(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto [columns, bytes] = front_of(text);
    if (used + columns > width - 1) break;
    out += text.substr(0, bytes);
    used += columns;
    text.remove_prefix(bytes);
  }
  return out + "…";
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [columns, bytes] = front_of(text);
    width += columns;
    text.remove_prefix(bytes);
  }
  return width;
}

namespace {

std::size_t total_of(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::size_t{0},
                         [](std::size_t sum, std::size_t w) { return sum + w + (w ? kGap : 0); });
}

}  // namespace

// Takes `excess` columns from the widest ones in turn.
void Grid::narrow(std::vector<std::size_t>& widths, std::size_t excess, bool whole_too) const {
  for (; excess > 0; --excess) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (columns_[i].whole && !whole_too) continue;
      if (widest == widths.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == widths.size() || widths[widest] <= kNarrowest) return;
    --widths[widest];
  }
}

// 0 stands for a column that is left out.
std::vector<std::size_t> Grid::widths() const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (row[i].text == "-" || row[i].text.empty()) continue;
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    widths[i] = std::max(widths[i], display_width(columns_[i].title));
    total += widths[i] + kGap;
  }
  if (total > kMaxWidth + kGap) {
    narrow(widths, total - kMaxWidth - kGap, false);
    total = total_of(widths);
    if (total > kMaxWidth + kGap) narrow(widths, total - kMaxWidth - kGap, true);
    total = total_of(widths);
  }
  // On a narrower terminal the text at the end gives way; an address or a word never does.
  const auto last = std::find_if(widths.rbegin(), widths.rend(), [](auto w) { return w > 0; });
  const std::size_t room = output_.width() + kGap;
  if (last != widths.rend() && total > room && *last > kNarrowest &&
      !columns_[static_cast<std::size_t>(widths.rend() - last) - 1].whole) {
    *last -= std::min(total - room, *last - kNarrowest);
  }
  return widths;
}

std::string Grid::text() const {
  const auto columns = widths();
  const auto line = [&](auto&& cell_of) {
    std::string out;
    std::size_t blanks = 0;  // written only before more text: no line ends in blanks
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] == 0) continue;
      const Cell& cell = cell_of(i);
      const std::string text = cut(cell.text, columns[i]);
      const std::size_t fill = columns[i] - display_width(text);
      const bool right = columns_[i].align == Align::right;
      out.append(blanks + (right ? fill : 0), ' ');
      out += output_.paint(cell.paint, text);
      blanks = kGap + (right ? 0 : fill);
    }
    return out + "\n";
  };
  std::vector<Cell> titles;
  for (const auto& column : columns_) titles.push_back({column.title, Paint::dim});
  std::string out = line([&](std::size_t i) -> const Cell& { return titles[i]; });
  for (const auto& row : rows_) {
    out += line([&](std::size_t i) -> const Cell& { return row[i]; });
  }
  return out;
}

std::string fields_text(const Output& output, const std::vector<Field>& fields) {
  std::size_t width = 0;
  for (const auto& field : fields) width = std::max(width, display_width(field.title));
  std::string out;
  for (const auto& field : fields) {
    out += output.paint(Paint::dim, field.title);
    out.append(width - display_width(field.title) + kGap, ' ');
    out += wrapped(field.value, width + kGap, output.width()) + "\n";
  }
  return out;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    const auto word = text.substr(0, end);
    if (column > indent && column + display_width(word) > width) {
      while (!out.empty() && out.back() == ' ') out.pop_back();
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    out += word;
    column += display_width(word);
    if (end == text.size()) break;
    if (text[end] == '\n') {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace timectl::cmd
