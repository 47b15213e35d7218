// BLAKE3 in its default mode, 32 bytes of output, after its specification. Block hashes use it; no
// library of this system has it. Portable code for inputs of any length; a block's preimage is a
// few hundred bytes.
#pragma once

#include <cstdint>
#include <span>

#include "daemon/wire/bytes.h"

namespace timectl::wire {

[[nodiscard]] Hash32 blake3(std::span<const std::uint8_t> data);

}  // namespace timectl::wire
