#include "config/check.h"

#include <string>
#include <unordered_map>

#include "config/keys.h"
#include "daemon/core/alert_rules.h"
#include "daemon/core/events.h"
#include "daemon/core/host_port.h"
#include "daemon/core/reflect.h"

namespace timectl::config {
namespace {

constexpr std::size_t kMostTimeServers = 8;  // all are asked at once
constexpr std::size_t kMostHosts = 16;
constexpr std::size_t kLongestNodeName = 64;

class Rules {
 public:
  explicit Rules(const Config& config) : config_(config) {}

  std::vector<Problem> lists() && {
    addresses();
    node_name();
    time_servers();
    disabled_rules();
    web();
    return std::move(problems_);
  }

  std::vector<Problem> numbers() && {
    slots();
    ordered("network.masternode_first_delay", config_.policy.reconnect.masternode_first_delay,
            "network.masternode_max_delay", config_.policy.reconnect.masternode_max_delay);
    ordered("bans.first", config_.policy.bans.first, "bans.second", config_.policy.bans.second);
    ordered("bans.second", config_.policy.bans.second, "bans.longest", config_.policy.bans.longest);
    ordered("network.regular_first_delay", config_.policy.reconnect.regular_first_delay,
            "network.regular_max_delay", config_.policy.reconnect.regular_max_delay);
    gentle();
    return std::move(problems_);
  }

 private:
  // An address in both lists, or twice in one; each message names both lines.
  void addresses() {
    std::unordered_map<IpAddress, std::size_t> white;
    std::unordered_map<IpAddress, std::size_t> black;
    std::unordered_map<std::string, std::size_t> labels;
    for (const auto& peer : config_.network.whitelisted_peers) {
      const auto [first, fresh] = white.emplace(peer.ip, peer.line);
      if (!fresh) twice(peer.ip, first->second, peer.line, "network.whitelisted_peers");
      if (peer.label.empty()) continue;
      const auto [other, unused] = labels.emplace(peer.label, peer.line);
      if (!unused) {
        add(peer.line, "the label " + peer.label + " is given twice",
            "lines " + std::to_string(other->second) + " and " + std::to_string(peer.line));
      }
    }
    for (const auto& peer : config_.network.blacklisted_peers) {
      const auto [first, fresh] = black.emplace(peer.ip, peer.line);
      if (!fresh) twice(peer.ip, first->second, peer.line, "network.blacklisted_peers");
      const auto listed = white.find(peer.ip);
      if (listed == white.end()) continue;
      add(peer.line,
          peer.ip.to_string() + " is in whitelisted_peers (line " + std::to_string(listed->second) +
              ") and in blacklisted_peers (line " + std::to_string(peer.line) + ")",
          "take it out of one of them");
    }
    if (white.size() > config_.policy.whitelist.max_entries) {
      add_key("network.whitelisted_peers", "there are more addresses than whitelist.max_entries",
              "");
    }
  }

  void twice(const IpAddress& ip, std::size_t first, std::size_t second, const char* list) {
    add(second, ip.to_string() + " is twice in " + list,
        "lines " + std::to_string(first) + " and " + std::to_string(second));
  }

  void slots() {
    const auto& slots = config_.policy.slots;
    if (slots.reserved_masternode_slots > slots.max_connections) {
      add_key("network.reserved_masternode_slots",
              "there are more reserved slots than network.max_connections", "");
    }
  }

  void ordered(const char* low, Duration first, const char* high, Duration last) {
    if (first > last) add_key(low, std::string(low) + " is longer than " + high, "");
  }

  // What other nodes punish (protocol 6.3, 7.13, 7.21) is allowed on 127/8 only, for tests.
  void gentle() {
    if (config_.node.listen.is_loopback()) return;
    const auto& liveness = config_.policy.liveness;
    const auto& reconnect = config_.policy.reconnect;
    not_harsh("network.ping_interval", liveness.ping_interval >= 2s, "2 s at least");
    not_harsh("network.keepalive_interval", liveness.keepalive_interval >= 2s, "2 s at least");
    not_harsh("network.pass_interval", reconnect.pass_interval >= 10s, "10 s at least");
    not_harsh("network.attempts_per_minute", reconnect.attempts_per_minute <= 4, "4 at most");
    not_harsh("network.after_tcp_failures_per_hour", reconnect.after_tcp_failures_per_hour <= 9,
              "9 at most");
    not_harsh("network.early_close_first_delay", reconnect.early_close_first_delay >= 60s,
              "60 s at least");
  }

