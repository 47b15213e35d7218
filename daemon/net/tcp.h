#pragma once
// Sockets as this node wants them: non-blocking, closed on exec, with the options of requirements
// L3 and protocol 1.4; and what the kernel says about a connection. Plain system calls; session.cc
// and listener.cc wait for the descriptors with Asio.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "daemon/core/ip_address.h"
#include "daemon/core/path_quality.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl::net {

struct Endpoint {
  IpAddress ip = {};
  std::uint16_t port = 0;
};

// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset() { *this = Fd(); }

 private:
  int fd_ = -1;
};

// A listening socket with SO_REUSEADDR. Errors: port_in_use, access_denied, cannot_create.
[[nodiscard]] Result<Fd> listen_on(const Endpoint& at);

// The next waiting connection and its remote address; `error` is EAGAIN where there is none.
struct Accepted {
  Fd fd = {};
  Endpoint remote = {};
  int error = 0;
};
[[nodiscard]] Accepted accept_from(int listener);

// A connection attempt under way. Bound to `from` first unless that is a wildcard; the port is the
// kernel's choice per destination (IP_BIND_ADDRESS_NO_PORT), so that dials never run out of ports.
struct Attempt {
  Fd fd = {};
  int error = 0;  // EINPROGRESS where it goes on
};
[[nodiscard]] Attempt dial(const Endpoint& to, const IpAddress& from);
// The result of the attempt once the socket is writable: 0 or an errno.
[[nodiscard]] int pending_error(int fd);

// The reason for a connect() that failed, by the table of requirements R.
[[nodiscard]] EndReason dial_failure(int error);

// TCP_NODELAY, keep-alive 30/10/3, TCP_USER_TIMEOUT. And so that a lossy path is silent for less
// long: the first retransmissions of a stream as thin as pings come at a steady pace instead of
// doubling, and where the kernel can do that the later ones are at most 5 s apart.
void set_peer_options(int fd, Duration user_timeout);
void set_user_timeout(int fd, Duration user_timeout);

[[nodiscard]] Endpoint local_endpoint(int fd);
// False where this host has no such address.
[[nodiscard]] bool can_bind(const IpAddress& ip);

// How an established connection was lost: the kernel gave up on it, or the peer ended it.
[[nodiscard]] EndReason loss_reason(int error);

// TCP_INFO in words: evidence for a loss.
[[nodiscard]] std::string tcp_evidence(int fd);

// TCP_INFO as the Node wants it; none where the socket has none.
[[nodiscard]] std::optional<TransportFacts> transport_facts(int fd);

// FIN: we shall send nothing more.
void half_close(int fd);

}  // namespace timectl::net
