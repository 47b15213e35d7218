#include "daemon/net/tcp.h"

#include <arpa/inet.h>
#include <linux/tcp.h>  // glibc's tcp_info ends before the byte counters
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace timectl::net {
namespace {

// Connections that wait between two turns of the loop; the kernel cuts it to its own limit. A SYN
// that finds it full is sent again after a second: a burst of strangers must not do that to others.
constexpr int kBacklog = 4096;
constexpr int kKeepIdle = 30;  // seconds; protocol 1.4
constexpr int kKeepInterval = 10;
constexpr int kKeepCount = 3;
// Retransmissions back off up to 120 s, so that a path which is back after 30 s goes unnoticed
// until the user time-out ends the session. Linux 6.15 and later bound the gaps; older ones refuse.
constexpr int kRtoMax = 44;  // TCP_RTO_MAX_MS, which Debian 12's headers do not have
constexpr int kLongestRto = 5000;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address address_of(const Endpoint& at) {
  Address address;
  if (at.ip.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(at.port);
    std::memcpy(&v4->sin_addr, at.ip.bytes().data() + 12, 4);
    address.size = sizeof(sockaddr_in);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(at.port);
    std::memcpy(&v6->sin6_addr, at.ip.bytes().data(), 16);
    address.size = sizeof(sockaddr_in6);
  }
  return address;
}

Endpoint endpoint_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    IpAddress::Bytes bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return {IpAddress(bytes), ntohs(v6.sin6_port)};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
  std::array<std::uint8_t, 4> b{};
  std::memcpy(b.data(), &v4.sin_addr, b.size());
  return {IpAddress::v4(b[0], b[1], b[2], b[3]), ntohs(v4.sin_port)};
}

void set_number(int fd, int level, int name, int value) {
  // Refused only by a kernel without the option, where the default has to do.
  (void)::setsockopt(fd, level, name, &value, sizeof(value));
}

std::string text_of(const Endpoint& at) {
  const std::string ip = at.ip.to_string();
  return (at.ip.is_v4() ? ip : "[" + ip + "]") + ":" + std::to_string(at.port);
}

Error listen_error(const Endpoint& at, int error) {
  const std::string message = "cannot listen on " + text_of(at);
  const std::string because = std::system_category().message(error);
  if (error == EADDRINUSE) {
    return {Code::port_in_use,
            message,
            "another program has that port",
            {"ss -ltnp 'sport = :" + std::to_string(at.port) + "'"}};
  }
  if (error == EACCES || error == EPERM) {
    return {Code::access_denied, message, because, {"use a port from 1024 up"}};
  }
  if (error == EADDRNOTAVAIL) {
    return {Code::cannot_create, message, "this host has no such address", {"ip address"}};
  }
  return {Code::cannot_create, message, because, {}};
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Fd> listen_on(const Endpoint& at) {
  Address address = address_of(at);
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) return listen_error(at, errno);
  set_number(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(fd.get(), address.get(), address.size) != 0) return listen_error(at, errno);
  if (::listen(fd.get(), kBacklog) != 0) return listen_error(at, errno);
  return fd;
}

Accepted accept_from(int listener) {
  Address address;
  address.size = sizeof(address.storage);
  Fd fd(::accept4(listener, address.get(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.open()) return {{}, {}, errno};
  return {std::move(fd), endpoint_of(address.storage), 0};
}

Attempt dial(const Endpoint& to, const IpAddress& from) {
  Address address = address_of(to);
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) return {{}, errno};
  if (!from.is_unspecified()) {
    if (from.is_v4() != to.ip.is_v4()) return {{}, EAFNOSUPPORT};
    set_number(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    Address source = address_of({from, 0});
    if (::bind(fd.get(), source.get(), source.size) != 0) return {{}, errno};
  }
  if (::connect(fd.get(), address.get(), address.size) == 0) return {std::move(fd), 0};
  const int error = errno;
  return {std::move(fd), error};
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

EndReason dial_failure(int error) {
  if (error == ECONNREFUSED || error == ECONNRESET) return EndReason::refused;
  if (error == ETIMEDOUT) return EndReason::timed_out;
  return EndReason::no_route;
}

void set_user_timeout(int fd, Duration user_timeout) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(user_timeout).count();
  set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(milliseconds));
}

void set_peer_options(int fd, Duration user_timeout) {
  set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdle);
  set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepInterval);
  set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
  set_number(fd, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1);
  set_number(fd, IPPROTO_TCP, kRtoMax, kLongestRto);
  set_user_timeout(fd, user_timeout);
}

Endpoint local_endpoint(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return endpoint_of(storage);
}

bool can_bind(const IpAddress& ip) {
  Address address = address_of({ip, 0});
  const Fd fd(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return !fd.open() || ::bind(fd.get(), address.get(), address.size) == 0 || errno != EADDRNOTAVAIL;
}

EndReason loss_reason(int error) {
  switch (error) {
    case ETIMEDOUT:  // TCP_USER_TIMEOUT or keep-alive; the others are its soft errors
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
      return EndReason::transport_dead;
    default:
      return EndReason::closed_by_peer;
  }
}

std::optional<TransportFacts> transport_facts(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  TransportFacts facts;
  facts.segments_sent = info.tcpi_data_segs_out;
  facts.segments_retransmitted = info.tcpi_total_retrans;
  facts.segments_received = info.tcpi_segs_in;
  // tcpi_unacked would do, but the kernel empties its queue before it reports the time-out. Our
  // SYN counts as an acknowledged byte, so this may be one too few.
  const std::uint64_t sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
  facts.unacknowledged = sent - std::min<std::uint64_t>(sent, info.tcpi_bytes_acked);
  facts.retransmits_in_a_row = info.tcpi_retransmits;
  facts.since_received = std::chrono::milliseconds(info.tcpi_last_ack_recv);
  facts.since_data = std::chrono::milliseconds(info.tcpi_last_data_recv);
  facts.held_by_peer = info.tcpi_sacked;
  facts.segment_size = info.tcpi_snd_mss;
  return facts;
}

std::string tcp_evidence(int fd) {
  const auto facts = transport_facts(fd);
  if (!facts) return "TCP says nothing";
  std::string text = "TCP: " + std::to_string(facts->unacknowledged) +
                     " bytes unacknowledged after " + std::to_string(facts->retransmits_in_a_row) +
                     " retransmissions in a row, last data " + human_duration(facts->since_data) +
                     " and last packet " + human_duration(facts->since_received) + " ago";
  if (facts->held_by_peer > 0) {
    text += ", " + std::to_string(facts->held_by_peer) +
            " later segments arrived; a full one has " + std::to_string(facts->segment_size) +
            " bytes";
  }
  return text;
}

void half_close(int fd) {
  (void)::shutdown(fd, SHUT_WR);  // fails where the peer is gone already, which is as good
}

}  // namespace timectl::net
