#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/dashboard_link.h"
#include "cmd/settings.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/clock.h"
#include "daemon/control/api.h"
#include "daemon/launch.h"
#include "daemon/methods_offline.h"

namespace timectl::cmd {
namespace {

constexpr Duration kStartLimit = std::chrono::seconds(30);
constexpr Duration kStopLimit = std::chrono::seconds(15);  // sends its goodbyes, merges the WAL
constexpr int kNotRunning = 3;

struct StartOptions {
  bool foreground = false;
  bool passive = false;
  int ready_fd = -1;
};

struct StopReply {
  std::int64_t pid = 0;
  bool stopped = true;
  std::string data_dir = {};
};
BOOST_DESCRIBE_STRUCT(StopReply, (), (pid, stopped, data_dir))

struct ReloadReply {
  bool reloaded = false;
};
BOOST_DESCRIBE_STRUCT(ReloadReply, (), (reloaded))

// The global flags again, for the process that becomes the node; it runs in our directory.
std::vector<std::string> node_arguments(const Globals& globals, bool passive) {
  std::vector<std::string> words;
  const auto add = [&](const char* flag, const std::optional<std::string>& value) {
    if (!value) return;
    words.emplace_back(flag);
    words.push_back(*value);
  };
  const auto add_path = [&](const char* flag, const std::optional<std::string>& path) {
    if (path) add(flag, absolute_path(*path));
  };
  add_path("--config", globals.config);
  add("--network", globals.network);
  add_path("--socket", globals.socket);
  add_path("--data-dir", globals.data_dir);
  words.insert(words.end(), {"node", "start", "--foreground"});
  if (passive) words.emplace_back("--passive");
  return words;
}

Result<int> run_node(const Settings& settings, const StartOptions& options) {
  std::signal(SIGINT, SIG_DFL);  // the node stops in order by its own handler
  // Started by way of /proc/self/exe it would be called "exe" in ps, top and pgrep.
  ::prctl(PR_SET_NAME, "timectl");
  LaunchOptions launch;
  launch.config = settings.config;
  launch.data_dir = settings.data_dir;
  launch.socket_path = settings.socket_path;
  launch.passive = options.passive;
  launch.ready_fd = options.ready_fd;
  launch.reload = [request = settings.request] { return config::load(request); };
  const auto ended = run_foreground(std::move(launch));
  if (!ended) return ended.error();
  return 0;
}

std::string started_text(const Output& out, const control::StartReply& reply) {
  std::string text = out.paint(Paint::good, "the node is running") +
                     fmt::format("  (pid {}, {})\n", reply.pid, name_of(reply.mode));
  std::vector<Field> fields;
  if (reply.listen) fields.push_back({"  listens on", printable(*reply.listen)});
  if (reply.mode == NodeMode::passive) {
    fields.push_back({"  passive", printable(reply.passive_because)});
  }
  fields.push_back({"  socket", printable(reply.socket, 4000)});
  fields.push_back({"  data", printable(reply.data_dir, 4000)});
  return text + fields_text(out, fields);
}

Result<int> start_node(Context& context, std::string_view schema, bool passive) {
  const auto settings = load_settings(context.globals);
  if (!settings) return settings.error();
  const auto started = start_detached(node_arguments(context.globals, passive), settings->data_dir,
                                      context.globals.timeout.value_or(kStartLimit));
  if (!started) return started.error();
  if (context.out.json()) {
    context.out.document(schema, to_json(*started), "node");
    return 0;
  }
  context.out.text(started_text(context.out, *started));
  context.out.note("next: timectl status");
  return 0;
}

Result<int> start(Context& context, const StartOptions& options) {
  if (!options.foreground) return start_node(context, "timectl.node.start/1", options.passive);
  const auto settings = load_settings(context.globals);
  if (!settings) return settings.error();
  return run_node(*settings, options);
}

Result<control::NetworkInfo> network_info(Context& context) {
  const auto answer = ask(context, "getnetworkinfo", json::object());
  if (!answer) return answer.error();
  return read_answer<control::NetworkInfo>(answer->data);
}

// A process, so that its end can be waited for; none where the kernel does not show it to us.
class Process {
 public:
  explicit Process(std::int64_t pid)
      : fd_(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0))) {}
  ~Process() {
    if (fd_ >= 0) ::close(fd_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  void wait_end(Duration limit) const {
    pollfd entry{fd_, POLLIN, 0};
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
    if (fd_ >= 0) (void)::poll(&entry, 1, static_cast<int>(wait));
  }

 private:
  int fd_;
};

// Asks the node to stop and waits until its lock is free: then the next one may start. What its
// process does after that is a matter of milliseconds.
Result<StopReply> stop_node(Context& context, const control::NetworkInfo& info) {
  constexpr Duration kLastSteps = std::chrono::seconds(2);
  const Duration limit = context.globals.timeout.value_or(kStopLimit);
  const Process process(info.pid);
  const auto asked = ask_node(context, "node.stop", json::object(), limit);
  if (!asked) return asked.error();
  if (!wait_until_free(info.data_dir, limit)) {
    return Error{
        Code::timed_out,
        fmt::format("the node (pid {}) has not stopped in {}", info.pid, human_duration(limit)),
        "it may be sending its last words to slow peers, or writing to a slow disk",
        {"timectl node stop --timeout 60"}};
  }
  process.wait_end(kLastSteps);
  return StopReply{info.pid, true, info.data_dir};
}

Result<int> stop(Context& context) {
  const auto info = network_info(context);
  if (!info) return info.error();
  const auto stopped = stop_node(context, *info);
  if (!stopped) return stopped.error();
  if (context.out.json()) {
    context.out.document("timectl.node.stop/1", to_json(*stopped), "node");
  } else {
    context.out.text(fmt::format("the node (pid {}) has stopped\n", stopped->pid));
  }
  return 0;
}

// The node that was told to stay passive stays so: opening P2P could throw out a masternode.
Result<int> restart(Context& context, bool passive) {
  const auto info = network_info(context);
  if (!info && info.error().code != Code::node_not_running) return info.error();
  if (info && info->service) {
    // Started by us it would have another environment, and another state directory by it.
    return Error{
        Code::invalid_argument,
        fmt::format("the node (pid {}) is a service, and its manager starts it", info->pid),
        "started from here it would run as another user's process on other data",
        {"systemctl restart timectl", "timectl node reload"}};
  }
  // Looked at before the node is stopped: with this file none would start again.
  if (const auto settings = load_settings(context.globals); !settings) return settings.error();
  if (info) {
    passive = passive || info->passive_because == "--passive was given";
    const auto stopped = stop_node(context, *info);
    if (!stopped) return stopped.error();
    if (!context.out.json()) {
      context.out.text(fmt::format("the node (pid {}) has stopped\n", stopped->pid));
      context.out.flush();
    }
  } else {
    context.out.note("no node was running");
  }
  return start_node(context, "timectl.node.restart/1", passive);
}

Result<int> reload(Context& context) {
  const auto answer = ask(context, "node.reload", json::object());
  if (!answer) return answer.error();
  return show<ReloadReply>(context, "timectl.node.reload/1", *answer, [&](const auto&) {
    context.out.text("the node has loaded its configuration again\n");
  });
}

Result<int> status(Context& context) {
  const auto answer = ask(context, "status", json::object());
  if (!answer) return answer.error();
  const auto reply = read_answer<control::StatusReply>(answer->data);
  if (!reply) return reply.error();
  const auto& node = reply->node;
  auto& out = context.out;
  if (out.json()) {
    out.document("timectl.node.status/1", to_json(node), answer->source, answer->warnings);
  } else if (!node.running) {
    out.text("no node is running\n");
    out.note("next: timectl node start");
  } else {
    const Cells cells(out);
    std::vector<Field> fields{{"  pid", cells(node.pid)}, {"  mode", cells(node.mode)}};
    if (!node.passive_because.empty()) fields.push_back({"  because", cells(node.passive_because)});
    if (node.listen) fields.push_back({"  listens on", cells(*node.listen)});
    if (node.uptime_seconds) {
      fields.push_back({"  up for", human_duration(Duration(
                                        static_cast<Duration::rep>(*node.uptime_seconds * 1e6)))});
    }
    out.text(out.paint(Paint::good, "the node is running") + "\n" + fields_text(out, fields));
  }
  return node.running ? 0 : kNotRunning;
}

std::string info_text(const Output& out, const control::NetworkInfo& info) {
  const Cells cells(out);
  const auto period = [](double value) {
    return human_duration(Duration(static_cast<Duration::rep>(value * 1e6)));
  };
  std::vector<Field> fields{
      {"Version", cells(info.version)},
      {"Network", cells(info.network)},
      {"Process", fmt::format("pid {}, up {}", info.pid, period(info.uptime_seconds))},
      {"Mode", cells(info.mode)},
  };
  if (!info.passive_because.empty()) fields.push_back({"Because", cells(info.passive_because)});
  fields.push_back({"Listens on", cells(info.listen)});
  fields.push_back({"Own address", info.own_address ? cells(*info.own_address) : "unknown"});
  fields.push_back({"Commit count", cells(info.commit_count)});
  fields.push_back({"Socket", printable(info.socket, 4000)});
  fields.push_back({"Data", printable(info.data_dir, 4000)});
  fields.push_back({"Config", info.config_file ? printable(*info.config_file, 4000) : "defaults"});
  fields.push_back({"Dashboard", dashboard_text(info)});
  fields.push_back({"Slots", fmt::format("{} of {}", info.slots.total, info.slots.total_max)});
  const auto& sync = info.sync_status;
  fields.push_back({"Height", sync.height ? grouped(*sync.height) : "unknown (no verified chain)"});
  fields.push_back({"Whitelist", fmt::format("{} address{}", info.whitelist_count,
                                             info.whitelist_count == 1 ? "" : "es")});
  std::string text = fields_text(out, fields);
  if (info.whitelisted_peers.empty()) return text;
  using Row = control::WhitelistedPeerInfo;
  return text + "\n" +
         Table(out, info.whitelisted_peers)
             .column("WHITELISTED PEER", &Row::ip)
             .column("CONNECTED FOR",
                     [&](const Row& row) {
                       return row.uptime ? Cell{period(*row.uptime), Paint::good}
                                         : Cell{"not connected", Paint::bad};
                     })
             .column("MISSED PONGS", &Row::missed_pongs, Align::right)
             .column("REASON", &Row::reason)
             .text();
}

void add_start(CLI::App& node, Context& context) {
  auto& command =
      add_command(node, "start", "start the node; returns when it listens and answers",
                  {{"node start", "in the background; prints pid, socket and address"},
                   {"node start --network testnet --passive", "of another network, without P2P"},
                   {"node start --foreground", "for a service manager; the log goes to stderr"}});
  auto options = std::make_shared<StartOptions>();
  add_flag(command, "--foreground", options->foreground, "run in this process");
  add_flag(command, "--passive", options->passive, "never open a P2P connection");
  add_hidden_option(command, "--ready-fd", options->ready_fd);
  on_run(command, context, [&context, options] { return start(context, *options); });
}

}  // namespace

void add_node(CLI::App& root, Context& context) {
  auto& node = add_command(root, "node", "start, stop and look at the node",
                           {{"node start", "returns when the node is ready"},
                            {"node stop", "returns when it has stopped"}});
  add_start(node, context);

  auto& stopping = add_command(
      node, "stop", "stop the node; returns when its data is closed",
      {{"node stop", "in order, within 15 s"}, {"node stop --timeout 60", "with more patience"}});
  on_run(stopping, context, [&context] { return stop(context); });

  auto passive = std::make_shared<bool>(false);
  auto& again = add_command(node, "restart", "stop the node if it runs, then start it",
                            {{"node restart", "after an upgrade"}});
  add_flag(again, "--passive", *passive, "never open a P2P connection");
  on_run(again, context, [&context, passive] { return restart(context, *passive); });

  auto& reloading = add_command(node, "reload", "load the configuration again, keeping connections",
                                {{"node reload", "with errors the old one stays in force"}});
  on_run(reloading, context, [&context] { return reload(context); });

  auto& asking = add_command(node, "status", "is the node running; 3 if not",
                             {{"node status", "pid, mode, address, uptime"}});
  on_run(asking, context, [&context] { return status(context); });

  auto& information = add_command(node, "info", "the network information document",
                                  {{"node info --json", "as monitoring reads it"}});
  on_run(information, context, [&context]() -> Result<int> {
    const auto answer = ask(context, "getnetworkinfo", json::object());
    if (!answer) return answer.error();
    return show<control::NetworkInfo>(
        context, "timectl.node.info/1", *answer,
        [&](const auto& info) { context.out.text(info_text(context.out, info)); });
  });
}

}  // namespace timectl::cmd
