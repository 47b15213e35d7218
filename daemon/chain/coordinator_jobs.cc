// Coordinator: jobs, one at a time, and what comes of them.
#include <algorithm>
#include <variant>

#include "daemon/chain/coordinator_state.h"

namespace timectl::chain {
namespace {

constexpr Height kPruneEvery = 100;  // blocks that came since
constexpr Duration kPaceWindow = 60s;
constexpr Duration kSaySignatures = 1h;

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    if (reason_row(finding.reason).effect == Effect::warn) continue;
    text += (text.empty() ? "" : "; ") + text_of(finding);
  }
  return text;
}

}  // namespace

void Coordinator::State::start_jobs() {
  if (running && retry && !retry_at) {  // the store failed: the same again
    retry = false;
    commands.emplace_back(StartJob{*running});
    return;
  }
  if (running) return;
  if (!upkeep.empty()) {
    running = std::move(upkeep.front());
    upkeep.pop_front();
    commands.emplace_back(StartJob{*running});
    return;
  }
  const bool ready = wanted && word_on(wanted->last).ready;
  if (prune_due && (!ready || !std::exchange(pruned_last, true))) {
    prune_due = false;
    if (!options.policy.keep_bodies) return start_jobs();
    running = PruneJob{*options.policy.keep_bodies};
    commands.emplace_back(StartJob{*running});
    return;
  }
  pruned_last = false;
  if (ready) start_verify();
}

void Coordinator::State::start_verify() {
  const auto want = *std::exchange(wanted, std::nullopt);
  const auto at = held.find(want.first);
  TIMECTL_CHECK(at != held.end());
  const ChainTip& base = building ? building->tip : tip;
  TIMECTL_CHECK(base.block.height + 1 == want.first);
  VerifyJob job;
  job.staged = building.has_value();
  job.at.network = options.network;
  job.at.parent = base.block;
  job.at.now = now.wall;
  // Where nobody vouches for more than we have, what a source claims says which blocks are old.
  job.at.tip_height =
      std::max({belief.known() ? belief.best.height : Height{0}, plan.target(), want.last});
  job.batch = at->second.batch;
  job.keys = keys;
  const auto within = [&](Height height) { return height >= want.first && height <= want.last; };
  const auto backed = truth.backed(best_facts(), now.mono);
  if (building) {
    if (within(building->ancestor + 1)) {
      job.known.push_back({building->ancestor + 1, building->first_hash});
    }
    if (belief.ground == Ground::witnesses && within(belief.best.height)) {
      job.known.push_back(belief.best);
      job.whole = belief.best.height == want.last;
    }
  } else if (backed.known() && within(backed.best.height)) {
    job.known.push_back(backed.best);
  }
  const auto word = word_on(want.last);
  if (word.hash && !job.whole) {
    std::erase_if(job.known, [&](const Tip& one) { return one.height == want.last; });
    job.known.push_back({want.last, *word.hash});
    job.whole = true;
  }
  verifying = Verifying{want.peer, want.first, want.last, job.staged,
                        false,     job.known,  job.whole, word.hash.has_value()};
  running = job;
  commands.emplace_back(StartJob{std::move(job)});
}

void Coordinator::on_job_done(JobDone done, Now now) {
  auto& s = *state_;
  s.now = now;
  TIMECTL_CHECK(s.running.has_value());
  if (!done) {
    s.failed(done.error());
    return;
  }
  s.running.reset();
  if (s.store_failure) {
    s.store_failure.reset();
    s.say(EventKind::chain_recovered, Severity::notice, "sync goes on");
  }
  std::visit([&](const auto& one) { s.done(one); }, *done);
  s.drain();
}

// Nothing of the job has happened. The plan goes on fetching until its buffer is full.
void Coordinator::State::failed(const Error& error) {
  if (error.code == Code::invalid_argument) return begin_anew(error);
  retry = true;
  retry_at = now.mono + options.policy.store_retry;
  if (!store_failure) {
    say(EventKind::chain_failed, Severity::error,
        error.message + (error.because.empty() ? "" : " (" + error.because + ")") +
            "; it is tried again every " + human_duration(options.policy.store_retry));
  }
  store_failure = error;
}

// The file is not where we thought: a commit that was reported as failed reached the disk. What it
// says counts.
void Coordinator::State::begin_anew(const Error& error) {
  say(EventKind::chain_failed, Severity::warning,
      error.message + "; sync begins anew from what is stored");
  running.reset();
  verifying.reset();
  building.reset();
  upkeep.clear();
  upkeep.emplace_back(DropStagedJob{});
  hashes.clear();
  tip = chain.tip();
  anchor = std::min(anchor, tip.block.height);
  restart_plan(tip.block.height);
  drain();
}

void Coordinator::State::done(const VerifyDone& verified) {
  const auto was = *std::exchange(verifying, std::nullopt);
  if (verified.tip) {
    const Height upto = verified.tip->block.height;
    if (was.staged && building && building->tip.block.height + 1 == was.first) {
      building->tip = *verified.tip;
      building->hashes.insert(building->hashes.end(), verified.hashes.begin(),
                              verified.hashes.end());
      building->progress_at = now.mono;
    } else if (!was.staged) {
      tip = *verified.tip;
      if (was.pinned && upto == was.last) anchor = std::max(anchor, upto);
      truth.on_served(was.peer, {upto, tip.block.hash}, now.mono);
      pace.emplace_back(now.mono, upto);
      while (pace.size() > 1 && now.mono - pace.front().first > kPaceWindow) pace.pop_front();
      if (upto >= pruned_at + kPruneEvery) {
        pruned_at = upto;
        prune_due = true;
      }
    }
    stalled = false;
    pins.erase(pins.begin(), pins.upper_bound(upto));
    if (!was.stale) {
      plan.on_verified(upto, now.mono);
      if (upto == was.last) held.erase(was.first);
    } else if (const Height height = (building ? building->tip : tip).block.height;
               upto == height) {
      plan.on_chain(height, now.mono);  // it began anew below what was being stored
    }
  }
  if (verified.signatures_invalid > 0) doubt_signatures(was, verified.signatures_invalid);
  TIMECTL_CHECK(verified.refused || (verified.tip && verified.tip->block.height == was.last));
  if (verified.refused && !was.stale) refused(was, *verified.refused);
  soon();
}

