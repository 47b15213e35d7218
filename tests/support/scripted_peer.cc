#include "tests/support/scripted_peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <stdexcept>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/frame.h"
#include "tests/support/script_answers.h"

namespace timectl::test {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// As nodes have it: without TCP_NODELAY each small frame may wait 40 ms for the last one's ACK.
int prepared(net::Fd fd) {
  net::set_peer_options(fd.get(), std::chrono::seconds(45));
  return fd.release();
}

}  // namespace

class Conversation;

struct ScriptedPeer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io_context, Script the_script, timectl::Network network)
      : io(io_context),
        script(std::move(the_script)),
        params(wire::params_of(network == timectl::Network::mainnet ? wire::Network::mainnet
                                                                    : wire::Network::testnet)) {}
  void begin(net::Fd fd, const IpAddress& remote, Direction direction, bool connecting);
  void note(const std::string& line) {
    if (!script.record.empty()) std::ofstream(script.record, std::ios::app) << line << '\n';
  }

  asio::io_context& io;
  Script script;
  const wire::NetworkParams& params;
  net::Endpoint at;
  net::TlsContext tls;
  std::function<void(const wire::Message&)> heard;
  std::shared_ptr<net::Listener> listener;
  std::list<Seen> seen;
  std::list<std::shared_ptr<Conversation>> living;
};

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(std::shared_ptr<ScriptedPeer::State> peer, ScriptedPeer::Seen& seen, net::Fd fd,
               Direction direction)
      : peer_(std::move(peer)),
        seen_(seen),
        script_(peer_->script),
        direction_(direction),
        stream_(fd.get()),
        socket_(peer_->io, prepared(std::move(fd))),
        timer_(peer_->io),
        life_(peer_->io),
        reader_(wire::max_frame_size) {}

  static asio::awaitable<void> live(std::shared_ptr<Conversation> self, bool connecting) {
    if (connecting) co_await self->ready(Descriptor::wait_write);
    co_await self->talk();
    self->over();
  }

  void write(std::span<const std::uint8_t> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    flush();
  }
  [[nodiscard]] const IpAddress& remote() const { return seen_.remote; }
  void finish() {
    stream_.notify_close();
    net::half_close(socket_.native_handle());
  }
  void reset() {
    const linger now{1, 0};
    (void)::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    stop("reset by the script");
  }
  void stop(const std::string& why) {
    if (seen_.end.empty()) seen_.end = why;
    boost::system::error_code ignored;
    timer_.cancel();
    life_.cancel();
    (void)socket_.close(ignored);
  }

 private:
  asio::awaitable<void> ready(Descriptor::wait_type type) {
    const auto [error] = co_await socket_.async_wait(type, kAwait);
    if (error && seen_.end.empty()) seen_.end = "stopped";
  }

  asio::awaitable<void> talk() {
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

  void end_after(std::chrono::milliseconds time) {
    life_.expires_after(time);
    life_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->finish();
    });
  }

  asio::awaitable<void> secure() {
    stream_.secure(peer_->tls, direction_);
    while (seen_.end.empty()) {
      const net::Io io = stream_.handshake();
      if (io.state == net::IoState::done) {
        seen_.tls = true;
        seen_.server_name = stream_.requested_name();
        peer_->note("tls " + seen_.server_name);
        co_return;
      }
      if (io.state == net::IoState::failed) co_return stop(io.failure);
      co_await ready(io.state == net::IoState::want_write ? Descriptor::wait_write
                                                          : Descriptor::wait_read);
    }
  }

  asio::awaitable<void> read_all() {
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

  void take(std::span<const std::uint8_t> bytes) {
    reader_.feed(bytes);
    while (const auto payload = reader_.next()) {
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

  void say(const wire::Message& message) { write(frame_of(message)); }

  void hello() { write(hello_frame(script_, peer_->params)); }

  void acknowledge() {
    if (script_.notice) {
      wire::msg::ForkAlert alert;
      alert.message = *script_.notice;
      say(alert);
      return finish();
    }
    if (script_.no_ack) return;
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
  }

  void answer(const wire::Message& message) {
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
    }
    const auto age = std::chrono::steady_clock::now() - begun_;
    const auto frame = answer_frame(script_, peer_->params, message,
                                    std::chrono::duration_cast<std::chrono::milliseconds>(age));
    if (frame) write(*frame);
  }

  void flush() {
    const bool plain_or_up = up_ || script_.no_tls;
    while (plain_or_up && !out_.empty() && socket_.is_open()) {
      const net::Io io = stream_.write(out_);
      if (io.state != net::IoState::done) {
        if (io.state == net::IoState::want_write) wait_writable();
        return;
      }
      out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(io.bytes));
    }
  }

  void wait_writable() {
    if (std::exchange(waiting_, true)) return;
    socket_.async_wait(Descriptor::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         self->waiting_ = false;
                         if (!error) self->flush();
                       });
  }

  void over() {
    peer_->note("end " + seen_.end + " after " + std::to_string(seen_.bytes) + " bytes");
    stop("over");
    peer_->living.remove(shared_from_this());
  }

  std::shared_ptr<ScriptedPeer::State> peer_;
  ScriptedPeer::Seen& seen_;
  Script script_;
  Direction direction_;
  net::Stream stream_;
  Descriptor socket_;
  asio::steady_timer timer_;
  asio::steady_timer life_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  wire::FrameReader reader_;
  wire::Arena arena_;
  std::vector<std::uint8_t> out_;
  bool up_ = false;
  bool waiting_ = false;
};

