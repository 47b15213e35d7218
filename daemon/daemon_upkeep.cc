// What a running node does besides its connections: reload, stop, expiry, retention, watchdog.
#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "daemon/clock.h"
#include "daemon/daemon_parts.h"
#include "store/ban_table.h"
#include "store/peer_history.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

constexpr Duration kUpkeepInterval = std::chrono::seconds(1);
constexpr Duration kAlertLookGap = std::chrono::milliseconds(200);
constexpr Duration kFlushInterval = std::chrono::milliseconds(20);  // while rows wait
constexpr Duration kExpiryInterval = std::chrono::minutes(1);
constexpr Duration kPruneInterval = std::chrono::minutes(10);
constexpr Duration kAuditHeadInterval = std::chrono::hours(24);
constexpr double kAheadTooFar = 3600;  // seconds, by the peers' clocks
constexpr std::size_t kBanRows = 256;  // written at once: about a millisecond
constexpr Duration kStopLimit = std::chrono::seconds(10);

}  // namespace

void Daemon::Parts::refuse_config(const std::vector<WhitelistChange>& changes) {
  for (const auto& change : changes) {
    if (change.result != ChangeResult::refused) continue;
    record(EventKind::config_rejected, Severity::warning,
           "whitelist: " + change.ip.to_string() + " is refused: " + change.why);
  }
}

// A node that cannot read what was told still protects, and tells it once more.
void Daemon::Parts::open_alerts() {
  sinks.emplace(*database, random_seed(),
                SinkKeeper::Ways{.post = [this](auto work) { asio::post(io, std::move(work)); },
                                 .log =
                                     [this](Severity severity, const std::string& line) {
                                       log->write(clock_now().wall, severity, line);
                                     },
                                 .now = [] { return clock_now(); }});
  alerts.emplace(*database);
  recorder->set_publish([this](const Event& event) { alerts->on_event(event); });
  if (auto opened = sinks->open(); !opened) {
    record(EventKind::store_degraded, Severity::error,
           opened.error().message + "; what waited for the alert sinks is not sent");
  }
  sinks->configure(options.config, clock_now());
  alerts->tell_sinks(sinks->outbox(), sinks->identity());
  if (auto opened = alerts->open(clock_now()); !opened) {
    record(EventKind::store_degraded, Severity::error,
           opened.error().message + "; the alerts begin anew");
  }
}

// Told when it is stored. What is told is an event like others.
void Daemon::Parts::look_at_alerts(Now now) {
  last_alert_look = now.mono;
  alerts->note_store(recorder->failure());
  const auto done = alerts->look(methods->services(), now);
  if (!done) recorder->note_failure(done.error(), now);
  for (const auto& line : alerts->take_said()) log->write(now.wall, Severity::warning, line);
  for (const auto& notice : alerts->take_notices()) {
    counters.on_notice(notice);
    recorder->event(event_of(notice, now.wall), now);
  }
  sinks->note_store(recorder->failure());
  const auto sent = sinks->run(alerts->alerts(), now);
  if (!sent) recorder->note_failure(sent.error(), now);
}

// What just happened is looked at in the next turn of the loop; a flood of events at most so often.
void Daemon::Parts::look_at_alerts_soon() {
  if (alert_look_posted || stopping || !alert_timer || !alerts->due()) return;
  alert_look_posted = true;
  const auto gap = last_alert_look + kAlertLookGap - clock_now().mono;
  alert_timer->expires_after(std::max(gap, Duration{0}));
  alert_timer->async_wait([this](const boost::system::error_code& failed) {
    alert_look_posted = false;
    // The tick looks when a large change is written.
    if (!failed && !stopping && !applier->busy()) look_at_alerts(clock_now());
  });
}

// It only spreads dials: without it, or with the one from before, the node does all that it has to.
void Daemon::Parts::open_as_database() {
  const std::string& path = options.config.network.as_database;
  if (path.empty()) return as_database.reset();
  auto opened = AsDatabase::open(path);
  const auto now = clock_now().wall;
  if (!opened) {
    const auto& error = opened.error();
    return log->write(now, Severity::warning,
                      error.message + ": " + error.because +
                          (as_database ? "; the one from before stays in use"
                                       : "; dials are spread over networks only"));
  }
  as_database.emplace(std::move(*opened));
  log->write(now, Severity::info, "Dials are spread over ASes by " + as_database->name());
}

