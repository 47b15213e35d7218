#pragma once
// Link: one outgoing connection of a probe or of an RPC question, plain or TLS, worked off by the
// thread that asks: connect, secure, write, read, finish. Promises: exactly one connection attempt;
// every call ends at its deadline or within milliseconds of a stop; what went wrong is said in one
// clause.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "daemon/net/tcp.h"
#include "daemon/net/tls.h"
#include "daemon/probe/waiter.h"

namespace timectl::probe {

enum class LinkEnd : std::uint8_t {
  done,
  timed_out,
  stopped,      // by our own stop token
  refused,      // of connect
  unreachable,  // of connect: no route, an ICMP, or no such source address
  closed,       // FIN or RST
  plaintext,    // of secure: bytes that are no TLS
  failed,       // TLS broke
};

struct LinkStep {
  LinkEnd end = LinkEnd::done;
  std::size_t bytes = 0;         // of read
  std::string detail = {};       // of all but done: one clause
  std::string first_bytes = {};  // of plaintext: hex
};

class Link {
 public:
  explicit Link(const Waiter& waiter) : waiter_(waiter) {}

  // `from`: unspecified for any source address.
  [[nodiscard]] LinkStep connect(const net::Endpoint& to, const IpAddress& from, Instant until);
  [[nodiscard]] LinkStep secure(const net::TlsContext& context, Instant until);
  // What is there, at least a byte. A peer that never pauses is cut off at the deadline all the
  // same.
  [[nodiscard]] LinkStep read(std::span<std::uint8_t> into, Instant until);
  [[nodiscard]] LinkStep write(std::span<const std::uint8_t> bytes, Instant until);  // all of it
  // close_notify and FIN, then waits for the other side's end until the deadline.
  void finish(Instant until);
  // FIN without waiting.
  void cut();

  [[nodiscard]] IpAddress local() const { return net::local_endpoint(fd_.get()).ip; }

 private:
  [[nodiscard]] LinkStep wait(short events, Instant until) const;
  [[nodiscard]] LinkStep wait(net::IoState wanted, Instant until) const;

  const Waiter& waiter_;
  net::Fd fd_;
  std::optional<net::Stream> stream_;
};

}  // namespace timectl::probe
