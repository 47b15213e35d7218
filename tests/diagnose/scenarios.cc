// Scenarios of `diagnose peer`.
#include "tests/diagnose/scenarios.h"

#include <algorithm>

namespace timectl::diagnose {
namespace {

Facts refused_everywhere() {  // T01
  auto f = gone();
  probed(f, Stage::tcp, Outcome::refused);
  no_rpc(f, RpcAnswer::refused);
  return f;
}

Facts deaf_listener() {  // T02
  auto f = gone();
  probed(f, Stage::tcp, Outcome::refused);
  rpc(f).connections_in = 0;
  rpc(f).connections_out = 9;
  return f;
}

Facts blackhole() {  // T03
  auto f = gone();
  probed(f, Stage::tcp, Outcome::timed_out);
  peer(f).probe->tcp->ms = 5000;
  no_rpc(f, RpcAnswer::timed_out);
  return f;
}

Facts silent(RpcAnswer rpc_answer) {  // T05
  auto f = gone();
  probed(f, Stage::tls, Outcome::silent);
  peer(f).probe->tls->ms = 5000;
  if (rpc_answer != RpcAnswer::ok) no_rpc(f, rpc_answer);
  return f;
}

Facts no_ack(std::uint64_t other_frames) {  // T06
  auto f = gone();
  probed(f, Stage::handshake, Outcome::silent);
  peer(f).probe->other_frames = other_frames;
  return f;
}

Facts slots_full() {  // T09
  auto f = gone();
  probed(f, Stage::tls, Outcome::closed);
  peer(f).probe->elsewhere = LayerFacts{.outcome = Outcome::closed, .ms = 2};
  rpc(f).connections_in = 250;
  return f;
}

Facts plain() {  // T10
  auto f = gone();
  probed(f, Stage::tls, Outcome::plaintext);
  peer(f).probe->first_bytes = "0000001f0a000000";
  no_rpc(f, RpcAnswer::refused);
  return f;
}

Facts testnet() {  // T11
  auto f = gone();
  probed(f, Stage::handshake, Outcome::wrong_magic);
  peer(f).probe->magic = "54494d45";
  no_rpc(f, RpcAnswer::refused);
  return f;
}

Facts other_genesis() {  // T13
  auto f = gone();
  probed(f, Stage::genesis, Outcome::mismatch);
  peer(f).probe->genesis_hash = std::string(64, 'a');
  no_rpc(f, RpcAnswer::timed_out);
  return f;
}

Facts own_genesis_unreadable() {  // T14
  auto f = other_genesis();
  f.node.peers.resize(3);  // a masternode that is connected would speak for our genesis
  for (std::size_t i = 0; i < 3; ++i) {
    f.node.peers[i].connected = false;
    f.node.peers[i].ended = EndReason::wrong_genesis;
    f.node.peers[i].ended_at = kNow - 1min;
  }
  f.node.timed = LocalTimedFacts{.rpc_answers = true, .genesis_hash = std::string(64, '0')};
  return f;
}

Facts huge_frame() {  // T15
  auto f = gone();
  probed(f, Stage::ping, Outcome::too_large);
  peer(f).probe->frame_length = 0x20000000;
  no_rpc(f, RpcAnswer::refused);
  return f;
}

Facts late_ack() {  // T16
  auto f = gone();
  probed(f, Stage::genesis, Outcome::ok);
  peer(f).probe->handshake->ms = 1800;
  peer(f).probe->rtt_ms = {310, 620, 900};
  return f;
}

Facts claims_the_future() {  // T17: the clock expects E = 14,001
  auto f = well();
  f.node.sync->best_height.reset();
  f.node.sync->claimed_height = kHeight + 501;
  f.node.sync->lag_blocks.reset();
  live(f).height = kHeight + 501;
  rpc(f).height = kHeight + 501;
  rpc(f).headers = kHeight + 501;
  return f;
}

Facts behind_and_syncing() {  // T18
  auto f = well();
  lag(f, 500, SyncActivity::syncing, 90);
  return f;
}
Facts behind_and_stalled() {
  auto f = well();
  lag(f, 500, SyncActivity::stalled, 0);
  f.node.sync->activity_because = "no peer answered for 2 minutes";
  return f;
}

Facts peer_far_behind() {  // T19
  auto f = well();
  live(f).height = kHeight - 2000;
  peer(f).chain.height = kHeight - 2000;
  rpc(f).height = kHeight - 2000;
  rpc(f).headers = kHeight - 2000;
  return f;
}

Facts forked(bool ours_is_majority) {  // T20
  auto f = well();
  fork(f, 39, ours_is_majority);
  return f;
}

Facts all_stand_still() {  // T22
  auto f = well();
  f.node.sync->network_stalled = true;
  f.node.sync->expected_height = kHeight + 19;
  rpc(f).headers = kHeight;
  return f;
}

Facts peer_clock() {  // T23
  auto f = well();
  probed(f, Stage::genesis, Outcome::ok);
  peer(f).probe->clock_seconds = 600.2;
  rpc(f).clock_seconds = 599.8;
  f.node.peers.front().clock_seconds = 600;
  return f;
}

Facts live_session() {  // T25: nothing is probed, the session answers
  auto f = well();
  f.peer->rpc.reset();
  return f;
}

Facts both_wait() {  // T28
  auto f = gone();
  f.node.address = IpAddress::v4(127, 0, 0, 5);
  f.peer->ip = IpAddress::v4(127, 0, 0, 9);
  live(f).state = PeerState::waiting_passive;
  peer(f).contact = {};
  probed(f, Stage::tcp, Outcome::ok);
  rpc(f).registers_us = false;
  return f;
}

Facts half_open() {  // T33
  auto f = gone();
  had_session(f, 20s, 30h, EndReason::transport_dead);
  peer(f).sessions.back().detail = "no acknowledgement for 45 s";
  dialled(f, EndReason::timed_out, 1);
  no_rpc(f, RpcAnswer::timed_out);
  return f;
}

Facts rpc_is_no_help(RpcAnswer answer) {  // T60
  auto f = gone();
  probed(f, Stage::tcp, Outcome::refused);
  no_rpc(f, answer);
  return f;
}

std::vector<Scenario> peer_scenarios() {
  return {
      {"T01",
       "nothing listens",
       "FM-R1",
       Act::peer,
       "its RPC port refuses, too",
       false,
       refused_everywhere,
       {},
       "FM-R4"},
      {"T02",
       "24000 closed, RPC up for 3 d, 0 in",
       "FM-R4",
       Act::peer,
       "0 inbound",
       false,
       deaf_listener,
       {},
       "FM-R1"},
      {"T03", "the way back is a blackhole", "FM-R2", Act::peer, "5000 ms", false, blackhole},
      {"T05a",
       "accepts and says nothing",
       "FM-R6",
       Act::peer,
       "TCP 2 ms",
       false,
       [] { return silent(RpcAnswer::ok); },
       {},
       "FM-X6"},
      {"T05b",
       "the same, and its RPC hangs",
       "FM-X6",
       Act::peer,
       "says nothing",
       false,
       [] { return silent(RpcAnswer::silent); },
       {},
       "FM-R6"},
      {"T06a", "TLS, and no frame", "FM-H1", Act::peer, "no frame at all", false,
       [] { return no_ack(0); }},
      {"T06b", "TLS, no Ack, other frames", "FM-H1", Act::peer, "it is alive", false,
       [] { return no_ack(4); }},
      {"T09",
       "closes at once, from elsewhere too, 250 in",
       "FM-L3",
       Act::peer,
       "250 inbound",
       false,
       slots_full,
       {},
       "FM-B7"},
      {"T10", "speaks plaintext", "FM-H9", Act::peer, "0000001f0a000000", false, plain},
      {"T11", "answers with the other magic", "FM-H3", Act::peer, "testnet", false, testnet},
      {"T13",
       "another genesis block",
       "FM-H6",
       Act::peer,
       "aaaaaaaaaaaaaaaa, ours 45181d4c",
       false,
       other_genesis,
       {},
       "FM-H8"},
      {"T14",
       "our own genesis block reads as zeros",
       "FM-H8",
       Act::you,
       "ban us in turn",
       false,
       own_genesis_unreadable,
       {},
       "FM-H6"},
      {"T15", "a frame of 0x20000000 bytes", "FM-H12", Act::peer, "536870912", false, huge_frame},
      {"T16", "Ack after 1.8 s", "slow", Act::nobody, "620 ms", false, late_ack, {}, "FM-R6"},
      {"T17",
       "claims E+500",
       "FM-S11",
       Act::peer,
       "500 above the clock-derived maximum",
       false,
       claims_the_future,
       {},
       "FM-S2"},
      {"T18a",
       "we are at E-500 and load blocks",
       "FM-S1",
       Act::nobody,
       "done in",
       false,
       behind_and_syncing,
       {},
       "FM-S5"},
      {"T18b",
       "we are at E-500 and no block comes",
       "FM-S2",
       Act::you,
       "no peer answered",
       false,
       behind_and_stalled,
       {},
       "FM-S5"},
      {"T19",
       "it is at E-2000 on our chain",
       "FM-S14",
       Act::peer,
       "2000 blocks behind",
       false,
       peer_far_behind,
       {},
       "FM-S5"},
      {"T20a", "same height, other chain, ours is the minority", "FM-S5", Act::you,
       "since height 13962", false, [] { return forked(false); }},
      {"T20b", "same height, other chain, ours is the majority", "FM-S5", Act::peer,
       "the majority is on ours", false, [] { return forked(true); }},
      {"T22",
       "everybody is at E-19",
       "FM-S10",
       Act::nobody,
       "the clock expects",
       false,
       all_stand_still,
       {},
       "FM-S14"},
      {"T23",
       "its clock is 600 s ahead",
       "FM-X3",
       Act::peer,
       "+600.2 s",
       false,
       peer_clock,
       {},
       "FM-X1"},
      {"T25", "a session is up", "", Act::nobody, "", false, live_session},
      {"T28", "both wait, and it has forgotten us", "FM-D2", Act::peer,
       "127.0.0.9 is the higher address and has to dial", false, both_wait, "FM-P4"},
      {"T33",
       "TCP stopped acknowledging, dials time out",
       "FM-K1",
       Act::nobody,
       "no acknowledgement for 45 s",
       false,
       half_open,
       {},
       "FM-R2"},
      {"T60a", "refused; its RPC answers 429", "FM-R1", Act::peer, "refused", false,
       [] { return rpc_is_no_help(RpcAnswer::rate_limited); }, "FM-A9"},
      {"T60b", "refused; its RPC sends 200 MB", "FM-R1", Act::peer, "refused", false,
       [] { return rpc_is_no_help(RpcAnswer::too_large); }},
  };
}

}  // namespace

std::vector<Scenario> scenarios() {
  auto all = peer_scenarios();
  for (auto& scenario : node_scenarios()) all.push_back(scenario);
  std::stable_sort(all.begin(), all.end(),
                   [](const Scenario& a, const Scenario& b) { return a.id < b.id; });
  return all;
}

Diagnosis diagnose(const Scenario& scenario) {
  auto facts = scenario.facts();
  if (scenario.node) facts.peer.reset();
  return diagnose(facts);
}

}  // namespace timectl::diagnose
