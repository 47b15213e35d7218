#include "daemon/fact_gatherer.h"

#include <algorithm>
#include <set>

#include "daemon/host_facts.h"
#include "daemon/wire/network_params.h"
#include "store/api_table.h"
#include "store/peer_history.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

using diagnose::ApiAnswer;

constexpr auto kDay = std::chrono::hours(24);
constexpr auto kHour = std::chrono::hours(1);
constexpr std::size_t kMaxEvents = 1000;       // of one kind: the newest
constexpr std::size_t kMaxForks = 100;         // open ones
constexpr std::size_t kMaxBriefs = 5000;       // what NodeFacts may hold
constexpr std::size_t kRecentSessions = 2000;  // of all peers: how each was lost last
constexpr std::size_t kMaxListed = 500;  // entries of the API's list whose peers are looked at

struct AnswerRow {
  FetchStep step;
  ApiAnswer answer;
};
constexpr AnswerRow kAnswers[] = {
    {FetchStep::dns, ApiAnswer::unresolved},      {FetchStep::connect, ApiAnswer::timed_out},
    {FetchStep::proxy, ApiAnswer::timed_out},     {FetchStep::tls, ApiAnswer::tls_failed},
    {FetchStep::redirect, ApiAnswer::http_error}, {FetchStep::status, ApiAnswer::http_error},
    {FetchStep::size, ApiAnswer::too_large},      {FetchStep::timeout, ApiAnswer::timed_out},
    {FetchStep::json, ApiAnswer::wrong_shape},    {FetchStep::shape, ApiAnswer::wrong_shape},
    {FetchStep::file, ApiAnswer::http_error},
};

// The newest events of a kind that are not older than that.
Result<std::vector<Event>> newest(const Call& call, EventKind kind, Duration within,
                                  std::size_t limit = kMaxEvents) {
  store::EventFilter filter;
  filter.kind = kind;
  filter.limit = limit;
  auto events = store::list_events(*call.services.database, filter);
  if (!events) return events.error();
  std::erase_if(*events, [&](const Event& event) { return call.now.wall - event.at > within; });
  return events;
}

std::optional<WallTime> last_of(const Call& call, EventKind kind) {
  const auto events = newest(call, kind, Duration::max(), 1);
  if (!events || events->empty()) return std::nullopt;
  return events->back().at;
}

void add_process(const Call& call, diagnose::NodeFacts& facts) {
  const auto& services = call.services;
  facts.at = call.now.wall;
  facts.network = services.config->network.name;
  facts.running = services.node != nullptr;
  facts.version = TIMECTL_VERSION;
  facts.commit_count = services.config->policy.commit_count;
  facts.min_commit_count = services.config->policy.min_peer_commit_count;
  facts.address = services.facts.own_address;
  facts.config.external_ip = services.config->node.external_address;
  if (!services.database->file().empty()) {
    facts.last_stop_clean = !services.database->stopped_uncleanly();
  }
  const auto& params = wire::params_of(facts.network == Network::mainnet ? wire::Network::mainnet
                                                                         : wire::Network::testnet);
  facts.genesis_hash = wire::to_hex(params.genesis_hash);
  if (services.node == nullptr) return;
  facts.started_at = call.now.wall - std::chrono::duration_cast<std::chrono::milliseconds>(
                                         call.now.mono - services.facts.started);
  facts.ailments = services.node->ailments();
  facts.slots = services.node->slots();
  const auto clock = services.node->clock();
  facts.clock.peers = clock.peers;
  facts.clock.peers_seconds = clock.ahead_seconds;
}

void add_host(const Call& call, diagnose::NodeFacts& facts) {
  HostSources sources;
  const auto& services = call.services;
  sources.data_dir = services.data_dir.empty() ? services.facts.data_dir : services.data_dir;
  sources.log_file = services.config->node.log_file;
  facts.resources = host_facts(sources, call.now.wall);
  if (services.descriptors_refused) {
    facts.resources.descriptors_refused = services.descriptors_refused();
  }
  if (services.node != nullptr) return;
  // Without a node this process is a command, whose descriptors and memory mean nothing.
  const auto disk = facts.resources;
  facts.resources = {.disk_free_bytes = disk.disk_free_bytes,
                     .disk_total_bytes = disk.disk_total_bytes,
                     .log_bytes = disk.log_bytes,
                     .log_bytes_a_day = disk.log_bytes_a_day};
}

