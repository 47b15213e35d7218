#pragma once
// Bytes as lower-case hexadecimal digits: of signatures and of the token of the page. (The wire has
// its own, which also reads them.)

#include <string>
#include <string_view>

namespace timectl {

template <class Bytes>
[[nodiscard]] std::string hex_text(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace timectl
