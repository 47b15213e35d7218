// FT-N1, N3, N6, N7, N13, N32, N33, N34: links that are bad, but not gone.
#include <optional>
#include <sstream>

#include "tests/lab/lab_nodes.h"
#include "tests/support/scripted_peer.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;

// What a link does to a session that must survive it.
struct Link {
  const char* name;
  LinkConditions each_way;
};

const Link kLinks[] = {
    {"10 ms", {.delay = 5ms}},
    {"100 ms", {.delay = 50ms}},
    {"600 ms", {.delay = 300ms}},
    {"jitter of 2 s", {.jitter = 2000ms}},
    {"10 % loss and 200 ms of jitter", {.delay = 10ms, .jitter = 200ms, .loss = 0.1}},
    {"30 % loss", {.delay = 10ms, .loss = 0.3}},
    {"a quarter in the wrong order, a tenth twice",
     {.delay = 5ms, .duplicate = 0.1, .reorder = 0.25}},
    {"5 % corrupted", {.delay = 5ms, .corrupt = 0.05}},
};
// A counter of the node's own network stack; -1 where there is none of that name.
long icmp_counter(const NodeProcess& node, const std::string& name) {
  std::istringstream lines(e2e::slurp("/proc/" + std::to_string(node.pid()) + "/net/snmp"));
  std::string names;
  std::string values;
  while (std::getline(lines, names) && std::getline(lines, values)) {
    std::istringstream columns(names);
    std::istringstream counts(values);
    std::string column;
    std::string count;
    while (columns >> column && counts >> count) {
      if (column == name && names.starts_with("Icmp:")) return std::stol(count);
    }
  }
  return -1;
}

constexpr int kFirst = 10;  // host of the first link

class BadLinkTest : public LabTest {
 protected:
  // Node 3 and a peer for each link, connected while the links were still good.
  void connect_all(const std::string& numbers) {
    std::vector<std::string> ips;
    for (int i = 0; i < static_cast<int>(std::size(kLinks)); ++i) {
      peers.push_back(&node(kFirst + i, numbers + "outbound_regular = 0\n"));
      ips.push_back(ip(kFirst + i));
    }
    keeper = &node(3, numbers + friends(ips));
    start_all();
    ASSERT_TRUE(wait_for([&] { return keeper->connections() == ips.size(); }, patience(10s)))
        << keeper->log();
  }
  void spoil_all() {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      lab.links().set(host(*peers[i]).port(), kLinks[i].each_way);
    }
  }
  // The number of sessions that were lost, on all links.
  std::size_t losses(const char* because) {
    std::size_t lost = 0;
    for (int i = 0; i < static_cast<int>(peers.size()); ++i) {
      for (const auto& event : events_of(*keeper, "peer_disconnected", ip(kFirst + i))) {
        ++lost;
        if (because != nullptr) ADD_FAILURE() << kLinks[i].name << because << event;
      }
    }
    return lost;
  }

  std::vector<NodeProcess*> peers;
  NodeProcess* keeper = nullptr;
};

// The user time-out is the default one: the others are scaled down and thus harder than real life.
TEST_F(BadLinkTest, NoSessionIsCutByLossJitterDisorderOrDelay) {
  connect_all(fast_numbers({.user_timeout = 45}));
  spoil_all();
  const auto until = e2e::elapsed([&] {
    // The absence of a loss, for as long as two dead transports take here.
    const milliseconds time = long_run() ? 10min : 2 * (ping_every + dead_after);
    EXPECT_FALSE(wait_for([&] { return losses(nullptr) > 0; }, time));
  });
  losses(" lost a session: ");
  for (std::size_t i = 0; i < peers.size(); ++i) {
    EXPECT_EQ(peers[i]->connections(), 1U) << kLinks[i].name;
    const auto shown = peer(*keeper, ip(kFirst + static_cast<int>(i)));
    EXPECT_EQ(shown.at("undecodable_frames").to_number<int>(), 0) << kLinks[i].name;
  }
  const auto seen = lab.links().counters();
  EXPECT_GT(seen.lost, 5U) << "the links were not bad: nothing is shown";
  EXPECT_GT(seen.reordered, 3U);
  EXPECT_GT(seen.duplicated + seen.corrupted, 0U);
  RecordProperty("ms", static_cast<int>(until.count()));
}

// The control of the row above: with a user time-out of 1 s the same links cost sessions.
TEST_F(BadLinkTest, AnImpatientNodeLosesSessionsOnTheSameLinks) {
  connect_all(fast_numbers({.user_timeout = 1}));
  spoil_all();
  EXPECT_TRUE(wait_for([&] { return losses(nullptr) > 0; }, patience(20s)));
}

