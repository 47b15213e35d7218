#pragma once
// The addresses of this host, as the kernel tells of their loss (rtnetlink). A TCP connection whose
// local address is gone can neither send nor be answered, and the kernel says so only after the
// user time-out: Network owns one of these and ends such sessions at once, so that they are dialled
// from the new address (faults.md, FT-N29).

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "daemon/core/ip_address.h"

namespace timectl::net {

class OwnAddresses : public std::enable_shared_from_this<OwnAddresses> {
 public:
  // `lost` is called after addresses have gone, once for what came together.
  OwnAddresses(boost::asio::io_context& io, std::function<void()> lost);

  void watch();  // without effect where the kernel has no rtnetlink for us
  void stop();   // nothing is called afterwards

  // Whether this host still has it; true where that cannot be told.
  [[nodiscard]] static bool has(const IpAddress& ip);

 private:
  void wait();
  [[nodiscard]] bool read_losses();

  std::function<void()> lost_;
  boost::asio::posix::stream_descriptor socket_;
};

}  // namespace timectl::net
