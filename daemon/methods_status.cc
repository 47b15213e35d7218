// status and getnetworkinfo: the verdict and what it rests on.

#include <algorithm>
#include <map>

#include "daemon/control/past_api.h"
#include "daemon/methods_table.h"
#include "daemon/sync_alerts.h"

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

void judge(control::StatusReply& reply, const Call& call) {
  const auto total = reply.masternodes.whitelisted;
  const auto connected = reply.masternodes.connected.value_or(0);
  if (total == 0) {
    reply.verdict = Verdict::degraded;
    reply.summary = "the whitelist is empty: no masternode is protected";
    reply.next_command = "timectl whitelist add IP";
    reply.alerts.push_back({Severity::error, "The whitelist is empty", {}});
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
    if (connected == 0) {
      reply.alerts.push_back({Severity::critical, "No whitelisted peer is connected", {}});
    }
    for (const auto& peer : reply.masternodes.down) {
      const auto kept_away = call.services.node->kept_away_because(peer.ip, call.now);
      reply.alerts.push_back(
          {Severity::critical,
           "Whitelisted peer " + peer.ip.to_string() + " is not connected (" +
               (kept_away.empty() ? std::string(name_of(peer.state)) : kept_away) + ")",
           {}});
    }
    reply.next_command = reply.masternodes.down.empty()
                             ? "timectl peer list --whitelisted"
                             : "timectl peer show " + reply.masternodes.down.front().ip.to_string();
  }
}

// The list of masternodes: what waits for the operator, and since when it cannot be had.
void judge_list(control::StatusReply& reply, const ListState& list) {
  if (list.held_since) {
    reply.alerts.push_back({Severity::error,
                            "A refresh of the masternode list is held back: " + list.held_because,
                            list.held_since});
    if (reply.verdict == Verdict::ok) {
      reply.verdict = Verdict::degraded;
      reply.summary += "; a refresh of the list waits for your approval";
      reply.next_command = "timectl whitelist pending";
    }
  }
  if (list.failing_since && list.failed_step) {
    reply.alerts.push_back({list.accepted_at ? Severity::warning : Severity::error,
                            "The masternode list cannot be fetched (" +
                                std::string(name_of(*list.failed_step)) + ": " +
                                list.failed_because + ")",
                            list.failing_since});
  }
}

// The chain; and what of it must be said.
void judge_sync(control::StatusReply& reply, const Call& call) {
  constexpr std::size_t kForks = 10;
  const auto view = sync_view(call);
  if (!view) {
    reply.alerts.push_back(
        {Severity::error, "The stored chain cannot be read: " + view.error().message, {}});
    return;
  }
  reply.sync = {view->height,
                view->best_height,
                view->lag_blocks,
                view->claimed_height,
                control::verdict_of(*view),
                view->ground,
                view->height ? std::optional(view->activity) : std::nullopt};
  if (!call.services.sync) return;  // nobody is asked, so nothing is known that could alarm
  std::vector<ForkView> forks;
  if (view->forks > 0) {
    if (auto known = call.services.sync->forks(kForks)) forks = std::move(*known);
  }
  for (auto& alert : sync_alerts(*view, forks, *call.services.config, call.now.wall)) {
    if (alert.line.severity == Severity::warning && reply.verdict <= Verdict::degraded) {
      if (reply.verdict == Verdict::ok) {
        const bool asks = std::ranges::any_of(forks, &ForkView::needs_consent);
        reply.next_command = asks ? "timectl sync fork" : "timectl sync status";
      }
      reply.verdict = Verdict::degraded;
      reply.summary += "; " + alert.brief;
    }
    reply.alerts.push_back(std::move(alert.line));
  }
}

// Its own trouble first: what it says of others rests on it.
void judge_node(control::StatusReply& reply) {
  if (reply.node.ailments.empty()) return;
  for (const auto& own : reply.node.ailments) {
    const auto& row = ailment_row(own.ailment);
    reply.alerts.push_back(
        {row.severity, std::string(row.meaning) + " (" + own.detail + ")", own.since});
  }
  const auto& first = reply.node.ailments.front();
  reply.summary = "this node itself is in trouble (" + std::string(name_of(first.ailment)) + "); " +
                  reply.summary;
  if (reply.verdict == Verdict::ok) {
    reply.verdict = Verdict::degraded;
    reply.next_command = "timectl explain " + std::string(name_of(first.ailment));
  }
}

}  // namespace

control::Reply status(const Call& call) {
  const auto request = read_params<control::StatusRequest>(call);
  if (!request) return {request.error()};
  if (request->at) return past_status(call, *request->at);
  const auto& services = call.services;
  control::StatusReply reply;
  reply.network = name_of(services.config->network.name);
  reply.masternodes = masternodes(call);
  if (services.node == nullptr) {
    reply.summary = "no node is running; " + several(reply.masternodes.whitelisted, "masternode") +
                    " whitelisted";
    reply.next_command = "timectl node start";
    if (reply.masternodes.whitelisted == 0) {
      reply.alerts.push_back({Severity::error, "The whitelist is empty", {}});
    }
    judge_list(reply, services.list->state);
    judge_sync(reply, call);
    return {to_json(reply)};
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
    reply.alerts.push_back({Severity::notice, "The node runs passive", {}});
  } else {
    judge(reply, call);
  }
  judge_list(reply, services.list->state);
  judge_sync(reply, call);
  judge_node(reply);
  if (const auto& failure = services.database->write_failure()) {
    reply.verdict = Verdict::critical;
    reply.summary = "the database cannot be written: " + failure->message;
    reply.next_command = "timectl db check";
    reply.alerts.insert(
        reply.alerts.begin(),
        {Severity::critical, "The database cannot be written: " + failure->message, {}});
  }
  std::ranges::stable_sort(reply.alerts, {}, &control::AlertLine::severity);
  return {to_json(reply)};
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
  if (!services.config->file.empty()) info.config_file = services.config->file;
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
