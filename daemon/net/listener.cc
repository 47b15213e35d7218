#include "daemon/net/listener.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <chrono>

namespace timectl::net {
namespace {

// Accepted in one go; established connections get their turn in between.
constexpr int kBatch = 32;
// Where even the reserve is gone, trying again at once would only burn a core.
constexpr auto kPause = std::chrono::milliseconds(100);

// Left for the control socket, the database and our own dials: without them an operator could not
// even ask why strangers are turned away.
constexpr rlim_t kHeadroom = 16;

// The kernel gives the lowest number that is free: one near the limit means that few are left.
bool near_limit(int descriptor) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 2 * kHeadroom &&
         static_cast<rlim_t>(descriptor) + kHeadroom >= limit.rlim_cur;
}

Fd reserve() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Listener::Listener(boost::asio::io_context& io, Hooks hooks)
    : hooks_(std::move(hooks)), socket_(io), pause_(io), reserve_(reserve()) {}

Result<void> Listener::open(const Endpoint& at) {
  auto fd = listen_on(at);
  if (!fd) return fd.error();
  socket_.assign(fd->release());
  wait();
  return {};
}

void Listener::close() {
  pause_.cancel();
  boost::system::error_code ignored;  // it was open or it was not
  (void)socket_.close(ignored);
}

Endpoint Listener::local() {
  return socket_.is_open() ? local_endpoint(socket_.native_handle()) : Endpoint{};
}

void Listener::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (!error && self->socket_.is_open()) self->accept_waiting();
                     });
}

void Listener::accept_waiting() {
  for (int i = 0; i < kBatch && socket_.is_open(); ++i) {
    Accepted accepted = accept_from(socket_.native_handle());
    if (accepted.error == 0 && near_limit(accepted.fd.get())) {
      accepted.fd.reset();
      hooks_.exhausted();
      continue;
    }
    if (accepted.error == 0) {
      hooks_.connection(std::move(accepted.fd), accepted.remote);
      continue;
    }
    if (accepted.error == ECONNABORTED || accepted.error == EINTR) continue;
    const bool out = accepted.error == EMFILE || accepted.error == ENFILE ||
                     accepted.error == ENOBUFS || accepted.error == ENOMEM;
    if (!out) break;  // nobody waits, or a peer's own network error: the loop goes on
    const bool answered = shed();
    hooks_.exhausted();
    if (answered) continue;
    pause_.expires_after(kPause);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->socket_.is_open()) self->wait();
    });
    return;
  }
  if (socket_.is_open()) wait();
}

// Gives up the reserve to take one waiting connection and close it. False: it did not help.
bool Listener::shed() {
  reserve_.reset();
  Accepted accepted = accept_from(socket_.native_handle());
  const bool worked = accepted.fd.open();
  accepted.fd.reset();  // frees the descriptor that the reserve needs
  reserve_ = reserve();
  return worked && reserve_.open();
}

}  // namespace timectl::net
