// status and getnetworkinfo: the verdict and what it rests on.

#include <algorithm>
#include <map>

#include "daemon/alert_facts.h"
#include "daemon/alert_keeper.h"
#include "daemon/control/past_api.h"
#include "daemon/methods_table.h"

namespace timectl {
namespace {

std::optional<double> uptime(const Call& call) {
  if (call.services.node == nullptr) return {};
  return seconds(call.now.mono - call.services.facts.started);
}

control::MasternodesStatus masternodes(const Call& call) {
  const auto& services = call.services;
  control::MasternodesStatus out;
  if (services.node != nullptr && services.facts.mode == NodeMode::active) {
    auto view = services.node->masternodes(call.now);
    out = {view.whitelisted, view.connected, std::move(view.down)};
    return out;
  }
  out.whitelisted = services.whitelist->size();
  return out;
}

std::string several(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void judge(control::StatusReply& reply) {
  const auto total = reply.masternodes.whitelisted;
  const auto connected = reply.masternodes.connected.value_or(0);
  if (total == 0) {
    reply.verdict = Verdict::degraded;
    reply.summary = "the whitelist is empty: no masternode is protected";
    reply.next_command = "timectl whitelist add IP";
  } else if (connected == total) {
    reply.verdict = Verdict::ok;
    reply.summary = total == 1
                        ? "the whitelisted masternode is connected"
                        : "all " + std::to_string(total) + " whitelisted masternodes are connected";
    reply.next_command = "timectl peer list";
  } else {
    reply.verdict = connected == 0 ? Verdict::critical : Verdict::degraded;
    reply.summary = connected == 0
                        ? (total == 1 ? "the whitelisted masternode is not connected"
                                      : "none of " + std::to_string(total) +
                                            " whitelisted masternodes is connected")
                        : std::to_string(total - connected) + " of " +
                              several(total, "whitelisted masternode") + " not connected";
    reply.next_command = reply.masternodes.down.empty()
                             ? "timectl peer list --whitelisted"
                             : "timectl peer show " + reply.masternodes.down.front().ip.to_string();
  }
}

// The chain as far as it is known. An error: the stored one cannot be read.
std::optional<Error> add_sync(control::StatusReply& reply, const Call& call) {
  const auto view = sync_view(call);
  if (!view) return view.error();
  reply.sync = {view->height,
                view->best_height,
                view->lag_blocks,
                view->claimed_height,
                control::verdict_of(*view),
                view->ground,
                view->height ? std::optional(view->activity) : std::nullopt};
  return {};
}

control::AlertLine line_of(const AlertCondition& condition, const Alerts* engine, WallTime now) {
  control::AlertLine line{.severity = alert_rule_row(condition.rule).severity,
                          .text = condition.text,
                          .since = condition.since,
                          .rule = std::string(name_of(condition.rule)),
                          .object = condition.object};
  if (engine == nullptr) return line;
  if (const auto* alert = engine->find(condition.rule, condition.object)) {
    line.since = alert->since;
    if (alert->id != 0) line.id = alert->id;
    if (alert->acked_at) line.acked_by = alert->acked_by;
  }
  if (const auto* silence = engine->silence_of(condition.rule, condition.object, now)) {
    line.silenced_until = silence->until;
  }
  return line;
}

std::string next_step(const AlertCondition& condition) {
  if (condition.rule == AlertRule::list_held_back) return "timectl whitelist pending";
  const bool asks = condition.text.find("timectl sync fork") != std::string::npos;
  return asks ? "timectl sync fork" : "timectl sync status";
}

SlowAlertFacts slow_of(const Services& services) {
  return services.alerts == nullptr ? SlowAlertFacts{} : services.alerts->slow();
}

// What the alert rules say of now (alert_conditions.h), and what of it the verdict must say.
void add_alerts(control::StatusReply& reply, const Call& call, const std::optional<Error>& chain) {
  constexpr std::size_t kMostDown = 10;
  const auto& services = call.services;
  const Alerts* engine = services.alerts == nullptr ? nullptr : &services.alerts->alerts();
  auto look = alert_look(alert_facts(services, slow_of(services), kMostDown, call.now));
  if (chain) {
    look.holding.push_back({.rule = AlertRule::chain_failed,
                            .text = "The stored chain cannot be read: " + chain->message});
  }
  // What is open and cannot be looked at now has not ended.
  for (const auto& alert : engine == nullptr ? std::vector<Alert>{} : engine->open()) {
    if (alert.state == AlertState::firing && !look.known.contains(alert.rule)) {
      look.holding.push_back({alert.rule, alert.object, alert.text, alert.since});
    }
  }
  std::erase_if(look.holding,
                [&](const auto& condition) { return look.disabled.contains(condition.rule); });
  for (const auto& condition : without_consequences(std::move(look.holding))) {
    if (!condition.brief.empty() && reply.verdict <= Verdict::degraded) {
      if (reply.verdict == Verdict::ok) reply.next_command = next_step(condition);
      reply.verdict = Verdict::degraded;
      reply.summary += "; " + condition.brief;
    }
    reply.alerts.push_back(line_of(condition, engine, call.now.wall));
  }
  std::ranges::stable_sort(reply.alerts, {}, &control::AlertLine::severity);
}

// Its own trouble first: what it says of others rests on it.
void judge_node(control::StatusReply& reply) {
  if (reply.node.ailments.empty()) return;
  const auto& first = reply.node.ailments.front();
  reply.summary = "this node itself is in trouble (" + std::string(name_of(first.ailment)) + "); " +
                  reply.summary;
  if (reply.verdict == Verdict::ok) {
    reply.verdict = Verdict::degraded;
    reply.next_command = "timectl explain " + std::string(name_of(first.ailment));
  }
}

}  // namespace

control::StatusReply status_now(const Call& call) {
  const auto& services = call.services;
  control::StatusReply reply;
  reply.network = name_of(services.config->network.name);
  reply.masternodes = masternodes(call);
  if (services.node == nullptr) {
    reply.summary = "no node is running; " + several(reply.masternodes.whitelisted, "masternode") +
                    " whitelisted";
    reply.next_command = "timectl node start";
    add_alerts(reply, call, add_sync(reply, call));
    return reply;
  }
  const auto& facts = services.facts;
  reply.node = {true,
                facts.pid,
                facts.mode,
                uptime(call),
                facts.listen,
                facts.passive_because,
                services.node->ailments()};
  reply.slots = services.node->slots();
  if (facts.mode == NodeMode::passive) {
    reply.summary = "the node runs passive and opens no connection: " +
                    (facts.passive_because.empty() ? "asked to" : facts.passive_because);
    reply.next_command = "timectl node info";
  } else {
    judge(reply);
  }
  add_alerts(reply, call, add_sync(reply, call));
  judge_node(reply);
  if (const auto failure = write_failure(services, slow_of(services))) {
    reply.verdict = Verdict::critical;
    reply.summary = "the database cannot be written: " + *failure;
    reply.next_command = "timectl db check";
  }
  return reply;
}

control::Reply status(const Call& call) {
  const auto request = read_params<control::StatusRequest>(call);
  if (!request) return {request.error()};
  if (request->at) return past_status(call, *request->at);
  return {to_json(status_now(call))};
}

control::Reply network_info(const Call& call) {
  const auto& services = call.services;
  const auto& facts = services.facts;
  control::NetworkInfo info;
  info.version = TIMECTL_VERSION;
  info.network = name_of(services.config->network.name);
  info.pid = facts.pid;
  info.mode = facts.mode;
  info.passive_because = facts.passive_because;
  info.listen = facts.listen.value_or("");
  info.own_address = facts.own_address;
  info.socket = facts.socket;
  info.data_dir = facts.data_dir;
  info.service = facts.service;
  if (!services.config->file.empty()) info.config_file = services.config->file;
  info.dashboard_url = facts.dashboard.url;
  if (!facts.dashboard.token_file.empty()) info.dashboard_token_file = facts.dashboard.token_file;
  info.dashboard_off_because = facts.dashboard.off_because;
  info.uptime_seconds = uptime(call).value_or(0);
  info.commit_count = services.config->policy.commit_count;
  info.slots = services.node->slots();
  info.whitelist_count = services.whitelist->size();
  std::map<IpAddress, PeerView> views;
  for (auto& peer : services.node->peers(call.now)) views.emplace(peer.ip, std::move(peer));
  for (const auto& [ip, entry] : services.whitelist->entries()) {
    control::WhitelistedPeerInfo row{ip, entry.strongest().reason};
    if (const auto view = views.find(ip); view != views.end()) {
      row.missed_pongs = view->second.missed_pongs.value_or(0);
      if (view->second.connected_at && services.node->connected(ip)) {
        // The wall clock may have stepped back since.
        row.uptime = std::max(0.0, seconds(call.now.wall - *view->second.connected_at));
      }
    }
    info.whitelisted_peers.push_back(std::move(row));
  }
  if (services.sync) {
    const auto chain = services.sync->status();
    info.sync_status = {chain.height, chain.best_peer, chain.best_height, chain.syncing};
  }
  return {to_json(info)};
}

}  // namespace timectl
