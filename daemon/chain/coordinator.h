#pragma once
// Coordinator: sync as a whole (requirements Y1 to Y3). It puts together whose height to believe
// (height_truth.h), what to fetch from whom (sync_plan.h), where a peer's chain parts from ours
// (fork_search.h) and the stored chain, and decides when our chain gives way to another branch.
// The daemon reports what peers said as on_...() with the time, executes take_commands(), and does
// the jobs; a simulation does the same on a virtual clock. Pure but for reads of the ChainView. All
// calls come from one thread.
//
// Promises:
// - a block reaches the best chain only when it was verified on top of it, and where two
// masternodes
//   have the last block of its batch, only when it is what most of them say. Above what two
//   masternodes agree on, blocks are fetched only where fewer than `witnesses` masternodes stand
//   lower, and from regular peers no further than a reorganisation can take back;
// - the best chain gives way only to a branch that enough masternodes vouch for, and more than
// stand
//   by ours, by at most `max_reorganisation` blocks of ours, or by the operator's word; in one
//   step, and what was replaced is kept;
// - memory is bounded: SyncPlan's buffer, a row a peer, a few words about each batch, the hashes of
//   one branch being built.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "daemon/chain/chain_view.h"
#include "daemon/chain/fork_search.h"
#include "daemon/chain/height_truth.h"
#include "daemon/chain/jobs.h"
#include "daemon/chain/sync_plan.h"
#include "daemon/core/events.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/violation.h"

namespace timectl::chain {

struct LagPolicy {
  Height notice = 50;        // sync.alert_blocks (A1)
  Height warning = 100;      // alerts.lag_warning_blocks
  Duration tip_age = 60min;  // alerts.tip_age_warning
  Duration hold = 30s;       // so long on one side of a limit before it is said
};
BOOST_DESCRIBE_STRUCT(LagPolicy, (), (notice, warning, tip_age, hold))

struct CoordinatorPolicy {
  TruthPolicy truth;
  PlanPolicy plan;
  ForkPolicy fork;
  LagPolicy lag;
  std::optional<std::uint64_t> keep_bodies = {};  // chain.keep_bodies; none: all
  Duration question_timeout = 10s;                // of a GetBlockHash
  Duration company = 2min;                        // no masternode has come or gone for so long:
                                                  // one alone may lead beyond a reorganisation,
                                                  // which it also may where all are here
  Duration patience = 90s;                        // then who keeps silent on hashes is left out
  Duration settle = 200ms;                        // news of peers are weighed together
  Duration search_again = 5min;                   // for the same peer, when its tip has moved
  std::size_t searches_at_once = 8;
  Duration store_retry = 30s;
};

// Commands, for the network.
struct AskBlocks {  // GetBlocks, both ends inclusive; the answer goes to on_blocks
  IpAddress peer;
  Height first = 0;
  Height last = 0;
};
struct AskTip {  // GetChainTip
  IpAddress peer;
};
struct AskHash {  // GetBlockHash
  IpAddress peer;
  Height height = 0;
};
struct StartJob {  // exactly one is under way at a time
  Job job;
};
struct RecordEvent {
  Event event;
};
struct Accuse {  // what a peer did, for its score
  IpAddress peer;
  ViolationKind kind;
  std::string detail;
};
struct SaveFork {  // for the history: opened, changed or resolved
  ForkView fork;
};
struct SavePaused {
  bool paused = false;
};
using ChainCommand =
    std::variant<AskBlocks, AskTip, AskHash, StartJob, RecordEvent, Accuse, SaveFork, SavePaused>;

struct CoordinatorOptions {
  CoordinatorPolicy policy = {};
  wire::Network network = wire::Network::mainnet;
  std::uint64_t seed = 0;
  bool paused = false;                     // as it was saved
  std::optional<ForkView> open_fork = {};  // the same: it is open until it is seen to be resolved
  // Asked at each decision: the whitelist's. `masternodes`: how many it has, without ourselves.
  std::function<bool(const IpAddress&)> masternode;
  std::function<std::size_t()> masternodes = {};
  std::function<bool(const IpAddress&)> poorly = {};  // SyncPlan::set_poorly
};

class Coordinator {
 public:
  // `chain` outlives it.
  Coordinator(CoordinatorOptions options, const ChainView& chain, Now now);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // What peers do and say. Everything of a peer that is not connected is ignored.
  void on_connected(const IpAddress& ip, Now now);
  void on_left(const IpAddress& ip, Now now);
  void on_height(const IpAddress& ip, ClaimSource source, Height height, Now now);
  void on_tip(const IpAddress& ip, const Tip& tip, Now now);
  void on_hash(const IpAddress& ip, Height height, const std::optional<wire::Hash32>& hash,
               Now now);
  void on_blocks(const IpAddress& ip, BlockBatch batch, Now now);
  // Whether on_blocks() would look at the payload.
  [[nodiscard]] bool awaits_blocks(const IpAddress& ip) const;
  void on_unasked(const IpAddress& ip, std::size_t blocks, Now now);  // in another message
  void on_hint(Now now);  // a block is being made: look sooner
  void on_keys(std::span<const std::pair<std::string, wire::Hash32>> keys);  // leader, key

  void on_job_done(JobDone done, Now now);
  // What changed by the operator's hand.
  void set_policy(const CoordinatorPolicy& policy, Now now);
  void on_whitelist_changed(Now now);
  void pause(bool paused, Now now);
  // The believed branch of the open fork may take the place of ours although that needs the
  // operator's word; it is fetched first (after a pause). not_found: no fork waits for a word.
  [[nodiscard]] Result<ForkView> accept_fork(Now now);

  void tick(Now now);
  [[nodiscard]] Instant next_tick() const;
  [[nodiscard]] std::vector<ChainCommand> take_commands();

  // What we say of ourselves: our verified tip (protocol 7.31); none before there is a block above
  // genesis.
  [[nodiscard]] std::optional<Tip> tip_to_tell(Now now) const;

  // Views.
  [[nodiscard]] SyncStatusView status(Now now);
  [[nodiscard]] std::vector<SyncPeerView> peers(Now now);
  [[nodiscard]] std::vector<ForkView> open_forks(Now now) const;

  void check_invariants() const;  // CHECKs; for tests and simulations

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace timectl::chain
