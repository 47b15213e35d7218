// Rules about heights, forks and the chain on disk: FM-S, and the height that a peer tells.
#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr double kProgress = 2;        // blocks a minute: one in 30 s (FM-S1)
constexpr double kZombie = 200;        // blocks behind (FM-S14)
constexpr std::uint64_t kDeep = 100;   // blocks that timed undoes (FM-S7)
constexpr double kLongSyncing = 600;   // seconds (FM-S8)
constexpr double kForkHangs = 600;     // seconds
constexpr double kTipsShouldBe = 120;  // seconds after our start
constexpr std::uint64_t kSameRefusal = 3;
constexpr std::size_t kTipless = 3;

bool behind(const NodeFacts& node) {
  return node.sync && node.sync->lag_blocks && *node.sync->lag_blocks > node.sync->in_sync_blocks;
}

std::string lag_text(const NodeFacts& node) {
  return std::to_string(*node.sync->lag_blocks) + " blocks behind what is believed";
}

void catching_up(const Scene& s, Proof& p) {
  if (!behind(s.node())) return;
  const auto& sync = *s.node().sync;
  if (!sync.syncing || sync.blocks_per_minute.value_or(0) < kProgress) return;
  p.add(Side::ours, 0.9,
        lag_text(s.node()) + ", " + number_text(*sync.blocks_per_minute) + " blocks a minute" +
            (sync.eta_seconds ? ", done in " + span_text(*sync.eta_seconds) : ""));
  if (!sync.vouched_by.empty()) {
    p.add(Side::others, 0.5,
          std::to_string(sync.vouched_by.size()) + " peers vouch for the height");
  }
}

void sync_stalls(const Scene& s, Proof& p) {
  if (!behind(s.node())) return;
  const auto& sync = *s.node().sync;
  const bool slow = sync.syncing && sync.blocks_per_minute.value_or(0) < kProgress;
  if (sync.activity != SyncActivity::stalled && !slow) return;
  p.add(Side::ours, 0.7, lag_text(s.node()) + ", and no block comes");
  if (!sync.activity_because.empty()) p.add(Side::ours, 0.4, printable(sync.activity_because));
  if (!sync.vouched_by.empty()) {
    p.add(Side::others, 0.4, std::to_string(sync.vouched_by.size()) + " peers have the blocks");
  }
}

void answers_no_blocks(const Scene& s, Proof& p) {
  if (!s.connected() || s.peer().chain.unanswered.empty()) return;
  p.add(Side::ours, 0.65, printable(s.peer().chain.unanswered));
  p.acts(Act::peer);
}

void nobody_trusted(const Scene& s, Proof& p) {
  const auto& node = s.node();
  if (!node.sync || node.sync->activity != SyncActivity::waiting) return;
  if (node.whitelisted.value_or(0) == 0 || node.sync->masternodes > 0) return;
  p.add(Side::ours, 0.7, "no masternode is connected, and regular peers are not believed");
  if (node.sync->height && *node.sync->height < node.sync->expected_height) {
    p.add(Side::ours, 0.4,
          "the clock expects height " + std::to_string(node.sync->expected_height));
  }
}

void no_tips(const Scene& s, Proof& p) {
  const auto& node = s.node();
  std::size_t connected = 0;
  std::size_t told = 0;
  for (const auto& peer : node.peers) {
    if (!peer.connected) continue;
    ++connected;
    if (peer.height) ++told;
  }
  if (connected < kTipless || told > 0) return;
  if (node.started_at && s.seconds_since(*node.started_at) < kTipsShouldBe) return;
  p.add(Side::ours, 0.7, std::to_string(connected) + " peers are connected, none told a height");
}

const ForkBranchView* branch(const ForkView& fork, bool ours) {
  const auto at = std::find_if(fork.branches.begin(), fork.branches.end(), [&](const auto& b) {
    return ours ? b.ours : (!b.ours && b.majority);
  });
  return at == fork.branches.end() ? nullptr : &*at;
}

// Blocks of ours that the majority does not have; none where we are no minority.
std::optional<std::uint64_t> minority_depth(const ForkView& fork) {
  const auto* mine = branch(fork, true);
  if (mine == nullptr || mine->majority || branch(fork, false) == nullptr) return std::nullopt;
  return mine->tip_height > fork.ancestor_height ? mine->tip_height - fork.ancestor_height : 0;
}

void minority(const Scene& s, Proof& p, bool deep) {
  for (const auto& fork : s.node().forks) {
    const auto depth = minority_depth(fork);
    if (!depth || (*depth > kDeep) != deep) continue;
    const auto* theirs = branch(fork, false);
    p.add(Side::others, 0.85,
          count_text(theirs->masternodes, "masternode has", "masternodes have") +
              " another chain since height " + std::to_string(fork.ancestor_height + 1));
    p.add(Side::ours, 0.4, std::to_string(*depth) + " blocks of ours are not on it");
  }
}

