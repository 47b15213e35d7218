// FT-N24, scenarios "Always" 9, and the tests of the original plan: a node that thousands reconnect
// to stays as it is, and a whitelisted peer is kept under packet loss and without pongs.
// TIMECTL_LONG=1 runs the full numbers.
#include <deque>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "tests/lab/lab_nodes.h"
#include "tests/support/scripted_peer.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;
using test::ScriptedPeer;

// KiB: malloc wanders by some pages, and a sanitizer keeps what was freed in quarantine.
constexpr double kMemoryNoise = kSanitized ? 262'144 : 2048;

std::size_t descriptors(pid_t pid) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"),
                    std::filesystem::directory_iterator()));
}

std::size_t rss_kib(pid_t pid) {
  const auto status = e2e::slurp("/proc/" + std::to_string(pid) + "/status");
  const auto at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : std::stoul(status.substr(at + 6));
}

std::string rows(const NodeProcess& node, const std::string& table) {
  const auto count = e2e::sqlite(node.data_dir() + "/timectl.db", "select count(*) from " + table);
  return count.status == 0 ? count.out : count.err;
}

class EnduranceTest : public testing::Test {
 protected:
  bool until(const std::function<bool()>& done, milliseconds deadline) {
    return test::run_until(io, done, deadline);
  }
  net::Endpoint at(const NodeProcess& node) const {
    return {*IpAddress::parse(node.address()), static_cast<std::uint16_t>(sandbox.port())};
  }
  Sandbox sandbox;
  boost::asio::io_context io;
};

// Whole sessions of one masternode: TLS, handshake, pings, and an end of either kind.
TEST_F(EnduranceTest, ThousandsOfReconnectsLeaveNothingBehind) {
  NodeProcess node(sandbox, "127.91.0.2", "whitelisted_peers = [\"127.91.0.3\"]\n");
  node.start();
  ScriptedPeer peer(io, {*IpAddress::parse("127.91.0.3"), 0}, {});
  const auto reconnect = [&](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      peer.dial(at(node));
      if (!until([&] { return !peer.last().pings.empty(); }, patience(5s))) return i;
      if (i % 2 == 0) {
        peer.close_all();
      } else {
        peer.reset_all();
      }
      if (!until([&] { return peer.living() == 0; }, patience(5s))) return i;
    }
    return times;
  };
  // Arenas, caches and the statement cache fill first.
  const std::size_t warm = kSanitized ? 50 : 300;
  ASSERT_EQ(reconnect(warm), warm) << node.log();
  const auto quiet = [&] { return node.connections() == 0; };
  ASSERT_TRUE(until(quiet, patience(5s)));
  const auto fds = descriptors(node.pid());
  const auto memory = rss_kib(node.pid());
  const auto peers = rows(node, "peers");
  const std::size_t times = long_run() ? 10'000 : kSanitized ? 100 : 1000;
  ASSERT_EQ(reconnect(times), times) << node.log();
  ASSERT_TRUE(until(quiet, patience(5s)));
  EXPECT_TRUE(until([&] { return descriptors(node.pid()) <= fds; }, patience(5s)))
      << descriptors(node.pid());
  const auto grown = static_cast<double>(rss_kib(node.pid())) - static_cast<double>(memory);
  RecordProperty("grown_kib", static_cast<int>(grown));
  // The smallest thing that a session could leave behind is about 0.2 KiB.
  EXPECT_LT(grown, kMemoryNoise + static_cast<double>(times) * 0.2);
  EXPECT_EQ(rows(node, "peers"), peers);
  // 20 rows a minute of one kind and peer, of about six kinds.
  EXPECT_LT(std::stoul(rows(node, "events")), 20U * 6 * (long_run() ? 8 : 2) + 100);
  EXPECT_LE(std::stoul(rows(node, "sessions")), 20U * (long_run() ? 8 : 2));
  // One row a session is the history, which the retention bounds; a flood of them is not written.
  std::cerr << times << " reconnects: " << grown << " KiB grown, " << fds << " descriptors, "
            << peers << rows(node, "sessions") << rows(node, "events");
}

TEST_F(EnduranceTest, N24ConnectionsThatComeAndGoAtOnceLeaveNothingBehind) {
  NodeProcess node(sandbox, "127.92.0.2", "whitelisted_peers = [\"127.92.0.3\"]\n");
  node.start();
  ScriptedPeer masternode(io, {*IpAddress::parse("127.92.0.3"), 0}, {});
  masternode.dial(at(node));
  ASSERT_TRUE(until([&] { return !masternode.last().pings.empty(); }, patience(5s)));
  const auto churn = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const std::string from =
          "127." + std::to_string(150 + i / 250 % 50) + "." + std::to_string(i % 250) + ".1";
      const e2e::Caller caller(from, node.address(), sandbox.port());
      if (i % 50 == 0) (void)until([] { return false; }, 1ms);
    }
  };
  churn(500);
  const auto quiet = [&] { return node.connections() == 1; };
  ASSERT_TRUE(until(quiet, patience(15s)));
  const auto fds = descriptors(node.pid());
  const auto memory = rss_kib(node.pid());
  churn(long_run() ? 600'000 : kSanitized ? 500 : 5000);
  ASSERT_TRUE(until([&] { return descriptors(node.pid()) <= fds; }, patience(15s)))
      << descriptors(node.pid());
  EXPECT_TRUE(quiet());
  EXPECT_LT(static_cast<double>(rss_kib(node.pid())), static_cast<double>(memory) + kMemoryNoise);
  EXPECT_TRUE(masternode.last().end.empty()) << "the masternode's session was hurt";
}

