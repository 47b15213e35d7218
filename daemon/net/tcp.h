#pragma once
// Sockets as this node wants them: non-blocking, closed on exec, with the options of requirements
// L3 and protocol 1.4; and what the kernel says about a connection. Plain system calls; session.cc
// and listener.cc wait for the descriptors with Asio.

#include <cstdint>
#include <string>
#include <utility>

#include "daemon/core/ip_address.h"
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

// TCP_NODELAY, keep-alive 30/10/3, TCP_USER_TIMEOUT, and at most 5 s between retransmissions where
// the kernel can do that.
void set_peer_options(int fd, Duration user_timeout);
void set_user_timeout(int fd, Duration user_timeout);

[[nodiscard]] Endpoint local_endpoint(int fd);
// False where this host has no such address.
[[nodiscard]] bool can_bind(const IpAddress& ip);

// How an established connection was lost: the kernel gave up on it, or the peer ended it.
[[nodiscard]] EndReason loss_reason(int error);

// What the kernel counted on a connection (TCP_INFO); also after it has given it up.
struct TcpFacts {
  std::uint64_t unacknowledged = 0;   // bytes sent and not acknowledged
  std::uint32_t retransmissions = 0;  // in a row, without an answer
  std::uint32_t segments_in = 0;      // ever, repeated ones too
  std::uint32_t last_data_ms = 0;     // since new data came
  std::uint32_t last_ack_ms = 0;
};
[[nodiscard]] TcpFacts tcp_facts(int fd);

// Evidence for a loss, in words. `heard_before` is segments_in when all was acknowledged the last
// time: if more came since than was under way, the way from the peer works and the one to it does
// not.
[[nodiscard]] std::string tcp_evidence(const TcpFacts& facts, std::uint32_t heard_before);

// FIN: we shall send nothing more.
void half_close(int fd);

}  // namespace timectl::net
