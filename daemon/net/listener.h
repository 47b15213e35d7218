#pragma once
// The listening socket of the node: accepts until told to stop, also when the process has no
// descriptor left (a reserve one is given up to tell a waiting peer so, instead of leaving it and
// the loop hanging; faults.md, FT-S15). Network owns one and decides about each connection.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "daemon/core/result.h"
#include "daemon/net/tcp.h"

namespace timectl::net {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // `connection` gets the socket and the remote address; `exhausted` is called for each connection
  // that was turned away because no descriptor was left.
  struct Hooks {
    std::function<void(Fd, const Endpoint& remote)> connection;
    std::function<void()> exhausted;
  };

  Listener(boost::asio::io_context& io, Hooks hooks);

  // Errors: port_in_use, access_denied, cannot_create. Port 0: the kernel picks one.
  [[nodiscard]] Result<void> open(const Endpoint& at);
  void close();  // nothing is called afterwards
  [[nodiscard]] Endpoint local();

 private:
  void wait();
  void accept_waiting();
  [[nodiscard]] bool shed();

  Hooks hooks_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer pause_;
  Fd reserve_;
};

}  // namespace timectl::net
