#include "daemon/chain/fork_search.h"

#include <algorithm>
#include <array>
#include <bit>

namespace timectl::chain {
namespace {

// How often `outcomes` possibilities must be halved until one is left.
std::size_t halvings(std::uint64_t outcomes) {
  return outcomes <= 1 ? 0U : static_cast<std::size_t>(std::bit_width(outcomes - 1));
}

Height below_by(Height height, Height blocks) {
  return height > blocks ? height - blocks : 0;
}

bool is_zero(const wire::Hash32& hash) {
  return hash == wire::Hash32{};
}

// A branch's tip is what its masternodes say; a regular peer's word counts while there are none.
void join(Branch& branch, const ForkMember& member) {
  branch.peers.push_back(member.peer);
  if (member.masternode) ++branch.masternodes;
  const bool first_masternode = member.masternode && branch.masternodes == 1;
  const bool counts = member.masternode || branch.masternodes == 0;
  if (!branch.ours && (first_masternode || (counts && member.tip_height > branch.tip_height))) {
    branch.tip_height = member.tip_height;
    branch.tip_hash = member.tip_hash;
  }
}

}  // namespace

std::string_view meaning_of(GiveUp reason) {
  static constexpr std::array<std::string_view, 4> kMeanings{
      // in the order of GiveUp
      "",
      "no common block within the depth that may be searched with this peer",
      "the peer did not say which blocks it has",
      "no common block at all: another genesis",
  };
  return kMeanings.at(static_cast<std::size_t>(reason));
}

ForkSearch::ForkSearch(const ForkPolicy& policy, const ForkTips& tips, bool masternode)
    : policy_(policy),
      tips_(tips),
      top_(std::min(tips.ours, tips.theirs)),
      floor_(below_by(top_, masternode ? policy.depth_masternode : policy.depth_regular)),
      attempts_left_(masternode ? policy.attempts_masternode : policy.attempts_regular),
      differs_(top_ + 1),
      step_(0) {
  // Each height from the floor to the top may be the last in common, and there may be none.
  const std::size_t needed = halvings(top_ - floor_ + 2);
  limit_ = std::max(halvings(std::max<Height>(tips.expected, 1)) + policy.spare_questions, needed);
  if (attempts_left_ == 0) give_up(GiveUp::no_answers);
}

std::optional<Height> ForkSearch::growing_step() {
  while (step_ && !agrees_) {
    const Height at = below_by(top_, *step_);
    const Height next =
        *step_ == 0 ? policy_.first_step : *step_ * std::max<Height>(policy_.growth, 2);
    if (at <= floor_) return std::nullopt;
    if (at >= differs_) {  // known already
      step_ = next;
      continue;
    }
    const std::size_t left = limit_ - std::min(limit_, asked_ + 1);
    const std::uint64_t worst = std::max(differs_ - at, at - floor_ + 1);
    if (halvings(worst) > left) return std::nullopt;
    step_ = next;
    return at;
  }
  return std::nullopt;
}

std::optional<Height> ForkSearch::next() {
  if (result_.end != ForkEnd::searching) return std::nullopt;
  if (pending_) return pending_;
  pending_ = growing_step();
  if (!pending_) {
    step_.reset();  // from here on by halves
    const Height low = agrees_.value_or(floor_);
    pending_ = low + (differs_ - low) / 2;
  }
  ++asked_;
  return pending_;
}

bool ForkSearch::on_answer(Height height, const std::optional<wire::Hash32>& theirs,
                           const wire::Hash32& ours) {
  if (result_.end != ForkEnd::searching || pending_ != height) return false;
  if (!theirs || is_zero(*theirs)) {
    on_silence();
    return true;
  }
  pending_.reset();
  learn(height, *theirs == ours, *theirs);
  return true;
}

void ForkSearch::on_silence() {
  if (result_.end != ForkEnd::searching) return;
  if (--attempts_left_ == 0) give_up(GiveUp::no_answers);
}

void ForkSearch::learn(Height height, bool agrees, const wire::Hash32& theirs) {
  if (agrees) {
    agrees_ = std::max(agrees_.value_or(height), height);
  } else if (height < differs_) {
    differs_ = height;
    differs_hash_ = theirs;
  }
  conclude();
}

void ForkSearch::conclude() {
  if (!agrees_) {
    if (differs_ == floor_) give_up(floor_ == 0 ? GiveUp::other_genesis : GiveUp::too_deep);
    return;
  }
  if (differs_ != *agrees_ + 1) return;
  result_.ancestor = *agrees_;
  result_.depth = tips_.ours - *agrees_;
  if (*agrees_ == top_) {
    result_.end = ForkEnd::same_chain;
    return;
  }
  result_.end = ForkEnd::forked;
  result_.first_hash = differs_hash_;
  if (result_.ancestor < policy_.checkpoint) {
    result_.consent = Consent::below_checkpoint;
  } else if (result_.depth > policy_.max_reorganisation) {
    result_.consent = Consent::beyond_reorganisation;
  }
}

void ForkSearch::give_up(GiveUp reason) {
  result_.end = ForkEnd::gave_up;
  result_.reason = reason;
  pending_.reset();
}

ForkReport report_forks(Height own_height, const wire::Hash32& own_hash,
                        const std::vector<ForkMember>& members) {
  ForkReport report;
  report.branches.push_back({true, own_height, {}, own_height, own_hash, {}, 0});
  std::size_t voters = 0;
  for (const auto& member : members) {
    const auto& result = member.result;
    const bool forked = result.end == ForkEnd::forked;
    if (!forked && result.end != ForkEnd::same_chain) continue;
    if (member.masternode) ++voters;
    const auto same = [&](const Branch& branch) {
      return forked ? !branch.ours && branch.first_hash == result.first_hash : branch.ours;
    };
    auto at = std::find_if(report.branches.begin(), report.branches.end(), same);
    if (at == report.branches.end()) {
      at = report.branches.insert(at, {false, result.ancestor, result.first_hash, 0, {}, {}, 0});
      report.ancestor =
          report.forked ? std::min(report.ancestor, result.ancestor) : result.ancestor;
      report.forked = true;
    }
    join(*at, member);
  }
  std::sort(report.branches.begin() + 1, report.branches.end(),
            [](const Branch& a, const Branch& b) {
              if (a.masternodes != b.masternodes) return a.masternodes > b.masternodes;
              if (a.tip_height != b.tip_height) return a.tip_height > b.tip_height;
              return a.first_hash < b.first_hash;
            });
  for (std::size_t i = 0; i < report.branches.size(); ++i) {
    std::sort(report.branches[i].peers.begin(), report.branches[i].peers.end());
    if (report.branches[i].masternodes * 2 > voters) report.majority = i;
  }
  return report;
}

}  // namespace timectl::chain
