#pragma once
// Real nodes on the hosts of a Lab, with the policy numbers scaled down so that minutes become
// seconds: pings every 2 s (the least the configuration takes outside of 127/8), a dead transport
// after 4 s. What the tests of this folder ask of a node stands here, too.

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/e2e/fault_support.h"
#include "tests/e2e/sandbox.h"
#include "tests/support/lab.h"

namespace timectl::lab {

using e2e::kSanitized;
using e2e::NodeProcess;
using e2e::Sandbox;
using e2e::wait_for;
using std::chrono::milliseconds;
using test::cut_link;
using test::LabHost;
using test::LinkConditions;
using Way = test::LinkEmulator::Way;

// What the numbers of fast_numbers() are, for bounds.
inline constexpr milliseconds ping_every{2000};
inline constexpr milliseconds dead_after{4000};
inline constexpr milliseconds connect_within{2000};

// TOML lines for [network].
struct Numbers {
  int user_timeout = 4;
  int keepalive = 2;
  std::string more = "";
};
[[nodiscard]] std::string fast_numbers(const Numbers& numbers = {});
// whitelisted_peers with trusts_us, so that a lost peer is dialled again after 2 s.
[[nodiscard]] std::string friends(const std::vector<std::string>& ips);

// TIMECTL_LONG=1: the numbers of real life, which take minutes.
[[nodiscard]] bool long_run();

// Under the sanitizers everything takes longer but the network.
[[nodiscard]] constexpr milliseconds patience(milliseconds bound) {
  return kSanitized ? bound * 3 : bound * 3 / 2;
}

// Typed events of one kind about one peer, oldest first.
[[nodiscard]] std::vector<e2e::json::object> events_of(const NodeProcess& node,
                                                       const std::string& kind,
                                                       const std::string& ip);
[[nodiscard]] std::size_t count_of(const NodeProcess& node, const std::string& kind,
                                   const std::string& ip);
[[nodiscard]] std::string text(const e2e::json::object& object, const char* key);
// `peer show IP`; an empty object where the node knows nothing.
[[nodiscard]] e2e::json::object peer(const NodeProcess& node, const std::string& ip);
[[nodiscard]] double rtt_ms(const NodeProcess& node, const std::string& ip);  // 0: unknown
// User and system time of a process so far.
[[nodiscard]] milliseconds cpu_time(pid_t pid);

// Like test::run_until, for a look that takes long (a command): what waits on `io` goes first.
[[nodiscard]] bool serve_until(boost::asio::io_context& io, const std::function<bool()>& look,
                               milliseconds deadline);

class LabTest : public testing::Test {
 protected:
  void SetUp() override;
  // A node on a host of its own, 10.77.0.N; not started.
  NodeProcess& node(int number, const std::string& config);
  [[nodiscard]] LabHost& host(const NodeProcess& node);
  void start_all();
  [[nodiscard]] static std::string ip(int number) { return "10.77.0." + std::to_string(number); }

  test::Lab lab;
  Sandbox sandbox;

 private:
  std::vector<LabHost*> hosts_;
  std::deque<NodeProcess> nodes_;
};

}  // namespace timectl::lab
