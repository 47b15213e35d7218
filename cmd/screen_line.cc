#include "cmd/screen_line.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace timectl::cmd {
namespace {

constexpr std::size_t kEighths = 8;
constexpr std::array<std::string_view, kEighths + 1> kBars{" ", "▁", "▂", "▃", "▄",
                                                           "▅", "▆", "▇", "█"};
constexpr std::string_view kUnknown = "·";

struct Translation {
  std::string_view from;
  char to;
};
// Of what we draw ourselves. A strip reads "####.#": the height of a column becomes its darkness.
constexpr auto kAscii = std::to_array<Translation>({{"▁", '_'},
                                                    {"▂", '.'},
                                                    {"▃", ':'},
                                                    {"▄", '-'},
                                                    {"▅", '='},
                                                    {"▆", '+'},
                                                    {"▇", '*'},
                                                    {"█", '#'},
                                                    {"·", ' '},
                                                    {"─", '-'},
                                                    {"…", '~'},
                                                    {"▾", 'v'},
                                                    {"▴", '^'},
                                                    {"▸", '>'}});

std::size_t length_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(length, text.size());
}

std::string ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = length_at(text);
    const auto character = text.substr(0, length);
    text.remove_prefix(length);
    if (length == 1) {
      out += character;
      continue;
    }
    const auto known = std::ranges::find(kAscii, character, &Translation::from);
    out += known != kAscii.end() ? std::string(1, known->to)
                                 : std::string(display_width(character), '?');
  }
  return out;
}

Paint paint_of_share(double share, double good) {
  return share >= good ? Paint::good : share >= 0.5 ? Paint::warn : Paint::bad;
}

}  // namespace

ScreenLine& ScreenLine::add(std::string_view text, Paint paint) {
  if (text.empty()) return *this;
  width_ += display_width(text);
  if (!spans_.empty() && spans_.back().paint == paint && !spans_.back().inverse) {
    spans_.back().text += text;
  } else {
    spans_.push_back({std::string(text), paint});
  }
  return *this;
}

ScreenLine& ScreenLine::badge(std::string_view text, Paint paint) {
  spans_.push_back({" " + std::string(text) + " ", paint, true});
  width_ += display_width(spans_.back().text);
  return *this;
}

ScreenLine& ScreenLine::cell(std::string_view text, std::size_t width, Align align, Paint paint) {
  if (width == 0) return *this;
  const auto shown = cut(text, width);
  const std::string blanks(width - std::min(width, display_width(shown)), ' ');
  if (align == Align::right) add(blanks);
  add(shown, paint);
  if (align == Align::left) add(blanks);
  return *this;
}

ScreenLine& ScreenLine::join(const ScreenLine& other) {
  for (const auto& span : other.spans_) spans_.push_back(span);
  width_ += other.width_;
  return *this;
}

void ScreenLine::fill_to(std::size_t width) {
  if (width_ < width) add(std::string(width - width_, ' '));
}

void ScreenLine::cut_to(std::size_t width) {
  if (width_ <= width) return;
  std::size_t used = 0;
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    const auto wide = display_width(spans_[i].text);
    const bool more = i + 1 < spans_.size();
    if (used + wide < width || (used + wide == width && !more)) {
      used += wide;
      continue;
    }
    // What follows is lost, too: say so even where this span would fit.
    const auto room = width - used;
    spans_[i].text = room == 0 ? "" : cut(spans_[i].text + (more ? "  " : ""), room);
    spans_.resize(room == 0 ? i : i + 1);
    break;
  }
  width_ = 0;
  for (const auto& span : spans_) width_ += display_width(span.text);
}

void ScreenLine::invert() {
  // In one colour: patches of red and green behind the words are hard to read.
  for (auto& span : spans_) span = {std::move(span.text), Paint::plain, true};
}

void ScreenLine::translate_to_ascii() {
  for (auto& span : spans_) span.text = ascii(span.text);
}

std::string ScreenLine::text() const {
  std::string all;
  for (const auto& span : spans_) all += span.text;
  all.resize(all.find_last_not_of(' ') + 1);
  return all;
}

ScreenLine both_ends(ScreenLine left, const ScreenLine& right, std::size_t width) {
  if (right.width() == 0) {
    left.cut_to(width);
    return left;
  }
  constexpr std::size_t kLeast = 12;  // of the left one; narrower, the right one is left out
  if (right.width() + 1 + kLeast > width) {
    left.cut_to(width);
    return left;
  }
  left.cut_to(width - right.width() - 1);
  left.fill_to(width - right.width());
  return left.join(right);
}

ScreenLine rule_line(std::string_view title, std::string_view right, std::size_t width) {
  const auto dashes = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "─";
    return text;
  };
  ScreenLine line;
  line.add(dashes(1) + " ", Paint::dim).add(title, Paint::bold).add(" ", Paint::dim);
  const std::size_t tail = right.empty() ? 0 : display_width(right) + 3;
  if (line.width() + tail < width) line.add(dashes(width - line.width() - tail), Paint::dim);
  if (tail > 0) line.add(" ").add(right, Paint::dim).add(" " + dashes(1), Paint::dim);
  line.cut_to(width);
  return line;
}

Series squeezed(const Series& values, std::size_t width, Keep keep) {
  if (values.size() <= width || width == 0) return values;
  Series out(width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    auto& place = out[i * width / values.size()];
    if (!place) {
      place = values[i];
    } else {
      place = keep == Keep::least ? std::min(*place, *values[i]) : std::max(*place, *values[i]);
    }
  }
  return out;
}

ScreenLine strip(const Series& shares, std::size_t width, double good) {
  ScreenLine line;
  for (const auto& share : squeezed(shares, width, Keep::least)) {
    if (!share) {
      line.add(kUnknown, Paint::dim);
      continue;
    }
    const double value = std::clamp(*share, 0.0, 1.0);
    // Nothing at all is the lowest bar, not a blank: somebody looked.
    const auto level = static_cast<std::size_t>(std::floor(value * kEighths));
    line.add(kBars.at(value >= kWholeTime ? kEighths : std::clamp<std::size_t>(level, 1, 7)),
             paint_of_share(value, good));
  }
  return line;
}

Lines chart(const Series& values, double top, std::size_t width, std::size_t height, Keep keep,
            Paint paint) {
  const auto columns = squeezed(values, width, keep);
  Lines lines(height);
  for (std::size_t row = 0; row < height; ++row) {
    const std::size_t below = (height - 1 - row) * kEighths;  // eighths under this line
    const bool lowest = row + 1 == height;
    for (const auto& value : columns) {
      if (!value) {
        lines[row].add(lowest ? kUnknown : " ", lowest ? Paint::dim : Paint::plain);
        continue;
      }
      const double share = top > 0 ? std::clamp(*value / top, 0.0, 1.0) : 0;
      auto full =
          static_cast<std::size_t>(std::lround(share * static_cast<double>(height * kEighths)));
      if (*value > 0) full = std::max<std::size_t>(full, 1);  // a little is not nothing
      const auto here = full > below ? std::min(full - below, kEighths) : 0;
      const bool ground = lowest && here == 0;
      lines[row].add(ground ? kBars[1] : kBars.at(here), ground ? Paint::dim : paint);
    }
  }
  return lines;
}

}  // namespace timectl::cmd
