#include "tests/diagnose/base_facts.h"

namespace timectl::diagnose {
namespace {

constexpr int kOthers = 5;

NodeFacts well_node() {
  NodeFacts node;
  node.at = kNow;
  node.running = true;
  node.started_at = kNow - 240h;
  node.last_stop_clean = true;
  node.version = "0.6";
  node.commit_count = 2344;
  node.min_commit_count = 2062;
  node.address = kOurs;
  node.clock = {
      .peers_seconds = 0.1, .peers = 6, .ntp_seconds = 0.01, .ntp_asked = 3, .ntp_answered = 3};
  node.resources.disk_free_bytes = 50'000'000'000;
  node.resources.disk_total_bytes = 100'000'000'000;
  node.resources.descriptors = 60;
  node.resources.descriptors_limit = 1024;
  node.resources.log_bytes = 10'000'000;
  node.listener = {.wanted = true,
                   .listening = true,
                   .port = 24000,
                   .network_port = 24000,
                   .inbound_last_day = 40,
                   .reachable = true};
  node.api = {.answer = ApiAnswer::ok, .good_at = kNow - 1h, .entries = 23, .lists_us = true};
  node.whitelisted = 23;
  node.whitelisted_stored = 23;
  node.own_address_banned = false;
  node.own_address_whitelisted = false;
  node.address_shared = false;
  node.slots = SlotsView{.total = 6,
                         .total_max = 125,
                         .regular = 1,
                         .regular_max = 75,
                         .masternode = 5,
                         .masternode_reserved = 50,
                         .inbound = 3,
                         .outbound = 3};
  node.sync = SyncStatusView{.height = kHeight,
                             .best_height = kHeight,
                             .lag_blocks = 0,
                             .expected_height = kHeight + 1,
                             .masternodes = 5};
  node.genesis_hash = kGenesis;
  for (int i = 0; i <= kOthers; ++i) {
    node.peers.push_back({.ip = i == 0 ? kPeer : other_peer(i),
                          .whitelisted = true,
                          .connected = true,
                          .state = PeerState::connected,
                          .height = kHeight,
                          .uptime_seconds = 259'200,
                          .clock_seconds = 0.1});
  }
  return node;
}

RpcFacts well_rpc() {
  RpcFacts rpc;
  rpc.uptime_seconds = 259'200;
  rpc.version = "/timed:1.5.9/";
  rpc.height = kHeight;
  rpc.headers = kHeight + 1;
  rpc.tip_hash = std::string(64, 'b');
  rpc.genesis_hash = kGenesis;
  rpc.syncing = false;
  rpc.clock_seconds = 0.1;
  rpc.connections_in = 13;
  rpc.connections_out = 11;
  rpc.peers_listed = 24;
  rpc.peers_connected = 24;
  rpc.lists_loopback = false;
  rpc.registry_total = 41;
  rpc.registry_active = 30;
  rpc.whitelisted = 23;
  rpc.masternode_status = "active";
  rpc.eligibility = "eligible";
  rpc.publicly_reachable = true;
  rpc.active = true;
  rpc.sees_us = true;
  rpc.our_height = kHeight;
  rpc.our_ping_known = true;
  rpc.our_rows = 1;
  rpc.registers_us = true;
  rpc.registered_connected = true;
  rpc.registered_active = true;
  rpc.our_tier = "Gold";
  rpc.our_identity_at = 1;
  rpc.bans_read = true;
  return rpc;
}

}  // namespace

IpAddress other_peer(int i) {
  return IpAddress::v4(static_cast<std::uint8_t>(80 + i / 50), 12, 7,
                       static_cast<std::uint8_t>(10 + i % 50));
}

Facts well() {
  Facts facts{.node = well_node()};
  auto& peer = facts.peer.emplace();
  peer.ip = kPeer;
  peer.whitelisted = true;
  peer.in_api_list = true;
  auto& live = peer.node.emplace();
  live.ip = kPeer;
  live.direction = Direction::out;
  live.state = PeerState::connected;
  live.whitelisted = true;
  live.connected_at = kNow - 48h;
  live.last_heard_at = kNow - 3s;
  live.height = kHeight;
  live.commit_count = 2344;
  live.path = PathView{};
  peer.chain = {.height = kHeight, .hash_agrees = true, .ours_is_majority = true};
  peer.protection = ProtectionVerdict::enforced;
  for (const auto name : {FactName::declared, FactName::applied, FactName::slot}) {
    peer.protection_facts.push_back({.name = name, .ok = true});
  }
  peer.rpc = well_rpc();
  return facts;
}

Facts gone() {
  auto facts = well();
  auto& live = *facts.peer->node;
  live.state = PeerState::backoff;
  live.direction.reset();
  live.connected_at.reset();
  live.last_heard_at.reset();
  live.path.reset();
  live.height.reset();
  facts.peer->chain = {};
  facts.peer->contact.dials_last_hour = 3;
  facts.peer->contact.last_dial_at = kNow - 5min;
  facts.peer->rpc->sees_us = false;
  facts.peer->rpc->our_height.reset();
  facts.peer->rpc->our_ping_known.reset();
  facts.peer->rpc->registered_connected = false;
  facts.node.peers.front().connected = false;
  facts.node.peers.front().state = PeerState::backoff;
  return facts;
}

void dialled(Facts& facts, EndReason reason, std::uint64_t times) {
  facts.peer->contact.last_dial = reason;
  facts.peer->contact.last_dial_at = kNow - 1min;
  facts.peer->contact.failed = {{reason, times}};
  facts.node.peers.front().ended = reason;
  facts.node.peers.front().ended_at = kNow - 1min;
}

void probed(Facts& facts, Stage stage, Outcome outcome) {
  auto& probe = facts.peer->probe.emplace();
  probe.at = kNow;
  probe.clock_seconds.reset();
  using Member = std::optional<LayerFacts> ProbeFacts::*;
  const std::pair<Stage, Member> layers[] = {{Stage::tcp, &ProbeFacts::tcp},
                                             {Stage::tls, &ProbeFacts::tls},
                                             {Stage::handshake, &ProbeFacts::handshake},
                                             {Stage::ping, &ProbeFacts::ping},
                                             {Stage::tip, &ProbeFacts::tip},
                                             {Stage::genesis, &ProbeFacts::genesis}};
  for (const auto& [at, member] : layers) {
    probe.*member = LayerFacts{.outcome = at == stage ? outcome : Outcome::ok, .ms = 2};
    if (at == stage) return;
  }
}

void no_rpc(Facts& facts, RpcAnswer answer) {
  facts.peer->rpc = RpcFacts{.answer = answer};
}

void had_session(Facts& facts, Duration ago, Duration lasted, EndReason reason,
                 Direction direction) {
  const auto ms = [](Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d);
  };
  SessionRecord session;
  session.ip = facts.peer->ip;
  session.direction = direction;
  session.ended_at = kNow - ms(ago);
  session.started_at = session.ended_at - ms(lasted);
  session.end_reason = reason;
  facts.peer->sessions.push_back(session);
}