  void not_harsh(const char* key, bool fine, const char* limit) {
    if (fine) return;
    add_key(key, std::string(key) + " would make other nodes ban this one",
            std::string(limit) + ", unless node.listen is in 127.0.0.0/8");
  }

  void node_name() {
    const auto& name = config_.node.name;
    if (printable(name) == name && name.size() <= kLongestNodeName) return;
    add_key("node.name", "node.name is not one line of at most 64 printable bytes",
            "it stands in each alert; empty: the host's name");
  }

  void time_servers() {
    const auto& servers = config_.node.time_servers;
    if (servers.size() > kMostTimeServers) {
      add_key("node.time_servers", "node.time_servers has more than 8 servers", "4 are enough");
    }
    for (const auto& server : servers) {
      if (const auto parsed = parse_host_port(server); !parsed) {
        add_key("node.time_servers", "node.time_servers: " + parsed.error().message,
                parsed.error().because);
      }
    }
  }

  // A slip of the finger here would leave the rule on, or seem to.
  void disabled_rules() {
    for (const auto& word : config_.alerts.disabled_rules) {
      if (value_of<AlertRule>(word)) continue;
      std::vector<std::string> rules;
      for (const auto name : names_of<AlertRule>()) rules.emplace_back(name);
      const auto near = nearest(word, rules);
      add_key("alerts.disabled_rules", "there is no alert rule " + word,
              near.empty() ? "`timectl alerts rules` lists them" : "did you mean " + near + "?");
    }
  }

  // Off the loopback everybody between here and the browser would read along, token and all.
  void web() {
    const auto& dashboard = config_.dashboard;
    if (dashboard.tls_certificate.empty() != dashboard.tls_key.empty()) {
      add_key(dashboard.tls_key.empty() ? "dashboard.tls_certificate" : "dashboard.tls_key",
              "dashboard.tls_certificate and dashboard.tls_key need each other", "");
    }
    needs_tls("dashboard.listen", dashboard.enabled, dashboard.listen);
    needs_tls("metrics.listen", config_.metrics.enabled, config_.metrics.listen);
    if (dashboard.hosts.size() > kMostHosts) {
      add_key("dashboard.hosts", "dashboard.hosts has more than 16 names", "");
    }
    for (const auto& name : dashboard.hosts) {
      const auto parsed = parse_host_port(name);
      if (!parsed || parsed->port != 0 || parsed->address) {
        add_key("dashboard.hosts", "dashboard.hosts: " + name + " is not a host's name",
                "names without a port, as \"node.example.org\"; addresses need none");
      }
    }
  }

  void needs_tls(const char* key, bool enabled, const Endpoint& listen) {
    if (!enabled || listen.ip.is_loopback() || !config_.dashboard.tls_certificate.empty()) return;
    add_key(key, std::string(key) + " is not a loopback address, so it needs TLS",
            "set dashboard.tls_certificate and dashboard.tls_key, or stay on 127.0.0.1 and use "
            "ssh -L 24010:127.0.0.1:24010 HOST");
  }

  void add(std::size_t line, std::string message, std::string hint) {
    problems_.push_back({config_.file, line, 0, 0, std::move(message), std::move(hint), ""});
  }

  void add_key(const std::string& key, std::string message, std::string hint) {
    const auto place = config_.placed.find(key);
    add(place == config_.placed.end() ? 0 : place->second.line, std::move(message),
        std::move(hint));
  }

  const Config& config_;
  std::vector<Problem> problems_;
};

}  // namespace

void point_at(Problem& problem, std::string_view text) {
  if (problem.line == 0 || problem.column != 0) return;
  for (std::size_t line = 1; line < problem.line; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  const auto first = text.find_first_not_of(" \t");
  const auto last = text.find_last_not_of(" \t\r");
  if (first == std::string_view::npos) return;
  problem.excerpt = std::string(text.substr(0, last + 1));
  problem.column = first + 1;
  problem.width = last + 1 - first;
  std::string subject = problem.message.substr(0, problem.message.find(' '));
  if (subject.starts_with("network.")) subject.erase(0, std::string_view("network.").size());
  if (const auto at = problem.excerpt.find(subject); at != std::string::npos && subject != "the") {
    problem.column = at + 1;
    problem.width = subject.size();
  }
}

std::vector<Problem> broken_list_rules(const Config& config) {
  return Rules(config).lists();
}

std::vector<Problem> broken_number_rules(const Config& config) {
  return Rules(config).numbers();
}

}  // namespace timectl::config
