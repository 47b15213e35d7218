#include "tests/sim/chain_checks.h"

#include <algorithm>
#include <set>

#include "daemon/core/reflect.h"
#include "tests/sim/chain_world.h"
#include "tests/sim/checks.h"

namespace timectl::sim {
namespace {

[[noreturn]] void broken(Instant now, const std::string& what) {
  violated(now - kChainStart, what);
}

// A fifth of what a peer answers (protocol 7.11), and a question a batch at 500 blocks a second.
constexpr std::size_t kQuestionsInTenSeconds = 200;
constexpr Duration kBetween = 5s;  // the slowest answers to both
// What makes a truthful masternode's word settled: it was heard, and its news are weighed.
constexpr Duration kSettled = 60s;

std::size_t recent(std::deque<Instant>& asks, Instant now) {
  while (!asks.empty() && now - asks.front() >= 10s) asks.pop_front();
  asks.push_back(now);
  return asks.size();
}

std::string text(const IpAddress& ip) {
  return ip.to_string();
}

}  // namespace

void ChainTally::add(const ChainTally& other) {
  events += other.events;
  asked_blocks += other.asked_blocks;
  blocks_wanted += other.blocks_wanted;
  asked_tips += other.asked_tips;
  asked_hashes += other.asked_hashes;
  jobs += other.jobs;
  reorganisations += other.reorganisations;
  accused += other.accused;
  deepest = std::max(deepest, other.deepest);
  foreign = std::max(foreign, other.foreign);
}

void expire(Link& link, Duration timeout, Instant now) {
  if (link.out && now - link.out_at >= timeout) link.out.reset();
}

void ChainChecks::on_ask_blocks(const chain::AskBlocks& ask, std::map<IpAddress, Link>& links,
                                Instant now) {
  Link& link = links[ask.peer];
  if (!link.up) broken(now, "blocks are asked of " + text(ask.peer) + ", which is not connected");
  std::size_t busy = 0;
  for (auto& [ip, other] : links) {
    expire(other, policy_.plan.answer_timeout, now);
    if (other.out) ++busy;
  }
  if (link.out) broken(now, "two requests for blocks at once to " + text(ask.peer));
  if (busy >= policy_.plan.peers_at_once) broken(now, "blocks are asked of too many peers at once");
  if (ask.first > ask.last || ask.last - ask.first >= policy_.plan.batch) {
    broken(now,
           "asked for blocks " + std::to_string(ask.first) + " to " + std::to_string(ask.last));
  }
  if (recent(link.block_asks, now) > policy_.plan.requests) {
    broken(now, "too many requests to " + text(ask.peer));
  }
  ++tally.asked_blocks;
  tally.blocks_wanted += ask.last - ask.first + 1;
}

void ChainChecks::on_ask(const IpAddress& peer, std::map<IpAddress, Link>& links, bool hash,
                         Instant now) {
  Link& link = links[peer];
  if (!link.up) broken(now, text(peer) + " is asked and not connected");
  ++(hash ? tally.asked_hashes : tally.asked_tips);
  if (recent(link.hash_asks, now) > kQuestionsInTenSeconds) {
    broken(now, "a storm of questions to " + text(peer));
  }
}

void ChainChecks::on_accuse(const chain::Accuse& accuse, const std::map<IpAddress, Link>& links,
                            Instant now) {
  ++tally.accused;
  const auto at = links.find(accuse.peer);
  if (at == links.end()) broken(now, "a stranger is accused: " + text(accuse.peer));
  const ChainPeer& peer = *at->second.peer;
  // What it said and what it served are of two chains, if it went over in that very moment.
  const bool between = peer.changed_at && now - *peer.changed_at <= kBetween;
  if (!blameless(peer.manner) || (between && accuse.kind == ViolationKind::wrong_blocks)) return;
  broken(now, std::string(name_of(at->second.peer->manner)) + " peer " + text(accuse.peer) +
                  " is accused of " + std::string(name_of(accuse.kind)) + ": " + accuse.detail);
}

void ChainChecks::on_job(const chain::Job& job, const chain::ChainTip& tip, bool accepted,
                         Instant now) {
  ++tally.jobs;
  const auto* reorganise = std::get_if<chain::ReorganiseJob>(&job);
  if (reorganise == nullptr) return;
  const Height depth = tip.block.height - std::min(tip.block.height, reorganise->ancestor);
  ++tally.reorganisations;
  tally.deepest = std::max(tally.deepest, depth);
  if (!accepted && depth > policy_.fork.max_reorganisation) {
    broken(now, std::to_string(depth) + " blocks of ours go without the operator's word");
  }
}

Height ChainChecks::foreign_of(const ChainStore& store, const NetworkFacts& network) const {
  const Height top = store.tip().block.height;
  Height h = top;
  const auto known = [&](Height height) {
    const auto hash = store.hash_at(height);
    return std::any_of(network.honest.begin(), network.honest.end(), [&](const auto& entry) {
      return height <= entry.second && entry.first->hash_at(height) == *hash;
    });
  };
  while (h > 0 && !known(h)) --h;
  return top - h;
}

void ChainChecks::look(const ChainStore& store, const NetworkFacts& network,
                       const std::map<IpAddress, Link>& links,
                       const std::function<bool(const IpAddress&)>& masternode, Instant now) {
  std::size_t connected = 0;
  std::vector<Height> heights;
  std::map<const MadeChain*, std::size_t> against;  // by the chain that they tell of
  served_ = false;
  for (const auto& [ip, link] : links) {
    if (!link.up || !masternode(ip)) continue;
    served_ = served_ || (link.peer->manner == Manner::honest && now - link.since >= kSettled);
    ++connected;
    const bool truth = truthful(link.peer->manner);
    const Height height = link.peer->height - std::min(link.peer->height, link.peer->lag);
    if (truth && link.told) heights.push_back(height);
    if (!truth) ++against[link.peer->other != nullptr ? link.peer->other : link.peer->chain];
  }
  std::size_t worst = 0;
  for (const auto& [chain, count] : against) worst = std::max(worst, count);
  const bool majority =
      heights.size() >= 3 && heights.size() * 2 > connected && worst < policy_.truth.witnesses;
  if (!majority) majority_since_.reset();
  if (majority && !majority_since_) majority_since_ = now;
  if (!majority) second_ = 0;
  if (majority) {
    std::sort(heights.begin(), heights.end(), std::greater<>());
    second_ = heights[1];
    third_ = heights[2];
  }
  const chain::Tip tip{store.tip().block.height, store.tip().block.hash};
  // Also where the tip stands: a block that nobody had may be made meanwhile.
  if (looked_at_ != tip || foreign_ > 0) foreign_ = foreign_of(store, network);
  looked_at_ = tip;
  const bool below = foreign_ > 0 && tip.height - foreign_ < second_;
  // What is too deep to be taken back must never get in; the rest must go as soon as it can.
  const bool stuck = foreign_ > policy_.fork.max_reorganisation;
  const bool curable = served_ && tip.height - foreign_ < third_;
  if (!below || excused || (!stuck && !curable) || !honest_majority(now, kSettled)) {
    foreign_since_.reset();
    return;
  }
  if (!foreign_since_) foreign_since_ = now;
  tally.foreign = std::max(tally.foreign, now - *foreign_since_);
  if (deep_allowed && stuck) return;
  if (stuck || now - *foreign_since_ > foreign_limit) {
    broken(now, "the best chain ends with " + std::to_string(foreign_) +
                    " blocks that no honest peer has, at height " + std::to_string(tip.height) +
                    "; two masternodes have height " + std::to_string(second_));
  }
}

void ChainChecks::look_at_belief(const chain::Coordinator&, const SyncStatusView& status,
                                 const NetworkFacts& network, Instant now) const {
  if (!status.best_height || !honest_majority(now, kSettled)) return;
  if (*status.best_height > network.top) {
    broken(now, "height " + std::to_string(*status.best_height) + " is believed (" + status.ground +
                    "), the network has " + std::to_string(network.top));
  }
}

}  // namespace timectl::sim
