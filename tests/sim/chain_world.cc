#include "tests/sim/chain_world.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace timectl::sim {
namespace {

constexpr std::size_t kTicksAtOnce = 50;  // more is a loop

// A broken CHECK ends the process: the seed must be seen all the same.
volatile std::sig_atomic_t current_seed = 0;
void tell_seed(int) {
  char line[64];
  const int size = std::snprintf(line, sizeof line, "simulation of sync: seed %ld\n",
                                 static_cast<long>(current_seed));
  static_cast<void>(std::fwrite(line, 1, static_cast<std::size_t>(size), stderr));
}

}  // namespace

ChainNode::ChainNode(const ChainSetup& setup, std::size_t number)
    : checks(setup.policy), paused(setup.paused), coordinator_seed(setup.seed * 31 + number) {
  store.fill(setup.own_chain != nullptr ? *setup.own_chain : MadeChain::network(), setup.own);
}

std::size_t ChainNode::count(EventKind kind) const {
  return static_cast<std::size_t>(std::count_if(
      events.begin(), events.end(), [&](const Event& event) { return event.kind == kind; }));
}

ChainWorld::ChainWorld(const ChainSetup& setup)
    : setup_(setup), random_(setup.seed), wall_start_(due(setup.tip + setup.behind_clock) + 100s) {
  current_seed = static_cast<std::sig_atomic_t>(setup.seed);
  std::signal(SIGABRT, tell_seed);
  facts_.honest.emplace_back(&MadeChain::network(), setup.tip);
  facts_.top = setup.tip;
  nodes_.push_back(std::make_unique<ChainNode>(setup, 0));
  start(node());
  at(500s, [this] { grow(); });
}

Now ChainWorld::now() const {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kChainStart);
  const auto error = std::chrono::duration_cast<std::chrono::milliseconds>(setup_.clock_error);
  return {now_, wall_start_ + since + error};
}

void ChainWorld::at(Duration delay, Act act) {
  queue_.push({now_ + delay, ++order_, std::move(act)});
}

Duration ChainWorld::latency() {
  const bool slow = random_.below(50) == 0;
  return std::chrono::milliseconds(slow ? 150 + random_.below(2850) : 5 + random_.below(145));
}

void ChainWorld::tell(const std::function<std::string()>& line) const {
  static const bool asked = std::getenv("TIMECTL_CHAIN_TRACE") != nullptr;
  if (asked) std::fprintf(stderr, "%10.3f %s\n", seconds(now_ - kChainStart), line().c_str());
}

void ChainWorld::note(std::uint64_t what) {
  trace_ = (trace_ ^ what) * 0x100000001b3U;
}

ChainNode& ChainWorld::add_node(Height own) {
  ChainSetup setup = setup_;
  setup.own = own;
  setup.own_chain = nullptr;
  nodes_.push_back(std::make_unique<ChainNode>(setup, nodes_.size()));
  start(*nodes_.back());
  for (auto& peer : peers_) connect(*nodes_.back(), *peer);
  return *nodes_.back();
}

void ChainWorld::set_masternode(const ChainPeer& peer, bool is) {
  if (is) {
    masternodes_.insert(peer.ip);
  } else {
    masternodes_.erase(peer.ip);
  }
  for (auto& node : nodes_) {
    node->coordinator->on_whitelist_changed(now());
    settle(*node);
  }
}

void ChainWorld::pause(bool paused) {
  node().coordinator->pause(paused, now());
  settle(node());
}

void ChainWorld::hint() {
  node().coordinator->on_hint(now());
  settle(node());
}

void ChainWorld::set_policy(const chain::CoordinatorPolicy& policy) {
  setup_.policy = policy;
  node().coordinator->set_policy(policy, now());
  settle(node());
}

Result<ForkView> ChainWorld::accept_fork() {
  node().accepted = true;
  auto fork = node().coordinator->accept_fork(now());
  settle(node());
  return fork;
}

void ChainWorld::restart() {
  ChainNode& n = node();
  ++n.life;
  n.job = false;
  n.accepted = false;
  for (auto& [ip, link] : n.links) link.up = false;
  start(n);
  for (auto& peer : peers_) connect(n, *peer);
}

void ChainWorld::start(ChainNode& node) {
  chain::CoordinatorOptions options;
  options.policy = setup_.policy;
  options.network = kNetwork;
  options.seed = ++node.coordinator_seed;
  options.paused = node.paused;
  options.masternode = [this](const IpAddress& ip) { return is_masternode(ip); };
  options.masternodes = [this] { return masternodes_.size(); };
  node.coordinator = std::make_unique<chain::Coordinator>(options, node.store, now());
  settle(node);
}

