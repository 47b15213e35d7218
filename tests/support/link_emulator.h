#pragma once
// A bad network in user space, for kernels without netem: a switch with one TUN device per port,
// and conditions on each port and way (delay, jitter, loss, duplication, reordering, corruption,
// rate and queue, largest packet, forged
// resets, a NAT). Lab makes the devices. Seeded: the same packets at the same times
// meet the same fate. Conditions may be changed while it runs, from any thread; what is under way
// already arrives as it was sent.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "daemon/core/ip_address.h"
#include "daemon/net/tcp.h"
#include "tests/support/nat.h"

namespace timectl::test {

// Of one way of one port. Parts are of 0 to 1; without `reorder` packets keep their order, also
// with jitter, which is how a single queue behaves.
struct LinkConditions {
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds jitter{0};  // up to so much on top, uniformly
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;                 // held back by 5 to 25 ms, so that later ones overtake
  double corrupt = 0;                 // one bit behind the IP header
  std::size_t bytes_per_second = 0;   // 0: no limit
  std::size_t queue_bytes = 262'144;  // what waits for the rate; the rest is dropped
  std::size_t largest = 65'535;       // a larger packet is dropped, and nobody is told
};

inline constexpr LinkConditions cut_link{.loss = 1};

// Forged for the node, in the name of its peer or of a router: a reset with the sequence number
// that RFC 5961 demands, one that is merely inside the window, or "host unreachable" by ICMP.
enum class Resets : std::uint8_t { none, exact, blind, unreachable };

class LinkEmulator {
 public:
  enum class Way : std::uint8_t { from_node, to_node };
  using Port = std::size_t;
  struct Counters {
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;  // by loss or a full queue
    std::uint64_t too_large = 0;
    std::uint64_t unmapped = 0;  // dropped by a NAT
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t resets = 0;
  };

  explicit LinkEmulator(std::uint64_t seed);
  ~LinkEmulator();  // ends its thread and closes the devices
  LinkEmulator(const LinkEmulator&) = delete;
  LinkEmulator& operator=(const LinkEmulator&) = delete;

  // A TUN device (non-blocking, without packet information) and the IPv4 address behind it.
  Port attach(net::Fd tun, const IpAddress& address);
  void replace(Port port, net::Fd tun);            // another device at the same port
  void also(Port port, const IpAddress& address);  // a further address behind the port
  void set(Port port, Way way, const LinkConditions& conditions);
  void set(Port port, const LinkConditions& conditions);  // both ways
  // Every segment with data that the node sends is answered so.
  void set_resets(Port port, Resets resets);
  // Between the port and the network from now on; an old one's mappings are lost.
  void set_nat(Port port, const std::optional<NatRules>& rules);
  void forget_mappings(Port port);
  // So many connection attempts reach the node at once, none from an address that exists: of
  // 198.18.0.0/15, each once in a round.
  void flood_with_syns(Port port, const net::Endpoint& to, std::uint32_t count);
  [[nodiscard]] Counters counters() const;  // of all ports

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace timectl::test
