#pragma once
// A database as a file: what stands at its path, and how one comes into being so that a file with
// the right name is never an unfinished one. Both databases of the data directory use it. Private
// to store/; failures are StoreFailure and SQLite::Exception.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "store/connection.h"

namespace timectl::store {

enum class Presence : std::uint8_t { none, file };

// Refuses what is no regular file, is empty, or has only its log left. Takes the rights of others.
[[nodiscard]] Presence look_at(const std::filesystem::path& file);

// `fill` makes what stands in it. Under another name until it is complete.
void create_database(const std::filesystem::path& file,
                     const std::function<void(Connection&)>& fill);

// A log (-wal or -journal) with something in it stands beside the file.
[[nodiscard]] bool log_is_there(const std::filesystem::path& file);

[[noreturn]] void throw_damaged(const std::filesystem::path& file, const std::string& because);

}  // namespace timectl::store
