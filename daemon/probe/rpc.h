#pragma once
// The public RPC of a peer (protocol 11): read methods only, no credentials, plain HTTP or TLS (its
// certificate proves nothing), 5 s in all and 4 MiB for each answer. It harms nobody and is the
// best evidence there is: whether the peer sees us, bans us, how high it is, how long it runs.
// Blocking, for a thread of its own. Everything that it says is hostile and bounded.

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/diagnose/facts.h"

namespace timectl::probe {

struct RpcRequest {
  IpAddress peer = {};
  std::uint16_t port = 24001;            // p2p port + 1 (protocol 1.1)
  std::optional<IpAddress> source = {};  // dial from here
  std::optional<IpAddress> us = {};      // our address as the network knows it: what it says of us
  std::string our_collateral = {};       // "TXID:N" where known
  Duration timeout = std::chrono::seconds(5);  // of all requests together
  std::size_t max_bytes = 4'194'304;           // of one answer
};
// `now`: the wall clock, for the peer's clock (mediantime is its now). 429 ends it, with what was
// learned until then and answer rate_limited.
[[nodiscard]] diagnose::RpcFacts ask_rpc(const RpcRequest& request, std::function<Now()> now,
                                         std::stop_token stop);

// One answer's meaning, for tests and the fuzz target: adds to `facts` what `body` (the reply to
// `method`) says. False: no JSON-RPC answer, or of another shape.
[[nodiscard]] bool read_rpc_answer(std::string_view method, std::string_view body,
                                   const RpcRequest& request, WallTime now,
                                   diagnose::RpcFacts& facts);

}  // namespace timectl::probe
