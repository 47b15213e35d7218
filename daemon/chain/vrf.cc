#include "daemon/chain/vrf.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/wire/hash.h"

namespace timectl::chain {

wire::Hash32 vrf_input(std::uint64_t height, const wire::Hash32& parent) {
  constexpr std::string_view domain = "TIMECOIN_VRF_V2";
  std::array<std::uint8_t, domain.size() + sizeof height + 32> text{};
  auto end = std::copy(domain.begin(), domain.end(), text.begin());
  for (std::size_t i = 0; i < sizeof height; ++i) {
    *end++ = static_cast<std::uint8_t>(height >> (8 * i));
  }
  std::copy(parent.begin(), parent.end(), end);
  return wire::sha256(text);
}

wire::Hash32 vrf_challenge(const wire::Hash32& input) {
  const wire::Hash64 digest = wire::sha512(input);
  wire::Hash32 half{};
  std::copy_n(digest.begin(), half.size(), half.begin());
  return half;
}

std::uint64_t vrf_score(const wire::Hash32& output) {
  std::uint64_t score = 0;
  for (std::size_t i = 0; i < sizeof score; ++i) {
    score |= std::uint64_t{output[i]} << (8 * i);
  }
  return score;
}

}  // namespace timectl::chain
