#pragma once
// Random: the node's one source of chance (nonces, jitter, picks), seeded from outside so that a
// test or a simulation with the same seed makes the same choices. Not for keys.

#include <cstddef>
#include <cstdint>

namespace timectl {

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  // SplitMix64 (Steele, Lea, Flood 2014): passes BigCrush, 64 bits of state are enough here.
  [[nodiscard]] constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  // 0 <= x < 1.
  [[nodiscard]] constexpr double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  // 0 to n - 1; n must not be 0. The bias of the remainder is below 2^-32 for the n used here.
  [[nodiscard]] constexpr std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(next() % n);
  }

 private:
  std::uint64_t state_;
};

}  // namespace timectl
