#include "daemon/web/link.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <utility>

namespace timectl::web {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// The kernel would let it grow to megabytes, times 256 clients that never read; and what waits
// there cannot be replaced by something newer.
constexpr int kSendBuffer = 128 * 1024;
constexpr int kDeadTransportMs = 45'000;  // as network.tcp_user_timeout

// A socket that cannot be set so still works.
void set_options(tcp::socket& socket) {
  Failure ignored;  // NOLINT
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
  (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kDeadTransportMs,
                     sizeof kDeadTransportMs);
}

IpAddress local_of(tcp::socket& socket) {
  Failure failed;
  const auto endpoint = socket.local_endpoint(failed);
  return failed ? IpAddress() : address_of(endpoint);
}

}  // namespace

IpAddress address_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v6()) return IpAddress(IpAddress::Bytes(address.to_v6().to_bytes()));
  const auto b = address.to_v4().to_bytes();
  return IpAddress::v4(b[0], b[1], b[2], b[3]);
}

tcp::endpoint endpoint_of(const IpAddress& ip, std::uint16_t port) {
  const auto& b = ip.bytes();
  if (ip.is_v4()) return {asio::ip::address_v4({b[12], b[13], b[14], b[15]}), port};
  asio::ip::address_v6::bytes_type bytes{};
  std::copy(b.begin(), b.end(), bytes.begin());
  return {asio::ip::address_v6(bytes), port};
}

Link::Link(Socket plain) : stream_(std::move(plain)) {
  set_options(socket());
  local_ = local_of(socket());
}

Link::Link(Socket plain, asio::ssl::context& tls)
    : stream_(std::in_place_type<Tls>, std::move(plain), tls) {
  set_options(socket());
  local_ = local_of(socket());
}

Link::Socket& Link::socket() {
  if (auto* tls = std::get_if<Tls>(&stream_)) return tls->next_layer();
  return std::get<Socket>(stream_);
}

void Link::handshake(std::function<void(Failure)> done) {
  if (auto* tls = std::get_if<Tls>(&stream_)) {
    return tls->async_handshake(asio::ssl::stream_base::server, std::move(done));
  }
  done({});
}

void Link::read_some(std::span<char> into, std::function<void(Failure, std::size_t)> done) {
  const auto buffer = asio::buffer(into.data(), into.size());
  std::visit([&](auto& stream) { stream.async_read_some(buffer, std::move(done)); }, stream_);
}

void Link::write(std::string_view first, std::string_view second,
                 std::function<void(Failure)> done) {
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(second)};
  std::visit(
      [&](auto& stream) {
        asio::async_write(stream, buffers,
                          [done = std::move(done)](Failure failed, std::size_t) { done(failed); });
      },
      stream_);
}

void Link::end_output() {
  Failure ignored;  // NOLINT: then it is closed already
  socket().shutdown(Socket::shutdown_send, ignored);
}

void Link::close() {
  Failure ignored;  // NOLINT: a descriptor that does not close cannot be helped
  socket().close(ignored);
}

bool Link::open() const {
  if (const auto* tls = std::get_if<Tls>(&stream_)) return tls->next_layer().is_open();
  return std::get<Socket>(stream_).is_open();
}

}  // namespace timectl::web
