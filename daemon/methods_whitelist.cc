// whitelist.*: parse all, plan on the core's Whitelist, store in one audited transaction, put,
// tell the node. And the same for the source `config`.

#include <algorithm>

#include "daemon/methods_table.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxAddresses = 5000;  // of one request
const std::string kInConfig = "network.whitelisted_peers";

// What the operator probably meant, so that the next try works: without port, network, zone,
// brackets, leading zeros, or a digit too many.
std::optional<IpAddress> meant(std::string_view text) {
  if (text.size() > 64) return {};
  std::string plain(text);
  std::erase_if(plain, [](char c) { return c == '[' || c == ']' || c == ' '; });
  const auto parsed = [](const std::string& candidate) -> std::optional<IpAddress> {
    auto ip = IpAddress::parse(candidate);
    return ip ? std::optional(*ip) : std::nullopt;
  };
  if (auto ip = parsed(plain)) return ip;
  plain = plain.substr(0, plain.find_first_of("/%"));
  if (auto ip = parsed(plain)) return ip;
  if (const auto colon = plain.rfind(':'); colon != std::string::npos) {
    if (auto ip = parsed(plain.substr(0, colon))) return ip;
  }
  std::string decimal;  // the dotted numbers without leading zeros
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const bool leads = i == 0 || plain[i - 1] == '.';
    if (plain[i] == '0' && (leads || decimal.empty() || decimal.back() == '.') &&
        i + 1 < plain.size() && plain[i + 1] != '.') {
      continue;
    }
    decimal += plain[i];
  }
  if (auto ip = parsed(decimal)) return ip;
  if (!plain.empty()) plain.pop_back();
  return parsed(plain);
}

Result<std::vector<IpAddress>> parse_all(const std::vector<std::string>& texts) {
  std::vector<IpAddress> ips;
  std::optional<Error> first;
  std::size_t bad = 0;
  for (const auto& text : texts) {
    auto ip = IpAddress::parse(text);
    if (ip) {
      ips.push_back(*ip);
      continue;
    }
    if (++bad > 1) continue;
    first = ip.error();
    if (const auto likely = meant(text)) {
      first->remedy = {"timectl whitelist add " + likely->to_string()};
    }
  }
  if (!first) return ips;
  if (bad > 1) {
    first->because += "; " + std::to_string(bad - 1) + " more of the " +
                      std::to_string(texts.size()) + " arguments are none either";
  }
  return *first;
}

Result<void> check_texts(std::size_t count, const std::string& reason,
                         const std::optional<std::string>& label) {
  if (count == 0) return Error{Code::invalid_argument, "no address is given"};
  if (count > kMaxAddresses) {
    return Error{Code::too_large, "over " + std::to_string(kMaxAddresses) + " addresses at once"};
  }
  if (reason.size() > store::kMaxReasonBytes ||
      printable(reason, store::kMaxReasonBytes) != reason) {
    return Error{Code::invalid_argument, "the reason is not one line of printable text",
                 "at most 500 bytes, no control characters"};
  }
  if (!label) return {};
  if (label->empty() || label->size() > store::kMaxLabelBytes ||
      printable(*label, store::kMaxLabelBytes) != *label || IpAddress::parse(*label)) {
    return Error{Code::invalid_argument, "the label is not a name",
                 "1 to 64 bytes of printable text that is not an address"};
  }
  if (count > 1) {
    return Error{Code::invalid_argument,
                 "one label cannot name several peers",
                 "",
                 {"timectl whitelist add IP --label NAME"}};
  }
  return {};
}

// Adding again says only what is new: what is not given stays as it is.
AddRequest add_request(const control::WhitelistAddRequest& request, const IpAddress& ip,
                       const Whitelist& whitelist, const Call& call) {
  AddRequest add;
  add.ip = ip;
  add.label = request.label;
  add.liveness = request.liveness;
  add.source = {Source::manual, request.reason, call.actor.user, call.now.wall};
  const auto* entry = whitelist.find(ip);
  if (const auto* present = entry == nullptr ? nullptr : entry->find(Source::manual)) {
    if (request.reason.empty()) add.source.reason = present->reason;
    add.source.expires_at = present->expires_at;
  }
  if (request.expires_in) {
    add.source.expires_at =
        call.now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(*request.expires_in);
  }
  return add;
}

json::value replies(const std::vector<WhitelistChange>& changes) {
  std::vector<control::ChangeReply> out;
  out.reserve(changes.size());
  for (const auto& change : changes) {
    auto why = change.why;
    if (change.result == ChangeResult::added && change.before) {
      const auto fields = differences(*change.before, *change.after);
      if (!fields.empty()) why = "it was there; " + to_text(fields);
    }
    out.push_back(
        {change.ip, std::string(name_of(change.result)), change.still_by, std::move(why)});
  }
  return to_json(out);
}

