// Coordinator: what `timectl sync` shows.
#include <algorithm>

#include "daemon/chain/coordinator_state.h"
#include "daemon/core/reflect.h"

namespace timectl::chain {
namespace {

std::string masternodes_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " masternode" : " masternodes");
}

std::string ground_text(const Standing& standing) {
  const Belief& belief = standing.belief;
  const std::string who = masternodes_text(belief.vouched_by.size());
  if (belief.held) {
    return who + " vouched for it some minutes ago, and nobody contradicts";
  }
  if (belief.ground == Ground::witnesses) {
    return who + (belief.vouched_by.size() == 1 ? " reports" : " report") + " the same block" +
           (belief.split ? "; as many report another one at that height" : "");
  }
  if (belief.ground == Ground::service) return who + " served it and it was verified";
  if (standing.masternodes == 0) return "no masternode is connected";
  if (standing.masternodes < belief.needed) {
    return "only " + masternodes_text(standing.masternodes) + " connected, and " +
           std::to_string(belief.needed) + " must report the same block";
  }
  return masternodes_text(standing.masternodes) + " connected, but no " +
         std::to_string(belief.needed) + " of them report the same block yet";
}

std::string left_text(DropReason reason) {
  struct Row {
    DropReason reason;
    const char* text;
  };
  static constexpr Row kRows[] = {
      {DropReason::stalled, "it did not answer a request for blocks in time"},
      {DropReason::slow, "it answers far slower than others"},
      {DropReason::empty, "it had no blocks that it claims to have"},
      {DropReason::too_early, "it served a block that our clock does not allow yet"},
      {DropReason::wrong_range, "it sent other blocks than it was asked for"},
      {DropReason::bad_block, "it served a bad block"},
      {DropReason::other_branch, "its blocks do not fit on ours"},
  };
  return kRows[static_cast<std::size_t>(reason)].text;
}

}  // namespace

SyncStatusView Coordinator::status(Now now) {
  auto& s = *state_;
  s.now = now;
  const auto standing = s.standing();
  const auto place = s.place();
  SyncStatusView view;
  view.height = s.tip.block.height;
  view.tip_hash = wire::to_hex(s.tip.block.hash);
  view.tip_at = WallTime{std::chrono::seconds(s.tip.timestamp)};
  view.ground = ground_text(standing);
  view.expected_height = standing.expected;
  view.masternodes = standing.masternodes;
  view.network_stalled = standing.network_stalled;
  view.clock_doubted = standing.clock_doubted;
  view.in_sync_blocks = s.options.policy.truth.in_sync_blocks;
  view.spread_blocks = standing.spread;
  view.forks = s.fork ? 1 : 0;
  if (standing.belief.known()) {
    view.best_height = standing.belief.best.height;
    view.vouched_by = standing.belief.vouched_by;
    if (!view.vouched_by.empty()) view.best_peer = view.vouched_by.front();
    view.lag_blocks = standing.lag_blocks;
    if (standing.lag) view.lag_seconds = seconds(*standing.lag);
  }
  view.other_branch = place.other_branch;
  view.parted_at = place.parted_at;
  if (standing.unproven > 0) view.claimed_height = standing.claimed;
  view.paused = s.plan.paused();
  view.syncing = s.plan.phase() != SyncPhase::idle && !view.paused;

  const Height target = std::max(s.plan.target(), view.best_height.value_or(0));
  if (s.pace.size() > 1 && now.mono > s.pace.front().first) {
    const double minutes = seconds(now.mono - s.pace.front().first) / 60;
    const auto blocks = static_cast<double>(s.tip.block.height - s.pace.front().second);
    if (blocks > 0 && now.mono - s.pace.back().first < 60s)
      view.blocks_per_minute = blocks / minutes;
  }
  if (view.syncing && view.blocks_per_minute && target > s.tip.block.height) {
    view.eta_seconds =
        static_cast<double>(target - s.tip.block.height) / *view.blocks_per_minute * 60;
  }
  const bool behind = view.lag_blocks.value_or(0) > view.in_sync_blocks;
  if (!s.options.policy.plan.enabled) {
    view.activity = SyncActivity::disabled;
    view.activity_because = "sync.enabled is false";
  } else if (view.paused) {
    view.activity = SyncActivity::paused;
  } else if (s.store_failure) {
    view.activity = SyncActivity::stalled;
    view.activity_because = "the chain cannot be stored: " + s.store_failure->message;
  } else if (s.fork && s.fork->needs_consent) {
    view.activity = SyncActivity::waiting;
    view.activity_because = "a fork waits for the operator's word: " + s.fork->needs_because;
  } else if (view.syncing) {
    view.activity = s.stalled ? SyncActivity::stalled : SyncActivity::syncing;
    if (s.stalled) {
      view.activity_because = s.disagreement();
      if (view.activity_because.empty()) view.activity_because = "no block came for a minute";
    }
  } else if (behind) {
    view.activity = SyncActivity::waiting;
    const bool weighing = s.evaluate_at && *s.evaluate_at <= now.mono + s.options.policy.settle;
    view.activity_because = weighing || s.plan.target() > s.tip.block.height
                                ? "it begins with the next look"
                                : "nobody who may be asked has more blocks";
  }
  return view;
}

std::vector<SyncPeerView> Coordinator::peers(Now now) {
  auto& s = *state_;
  s.now = now;
  const auto asked = s.plan.asked();
  std::vector<SyncPeerView> views;
  for (auto& row : s.truth.peers(s.best_facts(), asked, now.mono)) {
    SyncPeerView view;
    view.ip = row.ip;
    view.state = name_of(row.standing);
    view.letter = std::string(1, standing_table()[static_cast<std::size_t>(row.standing)].letter);
    view.masternode = row.masternode;
    view.why = std::move(row.why);
    view.height = row.height;
    view.served = row.served;
    view.hash_agrees = row.hash_agrees;
    view.believed = row.believed;
    if (const auto reason = s.plan.dropped(row.ip)) view.left_because = left_text(*reason);
    const auto* peer = s.find(row.ip);
    if (peer != nullptr && peer->found) {
      const auto& found = *peer->found;
      if (found.end == ForkEnd::forked) {
        view.why = "its chain parts from ours after height " + std::to_string(found.ancestor);
      } else if (found.end == ForkEnd::gave_up) {
        view.why = std::string(meaning_of(found.reason));
      }
    }
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<ForkView> Coordinator::open_forks(Now now) const {
  (void)now;
  if (!state_->fork) return {};
  return {*state_->fork};
}

}  // namespace timectl::chain
