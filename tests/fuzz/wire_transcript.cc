// Any file given to `wire decode`, in chunks chosen by its first byte; the lines go into `wire
// encode` and come back as the frames that were good.
#include <string>

#include "daemon/wire/transcript.h"
#include "daemon/wire/transcript_encoder.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::wire {

using timectl::fuzz::require;

namespace {

std::string decode_in_chunks(std::string_view text, std::size_t chunk, bool& failed) {
  TranscriptDecoder decoder;
  std::string lines;
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
    lines += decoder.feed(text.substr(0, chunk));
  }
  lines += decoder.finish();
  failed = decoder.failed();
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool failed = false;
  bool failed_in_chunks = false;
  const std::string lines = decode_in_chunks(text, std::string_view::npos, failed);
  require(decode_in_chunks(text, 1 + data[0], failed_in_chunks) == lines,
          "any chunking, same lines");
  require(failed == failed_in_chunks, "any chunking, same verdict");
  TranscriptEncoder encoder;
  auto output = encoder.feed(lines);
  require(encoder.failed() == (lines.find("{\"error\":") != std::string::npos),
          "every line of a good frame can be encoded");
  // The frames, once more: now nothing can fail.
  const std::string again(output.frames.begin(), output.frames.end());
  bool failed_again = false;
  const std::string lines_again = decode_in_chunks(again, std::string_view::npos, failed_again);
  require(!failed_again, "what was encoded decodes");
  if (!failed) require(lines_again == lines, "decode and encode are inverses");
  return 0;
}

}  // namespace timectl::wire
