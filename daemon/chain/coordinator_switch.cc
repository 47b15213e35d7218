// Coordinator: when our chain gives way to another branch, and the fetching of that branch.
#include <algorithm>

#include "daemon/chain/coordinator_state.h"

namespace timectl::chain {
namespace {

constexpr Duration kBranchPatience = 5min;  // without a new block of the branch
constexpr Duration kGivenUpFor = 10min;     // a branch that could not be had or did not verify

bool same_branch(const ForkResult& result, const Branch& branch) {
  return result.end == ForkEnd::forked && result.first_hash == branch.first_hash;
}

}  // namespace

// The branch that is believed takes the place of ours, where that is not left to the operator.
Belief Coordinator::State::wanted_branch() const {
  const auto elsewhere = [&](const Belief& one) {
    return one.ground == Ground::witnesses && !one.held &&
           best_hash(one.best.height) != one.best.hash;
  };
  if (elsewhere(belief)) return belief;
  // One of three that says something else than the others must not keep us on a branch that both
  // others have left: they outnumber everybody else who stands above it.
  auto two = truth.backed(best_facts(), now.mono);
  const auto others = std::count_if(peers.begin(), peers.end(), [&](const auto& entry) {
    return masternode(entry.first) && entry.second.claim.value_or(0) >= two.best.height &&
           !std::binary_search(two.vouched_by.begin(), two.vouched_by.end(), entry.first);
  });
  const bool decide = elsewhere(two) && static_cast<std::size_t>(others) < two.vouched_by.size();
  const bool settled = belief.ground == Ground::witnesses && !belief.held;
  return decide && !settled ? two : Belief{};
}

void Coordinator::State::consider_switch(const ForkReport& branches) {
  if (!fork) return;
  fork->needs_consent = false;
  fork->needs_because.clear();
  goal = wanted_branch();
  if (!goal.known()) return;
  const Branch* to = nullptr;
  std::size_t most = options.policy.truth.least_witnesses - 1;  // at least so many say where it is
  const ForkResult* place = nullptr;
  for (const auto& branch : branches.branches) {
    if (branch.ours) continue;
    std::size_t vouchers = 0;
    const ForkResult* one = nullptr;
    for (const auto& ip : goal.vouched_by) {
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
  if (const auto now_wanted = wanted_branch(); now_wanted.known()) goal = now_wanted;
  const bool idle = plan.paused() || !options.policy.plan.enabled;
  if (idle) building->progress_at = now.mono;  // nothing is fetched, so nothing is late
  const Height top = building->tip.block.height;
  const Height best = goal.best.height;
  const bool there = best > building->ancestor && top >= best;
  const bool reached =
      there &&
      building->hashes[static_cast<std::size_t>(best - building->ancestor - 1)] == goal.best.hash;
  const bool elsewhere = there && !reached;
  const Height depth = tip.block.height - std::min(tip.block.height, building->ancestor);
  const bool ours_again = belief.known() && !belief.held &&
                          belief.best.height > building->ancestor &&
                          best_hash(belief.best.height) == belief.best.hash;
  if (ours_again) {
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
