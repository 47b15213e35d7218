#pragma once
// A scripted peer in a thread of its own, because a probe blocks the thread of the test; and the
// clock, real and in milliseconds.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/clock.h"
#include "daemon/core/time.h"
#include "daemon/probe/probe.h"
#include "tests/support/scripted_peer.h"

namespace timectl::probe {

inline constexpr IpAddress peer_ip = IpAddress::v4(127, 0, 0, 31);
inline constexpr IpAddress our_ip = IpAddress::v4(127, 0, 0, 32);

class PeerThread {
 public:
  explicit PeerThread(std::string_view words)
      : peer_(io_, {peer_ip, 0}, test::parse_script(words).value()) {
    peer_.listen([this](const wire::Message& message) { hear(message); });
    thread_ = std::thread([this] { io_.run(); });
  }
  ~PeerThread() {
    if (thread_.joinable()) (void)finish();
  }

  [[nodiscard]] std::uint16_t port() const { return peer_.port(); }

  // What it says, unasked, when a message of this name comes, before it answers that. Before the
  // first visit.
  void say_at(std::string name, std::vector<wire::Message> messages) {
    said_at_ = std::move(name);
    said_ = std::move(messages);
  }
  // From our Handshake on it never pauses.
  void flood() { floods_ = true; }

  // Waits until its connections have ended, by the other side; then what it has seen.
  std::list<test::ScriptedPeer::Seen> finish() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (living() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    boost::asio::post(io_, [this] { io_.stop(); });
    thread_.join();
    return peer_.seen();
  }

  // After finish().
  [[nodiscard]] const std::vector<wire::Magic>& magics() const { return magics_; }
  [[nodiscard]] std::optional<Instant> hello_at() const { return hello_at_; }
  [[nodiscard]] std::vector<std::uint64_t> tips() const { return tips_; }

 private:
  std::size_t living() {
    std::promise<std::size_t> count;
    boost::asio::post(io_, [&] { count.set_value(peer_.living()); });
    return count.get_future().get();
  }
  void pour() {
    constexpr std::size_t kMost = 500;  // chunks, as a net below the test
    if (peer_.living() == 0 || ++poured_ > kMost) return;
    std::vector<std::uint8_t> chunk;
    const auto frame = test::frame_of(wire::msg::GetPeers{});
    while (chunk.size() < 65'536) chunk.insert(chunk.end(), frame.begin(), frame.end());
    peer_.send_raw(chunk);
    boost::asio::post(io_, [this] { pour(); });
  }
  void hear(const wire::Message& message) {
    if (wire::message_name(message) == said_at_) {
      for (const auto& one : said_) peer_.send(one);
    }
    if (floods_ && std::holds_alternative<wire::msg::Handshake>(message)) pour();
    if (const auto* hello = std::get_if<wire::msg::Handshake>(&message)) {
      magics_.push_back(hello->magic);
      if (!hello_at_) hello_at_ = clock_now().mono;
    }
    if (const auto* tip = std::get_if<wire::msg::ChainTipResponse>(&message)) {
      tips_.push_back(tip->height);
    }
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  test::ScriptedPeer peer_;
  std::vector<wire::Magic> magics_;
  std::vector<std::uint64_t> tips_;
  std::optional<Instant> hello_at_;
  std::string said_at_;
  std::vector<wire::Message> said_;
  bool floods_ = false;
  std::size_t poured_ = 0;
  std::thread thread_;
};

// Waits of a visit, scaled down.
inline ProbeRequest request_to(std::uint16_t port) {
  ProbeRequest request;
  request.peer = peer_ip;
  request.port = port;
  request.network = Network::testnet;
  request.source = our_ip;
  request.connect_timeout = std::chrono::milliseconds(400);
  request.tls_timeout = std::chrono::milliseconds(400);
  request.ack_timeout = std::chrono::milliseconds(400);
  request.ping_timeout = std::chrono::milliseconds(600);
  request.close_timeout = std::chrono::milliseconds(400);
  request.total = std::chrono::seconds(5);
  return request;
}

inline double milliseconds_since(Instant begun) {
  return seconds(clock_now().mono - begun) * 1e3;
}

}  // namespace timectl::probe
