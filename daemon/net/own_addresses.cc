#include "daemon/net/own_addresses.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "daemon/net/tcp.h"

namespace timectl::net {

OwnAddresses::OwnAddresses(boost::asio::io_context& io, std::function<void()> lost)
    : lost_(std::move(lost)), socket_(io) {}

void OwnAddresses::watch() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  // Refused in some containers: the user time-out has to do there.
  if (!fd.open() ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return;
  }
  socket_.assign(fd.release());
  wait();
}

void OwnAddresses::stop() {
  boost::system::error_code ignored;  // it was open or it was not
  (void)socket_.close(ignored);
}

bool OwnAddresses::has(const IpAddress& ip) {
  return can_bind(ip);
}

void OwnAddresses::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || !self->socket_.is_open()) return;
                       const bool lost = self->read_losses();
                       self->wait();
                       if (lost) self->lost_();
                     });
}

// Everything that waits, and whether an address went. News that the kernel had to drop (ENOBUFS)
// may have been such.
bool OwnAddresses::read_losses() {
  alignas(nlmsghdr) std::array<char, 8192> buffer{};
  bool lost = false;
  for (;;) {
    const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == ENOBUFS) lost = true;
    if (got <= 0) return lost;
    auto left = static_cast<unsigned int>(got);
    auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
    for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      lost = lost || message->nlmsg_type == RTM_DELADDR;
    }
  }
}

}  // namespace timectl::net
