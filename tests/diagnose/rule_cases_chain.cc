// Cases for the rules of heights and forks: FM-S, FM-A12.
#include <array>

#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

constexpr auto kPeerAct = Act::peer;
constexpr auto kYou = Act::you;
constexpr auto kNobody = Act::nobody;

void at_height(Facts& f, std::uint64_t height) {
  live(f).height = height;
  peer(f).chain.height = height;
  rpc(f).height = height;
  rpc(f).headers = height + 1;
}

constexpr auto kCases = std::to_array<RuleCase>({
    {"FM-S1", About::node, kNobody, Base::well,
     [](Facts& f) { lag(f, 500, SyncActivity::syncing, 120); },
     [](Facts& f) { lag(f, 2, SyncActivity::syncing, 120); }},
    {"FM-S2", About::node, kYou, Base::well,
     [](Facts& f) { lag(f, 500, SyncActivity::stalled, 0); },
     [](Facts& f) { lag(f, 500, SyncActivity::syncing, 120); }},
    {"FM-S2", About::peer, kPeerAct, Base::well,
     [](Facts& f) { peer(f).chain.unanswered = "3 requests for blocks ran out of time"; },
     [](Facts& f) { peer(f).chain.height = kHeight; }},
    {"FM-S13", About::node, kYou, Base::gone,
     [](Facts& f) {
       lag(f, 500, SyncActivity::waiting, 0);
       f.node.sync->masternodes = 0;
     },
     [](Facts& f) { lag(f, 500, SyncActivity::waiting, 0); }},
    {"FM-S4", About::node, kNobody, Base::well,
     [](Facts& f) {
       for (auto& p : f.node.peers) p.height.reset();
     },
     [](Facts& f) {  // it has only started
       for (auto& p : f.node.peers) p.height.reset();
       f.node.started_at = kNow - 30s;
     }},
    {"FM-S5", About::node, kYou, Base::well, [](Facts& f) { fork(f, 39, false); },
     [](Facts& f) { fork(f, 39, true); }},
    {"FM-S7", About::node, kYou, Base::well, [](Facts& f) { fork(f, 101, false); },
     [](Facts& f) { fork(f, 100, false); }},
    {"FM-S6", About::node, kYou, Base::well, [](Facts& f) { fork(f, 39, false, true); },
     [](Facts& f) { fork(f, 39, false); }},
    {"FM-S9", About::node, kYou, Base::well,
     [](Facts& f) {
       fork(f, 39, false);
       f.node.forks.front().seen_at = kNow - 30min;
     },
     [](Facts& f) { fork(f, 39, false); }},
    {"FM-S5", About::peer, kPeerAct, Base::well, [](Facts& f) { fork(f, 39, true); },
     [](Facts& f) { peer(f).chain.fork_depth = 0; }},
    {"FM-S7", About::peer, kPeerAct, Base::well, [](Facts& f) { fork(f, 101, true); },
     [](Facts& f) { fork(f, 100, true); }},
    {"FM-S18", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       fork(f, 39, true);
       rpc(f).connections_in = 0;
       rpc(f).connections_out = 0;
       rpc(f).peers_connected = 0;
     },
     [](Facts& f) { fork(f, 39, true); }},
    {"FM-S8", About::peer, kPeerAct, Base::well, [](Facts& f) { rpc(f).syncing = true; },
     [](Facts& f) {
       rpc(f).syncing = true;
       rpc(f).uptime_seconds = 300;
     }},
    {"FM-S10", About::node, kNobody, Base::well,
     [](Facts& f) {
       f.node.sync->network_stalled = true;
       f.node.sync->expected_height = kHeight + 19;
     },
     [](Facts& f) { f.node.sync->expected_height = kHeight + 2; }},
    {"FM-S11", About::peer, kPeerAct, Base::well, [](Facts& f) { at_height(f, kHeight + 501); },
     [](Facts& f) { at_height(f, kHeight + 2); }},
    {"FM-S14", About::peer, kPeerAct, Base::well, [](Facts& f) { at_height(f, kHeight - 2000); },
     [](Facts& f) { at_height(f, kHeight - 199); }},
    {"FM-S15", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.bad_block_sources = 3;
       f.node.bad_block_reason = "reward";
     },
     [](Facts& f) { f.node.bad_block_sources = 2; }},
    {"FM-S15", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { banned_there(f, "Invalid reorg reward: block 7"); },
     [](Facts& f) { banned_there(f, "Invalid reward distribution"); }},
    {"FM-S5", About::peer, kYou, Base::gone,
     [](Facts& f) { banned_there(f, "AV30 fork alert spam: 9 alerts"); },
     [](Facts& f) { banned_there(f, "Fork chain predates network genesis"); }},
    {"FM-S16", About::node, kYou, Base::well,
     [](Facts& f) { f.node.chain_error = "block 812 does not match its checksum"; },
     [](Facts& f) { lag(f, 500, SyncActivity::stalled, 0); }},
    {"FM-S16", About::peer, kPeerAct, Base::well,
     [](Facts& f) { rpc(f).tip_hash = std::string(64, '0'); },
     [](Facts& f) {
       rpc(f).tip_hash = std::string(64, '0');
       rpc(f).height = 0;
     }},
    {"FM-S17", About::peer, kYou, Base::gone,
     [](Facts& f) { banned_there(f, "Fork chain predates network genesis: 1"); },
     [](Facts& f) { banned_there(f, "Invalid reorg reward: block 7"); }},
    {"FM-A12", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       rpc(f).height = kHeight - 9;
       rpc(f).headers = kHeight - 9;
     },
     [](Facts& f) { rpc(f).height = kHeight - 9; }},
});

}  // namespace

std::span<const RuleCase> chain_cases() {
  return kCases;
}

}  // namespace timectl::diagnose
