#include "daemon/daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <random>
#include <utility>

#include "daemon/clock.h"
#include "daemon/control/line.h"
#include "daemon/control/socket_file.h"
#include "daemon/core/json.h"
#include "daemon/daemon_parts.h"
#include "daemon/wire/network_params.h"
#include "store/api_table.h"
#include "store/ban_table.h"
#include "store/network_claim.h"
#include "store/peers_table.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

constexpr const char* kCommand = "timectl node start";       // in the lock file
constexpr Duration kLockPatience = std::chrono::seconds(5);  // an offline command is quick

// Whoever was parked under another one is tried again.
std::string identity_of(const config::Config& config, const std::optional<IpAddress>& own) {
  return std::string(TIMECTL_VERSION " ") + std::string(name_of(config.network.name)) + " " +
         std::to_string(config.p2p_port()) + " " + std::to_string(config.policy.commit_count) +
         " " + (own ? own->to_string() : "-");
}

Result<store::StateLock> lock_directory(const std::string& directory) {
  auto lock = store::StateLock::try_acquire(directory, kCommand);
  if (lock || lock.error().code != Code::database_locked) return lock;
  const auto holder = store::lock_holder(directory);
  const bool node = holder && holder->find(kCommand) != std::string::npos;
  if (!node) lock = store::StateLock::acquire(directory, kCommand, kLockPatience);
  if (lock || lock.error().code != Code::database_locked) return lock;
  return Error{Code::node_already_running,
               "another process holds " + directory + ": " + holder.value_or("pid unknown"),
               "one node owns a data directory",
               {"timectl node status", "timectl node stop", "timectl node start --data-dir DIR"}};
}

std::string endpoint_text(const IpAddress& ip, std::uint16_t port) {
  const auto host = ip.is_v4() ? ip.to_string() : "[" + ip.to_string() + "]";
  return host + ":" + std::to_string(port);
}

LogOptions log_options(const LaunchOptions& options) {
  const auto& node = options.config.node;
  LogOptions log{.level = node.log_level,
                 .format = node.log_format,
                 .file = node.log_file,
                 .max_bytes = node.log_max_bytes,
                 .files = node.log_files};
  if (log.file.empty() && options.ready_fd >= 0) log.file = options.data_dir + "/timectl.log";
  log.journal = log.file.empty() && std::getenv("JOURNAL_STREAM") != nullptr;
  return log;
}

}  // namespace

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) ^ device();
}

void Daemon::Parts::record(EventKind kind, Severity severity, const std::string& detail) {
  const auto now = clock_now();
  recorder->event({.at = now.wall, .kind = kind, .severity = severity, .detail = detail}, now);
}

// Of a passive node, which has no network to execute its commands: it only records.
void Daemon::Parts::execute(Command command) {
  const auto now = clock_now();
  if (auto* event = std::get_if<Record>(&command)) {
    recorder->event(std::move(event->event), now);
  } else if (auto* ended = std::get_if<RecordSession>(&command)) {
    end_session(ended->session, now);
  } else if (auto* memory = std::get_if<Remember>(&command)) {
    recorder->remember(std::move(memory->memory));
  }
}

void Daemon::Parts::end_session(const SessionRecord& session, Now now) {
  counters.on_session(session);
  history->session_ended(session, now);
  recorder->session(session, now);
}

void Daemon::Parts::pump() {
  if (network) return network->run_commands();
  for (auto& command : node->take_commands()) execute(std::move(command));
}

Result<void> Daemon::Parts::open_store() {
  auto lock = lock_directory(options.data_dir);
  if (!lock) return lock.error();
  auto opened = store::Database::open(std::move(*lock), store::OpenMode::read_write);
  if (!opened) return opened.error();
  database.emplace(std::move(*opened));
  auto claimed = store::claim_network(*database, options.config.network.name);
  if (!claimed) return claimed;
  auto entries = store::load_whitelist(*database);
  if (!entries) return entries.error();
  whitelist.load(std::move(*entries));
  auto known = store::load_list_memory(*database);
  if (!known) return known.error();
  list = std::move(*known);
  whitelist.set_listed_ourselves(list.state.accepted_lists_us);
  auto stored = store::load_bans(*database);
  if (!stored) return stored.error();
  bans.load(std::move(*stored), options.config.policy.bans, clock_now());
  return {};
}

