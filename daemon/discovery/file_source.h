#pragma once
// A list that lies on this machine (file:). Regular files only, so that a pipe or a device never
// holds the reader; read to the limit and not further. Called by fetch().

#include <string>
#include <variant>

#include "daemon/discovery/fetch.h"

namespace timectl::discovery {

// FetchFailure: step `file`, or `size` for more than max_bytes.
[[nodiscard]] std::variant<Fetched, FetchFailure> read_file_source(const std::string& path,
                                                                   std::size_t max_bytes);

}  // namespace timectl::discovery
