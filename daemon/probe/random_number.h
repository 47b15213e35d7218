#pragma once
// A number that nobody outside can guess: for the nonces of our pings and the stamps of our time
// requests, by which an answer is known to be one.

#include <cstdint>

namespace timectl::probe {

[[nodiscard]] std::uint64_t random_number();

}  // namespace timectl::probe
