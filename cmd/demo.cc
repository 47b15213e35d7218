// `timectl demo`: a real little network on 127.0.0.0/8, told as it happens. Nothing is acted: the
// nodes are this binary with the real protocol over real sockets, the lines are from their logs,
// and the exit status is 0 only if all of it was seen.

#include <poll.h>

#include <algorithm>
#include <memory>

#include "cmd/commands.h"
#include "cmd/dashboard_link.h"
#include "cmd/demo_node.h"
#include "cmd/tree.h"
#include "daemon/clock.h"

namespace timectl::cmd {
namespace {

constexpr std::uint64_t kMostNodes = 20;
constexpr std::uint64_t kLeastSeconds = 12;
constexpr std::uint64_t kMostSeconds = 600;
constexpr Duration kReadyLimit = std::chrono::seconds(20);

struct DemoOptions {
  std::uint64_t nodes = 3;
  std::uint64_t seconds = 40;
};

class Story {
 public:
  Story(Context& context, DemoOptions options) : context_(context), options_(options) {}

  Result<int> run() {
    auto directory = DemoDirectory::make();
    if (!directory) return directory.error();
    if (auto set = set_up(*directory); !set) return set.error();
    const bool all = meet() && lose() && recover() && tell_history();
    for (auto& node : nodes_) node.ask_to_stop();
    for (auto& node : nodes_) (void)node.wait_stopped(std::chrono::seconds(5));
    say(all ? "done: everything above really happened; the directory is removed"
            : "FAILED: see the last line above");
    if (context_.out.json()) {
      context_.out.document("timectl.demo/1", json::object{{"seen", all}, {"steps", steps_}});
    }
    return all ? 0 : 2;
  }

 private:
  using Look = std::function<bool()>;

  // After a loss the higher address dials and the lower waits for it (requirements S5): the
  // retries are seen from above.
  DemoNode& victim() { return nodes_.front(); }
  DemoNode& watcher() { return nodes_.back(); }

  Duration elapsed() const { return clock_now().mono - context_.now.mono; }
  // The moment of the plan at `share` of the whole time.
  Duration at(double share) const {
    return Duration(
        static_cast<Duration::rep>(static_cast<double>(options_.seconds) * 1e6 * share));
  }

  void say(const std::string& text, Paint paint = Paint::plain) {
    char stamp[16];
    std::snprintf(stamp, sizeof(stamp), "%5.1f s  ", seconds(elapsed()));
    steps_.push_back(json::object{{"at_seconds", seconds(elapsed())}, {"text", text}});
    if (context_.out.json()) return;
    context_.out.text(context_.out.paint(Paint::dim, stamp) + context_.out.paint(paint, text) +
                      "\n");
    context_.out.flush();
  }

  bool fail(const std::string& what) {
    say("not seen: " + what, Paint::bad);
    return false;
  }

  // Reads the logs; prints what the watcher says of the lost node.
  void listen() {
    std::vector<pollfd> waiting;
    for (const auto& node : nodes_) {
      if (node.log_fd() >= 0) waiting.push_back({node.log_fd(), POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), 50);
    for (auto& node : nodes_) {
      for (const auto& line : node.new_lines()) {
        if (&node != &watcher()) continue;
        heard_.push_back(line);
        if (!telling_ || line.find(victim().ip().to_string()) == std::string::npos) continue;
        const bool critical = line.starts_with("CRITICAL");
        say(watcher().ip().to_string() + " logs: " + line, critical ? Paint::bad : Paint::warn);
      }
    }
  }

  bool wait(const Look& look, Duration until) {
    while (!look()) {
      if (elapsed() > until) return false;
      listen();
    }
    return true;
  }
  void pass_time(Duration until) {
    (void)wait([] { return false; }, until);
  }

  bool heard(const std::string& text) const {
    return std::any_of(heard_.begin(), heard_.end(),
                       [&](const auto& line) { return line.find(text) != std::string::npos; });
  }

  static bool is_ready(DemoNode& node) {
    const auto status = node.ask({"node", "status"});
    return status.is_object() && status.at("running").is_bool() && status.at("running").as_bool();
  }

  // How many masternodes `node` is connected to.
  static std::uint64_t connected(const DemoNode& node) {
    const auto peers = node.ask({"peer", "list", "--connected", "--whitelisted"});
    return peers.is_array() ? peers.get_array().size() : 0;
  }

  Result<void> set_up(const DemoDirectory& directory) {
    std::vector<IpAddress> addresses;
    for (std::uint64_t i = 0; i < options_.nodes; ++i) {
      addresses.push_back(IpAddress::v4(127, 0, 0, static_cast<std::uint8_t>(2 + i)));
    }
    const auto port = free_port(addresses);
    if (!port) return port.error();
    say(std::to_string(options_.nodes) + " real nodes on " + addresses.front().to_string() +
            " to " + addresses.back().to_string() + ", port " + std::to_string(*port) +
            ", data in " + directory.path(),
        Paint::bold);
    nodes_.reserve(options_.nodes);
    for (const auto& ip : addresses) nodes_.emplace_back(directory, ip, *port);
    for (auto& node : nodes_) {
      if (auto started = node.start(); !started) return started;
    }
    for (auto& node : nodes_) {
      const bool up = wait([&] { return !node.running() || is_ready(node); }, kReadyLimit);
      if (!up || !node.running()) {
        listen();
        return Error{Code::internal, "the node on " + node.ip().to_string() + " did not start",
                     heard_.empty() ? "" : heard_.back()};
      }
      say("node " + node.ip().to_string() + " is up (pid " + std::to_string(node.pid()) + ")");
    }
    tell_link();
    return {};
  }

  // Where the node that loses a masternode shows it to a browser.
  void tell_link() {
    const auto info = watcher().ask({"node", "info"});
    const auto text = [&](const char* key) {
      const auto* object = info.if_object();
      const auto* value = object == nullptr ? nullptr : object->if_contains(key);
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
    };
    const auto link = dashboard_link(text("dashboard_url"), text("dashboard_token_file"));
    if (!link.empty()) say("the dashboard of " + watcher().ip().to_string() + ": " + link);
  }

  bool meet() {
    say("timectl whitelist add: every node is told that the others are masternodes");
    for (auto& node : nodes_) {
      std::vector<std::string> words{"whitelist", "add", "--reason", "timectl demo"};
      for (const auto& other : nodes_) {
        if (other.ip() != node.ip()) words.push_back(other.ip().to_string());
      }
      if (!node.ask(words).is_array()) return fail("whitelist add on " + node.ip().to_string());
    }
    const auto all = wait(
        [&] {
          return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
            return connected(node) == nodes_.size() - 1;
          });
        },
        at(0.3));
    if (!all) return fail("every node connected to all the others");
    say("connected: every node has one connection to each of the others", Paint::good);
    show({"peer", "list"});
    return true;
  }