void minority_fork(const Scene& s, Proof& p) {
  minority(s, p, false);
}
void deep_fork(const Scene& s, Proof& p) {
  minority(s, p, true);
}

void finality_holds(const Scene& s, Proof& p) {
  for (const auto& fork : s.node().forks) {
    const auto depth = minority_depth(fork);
    if (!depth || *depth > kDeep || !fork.needs_consent) continue;
    p.add(Side::others, 0.7,
          "the majority's chain leaves ours at height " + std::to_string(fork.ancestor_height));
    p.add(Side::ours, 0.7, "our side does not switch by itself: " + printable(fork.needs_because));
  }
}

void fork_hangs(const Scene& s, Proof& p) {
  for (const auto& fork : s.node().forks) {
    if (!minority_depth(fork) || fork.needs_consent || fork.resolved_at) continue;
    const auto age = s.seconds_since(fork.seen_at);
    if (age < kForkHangs) continue;
    p.add(Side::ours, 0.7,
          "the fork at height " + std::to_string(fork.ancestor_height) + " is open for " +
              span_text(age));
  }
}

bool differs(const Scene& s) {
  return s.peer().chain.hash_agrees == false;
}

void peer_forked(const Scene& s, Proof& p, bool deep) {
  const auto& chain = s.peer().chain;
  if (!differs(s) || (chain.fork_depth.value_or(0) > kDeep) != deep) return;
  std::string where = "its chain is another than ours";
  if (chain.fork_depth) where += " for " + std::to_string(*chain.fork_depth) + " blocks";
  p.add(Side::peer, 0.6, where);
  if (!chain.ours_is_majority) return p.doubt(0.3);
  p.add(Side::others, 0.7,
        *chain.ours_is_majority ? "the majority is on ours" : "the majority is on its chain");
  p.acts(*chain.ours_is_majority ? Act::peer : Act::you);
}

void peer_on_fork(const Scene& s, Proof& p) {
  peer_forked(s, p, false);
}
void peer_deep_fork(const Scene& s, Proof& p) {
  peer_forked(s, p, true);
}

void solo(const Scene& s, Proof& p) {
  const auto& rpc = s.rpc();
  if (!differs(s) || rpc.connections_in != 0U || rpc.connections_out != 0U) return;
  if (s.peer().chain.ours_is_majority == false) return;
  p.add(Side::peer, 0.7, "it has no connection at all");
  p.add(Side::ours, 0.5, "and a chain of its own");
}

void flag_stuck(const Scene& s, Proof& p) {
  const auto best = s.reference_height();
  if (s.rpc().syncing != true || !s.rpc().height || !best) return;
  if (!s.uptime_at_least(kLongSyncing)) return;
  if (static_cast<double>(*s.rpc().height) + 1 < *best) return;
  p.add(Side::peer, 0.5,
        "it says that it is syncing, at height " + std::to_string(*s.rpc().height));
  p.add(Side::others, 0.4, "which is where everybody is");
}

void network_stalls(const Scene& s, Proof& p) {
  const auto& sync = s.node().sync;
  if (!sync || !sync->network_stalled) return;
  p.add(Side::others, 0.85,
        "all peers are at our height" + (sync->height ? " " + std::to_string(*sync->height) : "") +
            ", the clock expects " + std::to_string(sync->expected_height));
  p.add(Side::ours, 0.3, "and nobody claims the next block");
}

void implausible(const Scene& s, Proof& p) {
  const auto& sync = s.node().sync;
  const auto height = s.peer_height();
  if (!sync || sync->expected_height == 0 || !height) return;
  const auto most = static_cast<double>(sync->expected_height) + 1;
  if (*height <= most) return;
  const auto above = *height - static_cast<double>(sync->expected_height);
  p.add(Side::ours, 0.8,
        number_text(above) + " above the clock-derived maximum " +
            std::to_string(sync->expected_height));
  p.add(Side::peer, 0.6, "it claims height " + number_text(*height));
}

void far_behind(const Scene& s, Proof& p) {
  const auto best = s.reference_height();
  const auto height = s.peer_height();
  if (!best || !height || *height + kZombie > *best) return;
  p.add(Side::peer, 0.7,
        "it is at height " + number_text(*height) + ", " + number_text(*best - *height) +
            " blocks behind");
  if (s.peer().chain.hash_agrees == true) {
    p.add(Side::ours, 0.5, "its chain is ours as far as it goes");
  }
  if (differs(s)) p.doubt(0.6);
}

