#include "daemon/core/ip_address.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

namespace timectl {
namespace {

constexpr std::size_t kLongestText = 64;

// What is wrong with the text, for people; none where it was parsed.
struct Refusal {
  std::string because;
};
using Parsed = std::variant<IpAddress::Bytes, Refusal>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
unsigned hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10U;
}

bool all(std::string_view text, bool (*predicate)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

// Four decimal numbers without leading zeros: "010.0.0.1" is octal to some programs (8.0.0.1) and
// decimal to others, which has let addresses past filters before.
std::variant<std::array<std::uint8_t, 4>, Refusal> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> out{};
  std::size_t at = 0;
  for (std::size_t part = 0; part < 4; ++part) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string_view number = text.substr(at, end - at);
    if (number.empty()) return Refusal{"an IPv4 address has four numbers between its dots"};
    if (number.size() > 1 && number[0] == '0' && (number[1] == 'x' || number[1] == 'X')) {
      return Refusal{"hexadecimal numbers are not accepted: write the address in decimal"};
    }
    if (!all(number, is_digit))
      return Refusal{"a number of an IPv4 address has decimal digits only"};
    if (number.size() > 1 && number[0] == '0') {
      return Refusal{"leading zeros are ambiguous (octal or decimal): leave them out"};
    }
    unsigned value = 0;
    for (const char c : number.substr(0, 4)) value = value * 10U + static_cast<unsigned>(c - '0');
    if (number.size() > 3 || value > 255)
      return Refusal{"a number of an IPv4 address is at most 255"};
    out[part] = static_cast<std::uint8_t>(value);
    if (part < 3 && end == text.size()) {
      return Refusal{"an IPv4 address has four numbers, this has " + std::to_string(part + 1)};
    }
    if (part == 3 && end != text.size())
      return Refusal{"an IPv4 address has four numbers, this has more"};
    at = end + 1;
  }
  return out;
}

Parsed parse_v6(std::string_view text) {
  IpAddress::Bytes out{};
  std::size_t filled = 0;          // bytes written
  std::optional<std::size_t> gap;  // where :: stands
  std::size_t at = 0;
  if (text.starts_with("::")) {
    gap = 0;
    at = 2;
  } else if (text.starts_with(":")) {
    return Refusal{"an IPv6 address does not begin with a single colon"};
  }
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    const std::string_view group = text.substr(at, end - at);
    if (group.find('.') != std::string_view::npos) {
      if (end != text.size() || filled > 12) return Refusal{"an embedded IPv4 address comes last"};
      const auto v4 = parse_v4(group);
      if (const auto* refusal = std::get_if<Refusal>(&v4)) return *refusal;
      for (const auto byte : std::get<0>(v4)) out[filled++] = byte;
      at = end;
      break;
    }
    if (group.empty()) return Refusal{"'::' may stand only once"};
    if (!all(group, is_hex) || group.size() > 4) {
      return Refusal{"a group of an IPv6 address has one to four hexadecimal digits"};
    }
    if (filled == 16) return Refusal{"an IPv6 address has eight groups, this has more"};
    unsigned value = 0;
    for (const char c : group) value = value * 16U + hex_value(c);
    out[filled++] = static_cast<std::uint8_t>(value >> 8U);
    out[filled++] = static_cast<std::uint8_t>(value & 0xffU);
    at = end;
    if (at == text.size()) break;
    ++at;
    if (at == text.size()) return Refusal{"an IPv6 address does not end with a single colon"};
    if (text[at] == ':') {
      if (gap) return Refusal{"'::' may stand only once"};
      gap = filled;
      ++at;
    }
  }
  if (!gap) {
    if (filled != 16) return Refusal{"an IPv6 address has eight groups, or '::' in place of zeros"};
    return out;
  }
  if (filled == 16) return Refusal{"'::' stands for at least one group, here it stands for none"};
  std::rotate(out.begin() + static_cast<std::ptrdiff_t>(*gap),
              out.begin() + static_cast<std::ptrdiff_t>(filled), out.end());
  return out;
}

