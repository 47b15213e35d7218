#pragma once
// The text of a file that a command was named, or of the standard input ("-"): whole, or an error;
// a pipe that never ends and a device are refused.

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl::cmd {

// `noun`: what it should be, for the error of one that is too large ("list"). Errors: not_found,
// access_denied, input_output, too_large.
[[nodiscard]] Result<std::string> read_input(const std::string& file, std::string_view noun,
                                             std::size_t limit);

}  // namespace timectl::cmd
