#pragma once
// The inside of Coordinator, for coordinator*.cc only. coordinator.cc: what comes in, and time;
// coordinator_sources.cc: whom the plan may ask, and lag; coordinator_jobs.cc: jobs and what comes
// of them; coordinator_pins.cc: what the last block of a batch must be; coordinator_forks.cc:
// searches and branches; coordinator_switch.cc: when ours gives way; coordinator_views.cc: views.

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "daemon/chain/coordinator.h"

namespace timectl::chain {

struct Coordinator::State {
  State(CoordinatorOptions options, const ChainView& chain, Now now);

  struct Peer {
    std::optional<Height> claim = {};  // the newest height that it told
    std::optional<ForkSearch> search = {};
    std::optional<Instant> asked_at = {};  // the search's question that is open
    std::optional<ForkResult> found = {};  // of the last search that ended
    std::optional<Instant> searched_at = {};
    std::optional<Instant> searches_since = {};  // counted within CoordinatorPolicy::search_again
    std::size_t searches = 0;
    std::optional<Instant> silent_since = {};  // the first question about a hash that it left open
    std::size_t owed = 0;    // answers that we no longer wait for, and that may still come
    bool suspected = false;  // its block did not fit on ours: a search is due
    std::optional<Instant> accused_at = {};  // of blocks nobody asked for
  };
  struct Held {
    IpAddress peer;
    std::shared_ptr<const BlockBatch> batch;
  };
  // What masternodes say the block at one height is: the last one of a batch, which pins all of it.
  struct Pin {
    Instant asked_at = {};
    std::map<IpAddress, std::optional<wire::Hash32>> words = {};  // none: not answered yet
    std::optional<IpAddress> server = {};  // asked for its word and its blocks in one moment
  };
  struct PinWord {
    bool ready = false;  // to be verified
    std::optional<wire::Hash32> hash = {};
  };
  // The branch that is fetched to replace ours above `ancestor`.
  struct Building {
    Height ancestor = 0;
    wire::Hash32 first_hash{};
    bool consented = false;            // by the operator
    ChainTip tip;                      // the last staged; the ancestor before there is one
    std::vector<wire::Hash32> hashes;  // of the staged blocks, from ancestor + 1
    Instant progress_at = {};
  };
  struct Lag {
    int level = 0;  // 0 none, 1 notice, 2 warning
    int candidate = 0;
    Instant since = {};  // of the candidate
  };
  struct Verifying {
    IpAddress peer;
    Height first = 0;
    Height last = 0;
    bool staged = false;
    bool stale = false;  // the plan began anew meanwhile: only what was stored counts
    std::vector<Tip> known = {};
    bool whole = false;   // VerifyJob::whole
    bool pinned = false;  // by two masternodes' word at least
  };

  // Facts.
  [[nodiscard]] Height expected() const;
  [[nodiscard]] std::optional<wire::Hash32> best_hash(Height height) const;
  [[nodiscard]] ChainFacts best_facts() const;      // of the best chain
  [[nodiscard]] ChainFacts building_facts() const;  // of the branch that is being built
  [[nodiscard]] bool masternode(const IpAddress& ip) const { return options.masternode(ip); }
  [[nodiscard]] Peer* find(const IpAddress& ip);

  void say(EventKind kind, Severity severity, std::string detail,
           const std::optional<IpAddress>& peer = {});
  void soon();   // weigh the news of peers together, in a moment
  void drain();  // the plan's commands
  void news(const SyncChanged& changed);
  void dropped(const DropSource& drop);

  // coordinator_sources.cc
  void evaluate();
  void offer_sources();
  [[nodiscard]] std::optional<Height> claim_of(const IpAddress& ip, Height claim,
                                               const std::vector<Height>& stand,
                                               const Belief& backed) const;
  struct Place {
    bool other_branch = false;  // what is believed is not on our chain, nor above it
    std::optional<Height> parted_at = {};
  };
  [[nodiscard]] Place place() const;
  [[nodiscard]] Standing standing();
  void watch_lag();
  [[nodiscard]] int lag_level(const Standing& standing, std::string& why) const;
  [[nodiscard]] bool alone_is_enough() const;
  [[nodiscard]] std::optional<Duration> tip_age() const;

  // coordinator_jobs.cc
  void start_jobs();
  void start_verify();
  void done(const VerifyDone& verified);
  void done(const ReorganiseDone& switched);
  void done(const DropStagedDone&) {}
  void done(const PruneDone& pruned);
  void doubt_signatures(const Verifying& was, std::size_t count);
  void failed(const Error& error);
  void begin_anew(const Error& error);
  void refused(const Verifying& verifying, const VerifyDone::Refused& refusal);
  void restart_plan(Height height);  // the plan begins anew there, asking nobody yet

