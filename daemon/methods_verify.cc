// whitelist.verify: gathers what protection.h judges, from as many places as there are: the
// database, the configuration, the ban table, the node's connections, the history.

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "daemon/core/liveness.h"
#include "daemon/core/protection.h"
#include "daemon/methods_table.h"
#include "store/peer_history.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

constexpr std::size_t kSessionsSearched = 50;  // for the last loss of one peer

struct Kept {
  std::map<IpAddress, WhitelistEntry> stored;
  std::set<IpAddress> configured;
};

Result<Kept> kept(const Call& call) {
  auto entries = store::load_whitelist(*call.services.database);
  if (!entries) return entries.error();
  Kept kept;
  for (auto& entry : *entries) {
    const IpAddress ip = entry.ip;
    kept.stored.emplace(ip, std::move(entry));
  }
  for (const auto& peer : call.services.config->network.whitelisted_peers) {
    kept.configured.insert(peer.ip);
  }
  return kept;
}

// Each source of the entry in memory is where that source is kept.
bool is_kept(const WhitelistEntry& entry, const Kept& kept) {
  const auto stored = kept.stored.find(entry.ip);
  return std::ranges::all_of(entry.sources, [&](const WhitelistSource& source) {
    if (source.source == Source::config) return kept.configured.contains(entry.ip);
    return stored != kept.stored.end() && stored->second.find(source.source) != nullptr;
  });
}

std::string ban_of(const Call& call, const IpAddress& ip, Standing standing) {
  const auto& services = call.services;
  const auto line = services.whitelist->blacklist().find(ip);
  if (line != services.whitelist->blacklist().end()) {
    return "banned by network.blacklisted_peers (" + line->second + ")";
  }
  const Ban* ban = services.bans->in_force(ip, standing);
  return ban == nullptr ? "" : "banned " + ban_term(*ban);
}

std::uint64_t missed_pongs_limit(const Call& call, const WhitelistEntry* entry) {
  const Policy& policy = call.services.config->policy;
  const auto profile =
      entry == nullptr ? LivenessProfile{} : entry->liveness.value_or(policy.whitelist.liveness);
  const auto rules = liveness_rules(policy.liveness, true, profile);
  return rules.never ? std::numeric_limits<std::uint64_t>::max() : rules.missed_pongs;
}

Result<std::optional<SessionRecord>> last_loss(const Call& call, const IpAddress& ip) {
  store::SessionFilter filter;
  filter.ip = ip;
  filter.limit = kSessionsSearched;
  const auto sessions = store::list_sessions(*call.services.database, filter);
  if (!sessions) return sessions.error();
  for (const auto& session : *sessions) {
    if (session.whitelisted && is_incident(session.end_reason)) return std::optional(session);
  }
  return std::optional<SessionRecord>();
}

Result<control::ProtectionRow> verify(const Call& call, const IpAddress& ip, const Kept& kept) {
  const auto& services = call.services;
  const auto* entry = services.whitelist->find(ip);
  const auto standing =
      standing_of(entry != nullptr, services.config->policy.whitelist.ban_immunity);
  auto loss = last_loss(call, ip);
  if (!loss) return loss.error();
  ProtectionInput input;
  input.whitelisted = entry != nullptr;
  input.stored = entry != nullptr ? is_kept(*entry, kept)
                                  : kept.stored.contains(ip) || kept.configured.contains(ip);
  if (entry != nullptr) {
    for (const auto& source : entry->sources) {
      input.sources += (input.sources.empty() ? "" : ", ") + std::string(name_of(source.source));
    }
  }
  input.ban = ban_of(call, ip, standing);
  input.immune = standing == Standing::immune;
  input.last_loss = std::move(*loss);
  input.missed_pongs_limit = missed_pongs_limit(call, entry);
  if (services.node == nullptr) {
    input.not_live_because = "no node is running";
  } else {
    input.live = services.node->protection(ip, call.now);
    input.not_live_because = "the node runs passive and connects to nobody";
  }
  control::ProtectionRow row;
  row.ip = ip;
  if (entry != nullptr) row.label = entry->label;
  row.facts = protection_facts(input);
  row.verdict = protection_verdict(row.facts);
  return row;
}

bool is_own(const Services& services, const IpAddress& ip) {
  return services.facts.own_address == ip || services.config->node.external_address == ip;
}

}  // namespace

Result<std::vector<control::ProtectionRow>> protection_of(const Call& call,
                                                          const std::vector<IpAddress>& ips) {
  if (call.services.flush) call.services.flush();
  const auto where = kept(call);
  if (!where) return where.error();
  std::vector<control::ProtectionRow> rows;
  for (const auto& ip : ips) {
    auto row = verify(call, ip, *where);
    if (!row) return row.error();
    rows.push_back(std::move(*row));
  }
  return rows;
}

control::Reply whitelist_verify(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  std::vector<IpAddress> ips;
  if (!request->peer.empty()) {
    const auto ip = resolve_peer(call, request->peer);
    if (!ip) return {ip.error()};
    ips.push_back(*ip);
  } else {
    for (const auto& [ip, entry] : call.services.whitelist->entries()) {
      if (!is_own(call.services, ip)) ips.push_back(ip);  // the API's list has us, too
    }
  }
  const auto rows = protection_of(call, ips);
  if (!rows) return {rows.error()};
  return {to_json(*rows)};
}

}  // namespace timectl
