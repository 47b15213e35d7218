// How the parts of a running node reach each other: the chain's host, and the services of methods.
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "daemon/clock.h"
#include "daemon/daemon_parts.h"
#include "daemon/methods_table.h"

namespace timectl {
namespace {

constexpr std::size_t kShownRows = 500;  // masternodes and alerts of the dashboard, each

}  // namespace

std::size_t Daemon::Parts::masternodes() const {
  return whitelist.size() - (own_address && whitelist.contains(*own_address) ? 1U : 0U);
}

// A node without a chain still keeps its connections, which is what it is for.
void Daemon::Parts::open_chain() {
  auto opened = DaemonChain::open(
      io,
      {.data_dir = options.data_dir,
       .network = options.config.network.name,
       .policy = coordinator_policy(options.config),
       .seed = random_seed()},
      {.now = [] { return clock_now(); },
       .masternode = [this](const IpAddress& ip) { return whitelist.contains(ip); },
       .masternodes = [this] { return masternodes(); },
       .poorly = [this](const IpAddress& ip) { return node->fares_badly(ip, clock_now()); },
       .send =
           [this](const IpAddress& ip, wire::OutgoingMessage message) {
             if (network) network->send(ip, std::move(message));
           },
       .record = [this](const Event& event) { recorder->event(event, clock_now()); },
       .accuse =
           [this](const IpAddress& ip, ViolationKind kind, const std::string& detail) {
             node->on_misconduct(ip, kind, detail, clock_now());
             pump();
           }});
  if (opened) {
    chain = std::move(*opened);
    return;
  }
  const auto& error = opened.error();
  record(EventKind::chain_failed, Severity::error,
         error.message + (error.because.empty() ? "" : ": " + error.because) +
             "; this node runs without a chain until it is restarted");
}

// The methods are asked as by the node's own user: what the page shows is what the commands show.
void Daemon::Parts::open_dashboard() {
  const auto self = [] { return control::Actor{.uid = ::getuid(), .user = "node", .via = "node"}; };
  DashboardSources sources;
  sources.overview = [this, self] {
    const auto asker = self();
    const json::value none;
    return overview_now({methods->services(), none, asker, clock_now()}, kShownRows);
  };
  sources.history = [this, self] {
    return methods->handle("overview.history", nullptr, self()).job;
  };
  sources.events = [this, self](std::size_t most) {
    return methods->call("events.list", json::object{{"limit", most}}, self());
  };
  sources.metrics = [this] { return metrics(); };
  sources.log = [this](Severity severity, const std::string& line) {
    log->write(clock_now().wall, severity, line);
  };
  sources.now = [] { return clock_now(); };
  dashboard.emplace(io, options.socket_path, server->socket_group(), std::move(sources));
  methods->services().facts.dashboard = dashboard->configure(options.config);
  open_metrics();
}

Services Daemon::Parts::services(const ModeDecision& mode) {
  Services result;
  result.config = &options.config;
  result.database = &*database;
  result.whitelist = &whitelist;
  result.bans = &bans;
  result.node = &*node;
  result.facts = {.pid = ::getpid(),
                  .started = clock_now().mono,
                  .mode = mode.mode,
                  .passive_because = mode.because,
                  .socket = options.socket_path,
                  .data_dir = options.data_dir,
                  .service = notify.managed()};
  result.facts.own_address = own_address;
  result.access.node_uid = ::getuid();
  result.access.operators = options.config.node.operators;
  result.now = [] { return clock_now(); };
  result.pump = [this] { pump(); };
  result.flush = [this] { recorder->flush(clock_now()); };
  result.stop = [this] { asio::post(io, [this] { begin_stop(); }); };
  result.reload = [this] { return reload(); };
  result.list = &list;
  result.alerts = &*alerts;
  result.record = [this](const Event& event) { recorder->event(event, clock_now()); };
  result.apply = [this](ChangeSet set, control::Answer done) {
    applier->apply(std::move(set), std::move(done));
  };
  result.refresh = [this](bool dry_run, store::AuditOrigin origin, control::Answer done) {
    refresher->ask(dry_run, std::move(origin), std::move(done));
  };
  result.settle = [this] { applier->settle(); };
  result.probes = network_probe_tools();
  result.descriptors_refused = [this] { return network ? network->refused_for_descriptors() : 0; };
  result.post = [this](std::function<void()> work) { asio::post(io, std::move(work)); };
  return result;
}

}  // namespace timectl
