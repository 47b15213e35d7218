#pragma once
// One real node core with its real Network on a loopback address, with policy numbers scaled down
// to milliseconds, and all that it recorded. The tests of this folder run it against scripted
// peers.

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/node.h"
#include "daemon/net/network.h"
#include "tests/support/scripted_peer.h"

namespace timectl::net {

// Each test binary's node lives here; peers on .3 and up.
inline constexpr IpAddress node_ip = IpAddress::v4(127, 0, 0, 2);
inline constexpr IpAddress peer_ip = IpAddress::v4(127, 0, 0, 3);

// Waits of the transport in tens of milliseconds, no second dial within a test.
[[nodiscard]] Policy fast_policy();
[[nodiscard]] Now real_now();
[[nodiscard]] test::Script script(std::string_view words);

class World {
 public:
  explicit World(Policy policy = fast_policy());
  ~World();

  // Starts the node; `dials` are whitelisted first, so that it dials them at once.
  void start(std::uint16_t port, const std::vector<IpAddress>& dials);
  [[nodiscard]] bool until(const std::function<bool()>& done) { return test::run_until(io, done); }
  [[nodiscard]] bool connected(const IpAddress& ip = peer_ip) { return node->connected(ip); }
  // Runs until this peer's attempt or session has ended, and gives its event.
  [[nodiscard]] std::optional<Event> ending(const IpAddress& ip = peer_ip);
  [[nodiscard]] std::optional<Event> find(EventKind kind, const IpAddress& ip) const;
  [[nodiscard]] Now now() const;  // the node's
  [[nodiscard]] bool stop();      // orderly; false where it did not end in time

  boost::asio::io_context io{1};
  Whitelist whitelist{100};
  Policy policy;
  Duration ahead{};  // of the node's clock, before the real one
  IpAddress listen = node_ip;
  ChainPort* chain = nullptr;                                  // before start()
  std::size_t served_blocks = NetworkOptions{}.served_blocks;  // before start()
  std::vector<Event> events;
  std::vector<SessionRecord> sessions;
  std::vector<std::string> troubles;
  std::unique_ptr<Node> node;
  std::unique_ptr<Network> network;
};

}  // namespace timectl::net