ModeDecision Daemon::Parts::choose_mode(bool port_taken) const {
  const auto& config = options.config;
  HostEvidence evidence{.port_taken = port_taken};
  if (!config.node.listen.is_loopback()) {
    const auto wire_network = wire::network_from_name(name_of(config.network.name));
    TIMECTL_CHECK(wire_network.has_value());
    const auto p2p = wire::params_of(*wire_network).port;
    evidence.rpc_answers = rpc_answers(static_cast<std::uint16_t>(p2p + 1));  // protocol 1.1
    evidence.foreign_session = foreign_session(whitelist, config.p2p_port());
  }
  return decide_mode(config.node.mode, options.passive, config.node.listen, evidence);
}

Result<void> Daemon::Parts::make_node(const ModeDecision& mode) {
  auto remembered = store::load_peers(*database, options.config.policy.known_peers);
  if (!remembered) return remembered.error();
  node.emplace(NodeOptions{.policy = options.config.policy,
                           .own_address = own_address,
                           .identity = identity_of(options.config, own_address),
                           .seed = random_seed(),
                           .mode = mode.mode,
                           .as_number =
                               [this](const IpAddress& ip) {
                                 return as_database ? as_database->lookup(ip) : std::nullopt;
                               }},
               whitelist, bans);
  node->remember(std::move(*remembered));
  if (auto restored = history->restore_scores(*node); !restored) return restored;
  if (methods) {
    methods->services().facts = services(mode).facts;
  } else {
    methods.emplace(services(mode));
    applier.emplace(io, methods->services());
    refresher.emplace(io, methods->services(), random_seed());
  }
  return {};
}

// The listener, or passive mode where the port belongs to another program.
Result<void> Daemon::Parts::start_network() {
  const auto& config = options.config;
  network.emplace(
      io,
      net::NetworkOptions{.network = config.network.name,
                          .listen = config.node.listen,
                          .port = config.p2p_port(),
                          .policy = config.policy,
                          .chain = chain.get()},
      *node, whitelist, [] { return clock_now(); },
      net::NetworkSinks{
          .event = [this](const Event& event) { recorder->event(event, clock_now()); },
          .session = [this](const auto& session) { end_session(session, clock_now()); },
          .memory = [this](const PeerMemory& memory) { remember(memory); },
          .trouble =
              [this](const std::string& text) {
                log->write(clock_now().wall, Severity::warning, text);
              }});
  const auto started = network->start();
  if (started) {
    methods->services().facts.listen = endpoint_text(network->listen_address(), network->port());
    return {};
  }
  network.reset();
  if (started.error().code != Code::port_in_use) return started.error();
  const auto mode = choose_mode(true);
  if (mode.port_error) return started.error();
  return make_node(mode);
}

// Dial states are stored in the same turn of the loop: a crash loop must not become a flood.
void Daemon::Parts::remember(const PeerMemory& memory) {
  recorder->remember(memory);
  if (std::exchange(flush_posted, true)) return;
  asio::post(io, [this] {
    flush_posted = false;
    recorder->flush_some(clock_now());
  });
}

Result<void> Daemon::Parts::open_control() {
  server.emplace(
      io,
      control::ServerOptions{.path = options.socket_path,
                             .node_uid = ::getuid(),
                             .now = [] { return clock_now().mono; },
                             .thread_time = thread_time,
                             .may_change =
                                 [this](const control::Actor& actor) {
                                   return control::decide_access(actor, control::Privilege::operate,
                                                                 methods->services().access)
                                       .allowed;
                                 }},
      [this](const std::string& method, const json::value& params, const control::Actor& actor) {
        return methods->handle(method, params, actor);
      });
  if (auto listening = server->listen(); !listening) return listening;
  auto& access = methods->services().access;
  access.socket_group = server->socket_group();
  access.group_name = control::group_name(server->socket_group());
  recorder->set_publish([this](const Event& event) {
    alerts->on_event(event);
    look_at_alerts_soon();
    server->publish(event);
    if (dashboard) dashboard->on_event(event);
  });
  return {};
}

Daemon::Daemon(LaunchOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}

