#include "tests/bench/load_client.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "daemon/wire/codec.h"
#include "tests/support/scripted_peer.h"

namespace timectl::bench {
namespace {

constexpr std::size_t kNonceAt = 8;  // behind the frame's length and the message's index
constexpr std::uint64_t kNonce = 0x1122334455667788;

std::uint32_t index_of(std::string_view name) {
  return static_cast<std::uint32_t>(wire::message_index(name));
}

template <class T>
T load(const std::uint8_t* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof(value));  // the wire's integers are little-endian, as ours are
  return value;
}

std::vector<std::uint8_t> with_nonce(const wire::Message& message) {
  auto frame = test::frame_of(message);
  if (load<std::uint64_t>(frame.data() + kNonceAt) != kNonce) {
    throw std::logic_error("a nonce is not where the benchmark looks for it");
  }
  return frame;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// A record of 512 bytes that holds a ClientHello of 508, and of it the first 30 bytes.
constexpr std::array<std::uint8_t, 35> kHalfHello{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};

// A full record of 16 KiB that begins one of 131,000.
constexpr std::array<std::uint8_t, 35> kHugeHello{0x16, 3, 1, 0x40, 0, 1, 1, 0xff, 0xb8, 3, 3};

}  // namespace

LoadClient::LoadClient(const net::Endpoint& node)
    : node_(node), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("no epoll");
  wire::msg::Handshake hello;
  hello.magic = wire::params_of(wire::Network::testnet).magic;
  hello.protocol_version = wire::protocol_version;
  hello.network = "testnet";
  hello.commit_count = wire::current_commit;
  hello_ = test::frame_of(hello);
  wire::msg::Ping ping;
  ping.nonce = kNonce;
  ping_ = with_nonce(ping);
  wire::msg::Pong pong;
  pong.nonce = kNonce;
  pong_ = with_nonce(pong);
}

LoadClient::~LoadClient() {
  links_.clear();
  ::close(epoll_);
}

Link* LoadClient::find(std::uint64_t id) {
  const auto it = links_.find(id);
  return it == links_.end() ? nullptr : it->second.get();
}

std::uint64_t LoadClient::dial(const IpAddress& from, Conduct conduct) {
  auto link = std::make_unique<Link>();
  link->id = ++last_id_;
  link->from = from;
  link->conduct = conduct;
  link->dialled = Clock::now();
  net::Attempt attempt = net::dial(node_, from);
  if (attempt.error != 0 && attempt.error != EINPROGRESS) {
    throw std::runtime_error("cannot dial from " + from.to_string() + ": " +
                             std::strerror(attempt.error));
  }
  link->fd = std::move(attempt.fd);
  // Without TCP_NODELAY the Handshake waits for the ACK of TLS's last flight: 40 ms.
  net::set_peer_options(link->fd.get(), std::chrono::seconds(45));
  link->stream.emplace(link->fd.get());
  link->watched = EPOLLOUT;
  epoll_event event{EPOLLOUT, {.u64 = link->id}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, link->fd.get(), &event) != 0) {
    throw std::runtime_error("cannot watch a socket");
  }
  return links_.emplace(link->id, std::move(link)).first->first;
}

void LoadClient::watch(Link& link, std::uint32_t events) {
  if (std::exchange(link.watched, events) == events) return;
  epoll_event event{events, {.u64 = link.id}};
  (void)::epoll_ctl(epoll_, EPOLL_CTL_MOD, link.fd.get(), &event);
}

void LoadClient::close(std::uint64_t id) {
  const auto it = links_.find(id);
  if (it == links_.end()) return;
  it->second->stream->notify_close();
  links_.erase(it);
}

void LoadClient::end(Link& link) {
  hooks.ended(link);
  links_.erase(link.id);
}

void LoadClient::step(std::chrono::milliseconds patience) {
  std::array<epoll_event, 256> events{};
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(patience.count()));
  const auto began = Clock::now();
  for (int i = 0; i < count; ++i) {
    // A hook may have closed one that stands further down.
    if (Link* link = find(events.at(static_cast<std::size_t>(i)).data.u64)) on_ready_to_go(*link);
  }
  longest_step_ = std::max(longest_step_, Clock::now() - began);
}

Clock::duration LoadClient::longest_step() {
  return std::exchange(longest_step_, {});
}

void LoadClient::on_ready_to_go(Link& link) {
  if (link.phase == Link::Phase::connecting) {
    if (net::pending_error(link.fd.get()) != 0) return end(link);
    begin(link);
    if (link.phase != Link::Phase::tls) return;
  }
  if (link.phase == Link::Phase::tls) {
    const net::Io io = link.stream->handshake();
    if (io.state == net::IoState::failed) return end(link);
    if (io.state != net::IoState::done) {
      return watch(link, io.state == net::IoState::want_write ? EPOLLOUT : EPOLLIN);
    }
    link.phase = Link::Phase::up;
    watch(link, EPOLLIN);
    return speak(link);
  }
  if ((link.watched & EPOLLOUT) != 0) flush(link);
  receive(link);
}

