#pragma once
// The guard in front of libmaxminddb, for AsDatabase. The 1.7.1 of Debian 12 trusts its files: it
// reads beyond the end when the metadata is shorter than three bytes or the tree's size wraps at
// 32 bits, overflows the stack on deep nesting, leaks on metadata of odd types, and pointers to
// lists of pointers make it allocate without end (fixed upstream in 1.9.1 to 1.13). A file passes
// here first, and so does each record before it is read. Pure.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace timectl {

inline constexpr std::size_t kMostMmdbValues = 1000;  // of the metadata, or of one record
inline constexpr std::size_t kMostMmdbDepth = 8;      // a record of an AS database needs 1

// Empty: the file may be given to MMDB_open(); otherwise what is wrong with it.
[[nodiscard]] std::string unsafe_to_open(std::span<const std::uint8_t> file);

// Whether a value may be looked for in the record at `offset` of the data section.
[[nodiscard]] bool safe_record(std::span<const std::uint8_t> data, std::size_t offset);

}  // namespace timectl
