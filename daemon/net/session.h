#pragma once
// Session: one connection or attempt, from the first packet to the last. Network makes it and
// executes the Node's commands on it; it tells the Node what happened, in order: progress, ready,
// frames, and exactly one on_closed at the end, whatever the end was. A coroutine reads; writing
// happens at once, or when the socket takes more; one watchdog bounds every wait. Promises: pongs
// go out before everything else; memory grows only with bytes received and within the budgets of
// TransportPolicy and of block_budgets.h; a hostile peer costs itself its connection and nobody
// else anything.

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/node.h"
#include "daemon/core/rate_limit.h"
#include "daemon/net/block_budgets.h"
#include "daemon/net/chain_port.h"
#include "daemon/net/handshake.h"
#include "daemon/net/handshake_gate.h"
#include "daemon/net/send_guard.h"
#include "daemon/net/tcp.h"
#include "daemon/net/tls.h"
#include "daemon/wire/arena.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/network_params.h"

namespace timectl::net {

// What all sessions of a process share. One thread, and no session keeps anything here across a
// wait, so one buffer and one arena serve all.
struct SessionContext {
  boost::asio::io_context& io;
  Node& node;
  std::function<Now()> now;
  const wire::NetworkParams& network;
  Policy policy;
  IpAddress listen;        // dials are made from here
  std::uint16_t port = 0;  // of every peer
  std::function<void()> run_commands;
  std::function<void(ConnectionId)> forget;
  std::function<void()> relieve_buffers;  // called when receive_buffered is over its budget
  // After each event by which the address may have got or lost its ready session.
  std::function<void(const IpAddress&)> settle;
  ChainPort* chain;   // null: there is none
  ServedPool served;  // of all peers
  TlsContext tls = {};
  HandshakeGate gate = {};
  bool round_posted = false;  // of the gate
  wire::Arena arena = {};
  std::array<std::uint8_t, 32'768> chunk = {};
  std::size_t receive_buffered = 0;                 // bytes of unfinished frames, all peers
  std::array<std::uint64_t, 256> sent_nonces = {};  // a ring: our own pings coming in are us
  std::size_t next_nonce = 0;
  bool detached = false;  // the Network is gone: sessions only close
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<SessionContext> context, ConnectionId id, Direction direction,
          const IpAddress& remote);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Exactly one of these begins it.
  void dial();
  void accepted(Fd fd);
  void hold(Fd fd);  // TLS must wait for proceed(); bounded, then it closes itself

  void proceed();
  // Orderly where the other side is worth it: close_notify, FIN, at most close_timeout of waiting.
  void close(EndReason reason, std::string detail);
  // After addresses of this host have gone: ends at once where this one's is among them.
  void own_addresses_changed();
  void drop();  // at once and without a report: the Network is going away
  void ping(std::uint64_t nonce);
  void ask(Question question);
  // What the chain has to say; false where it does not go out.
  bool say(wire::OutgoingMessage message);
  void policy_changed();
  void user_timeout(Duration timeout);

  [[nodiscard]] ConnectionId id() const { return id_; }
  [[nodiscard]] const IpAddress& remote() const { return remote_; }
  // The Node knows it as ready, and it is not closing.
  [[nodiscard]] bool ready() const { return phase_ == Phase::ready && !closing_; }
  // Memory held for an unfinished frame, in bytes.
  [[nodiscard]] std::size_t buffered() const { return buffered_; }

 private:
  enum class Phase : std::uint8_t { held, connecting, tls, handshake, ready, closing, ended };

  // Life (session.cc).
  static boost::asio::awaitable<void> live(std::shared_ptr<Session> self);
  boost::asio::awaitable<bool> connect();
  boost::asio::awaitable<bool> recognise();
  boost::asio::awaitable<bool> handshake_tls();
  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<void> finish();
  boost::asio::awaitable<bool> readiness(IoState wanted);
  void adopt(Fd fd);
  void start();
  void end();
  void cancel_waits();
  [[nodiscard]] bool take_turn();
  void arm(Duration after);
  void disarm();
  void on_deadline();
  void report_progress(DialStage stage);

  // Bytes and frames (session_frames.cc).
  [[nodiscard]] Io read_some();
  [[nodiscard]] bool within_byte_rate(std::size_t bytes, Instant now);
  void take_bytes(std::span<const std::uint8_t> bytes);
  void take_frame(wire::Bytes payload);
  void apply(Handshake::Step step);
  void become_ready();
  void on_message(const wire::Message& message, wire::Bytes payload);
  void on_talk(const wire::Message& message);
  void on_ping(const wire::msg::Ping& ping);
  void report_clock(std::int64_t stamp, Now now);
  void on_late_handshake(const wire::msg::Handshake& handshake);
  void on_lists(const wire::Message& message);
  void count_undecodable(bool unknown);
  void account_buffers();
  void watch_frame(std::size_t bytes);
  void check_frame_progress();
  void report_traffic();
  void report_transport();
  enum class Place : std::uint8_t { front, back };
  bool send(wire::OutgoingMessage message, Place place);
  void uncork();
  void flush();
  void wait_writable();
  void lost(const Io& io);

  // The chain (session_chain.cc).
  [[nodiscard]] bool answer_from_chain(const wire::Message& message);
  void tell_chain(const wire::Message& message, wire::Bytes payload);
  [[nodiscard]] std::optional<std::uint64_t> own_height() const;
  [[nodiscard]] bool takes_blocks();

  struct Outgoing {
    std::vector<std::uint8_t> frame;
    bool served = false;  // an answer with blocks: not of send_queue, but of the ServedPool
  };

  std::shared_ptr<SessionContext> context_;
  ConnectionId id_;
  IpAddress remote_;
  Direction direction_;
  Phase phase_ = Phase::connecting;
  EndReason reason_ = EndReason::closed_by_peer;
  bool running_ = false;  // the coroutine lives
  bool closing_ = false;
  bool abrupt_ = false;  // no use in an orderly end: the peer is gone or hostile
  bool corked_ = false;  // bytes are being worked off: what is said meanwhile leaves together
  bool waiting_to_write_ = false;
  bool frame_timed_ = false;
  std::uint32_t watch_ = 0;  // the watchdog's present run; older ones mean nothing
  std::string detail_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer watchdog_;
  std::optional<Stream> stream_;
  Handshake handshake_;
  wire::FrameReader reader_;
  std::list<Outgoing> queue_;
  std::size_t queued_ = 0;     // bytes in queue_, without what is served
  std::size_t written_ = 0;    // of its first frame
  std::size_t buffered_ = 0;   // as accounted in the context
  std::size_t progress_ = 0;   // bytes of the unfinished frame since the last look
  std::size_t uncounted_ = 0;  // bytes received that make no kilobyte yet
  Traffic traffic_;            // not reported yet
  TokenBucket frames_;
  TokenBucket kilobytes_;
  TokenBucket lists_;
  SendGuard guard_;
  AskedBytes asked_;
  ServedBytes served_;
};

}  // namespace timectl::net
