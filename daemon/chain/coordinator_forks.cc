// Coordinator: where chains part, which branch is followed, and what the operator is told of it.
#include <algorithm>

#include "daemon/chain/coordinator_state.h"

namespace timectl::chain {
namespace {

constexpr Duration kCleanFor = 30s;       // nobody on another branch for so long: resolved
constexpr Duration kCountFor = 5s;        // while masternodes are still being asked where they are
constexpr Duration kSaveForkEvery = 30s;  // while it only grows
constexpr Duration kSameFork = 10min;     // a fork that is seen again so soon is the same one
constexpr Duration kBranchPatience = 5min;  // without a new block of the branch
constexpr Duration kGivenUpFor = 10min;     // a branch that could not be had or did not verify
constexpr std::size_t kSearches = 3;        // with one peer within search_again
constexpr Height kDeepFork = 6;             // alerts.fork_blocks: more is a warning

bool same_branch(const ForkResult& result, const Branch& branch) {
  return result.end == ForkEnd::forked && result.first_hash == branch.first_hash;
}

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
  return report_forks(tip.block.height, tip.block.hash, members);
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
void Coordinator::State::note_fork(const ForkReport& branches) {
  const auto other = std::find_if(branches.branches.begin(), branches.branches.end(),
                                  [](const Branch& b) { return !b.ours && b.masternodes > 0; });
  if (other != branches.branches.end()) {
    fork_clean_since.reset();
    const bool opened = !fork;
    if (opened && being_counted()) return;
    fork_counted_since.reset();
    if (opened) {
      fork.emplace();
      fork->seen_at = now.wall;
    }
    show_fork(branches);
    const bool known = last_fork && last_fork->first == other->first_hash &&
                       now.mono - last_fork->second < kSameFork;
    if (opened) last_fork = {other->first_hash, now.mono};
    if (opened && !known) {
      const Height depth = tip.block.height - std::min(tip.block.height, other->ancestor);
      const Height length =
          std::max(depth, other->tip_height - std::min(other->tip_height, other->ancestor));
      say(EventKind::fork_seen, length > kDeepFork ? Severity::warning : Severity::notice,
          std::to_string(other->masternodes) +
              (other->masternodes == 1 ? " masternode is" : " masternodes are") +
              " on another branch since height " + std::to_string(other->ancestor) + ": ours has " +
              blocks_text(depth) + " above it, theirs ends at " +
              std::to_string(other->tip_height) + "; timectl sync fork");
    }
    if (opened || !fork_saved_at || now.mono - *fork_saved_at >= kSaveForkEvery) {
      fork_saved_at = now.mono;
      commands.emplace_back(SaveFork{*fork});
    }
    return;
  }
  fork_counted_since.reset();
  if (!fork) return;
  if (!fork_clean_since) fork_clean_since = now.mono;
  if (now.mono - *fork_clean_since >= kCleanFor) {
    const bool anybody = !peers.empty();
    resolve_fork(anybody ? "nobody that is connected is on another branch any more"
                         : "nobody is connected any more");
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
  if (last_fork) last_fork->second = now.mono;
  say(EventKind::fork_resolved, Severity::notice, how);
  commands.emplace_back(SaveFork{*fork});
  fork.reset();
  fork_clean_since.reset();
  fork_saved_at.reset();
}

// The branch that is believed takes the place of ours, where that is not left to the operator.
void Coordinator::State::consider_switch(const ForkReport& branches) {
  if (!fork) return;
  fork->needs_consent = false;
  fork->needs_because.clear();
  const bool elsewhere = belief.known() && belief.ground == Ground::witnesses && !belief.held &&
                         best_hash(belief.best.height) != belief.best.hash;
  if (!elsewhere) return;
  const Branch* to = nullptr;
  std::size_t most = options.policy.truth.least_witnesses - 1;  // at least so many say where it is
  const ForkResult* place = nullptr;
  for (const auto& branch : branches.branches) {
    if (branch.ours) continue;
    std::size_t vouchers = 0;
    const ForkResult* one = nullptr;
    for (const auto& ip : belief.vouched_by) {
      const auto at = peers.find(ip);
      const bool on_it =
          at != peers.end() && at->second.found && same_branch(*at->second.found, branch);
      if (!on_it) continue;
      ++vouchers;
      one = &*at->second.found;
    }
    if (vouchers <= most) continue;
    most = vouchers;
    to = &branch;
    place = one;
  }
  if (to == nullptr) return;
  // Witnesses make a height worth believing; a chain gives way only to more than stand by it. Who
  // is below the fork stands by neither.
  const auto facts = best_facts();
  const auto stay =
      static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), [&](const auto& entry) {
        return masternode(entry.first) && entry.second.claim.value_or(0) > place->ancestor &&
               truth.on_our_chain(entry.first, facts, now.mono, place->ancestor) == true;
      }));
  if (to->masternodes <= stay) return;
  const Height depth = tip.block.height - std::min(tip.block.height, place->ancestor);
  const bool may = depth <= options.policy.fork.max_reorganisation &&
                   place->ancestor >= options.policy.fork.checkpoint;
  const bool consented = consent == to->first_hash;
  if (!may && !consented) {
    fork->needs_consent = true;
    fork->needs_because = blocks_text(depth) + " of ours would go, and more than " +
                          blocks_text(options.policy.fork.max_reorganisation) +
                          " are given up only by the operator's word";
    return;
  }
  const auto failed_before = given_up.find(to->first_hash);
  if (failed_before != given_up.end()) {
    if (now.mono - failed_before->second < kGivenUpFor) return;
    given_up.erase(failed_before);
  }
  if (running || plan.paused() || !options.policy.plan.enabled) {
    if (running) soon();  // after the job
    return;
  }
  begin_branch(*to, consented);
}

