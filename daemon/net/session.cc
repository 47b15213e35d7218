#include "daemon/net/session.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "daemon/net/own_addresses.h"

namespace timectl::net {
namespace {

namespace asio = boost::asio;

// g++ 12 destroys some temporaries of co_await expressions twice: everything of class type in such
// a line has a name or comes from a function.
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Without a wait in between, one peer may not be read for longer than this.
constexpr std::size_t kReadTurn = 262'144;
// What a read counts for besides its bytes: a TLS record may bring a single one.
constexpr std::size_t kReadCost = 512;
// What a peer may still send while it learns that we have closed.
constexpr std::size_t kDrainLimit = 1'048'576;

// An orderly end waits for the peer; those who broke the limits are not worth it.
// That includes whoever does not begin with a Handshake: waiting would keep a slot for him.
bool cut_at_once(EndReason reason, Direction direction) {
  if (reason == EndReason::no_handshake) return direction == Direction::in;
  return reason == EndReason::frame_too_large || reason == EndReason::flood ||
         reason == EndReason::slow || reason == EndReason::transport_dead ||
         reason == EndReason::closed_by_peer;
}

}  // namespace

Session::Session(std::shared_ptr<SessionContext> context, ConnectionId id, Direction direction,
                 const IpAddress& remote)
    : context_(std::move(context)),
      id_(id),
      remote_(remote),
      direction_(direction),
      socket_(context_->io),
      watchdog_(context_->io),
      handshake_(direction, {&context_->network, context_->policy.commit_count,
                             context_->policy.min_peer_commit_count}),
      reader_(static_cast<std::uint32_t>(context_->policy.transport.handshake_frame_limit)),
      served_(context_->served) {}

Session::~Session() {
  context_->receive_buffered -= buffered_;
}

void Session::dial() {
  start();
}

void Session::accepted(Fd fd) {
  adopt(std::move(fd));
  phase_ = Phase::tls;
  arm(context_->policy.transport.accept_timeout);
  start();
}

void Session::hold(Fd fd) {
  adopt(std::move(fd));
  phase_ = Phase::held;
  const auto& policy = context_->policy.transport;
  arm(policy.connect_timeout + policy.accept_timeout);
}

void Session::proceed() {
  if (phase_ != Phase::held || closing_) return;
  phase_ = Phase::tls;
  arm(context_->policy.transport.accept_timeout);
  start();
}

void Session::adopt(Fd fd) {
  set_peer_options(fd.get(), context_->policy.liveness.tcp_user_timeout);
  stream_.emplace(fd.get());
  socket_.assign(fd.release());
}

// Posted: whoever calls may stand in the middle of another session's bytes.
void Session::start() {
  running_ = true;
  asio::post(context_->io, [self = shared_from_this()] {
    asio::co_spawn(self->context_->io, live(self), asio::detached);
  });
}

asio::awaitable<void> Session::live(std::shared_ptr<Session> self) {
  try {
    bool up = !self->closing_;
    if (up && self->direction_ == Direction::out) up = co_await self->connect();
    if (up && self->direction_ == Direction::in) up = co_await self->recognise();
    if (up && self->stream_->secured()) up = co_await self->handshake_tls();
    if (up) co_await self->converse();
  } catch (const std::exception& error) {
    // The environment failed this one connection (OpenSSL out of memory, say): it ends, we do not.
    self->abrupt_ = true;
    self->close(EndReason::protocol_error, std::string("internal: ") + error.what());
  }
  co_await self->finish();
}

asio::awaitable<bool> Session::readiness(IoState wanted) {
  using Descriptor = asio::posix::stream_descriptor;
  const auto type = wanted == IoState::want_write ? Descriptor::wait_write : Descriptor::wait_read;
  const auto [error] = co_await socket_.async_wait(type, kAwait);
  co_return !error && !closing_;
}

asio::awaitable<bool> Session::connect() {
  phase_ = Phase::connecting;
  arm(context_->policy.transport.connect_timeout);
  Attempt attempt = net::dial({remote_, context_->port}, context_->listen);
  int error = attempt.error;
  if (attempt.fd.open()) adopt(std::move(attempt.fd));
  if (error == EINPROGRESS) {
    const bool writable = co_await readiness(IoState::want_write);
    if (!writable) co_return false;
    error = pending_error(socket_.native_handle());
  }
  if (error != 0) {
    abrupt_ = true;
    close(dial_failure(error), ending(error));
    co_return false;
  }
  phase_ = Phase::tls;
  arm(context_->policy.transport.tls_timeout);
  report_progress(DialStage::tcp_connected);
  if (!closing_) stream_->secure(context_->tls, Direction::out);
  co_return !closing_;
}

// The first byte tells TLS from plain (protocol 1.3: a node whose TLS failed tries plain).
asio::awaitable<bool> Session::recognise() {
  for (;;) {
    const Look look = stream_->look();
    if (look.state == IoState::failed) {
      abrupt_ = true;
      close(EndReason::closed_before_tls, look.detail);
      co_return false;
    }
    if (look.state == IoState::done) {
      if (look.first == tls_handshake_byte) {
        stream_->secure(context_->tls, Direction::in);
      } else if (look.first != 0) {  // no frame of ours begins so: its length would be 16 MiB
        abrupt_ = true;
        close(EndReason::tls_failed, "neither TLS nor a frame; the first bytes are " + look.detail);
      }
      co_return !closing_;
    }
    const bool readable = co_await readiness(IoState::want_read);
    if (!readable) co_return false;
  }
}

bool Session::take_turn() {
  auto& context = *context_;
  if (!context.gate.take_turn(id_, context.policy.transport.tls_handshakes_at_once)) return false;
  if (!std::exchange(context.round_posted, true)) {
    asio::post(context.io, [shared = context_] {
      shared->round_posted = false;
      shared->gate.new_round();
    });
  }
  return true;
}

asio::awaitable<bool> Session::handshake_tls() {
  for (;;) {
    while (!take_turn()) {
      co_await asio::post(context_->io, kAwait);
      if (closing_) co_return false;
    }
    const Io io = stream_->handshake();
    if (io.state == IoState::done) break;
    if (io.state == IoState::failed) {
      abrupt_ = true;
      close(stream_->handshake_failure(), io.failure);
      co_return false;
    }
    const bool ready = co_await readiness(io.state);
    if (!ready) co_return false;
  }
  if (direction_ == Direction::out) {
    arm(context_->policy.transport.ack_timeout);
    report_progress(DialStage::tls_done);
  }
  co_return !closing_;
}

void Session::report_progress(DialStage stage) {
  if (context_->detached) return;
  const Endpoint local = local_endpoint(socket_.native_handle());
  context_->node.on_dial_progress(id_, stage, local.ip, context_->now());
  context_->run_commands();
}

asio::awaitable<void> Session::converse() {
  phase_ = Phase::handshake;
  apply(handshake_.start());
  while (!closing_) {
    std::size_t turn = 0;
    Io io;
    do {
      io = read_some();
      turn += io.bytes + kReadCost;
    } while (io.state == IoState::done && !closing_ && turn < kReadTurn);
    report_traffic();
    if (closing_) break;
    if (io.state == IoState::done) {
      co_await asio::post(context_->io, kAwait);
    } else if (io.state == IoState::want_read || io.state == IoState::want_write) {
      const bool ready = co_await readiness(io.state);
      if (!ready) break;
    } else {
      lost(io);
    }
  }
}

asio::awaitable<void> Session::finish() {
  closing_ = true;
  const bool reached = phase_ == Phase::handshake || phase_ == Phase::ready;
  phase_ = Phase::closing;
  disarm();
  if (reached && socket_.is_open()) {
    stream_->notify_close();
    half_close(socket_.native_handle());
  }
  if (reached && socket_.is_open() && !abrupt_ && !cut_at_once(reason_, direction_)) {
    arm(context_->policy.transport.close_timeout);
    std::size_t drained = 0;
    while (socket_.is_open() && drained < kDrainLimit) {
      const auto got = ::recv(socket_.native_handle(), context_->chunk.data(),
                              context_->chunk.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
      drained += got > 0 ? static_cast<std::size_t>(got) : 0;
      if (got > 0) continue;
      const auto [error] =
          co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, kAwait);
      if (error) break;
    }
  }
  end();
}

void Session::close(EndReason reason, std::string detail) {
  if (closing_ || phase_ == Phase::ended) return;
  closing_ = true;
  reason_ = reason;
  detail_ = std::move(detail);
  context_->receive_buffered -= std::exchange(buffered_, 0);  // what it holds goes with it
  if (running_) {
    cancel_waits();
  } else {
    end();
  }
}

// `no_route`: the peer has no part in it, and it can be dialled anew from another address.
void Session::own_addresses_changed() {
  if (!socket_.is_open() || closing_) return;
  const IpAddress local = local_endpoint(socket_.native_handle()).ip;
  if (local.is_unspecified() || OwnAddresses::has(local)) return;
  abrupt_ = true;
  close(EndReason::no_route, "our address " + local.to_string() + " is gone from this host");
}

void Session::drop() {
  abrupt_ = true;
  closing_ = true;
  disarm();
  boost::system::error_code ignored;  // there is nothing left to do about a failed close
  (void)socket_.close(ignored);
}

void Session::cancel_waits() {
  boost::system::error_code not_open;  // an attempt whose socket could not be made has no waits
  (void)socket_.cancel(not_open);
}

void Session::end() {
  if (phase_ == Phase::ended) return;
  const auto self = shared_from_this();
  phase_ = Phase::ended;
  disarm();
  boost::system::error_code ignored;  // the descriptor is gone either way
  (void)socket_.close(ignored);
  if (context_->detached) return;
  context_->gate.leave(id_);
  report_traffic();
  context_->node.on_closed(id_, reason_, detail_, context_->now());
  context_->forget(id_);
  context_->run_commands();
  context_->settle(remote_);
}

void Session::user_timeout(Duration timeout) {
  if (socket_.is_open()) set_user_timeout(socket_.native_handle(), timeout);
}

void Session::policy_changed() {
  if (!socket_.is_open()) return;
  user_timeout(context_->policy.liveness.tcp_user_timeout);
  if (phase_ == Phase::ready) {
    reader_.set_limit(static_cast<std::uint32_t>(context_->policy.transport.frame_limit));
  }
}

void Session::arm(Duration after) {
  const std::uint32_t run = ++watch_;
  watchdog_.expires_after(after);
  watchdog_.async_wait([self = shared_from_this(), run](const boost::system::error_code& error) {
    if (!error && run == self->watch_) self->on_deadline();
  });
}

void Session::disarm() {
  ++watch_;
  watchdog_.cancel();
}

void Session::on_deadline() {
  switch (phase_) {
    case Phase::held:
      close(EndReason::duplicate, "the first connection was not decided in time");
      break;
    case Phase::connecting:
      abrupt_ = true;
      close(EndReason::timed_out, "no answer to the connection attempt");
      break;
    case Phase::tls:
      abrupt_ = true;
      close(EndReason::tls_failed, direction_ == Direction::out
                                       ? "TCP connected, but no TLS answer in time"
                                       : "no TLS handshake in time");
      break;
    case Phase::handshake:
      apply(handshake_.on_timeout());
      break;
    case Phase::ready:
      check_frame_progress();
      break;
    case Phase::closing:
      cancel_waits();
      break;
    case Phase::ended:
      break;
  }
}

}  // namespace timectl::net
