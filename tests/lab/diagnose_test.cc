// `timectl diagnose peer` on a bad network (T03, T16, T33): no way back, a slow and uneven path, a
// path that died under a session; and beside the session of another process (T25).
#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "tests/e2e/scenario_rows.h"
#include "tests/lab/lab_nodes.h"
#include "tests/support/fake_rpc.h"
#include "tests/support/scripted_peer.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;

// The height that the clock expects, where a healthy peer is.
std::uint64_t height() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return wire::expected_height(wire::Network::testnet,
                               std::chrono::duration_cast<std::chrono::seconds>(now).count());
}
std::string tip() {
  return "height=" + std::to_string(height()) + " tip=" + std::string(64, 'c');
}

// A scripted peer on a host of the lab, run by a thread of its own.
class LabPeer {
 public:
  LabPeer(const LabHost& host, const net::Endpoint& at, const std::string& words)
      : work_(boost::asio::make_work_guard(io_)) {
    host.within([&] { peer_.emplace(io_, at, test::parse_script(words).value()); });
    thread_ = std::thread([this] { io_.run(); });
  }
  ~LabPeer() {
    io_.stop();
    thread_.join();
    peer_.reset();
  }
  [[nodiscard]] std::size_t connections() {
    std::promise<std::size_t> count;
    boost::asio::post(io_, [&] { count.set_value(peer_->seen().size()); });
    return count.get_future().get();
  }
  LabPeer(const LabPeer&) = delete;
  LabPeer& operator=(const LabPeer&) = delete;

 private:
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::optional<test::ScriptedPeer> peer_;
  std::thread thread_;
};

class DiagnoseLabTest : public LabTest {
 protected:
  NodeProcess& asker(const std::string& more = "") {
    auto& made = node(3, fast_numbers({.more = "outbound_regular = 0\n"}) + more);
    made.start();
    return made;
  }
  [[nodiscard]] net::Endpoint endpoint(int number) {
    return {*IpAddress::parse(ip(number)), static_cast<std::uint16_t>(sandbox.port())};
  }
  // A healthy RPC beside the peer.
  std::unique_ptr<testing::FakeRpc> rpc_of(const LabHost& host, int number) {
    testing::FakeRpcWish wish;
    wish.address = ip(number);
    wish.port = static_cast<std::uint16_t>(sandbox.port() + 1);
    std::unique_ptr<testing::FakeRpc> rpc;
    host.within([&] { rpc = std::make_unique<testing::FakeRpc>(wish); });
    rpc->healthy(height(), 86'400);
    rpc->answer("masternodelist", R"({"total":1,"masternodes":[{"address":")" + ip(3) +
                                      R"(:24100","is_active":true,"is_connected":false}]})");
    return rpc;
  }
};

TEST_F(DiagnoseLabTest, T03APeerWithoutAWayBackIsFilteredAfterFiveSeconds) {
  auto& node = asker();
  lab.add(12).command("ip route add blackhole 10.77.0.3/32");
  const auto judged = e2e::diagnosed(node, {"peer", ip(12), "--probe"});
  e2e::expect_verdict(judged, "T03");
  EXPECT_TRUE(judged.evidence("timed_out after 5", "FM-R2")) << judged.told();
  EXPECT_GT(judged.took, 5s);
  EXPECT_LT(judged.took, patience(7s)) << "neither 10 s nor the kernel's 127 s";
  EXPECT_FALSE(judged.found("FM-R1")) << judged.told();
  // The control: without the blackhole nobody listens there, and that is told at once.
  (void)lab.add(13);
  const auto refused = e2e::diagnosed(node, {"peer", ip(13), "--probe"});
  EXPECT_EQ(refused.text("code"), "FM-R1") << refused.told();
  EXPECT_LT(refused.took, patience(2s));
}

TEST_F(DiagnoseLabTest, T16ASlowPeerIsSlowAndNotDead) {
  constexpr auto kDelay = 20ms;
  constexpr auto kJitter = 300ms;
  auto& node = asker();
  auto& far = lab.add(12);
  const LabPeer peer(far, endpoint(12), "ack-after=1800 " + tip());
  const auto rpc = rpc_of(far, 12);
  lab.links().set(far.port(), Way::from_node, {.delay = kDelay, .jitter = kJitter});
  const auto judged = e2e::diagnosed(node, {"peer", ip(12), "--probe"});
  e2e::expect_verdict(judged, "T16");
  EXPECT_TRUE(judged.evidence("its Ack took", "slow")) << judged.told();
  for (const char* dead : {"FM-R6", "FM-H1", "FM-R2"}) EXPECT_FALSE(judged.found(dead));
  const auto& rtts = judged.data.at("facts").at("peer").at("probe").at("rtt_ms").as_array();
  ASSERT_EQ(rtts.size(), 3U) << judged.told();
  std::vector<double> sorted;
  for (const auto& rtt : rtts) sorted.push_back(rtt.to_number<double>());
  std::ranges::sort(sorted);
  constexpr auto kProcessing = 100ms;  // of two cores that others use, too
  EXPECT_GE(sorted[1], static_cast<double>(kDelay.count()));
  EXPECT_LE(sorted[1], static_cast<double>((kDelay + kJitter + kProcessing).count()));
  // The control: a quick one over a good path.
  auto& near = lab.add(13);
  const LabPeer quick(near, endpoint(13), tip());
  const auto well = e2e::diagnosed(node, {"peer", ip(13), "--probe"});
  EXPECT_FALSE(well.found("slow")) << well.told();
  EXPECT_TRUE(well.layer("genesis").is_object()) << well.told();
}

