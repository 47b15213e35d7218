#pragma once
// Which conditions of the alert rules hold, from what is known: the one place that decides it, for
// the engine (alert_keeper.h) and for `status`. A function of plain facts, so that a table can test
// it. What is not known raises nothing and resolves nothing.

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/core/alerts.h"
#include "daemon/core/discovery.h"
#include "daemon/core/outbox.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/views.h"
#include "daemon/diagnose/node_facts.h"

namespace timectl {

// What takes a file or a query to know: looked at now and then, and kept by the keeper. An empty
// text is fine, none is not known.
struct SlowAlertFacts {
  std::optional<std::string> audit_broken = {};      // what is wrong with its tail
  std::optional<std::string> database_damaged = {};  // by the check after an unclean stop
  std::optional<std::string> chain_failed = {};
  std::optional<std::string> config_rejected = {};
  std::optional<diagnose::ResourceFacts> host = {};
  std::optional<bool> reachable = {};  // somebody connected to us within a day
  std::string write_failure = {};      // why the database cannot be written; empty: it can
};

struct PeerTrouble {
  IpAddress ip = {};
  std::string why = {};  // a clause or a sentence without its full stop; may be empty
  std::string label = {};
};

struct AlertFacts {
  const config::Config* config = nullptr;
  WallTime now = {};
  bool node = false;    // one runs in this process
  bool active = false;  // and it opens connections
  Duration uptime = {};
  std::string passive_because = {};
  std::optional<std::string> write_failure = {};  // of the database
  std::vector<AilmentView> ailments = {};
  ClockView clock = {};
  std::uint64_t whitelisted = 0;
  std::uint64_t connected = 0;             // of them; only where `active`
  std::vector<PeerTrouble> down = {};      // the others
  std::vector<PeerTrouble> kept_out = {};  // whitelisted, and a ban or the configuration holds
  ListState list = {};
  std::optional<SyncStatusView> sync = {};  // none: there is no chain, or nobody to ask
  std::vector<ForkView> forks = {};
  std::vector<Outbox::SinkView> failing_sinks = {};
  SlowAlertFacts slow = {};
};

[[nodiscard]] AlertLook alert_look(const AlertFacts& facts);
// alerts.disabled_rules; words that are no rule are left out.
[[nodiscard]] AlertRules disabled_rules(const config::Config& config);

}  // namespace timectl