void ChainWorld::start_job(ChainNode& node, chain::Job job) {
  if (node.job) violated(now_ - kChainStart, "two jobs at once");
  node.job = true;
  const auto work = std::chrono::milliseconds(ChainStore::work_of(job));
  at(work, [this, &node, life = node.life, job = std::move(job)] {
    if (node.life != life) return;  // it ended before the transaction did
    node.checks.on_job(job, node.store.tip(), node.accepted, now_);
    auto done = node.store.run(job);
    tell([&] {
      return "job " + std::to_string(job.index()) + ": height " + std::to_string(node.height()) +
             ", " + std::to_string(node.store.staged()) + " staged";
    });
    note(node.height());
    at(Duration(random_.below(2000)), [this, &node, life, done = std::move(done)] {
      if (node.life != life) return;
      node.job = false;
      node.coordinator->on_job_done(done, now());
      settle(node);
    });
  });
}

void ChainWorld::carry_out(ChainNode& node, const chain::ChainCommand& command) {
  note(command.index());
  if (const auto* ask = std::get_if<chain::AskBlocks>(&command)) {
    note(ask->first);
    ask_blocks(node, *ask);
  } else if (const auto* tip = std::get_if<chain::AskTip>(&command)) {
    ask_tip(node, tip->peer);
  } else if (const auto* hash = std::get_if<chain::AskHash>(&command)) {
    note(hash->height);
    ask_hash(node, hash->peer, hash->height);
  } else if (const auto* job = std::get_if<chain::StartJob>(&command)) {
    start_job(node, job->job);
  } else if (const auto* event = std::get_if<chain::RecordEvent>(&command)) {
    node.events.push_back(event->event);
    tell([&] { return log_line(event->event); });
  } else if (const auto* accuse = std::get_if<chain::Accuse>(&command)) {
    node.accused.push_back(*accuse);
    tell([&] { return "accused: " + accuse->peer.to_string() + ": " + accuse->detail; });
    node.checks.on_accuse(*accuse, node.links, now_);
  } else if (const auto* save = std::get_if<chain::SaveFork>(&command)) {
    std::erase_if(node.forks, [&](const ForkView& known) {
      return known.ancestor_height == save->fork.ancestor_height &&
             known.seen_at == save->fork.seen_at;
    });
    node.forks.push_back(save->fork);
  } else if (const auto* paused = std::get_if<chain::SavePaused>(&command)) {
    node.paused = paused->paused;
  }
}

void ChainWorld::settle(ChainNode& node) {
  with_seed([&] {
    for (const auto& command : node.coordinator->take_commands()) carry_out(node, command);
    check(node);
  });
}

void ChainWorld::with_seed(const Act& act) const {
  const std::string seed = "seed " + std::to_string(setup_.seed) + ": ";
  try {
    act();
  } catch (const Violation& violation) {
    const std::string what = violation.what();
    throw Violation(what.starts_with(seed) ? what : seed + what);
  }
}

void ChainWorld::check(ChainNode& node) {
  ++node.checks.tally.events;
  node.coordinator->check_invariants();
  node.checks.excused = node.paused || node.store.failing() || !setup_.policy.plan.enabled;
  node.checks.look(
      node.store, facts_, node.links, [this](const IpAddress& ip) { return is_masternode(ip); },
      now_);
  if (now_ - node.status_at < 1s) return;  // it is dear, and changes seldom
  node.status_at = now_;
  node.checks.look_at_belief(*node.coordinator, node.coordinator->status(now()), facts_, now_);
}

void ChainWorld::step() {
  ChainNode* next = nullptr;
  Instant when = Instant::max();
  for (auto& node : nodes_) {
    const Instant tick = node->coordinator->next_tick();
    if (tick < when) {
      when = tick;
      next = node.get();
    }
  }
  if (!queue_.empty() && queue_.top().at <= when) {
    const Entry entry = queue_.top();
    queue_.pop();
    now_ = std::max(now_, entry.at);
    entry.act();
    return;
  }
  now_ = std::max(now_, when);
  next->ticks_at_once = next->ticked == now_ ? next->ticks_at_once + 1 : 0;
  next->ticked = now_;
  if (next->ticks_at_once > kTicksAtOnce) {
    violated(now_ - kChainStart, "the coordinator wants to be called for ever");
  }
  next->coordinator->tick(now());
  settle(*next);
}

void ChainWorld::run(Duration time) {
  const Instant end = now_ + time;
  run_until([&] { return now_ >= end; }, time);
}

Duration ChainWorld::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant begin = now_;
  current_seed = static_cast<std::sig_atomic_t>(setup_.seed);
  with_seed([&] {
    while (!done() && now_ - begin < limit) step();
  });
  return now_ - begin;
}

bool ChainWorld::on(MadeChain& chain, Height height) {
  const auto tip = node().store.tip().block;
  return tip.height == height && chain.hash_at(height) == tip.hash;
}

bool ChainWorld::near(Height blocks) {
  const Height height = node().height();
  return height + blocks >= top() && height <= top() && on(MadeChain::network(), height);
}

}  // namespace timectl::sim
