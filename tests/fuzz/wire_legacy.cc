// The rescue of older blocks: never less than the strict decoder, and what it rescues is a message
// that the strict decoder accepts once it is encoded.
#include "daemon/wire/codec.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::wire {

using timectl::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes payload(data, size);
  Arena strict_arena;
  Arena arena;
  const auto strict = decode(payload, strict_arena);
  const auto rescued = decode_legacy(payload, arena);
  require(arena.held() <= max_growth * size, "decoded size within the budget");
  require(!strict || rescued, "what is valid stays valid");
  if (!rescued) return 0;
  require(rescued->legacy == !strict.has_value(), "the rescue is told");
  require(rescued->consumed + rescued->trailing == size, "consumed and trailing add up");
  const auto encoded = encode(rescued->message);
  Arena other;
  const auto again = decode(encoded, other);
  require(again && again->trailing == 0, "a rescued message encodes to a valid one");
  require(encode(again->message) == encoded, "and to the same one");
  return 0;
}

}  // namespace timectl::wire
