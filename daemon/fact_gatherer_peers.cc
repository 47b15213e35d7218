// What is known of peers: the node's view, their sessions and our attempts of the last day, bans,
// the protection, their chain against ours.

#include <algorithm>
#include <map>

#include "daemon/core/violation.h"
#include "daemon/fact_gatherer.h"
#include "store/peer_history.h"
#include "store/peers_table.h"

namespace timectl {
namespace {

using diagnose::PeerFacts;

constexpr auto kDay = std::chrono::hours(24);
constexpr std::size_t kMaxSessions = 200;   // of one peer: the newest
constexpr std::size_t kMaxEvents = 1000;    // of one peer: the newest
constexpr std::size_t kAllSessions = 5000;  // of all together
constexpr std::size_t kAllDials = 5000;

// What the database and the chain say of many peers, fetched once.
struct Known {
  std::map<IpAddress, PeerDetailView> remembered;  // without a node
  std::map<IpAddress, SyncPeerView> chain;
  std::vector<ForkView> forks;
};

Result<Known> known(const Call& call) {
  Known known;
  const auto& services = call.services;
  if (services.sync) {
    for (auto& row : services.sync->peers()) known.chain.emplace(row.ip, row);
    if (auto forks = services.sync->forks(kMaxEvents)) known.forks = std::move(*forks);
  }
  if (services.node != nullptr) return known;
  const auto memories = store::load_peers(*services.database, services.config->policy.known_peers);
  if (!memories) return memories.error();
  for (const auto& memory : *memories) {
    known.remembered.emplace(memory.ip, view_of(memory, call.now.wall));
  }
  return known;
}

void add_identity(const Call& call, PeerFacts& facts) {
  const auto& services = call.services;
  const auto* entry = services.whitelist->find(facts.ip);
  facts.whitelisted = entry != nullptr;
  if (entry != nullptr) facts.label = entry->label;
  if (services.list == nullptr || !services.list->state.accepted_at) return;
  const auto* listed = entry == nullptr ? nullptr : entry->find(Source::api);
  const bool waits = std::ranges::any_of(services.list->pending, [&](const PendingEntry& pending) {
    return pending.ip == facts.ip && pending.change == PendingChange::add;
  });
  facts.in_api_list = (listed != nullptr && !listed->missing_since) || waits ||
                      services.list->rejections.contains(facts.ip);
}

void add_view(const Call& call, const Known& known, PeerFacts& facts) {
  if (call.services.node != nullptr) {
    if (auto view = call.services.node->peer(facts.ip, call.now)) facts.node = std::move(*view);
  } else if (const auto found = known.remembered.find(facts.ip); found != known.remembered.end()) {
    facts.node = found->second;
    facts.node->label = facts.label;
    facts.node->whitelisted = facts.whitelisted;
  }
  if (!facts.node) return;
  facts.score = facts.node->score;
  facts.contact.last_text = facts.node->last_text;
  facts.contact.dials_last_hour = facts.node->ledger.last_hour;
}

void add_ban(const Call& call, PeerFacts& facts) {
  const auto& services = call.services;
  const auto line = services.whitelist->blacklist().find(facts.ip);
  if (line != services.whitelist->blacklist().end()) {
    facts.banned_here = {.reason = "network.blacklisted_peers (" + line->second + ")",
                         .permanent = true};
    return;
  }
  const auto standing =
      standing_of(facts.whitelisted, services.config->policy.whitelist.ban_immunity);
  if (services.bans->in_force(facts.ip, standing) == nullptr) return;
  for (const auto& ban : services.bans->of(facts.ip, standing, call.now)) {
    facts.banned_here = {.reason = ban.reason, .permanent = !ban.until};
    facts.banned_here_since = ban.since;
    if (ban.until)
      facts.banned_here->remaining_seconds = seconds(Duration(*ban.until - call.now.wall));
  }
}

void add_violations(const Call& call, PeerFacts& facts) {
  const auto& services = call.services;
  const auto standing =
      standing_of(facts.whitelisted, services.config->policy.whitelist.ban_immunity);
  const auto score =
      services.bans->score(facts.ip, standing, services.config->policy.bans, call.now.mono);
  if (!score.last_at || call.now.wall - *score.last_at > kDay) return;
  for (const auto& row : violation_table()) {
    const auto count = score.counts.at(static_cast<std::size_t>(row.kind));
    if (count > 0) facts.contact.violations.push_back({std::string(name_of(row.kind)), count});
  }
}

void add_protection(control::ProtectionRow row, PeerFacts& facts) {
  facts.protection = row.verdict;
  facts.protection_facts = std::move(row.facts);
}

void add_chain(const Known& known, PeerFacts& facts) {
  auto& chain = facts.chain;
  if (facts.node) chain.height = facts.node->height;
  if (const auto row = known.chain.find(facts.ip); row != known.chain.end()) {
    if (row->second.height) chain.height = row->second.height;
    chain.hash_agrees = row->second.hash_agrees;
    const auto& left = row->second.left_because;  // coordinator_views.cc
    const bool unanswered =
        left.starts_with("it did not answer") || left.starts_with("it had no blocks");
    if (unanswered) chain.unanswered = left;
  }
  for (const auto& fork : known.forks) {
    if (fork.resolved_at) continue;
    const auto mine = std::ranges::find(fork.branches, true, &ForkBranchView::ours);
    for (const auto& branch : fork.branches) {
      if (branch.ours || std::ranges::find(branch.peers, facts.ip) == branch.peers.end()) continue;
      chain.tip_hash = branch.tip_hash;
      chain.hash_agrees = false;
      if (mine == fork.branches.end()) continue;
      chain.fork_depth = mine->tip_height - std::min(mine->tip_height, fork.ancestor_height);
      if (mine->majority || branch.majority) chain.ours_is_majority = mine->majority;
    }
  }
}

// One of our attempts, or the beginning or end of a session, oldest first.
void note(const Event& event, PeerFacts& facts) {
  auto& contact = facts.contact;
  if (event.kind == EventKind::dial_failed && event.reason) {
    const auto row =
        std::ranges::find(contact.failed, *event.reason, &diagnose::CountedReason::reason);
    if (row == contact.failed.end()) {
      contact.failed.push_back({*event.reason, 1});
    } else {
      ++row->count;
    }
    contact.last_dial_at = event.at;
    contact.last_dial = event.reason;
    if (contact.last_text.empty()) contact.last_text = event.detail;
  }
  if (event.kind == EventKind::peer_connected && event.direction == Direction::out) {
    contact.last_dial_at = event.at;
    contact.last_dial.reset();
  }
  if (event.kind == EventKind::inbound_accepted || event.kind == EventKind::inbound_rejected) {
    contact.last_inbound_at = event.at;
  }
}

Result<void> add_history(const Call& call, PeerFacts& facts) {
  auto& database = *call.services.database;
  const auto since = call.now.wall - kDay;
  // By the peer's index and a limit alone: a condition on the time would have to read every row of
  // a peer that was quiet today.
  store::SessionFilter sessions;
  sessions.ip = facts.ip;
  sessions.limit = kMaxSessions;
  auto ended = store::list_sessions(database, sessions);
  if (!ended) return ended.error();
  std::erase_if(*ended, [&](const SessionRecord& s) { return s.ended_at < since; });
  std::ranges::reverse(*ended);
  facts.sessions = std::move(*ended);
  store::EventFilter events;
  events.ip = facts.ip;
  events.limit = kMaxEvents;
  const auto happened = store::list_events(database, events);
  if (!happened) return happened.error();
  for (const auto& event : *happened) {
    if (event.at >= since) note(event, facts);
  }
  // A masternode that is down for a day fails more often than that.
  events.kind = EventKind::dial_failed;
  events.since = since;
  const auto counts = store::count_events(database, events);
  if (!counts) return counts.error();
  facts.contact.failed.clear();
  for (const auto& row : *counts) {
    if (row.reason) facts.contact.failed.push_back({*row.reason, row.count});
  }
  return {};
}

void add_memory(const Call& call, const Known& known, PeerFacts& facts) {
  add_identity(call, facts);
  add_view(call, known, facts);
  add_ban(call, facts);
  add_violations(call, facts);
  add_chain(known, facts);
}

// The newest of all peers, to those of `all`.
Result<void> add_histories(const Call& call, std::vector<PeerFacts>& all) {
  auto& database = *call.services.database;
  const auto since = call.now.wall - kDay;
  std::map<IpAddress, PeerFacts*> by_ip;
  for (auto& facts : all) by_ip.emplace(facts.ip, &facts);
  store::SessionFilter sessions;
  sessions.limit = kAllSessions;
  auto ended = store::list_sessions(database, sessions);
  if (!ended) return ended.error();
  std::ranges::reverse(*ended);
  for (auto& session : *ended) {
    const auto found = by_ip.find(session.ip);
    if (found == by_ip.end() || session.ended_at < since) continue;
    auto& kept = found->second->sessions;
    if (kept.size() >= kMaxSessions) kept.erase(kept.begin());
    kept.push_back(std::move(session));
  }
  for (const auto kind : {EventKind::dial_failed, EventKind::peer_connected}) {
    store::EventFilter events;
    events.kind = kind;
    events.limit = kAllDials;
    const auto happened = store::list_events(database, events);
    if (!happened) return happened.error();
    for (const auto& event : *happened) {
      if (!event.peer || event.at < since) continue;
      const auto found = by_ip.find(*event.peer);
      if (found == by_ip.end()) continue;
      // The kinds come one after the other, so an older success must not undo a later failure.
      auto& contact = found->second->contact;
      if (contact.last_dial_at && *contact.last_dial_at > event.at) continue;
      note(event, *found->second);
    }
  }
  return {};
}

}  // namespace

Result<PeerFacts> gather_peer_facts(const Call& call, const IpAddress& ip) {
  if (call.services.flush) call.services.flush();
  const auto all = known(call);
  if (!all) return all.error();
  PeerFacts facts;
  facts.ip = ip;
  add_memory(call, *all, facts);
  auto rows = protection_of(call, {ip});
  if (!rows) return rows.error();
  add_protection(std::move(rows->front()), facts);
  if (auto ok = add_history(call, facts); !ok) return ok.error();
  return facts;
}

Result<std::vector<PeerFacts>> gather_masternode_facts(const Call& call) {
  if (call.services.flush) call.services.flush();
  const auto everything = known(call);
  if (!everything) return everything.error();
  std::vector<PeerFacts> all;
  for (const auto& [ip, entry] : call.services.whitelist->entries()) {
    if (ip == call.services.facts.own_address) continue;  // the API's list has us, too
    PeerFacts facts;
    facts.ip = ip;
    add_memory(call, *everything, facts);
    all.push_back(std::move(facts));
  }
  if (auto ok = add_histories(call, all); !ok) return ok.error();
  return all;
}

}  // namespace timectl
