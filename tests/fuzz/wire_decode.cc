// A payload from a peer: either refused, or decoded, encoded to the same bytes, and through JSON
// too.
#include "daemon/wire/codec.h"
#include "daemon/wire/fields.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::wire {

using timectl::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes payload(data, size);
  Arena arena;
  const auto decoded = decode(payload, arena);
  require(arena.held() <= max_growth * size, "decoded size within the budget");
  if (!decoded) {
    require(decoded.error().offset <= size, "an error lies inside the payload");
    return 0;
  }
  require(decoded->consumed + decoded->trailing == size, "consumed and trailing add up");
  const auto encoded = encode(decoded->message);
  require(Bytes(encoded) == Bytes(data, decoded->consumed), "encoding gives the same bytes");
  for (const Block* block : blocks_of(decoded->message)) {
    require(Bytes(encode_block(*block)) == block->raw, "a block's raw bytes are its encoding");
    static_cast<void>(block_hash(block->header));
    static_cast<void>(merkle_root_matches(*block));
  }
  Arena other;
  const auto read = from_fields(message_name(decoded->message), to_fields(decoded->message), other);
  require(read.has_value(), "the JSON form can be read");
  require(encode(*read) == encoded, "the JSON form loses nothing");
  for (const std::uint32_t commit : {signed_unlock_commit - 1, renumbered_commit - 1}) {
    const auto older = decode(payload, other, {commit, 16});
    if (!older) continue;
    const auto again = encode(older->message, commit);
    require(Bytes(again) == Bytes(data, older->consumed), "older tables give the same bytes");
  }
  return 0;
}

}  // namespace timectl::wire
