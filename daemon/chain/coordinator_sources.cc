// Coordinator: whom the plan may ask for blocks and how far, and how far behind we are.
#include <algorithm>

#include "daemon/chain/coordinator_state.h"
#include "daemon/wire/network_params.h"

namespace timectl::chain {
namespace {

std::string minutes_text(Duration age) {
  return human_duration(std::chrono::floor<std::chrono::minutes>(age));
}

}  // namespace

// The news of peers weighed together: what is believed, who may be asked, where chains part.
void Coordinator::State::evaluate() {
  evaluate_at.reset();
  // While the best chain is being exchanged, half of what is read is of the old one.
  if (running && !retry && std::holds_alternative<ReorganiseJob>(*running)) {
    soon();
    return;
  }
  const auto facts = best_facts();
  belief = truth.believe(facts, now.mono);
  const auto count = static_cast<std::size_t>(std::count_if(
      peers.begin(), peers.end(), [&](const auto& entry) { return masternode(entry.first); }));
  if (std::exchange(masternodes_seen, count) != count) company_changed = now.mono;
  if (belief.ground == Ground::witnesses && best_hash(belief.best.height) == belief.best.hash) {
    anchor = std::max(anchor, belief.best.height);
  }
  for (const auto& question : truth.questions(facts, now.mono)) {
    commands.emplace_back(AskHash{question.peer, question.height});
  }
  look_for_forks();
  const auto branches = report();
  note_fork(branches);
  if (building) {
    finish_branch();
  } else {
    consider_switch(branches);
  }
  offer_sources();
  watch_lag();
  drain();
}

void Coordinator::State::offer_sources() {
  const auto facts = building ? building_facts() : best_facts();
  const auto backed = truth.backed(best_facts(), now.mono);
  std::vector<std::pair<IpAddress, std::optional<Height>>> claims;
  std::vector<Height> stand;  // where the masternodes stand
  for (const auto& [ip, peer] : peers) {
    claims.emplace_back(ip, truth.fit_source(ip, facts, now.mono));
    if (claims.back().second && masternode(ip)) stand.push_back(*claims.back().second);
  }
  std::sort(stand.begin(), stand.end());
  for (auto& [ip, claim] : claims) {
    if (claim) claim = claim_of(ip, *claim, stand, backed);
  }
  // First who may not be asked any more, so that a request never goes to one of them meanwhile.
  for (const bool some : {false, true}) {
    for (const auto& [ip, claim] : claims) {
      if (claim.has_value() == some) plan.on_source(ip, claim, now.mono);
    }
  }
}

// Up to which height a peer may be asked. A chain without proof of work can be made up by anybody
// (protocol 9.5), so what it claims is not enough:
// - what two masternodes agree on is fetched from those that agree;
// - above that, one masternode is enough only where fewer than `witnesses` others stand lower, and
//   beyond what a reorganisation can take back only when nobody else has come for a while;
// - a regular peer is followed no further than a reorganisation can take back.
std::optional<Height> Coordinator::State::claim_of(const IpAddress& ip, Height claim,
                                                   const std::vector<Height>& stand,
                                                   const Belief& backed) const {
  if (building) {
    const auto at = peers.find(ip);
    const bool member = at != peers.end() && at->second.found &&
                        at->second.found->end == ForkEnd::forked &&
                        at->second.found->first_hash == building->first_hash;
    if (!member) return std::nullopt;
    // No further than what is believed: above it a member may be on a branch of the branch.
    return belief.ground == Ground::witnesses ? std::min(claim, belief.best.height) : claim;
  }
  if (claim <= tip.block.height) return claim;
  const Height reversible = anchor + options.policy.fork.max_reorganisation;
  if (!masternode(ip)) return std::min(claim, reversible);  // nobody knows what chain that is
  const auto lower =
      static_cast<std::size_t>(std::lower_bound(stand.begin(), stand.end(), claim) - stand.begin());
  const bool alone_suffices = lower < options.policy.truth.witnesses;
  const bool ahead = backed.known() && backed.best.height > tip.block.height;
  // One alone: at first no further than can be taken back, because others may be on their way.
  const Height alone = alone_is_enough() ? claim : std::min(claim, reversible);
  if (!ahead) return alone_suffices ? alone : tip.block.height;
  if (std::binary_search(backed.vouched_by.begin(), backed.vouched_by.end(), ip)) {
    return alone_suffices ? std::max(alone, std::min(claim, backed.best.height))
                          : std::min(claim, backed.best.height);
  }
  // Others agree on a block; whether its chain has it too is asked, or it is lower and cannot say.
  // Until then it may help only where a mistake can be undone.
  return std::min({claim, backed.best.height, reversible});
}

bool Coordinator::State::alone_is_enough() const {
  const bool all_here = options.masternodes && options.masternodes() <= masternodes_seen;
  return all_here || now.mono - company_changed >= options.policy.company;
}

std::optional<Duration> Coordinator::State::tip_age() const {
  if (tip.block.height == 0) return std::nullopt;
  const WallTime made{std::chrono::seconds(tip.timestamp)};
  return std::max<Duration>(now.wall - made, Duration::zero());
}

// Where what is believed is on another branch, having as many blocks is not having its blocks.
Coordinator::State::Place Coordinator::State::place() const {
  Place place;
  const auto& best = belief.best;
  if (!belief.known()) return place;
  for (const auto& ip : belief.vouched_by) {
    const auto at = peers.find(ip);
    const bool forked = at != peers.end() && at->second.found &&
                        at->second.found->end == ForkEnd::forked &&
                        at->second.found->ancestor < best.height;
    if (forked) place.parted_at = at->second.found->ancestor;
  }
  const auto ours = best_hash(best.height);
  place.other_branch = ours ? *ours != best.hash : place.parted_at.has_value();
  if (!place.other_branch) place.parted_at.reset();
  return place;
}

Standing Coordinator::State::standing() {
  auto standing = truth.standing(best_facts(), now.mono);
  belief = standing.belief;
  const auto here = place();
  if (!here.other_branch) return standing;
  const Height best = belief.best.height;
  const Height common = here.parted_at.value_or(std::min(best, tip.block.height) - 1);
  standing.lag_blocks = best - std::min(best, common);
  standing.lag = *standing.lag_blocks * std::chrono::seconds(wire::block_seconds);
  standing.network_stalled = false;
  return standing;
}

int Coordinator::State::lag_level(const Standing& standing, std::string& why) const {
  const auto& policy = options.policy.lag;
  const Height blocks = standing.lag_blocks.value_or(0);
  const auto age = tip_age();
  if (blocks > policy.notice) {
    why = blocks_text(blocks) + " behind: " + std::to_string(tip.block.height) + " of " +
          std::to_string(standing.belief.best.height);
    return blocks > policy.warning ? 2 : 1;
  }
  if (age && *age > policy.tip_age && standing.lag_blocks) {
    why = "the last block is " + minutes_text(*age) + " old" +
          (standing.network_stalled ? "; nobody has a newer one: the network stands still" : "");
    return 2;
  }
  return 0;
}

// Said once a level was held for a while; while nothing is believed, nothing is said.
void Coordinator::State::watch_lag() {
  const auto standing = this->standing();
  if (!standing.belief.known()) return;
  std::string why;
  const int level = lag_level(standing, why);
  if (level != lag.candidate) {
    lag.candidate = level;
    lag.since = now.mono;
  }
  if (level == lag.level || now.mono - lag.since < options.policy.lag.hold) return;
  lag.level = level;
  if (level == 0) {
    say(EventKind::lag_over, Severity::notice, "at height " + std::to_string(tip.block.height));
  } else {
    say(EventKind::lag_high, level == 2 ? Severity::warning : Severity::notice, why);
  }
}

}  // namespace timectl::chain
