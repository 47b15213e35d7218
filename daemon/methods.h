#pragma once
// The API table's handlers: every method of control/api.h, once, for the control server of a
// running node and for a command without a node (then `node` is null and the answers come from
// the database alone). Checks the privilege once per call, audits denials, and turns exceptions
// of the environment into errors; a handler never does any of that.
//
// A change is answered only after its transaction is on disk; then it is put into memory, the node
// is told, and `pump` lets the shell act on it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "config/config.h"
#include "daemon/change_set.h"
#include "daemon/control/access.h"
#include "daemon/control/api.h"
#include "daemon/control/server.h"
#include "daemon/core/bans.h"
#include "daemon/core/discovery.h"
#include "daemon/core/node.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/whitelist.h"
#include "daemon/probe_tools.h"
#include "store/audit_log.h"
#include "store/database.h"

namespace timectl {

class AlertKeeper;

// What `node info` says of the dashboard.
struct DashboardFacts {
  std::optional<std::string> url = {};  // without the token
  std::string token_file = {};
  std::string off_because = {};  // where there is no url
};

// What the node says about itself; meaningless without one.
struct NodeFacts {
  std::int64_t pid = 0;
  Instant started = {};
  NodeMode mode = NodeMode::active;
  std::string passive_because = {};
  std::optional<std::string> listen = {};  // "ADDRESS:PORT"; none in passive mode
  std::optional<IpAddress> own_address = {};
  std::string socket = {};
  std::string data_dir = {};
  bool service = false;  // started by a service manager
  DashboardFacts dashboard = {};
};

// The chain of a running node, for `timectl sync`.
struct SyncServices {
  std::function<SyncStatusView()> status = {};
  std::function<std::vector<SyncPeerView>()> peers = {};
  std::function<Result<std::vector<ForkView>>(std::size_t most)> forks = {};  // open ones first
  // `done` is called once, when the change is on disk.
  std::function<void(bool paused, std::function<void(Result<void>)> done)> pause = {};
  std::function<Result<ForkView>()> accept_fork = {};
  std::function<void()> whitelist_changed = {};  // what masternodes say counts, and who is one
};

// All that the handlers work on; the pointers outlive Methods. `config`, `facts` and `access` may
// be changed between calls (a reload).
struct Services {
  const config::Config* config = nullptr;
  store::Database* database = nullptr;
  Whitelist* whitelist = nullptr;
  Bans* bans = nullptr;
  Node* node = nullptr;  // null: no node runs
  NodeFacts facts = {};
  control::AccessPolicy access = {};
  std::function<Now()> now = {};
  std::function<void()> pump = {};            // execute the node's commands
  std::function<void()> flush = {};           // store the history that waits for the tick
  std::function<void()> stop = {};            // begins an orderly stop; returns at once
  std::function<Result<void>()> reload = {};  // the old configuration stays where it fails
  ListMemory* list = nullptr;                 // what is known of the API's list
  std::function<void(Event)> record = {};     // to the log, the followers and the history
  // Of a node: large changes and fetches go on beside its loop. None: they are done at once.
  std::function<void(ChangeSet, control::Answer)> apply = {};
  std::function<void(bool dry_run, store::AuditOrigin, control::Answer)> refresh = {};
  std::optional<SyncServices> sync = {};  // none: no node, or it has no chain
  std::string data_dir = {};              // where the stored chain is, without a node
  std::function<void()> settle = {};      // finishes a large change that is under way
  // Of a node: runs the function on the node's thread, soon; may be called from any thread. Without
  // it no probe is made beside a node.
  std::function<void(std::function<void()>)> post = {};
  ProbeTools probes = {};
  // Connections of the last hour for which no descriptor was left; none: no network.
  std::function<std::uint64_t()> descriptors_refused = {};
  AlertKeeper* alerts = nullptr;  // of a node; none: what is stored
};

class Methods {
 public:
  explicit Methods(Services services) : services_(std::move(services)) {}
  Methods(const Methods&) = delete;
  Methods& operator=(const Methods&) = delete;

  // For the server: long methods come back as a job on a reader of their own.
  [[nodiscard]] control::Reply handle(const std::string& name, const control::json::value& params,
                                      const control::Actor& actor);
  // The same, with the long ones done before it returns; those that a node answers later are an
  // error unless they can be answered at once.
  [[nodiscard]] Result<control::json::value> call(const std::string& name,
                                                  const control::json::value& params,
                                                  const control::Actor& actor);
  // Writes the counts of denied attempts whose minute is over; `last` all of them, before a stop.
  [[nodiscard]] Result<void> flush_denied(Now now, bool last = false);

  [[nodiscard]] Services& services() { return services_; }

 private:
  Services services_;
  store::DeniedAttempts denied_;
};

// Makes the whitelist's source `config` and the blacklist equal to the configuration (W1): stored
// and audited in one transaction as the actor `config`, then put, then the node is told. Called at
// start before the first socket opens, at reload, and before an offline change (`via` "cli"). The
// refused ones are returned, too.
[[nodiscard]] Result<std::vector<WhitelistChange>> sync_config_whitelist(
    Services& services, const std::string& via = "node");
// Only in memory, for an offline command that reads: nothing is written.
void show_config_whitelist(Services& services);

}  // namespace timectl
