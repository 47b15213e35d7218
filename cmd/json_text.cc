#include <array>
#include <charconv>
#include <cmath>

#include "cmd/output.h"

namespace timectl::cmd {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t value = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, length};
}

// Characters that could drive or confuse a terminal that shows the JSON.
bool must_escape(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

void put_escape(std::string& out, std::uint32_t c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 0xfU];
}

void put_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto c = decode(text);
    if (c.bytes == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (must_escape(c.value)) {
      put_escape(out, c.value);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

template <class Number>
void put_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void put(std::string& out, const json::value& value);

void put_object(std::string& out, const json::object& object) {
  out += '{';
  bool first = true;
  for (const auto& pair : object) {
    if (!first) out += ',';
    first = false;
    put_string(out, {pair.key().data(), pair.key().size()});
    out += ':';
    put(out, pair.value());
  }
  out += '}';
}

void put(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      put_number(out, value.get_int64());
      return;
    case json::kind::uint64:
      put_number(out, value.get_uint64());
      return;
    case json::kind::double_:
      if (std::isfinite(value.get_double())) {
        put_number(out, value.get_double());
      } else {
        out += "null";  // JSON has no infinity; what cannot be said is unknown
      }
      return;
    case json::kind::string:
      put_string(out, {value.get_string().data(), value.get_string().size()});
      return;
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : value.get_array()) {
        if (!first) out += ',';
        first = false;
        put(out, item);
      }
      out += ']';
      return;
    }
    case json::kind::object:
      put_object(out, value.get_object());
      return;
  }
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string out;
  put(out, value);
  return out;
}

}  // namespace timectl::cmd