control::WhitelistRow row_of(const WhitelistEntry& entry, const Services& services) {
  const auto& strongest = entry.strongest();
  control::WhitelistRow row;
  row.ip = entry.ip;
  row.label = entry.label;
  for (const auto& source : entry.sources) row.sources.push_back(source.source);
  row.reason = strongest.reason;
  row.added_at = strongest.added_at;
  row.added_by = strongest.added_by;
  row.expires_at = strongest.expires_at;
  row.missing_since = strongest.missing_since;
  row.liveness = entry.liveness.value_or(services.config->policy.whitelist.liveness);
  row.own_liveness = entry.liveness;
  row.trusts_us = entry.trusts_us;
  if (services.node != nullptr && services.facts.mode == NodeMode::active) {
    row.connected = services.node->connected(entry.ip);
  }
  return row;
}

std::map<IpAddress, std::string> blacklist_of(const config::Config& config) {
  std::map<IpAddress, std::string> lines;
  for (const auto& peer : config.network.blacklisted_peers) {
    lines.emplace(peer.ip, config.where(peer.line));
  }
  return lines;
}

std::vector<WhitelistChange> plan_config(Services& services, WallTime at) {
  services.whitelist->set_blacklist(blacklist_of(*services.config));
  std::vector<AddRequest> wanted;
  for (const auto& peer : services.config->network.whitelisted_peers) {
    AddRequest add;
    add.ip = peer.ip;
    // Without its line: moving a line in the file is not a change of the whitelist.
    add.source = {Source::config, peer.reason.empty() ? kInConfig : peer.reason, "config", at};
    if (!peer.label.empty()) add.label = peer.label;
    add.liveness = peer.liveness;
    add.trusts_us = peer.trusts_us;
    wanted.push_back(std::move(add));
  }
  return services.whitelist->plan_config(wanted);
}

}  // namespace

control::Reply whitelist_add(const Call& call) {
  const auto request = read_params<control::WhitelistAddRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = check_texts(request->ips.size(), request->reason, request->label); !ok) {
    return {ok.error()};
  }
  const auto ips = parse_all(request->ips);
  if (!ips) return {ips.error()};
  // Several are planned on a copy, so that they see each other (the same twice, the limit).
  const auto& present = *call.services.whitelist;
  std::optional<Whitelist> copy;
  if (ips->size() > 1) copy.emplace(present);
  std::vector<WhitelistChange> changes;
  for (const auto& ip : *ips) {
    const auto& seen = copy ? *copy : present;
    changes.push_back(seen.plan_add(add_request(*request, ip, seen, call)));
    if (copy) copy->put(changes.back());
  }
  auto answer = replies(changes);
  if (request->dry_run) return {std::move(answer)};
  return change_reply(
      call, {.origin = origin_of(call), .changes = std::move(changes), .reason = request->reason},
      std::move(answer));
}

control::Reply whitelist_remove(const Call& call) {
  const auto request = read_params<control::WhitelistRemoveRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = check_texts(request->ips.size(), request->reason, {}); !ok) return {ok.error()};
  std::vector<WhitelistChange> changes;
  std::set<IpAddress> seen;
  for (const auto& name : request->ips) {
    const auto ip = resolve_peer(call, name);
    if (!ip) return {ip.error()};
    if (!seen.insert(*ip).second) continue;
    changes.push_back(call.services.whitelist->plan_remove(*ip, Source::manual));
  }
  auto answer = replies(changes);
  return change_reply(
      call, {.origin = origin_of(call), .changes = std::move(changes), .reason = request->reason},
      std::move(answer));
}

control::Reply whitelist_list(const Call& call) {
  const auto request = read_params<control::WhitelistListRequest>(call);
  if (!request) return {request.error()};
  json::array rows;
  for (const auto& [ip, entry] : call.services.whitelist->entries()) {
    if (request->source && entry.find(*request->source) == nullptr) continue;
    rows.push_back(to_json(row_of(entry, call.services)));
  }
  return {json::value(std::move(rows))};
}

control::Reply whitelist_show(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  const auto* entry = call.services.whitelist->find(*ip);
  if (entry == nullptr) {
    return {Error{Code::not_found,
                  ip->to_string() + " is not whitelisted",
                  "",
                  {"timectl whitelist add " + ip->to_string(), "timectl whitelist list"}}};
  }
  control::WhitelistDetail detail;
  static_cast<control::WhitelistRow&>(detail) = row_of(*entry, call.services);
  detail.by_source = entry->sources;
  return {to_json(detail)};
}

Result<std::vector<WhitelistChange>> sync_config_whitelist(Services& services,
                                                           const std::string& via) {
  const auto now = services.now();
  auto changes = plan_config(services, now.wall);
  const store::AuditOrigin origin{now.wall, std::string(store::kActorConfig), {}, {}, via};
  ChangeWriter writer(services, {.origin = origin, .changes = changes});
  if (auto done = writer.finish(); !done) return done.error();
  return changes;
}

void show_config_whitelist(Services& services) {
  for (const auto& change : plan_config(services, services.now().wall)) {
    services.whitelist->put(change);
  }
}

}  // namespace timectl
