#include "daemon/probe/link.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace timectl::probe {
namespace {

using net::Io;
using net::IoState;

// Longer than any probe: what decides are the deadlines.
constexpr Duration kUserTimeout = std::chrono::seconds(45);
// What the other side may still send while it learns that we have closed.
constexpr std::size_t kDrainLimit = 1'048'576;

LinkStep connect_failure(int error) {
  switch (net::dial_failure(error)) {
    case EndReason::refused:
      return {LinkEnd::refused, 0, net::ending(error), {}};
    case EndReason::timed_out:
      return {LinkEnd::timed_out, 0, net::ending(error), {}};
    default:
      return {LinkEnd::unreachable, 0, net::ending(error), {}};
  }
}

LinkStep ended(const Io& io) {
  const bool closed = io.state == IoState::ended || io.error != 0;
  return {closed ? LinkEnd::closed : LinkEnd::failed, 0, io.failure, {}};
}

}  // namespace

LinkStep Link::wait(short events, Instant until) const {
  switch (waiter_.wait(fd_.get(), events, until)) {
    case Waiter::End::timed_out:
      return {LinkEnd::timed_out, 0, "nothing came in time", {}};
    case Waiter::End::stopped:
      return {LinkEnd::stopped, 0, "we were stopped", {}};
    case Waiter::End::ready:
      break;
  }
  return {};
}

LinkStep Link::wait(IoState wanted, Instant until) const {
  return wait(static_cast<short>(wanted == IoState::want_write ? POLLOUT : POLLIN), until);
}

LinkStep Link::connect(const net::Endpoint& to, const IpAddress& from, Instant until) {
  net::Attempt attempt = net::dial(to, from);
  int error = attempt.error;
  fd_ = std::move(attempt.fd);
  if (error == EINPROGRESS) {
    if (LinkStep step = wait(POLLOUT, until); step.end != LinkEnd::done) return step;
    error = net::pending_error(fd_.get());
  }
  if (error != 0) return connect_failure(error);
  net::set_peer_options(fd_.get(), kUserTimeout);
  stream_.emplace(fd_.get());
  return {};
}

LinkStep Link::secure(const net::TlsContext& context, Instant until) {
  stream_->secure(context, Direction::out);
  for (;;) {
    const Io io = stream_->handshake();
    if (io.state == IoState::done) return {};
    if (io.state == IoState::failed) {
      if (const auto& plain = stream_->plain_bytes(); !plain.empty()) {
        return {LinkEnd::plaintext, 0, io.failure, plain};
      }
      const bool closed = stream_->handshake_failure() == EndReason::closed_before_tls;
      return {closed ? LinkEnd::closed : LinkEnd::failed, 0, io.failure, {}};
    }
    if (LinkStep step = wait(io.state, until); step.end != LinkEnd::done) return step;
  }
}

LinkStep Link::read(std::span<std::uint8_t> into, Instant until) {
  for (;;) {
    if (waiter_.now().mono >= until) return wait(POLLIN, until);
    const Io io = stream_->read(into);
    if (io.state == IoState::done) return {LinkEnd::done, io.bytes, {}, {}};
    if (io.state == IoState::ended || io.state == IoState::failed) return ended(io);
    if (LinkStep step = wait(io.state, until); step.end != LinkEnd::done) return step;
  }
}

LinkStep Link::write(std::span<const std::uint8_t> bytes, Instant until) {
  while (!bytes.empty()) {
    const Io io = stream_->write(bytes);
    if (io.state == IoState::done) {
      bytes = bytes.subspan(io.bytes);
    } else if (io.state == IoState::ended || io.state == IoState::failed) {
      return ended(io);
    } else if (LinkStep step = wait(io.state, until); step.end != LinkEnd::done) {
      return step;
    }
  }
  return {};
}

void Link::cut() {
  if (!fd_.open()) return;
  if (stream_) stream_->notify_close();
  net::half_close(fd_.get());
  stream_.reset();
  fd_.reset();
}

void Link::finish(Instant until) {
  if (!fd_.open()) return;
  if (stream_) stream_->notify_close();
  net::half_close(fd_.get());
  std::array<std::uint8_t, 4096> rest{};
  for (std::size_t drained = 0; drained < kDrainLimit;) {
    const auto got = ::recv(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
    drained += got > 0 ? static_cast<std::size_t>(got) : 0;
    if (got < 0 && wait(POLLIN, until).end != LinkEnd::done) break;
  }
  stream_.reset();
  fd_.reset();
}

}  // namespace timectl::probe
