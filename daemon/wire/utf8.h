// UTF-8 validation, used by the decoder on every text of a frame and by the JSON form. Promises the
// rules of the reference decoder: no overlong forms, no surrogates, nothing above U+10FFFF; NUL is
// allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace timectl::wire {

// Any bytes; reads only [bytes, bytes + size).
[[nodiscard]] bool is_utf8(const std::uint8_t* bytes, std::size_t size);

// Whether all bytes are below 0x80: nearly every text on this network is.
[[nodiscard]] inline bool is_ascii(const std::uint8_t* bytes, std::size_t size) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::uint64_t seen = 0;
  std::uint64_t word = 0;
  if (size >= 8) {
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
      std::memcpy(&word, bytes + i, 8);
      seen |= word;
    }
    std::memcpy(&word, bytes + size - 8, 8);
    return ((seen | word) & high_bits) == 0;
  }
  for (std::size_t i = 0; i < size; ++i) seen |= bytes[i];
  return (seen & 0x80U) == 0;
}

}  // namespace timectl::wire
