#pragma once
// The handlers behind Methods, one function per method, for methods*.cc only.

#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "daemon/control/overview_api.h"
#include "daemon/core/json.h"
#include "daemon/methods.h"

namespace timectl {

struct Call {
  Services& services;
  const json::value& params;
  const control::Actor& actor;
  Now now;
};

// The parameters as a described struct; none at all means its defaults.
template <class Request>
[[nodiscard]] Result<Request> read_params(const Call& call) {
  Request request;
  if (call.params.is_null()) return request;
  if (auto ok = from_json(call.params, request, ""); !ok) return ok.error();
  return request;
}

inline constexpr std::uint64_t kMaxRows = 10'000;  // of one reply; the network thread makes it

[[nodiscard]] inline Result<std::size_t> checked_limit(std::uint64_t limit, std::uint64_t most) {
  if (limit >= 1 && limit <= most) return static_cast<std::size_t>(limit);
  return Error{Code::invalid_argument, "`limit` must be 1 to " + std::to_string(most)};
}

// The address that an operator means, by address or label.
[[nodiscard]] Result<IpAddress> resolve_peer(const Call& call, const std::string& name);
[[nodiscard]] Error node_needed(const std::string& method);
[[nodiscard]] store::AuditOrigin origin_of(const Call& call);

// Makes the change and answers when it is on disk and in force: at once, or by the node beside its
// loop, which does the same with thousands of them without standing still.
[[nodiscard]] control::Reply change_reply(const Call& call, ChangeSet set, json::value answer);

// The chain as far as it is known: of the node, or as it is stored. An error: the stored one cannot
// be read.
[[nodiscard]] Result<SyncStatusView> sync_view(const Call& call);

// What may take long, or reads much, as a job on a reader of its own, because the network thread
// must answer pings meanwhile. `work` has what it needs by value: the call is gone when it runs.
using Work = std::function<Result<json::value>(store::Database& database, std::stop_token stop)>;
[[nodiscard]] control::Reply beside(const Call& call, Work work);

// Forks that are or were seen, open ones first; of the node or as stored. An error: no chain.
[[nodiscard]] Result<std::vector<ForkView>> known_forks(const Call& call, std::size_t most);

using PeerRows = std::vector<std::pair<IpAddress, json::value>>;
[[nodiscard]] Result<void> check_sort_key(const std::string& key);  // a key of PeerView, or empty
void sort_peer_rows(PeerRows& rows, const std::string& key);
[[nodiscard]] json::value values_of(PeerRows rows);
// How it looked at a time of the past (methods_past.cc).
[[nodiscard]] control::Reply past_peers(const Call& call, const control::PeerListRequest& request,
                                        WallTime at);
[[nodiscard]] control::Reply past_status(const Call& call, WallTime at);
[[nodiscard]] Result<void> refuse_future(const Call& call, WallTime at);
// What is remembered of a peer, as a node that has just started would show it.
[[nodiscard]] PeerDetailView view_of(const PeerMemory& memory, WallTime now);
// Is the protection of these in force (whitelist.verify); one row for each, in order.
[[nodiscard]] Result<std::vector<control::ProtectionRow>> protection_of(
    const Call& call, const std::vector<IpAddress>& ips);

// What `status`, `alerts list` and `overview` answer, as values; without a node the overview is an
// error.
[[nodiscard]] control::StatusReply status_now(const Call& call);
// The `most` gravest open ones, and figures of all of them.
struct OpenAlerts {
  std::vector<control::AlertRow> rows = {};
  std::uint64_t left_out = 0;
  control::AlertCounts counts = {};
  std::vector<control::AlertRuleCounts> by_rule = {};
};
[[nodiscard]] Result<OpenAlerts> open_alerts(const Call& call, std::size_t most);
[[nodiscard]] Result<control::OverviewReply> overview_now(const Call& call, std::size_t limit);

[[nodiscard]] control::Reply hello(const Call& call);
[[nodiscard]] control::Reply status(const Call& call);
[[nodiscard]] control::Reply overview(const Call& call);
[[nodiscard]] control::Reply overview_history(const Call& call);
[[nodiscard]] control::Reply network_info(const Call& call);
[[nodiscard]] control::Reply whitelist_add(const Call& call);
[[nodiscard]] control::Reply whitelist_remove(const Call& call);
[[nodiscard]] control::Reply whitelist_list(const Call& call);
[[nodiscard]] control::Reply whitelist_show(const Call& call);
[[nodiscard]] control::Reply whitelist_import(const Call& call);  // methods_lists.cc
[[nodiscard]] control::Reply whitelist_verify(const Call& call);
[[nodiscard]] control::Reply whitelist_pending(const Call& call);
[[nodiscard]] control::Reply whitelist_approve(const Call& call);
[[nodiscard]] control::Reply whitelist_reject(const Call& call);
[[nodiscard]] control::Reply whitelist_suggest(const Call& call);
[[nodiscard]] control::Reply refresh(const Call& call);
[[nodiscard]] control::Reply refresh_snapshots(const Call& call);
[[nodiscard]] control::Reply ban_add(const Call& call);
[[nodiscard]] control::Reply ban_remove(const Call& call);
[[nodiscard]] control::Reply ban_list(const Call& call);
[[nodiscard]] control::Reply ban_why(const Call& call);
[[nodiscard]] control::Reply peer_list(const Call& call);
[[nodiscard]] control::Reply peer_show(const Call& call);
[[nodiscard]] control::Reply peer_history(const Call& call);
[[nodiscard]] control::Reply peer_score(const Call& call);
[[nodiscard]] control::Reply peer_connect(const Call& call);
[[nodiscard]] control::Reply peer_disconnect(const Call& call);
[[nodiscard]] control::Reply slots_show(const Call& call);
[[nodiscard]] control::Reply slots_check(const Call& call);
[[nodiscard]] control::Reply sync_status(const Call& call);
[[nodiscard]] control::Reply sync_peers(const Call& call);
[[nodiscard]] control::Reply sync_fork(const Call& call);
[[nodiscard]] control::Reply sync_fork_accept(const Call& call);
[[nodiscard]] control::Reply sync_pause(const Call& call);
[[nodiscard]] control::Reply sync_resume(const Call& call);
[[nodiscard]] control::Reply diagnose_peer(const Call& call);
[[nodiscard]] control::Reply diagnose_probe(const Call& call);
[[nodiscard]] control::Reply diagnose_node(const Call& call);
[[nodiscard]] control::Reply diagnose_everything(const Call& call);
[[nodiscard]] control::Reply alerts_list(const Call& call);
[[nodiscard]] control::Reply alerts_ack(const Call& call);
[[nodiscard]] control::Reply alerts_silence(const Call& call);
[[nodiscard]] control::Reply alerts_rules(const Call& call);
[[nodiscard]] control::Reply alerts_test(const Call& call);  // methods_sinks.cc
[[nodiscard]] control::Reply audit_list(const Call& call);
[[nodiscard]] control::Reply audit_verify(const Call& call);
[[nodiscard]] control::Reply audit_head(const Call& call);
[[nodiscard]] control::Reply audit_export(const Call& call);
[[nodiscard]] control::Reply report(const Call& call);
[[nodiscard]] control::Reply events_list(const Call& call);
[[nodiscard]] control::Reply events_follow(const Call& call);
[[nodiscard]] control::Reply db_check(const Call& call);
[[nodiscard]] control::Reply db_backup(const Call& call);
[[nodiscard]] control::Reply node_stop(const Call& call);
[[nodiscard]] control::Reply node_reload(const Call& call);

}  // namespace timectl
