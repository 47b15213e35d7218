// What `timectl wire decode` does, without the files: a stream of frames, raw or as hex text, comes
// in pieces of any size and goes out as one JSON object a line. No input/output here; cmd/wire.cc
// reads and prints.
//
//   TranscriptDecoder decoder(options);
//   while (read a chunk) write(decoder.feed(chunk));
//   write(decoder.finish());
//   exit status 65 if decoder.failed()
//
// A line is {"variant","variant_index","fields"} and, where they apply, "blocks" (an array of
// {"height", "hash","merkle_root","txids"}), "txids" (of transactions outside blocks), "legacy":
// true (rescued), "trailing" (number of bytes left over) and "trailing_hex" (those bytes, so that
// encoding restores the frame). A frame that does not decode gives {"error","offset"}: `offset`
// counts the bytes of the stream, after hex is undone, up to the item that is wrong. Memory is
// bounded by one frame.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/frame.h"

namespace timectl::wire {

struct TranscriptOptions {
  // `detect`: a stream that starts with a hex digit or white space is hex text. A raw stream never
  // does, because the first byte of a length up to 8 MiB is 0.
  enum class Input { detect, hex, raw };
  Input input = Input::detect;
  std::uint32_t commit_count = current_commit;  // `--commit`
  bool legacy_blocks = false;                   // `--legacy-blocks`
};

class TranscriptDecoder {
 public:
  explicit TranscriptDecoder(TranscriptOptions options = {})
      : options_(options), frames_(max_frame_size) {}

  // Bytes of the file; returns the complete lines they gave, each with its newline. Any size; the
  // returned text grows with it.
  [[nodiscard]] std::string feed(std::string_view chunk);

  // The end of the file: an error line if the stream ended inside a payload or a hex digit pair.
  [[nodiscard]] std::string finish();

  // Whether any frame failed, or the stream is no stream of frames.
  [[nodiscard]] bool failed() const { return failed_; }
  // Whether the stream cannot be read on (a length above 8 MiB, or something else than hex digits).
  [[nodiscard]] bool stopped() const { return stopped_; }
  // After finish(): 1 to 3 bytes that stand where a header should be. The reference node takes that
  // for a clean end of the stream, so it is not a failure; worth a word to people.
  [[nodiscard]] std::size_t leftover_bytes() const { return frames_.header_bytes(); }

 private:
  std::string take_frames(std::span<const std::uint8_t> bytes);
  std::string line_of(Bytes payload);
  std::string error_line(std::string_view text, std::uint64_t offset);
  bool undo_hex(std::string_view text);

  TranscriptOptions options_;
  FrameReader frames_;
  Arena arena_;
  std::vector<std::uint8_t> undone_;  // bytes behind a chunk of hex text
  std::uint64_t frame_start_ = 0;     // offset of the current frame's header in the stream
  std::uint64_t received_ = 0;        // bytes of the stream
  int half_ = -1;                     // the first digit of a pair cut by a chunk's end
  bool failed_ = false;
  bool stopped_ = false;
};

}  // namespace timectl::wire
