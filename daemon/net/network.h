#pragma once
// Network: the shell of the Node. It listens, dials, keeps the sessions by id, reports what happens
// to the Node and executes the Node's commands after each report; a timer follows the Node's
// next_tick(). The daemon owns one and runs its io_context; whoever calls the Node directly (a
// whitelist change, an operator's word) calls run_commands() afterwards. One thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/core/node.h"
#include "daemon/wire/outgoing.h"

namespace boost::asio {
class io_context;
}

namespace timectl::net {

class ChainPort;

struct NetworkOptions {
  timectl::Network network = timectl::Network::mainnet;
  bool open = true;            // false: passive, no listener (and the Node emits no Dial)
  IpAddress listen = {};       // also the source of dials, unless it is a wildcard
  std::uint16_t port = 24000;  // listened on and dialled; 0: any, for tests that do not dial
  Policy policy = {};
  // Outlives the Network. Null: there is no chain, and peers are answered as answers.h says.
  ChainPort* chain = nullptr;
  std::size_t served_blocks = 33'554'432;  // bytes of block answers not sent yet, all peers
};

// Where the Node's records go; called on the network thread.
struct NetworkSinks {
  std::function<void(const Event&)> event;
  std::function<void(const SessionRecord&)> session;
  std::function<void(const PeerMemory&)> memory;
  std::function<void(const std::string&)> trouble;  // of this host, at most a line a minute
};

class Network {
 public:
  // `node` and `whitelist` outlive it. Throws std::runtime_error when TLS cannot be set up.
  Network(boost::asio::io_context& io, NetworkOptions options, Node& node,
          const Whitelist& whitelist, std::function<Now()> now, NetworkSinks sinks);
  // Drops what is still open, without a word to the Node.
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Opens the listener, then starts the Node. Errors: port_in_use, access_denied, cannot_create;
  // nothing was started then.
  [[nodiscard]] Result<void> start();

  // Orderly end: stops the Node, closes every session (close_notify, FIN) within
  // TransportPolicy::close_timeout and then calls `stopped` once.
  void stop(std::function<void()> stopped);

  void run_commands();

  // To the ready session of that address. False where there is none, or where the send guard or a
  // budget refused it: then it is gone, not kept. May be called from within the ChainPort.
  bool send(const IpAddress& peer, wire::OutgoingMessage message);

  // New numbers for the transport and the Node, for open sessions too.
  void set_policy(const Policy& policy);

  [[nodiscard]] IpAddress listen_address() const;
  [[nodiscard]] std::uint16_t port() const;            // the one in use
  [[nodiscard]] std::size_t connections() const;       // sessions and attempts
  [[nodiscard]] std::size_t receive_buffered() const;  // bytes of unfinished frames, all peers
  // Connections of the last hour that were turned away because no descriptor was left.
  [[nodiscard]] std::uint64_t refused_for_descriptors() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace timectl::net
