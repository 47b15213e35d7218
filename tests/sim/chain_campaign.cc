#include "tests/sim/chain_campaign.h"

#include <algorithm>

#include "daemon/core/reflect.h"

namespace timectl::sim {
namespace {

constexpr Height kTip = 11'000;
// Where made up chains leave the network's, below its tip: few, so that all seeds share them.
constexpr Height kDepths[] = {1, 2, 10, 50, 99, 100, 101, 500, 2000, 10'000};
// With a majority of the honest the node is where they are after so long: a source that was left
// is asked again after ten minutes (PlanPolicy::wrong_drop), twice that the second time.
constexpr Duration kEnough = 30min;

class Campaign {
 public:
  Campaign(std::uint64_t seed, Duration length)
      : random_(seed * 7919 + 13), length_(length), world_(setup(seed)) {}

  ChainOutcome run() {
    ChainOutcome outcome;
    try {
      populate();
      outcome.network = text_;
      live();
      judge(outcome);
      world_.node().store.audit();
    } catch (const std::exception& broken) {
      outcome.failure = broken.what();
    }
    outcome.network = text_;
    outcome.tally = world_.node().checks.tally;
    return outcome;
  }

 private:
  [[nodiscard]] bool chance(std::size_t one_in) { return random_.below(one_in) == 0; }

  ChainSetup setup(std::uint64_t seed) {
    ChainSetup setup;
    setup.seed = seed;
    setup.tip = kTip;
    setup.own = kTip - (chance(3) ? 0 : random_.below(chance(2) ? 20 : 900));
    setup.behind_clock = chance(4) ? random_.below(30) : 0;
    setup.growing = !chance(8);
    if (chance(4)) {
      const Height depth = 1 + random_.below(100);
      setup.own_chain = &MadeChain::network().branch(setup.own - depth, 100 + seed % 4);
    }
    setup.paused = chance(10);
    if (chance(4)) setup.policy.keep_bodies = 500;
    own_ = setup.own;
    policy_ = setup.policy;
    text_ = "own " + std::to_string(setup.own) +
            (setup.own_chain != nullptr ? " on a branch" : "") + ", tip " + std::to_string(kTip) +
            ", clock +" + std::to_string(setup.behind_clock) + (setup.paused ? ", paused" : "") +
            ":";
    return setup;
  }

  void add(Manner manner, bool masternode) {
    MadeChain& network = MadeChain::network();
    ChainPeer& peer = world_.add(manner, masternode);
    const Height depth = kDepths[random_.below(std::size(kDepths))];
    const std::uint64_t name = 50 + random_.below(3);  // so that some are of one mind
    switch (manner) {
      case Manner::fabricating:
        peer.chain = &network.branch(kTip - depth, name);
        peer.height = kTip + 1 - std::min<Height>(random_.below(12), depth - 1);
        peer.follows = chance(2);
        break;
      case Manner::two_tips:
        peer.other = &network.branch(kTip - depth, name);
        break;
      case Manner::lying:
        peer.other = &network.branch(own_, name);
        break;
      case Manner::implausible:
        peer.claim = chance(3) ? ~Height{0} : chance(2) ? Height{1} << 63U : kTip + 500;
        break;
      case Manner::lagging:
        peer.lag = 1 + random_.below(chance(2) ? 5 : 2000);
        break;
      default:
        break;
    }
    text_ += " " + std::string(name_of(manner)) + (masternode ? "" : "(regular)");
  }

  void populate() {
    // Sometimes strangers are there first.
    if (chance(6)) {
      for (int i = 0; i < 3; ++i) add(static_cast<Manner>(random_.below(kManners)), false);
      world_.run(1min);
    }
    const std::size_t honest = chance(5) ? random_.below(3) : 3 + random_.below(6);
    for (std::size_t i = 0; i < honest; ++i) add(Manner::honest, true);
    const std::size_t others = 2 + random_.below(chance(3) ? 32 : 8);
    const bool mild = chance(2);  // fewer wrong masternodes than honest ones
    for (std::size_t i = 0; i < others; ++i) {
      const auto manner = static_cast<Manner>(random_.below(kManners));
      const bool masternode = mild ? i < honest / 2 : !chance(3);
      add(manner, masternode);
    }
  }

  void live() {
    const Instant end = world_.now().mono + length_;
    while (world_.now().mono < end) {
      world_.run(std::chrono::seconds(30 + random_.below(900)));
      act();
    }
    if (halved_ != nullptr) heal();
    world_.pause(false);
    switch_sync(true);
  }

  void act() {
    ChainPeer& peer = *world_.peers()[random_.below(world_.peers().size())];
    switch (random_.below(11)) {
      case 0:
        world_.leave(peer);
        break;
      case 1:
        for (auto& one : world_.peers()) world_.leave(*one);
        world_.run(std::chrono::seconds(random_.below(300)));
        break;
      case 2:
        world_.restart();
        break;
      case 3:
        world_.pause(chance(2));
        break;
      case 4:
        world_.node().store.fail_next(1 + random_.below(3));
        break;
      case 5:
      case 6:
        if (halved_ == nullptr) {
          halve();
        } else {
          heal();
        }
        break;
      case 7:
        world_.set_masternode(peer, peer.ip.bytes()[13] == 1 && chance(2));
        break;
      case 8:
        for (int i = 0; i < 20; ++i) world_.hint();
        break;
      case 9:
        switch_sync(chance(2));
        break;
      default:
        break;
    }
    if (chance(2)) {
      for (auto& one : world_.peers()) world_.connect(*one);
    }
  }

  void switch_sync(bool on) {
    policy_.plan.enabled = on;
    world_.set_policy(policy_);
  }

  // Some of the honest go their own way for a while, never most of them.
  void halve() {
    std::size_t honest = 0;
    for (auto& one : world_.peers()) honest += one->manner == Manner::honest ? 1U : 0U;
    halved_ = &world_.split(world_.top(), world_.top(), 200 + random_.below(3));
    for (auto& one : world_.peers()) {
      if (one->manner != Manner::honest || gone_.size() * 2 + 2 >= honest) continue;
      gone_.push_back(one.get());
      world_.follow(*one, *halved_);
    }
  }

  void heal() {
    for (ChainPeer* one : gone_) world_.follow(*one, MadeChain::network());
    gone_.clear();
    world_.join(*halved_);
    halved_ = nullptr;
  }

  // Everybody is there; who has the majority decides whether the node must be where they are.
  void judge(ChainOutcome& outcome) {
    for (auto& one : world_.peers()) {
      if (one->ip.bytes()[13] == 1 && !world_.is_masternode(one->ip)) {
        world_.set_masternode(*one, true);
      }
      world_.connect(*one);
    }
    world_.run(2min);
    const auto good = [&] { return world_.status().lag_blocks.value_or(9) <= 2 && world_.near(1); };
    const Instant from = world_.now().mono;
    world_.run_until(
        [&] { return good() || !world_.node().checks.honest_majority(world_.now().mono, 0s); },
        kEnough);
    const auto serve = std::count_if(world_.peers().begin(), world_.peers().end(), [&](auto& one) {
      return one->manner == Manner::honest && world_.is_masternode(one->ip);
    });
    const bool held = world_.node().checks.honest_majority(world_.now().mono, kEnough);
    outcome.judged = good() || (held && serve >= 3);
    if (serve >= 3) outcome.caught_up = world_.now().mono - from;  // else there is nobody to blame
    if (good() || !outcome.judged || stuck_by_depth()) return;
    outcome.failure =
        "seed: an honest majority for half an hour, and the node stands at " +
        std::to_string(world_.node().height()) + " of " + std::to_string(world_.top()) + ", " +
        std::to_string(world_.node().checks.foreign()) + " blocks made up; " +
        world_.status().ground + "; " + std::string(name_of(world_.status().activity)) + " " +
        world_.status().activity_because;
  }

  // More than a reorganisation may take: it went there while there was no honest majority, and is
  // the operator's to undo. It must say so.
  bool stuck_by_depth() {
    if (world_.node().checks.foreign() <= 100) return false;
    const auto open = world_.node().coordinator->open_forks(world_.now());
    return std::any_of(open.begin(), open.end(),
                       [](const ForkView& fork) { return fork.needs_consent; });
  }

  Random random_;
  Duration length_;
  Height own_ = 0;
  chain::CoordinatorPolicy policy_;
  std::string text_;
  ChainWorld world_;
  MadeChain* halved_ = nullptr;
  std::vector<ChainPeer*> gone_;
};

}  // namespace

ChainOutcome run_chain_seed(std::uint64_t seed, Duration length) {
  return Campaign(seed, length).run();
}

}  // namespace timectl::sim