Result<void> Daemon::Parts::reload() {
  applier->settle();
  auto loaded = options.reload ? options.reload() : Result<config::Config>(options.config);
  if (!loaded) {
    record(EventKind::config_rejected, Severity::error,
           "the configuration stays as it was: " + loaded.error().message + ": " +
               loaded.error().because.substr(0, loaded.error().because.find('\n')));
    return loaded.error();
  }
  const auto& old = options.config;
  const auto list_url = old.discovery_url();
  const auto list_interval = old.discovery.interval;
  const bool list_enabled = old.discovery.enabled;
  const bool moved = loaded->node.listen != old.node.listen ||
                     loaded->p2p_port() != old.p2p_port() || loaded->node.mode != old.node.mode ||
                     loaded->network.name != old.network.name;
  options.config = std::move(*loaded);
  log->reconfigure(options.config.node.log_level);
  open_as_database();
  sinks->configure(options.config, clock_now());
  alerts->tell_sinks(sinks->outbox(), sinks->identity());
  raise_descriptor_limit(options.config.policy.slots.max_connections);
  methods->services().access.operators = options.config.node.operators;
  const auto& discovery = options.config.discovery;
  if (options.config.discovery_url() != list_url || discovery.interval != list_interval ||
      discovery.enabled != list_enabled) {
    refresher->config_changed();
  }
  if (network) {
    network->set_policy(options.config.policy);
  } else {
    node->on_policy_changed(options.config.policy, clock_now());
  }
  if (chain) chain->set_policy(coordinator_policy(options.config));
  methods->services().facts.dashboard = dashboard->configure(options.config);
  open_metrics();
  const auto changes = sync_config_whitelist(methods->services());
  node->on_blacklist_changed(clock_now());
  if (!changes) {
    record(EventKind::config_rejected, Severity::error,
           "the config's whitelist could not be stored: " + changes.error().message);
    pump();
    return changes.error();
  }
  refuse_config(*changes);
  record(EventKind::config_reloaded, Severity::notice,
         std::string(moved ? "a changed network, address, port or mode needs `timectl node restart`"
                           : ""));
  pump();
  return {};
}

void Daemon::Parts::on_signal() {
  signals->async_wait([this](const boost::system::error_code& failed, int number) {
    if (failed) return;
    if (number == SIGHUP) {
      // The outcome is an event in the log; there is nobody else to tell.
      (void)reload();
    } else {
      begin_stop();
    }
    on_signal();
  });
}

void Daemon::Parts::begin_stop() {
  if (stopping) return;
  stopping = true;
  notify.send("STOPPING=1");
  applier->settle();
  refresher->stop();
  if (chain) chain->stop();
  sinks->stop();
  record(EventKind::node_stopping, Severity::notice, "");
  closed = !network;
  if (network) network->stop([this] { closed = true; });
  dashboard->stop();
  server->stop();
  stop_timer.emplace(io, kStopLimit);
  stop_timer->async_wait([this](const boost::system::error_code& failed) {
    if (!failed) io.stop();
  });
  finish_when_closed();
}

void Daemon::Parts::finish_when_closed() {
  if (closed && server->clients() == 0 && sinks->idle()) return io.stop();
  upkeep_timer->expires_after(std::chrono::milliseconds(10));
  upkeep_timer->async_wait([this](const boost::system::error_code& failed) {
    if (!failed) finish_when_closed();
  });
}

void Daemon::Parts::expire(Now now) {
  const bool confirmed = may_expire(list.state, rules_of(options.config), now.wall);
  auto changes = whitelist.plan_expiry(now.wall, confirmed);
  if (changes.empty()) return;
  const store::AuditOrigin origin{
      .at = now.wall, .actor = std::string(store::kActorExpiry), .via = "node"};
  // The recorder says that the database is unwritable; the entries stay until it is not.
  applier->apply({.origin = origin, .changes = std::move(changes), .reason = "expired"},
                 [](const auto&) {});
}