// On loopback sessions of others are not looked for: all nodes of a laboratory are there.
TEST_F(DiagnoseLabTest, T25NobodyIsProbedBesideTheSessionOfAnotherProcess) {
  auto& node = asker();
  auto& theirs = lab.add(12);
  LabPeer peer(theirs, endpoint(12), tip());
  const auto rpc = rpc_of(theirs, 12);
  std::optional<e2e::Caller> other;
  host(node).within([&] { other.emplace(ip(3), ip(12), sandbox.port()); });
  ASSERT_TRUE(other->connected());
  ASSERT_TRUE(wait_for([&] { return peer.connections() == 1; }, patience(2s)));
  const auto judged = e2e::diagnosed(node, {"peer", ip(12), "--probe"});
  EXPECT_EQ(peer.connections(), 1U) << "no new connection: " << judged.told();
  EXPECT_NE(judged.text("not_probed").find("another process"), std::string::npos) << judged.told();
  EXPECT_TRUE(judged.layer("rpc").is_object()) << "which harms nobody: " << judged.told();
  // By force only, and that takes a second word.
  const auto once =
      node.timectl({"--json", "diagnose", "peer", ip(12), "--probe", "--force-probe"});
  EXPECT_EQ(once.status, 64) << once.out << once.err;
  EXPECT_EQ(peer.connections(), 1U);
  const auto twice = e2e::diagnosed(node, {"peer", ip(12), "--probe", "--force-probe", "--yes"});
  EXPECT_EQ(peer.connections(), 2U) << twice.told();
  // The control: without that connection it is probed.
  other.reset();
  const auto free = e2e::diagnosed(node, {"peer", ip(12), "--probe"});
  EXPECT_EQ(peer.connections(), 3U) << free.told();
  EXPECT_TRUE(free.layer("genesis").is_object()) << free.told();
}

TEST_F(DiagnoseLabTest, T33ADeadPathIsHalfOpenAndNotOurFault) {
  auto& victim = node(2, fast_numbers() + friends({ip(3)}));
  auto& witness = node(4, fast_numbers() + friends({ip(3)}));
  victim.start();
  witness.start();
  auto& keeper = asker(friends({ip(2), ip(4)}));
  ASSERT_TRUE(wait_for([&] { return keeper.connections() == 2; }, patience(10s))) << keeper.log();
  const auto before = e2e::diagnosed(keeper, {"peer", ip(2)});
  EXPECT_FALSE(before.found("FM-K1")) << before.told();
  const auto failed_before = count_of(keeper, "dial_failed", ip(2));
  lab.pull(host(victim));
  ASSERT_TRUE(wait_for([&] { return count_of(keeper, "peer_suspect", ip(2)) > 0; },
                       patience(2 * ping_every)))
      << keeper.log();
  // While the session hangs, and when it was given up and dials time out.
  const auto hanging = e2e::diagnosed(keeper, {"peer", ip(2)});
  EXPECT_EQ(hanging.text("code"), "FM-K1") << hanging.told();
  ASSERT_TRUE(wait_for([&] { return count_of(keeper, "dial_failed", ip(2)) > failed_before; },
                       patience(ping_every + dead_after + connect_within + 4s)))
      << keeper.log();
  const auto judged = e2e::diagnosed(keeper, {"peer", ip(2)});
  e2e::expect_verdict(judged, "T33");
  EXPECT_TRUE(judged.evidence("transport_dead", "FM-K1")) << judged.told();
  EXPECT_FALSE(judged.found("FM-R2")) << "a consequence" << judged.told();
  const auto witnessed = e2e::diagnosed(keeper, {"peer", ip(4)});
  EXPECT_FALSE(witnessed.found("FM-K1")) << "the control: " << witnessed.told();
}

}  // namespace
}  // namespace timectl::lab