Daemon::~Daemon() {
  auto& parts = *parts_;
  parts.checker.request_stop();
  if (parts.checker.joinable()) parts.checker.join();
  parts.dashboard.reset();
  parts.server.reset();
  parts.refresher.reset();
  parts.applier.reset();
  parts.network.reset();
  if (parts.methods) (void)parts.methods->flush_denied(clock_now(), true);
  if (parts.database) parts.save_all_bans();
  if (parts.upkeep_timer) parts.look(clock_now());  // it ran
  if (parts.recorder) parts.recorder->flush(clock_now());
  if (parts.upkeep_timer) parts.note_audit_head(clock_now());  // after the last row
  parts.chain.reset();  // last: its disk may hang, and nothing else must be lost by that
}

Result<control::StartReply> Daemon::open() {
  auto& parts = *parts_;
  raise_descriptor_limit(parts.options.config.policy.slots.max_connections);
  if (auto opened = parts.open_store(); !opened) return opened.error();
  parts.log.emplace(log_options(parts.options));
  parts.recorder.emplace(*parts.log, *parts.database, parts.options.config.node.log_format);
  parts.recorder->set_tally([&parts](const Event& event) { parts.counters.on_event(event); });
  parts.history.emplace(*parts.database);
  if (auto opened = parts.history->open(clock_now()); !opened) return opened.error();
  parts.open_alerts();
  parts.open_as_database();

  // Before the first socket opens (W2), with a node-less view of the services.
  Services offline;
  offline.config = &parts.options.config;
  offline.database = &*parts.database;
  offline.whitelist = &parts.whitelist;
  offline.bans = &parts.bans;
  offline.list = &parts.list;
  offline.now = [] { return clock_now(); };
  auto synced = sync_config_whitelist(offline);
  if (!synced) return synced.error();
  parts.refuse_config(*synced);

  const auto& config = parts.options.config;
  parts.own_address = own_address_of(config);
  const auto mode = parts.choose_mode(false);
  if (auto made = parts.make_node(mode); !made) return made.error();
  parts.open_chain();
  if (parts.chain) parts.methods->services().sync = parts.chain->services();
  if (auto control = parts.open_control(); !control) return control.error();
  if (mode.mode == NodeMode::active) {
    if (auto started = parts.start_network(); !started) return started.error();
  }
  parts.open_dashboard();
  if (parts.database->stopped_uncleanly()) parts.check_in_background();

  const auto& facts = parts.methods->services().facts;
  return control::StartReply{.pid = facts.pid,
                             .socket = facts.socket,
                             .listen = facts.listen,
                             .mode = facts.mode,
                             .passive_because = facts.passive_because,
                             .data_dir = facts.data_dir};
}

void Daemon::run() {
  auto& parts = *parts_;
  const auto& facts = parts.methods->services().facts;
  parts.signals.emplace(parts.io, SIGTERM, SIGINT, SIGHUP);
  parts.on_signal();
  parts.upkeep_timer.emplace(parts.io);
  parts.alert_timer.emplace(parts.io);
  const std::string passive = facts.passive_because;
  parts.record(EventKind::node_started, passive.empty() ? Severity::notice : Severity::warning,
               passive.empty() ? "listening on " + facts.listen.value_or("?")
                               : "passive: " + passive + "; no P2P connection is opened");
  if (parts.chain) parts.chain->start();
  if (!parts.network) parts.node->start(clock_now());
  parts.pump();
  parts.note_audit_head(clock_now());
  parts.upkeep();
  parts.refresher->start();
  parts.notify.send("READY=1");
  parts.io.run();
}

namespace {

// The parent of a detached start waits for this line.
void report(int fd, const Result<control::StartReply>& reply) {
  if (fd < 0) return;
  Result<json::value> result =
      reply ? Result<json::value>(to_json(*reply)) : Result<json::value>(reply.error());
  const auto line = control::reply_line(0, result);
  // A parent that has gone away has had its answer: its own time-out.
  (void)!::write(fd, line.data(), line.size());
  ::close(fd);
}

}  // namespace

Result<void> run_foreground(LaunchOptions options) {
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write, not our end
  const int ready_fd = options.ready_fd;
  Daemon daemon(std::move(options));
  auto reply = [&]() -> Result<control::StartReply> {
    try {
      return daemon.open();
    } catch (const std::exception& failure) {
      return Error{Code::internal, "the node could not start", failure.what()};
    }
  }();
  report(ready_fd, reply);
  if (!reply) return reply.error();
  daemon.run();
  return {};
}

}  // namespace timectl
