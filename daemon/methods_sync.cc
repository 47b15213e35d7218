// sync.*: how far the chain is, whose heights count, forks, and the operator's switch. A running
// node's coordinator answers (Services::sync), without one the stored chain.

#include <algorithm>

#include "daemon/chain/height_truth.h"
#include "daemon/methods_table.h"
#include "daemon/stored_chain.h"

namespace timectl {
namespace {

constexpr std::uint64_t kMaxForks = 200;     // of one reply; the store keeps no more
constexpr std::size_t kForksInStatus = 100;  // looked at to count the open ones

Error no_chain() {
  return {Code::not_found,
          "this node runs without a chain",
          "the node's log says why",
          {"timectl events --since 1h", "timectl node restart"}};
}

Result<StoredChain> stored(const Call& call, std::size_t forks) {
  const auto& services = call.services;
  return stored_chain(services.data_dir, services.config->network.name, forks, call.now.wall);
}

// The row first: it stands in another file than the chain's, and a change that nobody finds in the
// audit log is worse than a row about a change that then failed, which a second row says.
Result<store::AuditHead> record_change(Services& services, const store::AuditOrigin& origin,
                                       const store::AuditEntry& entry) {
  return store::audited(*services.database, origin,
                        [&](store::AuditScope& scope) { return scope.record(entry); });
}

void record_failure(Services& services, const store::AuditOrigin& origin, store::AuditEntry entry,
                    const Error& error) {
  entry.result = "failed";
  entry.reason = error.message;
  // The change's own error is the one to tell, whether or not this can be written.
  (void)record_change(services, origin, entry);
}

json::value switched(const SyncServices& sync, const std::string& result) {
  control::SyncSwitchReply reply{result};
  const auto after = sync.status();
  reply.paused = after.paused;
  reply.activity = after.activity;
  reply.activity_because = after.activity_because;
  return to_json(reply);
}

// Answered when it is on disk, which the chain's thread sees to.
control::Reply set_paused(const Call& call, bool paused) {
  auto& services = call.services;
  if (!services.sync) return {no_chain()};
  if (services.sync->status().paused == paused) return {switched(*services.sync, "unchanged")};
  const auto state = [](bool value) {
    return json::serialize(json::value(json::object{{"paused", value}}));
  };
  const store::AuditEntry entry{
      paused ? "sync.pause" : "sync.resume", "sync", state(!paused), state(paused), {}, "ok"};
  const auto origin = origin_of(call);
  if (auto written = record_change(services, origin, entry); !written) return {written.error()};
  control::Reply reply;
  reply.later = [&services, entry, origin, paused](control::Answer answer) {
    services.sync->pause(paused, [&services, entry, origin, paused, answer](Result<void> done) {
      if (!done) {
        record_failure(services, origin, entry, done.error());
        return answer(done.error());
      }
      answer(switched(*services.sync, paused ? "paused" : "resumed"));
    });
  };
  return reply;
}

std::string tip_text(const ForkBranchView* branch) {
  if (branch == nullptr) return "null";
  return json::serialize(json::value(
      json::object{{"tip_height", branch->tip_height}, {"tip_hash", branch->tip_hash}}));
}

// The branch with most masternodes stands first behind ours.
const ForkBranchView* branch_of(const ForkView& fork, bool ours) {
  const auto at = std::ranges::find_if(
      fork.branches, [ours](const ForkBranchView& branch) { return branch.ours == ours; });
  return at == fork.branches.end() ? nullptr : &*at;
}

}  // namespace

Result<std::vector<ForkView>> known_forks(const Call& call, std::size_t most) {
  const auto& services = call.services;
  if (services.sync) return services.sync->forks(most);
  if (services.node != nullptr) return no_chain();
  auto chain = stored(call, most);
  if (!chain) return chain.error();
  return std::move(chain->forks);
}

Result<SyncStatusView> sync_view(const Call& call) {
  const auto& services = call.services;
  const auto& section = services.config->sync;
  if (services.sync) return services.sync->status();
  SyncStatusView view;
  if (services.node != nullptr) {
    view.ground = "this node runs without a chain";
    view.expected_height = expected_height(services.config->network.name, call.now.wall);
  } else {
    auto chain = stored(call, kForksInStatus);
    if (!chain) return chain.error();
    view = std::move(chain->status);
  }
  view.in_sync_blocks = section.in_sync_blocks;
  if (!section.enabled) {
    view.activity = SyncActivity::disabled;
    view.activity_because = "sync.enabled is false";
  }
  return view;
}

control::Reply sync_status(const Call& call) {
  const auto view = sync_view(call);
  if (!view) return {view.error()};
  return {to_json(*view)};
}

control::Reply sync_peers(const Call& call) {
  if (!call.services.sync) return {no_chain()};
  control::SyncPeersReply reply;
  reply.peers = call.services.sync->peers();
  for (const auto& row : chain::standing_table()) {
    reply.legend.push_back(
        {std::string(1, row.letter), std::string(name_of(row.standing)), std::string(row.meaning)});
  }
  return {to_json(reply)};
}

control::Reply sync_fork(const Call& call) {
  const auto request = read_params<control::SyncForkRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxForks);
  if (!limit) return {limit.error()};
  const auto forks = known_forks(call, *limit);
  if (!forks) return {forks.error()};
  return {to_json(*forks)};
}

control::Reply sync_fork_accept(const Call& call) {
  const auto forks = known_forks(call, kMaxForks);
  if (!forks) return {forks.error()};
  const auto fork = std::ranges::find_if(
      *forks, [](const ForkView& known) { return !known.resolved_at && known.needs_consent; });
  if (fork == forks->end()) {
    return {Error{Code::not_found,
                  "no fork waits for your word",
                  "those within the protocol's reorganisation depth are resolved by themselves",
                  {"timectl sync fork"}}};
  }
  const store::AuditEntry entry{"sync.fork_accept",
                                "fork above height " + std::to_string(fork->ancestor_height),
                                tip_text(branch_of(*fork, true)),
                                tip_text(branch_of(*fork, false)),
                                fork->needs_because,
                                "ok"};
  auto& services = call.services;
  const auto origin = origin_of(call);
  if (auto written = record_change(services, origin, entry); !written) return {written.error()};
  const auto accepted = services.sync->accept_fork();
  if (!accepted) {
    record_failure(services, origin, entry, accepted.error());
    return {accepted.error()};
  }
  return {to_json(*accepted)};
}

control::Reply sync_pause(const Call& call) {
  return set_paused(call, true);
}

control::Reply sync_resume(const Call& call) {
  return set_paused(call, false);
}

}  // namespace timectl