// Mistakes that are recognised by their sign, so that each gets its own sentence.
std::optional<std::string> recognised_mistake(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > kLongestText) return "it is longer than 64 bytes";
  for (const char c : text) {
    if (c <= ' ' || c > '~') return "it has a blank, a control or a non-ASCII character";
  }
  if (text.find('/') != std::string_view::npos) {
    return "it is a network (CIDR): each masternode is named by its own address";
  }
  if (text.find('%') != std::string_view::npos) {
    return "it has a zone (%): an address with a zone means another host on every machine";
  }
  if (text.find('[') != std::string_view::npos || text.find(']') != std::string_view::npos) {
    return "brackets and ports are not part of an address: the network has one port";
  }
  const auto colons = std::count(text.begin(), text.end(), ':');
  const bool dotted = text.find('.') != std::string_view::npos;
  if (colons == 1 && !text.ends_with("::") && !text.starts_with("::")) {
    return "it has a port: the network has one port, give the address alone";
  }
  if (colons == 0 && all(text, is_digit)) {
    return "it is a bare integer: write the four numbers of the address";
  }
  if (colons == 0 && !dotted && (text.starts_with("0x") || text.starts_with("0X"))) {
    return "it is a hexadecimal integer: write the four numbers of the address";
  }
  if (colons == 0 && std::any_of(text.begin(), text.end(), [](char c) {
        return (c >= 'g' && c <= 'w') || c == 'y' || c == 'z' || (c >= 'G' && c <= 'W') ||
               c == 'Y' || c == 'Z' || c == '-' || c == '_';
      })) {
    return "it looks like a host name: names can be pointed elsewhere by whoever runs the DNS";
  }
  if (colons == 0 && !dotted) return "it is neither IPv4 nor IPv6";
  return std::nullopt;
}

IpAddress masked(const IpAddress& ip, std::size_t bits) {
  auto bytes = ip.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t kept = bits > i * 8 ? std::min<std::size_t>(bits - i * 8, 8) : 0;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
  return IpAddress(bytes);
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const auto refuse = [&](std::string because) {
    std::string shown;
    for (const char c : text.substr(0, kLongestText)) shown += (c < ' ' || c > '~') ? '?' : c;
    return Error{Code::not_an_address, "'" + shown + "' is not an IP address", std::move(because)};
  };
  if (auto mistake = recognised_mistake(text)) return refuse(std::move(*mistake));
  if (text.find(':') == std::string_view::npos) {
    auto v4_bytes = parse_v4(text);
    if (auto* refusal = std::get_if<Refusal>(&v4_bytes)) return refuse(std::move(refusal->because));
    const auto& b = std::get<0>(v4_bytes);
    return v4(b[0], b[1], b[2], b[3]);
  }
  auto parsed = parse_v6(text);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return refuse(std::move(refusal->because));
  return IpAddress(std::get<Bytes>(parsed));
}

std::string IpAddress::to_string() const {
  std::array<char, 48> out{};
  if (is_v4()) {
    std::snprintf(out.data(), out.size(), "%d.%d.%d.%d", bytes_[12], bytes_[13], bytes_[14],
                  bytes_[15]);
    return out.data();
  }
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] = (static_cast<unsigned>(bytes_[2 * i]) << 8U) | bytes_[2 * i + 1];
  }
  // RFC 5952: the longest run of two or more zero groups is '::', the first of equals.
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
    i = end + 1;
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::snprintf(out.data(), out.size(), "%x", groups[i]);
    text += out.data();
  }
  return text;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  Bytes one{};
  one[15] = 1;
  return bytes_ == one;
}

bool IpAddress::is_unspecified() const {
  return bytes_ == Bytes{} || *this == v4(0, 0, 0, 0);
}

bool IpAddress::is_multicast() const {
  if (is_v4()) return (bytes_[12] & 0xf0U) == 0xe0 || *this == v4(255, 255, 255, 255);
  return bytes_[0] == 0xff;
}

bool IpAddress::is_private() const {
  if (is_v4()) {
    const auto a = bytes_[12];
    const auto b = bytes_[13];
    return a == 10 || (a == 172 && (b & 0xf0U) == 16) || (a == 192 && b == 168) ||
           (a == 100 && (b & 0xc0U) == 64) || (a == 169 && b == 254);
  }
  return (bytes_[0] & 0xfeU) == 0xfc || (bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80);
}

bool IpAddress::is_public() const {
  if (is_loopback() || is_unspecified() || is_multicast() || is_private()) return false;
  if (is_v4()) {
    const auto a = bytes_[12];
    const auto b = bytes_[13];
    const auto c = bytes_[14];
    if (a == 0 || a >= 240) return false;
    if (a == 192 && b == 0 && (c == 0 || c == 2)) return false;  // IETF assignments, TEST-NET-1
    if (a == 198 && (b & 0xfeU) == 18) return false;             // benchmarks
    if (a == 198 && b == 51 && c == 100) return false;           // TEST-NET-2
    return !(a == 203 && b == 0 && c == 113);                    // TEST-NET-3
  }
  // Only 2000::/3 is given out; in it 2001:db8::/32 and 3fff::/20 are for documentation.
  if ((bytes_[0] & 0xe0U) != 0x20) return false;
  if (bytes_[0] == 0x20 && bytes_[1] == 0x01 && bytes_[2] == 0x0d && bytes_[3] == 0xb8)
    return false;
  return !(bytes_[0] == 0x3f && bytes_[1] == 0xff && (bytes_[2] & 0xf0U) == 0);
}

IpAddress IpAddress::subnet() const {
  return masked(*this, is_v4() ? 96 + 24 : 56);
}

IpAddress IpAddress::network_group() const {
  return masked(*this, is_v4() ? 96 + 16 : 48);
}

}  // namespace timectl
