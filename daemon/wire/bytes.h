// The value types that every wire struct is made of: borrowed byte strings, texts and lists, fixed
// arrays, 128-bit integers. Used by the message structs, the codec and the hashes. A List never
// owns: what a decoded message shows lives in the frame it was decoded from and in the Arena given
// to the decoder, which is why decoding a block copies nothing but its fixed fields.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace timectl::wire {

// A borrowed sequence. Equality compares the elements, unlike std::span.
template <class T>
class List {
 public:
  using value_type = T;

  constexpr List() = default;
  constexpr List(const T* data, std::size_t size) : data_(data), size_(size) {}
  constexpr List(std::span<const T> items) : data_(items.data()), size_(items.size()) {}
  List(const std::vector<T>& items) : data_(items.data()), size_(items.size()) {}
  template <std::size_t N>
  constexpr List(const std::array<T, N>& items) : data_(items.data()), size_(N) {}

  [[nodiscard]] constexpr const T* data() const { return data_; }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  [[nodiscard]] constexpr const T* begin() const { return data_; }
  [[nodiscard]] constexpr const T* end() const { return data_ + size_; }
  [[nodiscard]] constexpr const T& operator[](std::size_t i) const { return data_[i]; }
  [[nodiscard]] constexpr std::span<const T> span() const { return {data_, size_}; }

  friend constexpr bool operator==(const List& a, const List& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};

using Bytes = List<std::uint8_t>;
using Text = std::string_view;  // always valid UTF-8 after decoding
using Hash32 = std::array<std::uint8_t, 32>;
using Signature64 = std::array<std::uint8_t, 64>;

// An Ed25519 public key. On the wire a byte string of length 32 whose content must decompress.
struct PublicKey {
  Hash32 bytes{};
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

// u128 of the wire (chain work): only stored, compared and printed.
struct Uint128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Uint128&, const Uint128&) = default;
};

// How the members of a wire struct are keyed in JSON: by name, by position ("0", "1": a tuple
// variant), or not at all (a tuple, a JSON array).
enum class JsonKeys { names, positions, none };

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

// Hex digits of either case, nothing else, an even number of them.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

// The value of one hex digit, or -1.
[[nodiscard]] constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Decimal text of a 128-bit number, and back: digits only, no sign, no superfluous zero.
[[nodiscard]] std::string to_decimal(Uint128 value);
[[nodiscard]] std::optional<Uint128> uint128_from_decimal(std::string_view text);

}  // namespace timectl::wire
