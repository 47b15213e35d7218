#pragma once
// The scene of a diagnosis on loopback: scripted peers, the public RPC of each beside it (its port
// is the P2P port and 1), and what they saw of us. A peer that was not put there is a host on which
// nothing listens.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/chain_support.h"
#include "tests/e2e/scenario_rows.h"
#include "tests/support/fake_rpc.h"

namespace timectl::e2e {

class Stage {
 public:
  // `net`: "127.131.1.", of this test alone. The node is .2 and not started.
  explicit Stage(const std::string& net, const std::string& config = "");

  [[nodiscard]] std::string ip(int number) const { return net_ + std::to_string(number); }
  // The clocks of the node and of the peers from now on expect this height, and their chain has it.
  void live_at(std::size_t height);
  // A peer with that chain, whose clock is so many seconds ahead.
  void put(const std::string& ip, const std::string& words = "", std::int64_t ahead = 0);
  // The time of this stage.
  [[nodiscard]] std::int64_t now() const;
  // The RPC of an address; made at the first call, healthy, at the expected height.
  testing::FakeRpc& rpc(const std::string& ip);
  // Looks over what the peer is told from now on: each Handshake has the network's magic.
  void watch(const std::string& ip);

  // What the peer saw: connections so far, and of the last one.
  [[nodiscard]] std::size_t connections(const std::string& ip);
  [[nodiscard]] test::ScriptedPeer::Seen last(const std::string& ip);
  // Nobody is connected with it any more; waits for it.
  [[nodiscard]] bool left_alone(const std::string& ip);
  [[nodiscard]] std::size_t foreign_magics() const { return *foreign_; }

  Sandbox sandbox;
  ScriptedPeers peers;
  NodeProcess node;

 private:
  std::string net_;
  std::int64_t shift_ = 0;
  Chain chain_ = nullptr;
  std::map<std::string, std::unique_ptr<testing::FakeRpc>> rpcs_;
  std::shared_ptr<std::atomic<std::size_t>> foreign_;
};

// What the clock of this machine is to be shifted by for this height to be the expected one for
// nine minutes; and the words under which a process has such a clock.
[[nodiscard]] std::int64_t clock_shift(std::size_t expected_height);
[[nodiscard]] std::vector<std::string> under_shifted_clock(std::int64_t seconds);

// A whitelist of these, and nothing else that would dial.
[[nodiscard]] std::string masternodes(const std::vector<std::string>& ips);

// One command under strace: what it did with sockets, a line each. Empty where there is no strace.
[[nodiscard]] std::string socket_calls(const NodeProcess& node, std::vector<std::string> arguments);

}  // namespace timectl::e2e