  bool lose() {
    pass_time(at(0.25));
    DemoNode& lost = victim();
    const auto ip = lost.ip().to_string();
    telling_ = true;
    say("kill -9 " + std::to_string(lost.pid()) + ": the masternode " + ip + " is gone",
        Paint::bold);
    lost.kill_hard();
    const auto limit = elapsed() + std::chrono::seconds(3);
    if (!wait([&] { return heard("CRITICAL: Whitelisted peer " + ip + " disconnected: "); },
              limit)) {
      return fail("the line CRITICAL: Whitelisted peer " + ip + " disconnected: <reason>");
    }
    if (!wait([&] { return heard("[MASTERNODE] Reconnecting to " + ip + " in "); }, limit)) {
      return fail("the line [MASTERNODE] Reconnecting to " + ip);
    }
    pass_time(at(0.6));
    return true;
  }

  bool recover() {
    DemoNode& lost = victim();
    const auto ip = lost.ip().to_string();
    say("starting the masternode " + ip + " again", Paint::bold);
    if (!lost.start()) return fail("a second start of " + ip);
    const bool back =
        wait([&] { return connected(watcher()) == nodes_.size() - 1; }, at(0.6) + at(0.3));
    if (!back) return fail(ip + " connected again");
    say("recovered: " + watcher().ip().to_string() + " is connected to " + ip + " again",
        Paint::good);
    return true;
  }

  bool tell_history() {
    const auto ip = victim().ip().to_string();
    telling_ = false;
    const auto has_break = [&] {
      const auto rows = watcher().ask({"peer", "history", ip});
      if (!rows.is_array()) return false;
      return std::any_of(rows.get_array().begin(), rows.get_array().end(),
                         [](const auto& row) { return row.at("end_reason").is_string(); });
    };
    if (!wait(has_break, elapsed() + std::chrono::seconds(5))) {
      return fail("the break in `timectl peer history " + ip + "`");
    }
    say("why it went away, from the database of " + watcher().ip().to_string() + ":");
    show({"peer", "history", ip});
    return true;
  }

  void show(const std::vector<std::string>& words) {
    if (context_.out.json()) return;
    std::string command = "timectl";
    for (const auto& word : words) command += " " + word;
    context_.out.text("\n  $ " + command + "\n" + indented(watcher().show(words)) + "\n");
    context_.out.flush();
  }

  static std::string indented(const std::string& text) {
    std::string result;
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      result += "  " + text.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
    return result;
  }

  Context& context_;
  DemoOptions options_;
  std::vector<DemoNode> nodes_;
  std::vector<std::string> heard_;
  json::array steps_;
  bool telling_ = false;
};

Result<int> run_demo(Context& context, const DemoOptions& options) {
  if (options.nodes < 2 || options.nodes > kMostNodes) {
    return Error{Code::invalid_argument, "--nodes must be 2 to 20", "", {"timectl demo --nodes 3"}};
  }
  if (options.seconds < kLeastSeconds || options.seconds > kMostSeconds) {
    return Error{Code::invalid_argument,
                 "--seconds must be 12 to 600",
                 "the retries after the loss need their time",
                 {"timectl demo --seconds 40"}};
  }
  return Story(context, options).run();
}

}  // namespace

void add_demo(CLI::App& root, Context& context) {
  auto& demo =
      add_command(root, "demo", "a real little network on this machine: connect, lose, recover",
                  {{"demo", "three nodes, 40 seconds; needs no configuration"},
                   {"demo --nodes 5 --seconds 60", "a larger one, with more retries"}});
  auto options = std::make_shared<DemoOptions>();
  add_option(demo, "--nodes", options->nodes, "N", "2 to 20 nodes, default 3");
  add_option(demo, "--seconds", options->seconds, "S", "12 to 600, default 40");
  on_run(demo, context, [&context, options] { return run_demo(context, *options); });
}

}  // namespace timectl::cmd
