#pragma once
// The guard in front of the TOML parser. toml11 3.7.1 reads beyond its buffer on invalid UTF-8,
// overflows the stack on deep nesting, saturates large integers in silence and reads through a null
// pointer where a key goes through an empty list; a file passes here first. Pure; called by
// check_text() for every file.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace timectl::config {

inline constexpr std::size_t kMostBytes = 1'048'576;  // of one file
inline constexpr std::size_t kMostDepth = 8;          // brackets and braces; the file needs 3
inline constexpr std::size_t kMostDots = 8;           // of one line outside texts
inline constexpr std::size_t kMostDigits = 18;        // in a row: what fits into 64 bits

// Empty: the text may be given to the parser. At most one problem, the first in the file.
[[nodiscard]] std::vector<Problem> unsafe_to_parse(std::string_view text, const std::string& file);

}  // namespace timectl::config