  // coordinator_pins.cc
  void pin(Height last, const std::optional<IpAddress>& server);
  void widen_pin(Height last);
  void ask_words(Height last);
  void unpin(const IpAddress& ip);
  [[nodiscard]] bool on_pin(const IpAddress& ip, Height height,
                            const std::optional<wire::Hash32>& hash);
  [[nodiscard]] PinWord word_on(Height last) const;
  [[nodiscard]] std::optional<Instant> pin_due() const;  // when word_on() changes by itself
  void expire_pin();
  [[nodiscard]] bool silence_in(const Pin& pin) const;
  [[nodiscard]] std::string disagreement() const;

  // coordinator_forks.cc
  void look_for_forks();
  [[nodiscard]] std::optional<Height> lowest_parting() const;  // of masternodes' chains from ours
  [[nodiscard]] Peer returning(const IpAddress& ip);
  bool leaving(const IpAddress& ip);  // false: it was not there
  void begin_search(const IpAddress& ip, Peer& peer);
  void ask_on(const IpAddress& ip, Peer& peer);
  void search_ended(const IpAddress& ip, Peer& peer);
  void expire_questions();
  [[nodiscard]] ForkReport report() const;
  [[nodiscard]] bool being_counted();
  void note_fork(const ForkReport& report);
  void say_fork(const Branch& other);
  void no_fork();
  void show_fork(const ForkReport& report);
  void resolve_fork(const std::string& how);
  // coordinator_switch.cc
  // The block of another branch that enough masternodes vouch for; nothing known: ours stays.
  [[nodiscard]] Belief wanted_branch() const;
  void consider_switch(const ForkReport& report);
  void begin_branch(const Branch& branch, bool consented);
  enum class Afterwards { leave_it, begin_again };
  void abandon_branch(const std::string& why, Afterwards then = Afterwards::leave_it);
  void finish_branch();  // where it has reached what is believed

  CoordinatorOptions options;
  const ChainView& chain;
  Now now;
  HeightTruth truth;
  SyncPlan plan;
  ChainTip tip;  // of the best chain, as of the last job
  std::map<IpAddress, Peer> peers;
  std::map<IpAddress, Peer> departed;  // a short while: how often they were searched
  std::vector<ChainCommand> commands;
  std::map<Height, Held> held;  // by first height
  std::shared_ptr<const ProducerKeys> keys = std::make_shared<const ProducerKeys>();
  mutable std::map<Height, wire::Hash32> hashes;  // of the best chain, looked up before

  Belief belief;  // at the last evaluation
  // Up to here our chain rests on two masternodes' word at least, or was there when we began.
  Height anchor = 0;
  std::size_t masternodes_seen = 0;  // connected, at the last evaluation
  Instant company_changed = {};      // when that number changed
  std::optional<Instant> evaluate_at = {};
  std::optional<Instant> hint_poll_at = {};
  Instant hint_polled_at = {};
  Lag lag;

  std::deque<Job> upkeep;      // jobs that are due besides verification
  std::optional<Job> running;  // as it was started, so that it can be tried again
  bool retry = false;          // it failed and waits for retry_at
  std::optional<Instant> retry_at = {};
  std::optional<Error> store_failure = {};
  std::map<Height, Pin> pins;          // above our chain, or the branch that is built
  std::optional<VerifyBlocks> wanted;  // by the plan, not started yet
  std::optional<Verifying> verifying;  // started
  Height pruned_at = 0;                // our height at the last PruneJob
  bool prune_due = false;
  bool pruned_last = false;  // in turn with verification: neither waits for all of the other

  std::optional<Building> building;
  Belief goal = {};  // what the branch must lead to, where another than ours is wanted
  std::optional<ForkView> fork = {};  // the open one
  std::optional<Instant> fork_counted_since = {};
  bool fork_said = false;  // and stored: by an event, or before a restart
  std::optional<Instant> fork_clean_since = {};
  std::optional<Instant> fork_saved_at = {};
  std::optional<wire::Hash32> consent = {};  // the branch that the operator accepted
  std::map<wire::Hash32, Instant> given_up;  // branches that did not hold, by first hash
  std::optional<std::pair<wire::Hash32, Instant>> last_fork = {};  // resolved: against repetition

  // The speed, and the news of the plan.
  std::deque<std::pair<Instant, Height>> pace;
  std::optional<Instant> sync_ended_at = {};
  std::optional<std::pair<Instant, Height>> sync_began = {};
  bool sync_quiet = false;  // began again right after an end: not said
  bool stalled = false;
  std::optional<Instant> signatures_said = {};
};

// "1,234 blocks"; "1 block".
[[nodiscard]] std::string blocks_text(Height count);

}  // namespace timectl::chain
