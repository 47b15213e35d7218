// The hashes of the network. SHA-256 makes transaction ids and merkle roots, SHA-512 appears in the
// producers' proofs, BLAKE3 makes block hashes (blake3.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/wire/bytes.h"

namespace timectl::wire {

using Hash64 = std::array<std::uint8_t, 64>;

[[nodiscard]] Hash32 sha256(std::span<const std::uint8_t> data);
[[nodiscard]] Hash32 sha256(std::string_view text);
[[nodiscard]] Hash64 sha512(std::span<const std::uint8_t> data);

}  // namespace timectl::wire
