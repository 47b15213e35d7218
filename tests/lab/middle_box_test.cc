// FT-N14, N30, N31: what stands between two nodes: a flood of forged connection attempts, a NAT
// that forgets, a path that swallows large packets.
#include <optional>
#include <sstream>

#include "tests/lab/lab_nodes.h"
#include "tests/support/scripted_peer.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;

// A counter of the node's own network stack, of /proc/net/netstat; -1 where there is none such.
long tcp_counter(const NodeProcess& node, const std::string& name) {
  std::istringstream lines(e2e::slurp("/proc/" + std::to_string(node.pid()) + "/net/netstat"));
  std::string names;
  std::string values;
  while (std::getline(lines, names) && std::getline(lines, values)) {
    std::istringstream columns(names);
    std::istringstream counts(values);
    std::string column;
    std::string count;
    while (columns >> column && counts >> count) {
      if (column == name) return std::stol(count);
    }
  }
  return -1;
}

class MiddleBoxTest : public LabTest {
 protected:
  // A scripted peer on a host of its own dials `node`.
  test::ScriptedPeer& peer_at(int number, const NodeProcess& node) {
    hosts.push_back(&lab.add(number));
    hosts.back()->within([&] {
      auto& made =
          peers.emplace_back(io, net::Endpoint{*IpAddress::parse(ip(number)), 0}, test::Script{});
      made.dial(endpoint(node));
    });
    return peers.back();
  }
  net::Endpoint endpoint(const NodeProcess& node) {
    return {*IpAddress::parse(node.address()), static_cast<std::uint16_t>(sandbox.port())};
  }
  bool until(const std::function<bool()>& look, milliseconds deadline) {
    return test::run_until(io, look, patience(deadline));
  }

  boost::asio::io_context io;
  std::vector<LabHost*> hosts;
  std::deque<test::ScriptedPeer> peers;
};