void drift(const Scene& s, Proof& p) {
  if (s.node().bad_block_sources < kSameRefusal) return;
  p.add(Side::others, 0.8,
        std::to_string(s.node().bad_block_sources) +
            " masternodes serve the same next block, and we refuse it");
  if (!s.node().bad_block_reason.empty()) {
    p.add(Side::ours, 0.4, printable(s.node().bad_block_reason));
  }
}

void chain_broken(const Scene& s, Proof& p) {
  if (!s.node().chain_error.empty()) p.add(Side::ours, 0.95, printable(s.node().chain_error));
}

void peer_block_unreadable(const Scene& s, Proof& p) {
  const auto& rpc = s.rpc();
  if (rpc.height.value_or(0) == 0) return;
  if (all_zero(rpc.tip_hash)) {
    p.add(Side::peer, 0.8,
          "the hash of its tip at height " + std::to_string(*rpc.height) + " reads as zeros");
  }
  if (all_zero(rpc.genesis_hash)) p.add(Side::peer, 0.8, "its genesis block reads as zeros");
}

void before_genesis(const Scene& s, Proof& p) {
  const auto* ban = s.banned_there("FM-S17");
  if (ban != nullptr) p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
}

void reward_drift_ban(const Scene& s, Proof& p) {
  const auto* ban = s.banned_there("FM-S15");
  if (ban != nullptr) p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
}

void alert_ban(const Scene& s, Proof& p) {
  const auto* ban = s.banned_there("FM-S5");
  if (ban != nullptr) p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
}

void headers_stale(const Scene& s, Proof& p) {
  const auto& rpc = s.rpc();
  const auto best = s.reference_height();
  if (!rpc.headers || !rpc.height || !best || *rpc.headers != *rpc.height) return;
  constexpr double kBehind = 2;
  if (static_cast<double>(*rpc.height) + kBehind >= *best) return;
  p.add(Side::peer, 0.7,
        "it takes its own height " + std::to_string(*rpc.height) + " for the best one");
  p.add(Side::others, 0.5, "believed is " + number_text(*best));
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-S1", About::node, Severity::notice, Act::nobody, "FM-S2 FM-S13", catching_up},
    {"FM-S2", About::node, Severity::error, Act::you, "", sync_stalls},
    {"FM-S2", About::peer, Severity::warning, Act::peer, "", answers_no_blocks},
    {"FM-S13", About::node, Severity::warning, Act::you, "FM-S2", nobody_trusted},
    {"FM-S4", About::node, Severity::warning, Act::nobody, "FM-S2", no_tips},
    {"FM-S5", About::node, Severity::critical, Act::you, "FM-S2", minority_fork},
    {"FM-S7", About::node, Severity::critical, Act::you, "FM-S2 FM-S5 FM-S9", deep_fork},
    {"FM-S6", About::node, Severity::critical, Act::you, "FM-S5 FM-S9 FM-S2", finality_holds},
    {"FM-S9", About::node, Severity::critical, Act::you, "FM-S5 FM-S2", fork_hangs},
    {"FM-S5", About::peer, Severity::critical, Act::peer, "FM-S14 FM-S8", peer_on_fork},
    {"FM-S7", About::peer, Severity::critical, Act::peer, "FM-S5 FM-S14 FM-S8", peer_deep_fork},
    {"FM-S18", About::peer, Severity::critical, Act::peer, "FM-S5 FM-S7 FM-S14 FM-A11", solo},
    {"FM-S8", About::peer, Severity::warning, Act::peer, "", flag_stuck},
    {"FM-S10", About::node, Severity::warning, Act::nobody, "FM-S1 FM-S2 FM-S13 FM-S14 FM-A12",
     network_stalls},
    {"FM-S11", About::peer, Severity::warning, Act::peer, "FM-S1 FM-S2", implausible},
    {"FM-S14", About::peer, Severity::error, Act::peer, "FM-A12", far_behind},
    {"FM-S15", About::node, Severity::critical, Act::you, "FM-S2", drift},
    {"FM-S15", About::peer, Severity::error, Act::peer, "FM-H11 FM-P4 FM-D2", reward_drift_ban},
    {"FM-S5", About::peer, Severity::error, Act::you, "FM-H11 FM-P4 FM-D2", alert_ban},
    {"FM-S16", About::node, Severity::critical, Act::you, "FM-S2 FM-S13", chain_broken},
    {"FM-S16", About::peer, Severity::error, Act::peer, "FM-H6", peer_block_unreadable},
    {"FM-S17", About::peer, Severity::error, Act::you, "FM-H11 FM-P4 FM-D2", before_genesis},
    {"FM-A12", About::peer, Severity::notice, Act::peer, "", headers_stale},
});

}  // namespace

std::span<const Rule> chain_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