void Coordinator::State::begin_branch(const Branch& branch, bool consented) {
  const auto base = chain.at(branch.ancestor);
  if (!base) return;               // the store cannot be read: nothing is begun
  restart_plan(tip.block.height);  // nobody is asked, and what was held goes
  building = Building{branch.ancestor, branch.first_hash, consented, *base, {}, now.mono};
  upkeep.emplace_back(DropStagedJob{});
  plan.on_chain(branch.ancestor, now.mono);
}

void Coordinator::State::abandon_branch(const std::string& why, Afterwards then) {
  if (given_up.size() >= options.policy.truth.max_peers) given_up.clear();
  if (then == Afterwards::leave_it) given_up[building->first_hash] = now.mono;
  say(EventKind::sync_stalled, Severity::warning,
      "the other branch above height " + std::to_string(building->ancestor) +
          " is not followed now: " + why);
  building.reset();
  upkeep.emplace_back(DropStagedJob{});
  restart_plan(tip.block.height);
}

void Coordinator::State::finish_branch() {
  const Height top = building->tip.block.height;
  const Height best = belief.best.height;
  const bool reached =
      belief.known() && belief.ground == Ground::witnesses && best > building->ancestor &&
      top >= best &&
      building->hashes[static_cast<std::size_t>(best - building->ancestor - 1)] == belief.best.hash;
  const bool elsewhere = belief.ground == Ground::witnesses && !belief.held &&
                         best > building->ancestor && top >= best && !reached;
  const Height depth = tip.block.height - std::min(tip.block.height, building->ancestor);
  if (belief.known() && best > building->ancestor && best_hash(best) == belief.best.hash) {
    abandon_branch("ours is believed again");
  } else if (depth > options.policy.fork.max_reorganisation && !building->consented) {
    abandon_branch("our own has grown beyond what may be given up without the operator's word");
  } else if (now.mono - building->progress_at > kBranchPatience) {
    abandon_branch("its blocks do not come");
  } else if (elsewhere) {
    abandon_branch("it parts further up from what is believed", Afterwards::begin_again);
  } else if (reached && !running) {
    upkeep.emplace_front(ReorganiseJob{building->ancestor});
    start_jobs();
  } else if (reached) {
    soon();
  } else {
    const Instant look = building->progress_at + kBranchPatience + 1s;
    evaluate_at = std::min(evaluate_at.value_or(look), look);
  }
}

Result<ForkView> Coordinator::accept_fork(Now now) {
  auto& s = *state_;
  s.now = now;
  if (!s.fork || !s.fork->needs_consent) {
    return Error{
        Code::not_found,
        s.fork ? "the open fork needs no word of yours" : "no fork waits for the operator's word",
        "",
        {"timectl sync fork"}};
  }
  const auto branches = s.report();
  for (const auto& branch : branches.branches) {
    const bool vouched =
        std::any_of(branch.peers.begin(), branch.peers.end(), [&](const IpAddress& ip) {
          return std::binary_search(s.belief.vouched_by.begin(), s.belief.vouched_by.end(), ip);
        });
    if (branch.ours || !vouched) continue;
    s.consent = branch.first_hash;
    s.given_up.erase(branch.first_hash);
    s.say(EventKind::fork_seen, Severity::notice,
          "the operator accepts the branch above height " + std::to_string(branch.ancestor));
    ForkView accepted = *s.fork;
    s.soon();
    s.drain();
    return accepted;
  }
  return Error{
      Code::not_found, "the masternodes of the other branch have left", "", {"timectl sync fork"}};
}

}  // namespace timectl::chain