// Automatic bans and those that are over. A failure is the same that the recorder reports; the rows
// wait.
void Daemon::Parts::save_bans() {
  const auto rows = bans.unsaved(kBanRows);
  if (store::save_bans(*database, rows)) bans.saved(rows);
}

void Daemon::Parts::save_all_bans() {
  for (auto rows = bans.unsaved(kBanRows); !rows.empty(); rows = bans.unsaved(kBanRows)) {
    if (!store::save_bans(*database, rows)) return;
    bans.saved(rows);
  }
}

void Daemon::Parts::prune(Now now) {
  const auto& keep = options.config.history;
  const auto removed = store::prune_history(
      *database, {.keep = keep.keep_sessions, .keep_events = keep.keep_events}, now.wall);
  // Until nothing is left to remove, a chunk at each upkeep.
  if (removed && *removed == 0) last_prune = now.mono;
}

void Daemon::Parts::look(Now now) {
  last_look = now.mono;
  std::optional<SyncStatusView> sync;
  std::vector<SyncPeerView> standings;
  if (chain) {
    const auto services = chain->services();
    sync = services.status();
    standings = services.peers();
  }
  const auto done = history->look(*node, options.config, masternodes(), sync, standings, now);
  if (!done) recorder->note_failure(done.error(), now);
}

// W8: logs are shipped and rotated elsewhere, so a head in them is one that whoever cuts rows off
// the end of the audit log cannot take back (`timectl audit verify --head HASH`).
void Daemon::Parts::note_audit_head(Now now) {
  last_audit_head = now.mono;
  const auto head = store::audit_head(*database);
  if (head) {
    log->write(now.wall, Severity::notice,
               "audit head: row " + std::to_string(head->seq) + ", " + head->hash);
  } else {
    log->write(now.wall, Severity::warning, "audit head: " + head.error().message);
  }
}

void Daemon::Parts::store_upkeep(Now now) {
  recorder->flush_some(now);
  // A failure here is the same that flush() has just reported.
  (void)methods->flush_denied(now);
  save_bans();
  // By a clock that is far ahead the whole past would be too old.
  const bool past_is_safe = node->clock().ahead_seconds.value_or(0) < kAheadTooFar;
  if (past_is_safe && now.mono - last_prune >= kPruneInterval) prune(now);
  if (now.mono - last_look >= HistoryKeeper::kLookInterval) look(now);
  look_at_alerts(now);
  // A failure here is the same that the recorder reports.
  if (past_is_safe) (void)history->upkeep(options.config, now);
  if (now.mono - last_expiry >= kExpiryInterval) {
    last_expiry = now.mono;
    expire(now);
  }
  if (now.mono - last_audit_head >= kAuditHeadInterval) note_audit_head(now);
}

void Daemon::Parts::upkeep() {
  count_lateness();
  const auto now = clock_now();
  if (const auto every = notify.watchdog_interval(); every && now.mono - last_watchdog >= *every) {
    last_watchdog = now.mono;
    notify.send("WATCHDOG=1");
  }
  if (!applier->busy()) store_upkeep(now);
  if (!network) {  // passive: nobody else gives the node its time, and bans must end
    node->tick(now);
    pump();
  }
  const bool soon = recorder->has_more() && !recorder->failure();
  upkeep_timer->expires_after(std::min(soon ? kFlushInterval : kUpkeepInterval,
                                       notify.watchdog_interval().value_or(kUpkeepInterval)));
  upkeep_timer->async_wait([this](const boost::system::error_code& failed) {
    if (!failed && !stopping) upkeep();
  });
}

void Daemon::Parts::check_in_background() {
  auto reader = database->open_reader();
  if (!reader) return record(EventKind::store_degraded, Severity::error, reader.error().message);
  checker = std::jthread([this, own = std::move(*reader)](std::stop_token stop) mutable {
    auto problems = store::integrity_check(own, stop);
    if (!problems) return;  // the reading failed: nothing is known
    asio::post(io, [this, first = problems->empty() ? "" : problems->front()] {
      alerts->on_integrity(first);
      if (first.empty()) return;
      record(EventKind::store_degraded, Severity::critical,
             "the database is damaged: " + first + "; run `timectl db check`");
    });
  });
}

}  // namespace timectl