// 5 minutes of a 15 s interval are 4 s of 0.2 s. The peer goes on talking, as in the field.
TEST_F(EnduranceTest, AWhitelistedPeerWhosePongsAreBlockedForFiveMinutesIsKept) {
  NodeProcess node(sandbox, "127.93.0.2",
                   "whitelisted_peers = [\"127.93.0.3\", \"127.93.0.4\"]\n"
                   "keepalive_interval = 0.2\nmasternode_timeout = 2.4\n"
                   "timeout_check_interval = 0.1\n");
  node.start();
  ScriptedPeer talks(io, {*IpAddress::parse("127.93.0.3"), 0},
                     test::parse_script("drop-pongs=4").value());
  ScriptedPeer mute(io, {*IpAddress::parse("127.93.0.4"), 0},
                    test::parse_script("drop-pongs=4").value());
  talks.dial(at(node));
  mute.dial(at(node));
  ASSERT_TRUE(until([&] { return talks.last().pings.size() == 1; }, patience(5s)));
  auto next = std::chrono::steady_clock::now();
  const auto keep_talking = [&] {
    if (std::chrono::steady_clock::now() < next) return;
    next += 100ms;
    talks.send(wire::msg::GetBlockHeight{});
  };
  const auto degraded = [&] { return count_of(node, "peer_degraded", "127.93.0.3"); };
  EXPECT_TRUE(serve_until(
      io,
      [&] {
        keep_talking();
        return node.log().find("Peer 127.93.0.3 is degraded") != std::string::npos;
      },
      patience(4s)))
      << node.log();
  EXPECT_TRUE(serve_until(
      io,
      [&] {
        keep_talking();
        // The log, for a command would keep the peer from talking for too long.
        const auto log = node.log();
        const auto at = log.find("Peer 127.93.0.3 is degraded");
        return at != std::string::npos &&
               log.find("Peer 127.93.0.3 has recovered", at) != std::string::npos;
      },
      patience(8s)))
      << "it is well again when the block ends: " << node.log();
  EXPECT_EQ(degraded(), 1U);
  EXPECT_TRUE(talks.last().end.empty());
  EXPECT_EQ(talks.seen().size(), 1U);
  // The control: one that says nothing at all is cut.
  EXPECT_EQ(count_of(node, "peer_unresponsive", "127.93.0.4"), 1U) << node.log();
  EXPECT_FALSE(mute.seen().front().end.empty());
}

// Loopback itself loses packets here, which takes a namespace of its own and nftables.
TEST_F(EnduranceTest, AWhitelistedLoopbackPeerIsNeverDisconnectedUnderPacketLoss) {
  const auto why = test::Lab::why_not();
  if (!why.empty()) GTEST_SKIP() << "no namespaces here: " << why;
  if (!e2e::has_program("nft")) GTEST_SKIP() << "it needs nft (nftables)";
  test::Lab lab;
  const auto& host = lab.add(2);
  const auto config = [](const std::string& ip, const char* more) {
    return friends({ip}) + "keepalive_interval = 0.2\n" + more;
  };
  NodeProcess keeper(sandbox, "127.94.0.3", config("127.94.0.2", ""));
  NodeProcess peer(sandbox, "127.94.0.2", friends({"127.94.0.3", "127.94.0.4"}));
  // The control: its user time-out takes loss for death.
  NodeProcess hasty(sandbox, "127.94.0.4", config("127.94.0.2", "tcp_user_timeout = 0.3\n"));
  for (auto* one : {&peer, &keeper, &hasty}) {
    one->run_under(host.enter());
    one->start();
  }
  ASSERT_TRUE(wait_for([&] { return peer.connections() == 2; }, patience(5s))) << peer.log();
  const auto since = text(lab::peer(keeper, "127.94.0.2"), "connected_at");
  host.command("nft add table inet lab");
  host.command("nft 'add chain inet lab in { type filter hook input priority 0; }'");
  const auto lose = [&](const std::string& percent) {
    host.command("nft flush chain inet lab in");
    host.command("nft add rule inet lab in iif lo numgen random mod 100 '<' " + percent +
                 " counter drop");
  };
  const auto lost = [&](const NodeProcess& node) {
    return count_of(node, "peer_disconnected", "127.94.0.2") > 0;
  };
  lose("30");
  EXPECT_FALSE(wait_for([&] { return lost(keeper); }, long_run() ? milliseconds(10min) : 8s));
  auto list = host.enter();
  list.insert(list.end(), {"nft", "list", "chain", "inet", "lab", "in"});
  const auto listed = e2e::run(list);
  EXPECT_EQ(listed.out.find("packets 0"), std::string::npos) << "nothing was lost: " << listed.out;
  // The control: where loss is nearly complete, the hasty one takes it for death.
  lose("90");
  EXPECT_TRUE(wait_for([&] { return lost(hasty); }, patience(10s)));
  EXPECT_FALSE(lost(keeper));
  EXPECT_EQ(text(lab::peer(keeper, "127.94.0.2"), "connected_at"), since) << keeper.log();
}

}  // namespace
}  // namespace timectl::lab
