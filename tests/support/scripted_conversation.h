#pragma once
// The inside of ScriptedPeer: its state, and one connection's talk. Nobody else includes it.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/net/tcp.h"
#include "daemon/wire/arena.h"
#include "daemon/wire/frame.h"
#include "tests/support/chain_answers.h"

namespace timectl::test {

class Conversation;

struct ScriptedPeer::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io_context, Script the_script, timectl::Network network)
      : io(io_context),
        script(std::move(the_script)),
        params(wire::params_of(network == timectl::Network::mainnet ? wire::Network::mainnet
                                                                    : wire::Network::testnet)) {
    prepare();
  }
  void prepare();  // makes the chain that the script names
  void begin(net::Fd fd, const IpAddress& remote, Direction direction, bool connecting);
  void note(const std::string& line) {
    if (!script.record.empty()) std::ofstream(script.record, std::ios::app) << line << '\n';
  }

  boost::asio::io_context& io;
  Script script;
  const wire::NetworkParams& params;
  net::Endpoint at;
  net::TlsContext tls;
  std::function<void(const wire::Message&)> heard;
  std::shared_ptr<net::Listener> listener;
  std::list<Seen> seen;
  std::list<std::shared_ptr<Conversation>> living;
};

// One connection, accepted or dialled, from its first byte to its end. The peer's list of the
// living and its own coroutine hold it.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(std::shared_ptr<ScriptedPeer::State> peer, ScriptedPeer::Seen& seen, net::Fd fd,
               Direction direction);

  static boost::asio::awaitable<void> live(std::shared_ptr<Conversation> self, bool connecting);
  void write(std::span<const std::uint8_t> bytes);
  [[nodiscard]] const IpAddress& remote() const { return seen_.remote; }
  void finish();
  void reset();
  void stop(const std::string& why);

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;

  boost::asio::awaitable<void> ready(Descriptor::wait_type type);
  boost::asio::awaitable<void> talk();
  boost::asio::awaitable<void> secure();
  boost::asio::awaitable<void> read_all();
  void end_after(std::chrono::milliseconds time);
  void take(std::span<const std::uint8_t> bytes);
  void say(const wire::Message& message) { write(frame_of(message)); }
  void hello();
  void acknowledge();
  void say_unasked();
  void answer(const wire::Message& message);
  void flush();
  void wait_writable();
  void over();

  std::shared_ptr<ScriptedPeer::State> peer_;
  ScriptedPeer::Seen& seen_;
  Script script_;
  Direction direction_;
  net::Stream stream_;
  Descriptor socket_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer life_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> secured_ = {};
  wire::FrameReader reader_;
  wire::Arena arena_;
  ChainAnswers chain_;
  std::vector<std::uint8_t> out_;
  std::size_t sent_ = 0;  // of out_
  bool mute_ = false;     // nothing more is said
  bool up_ = false;
  bool waiting_ = false;
};

}  // namespace timectl::test
