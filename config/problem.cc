#include "config/problem.h"

#include <algorithm>
#include <numeric>

namespace timectl::config {
namespace {

constexpr std::size_t kLongestExcerpt = 160;  // a line of a file can be a megabyte

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? (c == '\t' ? ' ' : '?') : c;
  }
  return out;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string render(const Problem& problem) {
  std::string out = printable(problem.file);
  if (problem.line != 0) out += ":" + std::to_string(problem.line);
  if (problem.column != 0) out += ":" + std::to_string(problem.column);
  out += ": " + printable(problem.message) + "\n";
  const bool shown = !problem.excerpt.empty() && problem.column != 0 &&
                     problem.column <= std::min(problem.excerpt.size() + 1, kLongestExcerpt);
  if (shown) {
    std::string number = std::to_string(problem.line);
    number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
    const std::string text = printable(problem.excerpt.substr(0, kLongestExcerpt));
    const std::size_t room = std::max<std::size_t>(1, text.size() + 1 - problem.column);
    out += number + " | " + text + "\n";
    out += std::string(number.size(), ' ') + " | " + std::string(problem.column - 1, ' ') +
           std::string(std::clamp<std::size_t>(problem.width, 1, room), '^');
    if (!problem.hint.empty()) out += " " + printable(problem.hint);
    out += "\n";
  } else if (!problem.hint.empty()) {
    out += "      " + printable(problem.hint) + "\n";
  }
  return out;
}

std::string render(const std::vector<Problem>& problems) {
  std::string out;
  for (const auto& problem : problems) out += render(problem);
  return out;
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  if (word.size() > 64) return "";
  std::string best;
  std::size_t best_distance = word.size() < 4 ? 2 : word.size() / 3 + 2;  // must be less
  for (const auto& candidate : candidates) {
    const auto d = distance(word, candidate);
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace timectl::config