class SynFloodTest : public MiddleBoxTest {
 protected:
  // 50,000 a second: a hundred at each turn of the loop, as the clock demands.
  void flood() {
    const auto due = static_cast<std::uint64_t>(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() * 50'000);
    for (; sent < due; sent += 100) {
      lab.links().flood_with_syns(host(*target).port(), endpoint(*target), 100);
    }
  }
  bool flooded_until(const std::function<bool()>& look, milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    do {
      flood();
      io.restart();
      (void)io.run_for(1ms);
      if (look()) return true;
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }
  // A masternode with a session, then the flood until the queue of half-open ones is full.
  void set_up(const char* cookies) {
    target = &node(2, fast_numbers() + "outbound_regular = 0\n" + friends({ip(3)}));
    keeper = &node(3, fast_numbers() + friends({ip(2)}));
    host(*target).command(std::string("sysctl -qw net.ipv4.tcp_syncookies=") + cookies);
    // Without a way back the kernel drops a SYN at once.
    host(*target).command("ip route add default dev lab0");
    start_all();
    ASSERT_TRUE(wait_for([&] { return keeper->connected_to(ip(2)); }, patience(10s)));
    begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(flooded_until([] { return false; }, 1s));
  }
  bool newcomer_is_served(int number, milliseconds deadline) {
    auto& newcomer = peer_at(number, *target);
    return flooded_until(
        [&] { return !newcomer.seen().empty() && newcomer.last().has("Handshake"); }, deadline);
  }

  NodeProcess* target = nullptr;
  NodeProcess* keeper = nullptr;
  std::chrono::steady_clock::time_point begin;
  std::uint64_t sent = 0;
};

// A newcomer is served in milliseconds; where the loaded host of a test drops its SYN, the kernel
// sends another one after 1 s and after 3 s.
constexpr milliseconds kInTime = 5s;

TEST_F(SynFloodTest, N14AFloodOfForgedSynsHurtsNoSessionAndKeepsNoNewcomerOut) {
  set_up("1");
  const auto since = text(peer(*keeper, ip(2)), "connected_at");
  const auto cpu = cpu_time(target->pid());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(newcomer_is_served(10 + i, kInTime)) << i;
  }
  EXPECT_FALSE(flooded_until([] { return false; }, 2 * ping_every));
  EXPECT_EQ(text(peer(*keeper, ip(2)), "connected_at"), since);
  EXPECT_EQ(count_of(*keeper, "peer_disconnected", ip(2)), 0U) << keeper->log();
  EXPECT_EQ(count_of(*keeper, "peer_suspect", ip(2)), 0U) << keeper->log();
  EXPECT_LT(cpu_time(target->pid()) - cpu, kSanitized ? 4s : 1s)
      << "the node never sees a forged SYN";
  EXPECT_GT(tcp_counter(*target, "SyncookiesSent"), 50'000) << "the queue was never full";
  RecordProperty("syns", static_cast<int>(sent));
}

// The control, and what happens where an operator has switched syncookies off.
TEST_F(SynFloodTest, N14WithoutSyncookiesNewcomersStayOutsideAndTheSessionLives) {
  set_up("0");
  EXPECT_FALSE(newcomer_is_served(10, kInTime));
  EXPECT_EQ(tcp_counter(*target, "SyncookiesSent"), 0);
  EXPECT_TRUE(keeper->connected_to(ip(2)));
}

class NatTest : public MiddleBoxTest {
 protected:
  // `keeper` is behind the NAT and watches a node that cannot dial it.
  void set_up(const test::NatRules& rules) {
    auto& outside = node(2, fast_numbers() + "outbound_regular = 0\n");
    keeper = &node(3, fast_numbers() + friends({ip(2)}));
    lab.links().set_nat(host(*keeper).port(), rules);
    outside.start();
    keeper->start();
    ASSERT_TRUE(wait_for([&] { return keeper->connected_to(ip(2)); }, patience(10s)))
        << keeper->log();
  }
  std::size_t losses() { return count_of(*keeper, "peer_disconnected", ip(2)); }
  // Gives the event of the one loss, after which the session must come back.
  e2e::json::object lost_and_back(milliseconds within) {
    EXPECT_TRUE(wait_for([&] { return losses() == 1; }, patience(within))) << keeper->log();
    const auto lost = events_of(*keeper, "peer_disconnected", ip(2));
    EXPECT_TRUE(wait_for([&] { return keeper->connected_to(ip(2)); }, patience(4s + 2s)))
        << keeper->log();
    EXPECT_EQ(losses(), 1U) << keeper->log();
    return lost.empty() ? e2e::json::object() : lost.front();
  }

  NodeProcess* keeper = nullptr;
};

TEST_F(NatTest, N30AfterARebindingTheNextPingEndsTheOldSessionAndANewOneBegins) {
  set_up({});
  lab.links().forget_mappings(host(*keeper).port());
  const auto lost = lost_and_back(ping_every + 1s);
  EXPECT_EQ(text(lost, "reason"), "closed_by_peer");
  EXPECT_EQ(text(lost, "detail"), "RST");
}

TEST_F(NatTest, N30ARouterThatDropsWhatItDoesNotKnowIsFoundLikeADeadTransport) {
  set_up({.only_new_connections = true});
  lab.links().forget_mappings(host(*keeper).port());
  const auto lost = lost_and_back(ping_every + dead_after);
  EXPECT_EQ(text(lost, "reason"), "transport_dead");
  EXPECT_NE(text(lost, "detail").find("nothing arrives"), std::string::npos) << lost;
  EXPECT_GT(lab.links().counters().unmapped, 0U);
}

TEST_F(NatTest, N30PingsKeepAMappingThatExpires) {
  set_up({.expires_after = 2 * ping_every});
  EXPECT_FALSE(wait_for([&] { return losses() > 0; }, 5 * ping_every)) << keeper->log();
}

// The control: a mapping that expires between two pings.
TEST_F(NatTest, N30AMappingThatExpiresBetweenTwoPingsCostsTheSession) {
  set_up({.expires_after = 500ms});
  EXPECT_TRUE(wait_for([&] { return losses() > 0; }, patience(5 * ping_every))) << keeper->log();
}

// Of 20 requests at once so many are answered at least: the node says no more than 20 things a
// second, its greetings among them. More than the ten segments that a new connection may have under
// way.
constexpr std::size_t kAnswers = 12;

class PathMtuTest : public MiddleBoxTest {
 protected:
  // Nothing over 400 bytes reaches the peer from now on, and no ICMP tells so. The largest that the
  // node sends today are some answers at once, so the device's own size is scaled down with it, and
  // so is what the kernel tries when it probes.
  void set_up(const char* probing, int user_timeout) {
    target = &node(2, fast_numbers({.user_timeout = user_timeout}) + "outbound_regular = 0\n");
    host(*target).command("ip link set lab0 mtu 576");
    host(*target).command(std::string("sysctl -qw net.ipv4.tcp_base_mss=256 ") +
                          "net.ipv4.tcp_mtu_probing=" + probing);
    target->start();
    scripted = &peer_at(10, *target);
    ASSERT_TRUE(until([&] { return scripted->last().has("Handshake"); }, 5s));
    lab.links().set(hosts.back()->port(), Way::to_node, {.delay = 20ms, .largest = 400});
  }
  void ask(int count) {
    std::vector<std::uint8_t> requests;
    const auto one = test::frame_of(wire::msg::GetGenesisHash{});
    for (int i = 0; i < count; ++i) requests.insert(requests.end(), one.begin(), one.end());
    scripted->send_raw(requests);
  }
  // The peer goes on to ping, as a peer does.
  bool pinging_until(const std::function<bool()>& look, milliseconds deadline) {
    auto next = std::chrono::steady_clock::now();
    return until(
        [&] {
          if (std::chrono::steady_clock::now() >= next && scripted->living() > 0) {
            next += 500ms;
            wire::msg::Ping ping;
            ping.nonce = ++nonce;
            scripted->send(ping);
          }
          return look();
        },
        deadline);
  }
  std::size_t answers() const { return scripted->last().count("GenesisHashResponse"); }
  std::string detail() {
    const auto lost = events_of(*target, "peer_disconnected", ip(10));
    return lost.empty() ? "" : text(lost.front(), "reason") + ": " + text(lost.front(), "detail");
  }

  NodeProcess* target = nullptr;
  test::ScriptedPeer* scripted = nullptr;
  std::uint64_t nonce = 1000;
};

TEST_F(PathMtuTest, N31APathThatSwallowsLargePacketsIsNamed) {
  set_up("0", 4);
  // The first control: small frames alone, and the session lives.
  ask(1);
  EXPECT_FALSE(pinging_until([&] { return scripted->living() == 0; }, 2 * dead_after / 3));
  EXPECT_TRUE(scripted->last().has("GenesisHashResponse"));
  ask(20);
  EXPECT_TRUE(pinging_until([&] { return !detail().empty(); }, dead_after + 4s)) << target->log();
  EXPECT_LT(answers(), kAnswers) << "the control of the next test";
  EXPECT_GT(lab.links().counters().too_large, 2U);
  EXPECT_TRUE(detail().starts_with("transport_dead: ")) << detail();
  EXPECT_NE(detail().find("path_mtu: small packets reach it"), std::string::npos) << detail();
}

// The kernel's own remedy, which docs/protection.md names: it tries smaller segments.
TEST_F(PathMtuTest, N31WithMtuProbingTheSameSessionLives) {
  set_up("1", 12);
  ask(20);
  EXPECT_TRUE(pinging_until([&] { return answers() >= kAnswers; }, 10s)) << detail() << answers();
  EXPECT_GT(lab.links().counters().too_large, 0U) << "nothing large was sent: nothing is shown";
  EXPECT_EQ(detail(), "");
}

}  // namespace
}  // namespace timectl::lab
