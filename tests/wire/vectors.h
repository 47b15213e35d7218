// The golden vectors for the tests of the wire: the copies in tests/data/vectors, and the shared
// folder they came from when this machine has it, so that a changed vector is noticed.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/wire/bytes.h"

namespace timectl::wire::test {

// The folders with vectors; a test says on stdout when the shared one is missing.
[[nodiscard]] std::vector<std::filesystem::path> vector_folders();

// One file of a folder: an array of objects.
[[nodiscard]] boost::json::array load_vectors(const std::filesystem::path& folder,
                                              std::string_view file);

// The files with message vectors, without ".json".
[[nodiscard]] const std::vector<std::string_view>& message_files();

// All message vectors of a folder.
[[nodiscard]] boost::json::array load_messages(const std::filesystem::path& folder);

[[nodiscard]] std::string text_of(const boost::json::object& entry, std::string_view key);
[[nodiscard]] std::vector<std::uint8_t> bytes_of(const boost::json::object& entry,
                                                 std::string_view key);
[[nodiscard]] Hash32 hash_of(std::string_view hex);

}  // namespace timectl::wire::test
