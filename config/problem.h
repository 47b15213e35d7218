#pragma once
// Problem: one thing that is wrong with the configuration, with its place. Checks collect all of
// them; `timectl config check` and a refused start print them with render().

#include <boost/describe/class.hpp>
#include <string>
#include <vector>

namespace timectl::config {

struct Problem {
  std::string file;        // a path, or "environment" or "command line"
  std::size_t line = 0;    // 1-based; 0: the problem has no line
  std::size_t column = 0;  // 1-based, in bytes
  std::size_t width = 0;   // bytes to underline
  std::string message;     // one sentence
  std::string hint;        // what to write instead; may be empty
  std::string excerpt;     // the line itself; empty where there is none
};
BOOST_DESCRIBE_STRUCT(Problem, (), (file, line, column, width, message, hint, excerpt))

// Several lines: FILE:LINE:COLUMN: message, the line, a caret under the place, the hint. Control
// characters of the file are replaced, so that a hostile file cannot drive the terminal.
[[nodiscard]] std::string render(const Problem& problem);
[[nodiscard]] std::string render(const std::vector<Problem>& problems);

// The candidate nearest to `word` when it is near enough to be a slip of the finger, else "".
[[nodiscard]] std::string nearest(const std::string& word,
                                  const std::vector<std::string>& candidates);

}  // namespace timectl::config
