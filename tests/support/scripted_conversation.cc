#include "tests/support/scripted_conversation.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/wire/codec.h"
#include "tests/support/script_answers.h"

namespace timectl::test {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// As nodes have it: without TCP_NODELAY each small frame may wait 40 ms for the last one's ACK.
int prepared(net::Fd fd) {
  net::set_peer_options(fd.get(), std::chrono::seconds(45));
  return fd.release();
}

}  // namespace

Conversation::Conversation(std::shared_ptr<ScriptedPeer::State> peer, ScriptedPeer::Seen& seen,
                           net::Fd fd, Direction direction)
    : peer_(std::move(peer)),
      seen_(seen),
      script_(peer_->script),
      direction_(direction),
      stream_(fd.get()),
      socket_(peer_->io, prepared(std::move(fd))),
      timer_(peer_->io),
      life_(peer_->io),
      reader_(wire::max_frame_size),
      chain_(script_) {
  if (!script_.height) script_.height = chain_.height();
}

asio::awaitable<void> Conversation::live(std::shared_ptr<Conversation> self, bool connecting) {
  if (connecting) co_await self->ready(Descriptor::wait_write);
  co_await self->talk();
  self->over();
}

void Conversation::write(std::span<const std::uint8_t> bytes) {
  if (mute_) return;
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  flush();
}

void Conversation::finish() {
  stream_.notify_close();
  net::half_close(socket_.native_handle());
}

void Conversation::reset() {
  const linger now{1, 0};
  (void)::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  stop("reset by the script");
}

void Conversation::stop(const std::string& why) {
  if (seen_.end.empty()) seen_.end = why;
  boost::system::error_code ignored;
  timer_.cancel();
  life_.cancel();
  (void)socket_.close(ignored);
}

asio::awaitable<void> Conversation::ready(Descriptor::wait_type type) {
  const auto [error] = co_await socket_.async_wait(type, kAwait);
  if (error && seen_.end.empty()) seen_.end = "stopped";
}

asio::awaitable<void> Conversation::talk() {
  const bool banned = script_.ban_after && peer_->seen.size() > *script_.ban_after;
  if (direction_ == Direction::in && (script_.accept_then_close || banned)) {
    co_return stop("by the script");
  }
  if (script_.version_alert) {
    co_await ready(Descriptor::wait_read);
    constexpr std::array<std::uint8_t, 7> alert{0x15, 3, 3, 0, 2, 2, 70};
    (void)::send(socket_.native_handle(), alert.data(), alert.size(), MSG_NOSIGNAL);
    net::half_close(socket_.native_handle());
  } else if (script_.no_tls && direction_ == Direction::in) {
    co_await ready(Descriptor::wait_read);
    hello();
    net::half_close(socket_.native_handle());
  } else if (!script_.silent && !script_.no_tls) {
    co_await secure();
  }
  up_ = !script_.silent && !script_.version_alert && seen_.end.empty();
  if (up_ && script_.close_after_tls) co_return finish();
  if (up_ && direction_ == Direction::out && !script_.no_handshake) hello();
  if (script_.flap) end_after(*script_.flap);
  flush();
  co_await read_all();
}

void Conversation::end_after(std::chrono::milliseconds time) {
  life_.expires_after(time);
  life_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->finish();
  });
}

asio::awaitable<void> Conversation::secure() {
  stream_.secure(peer_->tls, direction_);
  while (seen_.end.empty()) {
    const net::Io io = stream_.handshake();
    if (io.state == net::IoState::done) {
      seen_.tls = true;
      secured_ = std::chrono::steady_clock::now();
      seen_.server_name = stream_.requested_name();
      peer_->note("tls " + seen_.server_name);
      co_return;
    }
    if (io.state == net::IoState::failed) co_return stop(io.failure);
    co_await ready(io.state == net::IoState::want_write ? Descriptor::wait_write
                                                        : Descriptor::wait_read);
  }
}

