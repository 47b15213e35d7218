// A JSON line as `wire encode` reads it. What it accepts must decode to the same fields.
#include <boost/json/parse.hpp>

#include "daemon/wire/codec.h"
#include "daemon/wire/fields.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::wire {

using timectl::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  boost::system::error_code problem;
  const auto value = boost::json::parse({reinterpret_cast<const char*>(data), size}, problem);
  if (problem || !value.is_object()) return 0;
  const auto& object = value.get_object();
  const auto* variant = object.if_contains("variant");
  const auto* fields = object.if_contains("fields");
  if (variant == nullptr || !variant->is_string() || fields == nullptr) return 0;
  Arena arena;
  const auto message = from_fields(variant->get_string(), *fields, arena);
  if (!message) {
    require(!message.error().problem.empty(), "a refusal says why");
    return 0;
  }
  const auto encoded = encode(*message);
  Arena other;
  const auto decoded = decode(encoded, other);
  require(decoded && decoded->trailing == 0, "what is accepted can be decoded");
  require(encode(decoded->message) == encoded, "to the same bytes");
  require(to_fields(decoded->message) == to_fields(*message), "and the same fields");
  return 0;
}

}  // namespace timectl::wire