void banned_there(Facts& facts, const std::string& reason) {
  facts.peer->rpc->bans_us = BanFacts{.reason = reason, .remaining_seconds = 3000};
  dialled(facts, EndReason::closed_before_tls, 6);
}

void lost_all(Facts& facts, EndReason reason, Duration ago, Duration apart) {
  int i = 0;
  for (auto& peer : facts.node.peers) {
    peer.connected = false;
    peer.state = PeerState::backoff;
    peer.ended = reason;
    peer.ended_at = kNow - std::chrono::duration_cast<std::chrono::milliseconds>(ago - apart * i++);
  }
}

void lag(Facts& facts, std::uint64_t blocks, SyncActivity activity, double blocks_per_minute) {
  auto& sync = *facts.node.sync;
  sync.height = kHeight - blocks;
  sync.lag_blocks = blocks;
  sync.activity = activity;
  sync.syncing = activity == SyncActivity::syncing;
  sync.vouched_by = {other_peer(1), other_peer(2), other_peer(3)};
  if (blocks_per_minute > 0) {
    sync.blocks_per_minute = blocks_per_minute;
    sync.eta_seconds = static_cast<double>(blocks) * 60 / blocks_per_minute;
  }
}

void fork(Facts& facts, std::uint64_t depth, bool ours_is_majority, bool needs_consent) {
  ForkView fork;
  fork.ancestor_height = kHeight - depth;
  fork.seen_at = kNow - 2min;
  fork.needs_consent = needs_consent;
  if (needs_consent) fork.needs_because = "it would undo blocks that are final";
  fork.branches.push_back({.ours = true,
                           .tip_height = kHeight,
                           .masternodes = ours_is_majority ? 4U : 1U,
                           .majority = ours_is_majority});
  fork.branches.push_back({.tip_height = kHeight,
                           .peers = {kPeer},
                           .masternodes = ours_is_majority ? 1U : 4U,
                           .majority = !ours_is_majority});
  facts.node.forks.push_back(fork);
  facts.peer->chain.hash_agrees = false;
  facts.peer->chain.fork_depth = depth;
  facts.peer->chain.ours_is_majority = ours_is_majority;
}

}  // namespace timectl::diagnose