asio::awaitable<void> Conversation::read_all() {
  std::array<std::uint8_t, 32'768> chunk{};
  const bool raw = script_.silent || script_.version_alert;
  while (seen_.end.empty()) {
    net::Io io = stream_.read(chunk);
    if (io.state == net::IoState::done) {
      seen_.bytes += io.bytes;
      if (!raw) take(std::span(chunk).first(io.bytes));
    } else if (io.state == net::IoState::want_read || io.state == net::IoState::want_write) {
      co_await ready(Descriptor::wait_read);
    } else {
      seen_.end = io.failure;
      stream_.notify_close();
    }
  }
}

void Conversation::take(std::span<const std::uint8_t> bytes) {
  reader_.feed(bytes);
  while (const auto payload = reader_.next()) {
    if (!seen_.spoke_after && secured_) {
      seen_.spoke_after = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - *secured_);
    }
    const auto decoded = wire::decode(*payload, arena_);
    if (!decoded) {
      seen_.messages.emplace_back("undecodable");
      continue;
    }
    seen_.messages.emplace_back(wire::message_name(decoded->message));
    if (peer_->heard) peer_->heard(decoded->message);
    answer(decoded->message);
  }
}

void Conversation::hello() {
  write(hello_frame(script_, peer_->params));
}

void Conversation::acknowledge() {
  if (script_.notice) {
    wire::msg::ForkAlert alert;
    alert.message = *script_.notice;
    say(alert);
    return finish();
  }
  if (script_.no_ack) {
    if (!script_.other_frames) return;
    hello();
    return write(first_ping_frame(script_));
  }
  wire::msg::Ack ack;
  ack.message_type = "Handshake";
  say(ack);
  if (script_.redirect) say(wire::msg::PeerExchange{});
  if (script_.frame_len) {
    const std::uint32_t n = *script_.frame_len;
    const std::array<std::uint8_t, 4> header{
        static_cast<std::uint8_t>(n >> 24U), static_cast<std::uint8_t>(n >> 16U),
        static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)};
    return write(header);
  }
  hello();
  write(first_ping_frame(script_));
  say_unasked();
}

void Conversation::say_unasked() {
  if (const auto frame = chain_.unasked()) write(*frame);
}

void Conversation::answer(const wire::Message& message) {
  if (std::holds_alternative<wire::msg::Handshake>(message) && direction_ == Direction::in) {
    if (script_.ack_after.count() == 0) return acknowledge();
    timer_.expires_after(script_.ack_after);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->acknowledge();
    });
    return;
  }
  if (const auto* pong = std::get_if<wire::msg::Pong>(&message)) {
    seen_.pongs.push_back(pong->nonce);
  } else if (const auto* ping = std::get_if<wire::msg::Ping>(&message)) {
    seen_.pings.push_back(ping->nonce);
    say_unasked();
  } else if (std::holds_alternative<wire::msg::Ack>(message)) {
    say_unasked();
  }
  if (const auto said = chain_.to(message)) {
    write(said->frame);
    mute_ = said->last;
    return;
  }
  const auto age = std::chrono::steady_clock::now() - begun_;
  const auto frame = answer_frame(script_, peer_->params, message,
                                  std::chrono::duration_cast<std::chrono::milliseconds>(age));
  if (frame) write(*frame);
}

void Conversation::flush() {
  const bool plain_or_up = up_ || script_.no_tls;
  while (plain_or_up && sent_ < out_.size() && socket_.is_open()) {
    const net::Io io = stream_.write(std::span(out_).subspan(sent_));
    if (io.state != net::IoState::done) {
      if (io.state == net::IoState::want_write) wait_writable();
      return;
    }
    sent_ += io.bytes;
  }
  if (sent_ < out_.size()) return;
  out_.clear();
  sent_ = 0;
}

void Conversation::wait_writable() {
  if (std::exchange(waiting_, true)) return;
  socket_.async_wait(Descriptor::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->waiting_ = false;
                       if (!error) self->flush();
                     });
}

void Conversation::over() {
  peer_->note("end " + seen_.end + " after " + std::to_string(seen_.bytes) + " bytes");
  stop("over");
  peer_->living.remove(shared_from_this());
}

}  // namespace timectl::test
