#include "daemon/wire/frame.h"

#include <algorithm>
#include <stdexcept>

namespace timectl::wire {
namespace {

constexpr std::size_t kept_buffer = std::size_t{16} << 10;

}  // namespace

void FrameReader::feed(std::span<const std::uint8_t> chunk) {
  if (!input_.empty() && !too_large_) throw std::logic_error("FrameReader: fed before drained");
  input_ = chunk;
}

bool FrameReader::read_header() {
  const std::size_t wanted = std::min(frame_header_size - header_filled_, input_.size());
  std::copy_n(input_.begin(), wanted,
              header_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
  header_filled_ += wanted;
  input_ = input_.subspan(wanted);
  if (header_filled_ < frame_header_size) return false;
  length_ = static_cast<std::uint32_t>(header_[0]) << 24 |
            static_cast<std::uint32_t>(header_[1]) << 16 |
            static_cast<std::uint32_t>(header_[2]) << 8 | header_[3];
  header_filled_ = 0;
  have_length_ = true;
  too_large_ = length_ > limit_;
  return !too_large_;
}

void FrameReader::release_delivered() {
  delivered_ = false;
  buffer_.clear();
  if (buffer_.capacity() > kept_buffer) std::vector<std::uint8_t>().swap(buffer_);
}

std::optional<Bytes> FrameReader::next() {
  if (delivered_) release_delivered();
  if (too_large_ || (!have_length_ && !read_header())) return std::nullopt;
  if (buffer_.empty() && input_.size() >= length_) {
    const Bytes payload(input_.first(length_));
    input_ = input_.subspan(length_);
    have_length_ = false;
    return payload;
  }
  const std::size_t missing = length_ - buffer_.size();
  const auto part = input_.first(std::min(missing, input_.size()));
  // At most twice what has arrived, and no more than the frame needs.
  const std::size_t needed = buffer_.size() + part.size();
  if (needed > buffer_.capacity()) {
    buffer_.reserve(std::min<std::size_t>(length_, std::max(needed, buffer_.capacity() * 2)));
  }
  buffer_.insert(buffer_.end(), part.begin(), part.end());
  input_ = input_.subspan(part.size());
  if (buffer_.size() < length_) return std::nullopt;
  have_length_ = false;
  delivered_ = true;
  return Bytes(buffer_);
}

std::array<std::uint8_t, frame_header_size> frame_header(std::size_t size) {
  if (size > max_frame_size) throw std::logic_error("a frame larger than the network accepts");
  return {static_cast<std::uint8_t>(size >> 24), static_cast<std::uint8_t>(size >> 16),
          static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
}

}  // namespace timectl::wire