// A node on loopback is one of a laboratory, whose nodes all use its port; so do those of a network
// of one's own, which is one without public addresses.
std::uint64_t network_port(const config::Config& config, const std::optional<IpAddress>& own) {
  const bool of_our_own = own && (own->is_private() || own->is_loopback());
  if (config.node.listen.is_loopback() || of_our_own) return config.p2p_port();
  return wire::params_of(config.network.name == Network::mainnet ? wire::Network::mainnet
                                                                 : wire::Network::testnet)
      .port;
}

Result<void> add_listener(const Call& call, diagnose::NodeFacts& facts) {
  const auto& services = call.services;
  auto& listener = facts.listener;
  listener.port = services.config->p2p_port();
  listener.network_port = network_port(*services.config, services.facts.own_address);
  const auto accepted = newest(call, EventKind::inbound_accepted, kDay);
  if (!accepted) return accepted.error();
  listener.inbound_last_day = accepted->size();
  if (!accepted->empty()) listener.reachable = true;
  const auto warned = newest(call, EventKind::unreachable_said, kDay);
  if (!warned) return warned.error();
  std::set<IpAddress> by;
  for (const auto& event : *warned) {
    if (event.peer) by.insert(*event.peer);
  }
  listener.unreachable_said_by = by.size();
  const auto refused = newest(call, EventKind::inbound_rejected, kHour);
  if (!refused) return refused.error();
  facts.inbound_refused_hour = static_cast<std::uint64_t>(
      std::ranges::count(*refused, std::optional(EndReason::refused), &Event::reason));
  if (services.node == nullptr) return {};
  listener.wanted = services.facts.mode == NodeMode::active;
  listener.listening = services.facts.listen.has_value();
  // A day without one guest, although we are in touch with others.
  if (accepted->empty() && *listener.listening && facts.slots && facts.slots->outbound > 0 &&
      call.now.mono - services.facts.started >= kDay) {
    listener.reachable = false;
  }
  return {};
}

ApiAnswer answer_of(const ListState& state) {
  if (state.held_since) return ApiAnswer::held_back;
  if (!state.failing_since || !state.failed_step) return ApiAnswer::ok;
  // What outage() of core/discovery.h says is a list, and an empty one.
  if (state.failed_because.find("taken for an outage") != std::string::npos) {
    return ApiAnswer::empty;
  }
  const auto* row = std::ranges::find(kAnswers, *state.failed_step, &AnswerRow::step);
  return row == std::end(kAnswers) ? ApiAnswer::http_error : row->answer;
}

// Whitelisted by the API's list, and heard of by nobody for a day.
std::uint64_t dead_for_a_day(const Call& call) {
  const auto& services = call.services;
  if (services.node == nullptr || call.now.mono - services.facts.started < kDay) return 0;
  std::uint64_t dead = 0;
  std::size_t looked = 0;
  for (const auto& [ip, entry] : services.whitelist->entries()) {
    if (entry.find(Source::api) == nullptr || ip == services.facts.own_address) continue;
    if (++looked > kMaxListed) break;
    const auto view = services.node->peer(ip, call.now);
    if (!view) continue;
    if (!view->last_heard_at || call.now.wall - *view->last_heard_at > kDay) ++dead;
  }
  return dead;
}

Result<void> add_api(const Call& call, diagnose::NodeFacts& facts) {
  const auto& services = call.services;
  if (!services.config->discovery.enabled) return {};  // what was fetched before is not renewed
  if (services.list == nullptr || !services.list->state.attempted_at) return {};
  const auto& state = services.list->state;
  auto& api = facts.api;
  api.answer = answer_of(state);
  api.detail = state.held_since ? state.held_because : state.failed_because;
  api.good_at = state.accepted_at;
  for (const auto& [ip, entry] : services.whitelist->entries()) {
    const auto* source = entry.find(Source::api);
    if (source != nullptr && !source->missing_since) ++api.entries;
  }
  const auto snapshots = store::list_snapshots(*services.database, 1);
  if (!snapshots) return snapshots.error();
  if (!snapshots->empty()) api.refused_entries = snapshots->back().refused;
  api.dead_for_a_day = dead_for_a_day(call);
  // Of a node that is no masternode nobody expects that.
  if (state.accepted_at && state.accepted_lists_us) api.lists_us = true;
  return {};
}

