#pragma once
// Many peers of one node in one thread: connections from any number of 127.x addresses, each with
// its conduct, driven by epoll and cheap enough that a benchmark measures the node and not itself.
// The owner dials, calls step() in a loop and is told what happened by the hooks, in which it may
// dial, ping and close, too.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "daemon/net/tcp.h"
#include "daemon/net/tls.h"
#include "daemon/wire/frame.h"

namespace timectl::bench {

using Clock = std::chrono::steady_clock;

enum class Conduct : std::uint8_t {
  peer,           // TLS, Handshake; answers pings
  tls_only,       // closes when TLS is done: for a server that speaks nothing else
  silent,         // TCP and not a byte
  half_hello,     // the beginning of a ClientHello
  huge_hello,     // the beginning of one that would be 128 KiB
  plain_text,     // an HTTP request
  garbage,        // random bytes that look like a TLS record
  half_frame,     // TLS, then half of a Handshake
  giant_length,   // TLS, then a length of 4 GiB
  early,          // TLS, then a Ping instead of a Handshake
  stalled_frame,  // a peer that begins a frame of 8 MiB after its Ack and stalls
};

struct Link {
  std::uint64_t id = 0;
  IpAddress from = {};
  Conduct conduct = Conduct::peer;
  Clock::time_point dialled = {};
  Clock::time_point acked = {};
  bool ready = false;  // its Ack came

 private:
  friend class LoadClient;
  enum class Phase : std::uint8_t { connecting, tls, up, raw };
  Phase phase = Phase::connecting;
  net::Fd fd = {};
  std::optional<net::Stream> stream = {};
  wire::FrameReader reader{65'536};
  std::vector<std::uint8_t> unsent = {};
  std::uint32_t watched = 0;  // events asked of epoll
  std::uint64_t nonce = 0;
  Clock::time_point pinged = {};
};

class LoadClient {
 public:
  struct Hooks {
    std::function<void(Link&)> acked = [](Link&) {};
    std::function<void(Link&, Clock::duration round_trip)> ponged = [](auto&, auto) {};
    // By the other side. The link is gone afterwards.
    std::function<void(Link&)> ended = [](Link&) {};
  };

  explicit LoadClient(const net::Endpoint& node);
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  Hooks hooks;

  std::uint64_t dial(const IpAddress& from, Conduct conduct);
  void ping(std::uint64_t id);   // one at a time: an unanswered one is forgotten
  void close(std::uint64_t id);  // close_notify and FIN; the hooks hear nothing of it
  [[nodiscard]] Link* find(std::uint64_t id);
  [[nodiscard]] std::size_t open() const { return links_.size(); }
  [[nodiscard]] std::uint64_t pings_answered() const { return pings_answered_; }

  // Waits at most `patience` and works off what has come.
  void step(std::chrono::milliseconds patience);
  // Of the work of one step since the last call: how late the client itself may have been.
  [[nodiscard]] Clock::duration longest_step();

 private:
  void on_ready_to_go(Link& link);
  void begin(Link& link);
  void speak(Link& link);
  void receive(Link& link);
  void take(Link& link, wire::Bytes payload);
  void send(Link& link, std::span<const std::uint8_t> bytes);
  void flush(Link& link);
  void watch(Link& link, std::uint32_t events);
  void end(Link& link);

  net::Endpoint node_;
  int epoll_;
  net::TlsContext tls_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Link>> links_;
  std::uint64_t last_id_ = 0;
  std::uint64_t pings_answered_ = 0;
  Clock::duration longest_step_ = {};
  std::vector<std::uint8_t> chunk_ = std::vector<std::uint8_t>(16'384);
  std::vector<std::uint8_t> hello_;
  std::vector<std::uint8_t> ping_;
  std::vector<std::uint8_t> pong_;
};

// Distinct addresses for masternodes, newcomers and strangers: the n-th of a block 127.BLOCK, each
// in a /24 of its own up to 250, then further hosts of the same networks.
[[nodiscard]] IpAddress address(std::uint8_t block, std::size_t n);

}  // namespace timectl::bench
