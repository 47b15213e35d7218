#pragma once
// One accepted connection, plain or TLS, so that a session need not know which. All calls from the
// server's thread; nothing is called back after close() but with an error.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <functional>
#include <span>
#include <variant>

#include "daemon/core/ip_address.h"

namespace timectl::web {

using Failure = boost::system::error_code;

[[nodiscard]] IpAddress address_of(const boost::asio::ip::tcp::endpoint& endpoint);
[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint_of(const IpAddress& ip, std::uint16_t port);

class Link {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  explicit Link(Socket socket);
  Link(Socket socket, boost::asio::ssl::context& tls);

  [[nodiscard]] const IpAddress& local() const { return local_; }
  // Of TLS; at once where there is none.
  void handshake(std::function<void(Failure)> done);
  void read_some(std::span<char> into, std::function<void(Failure, std::size_t)> done);
  // All of both; they must live until then.
  void write(std::string_view first, std::string_view second, std::function<void(Failure)> done);
  void end_output();  // the other side reads what was sent, then an end
  // At once, without a goodbye of TLS: what was promised has its length, and streams have no end.
  void close();
  [[nodiscard]] bool open() const;

 private:
  using Tls = boost::asio::ssl::stream<Socket>;
  [[nodiscard]] Socket& socket();

  std::variant<Socket, Tls> stream_;
  IpAddress local_;
};

}  // namespace timectl::web
