#include "tests/lab/lab_nodes.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace timectl::lab {

namespace json = boost::json;

std::string fast_numbers(const Numbers& numbers) {
  return "keepalive_interval = " + std::to_string(numbers.keepalive) +
         "\nping_interval = 2\ntimeout_check_interval = 1\n"
         "tcp_user_timeout = " +
         std::to_string(numbers.user_timeout) +
         "\nconnect_timeout = 2\nmasternode_max_delay = 4\nunclean_delay = 2\n" + numbers.more;
}

std::string friends(const std::vector<std::string>& ips) {
  std::string line = "whitelisted_peers = [";
  for (const auto& ip : ips) line += "{ip = \"" + ip + "\", trusts_us = true}, ";
  return line + "]\n";
}

bool long_run() {
  return std::getenv("TIMECTL_LONG") != nullptr;
}

std::string text(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::vector<json::object> events_of(const NodeProcess& node, const std::string& kind,
                                    const std::string& ip) {
  std::vector<json::object> found;
  const auto rows = node.query({"events", "--since", "1h", "--peer", ip, "--kind", kind});
  if (!rows.is_array()) return found;
  for (const auto& row : rows.get_array()) {
    found.push_back(row.as_object());
  }
  return found;
}

std::size_t count_of(const NodeProcess& node, const std::string& kind, const std::string& ip) {
  return events_of(node, kind, ip).size();
}

json::object peer(const NodeProcess& node, const std::string& ip) {
  const auto shown = e2e::ask_json(node, {"peer", "show", ip});
  if (shown.status != 0) return {};
  const auto data = shown.data();
  return data.is_object() ? data.get_object() : json::object();
}

double rtt_ms(const NodeProcess& node, const std::string& ip) {
  const auto shown = peer(node, ip);
  const auto* rtt = shown.if_contains("rtt_ms");
  return rtt != nullptr && rtt->is_number() ? rtt->to_number<double>() : 0;
}

milliseconds cpu_time(pid_t pid) {
  const auto stat = e2e::slurp("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

bool serve_until(boost::asio::io_context& io, const std::function<bool()>& look,
                 milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  do {
    io.restart();
    (void)io.run_for(milliseconds(20));
    if (look()) return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void LabTest::SetUp() {
  const auto why = test::Lab::why_not();
  if (!why.empty()) GTEST_SKIP() << "no namespaces here: " << why;
}

NodeProcess& LabTest::node(int number, const std::string& config) {
  LabHost& at = lab.add(number);
  auto& made = nodes_.emplace_back(sandbox, at.address(), config);
  made.run_under(at.enter());
  hosts_.push_back(&at);
  return made;
}

LabHost& LabTest::host(const NodeProcess& node) {
  for (auto* at : hosts_) {
    if (at->address() == node.address()) return *at;
  }
  throw std::out_of_range(node.address());
}

void LabTest::start_all() {
  for (auto& node : nodes_) node.start();
}

}  // namespace timectl::lab
