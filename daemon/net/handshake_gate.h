#pragma once
// Who may be in the middle of an inbound handshake (faults.md, budgets): a bounded number, the
// oldest of the busiest network group dropped first, and room kept for whitelisted addresses, so
// that strangers who open connections and say nothing cannot lock masternodes out. Also the turns
// for the costly step, so that a burst of ClientHellos never delays a pong by more than one batch.
// Pure; Network asks it.

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>

#include "daemon/core/ip_address.h"
#include "daemon/core/node.h"

namespace timectl::net {

class HandshakeGate {
 public:
  enum class Trust : std::uint8_t { regular, masternode };

  // A new inbound connection. Returns who must go for it: another one, itself where only others'
  // kept room is left, or none. `limit` regular ones, and `kept` more for masternodes.
  [[nodiscard]] std::optional<ConnectionId> enter(ConnectionId id, const IpAddress& ip, Trust trust,
                                                  std::size_t limit, std::size_t kept);
  // Its handshake is over, or the connection is. Unknown ones are fine.
  void leave(ConnectionId id);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  // One of `at_once` turns for a costly step, until new_round(). Strangers have theirs; those of
  // masternodes, and of whom we dial, never wait behind them (FT-N25).
  [[nodiscard]] bool take_turn(ConnectionId id, std::size_t at_once);
  void new_round() { strangers_turns_ = friends_turns_ = 0; }

 private:
  struct Waiting {
    ConnectionId id;
    IpAddress subnet;
    Trust trust;
  };
  [[nodiscard]] std::optional<ConnectionId> oldest_of_busiest() const;

  std::list<Waiting> waiting_;  // oldest first
  std::unordered_map<std::uint64_t, std::list<Waiting>::iterator> by_id_;
  std::size_t strangers_turns_ = 0;
  std::size_t friends_turns_ = 0;
};

}  // namespace timectl::net