// The keys are claims, and the protocol calls a mismatch a warning: said once an hour.
void Coordinator::State::doubt_signatures(const Verifying& was, std::size_t count) {
  if (signatures_said && now.mono - *signatures_said < kSaySignatures) return;
  signatures_said = now.mono;
  say(EventKind::signature_doubted, Severity::warning,
      std::to_string(count) + " of the blocks " + std::to_string(was.first) + " to " +
          std::to_string(was.last),
      was.peer);
}

void Coordinator::State::refused(const Verifying& was, const VerifyDone::Refused& refusal) {
  // Another block than the masternodes agree on, or on another one than ours: of another branch. It
  // proves nothing against the peer, also where it said the same as they: it may have gone over
  // since, and most branches are one block long.
  const bool of_a_branch =
      std::all_of(refusal.findings.begin(), refusal.findings.end(), [](const Finding& finding) {
        return finding.reason == Reason::wrong_hash || finding.reason == Reason::wrong_parent ||
               reason_row(finding.reason).effect == Effect::warn;
      });
  DropReason reason = DropReason::bad_block;
  if (refusal.too_early) {
    reason = DropReason::too_early;  // time cures it, and nothing is held against the peer
  } else if (refusal.other_branch || of_a_branch) {
    reason = DropReason::other_branch;
  }
  // It says that it has the block that it did not serve.
  const auto said = pins.find(was.last);
  const auto has = [&](Reason wanted_reason) {
    return std::any_of(refusal.findings.begin(), refusal.findings.end(),
                       [&](const Finding& finding) { return finding.reason == wanted_reason; });
  };
  const bool broke_its_word =
      was.whole && reason == DropReason::other_branch && refusal.height == was.last &&
      has(Reason::wrong_hash) && !has(Reason::wrong_parent) && said != pins.end() &&
      said->second.server == was.peer && said->second.words.contains(was.peer) &&
      said->second.words.at(was.peer) == was.known.back().hash;
  if (broke_its_word) {
    reason = DropReason::wrong_range;
    commands.emplace_back(
        Accuse{was.peer, ViolationKind::wrong_blocks,
               "block " + std::to_string(refusal.height) + " is another one than it says it has"});
  }
  const bool unreadable =
      std::any_of(refusal.findings.begin(), refusal.findings.end(), [](const Finding& finding) {
        return finding.reason == Reason::wrong_hash && finding.found == Value(wire::Hash32{});
      });
  if (unreadable) {
    reason = DropReason::wrong_range;
    commands.emplace_back(Accuse{was.peer, ViolationKind::wrong_blocks,
                                 "blocks from height " + std::to_string(was.first) +
                                     " on that cannot be read, or are in the form before 1.3"});
  }
  const bool broken_answer = refusal.height > was.first && has(Reason::wrong_parent);
  if (broken_answer && reason == DropReason::other_branch) {
    commands.emplace_back(Accuse{was.peer, ViolationKind::wrong_blocks,
                                 "block " + std::to_string(refusal.height) +
                                     " is not on top of the one before it in the same answer"});
  }
  if (reason == DropReason::bad_block) {
    commands.emplace_back(
        Accuse{was.peer, ViolationKind::bad_block,
               "block " + std::to_string(refusal.height) + ": " + findings_text(refusal.findings)});
  }
  plan.on_bad(was.whole ? was.first : refusal.height, reason, now.mono);
}

void Coordinator::State::done(const PruneDone& pruned) {
  prune_due = pruned.pruned >= PruneJob{}.most;  // there is more
}

void Coordinator::State::done(const ReorganiseDone& switched) {
  TIMECTL_CHECK(building.has_value());
  hashes.clear();
  tip = switched.tip;
  anchor = tip.block.height;  // enough masternodes vouch for it
  pace.clear();
  const std::string how =
      "our chain follows the other branch now: " + blocks_text(switched.replaced) +
      " of ours above height " + std::to_string(building->ancestor) + " replaced, height " +
      std::to_string(tip.block.height);
  for (auto& [ip, peer] : peers) {
    peer.search.reset();
    peer.asked_at.reset();
    peer.found.reset();
    peer.searched_at.reset();
    peer.suspected = false;
  }
  building.reset();
  fork_said = fork.has_value();  // what replaced blocks of ours is said in any case
  resolve_fork(how);
  restart_plan(tip.block.height);
}

void Coordinator::State::restart_plan(Height height) {
  for (const auto& [ip, peer] : peers) plan.on_source(ip, std::nullopt, now.mono);
  wanted.reset();
  pins.clear();
  plan.on_chain(height, now.mono);
  for (const auto& [ip, peer] : peers) plan.on_fork_settled(ip, now.mono);
  soon();
}

}  // namespace timectl::chain
