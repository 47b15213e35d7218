// A byte stream in chunks: the first byte chooses their sizes. Payloads must be those that a plain
// reading of the whole stream gives, at any chunking, and memory must follow what was received.
#include "daemon/wire/frame.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::wire {

using timectl::fuzz::require;

namespace {

constexpr std::uint32_t limit = 4096;

// The payloads and whether the stream ends in a length above the limit, the simple way.
struct Expected {
  std::vector<Bytes> payloads;
  bool too_large = false;
};

Expected read_plainly(std::span<const std::uint8_t> stream) {
  Expected expected;
  while (stream.size() >= 4) {
    const std::uint64_t length = std::uint64_t{stream[0]} << 24 | std::uint64_t{stream[1]} << 16 |
                                 std::uint64_t{stream[2]} << 8 | stream[3];
    stream = stream.subspan(4);
    if (length > limit) {
      expected.too_large = true;
      break;
    }
    if (stream.size() < length) break;
    expected.payloads.emplace_back(stream.first(length));
    stream = stream.subspan(length);
  }
  return expected;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::uint32_t seed = data[0];
  std::span<const std::uint8_t> stream(data + 1, size - 1);
  const Expected expected = read_plainly(stream);
  FrameReader reader(limit);
  std::size_t got = 0;
  while (!stream.empty() && !reader.too_large()) {
    seed = seed * 1664525 + 1013904223;
    const std::size_t piece = std::min<std::size_t>(stream.size(), 1 + (seed >> 16) % 300);
    // A copy that dies after the chunk: a payload must not point into it later.
    const std::vector<std::uint8_t> chunk(stream.begin(),
                                          stream.begin() + static_cast<std::ptrdiff_t>(piece));
    reader.feed(chunk);
    while (const auto payload = reader.next()) {
      require(got < expected.payloads.size() && *payload == expected.payloads[got], "same payload");
      ++got;
    }
    require(reader.buffered() <= 2 * size + 64, "memory follows what was received");
    stream = stream.subspan(piece);
  }
  require(got == expected.payloads.size(), "every payload");
  require(reader.too_large() == expected.too_large, "the limit holds");
  return 0;
}

}  // namespace timectl::wire
