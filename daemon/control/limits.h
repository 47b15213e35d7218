#pragma once
// What one client of the control socket may use, so that a slow or hostile member of the socket's
// group harms nobody: the counts, the times and the budget of the one thread that also answers
// pings. Pure; the server asks with the time. The numbers are of this protocol, not of the network,
// so they have no key in timectl.toml.

#include <cstddef>
#include <cstdint>

#include "daemon/control/line.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"

namespace timectl::control {

struct Limits {
  std::size_t clients = 64;
  std::size_t clients_per_uid = 16;
  std::size_t reserved = 8;       // of `clients`, only for root and the node's user
  std::size_t hello_line = 4096;  // bytes, until the hello was accepted
  // After it: a whole list is one request (line.h), but a mere reader has no use for one, and many
  // of its connections must not hold much memory.
  std::size_t request_line = kRequestLimit;
  std::size_t reader_line = 1'048'576;
  Duration hello_timeout = 5s;     // from accept to the whole hello
  Duration idle_timeout = 60s;     // without a request; a follower may be silent
  Duration write_timeout = 60s;    // for a whole reply
  std::size_t output = 1'048'576;  // bytes of notifications that wait for a slow follower
  std::size_t jobs = 2;            // long calls at once; more are told to come again
  // The thread's time that one user may take: at most `burst` at once, then this share of it. A
  // call costs what it took, at least `call_minimum`; one in a thread of its own what that worked,
  // not what it waited for a network.
  Duration burst = 2s;
  double share = 0.25;
  double share_privileged = 1.0;  // root and the node's user could stop the node anyway
  Duration call_minimum = 200us;
};

// The limits of one client; `may_change`: it may call methods that change something.
[[nodiscard]] Limits limits_of(const Limits& limits, bool may_change);

// May one more client of this user stay? `privileged`: root or the node's user.
[[nodiscard]] bool admits(const Limits& limits, std::size_t clients, std::size_t of_uid,
                          bool privileged);

// A user's claim on the thread; one per user with a connection.
class Budget {
 public:
  Budget(const Limits& limits, bool privileged, Instant now);
  // How long the next call has to wait; zero: go.
  [[nodiscard]] Duration wait(Instant now);
  void charge(Duration took, Instant now);  // after the call

 private:
  void refill(Instant now);
  double share_;
  Duration burst_;
  Duration minimum_;
  Duration left_;
  Instant at_;
};

}  // namespace timectl::control
