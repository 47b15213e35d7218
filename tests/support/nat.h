#pragma once
// Nat: what a router between a node and the network does with TCP connections that the node opens
// (FT-N30). Each gets a port outside; the mapping is forgotten after a time without a packet of the
// node, or when the router is told to. Afterwards the node's packets leave from another port, which
// is what its peer's kernel answers with a reset, or are dropped by a router that only maps
// connections which it saw begin. Used by LinkEmulator, which passes the time.

#include <chrono>
#include <cstdint>
#include <map>

#include "tests/support/packets.h"

namespace timectl::test {

struct NatRules {
  std::chrono::milliseconds expires_after{std::chrono::minutes(5)};
  bool only_new_connections = false;  // what is in no mapping and no SYN is dropped
};

class Nat {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit Nat(const NatRules& rules) : rules_(rules) {}

  // False: it does not pass.
  [[nodiscard]] bool leave(Packet& packet, Time now);
  [[nodiscard]] bool arrive(Packet& packet, Time now);
  void forget_all() { mappings_.clear(); }

 private:
  struct Mapping {
    std::uint16_t outside = 0;
    Time used = {};
  };
  NatRules rules_;
  std::map<std::uint16_t, Mapping> mappings_;  // by the port inside
  std::uint16_t next_ = 20'000;                // below Linux's ephemeral ports
};

}  // namespace timectl::test
