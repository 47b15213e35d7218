// Frames: a 4-byte big-endian length and that many bytes of payload. A session feeds a FrameReader
// with whatever the socket gave and takes frames out of it; `wire decode` does the same with a
// file.
//
//   reader.feed(chunk);
//   while (auto payload = reader.next()) ...   // until nullopt; then feed again
//   if (reader.too_large()) ...                // the stream cannot be resynchronised: close it
//
// Promises: a payload that lies whole in the chunk is not copied; the buffer grows with what was
// received, never from the announced length; it is given back after a large frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "daemon/wire/bytes.h"

namespace timectl::wire {

inline constexpr std::size_t frame_header_size = 4;
// The largest payload the network sends or accepts (protocol 2.2), in bytes.
inline constexpr std::uint32_t max_frame_size = 8'388'608;
// Before the handshake nothing longer is needed, and a stranger gets no more memory (faults.md).
inline constexpr std::uint32_t handshake_frame_size = 1024;

class FrameReader {
 public:
  // `limit`: the largest payload accepted, in bytes.
  explicit FrameReader(std::uint32_t limit = handshake_frame_size) : limit_(limit) {}

  // Holds for every frame whose header has not been read yet.
  void set_limit(std::uint32_t limit) { limit_ = limit; }

  // Gives the next bytes of the stream. They must stay valid until next() has returned nullopt;
  // feeding before that is a bug (std::logic_error).
  void feed(std::span<const std::uint8_t> chunk);

  // The next payload, valid until the following call of next(); an empty one is a frame of length
  // 0. nullopt: more bytes are needed, or too_large().
  [[nodiscard]] std::optional<Bytes> next();

  [[nodiscard]] bool too_large() const { return too_large_; }
  // The announced length of the frame being received; 0 between frames.
  [[nodiscard]] std::uint32_t announced() const { return have_length_ ? length_ : 0; }
  // Whether the stream stands inside a frame or its header: an end of stream here is not clean.
  [[nodiscard]] bool inside_frame() const { return have_length_ || header_filled_ > 0; }
  [[nodiscard]] std::size_t header_bytes() const { return header_filled_; }
  // Memory held for the unfinished frame, in bytes: for the budget over all peers.
  [[nodiscard]] std::size_t buffered() const { return buffer_.capacity(); }

 private:
  bool read_header();
  void release_delivered();

  std::span<const std::uint8_t> input_;
  std::vector<std::uint8_t> buffer_;
  std::array<std::uint8_t, frame_header_size> header_{};
  std::size_t header_filled_ = 0;
  std::uint32_t length_ = 0;
  std::uint32_t limit_;
  bool have_length_ = false;
  bool too_large_ = false;
  bool delivered_ = false;  // buffer_ holds a payload that was handed out
};

// The header of a payload of `size` bytes, at most max_frame_size.
[[nodiscard]] std::array<std::uint8_t, frame_header_size> frame_header(std::size_t size);

}  // namespace timectl::wire
