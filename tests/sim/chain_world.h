#pragma once
// ChainWorld: nodes of ours (a chain::Coordinator each, on a stored chain in memory) among
// simulated peers, on a virtual clock. Nothing is real but the blocks and their verification: no
// sockets, no threads, no waiting. The same seed gives the same run. Every command is carried out
// and checked, and after every event what sync promises is looked at (chain_checks.h); a broken
// promise is a Violation with the seed in it; TIMECTL_CHAIN_TRACE=1 shows the run.
//
// Messages take 5 to 150 ms, one in fifty up to 3 s, and keep their order on a connection. A job
// takes a millisecond a block; its effect is visible before the coordinator hears of it, as with
// the real worker.

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "daemon/chain/coordinator.h"
#include "tests/sim/chain_checks.h"
#include "tests/sim/chain_peers.h"
#include "tests/sim/chain_store.h"
#include "tests/sim/checks.h"

namespace timectl::sim {

inline constexpr Instant kChainStart{1000h};

// How many seeds a scenario tries: fewer where each access to memory is checked.
constexpr std::uint64_t seeds(std::uint64_t count) {
#ifdef TIMECTL_SANITIZED
  return (count + 4) / 5;
#else
  return count;
#endif
}

struct ChainSetup {
  std::uint64_t seed = 1;
  Height own = 0;                  // of our stored chain
  Height tip = 0;                  // the network's
  Height behind_clock = 0;         // of the network
  bool growing = true;             // a block each 600 s
  MadeChain* own_chain = nullptr;  // none: the network's
  chain::CoordinatorPolicy policy = {};
  bool paused = false;
  Duration clock_error = {};  // our clock is so much fast; negative: slow
};

// A node of ours.
struct ChainNode {
  ChainNode(const ChainSetup& setup, std::size_t number);

  ChainStore store;
  std::unique_ptr<chain::Coordinator> coordinator;
  ChainChecks checks;
  std::map<IpAddress, Link> links;
  std::uint64_t life = 1;  // what was under way before a restart is lost
  bool job = false;
  bool accepted = false;  // the operator's word was given
  bool paused = false;
  std::uint64_t coordinator_seed;
  Instant ticked = {};
  std::size_t ticks_at_once = 0;
  Instant status_at = {};
  std::vector<Event> events;
  std::vector<chain::Accuse> accused;
  std::vector<ForkView> forks;  // as saved, the newest state of each
  std::map<IpAddress, std::size_t> hash_questions;
  std::map<IpAddress, std::size_t> block_questions;

  [[nodiscard]] Height height() const { return store.tip().block.height; }
  [[nodiscard]] std::size_t count(EventKind kind) const;
};

class ChainWorld {
 public:
  explicit ChainWorld(const ChainSetup& setup);

  // Peers; they connect to every node within a second.
  ChainPeer& add(Manner manner, bool masternode = true, MadeChain* chain = nullptr);
  void add(std::size_t count, Manner manner, bool masternode = true, MadeChain* chain = nullptr);
  // Another node of ours, and whether the first one has it as a (regular) peer.
  ChainNode& add_node(Height own);
  void mirror(std::size_t node);

  // A chain beside the network's that honest peers may follow; from its ancestor to `height`.
  MadeChain& split(Height ancestor, Height height, std::uint64_t seed = 7);
  void join(MadeChain& chain);  // nobody makes that branch any longer
  // The peer goes over to that chain (a reorganisation of its own).
  void follow(ChainPeer& peer, MadeChain& chain);

  void connect(ChainPeer& peer);
  void leave(ChainPeer& peer);
  void set_masternode(const ChainPeer& peer, bool is);
  void pause(bool paused);
  void hint();     // a proposal was seen
  void restart();  // the first node: a new coordinator on the same stored chain
  [[nodiscard]] Result<ForkView> accept_fork();
  void set_policy(const chain::CoordinatorPolicy& policy);

  void run(Duration time);
  // How long it took; the limit where it did not come true.
  Duration run_until(const std::function<bool()>& done, Duration limit);

  [[nodiscard]] ChainNode& node(std::size_t i = 0) { return *nodes_.at(i); }
  [[nodiscard]] std::vector<std::unique_ptr<ChainPeer>>& peers() { return peers_; }
  [[nodiscard]] SyncStatusView status() { return node().coordinator->status(now()); }
  [[nodiscard]] Height top() const { return facts_.honest.front().second; }  // the network's
  [[nodiscard]] bool in_sync() { return on(MadeChain::network(), top()); }
  // Whether the node's tip is the block of that chain at that height.
  [[nodiscard]] bool on(MadeChain& chain, Height height);
  // The node's tip is a block of the network's, at most so many below its tip.
  [[nodiscard]] bool near(Height blocks);
  [[nodiscard]] Now now() const;
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] bool is_masternode(const IpAddress& ip) const { return masternodes_.contains(ip); }
  [[nodiscard]] Random& random() { return random_; }
  void stop_growing() { setup_.growing = false; }

 private:
  using Act = std::function<void()>;
  struct Entry {
    Instant at;
    std::uint64_t order;
    Act act;
    bool operator<(const Entry& other) const {
      return std::pair(at, order) > std::pair(other.at, other.order);
    }
  };

  void at(Duration delay, Act act);
  [[nodiscard]] Duration latency();
  void step();
  void start(ChainNode& node);
  void settle(ChainNode& node);
  void carry_out(ChainNode& node, const chain::ChainCommand& command);
  void ask_blocks(ChainNode& node, const chain::AskBlocks& ask);
  void ask_tip(ChainNode& node, const IpAddress& ip);
  void ask_hash(ChainNode& node, const IpAddress& ip, Height height);
  void start_job(ChainNode& node, chain::Job job);
  // `act` when a message sent now on this connection arrives, if the connection still stands.
  void send(ChainNode& node, const IpAddress& ip, Duration more, Act act);
  void deliver(ChainNode& node, const IpAddress& ip, const Served& served);
  void connect(ChainNode& node, ChainPeer& peer);
  void leave(ChainNode& node, ChainPeer& peer);
  void ping(ChainNode& node, ChainPeer& peer, std::uint64_t connection);
  void wander(ChainNode& node, ChainPeer& peer);
  void grow();
  void check(ChainNode& node);
  void with_seed(const Act& act) const;  // into the message of what it throws
  void note(std::uint64_t what);
  // With TIMECTL_CHAIN_TRACE set: to stderr, with the time.
  void tell(const std::function<std::string()>& line) const;

  ChainSetup setup_;
  Random random_;
  Instant now_ = kChainStart;
  WallTime wall_start_;
  std::uint64_t order_ = 0;
  std::uint64_t connections_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325U;
  std::priority_queue<Entry> queue_;
  std::vector<std::unique_ptr<ChainPeer>> peers_;
  std::map<IpAddress, ChainPeer*> by_ip_;
  std::set<IpAddress> masternodes_;
  std::vector<std::unique_ptr<ChainNode>> nodes_;
  NetworkFacts facts_;
};

}  // namespace timectl::sim