TEST_F(LabTest, TheRoundTripTimeIsTheLinksWithinTenPercent) {
  std::vector<std::string> ips;
  for (int i = 0; i < 3; ++i) {
    auto& peer = node(kFirst + i, fast_numbers() + "outbound_regular = 0\n");
    ips.push_back(peer.address());
    lab.links().set(host(peer).port(), kLinks[i].each_way);
  }
  auto& keeper = node(3, fast_numbers() + friends(ips));
  start_all();
  for (int i = 0; i < 3; ++i) {
    const double real = 2.0 * static_cast<double>(kLinks[i].each_way.delay.count());
    // What two busy processes add is not the link's; a burst of it passes after a few pings.
    const double machine = kSanitized ? 60 : 15;
    EXPECT_TRUE(wait_for(
        [&] {
          const double rtt = rtt_ms(keeper, ip(kFirst + i));
          return rtt >= real * 0.9 && rtt <= real * 1.1 + machine;
        },
        patience(15s)))
        << kLinks[i].name << ": " << rtt_ms(keeper, ip(kFirst + i)) << " ms";
  }
}

TEST_F(LabTest, AStormOfForgedResetsCostsOneReconnectEachAndNoCpu) {
  auto& peer = node(2, fast_numbers({.more = "outbound_regular = 0\n"}));
  auto& keeper = node(3, fast_numbers() + friends({ip(2)}));
  start_all();
  ASSERT_TRUE(wait_for([&] { return keeper.connected_to(ip(2)); }, patience(10s)));
  const auto port = host(keeper).port();
  // FT-N34, and the control: who does not know the sequence number harms nothing.
  for (const auto harmless : {test::Resets::blind, test::Resets::unreachable}) {
    const auto before = lab.links().counters().resets;
    lab.links().set_resets(port, harmless);
    ASSERT_TRUE(wait_for([&] { return lab.links().counters().resets >= before + 2; },
                         patience(3 * ping_every)));
    lab.links().set_resets(port, test::Resets::none);
  }
  EXPECT_EQ(count_of(keeper, "peer_disconnected", ip(2)), 0U);
  EXPECT_GE(icmp_counter(keeper, "InDestUnreachs"), 2) << "the forged ones did not arrive";

  const auto before = cpu_time(keeper.pid());
  lab.links().set_resets(port, test::Resets::exact);
  ASSERT_TRUE(wait_for([&] { return count_of(keeper, "dial_failed", ip(2)) >= 1; }, patience(8s)))
      << keeper.log();
  lab.links().set_resets(port, test::Resets::none);
  const auto lost = events_of(keeper, "peer_disconnected", ip(2));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(text(lost[0], "reason"), "closed_by_peer");
  EXPECT_EQ(text(lost[0], "detail"), "RST");
  EXPECT_LE(count_of(keeper, "dial_failed", ip(2)), 2U);
  EXPECT_LT(cpu_time(keeper.pid()) - before, kSanitized ? 4s : 500ms);
  EXPECT_EQ(peer.timectl({"node", "status"}).status, 0);
}

// 64 kbit/s, and a queue of 4 s that another connection over the same line keeps full.
TEST_F(LabTest, AFullSlowLineDelaysPongsAndCutsNobody) {
  auto& slow = node(2, fast_numbers({.user_timeout = 45}) + "outbound_regular = 0\n");
  auto& keeper = node(3, fast_numbers({.user_timeout = 45}) + friends({ip(2)}));
  start_all();
  ASSERT_TRUE(wait_for([&] { return keeper.connected_to(ip(2)); }, patience(10s)));
  const auto since = text(peer(keeper, ip(2)), "connected_at");
  const auto port = host(slow).port();
  lab.links().also(port, *IpAddress::parse(ip(102)));
  host(slow).command("ip address add 10.77.0.102/24 dev lab0");
  boost::asio::io_context io;
  std::optional<test::ScriptedPeer> other;
  host(slow).within([&] {
    other.emplace(io, net::Endpoint{*IpAddress::parse(ip(102)), 0}, test::Script{});
    other->dial({*IpAddress::parse(ip(3)), static_cast<std::uint16_t>(sandbox.port())});
  });
  ASSERT_TRUE(test::run_until(
      io, [&] { return other->last().has("Handshake"); }, patience(5s)));
  lab.links().set(port, {.bytes_per_second = 8000, .queue_bytes = 32'000});
  std::vector<std::uint8_t> block(250'004, 0xff);  // a frame that is no message
  block[0] = 0;
  block[1] = 3;
  block[2] = 0xd0;
  block[3] = 0x90;
  other->send_raw(block);
  EXPECT_TRUE(test::run_until(
      io, [&] { return rtt_ms(keeper, ip(2)) > 500; }, patience(15s)))
      << "the line was never full: nothing is shown; " << rtt_ms(keeper, ip(2)) << " ms";
  EXPECT_EQ(text(peer(keeper, ip(2)), "connected_at"), since) << keeper.log();
  EXPECT_EQ(count_of(keeper, "peer_disconnected", ip(102)), 0U) << "slow is not dead";
}

}  // namespace
}  // namespace timectl::lab
