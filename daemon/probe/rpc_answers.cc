// What the answers of a peer's RPC mean (protocol 11.2, 11.3). Nothing here has seen a socket.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <set>

#include "daemon/core/events.h"
#include "daemon/probe/rpc.h"
#include "daemon/probe/rpc_reply.h"

namespace timectl::probe {
namespace {

using boost::json::value;
using diagnose::RpcFacts;

constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kShortText = 100;
// Of a time: no clock is wrong by millennia.
constexpr double kLatestTime = 1e11;

const value* member(const value& from, std::string_view name) {
  const auto* object = from.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::optional<double> number(const value* v) {
  if (v == nullptr || !v->is_number()) return std::nullopt;
  const double got = v->is_double()  ? v->get_double()
                     : v->is_int64() ? static_cast<double>(v->get_int64())
                                     : static_cast<double>(v->get_uint64());
  return std::isfinite(got) ? std::optional(got) : std::nullopt;
}

std::optional<double> span(const value* v) {  // seconds
  const auto got = number(v);
  return got && *got >= 0 && *got <= kLatestTime ? got : std::nullopt;
}

std::optional<std::uint64_t> count(const value* v) {
  if (v == nullptr) return std::nullopt;
  if (v->is_uint64()) return v->get_uint64();
  if (v->is_int64() && v->get_int64() >= 0) return static_cast<std::uint64_t>(v->get_int64());
  return std::nullopt;
}

std::optional<bool> flag(const value* v) {
  if (v == nullptr || !v->is_bool()) return std::nullopt;
  return v->get_bool();
}

std::string_view raw(const value* v) {
  if (v == nullptr || !v->is_string()) return {};
  const auto& text = v->get_string();
  return {text.data(), text.size()};
}

std::string text(const value* v, std::size_t most = kShortText) {
  return printable(raw(v), most);
}

std::string hash(const value* v) {
  const auto digits = raw(v);
  const bool hex =
      digits.size() == kHashDigits && std::all_of(digits.begin(), digits.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      });
  return hex ? std::string(digits) : std::string();
}

// The first answer that knows it is kept.
template <class T>
void learn(std::optional<T>& into, const std::optional<T>& what) {
  if (what) into = what;
}
void learn(std::string& into, std::string what) {
  if (!what.empty()) into = std::move(what);
}

const boost::json::array* rows(const value* v) {
  return v == nullptr ? nullptr : v->if_array();
}

bool chain_info(const value& v, const RpcRequest&, WallTime now, RpcFacts& facts) {
  if (!v.is_object()) return false;
  learn(facts.height, count(member(v, "blocks")));
  learn(facts.headers, count(member(v, "headers")));
  learn(facts.syncing, flag(member(v, "initialblockdownload")));
  const auto tip = hash(member(v, "bestblockhash"));
  if (tip.find_first_not_of('0') != std::string::npos) facts.tip_hash = tip;  // else: unreadable
  if (const auto clock = span(member(v, "mediantime"))) {
    // Whole seconds, cut: on average half of one is missing.
    constexpr double kCut = 0.5;
    facts.clock_seconds = *clock + kCut - static_cast<double>(now.time_since_epoch().count()) / 1e3;
  }
  return facts.height.has_value();
}

bool uptime(const value& v, const RpcRequest&, WallTime, RpcFacts& facts) {
  const auto up = span(&v);
  learn(facts.uptime_seconds, up);
  return up.has_value();
}

bool network_info(const value& v, const RpcRequest&, WallTime, RpcFacts& facts) {
  if (!v.is_object()) return false;
  learn(facts.connections_in, count(member(v, "connections_in")));
  learn(facts.connections_out, count(member(v, "connections_out")));
  if (facts.version.empty()) {  // "/timed:1.5.9/"
    auto version = raw(member(v, "subversion"));
    version.remove_prefix(std::min(version.find(':') + 1, version.size()));
    facts.version = printable(version.substr(0, version.find('/')), kShortText);
  }
  return facts.connections_in || facts.connections_out;
}

bool info(const value& v, const RpcRequest&, WallTime, RpcFacts& facts) {
  if (!v.is_object()) return false;
  learn(facts.version, text(member(v, "version")));
  if (!facts.uptime_seconds) facts.uptime_seconds = span(member(v, "uptime"));
  if (!facts.height) facts.height = count(member(v, "blocks"));
  return count(member(v, "blocks")).has_value();
}

void note_loopback(RpcFacts& facts, const std::optional<IpAddress>& ip) {
  if (ip && ip->is_loopback()) facts.lists_loopback = true;
}

// It lists masternodes only (protocol 11.11): that we are missing there says nothing.
bool peer_info(const value& v, const RpcRequest& request, WallTime, RpcFacts& facts) {
  const auto* list = v.if_array();
  if (list == nullptr) return false;
  facts.peers_listed = list->size();
  std::uint64_t connected = 0;
  std::uint64_t ours = 0;
  if (!facts.lists_loopback) facts.lists_loopback = false;
  for (const auto& row : *list) {
    const bool up = flag(member(row, "connected")) == true;
    if (up) ++connected;
    const auto ip = listed_address(raw(member(row, "addr")));
    note_loopback(facts, ip);
    if (!ip || ip != request.us) continue;
    ++ours;
    if (facts.sees_us == true && !up) continue;  // another row of ours is the better one
    facts.sees_us = up;
    learn(facts.our_height, count(member(row, "height")));
    const auto* ping = member(row, "pingtime");
    if (ping != nullptr) facts.our_ping_known = ping->is_number();
  }
  facts.peers_connected = connected;
  if (request.us) facts.our_rows = ours;
  return true;
}

bool masternodes(const value& v, const RpcRequest& request, WallTime, RpcFacts& facts) {
  const auto* list = rows(member(v, "masternodes"));
  if (list == nullptr) return false;
  learn(facts.registry_total, count(member(v, "total_in_registry")));
  std::uint64_t active = 0;
  std::string collateral = request.our_collateral;
  if (request.us) facts.registers_us = false;
  for (const auto& row : *list) {
    const auto is_active = flag(member(row, "is_active"));
    if (is_active == true) ++active;
    if (!request.us || listed_address(raw(member(row, "address"))) != request.us) continue;
    facts.registers_us = true;
    learn(facts.registered_connected, flag(member(row, "is_connected")));
    learn(facts.registered_active, is_active);
    learn(facts.our_tier, text(member(row, "tier")));
    if (collateral.empty()) collateral = raw(member(row, "collateral_outpoint"));
  }
  facts.registry_active = active;
  if (collateral.empty()) return true;
  std::set<IpAddress> places;
  for (const auto& row : *list) {
    if (raw(member(row, "collateral_outpoint")) != collateral) continue;
    if (const auto ip = listed_address(raw(member(row, "address")))) places.insert(*ip);
  }
  facts.our_identity_at = places.size();
  return true;
}

bool masternode_status(const value& v, const RpcRequest&, WallTime, RpcFacts& facts) {
  learn(facts.masternode_status, text(member(v, "status")));
  learn(facts.eligibility, text(member(v, "eligibility_status"), 200));
  learn(facts.publicly_reachable, flag(member(v, "is_publicly_reachable")));
  learn(facts.active, flag(member(v, "is_active")));
  if (facts.version.empty()) facts.version = text(member(v, "version"));
  return !raw(member(v, "status")).empty();
}

void read_ban(const value& row, bool permanent, RpcFacts& facts) {
  diagnose::BanFacts ban;
  ban.reason = text(member(row, "reason"), 200);
  ban.permanent = permanent;
  if (!permanent) ban.remaining_seconds = span(member(row, "remaining_secs"));
  facts.bans_us = ban;
}

bool bans(const value& v, const RpcRequest& request, WallTime, RpcFacts& facts) {
  const auto* permanent = rows(member(v, "permanent"));
  const auto* temporary = rows(member(v, "temporary"));
  if (permanent == nullptr || temporary == nullptr) return false;
  facts.bans_read = true;
  const auto each = [&](const boost::json::array* list, const auto& act) {
    if (list == nullptr) return;
    for (const auto& row : *list) {
      const auto ip = listed_address(raw(member(row, "ip")));
      note_loopback(facts, ip);
      if (ip && ip == request.us) act(row);
    }
  };
  each(temporary, [&](const value& row) { read_ban(row, false, facts); });
  each(permanent, [&](const value& row) { read_ban(row, true, facts); });  // the graver one
  each(rows(member(v, "violations")),
       [&](const value& row) { learn(facts.our_violations, count(member(row, "violations"))); });
  const auto* subnets = rows(member(v, "subnets"));
  if (subnets == nullptr || !request.us) return true;
  for (const auto& row : *subnets) {
    const auto cidr = raw(member(row, "subnet"));
    if (!in_subnet(*request.us, cidr)) continue;
    const auto reason = text(member(row, "reason"), 200);
    facts.bans_our_subnet = printable(cidr) + (reason.empty() ? "" : ": " + reason);
  }
  return true;
}

bool whitelist(const value& v, const RpcRequest&, WallTime, RpcFacts& facts) {
  learn(facts.whitelisted, count(member(v, "count")));
  return count(member(v, "count")).has_value();
}

bool genesis(const value& v, const RpcRequest&, WallTime, RpcFacts& facts) {
  learn(facts.genesis_hash, hash(&v));
  return !hash(&v).empty();
}

struct Reader {
  std::string_view method;
  bool (*read)(const value& result, const RpcRequest& request, WallTime now, RpcFacts& facts);
};
constexpr auto kReaders = std::to_array<Reader>({
    {"getblockchaininfo", chain_info},
    {"uptime", uptime},
    {"getnetworkinfo", network_info},
    {"getinfo", info},
    {"getpeerinfo", peer_info},
    {"getbanlist", bans},
    {"masternodelist", masternodes},
    {"masternodestatus", masternode_status},
    {"getwhitelist", whitelist},
    {"getblockhash", genesis},
});

}  // namespace

bool read_rpc_result(std::string_view method, const value& result, const RpcRequest& request,
                     WallTime now, RpcFacts& facts) {
  const auto* reader = std::find_if(kReaders.begin(), kReaders.end(),
                                    [&](const Reader& r) { return r.method == method; });
  return reader != kReaders.end() && reader->read(result, request, now, facts);
}

}  // namespace timectl::probe
