// UTF-8 validation, used by the decoder on every text of a frame and by the JSON form. Promises the
// rules of the reference decoder: no overlong forms, no surrogates, nothing above U+10FFFF; NUL is
// allowed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace timectl::wire {

// Any bytes; reads only [bytes, bytes + size).
[[nodiscard]] bool is_utf8(const std::uint8_t* bytes, std::size_t size);

// Whether all bytes are below 0x80: nearly every text on this network is.
[[nodiscard]] inline bool is_ascii(const std::uint8_t* bytes, std::size_t size) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  using Words = std::array<std::uint64_t, 2>;
  const auto words = [&](std::size_t at) {
    Words loaded;
    std::memcpy(&loaded, bytes + at, sizeof loaded);
    return loaded;
  };
  if (size >= 16) {
    Words seen = words(size - 16);
    for (std::size_t i = 0; i + 16 < size; i += 16) {
      const Words more = words(i);
      seen[0] |= more[0];
      seen[1] |= more[1];
    }
    return ((seen[0] | seen[1]) & high_bits) == 0;
  }
  if (size >= 8) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::memcpy(&first, bytes, 8);
    std::memcpy(&last, bytes + size - 8, 8);
    return ((first | last) & high_bits) == 0;
  }
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < size; ++i) seen |= bytes[i];
  return seen < 0x80;
}

}  // namespace timectl::wire