// TCP is there.
void LoadClient::begin(Link& link) {
  link.phase = Link::Phase::raw;
  watch(link, EPOLLIN);
  switch (link.conduct) {
    case Conduct::silent:
      return;
    case Conduct::half_hello:
      return send(link, kHalfHello);
    case Conduct::huge_hello: {
      std::vector<std::uint8_t> record(kHugeHello.begin(), kHugeHello.end());
      record.resize(5 + 0x4000);
      return send(link, record);
    }
    case Conduct::plain_text:
      return send(link, bytes_of("GET / HTTP/1.1\r\nHost: node\r\n\r\n"));
    case Conduct::garbage: {
      std::array<std::uint8_t, 64> noise{};
      std::uint64_t seed = link.id;
      for (auto& byte : noise) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<std::uint8_t>(seed >> 33U);
      }
      noise[0] = 0x16;
      return send(link, noise);
    }
    default:
      link.stream->secure(tls_, Direction::out);
      link.phase = Link::Phase::tls;
  }
}

// TLS is there.
void LoadClient::speak(Link& link) {
  constexpr std::array<std::uint8_t, 4> giant{0xff, 0xff, 0xff, 0xff};
  switch (link.conduct) {
    case Conduct::tls_only:
      link.ready = true;
      link.acked = Clock::now();
      return hooks.acked(link);
    case Conduct::half_frame:
      return send(link, std::span(hello_).first(hello_.size() / 2));
    case Conduct::giant_length:
      return send(link, giant);
    case Conduct::early:
      return send(link, ping_);
    default:
      return send(link, hello_);
  }
}

void LoadClient::receive(Link& link) {
  const std::uint64_t id = link.id;
  for (;;) {
    const net::Io io = link.stream->read(chunk_);
    if (io.state == net::IoState::want_read || io.state == net::IoState::want_write) return;
    if (io.state != net::IoState::done) return end(link);
    if (link.phase == Link::Phase::raw) continue;
    link.reader.feed(std::span(chunk_).first(io.bytes));
    while (const auto payload = link.reader.next()) {
      take(link, *payload);
      if (find(id) == nullptr) return;
    }
  }
}

void LoadClient::take(Link& link, wire::Bytes payload) {
  static const std::uint32_t ack = index_of("Ack");
  static const std::uint32_t ping = index_of("Ping");
  static const std::uint32_t pong = index_of("Pong");
  if (payload.size() < 4) return;
  const auto index = load<std::uint32_t>(payload.data());
  if (index == ack && !std::exchange(link.ready, true)) {
    link.acked = Clock::now();
    if (link.conduct == Conduct::stalled_frame) {
      constexpr std::array<std::uint8_t, 5> begun{0, 0x80, 0, 0, 36};
      send(link, begun);
    }
    hooks.acked(link);
  } else if (index == ping && payload.size() >= 12 && link.conduct == Conduct::peer) {
    std::copy_n(payload.data() + 4, 8, pong_.begin() + kNonceAt);
    ++pings_answered_;
    send(link, pong_);
  } else if (index == pong && payload.size() >= 12 && link.nonce != 0 &&
             load<std::uint64_t>(payload.data() + 4) == link.nonce) {
    link.nonce = 0;
    hooks.ponged(link, Clock::now() - link.pinged);
  }
}

void LoadClient::ping(std::uint64_t id) {
  static std::uint64_t nonce = 1;
  Link* link = find(id);
  if (link == nullptr || !link->ready) return;
  link->nonce = ++nonce;
  link->pinged = Clock::now();
  std::memcpy(ping_.data() + kNonceAt, &link->nonce, sizeof(link->nonce));
  send(*link, ping_);
}

void LoadClient::send(Link& link, std::span<const std::uint8_t> bytes) {
  link.unsent.insert(link.unsent.end(), bytes.begin(), bytes.end());
  flush(link);
}

// An error shows at the next read.
void LoadClient::flush(Link& link) {
  while (!link.unsent.empty()) {
    const net::Io io = link.stream->write(link.unsent);
    if (io.state == net::IoState::want_write) return watch(link, EPOLLIN | EPOLLOUT);
    if (io.state != net::IoState::done) break;
    link.unsent.erase(link.unsent.begin(),
                      link.unsent.begin() + static_cast<std::ptrdiff_t>(io.bytes));
  }
  std::vector<std::uint8_t>().swap(link.unsent);
  watch(link, EPOLLIN);
}

IpAddress address(std::uint8_t block, std::size_t n) {
  return IpAddress::v4(127, block, static_cast<std::uint8_t>(n % 250),
                       static_cast<std::uint8_t>(n / 250 + 1));
}

}  // namespace timectl::bench
