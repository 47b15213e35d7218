#include "tests/net/segments.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace timectl::net {

std::optional<std::uint32_t> data_segments_received(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  const bool said = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
                    size >= offsetof(tcp_info, tcpi_data_segs_in) + sizeof(std::uint32_t);
  return said ? std::optional<std::uint32_t>(info.tcpi_data_segs_in) : std::nullopt;
}

}  // namespace timectl::net
