#pragma once
// What the sessions tell the chain, and ask it. Network hands one to every session; the daemon's
// chain (daemon/daemon_chain.h) stands behind it. Peers are named by address: there is one ready
// session of each. All calls are on the network thread; what they lead to is sent by
// Network::send().

#include <optional>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/wire/outgoing.h"

namespace timectl::net {

class ChainPort {
 public:
  virtual ~ChainPort() = default;

  // A session is ready, or the address has none any more.
  virtual void on_ready(const IpAddress& peer, Now now) = 0;
  virtual void on_gone(const IpAddress& peer, Now now) = 0;
  // Every message of a ready session but the requests that answer() takes; `payload` is the frame
  // that it was decoded from, and both are gone when the call returns.
  virtual void on_message(const IpAddress& peer, const wire::Message& message, wire::Bytes payload,
                          Now now) = 0;

  // To a request about our chain; none: silence. Asked only for those requests of protocol 7.2
  // that depend on the chain: GetBlockHash, GetBlocks, GetBlockRange, GetChainTip, GetBlockHeight,
  // BlockRequest. Blocks: one, or so many as one may have bytes (wire::max_block_size).
  [[nodiscard]] virtual std::optional<wire::OutgoingMessage> answer(const IpAddress& peer,
                                                                    const wire::Message& request,
                                                                    Now now) = 0;
  // For our pings and pongs; none before there is a verified chain.
  [[nodiscard]] virtual std::optional<std::uint64_t> own_height(Now now) const = 0;
};

}  // namespace timectl::net
