#pragma once
// One refresh of the whitelist from the API's list in its steps, the same for the node's loop
// (daemon_refresher.h) and for a command without a node: what to ask, the fetch (blocking, for a
// thread), what follows from its outcome, and what to store.

#include <stop_token>
#include <string>
#include <variant>

#include "config/config.h"
#include "daemon/change_set.h"
#include "daemon/control/api.h"
#include "daemon/control/list_api.h"
#include "daemon/core/discovery.h"
#include "daemon/discovery/fetch.h"
#include "daemon/discovery/peer_list.h"

namespace timectl {

[[nodiscard]] DiscoveryRules rules_of(const config::Config& config);
// Who says so: the host of an https: URL, else "file".
[[nodiscard]] std::string source_name(const std::string& url);

// All that the fetching thread needs, by value.
struct FetchJob {
  discovery::FetchRequest request = {};
  discovery::ListRules rules = {};
  std::string known_body = {};  // what a 304 stands for
};
struct FetchedAnswer {
  FetchedList fetched = {};
  discovery::Fetched answer = {};  // with the known body where it was not modified
};
using FetchOutcome = std::variant<FetchedAnswer, FetchFailure>;

[[nodiscard]] FetchJob begin_refresh(const Services& services);
[[nodiscard]] FetchOutcome run_fetch(const FetchJob& job, std::stop_token stop = {});

struct Conclusion {
  control::RefreshReply reply = {};
  ListMemory memory = {};          // as it is to be afterwards
  ChangeSet changes = {};          // with what is to be stored beside them; none of a dry run
  std::vector<Event> events = {};  // that follow, once it is stored
  std::optional<Duration> retry_after = {};  // what a failing server asked for
};
// `origin.actor` is the API's.
[[nodiscard]] Conclusion conclude(const Services& services, const FetchJob& job,
                                  FetchOutcome outcome, const store::AuditOrigin& origin,
                                  bool dry_run, Now now);

// After it was stored.
void remember_list(Services& services, ListMemory memory);

// Without a node: all of it at once.
[[nodiscard]] Result<control::RefreshReply> refresh_now(Services& services,
                                                        const store::AuditOrigin& origin,
                                                        bool dry_run);

}  // namespace timectl
