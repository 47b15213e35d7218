// Coordinator: where chains part, which branch is followed, and what the operator is told of it.
#include <algorithm>
#include <set>

#include "daemon/chain/coordinator_state.h"

namespace timectl::chain {
namespace {

constexpr Duration kCleanFor = 30s;       // nobody on another branch for so long: resolved
constexpr Duration kCountFor = 5s;        // while masternodes are still being asked where they are
constexpr Duration kSaveForkEvery = 30s;  // while it only grows
constexpr Duration kSameFork = 10min;     // a fork that is seen again so soon is the same one
constexpr std::size_t kSearches = 3;      // with one peer within search_again
constexpr Height kDeepFork = 6;           // alerts.fork_blocks: more is a warning

}  // namespace

std::optional<Height> Coordinator::State::lowest_parting() const {
  std::optional<Height> lowest;
  for (const auto& [ip, peer] : peers) {
    const bool forked = masternode(ip) && peer.found && peer.found->end == ForkEnd::forked;
    if (forked && peer.found->ancestor < lowest.value_or(tip.block.height + 1)) {
      lowest = peer.found->ancestor;
    }
  }
  return lowest;
}

// Masternodes first: their branches count.
void Coordinator::State::look_for_forks() {
  const auto facts = best_facts();
  auto searching = static_cast<std::size_t>(std::count_if(
      peers.begin(), peers.end(), [](const auto& entry) { return entry.second.search; }));
  // Where one masternode's chain parts from ours, the others are on one side or the other, too:
  // their tips may say nothing of it while ours is lower.
  const auto parting = lowest_parting();
  for (const bool masternodes : {true, false}) {
    for (auto& [ip, peer] : peers) {
      if (masternode(ip) != masternodes) continue;
      const auto ours = truth.on_our_chain(ip, facts, now.mono);
      const bool decided = !masternodes || !parting || peer.claim.value_or(0) <= *parting ||
                           truth.on_our_chain(ip, facts, now.mono, *parting);
      if (ours == true && decided && !peer.suspected) {
        if (std::exchange(peer.found, std::nullopt)) plan.on_fork_settled(ip, now.mono);
        peer.search.reset();
        peer.asked_at.reset();
        continue;
      }
      const bool reason = ours == false || peer.suspected || !decided;
      if (!reason || peer.search || !peer.claim) continue;
      const bool forked = peer.found && peer.found->end == ForkEnd::forked;
      // Where it was on our chain after all, its next tip will say so.
      const Duration wait =
          peer.found ? options.policy.search_again : options.policy.truth.ask_again_after;
      const bool again =
          forked ? truth.reported(ip, peer.found->ancestor + 1).value_or(peer.found->first_hash) !=
                       peer.found->first_hash
                 : !peer.searched_at || now.mono - *peer.searched_at >= wait;
      const bool over =
          !peer.searches_since || now.mono - *peer.searches_since >= options.policy.search_again;
      if (over) {
        peer.searches_since = now.mono;
        peer.searches = 0;
      }
      // Two tips in turn must not make us ask for ever (FT-P25).
      const bool enough = peer.searches >= kSearches;
      if (!again || enough || searching >= options.policy.searches_at_once) continue;
      ++peer.searches;
      begin_search(ip, peer);
      if (peer.search) ++searching;
    }
  }
}

// Who comes back at once has no more searches, and is no less suspect, than who stayed.
Coordinator::State::Peer Coordinator::State::returning(const IpAddress& ip) {
  Peer peer;
  const auto left = departed.find(ip);
  if (left == departed.end()) return peer;
  peer.searches = left->second.searches;
  peer.searches_since = left->second.searches_since;
  departed.erase(left);
  return peer;
}

bool Coordinator::State::leaving(const IpAddress& ip) {
  const auto at = peers.find(ip);
  if (at == peers.end()) return false;
  std::erase_if(departed, [&](const auto& entry) {
    return now.mono - *entry.second.searches_since >= options.policy.search_again;
  });
  if (at->second.searches_since && departed.size() < options.policy.truth.max_peers) {
    departed[ip].searches = at->second.searches;
    departed[ip].searches_since = at->second.searches_since;
  }
  peers.erase(at);
  return true;
}

void Coordinator::State::begin_search(const IpAddress& ip, Peer& peer) {
  peer.suspected = false;
  peer.searched_at = now.mono;
  peer.found.reset();
  const ForkTips tips{tip.block.height, std::min(*peer.claim, expected() + 1), expected()};
  peer.search.emplace(options.policy.fork, tips, masternode(ip));
  // Nothing is taken as known: what it said of its tip it may have given up since, and half a
  // search on each of two branches finds a fork that is not there.
  ask_on(ip, peer);
}

void Coordinator::State::ask_on(const IpAddress& ip, Peer& peer) {
  if (const auto height = peer.search->next()) {
    peer.asked_at = now.mono;
    commands.emplace_back(AskHash{ip, *height});
    return;
  }
  search_ended(ip, peer);
}

void Coordinator::State::search_ended(const IpAddress& ip, Peer& peer) {
  peer.found = peer.search->result();
  peer.search.reset();
  peer.asked_at.reset();
  if (peer.found->end == ForkEnd::forked) {
    // The one answer that lasts: without it what the peer served lower down would count for more.
    truth.on_hash(ip, {peer.found->ancestor + 1, peer.found->first_hash}, now.mono);
  }
  if (peer.found->end == ForkEnd::same_chain) {
    if (const auto ours = best_hash(peer.found->ancestor)) {
      truth.on_hash(ip, {peer.found->ancestor, *ours}, now.mono);
    }
    peer.found.reset();
    plan.on_fork_settled(ip, now.mono);
  }
  soon();
}

void Coordinator::State::expire_questions() {
  for (auto& [ip, peer] : peers) {
    const bool late = peer.asked_at && now.mono - *peer.asked_at >= options.policy.question_timeout;
    if (!late) continue;
    peer.search->on_silence();
    ask_on(ip, peer);
  }
}

ForkReport Coordinator::State::report() const {
  const auto facts = best_facts();
  const auto parting = lowest_parting();  // who stands below it is on no branch
  std::vector<ForkMember> members;
  for (const auto& [ip, peer] : peers) {
    ForkMember member;
    member.peer = ip;
    member.masternode = masternode(ip);
    member.tip_height = std::min(peer.claim.value_or(0), expected() + 1);
    member.tip_hash = truth.reported(ip, member.tip_height).value_or(wire::Hash32{});
    if (peer.found && peer.found->end == ForkEnd::forked) {
      member.result = *peer.found;
    } else if (truth.on_our_chain(ip, facts, now.mono, parting.value_or(0)) == true) {
      member.result.end = ForkEnd::same_chain;
    } else {
      continue;
    }
    members.push_back(std::move(member));
  }
  // Strangers are shown where masternodes stand, too, and open no branch of their own.
  std::set<wire::Hash32> branches;
  for (const auto& member : members) {
    if (member.masternode) branches.insert(member.result.first_hash);
  }
  std::erase_if(members, [&](const ForkMember& member) {
    return member.result.end == ForkEnd::forked && !branches.contains(member.result.first_hash);
  });
  auto found = report_forks(tip.block.height, tip.block.hash, members);
  // It is where the branch with most masternodes left ours; one peer's word does not move it.
  if (found.branches.size() > 1) found.ancestor = found.branches[1].ancestor;
  return found;
}

// Who is on which branch is known when the searches have ended; one that gets no answers is not
// waited for.
bool Coordinator::State::being_counted() {
  if (!fork_counted_since) fork_counted_since = now.mono;
  const bool searching = std::any_of(peers.begin(), peers.end(), [&](const auto& entry) {
    return entry.second.search && masternode(entry.first);
  });
  const Instant enough = *fork_counted_since + kCountFor;
  if (!searching || now.mono >= enough) return false;
  evaluate_at = std::min(evaluate_at.value_or(enough), enough);
  return true;
}

// A fork is what masternodes are on: a stranger with a chain of its own is a row of `sync peers`.
// It is shown as long as one of them is there; said and stored only of two, or of the only one
// there is, because one of many can make as many as it likes.
void Coordinator::State::note_fork(const ForkReport& branches) {
  const auto other = std::find_if(branches.branches.begin(), branches.branches.end(),
                                  [](const Branch& b) { return !b.ours && b.masternodes > 0; });
  if (other == branches.branches.end()) return no_fork();
  fork_clean_since.reset();
  if (!fork && being_counted()) return;
  fork_counted_since.reset();
  if (!fork) {
    fork.emplace();
    fork->seen_at = now.wall;
  }
  show_fork(branches);
  const std::size_t enough =
      std::min(options.policy.truth.least_witnesses, std::max<std::size_t>(masternodes_seen, 1));
  if (!fork_said && other->masternodes < enough) return;
  if (!std::exchange(fork_said, true)) {
    const bool known = last_fork && last_fork->first == other->first_hash &&
                       now.mono - last_fork->second < kSameFork;
    last_fork = {other->first_hash, now.mono};
    if (!known) say_fork(*other);
  }
  if (!fork_saved_at || now.mono - *fork_saved_at >= kSaveForkEvery) {
    fork_saved_at = now.mono;
    commands.emplace_back(SaveFork{*fork});
  }
}

void Coordinator::State::say_fork(const Branch& other) {
  const Height depth = tip.block.height - std::min(tip.block.height, other.ancestor);
  const Height length =
      std::max(depth, other.tip_height - std::min(other.tip_height, other.ancestor));
  say(EventKind::fork_seen, length > kDeepFork ? Severity::warning : Severity::notice,
      std::to_string(other.masternodes) +
          (other.masternodes == 1 ? " masternode is" : " masternodes are") +
          " on another branch since height " + std::to_string(other.ancestor) + ": ours has " +
          blocks_text(depth) + " above it, theirs ends at " + std::to_string(other.tip_height) +
          "; timectl sync fork");
}

void Coordinator::State::no_fork() {
  fork_counted_since.reset();
  if (!fork) return;
  if (!fork_clean_since) fork_clean_since = now.mono;
  if (now.mono - *fork_clean_since >= kCleanFor) {
    resolve_fork(peers.empty() ? "nobody is connected any more"
                               : "nobody that is connected is on another branch any more");
  } else {
    const Instant look = *fork_clean_since + kCleanFor;
    evaluate_at = std::min(evaluate_at.value_or(look), look);
  }
}

void Coordinator::State::show_fork(const ForkReport& branches) {
  fork->ancestor_height = branches.ancestor;
  fork->branches.clear();
  for (std::size_t i = 0; i < branches.branches.size(); ++i) {
    const Branch& branch = branches.branches[i];
    ForkBranchView view;
    view.ours = branch.ours;
    view.tip_height = branch.tip_height;
    view.tip_hash = branch.tip_hash == wire::Hash32{} ? "" : wire::to_hex(branch.tip_hash);
    if (!branch.ours) view.first_hash = wire::to_hex(branch.first_hash);
    view.peers = branch.peers;
    view.masternodes = branch.masternodes;
    view.majority = branches.majority == i;
    fork->branches.push_back(std::move(view));
  }
}

void Coordinator::State::resolve_fork(const std::string& how) {
  if (!fork) return;
  fork->resolved_at = now.wall;
  fork->resolution = how;
  fork->needs_consent = false;
  fork->needs_because.clear();
  consent.reset();
  if (last_fork) last_fork->second = now.mono;
  if (std::exchange(fork_said, false)) {
    say(EventKind::fork_resolved, Severity::notice, how);
    commands.emplace_back(SaveFork{*fork});
  }
  fork.reset();
  fork_clean_since.reset();
  fork_saved_at.reset();
}

}  // namespace timectl::chain
