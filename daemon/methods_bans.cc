// ban.*: an operator's bans are planned on the core's Bans, stored in one audited transaction, put,
// and told to the node, which closes what is open. The config's stand in the file and are shown.

#include <algorithm>

#include "daemon/methods_table.h"
#include "store/ban_table.h"

namespace timectl {
namespace {

Result<void> check_reason(const std::string& reason) {
  if (reason.size() <= store::kMaxBanReasonBytes &&
      printable(reason, store::kMaxBanReasonBytes) == reason) {
    return {};
  }
  return Error{Code::invalid_argument, "the reason is not one line of printable text",
               "at most 500 bytes, no control characters"};
}

Standing standing(const Call& call, const IpAddress& ip) {
  return standing_of(call.services.whitelist->contains(ip),
                     call.services.config->policy.whitelist.ban_immunity);
}

bool is_own(const Services& services, const IpAddress& ip) {
  const auto& node = services.config->node;
  return services.facts.own_address == ip || node.external_address == ip ||
         (node.listen == ip && !ip.is_unspecified());
}

Error refusal(const BanChange& change, const Whitelist& whitelist) {
  const std::string name = change.ip.to_string();
  if (change.code == Code::whitelisted) {
    std::string sources;
    std::vector<std::string> remedy{"timectl whitelist show " + name};
    for (const auto& source : whitelist.find(change.ip)->sources) {
      if (source.source == Source::manual) remedy.push_back("timectl whitelist remove " + name);
      if (source.source == Source::config) {
        remedy.emplace_back("take it out of network.whitelisted_peers, then timectl node reload");
      }
      sources += (sources.empty() ? "" : ", ") + std::string(name_of(source.source));
    }
    return {change.code, name + " is whitelisted and cannot be banned",
            "it is whitelisted by: " + sources, std::move(remedy)};
  }
  if (change.code == Code::config_holds) {
    return {change.code,
            "the configuration bans " + name,
            change.why,
            {"take it out of the file, then timectl node reload"}};
  }
  return {change.code, name + " cannot be banned", change.why, {"timectl ban list"}};
}

Result<json::value> commit(const Call& call, const std::vector<BanChange>& changes,
                           const std::string& reason) {
  const auto& services = call.services;
  for (const auto& change : changes) {
    if (change.result == ChangeResult::refused) return refusal(change, *services.whitelist);
  }
  if (auto ok = store::apply_bans(*services.database, origin_of(call), changes, reason); !ok) {
    return ok.error();
  }
  std::vector<control::BanReply> replies;
  for (const auto& change : changes) {
    services.bans->put(change, call.now);
    if (services.node != nullptr) services.node->on_ban_changed(change, call.now);
    const auto& ban = change.after ? change.after : change.before;
    control::BanReply reply{change.ip, std::string(name_of(change.result)), {}, {}, change.why};
    if (ban) reply.origin = ban->origin;
    if (change.after) reply.until = change.after->until;
    replies.push_back(std::move(reply));
  }
  if (services.pump) services.pump();
  return to_json(replies);
}

control::BanRow row_of(const Ban& ban, bool exempt) {
  return {ban.ip,       covered_by(ban), ban.origin, ban.reason,
          ban.added_by, ban.since,       ban.until,  exempt};
}

control::BanRow config_row(const IpAddress& ip, const std::string& line) {
  control::BanRow row;
  row.ip = ip;
  row.covers = ip.to_string();
  row.origin = BanOrigin::config;
  row.reason = "network.blacklisted_peers (" + line + ")";
  row.added_by = "config";
  return row;
}

void add_violations(control::BanWhy& why, const ViolationScore& score) {
  why.score = score.total();
  why.last_violation_at = score.last_at;
  for (const auto& row : violation_table()) {
    const auto count = score.counts.at(static_cast<std::size_t>(row.kind));
    if (count > 0) why.violations.push_back({row.kind, count, row.points, row.gravity});
  }
}

}  // namespace

control::Reply ban_add(const Call& call) {
  const auto request = read_params<control::BanAddRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = check_reason(request->reason); !ok) return {ok.error()};
  const auto ip = resolve_peer(call, request->ip);
  if (!ip) return {ip.error()};
  const auto& services = call.services;
  if (is_own(services, *ip)) {
    return {Error{Code::invalid_argument, ip->to_string() + " is our own address"}};
  }
  const BanRequest wanted{*ip, request->reason, call.actor.user, request->lasts};
  return {commit(call,
                 {services.bans->plan_add(wanted, *services.whitelist, services.config->policy.bans,
                                          call.now.wall)},
                 request->reason)};
}

control::Reply ban_remove(const Call& call) {
  const auto request = read_params<control::BanRemoveRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = check_reason(request->reason); !ok) return {ok.error()};
  const auto ip = resolve_peer(call, request->ip);
  if (!ip) return {ip.error()};
  const auto& services = call.services;
  return {commit(call,
                 services.bans->plan_remove(*ip, *services.whitelist,
                                            services.config->policy.whitelist.ban_immunity),
                 request->reason)};
}

control::Reply ban_list(const Call& call) {
  std::vector<control::BanRow> rows;
  for (const auto& [ip, line] : call.services.whitelist->blacklist()) {
    rows.push_back(config_row(ip, line));
  }
  for (const auto& ban : call.services.bans->all(call.now)) {
    rows.push_back(row_of(ban, standing(call, ban.ip) == Standing::immune));
  }
  std::ranges::stable_sort(rows, {}, &control::BanRow::ip);
  return {to_json(rows)};
}

control::Reply ban_why(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  const auto& services = call.services;
  const BanPolicy& policy = services.config->policy.bans;
  const Standing stands = standing(call, *ip);
  control::BanWhy why;
  why.ip = *ip;
  why.whitelisted = stands != Standing::stranger;
  why.immune = stands == Standing::immune;
  const auto line = services.whitelist->blacklist().find(*ip);
  if (line != services.whitelist->blacklist().end()) {
    why.bans.push_back(config_row(*ip, line->second));
  }
  for (const auto& ban : services.bans->of(*ip, stands, call.now)) {
    why.bans.push_back(row_of(ban, why.immune));
  }
  why.banned = std::ranges::any_of(why.bans, [](const auto& row) { return !row.exempt; });
  const auto score = services.bans->score(*ip, stands, policy, call.now.mono);
  if (services.node != nullptr) add_violations(why, score);
  why.offences = score.offences;
  why.threshold = policy.threshold;
  why.half_life = policy.half_life;
  why.next_ban = rung(policy, score.offences + 1);
  return {to_json(why)};
}

}  // namespace timectl
