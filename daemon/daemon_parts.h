#pragma once
// The inside of Daemon: the parts of a running node and the steps that connect them. Only
// daemon*.cc include this. Members are declared in the order in which they are made, so that the
// later ones, which use the earlier, are destroyed first.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/alert_keeper.h"
#include "daemon/as_database.h"
#include "daemon/control/server.h"
#include "daemon/core/node.h"
#include "daemon/daemon.h"
#include "daemon/daemon_applier.h"
#include "daemon/daemon_chain.h"
#include "daemon/daemon_dashboard.h"
#include "daemon/daemon_refresher.h"
#include "daemon/history_keeper.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/methods.h"
#include "daemon/net/network.h"
#include "daemon/observe/counters.h"
#include "daemon/recorder.h"
#include "daemon/service_notify.h"
#include "daemon/sink_keeper.h"
#include "store/database.h"

namespace timectl {

namespace asio = boost::asio;

[[nodiscard]] std::uint64_t random_seed();

struct Daemon::Parts {
  explicit Parts(LaunchOptions launch)
      : options(std::move(launch)), whitelist(options.config.policy.whitelist.max_entries) {}

  LaunchOptions options;
  ServiceNotify notify;
  asio::io_context io{1};
  std::optional<Log> log;
  std::optional<store::Database> database;
  Whitelist whitelist;
  Bans bans;
  ListMemory list;  // what is known of the API's list
  observe::Counters counters;
  std::optional<Recorder> recorder;
  std::optional<HistoryKeeper> history;
  std::optional<SinkKeeper> sinks;
  std::optional<AlertKeeper> alerts;
  std::optional<AsDatabase> as_database;  // asked by the node
  std::optional<Node> node;
  std::unique_ptr<DaemonChain> chain;   // none where its file cannot be opened
  std::optional<net::Network> network;  // none in passive mode
  std::optional<Methods> methods;
  std::optional<Applier> applier;
  std::optional<Refresher> refresher;
  std::optional<control::Server> server;
  std::optional<Dashboard> dashboard;
  std::optional<asio::signal_set> signals;
  std::optional<IpAddress> own_address;
  std::optional<asio::steady_timer> upkeep_timer;
  std::optional<asio::steady_timer> stop_timer;
  std::optional<asio::steady_timer> alert_timer;
  std::jthread checker;  // the whole-file check after an unclean stop
  Instant last_watchdog{};
  Instant last_expiry{};
  Instant last_prune{};
  Instant last_look{};
  Instant last_audit_head{};
  Instant last_alert_look{};
  bool stopping = false;
  bool flush_posted = false;
  bool alert_look_posted = false;
  bool closed = false;  // the network has said its goodbyes

  Result<void> open_store();
  void open_alerts();
  void open_as_database();
  ModeDecision choose_mode(bool port_taken) const;
  Result<void> make_node(const ModeDecision& mode);
  void open_chain();
  Result<void> start_network();
  Services services(const ModeDecision& mode);
  Result<void> open_control();
  void open_dashboard();
  void record(EventKind kind, Severity severity, const std::string& detail);
  void execute(Command command);
  void end_session(const SessionRecord& session, Now now);
  void remember(const PeerMemory& memory);
  void pump();
  Result<void> reload();
  void refuse_config(const std::vector<WhitelistChange>& changes);
  void on_signal();
  void begin_stop();
  void finish_when_closed();
  void upkeep();
  void store_upkeep(Now now);
  void expire(Now now);
  void prune(Now now);
  [[nodiscard]] std::size_t masternodes() const;  // whitelisted, without ourselves
  void look(Now now);                             // once a minute: samples, scores
  void look_at_alerts(Now now);
  void count_lateness();
  void open_metrics();
  [[nodiscard]] std::function<std::string()> metrics();
  void look_at_alerts_soon();  // an event has come
  void note_audit_head(Now now);
  void save_bans();      // a chunk of them
  void save_all_bans();  // at the end
  void check_in_background();
};

}  // namespace timectl