Result<void> add_lists(const Call& call, diagnose::NodeFacts& facts) {
  const auto& services = call.services;
  facts.whitelisted = services.whitelist->size();
  const auto stored = store::load_whitelist(*services.database);
  if (!stored) return stored.error();
  std::set<IpAddress> kept;
  for (const auto& entry : *stored) kept.insert(entry.ip);
  for (const auto& peer : services.config->network.whitelisted_peers) kept.insert(peer.ip);
  facts.whitelisted_stored = kept.size();
  const auto& own = services.facts.own_address;
  if (!own) return {};
  facts.own_address_banned = services.whitelist->blacklist().contains(*own) ||
                             services.bans->in_force(*own, Standing::stranger) != nullptr;
  // The API's list has every masternode, us too; put there by hand it is a mistake.
  const auto* entry = services.whitelist->find(*own);
  facts.own_address_whitelisted =
      entry != nullptr &&
      std::ranges::any_of(entry->sources, [](const auto& s) { return s.source != Source::api; });
  for (const auto& [ip, other] : services.whitelist->entries()) {
    if (ip != *own && ip.subnet() == own->subnet()) ++facts.nodes_in_our_subnet;
  }
  return {};
}

void add_chain(const Call& call, diagnose::NodeFacts& facts) {
  auto view = sync_view(call);
  if (!view) {
    facts.chain_error = view.error().message;
    return;
  }
  // Without a chain there is nothing to be behind with.
  if (view->height) facts.sync = std::move(*view);
  if (!call.services.sync) return;
  if (auto forks = call.services.sync->forks(kMaxForks)) {
    for (auto& fork : *forks) {
      if (!fork.resolved_at) facts.forks.push_back(std::move(fork));
    }
  }
}

// Masternodes whose blocks we refused in the last hour, and why, where they all say the same.
Result<void> add_refusals(const Call& call, diagnose::NodeFacts& facts) {
  const auto events = newest(call, EventKind::violation, kHour);
  if (!events) return events.error();
  std::map<std::string, std::set<IpAddress>> by_reason;
  for (const auto& event : *events) {
    const bool refused = event.detail.starts_with("bad_block");
    if (refused && event.peer && event.whitelisted) by_reason[event.detail].insert(*event.peer);
  }
  for (const auto& [reason, peers] : by_reason) {
    if (peers.size() <= facts.bad_block_sources) continue;
    facts.bad_block_sources = peers.size();
    facts.bad_block_reason = reason;
  }
  return {};
}

Result<void> add_audit(const Call& call, diagnose::NodeFacts& facts) {
  const auto problem = store::audit_tail_problem(*call.services.database);
  if (!problem) return problem.error();
  facts.audit_broken = !problem->empty();
  return {};
}

void add_config(const Call& call, diagnose::NodeFacts& facts) {
  const auto rejected = last_of(call, EventKind::config_rejected);
  if (!rejected) return;
  const auto reloaded = last_of(call, EventKind::config_reloaded);
  const auto started = last_of(call, EventKind::node_started);
  facts.config.rejected =
      *rejected > std::max(reloaded.value_or(WallTime{}), started.value_or(WallTime{}));
}

Result<void> add_briefs(const Call& call, diagnose::NodeFacts& facts) {
  const auto& services = call.services;
  if (services.node == nullptr) return {};  // nobody knows who would be connected
  std::map<IpAddress, const SessionRecord*> lost;
  store::SessionFilter filter;
  filter.limit = kRecentSessions;
  const auto sessions = store::list_sessions(*services.database, filter);
  if (!sessions) return sessions.error();
  for (const auto& session : *sessions) lost.emplace(session.ip, &session);  // the newest first
  for (const auto& view : services.node->peers(call.now)) {
    if (facts.peers.size() >= kMaxBriefs) break;
    diagnose::PeerBrief brief{.ip = view.ip, .whitelisted = view.whitelisted};
    brief.connected = services.node->connected(view.ip);
    brief.state = view.state;
    brief.height = view.height;
    if (brief.connected) {
      if (const auto more = services.node->peer(view.ip, call.now)) {
        brief.clock_seconds = more->clock_seconds;
      }
    }
    if (const auto found = lost.find(view.ip); found != lost.end()) {
      brief.ended_at = found->second->ended_at;
      brief.ended = found->second->end_reason;
    }
    facts.peers.push_back(brief);
  }
  return {};
}

}  // namespace

Result<diagnose::NodeFacts> gather_node_facts(const Call& call) {
  if (call.services.flush) call.services.flush();
  diagnose::NodeFacts facts;
  add_process(call, facts);
  add_host(call, facts);
  add_chain(call, facts);
  add_config(call, facts);
  for (const auto add : {add_listener, add_api, add_lists, add_refusals, add_audit, add_briefs}) {
    if (auto ok = add(call, facts); !ok) return ok.error();
  }
  return facts;
}

}  // namespace timectl
