#pragma once
// What the kernel has counted of a TCP connection. A file of its own: the C library's tcp_info is
// an old one, and the kernel's header does not go together with it.

#include <cstdint>
#include <optional>

namespace timectl::net {

// Segments with data that have come in; none where the kernel does not say.
[[nodiscard]] std::optional<std::uint32_t> data_segments_received(int fd);

}  // namespace timectl::net
