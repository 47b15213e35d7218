#pragma once
// IpAddress: what peers are known by. A value of 16 bytes in the IPv4-mapped form, so that one
// order ranks v4 and v6 (requirements S5, W5). Parsed once at the edge, trusted afterwards.

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl {

class IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  constexpr IpAddress() = default;  // ::, the unspecified address
  explicit constexpr IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  [[nodiscard]] static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c,
                                              std::uint8_t d) {
    return IpAddress({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d});
  }

  // Canonical spellings and ::ffff:a.b.c.d. Refused, each with its own reason in `because`:
  // ports, CIDRs, zones, host names, leading zeros, hexadecimal or bare integers, over 64 bytes.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] std::string to_string() const;  // 1.2.3.4, or RFC 5952 for v6
  [[nodiscard]] constexpr const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] constexpr bool is_v4() const {
    for (std::size_t i = 0; i < 10; ++i) {
      if (bytes_[i] != 0) return false;
    }
    return bytes_[10] == 0xff && bytes_[11] == 0xff;
  }
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_unspecified() const;  // 0.0.0.0 or ::
  [[nodiscard]] bool is_multicast() const;    // and the v4 broadcast address
  [[nodiscard]] bool is_private() const;      // RFC 1918, 100.64/10, link-local, ULA
  // Could be a masternode out there: none of the above, not 0/8, 240/4 or a documentation range.
  [[nodiscard]] bool is_public() const;
  // The network group that limits count by: the /24 of v4, the /56 of v6, other bits zero.
  [[nodiscard]] IpAddress subnet() const;
  // The wider group: /16 of v4, /48 of v6.
  [[nodiscard]] IpAddress network_group() const;

  // Bytewise, the first one first; as two words, because maps of addresses live by it.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
    return a.word(0) == b.word(0) && a.word(1) == b.word(1);
  }
  friend constexpr std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    const std::uint64_t high_a = a.word(0);
    const std::uint64_t high_b = b.word(0);
    return high_a != high_b ? high_a <=> high_b : a.word(1) <=> b.word(1);
  }

 private:
  // Bytes 8 * i to 8 * i + 7, the first one the highest: one load and a swap.
  [[nodiscard]] constexpr std::uint64_t word(std::size_t i) const {
    const std::uint64_t w = std::bit_cast<std::array<std::uint64_t, 2>>(bytes_)[i];
    return std::endian::native == std::endian::little ? __builtin_bswap64(w) : w;
  }

  Bytes bytes_{};
};

}  // namespace timectl

template <>
struct std::hash<timectl::IpAddress> {
  std::size_t operator()(const timectl::IpAddress& ip) const noexcept {
    std::uint64_t h = 0xcbf29ce484222325U;
    for (auto byte : ip.bytes()) h = (h ^ byte) * 0x100000001b3U;
    return static_cast<std::size_t>(h);
  }
};
