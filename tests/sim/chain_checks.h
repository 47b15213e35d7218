#pragma once
// ChainChecks: what sync promises, as the outside of one node sees it: of every command, and of the
// stored chain and the belief after every event. Each throws a Violation that says what and when.

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "daemon/chain/coordinator.h"
#include "tests/sim/chain_peers.h"
#include "tests/sim/chain_store.h"

namespace timectl::sim {

// One connection of a peer to one node, as the node knows it.
struct Link {
  const ChainPeer* peer = nullptr;
  bool up = false;
  std::uint64_t number = 0;  // of the connection; what was sent on another one is lost
  Instant since = {};
  bool told = false;                         // it has said its tip on this connection
  Instant arrives = {};                      // nothing overtakes what was sent before
  std::optional<chain::AskBlocks> out = {};  // the request under way
  Instant out_at = {};
  std::uint64_t out_number = 0;
  std::deque<Instant> block_asks = {};  // of the last 10 s
  std::deque<Instant> hash_asks = {};
};

// What a run counted.
struct ChainTally {
  std::uint64_t events = 0;
  std::uint64_t asked_blocks = 0;  // requests
  std::uint64_t blocks_wanted = 0;
  std::uint64_t asked_tips = 0;
  std::uint64_t asked_hashes = 0;
  std::uint64_t jobs = 0;
  std::uint64_t reorganisations = 0;
  Height deepest = 0;     // blocks of ours replaced at once
  Duration foreign = {};  // the longest that a made up block stood on the best chain
  std::uint64_t accused = 0;
  void add(const ChainTally& other);
};

// What the checks need to know of the network.
struct NetworkFacts {
  std::vector<std::pair<MadeChain*, Height>> honest;  // chains and their heights
  Height top = 0;                                     // the highest of them
};

class ChainChecks {
 public:
  explicit ChainChecks(const chain::CoordinatorPolicy& policy) : policy_(policy) {}

  void on_ask_blocks(const chain::AskBlocks& ask, std::map<IpAddress, Link>& links, Instant now);
  void on_ask(const IpAddress& peer, std::map<IpAddress, Link>& links, bool hash, Instant now);
  void on_accuse(const chain::Accuse& accuse, const std::map<IpAddress, Link>& links, Instant now);
  void on_job(const chain::Job& job, const chain::ChainTip& tip, bool accepted, Instant now);
  // After each event.
  void look(const ChainStore& store, const NetworkFacts& network,
            const std::map<IpAddress, Link>& links,
            const std::function<bool(const IpAddress&)>& masternode, Instant now);
  void look_at_belief(const chain::Coordinator& coordinator, const SyncStatusView& status,
                      const NetworkFacts& network, Instant now) const;
  // At least 3 truthful masternodes, and more than half; fewer of one mind against them than it
  // takes to believe. Since when.
  [[nodiscard]] bool honest_majority(Instant now, Duration for_at_least) const {
    return majority_since_ && now - *majority_since_ >= for_at_least;
  }
  // How many blocks at the end of the best chain no honest peer has.
  [[nodiscard]] Height foreign() const { return foreign_; }

  ChainTally tally;
  // How long a made up block may stand while an honest majority contradicts it.
  Duration foreign_limit = 2min;
  bool excused = false;       // paused, or its disk fails: it may stand where it stands
  bool deep_allowed = false;  // a scenario that begins on a branch too long to leave

 private:
  [[nodiscard]] Height foreign_of(const ChainStore& store, const NetworkFacts& network) const;

  chain::CoordinatorPolicy policy_;
  std::optional<Instant> majority_since_;
  std::optional<Instant> foreign_since_;
  Height foreign_ = 0;
  Height second_ = 0;    // the height that two truthful masternodes have
  Height third_ = 0;     // and three: what it takes to be believed, and to go over to
  bool served_ = false;  // somebody honest is there to fetch from
  std::optional<chain::Tip> looked_at_;
};

// So long after its request an answer is nobody's any more (PlanPolicy::answer_timeout).
void expire(Link& link, Duration timeout, Instant now);

}  // namespace timectl::sim
