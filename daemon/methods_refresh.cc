// refresh, and whitelist.pending|approve|reject: what the API's list brings and what of it waits
// for the operator. The plans are core/discovery's; the node fetches and stores beside its loop.

#include <algorithm>

#include "daemon/core/json.h"
#include "daemon/methods_table.h"
#include "daemon/refresh.h"
#include "store/api_table.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxAddresses = 5000;  // of one request
constexpr std::size_t kShownDigits = 16;     // of a list's hash

Result<std::vector<IpAddress>> parse_ips(const Call& call, const control::DecisionRequest& request,
                                         const std::string& verb) {
  if (request.all != request.ips.empty()) {
    return Error{Code::invalid_argument,
                 request.all ? "either addresses or --all, not both" : "no address is given",
                 "",
                 {"timectl whitelist " + verb + " IP", "timectl whitelist " + verb + " --all"}};
  }
  if (!call.services.list->state.sha256.starts_with(request.list)) {
    return Error{Code::busy,
                 "another list waits now than " + printable(request.list, kShownDigits),
                 "a refresh has replaced it since you looked",
                 {"timectl whitelist pending"}};
  }
  if (request.ips.size() > kMaxAddresses) {
    return Error{Code::too_large, "over " + std::to_string(kMaxAddresses) + " addresses at once"};
  }
  std::vector<IpAddress> ips;
  for (const auto& name : request.ips) {
    const auto ip = resolve_peer(call, name);
    if (!ip) return ip.error();
    if (std::ranges::find(ips, *ip) == ips.end()) ips.push_back(*ip);
  }
  return ips;
}

ChangeSet change_set(const Call& call, const DecisionPlan& plan,
                     std::vector<store::AuditEntry> rows) {
  ChangeSet set;
  set.origin = origin_of(call);
  set.changes = plan.changes;
  set.also = [memory = plan.memory, rows = std::move(rows)](store::AuditScope& scope) {
    for (const auto& row : rows) {
      if (auto written = scope.record(row); !written) return written;
    }
    return store::save_list(scope, memory, nullptr);
  };
  set.stored = [&services = call.services, memory = plan.memory] {
    remember_list(services, memory);
  };
  return set;
}

}  // namespace

control::Reply whitelist_pending(const Call& call) {
  json::array rows;
  const auto list = call.services.list->state.sha256.substr(0, kShownDigits);
  for (const auto& entry : call.services.list->pending) {
    rows.push_back(to_json(control::PendingRow{entry, list}));
  }
  return {json::value(std::move(rows))};
}

control::Reply whitelist_approve(const Call& call) {
  const auto request = read_params<control::DecisionRequest>(call);
  if (!request) return {request.error()};
  const auto ips = parse_ips(call, *request, "approve");
  if (!ips) return {ips.error()};
  const auto& memory = *call.services.list;
  const auto plan =
      plan_approve(*ips, *call.services.whitelist, memory, call.actor.user,
                   source_name(memory.state.url), rules_of(*call.services.config), call.now.wall);
  if (!plan) return {plan.error()};
  std::vector<control::ChangeReply> replies;
  std::vector<store::AuditEntry> rows;
  for (const auto& change : plan->changes) {
    const auto* source = change.after ? change.after->find(Source::api) : nullptr;
    if (change.result == ChangeResult::added && source != nullptr && source->expires_at) {
      replies.push_back({change.ip,
                         "missing",
                         {},
                         "protected until " + rfc3339(*source->expires_at).substr(0, 10)});
      continue;
    }
    replies.push_back(
        {change.ip, std::string(name_of(change.result)), change.still_by, change.why});
  }
  for (const auto& ip : plan->decided) {
    if (!memory.rejections.contains(ip)) continue;
    replies.push_back({ip, "approved", {}, "no longer rejected: the next refresh takes it"});
    rows.push_back({"list.approve", ip.to_string(), {}, {}, "no longer rejected", "ok"});
  }
  for (const auto& ip : plan->refused) {
    replies.push_back({ip, "refused", {}, "the whitelist is full: it goes on waiting"});
  }
  if (plan->memory.state.baseline_at != memory.state.baseline_at) {
    rows.push_back(
        {"list.approve", source_name(memory.state.url), {}, {}, memory.state.held_because, "ok"});
  }
  return change_reply(call, change_set(call, *plan, std::move(rows)), to_json(replies));
}

control::Reply whitelist_reject(const Call& call) {
  const auto request = read_params<control::DecisionRequest>(call);
  if (!request) return {request.error()};
  const auto ips = parse_ips(call, *request, "reject");
  if (!ips) return {ips.error()};
  const auto& memory = *call.services.list;
  const auto plan = plan_reject(*ips, memory, call.actor.user, call.now.wall);
  if (!plan) return {plan.error()};
  std::vector<control::ChangeReply> replies;
  std::vector<store::AuditEntry> rows;
  for (const auto& ip : plan->decided) {
    const bool before = memory.rejections.contains(ip);
    replies.push_back(
        {ip, before ? "unchanged" : "rejected", {}, before ? "already rejected" : ""});
    if (!before) rows.push_back({"list.reject", ip.to_string(), {}, {}, "", "rejected"});
  }
  for (const auto& ip : plan->refused) {
    replies.push_back({ip,
                       "refused",
                       {},
                       "it is only missing from a list that is held back: reject that with --all"});
  }
  if (plan->memory.state.rejected_sha256 != memory.state.rejected_sha256) {
    rows.push_back({"list.reject",
                    source_name(memory.state.url),
                    {},
                    {},
                    memory.state.held_because,
                    "rejected"});
  }
  return change_reply(call, change_set(call, *plan, std::move(rows)), to_json(replies));
}

control::Reply refresh(const Call& call) {
  const auto request = read_params<control::RefreshRequest>(call);
  if (!request) return {request.error()};
  auto origin = origin_of(call);
  origin.actor = store::kActorApi;
  if (call.services.refresh) {
    control::Reply reply;
    reply.later = [&services = call.services, dry_run = request->dry_run,
                   origin](control::Answer done) { services.refresh(dry_run, origin, done); };
    return reply;
  }
  auto done = refresh_now(call.services, origin, request->dry_run);
  if (!done) return {done.error()};
  return {to_json(*done)};
}

control::Reply refresh_snapshots(const Call& call) {
  const auto request = read_params<control::SnapshotsRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxRows);
  if (!limit) return {limit.error()};
  const auto snapshots = store::list_snapshots(*call.services.database, *limit);
  if (!snapshots) return {snapshots.error()};
  return {to_json(*snapshots)};
}

}  // namespace timectl
