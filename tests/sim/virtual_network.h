#pragma once
// VirtualNetwork: N nodes of the core on a simulated network with virtual time: latency, crashes
// with and without a FIN, restarts with what the store remembered, cuts of single paths. The same
// seed gives the same trace, bit by bit. A path's retransmissions are modelled as late delivery,
// its death by TCP_USER_TIMEOUT after 45 s.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <vector>

#include "daemon/core/node.h"
#include "daemon/core/random.h"

namespace timectl {

class VirtualNetwork {
 public:
  VirtualNetwork(std::size_t nodes, std::uint64_t seed, const Policy& policy);

  void start_all();
  void start(std::size_t node);
  void kill(std::size_t node);                          // SIGKILL: the kernel closes its sockets
  void power_cut(std::size_t node);                     // nothing more is heard of it
  void cut(std::size_t a, std::size_t b, bool is_cut);  // both ways, between two nodes
  void run(Duration d);

  [[nodiscard]] bool running(std::size_t node) const { return nodes_[node].node != nullptr; }
  [[nodiscard]] bool connected(std::size_t a, std::size_t b) const;  // as both see it
  [[nodiscard]] std::size_t missing_pairs() const;  // of running nodes, without a session
  [[nodiscard]] std::size_t sessions(std::size_t a, std::size_t b) const;  // live ones between them
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] std::uint64_t events() const { return handled_; }
  [[nodiscard]] std::size_t losses() const { return losses_; }
  [[nodiscard]] Instant now() const { return now_.mono; }
  std::uint64_t check_every = 1;  // check_invariants() after each so many events

 private:
  enum class Kind : std::uint8_t {
    tick,
    syn,
    tcp_up,
    refused,
    tls,
    ready_in,
    ready_out,
    ping,
    pong,
    end
  };
  struct Happening {
    Instant at;
    std::uint64_t order;
    Kind kind;
    bool to_dialer;  // which end of the wire it is for
    EndReason reason;
    std::size_t node;  // of tick
    std::uint64_t wire;
    std::uint64_t nonce;
    bool operator>(const Happening& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct End {
    std::size_t node = 0;
    std::uint64_t boot = 0;  // which life of the node
    ConnectionId id = {};
    bool open = false;  // the node has this connection
    bool ready = false;
  };
  struct Wire {
    End dialer;
    End acceptor;
    bool held = false;
    bool up = false;                      // the dialer knows that TCP is connected
    bool handshake = false;               // under way
    std::optional<Instant> stalled = {};  // since when nothing gets through
  };
  struct Box {
    std::unique_ptr<Whitelist> list;
    std::unique_ptr<Node> node;
    std::uint64_t boot = 0;
    std::map<IpAddress, PeerMemory> store;
    std::map<ConnectionId, std::uint64_t> wires;
    Instant tick_at = Instant::max();
  };

  [[nodiscard]] static IpAddress address(std::size_t node);
  [[nodiscard]] bool alive(const End& end) const;
  [[nodiscard]] bool blocked(const Wire& wire) const;
  Duration latency();
  void at(Duration in, Kind kind, std::uint64_t wire, bool to_dialer,
          EndReason reason = EndReason::shutdown, std::uint64_t nonce = 0);
  void handle(const Happening& h);
  void deliver(const Happening& h, Wire& wire);
  void syn(std::uint64_t id, Wire& wire);
  void handshake(std::uint64_t id, Wire& wire);
  void end_here(Wire& wire, bool dialer_side, EndReason reason);
  void take(std::size_t node);
  void note(std::uint64_t value);

  Policy policy_;
  Random random_;
  std::uint64_t seed_;
  Now now_{Instant{1000h}, WallTime{400'000h}};
  std::vector<Box> nodes_;
  std::map<std::uint64_t, Wire> wires_;
  std::set<std::pair<std::size_t, std::size_t>> cuts_;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> queue_;
  std::uint64_t last_wire_ = 0;
  std::uint64_t last_order_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325U;
  std::uint64_t handled_ = 0;
  std::size_t losses_ = 0;
};

}  // namespace timectl