void ScriptedPeer::State::begin(net::Fd fd, const IpAddress& remote, Direction direction,
                                bool connecting) {
  if (script.evict_on_second && direction == Direction::in) {
    const auto before = living;
    for (const auto& other : before) {
      if (other->remote() == remote) other->finish();
    }
  }
  // As the network's nodes do (protocol 1.4): without TCP_NODELAY each handshake waits 40 ms.
  net::set_peer_options(fd.get(), std::chrono::seconds(45));
  Seen& entry = seen.emplace_back();
  entry.remote = remote;
  note((direction == Direction::in ? "accept " : "dial ") + remote.to_string());
  auto conversation =
      std::make_shared<Conversation>(shared_from_this(), entry, std::move(fd), direction);
  living.push_back(conversation);
  asio::co_spawn(io, Conversation::live(conversation, connecting), asio::detached);
}

ScriptedPeer::ScriptedPeer(asio::io_context& io, const net::Endpoint& at, Script script,
                           timectl::Network network)
    : state_(std::make_shared<State>(io, std::move(script), network)) {
  const std::weak_ptr<State> weak = state_;
  net::Listener::Hooks hooks;
  hooks.connection = [weak](net::Fd fd, const net::Endpoint& remote) {
    if (const auto self = weak.lock()) self->begin(std::move(fd), remote.ip, Direction::in, false);
  };
  hooks.exhausted = [] {};
  state_->listener = std::make_shared<net::Listener>(io, std::move(hooks));
  const auto opened = state_->listener->open(at);
  if (!opened) throw std::runtime_error(opened.error().message + ": " + opened.error().because);
  state_->at = state_->listener->local();
}

ScriptedPeer::~ScriptedPeer() {
  stop_listening();
  const auto living = state_->living;
  for (const auto& conversation : living) conversation->stop("the peer is gone");
  state_->living.clear();  // they hold the state
}

void ScriptedPeer::stop_listening() {
  state_->listener->close();
}

std::uint16_t ScriptedPeer::port() const {
  return state_->at.port;
}

void ScriptedPeer::set_script(Script script) {
  state_->script = std::move(script);
}

void ScriptedPeer::dial(const net::Endpoint& to) {
  net::Attempt attempt = net::dial(to, state_->at.ip);
  if (!attempt.fd.open() || (attempt.error != 0 && attempt.error != EINPROGRESS)) {
    throw std::runtime_error("the scripted peer cannot dial");
  }
  state_->begin(std::move(attempt.fd), to.ip, Direction::out, true);
}

void ScriptedPeer::send_raw(std::span<const std::uint8_t> bytes) {
  for (const auto& conversation : state_->living) conversation->write(bytes);
}

void ScriptedPeer::send(const wire::Message& message) {
  send_raw(frame_of(message));
}

void ScriptedPeer::close_all() {
  for (const auto& conversation : state_->living) conversation->finish();
}

void ScriptedPeer::reset_all() {
  for (const auto& conversation : state_->living) conversation->reset();
}

void ScriptedPeer::listen(std::function<void(const wire::Message&)> heard) {
  state_->heard = std::move(heard);
}

const std::list<ScriptedPeer::Seen>& ScriptedPeer::seen() const {
  return state_->seen;
}

const ScriptedPeer::Seen& ScriptedPeer::last() const {
  return state_->seen.back();
}

std::size_t ScriptedPeer::living() const {
  return state_->living.size();
}

bool ScriptedPeer::Seen::has(std::string_view message) const {
  return count(message) > 0;
}

std::size_t ScriptedPeer::Seen::count(std::string_view message) const {
  return static_cast<std::size_t>(std::count(messages.begin(), messages.end(), message));
}

std::vector<std::uint8_t> frame_of(const wire::Message& message) {
  const auto payload = wire::encode(message);
  const auto header = wire::frame_header(payload.size());
  std::vector<std::uint8_t> frame(header.begin(), header.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

bool run_until(asio::io_context& io, const std::function<bool()>& done,
               std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  io.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    if (io.stopped()) io.restart();
    (void)io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace timectl::test
