// T37, T41, T43, T51, FT-N36, FT-P9: what an operator sees of a real node on loopback, with real
// nodes and scripted peers around it.
#include <csignal>
#include <deque>
#include <memory>

#include "tests/lab/lab_nodes.h"
#include "tests/support/scripted_peer.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;
using test::ScriptedPeer;

std::size_t count_lines(const std::string& text, const std::string& with) {
  std::size_t count = 0;
  for (auto at = text.find(with); at != std::string::npos; at = text.find(with, at + 1)) ++count;
  return count;
}

std::string whitelist(const std::vector<std::string>& ips) {
  std::string line = "whitelisted_peers = [";
  for (const auto& ip : ips) line += "\"" + ip + "\", ";
  return line + "]\n";
}

// A node of the real binary and scripted peers on one io_context.
class NodeTest : public testing::Test {
 protected:
  NodeProcess& start(const std::string& address, const std::string& config) {
    node.emplace(sandbox, address, config);
    node->start();
    return *node;
  }
  ScriptedPeer& add(const std::string& ip, const std::string& words = "", std::uint16_t port = 0) {
    return peers.emplace_back(io, net::Endpoint{*IpAddress::parse(ip), port},
                              test::parse_script(words).value());
  }
  net::Endpoint at() {
    return {*IpAddress::parse(node->address()), static_cast<std::uint16_t>(sandbox.port())};
  }
  bool until(const std::function<bool()>& done, milliseconds deadline) {
    return serve_until(io, done, deadline);
  }
  std::int64_t slots(const char* what) {
    return node->query({"slots"}).at(what).to_number<std::int64_t>();
  }

  Sandbox sandbox;
  boost::asio::io_context io;
  std::optional<NodeProcess> node;
  std::deque<ScriptedPeer> peers;
};

TEST_F(NodeTest, T37TwoNodesThatStartTogetherEndWithOneSessionEveryTime) {
  const int rounds = kSanitized ? 4 : 20;
  for (int round = 0; round < rounds; ++round) {
    Sandbox own;
    NodeProcess low(own, "127.81.0.2", whitelist({"127.81.0.3"}));
    NodeProcess high(own, "127.81.0.3", whitelist({"127.81.0.2"}));
    low.launch();
    high.launch();
    low.await_ready();
    high.await_ready();
    ASSERT_TRUE(
        wait_for([&] { return low.connections() == 1 && high.connections() == 1; }, patience(5s)))
        << low.log() << high.log();
    // No oscillation: longest in the last round, where nothing may happen for 3 s.
    EXPECT_FALSE(wait_for([&] { return low.connections() != 1 || high.connections() != 1; },
                          round + 1 == rounds ? 3s : 100ms));
    for (const auto* one : {&low, &high}) {
      EXPECT_EQ(count_lines(one->log(), "Connected to masternode"), 1U) << one->log();
      EXPECT_EQ(count_lines(one->log(), "disconnected"), 0U) << one->log();
      EXPECT_EQ(one->query({"slots"}).at("total").to_number<int>(), 1);
    }
    EXPECT_NE(text(peer(low, "127.81.0.3"), "direction"),
              text(peer(high, "127.81.0.2"), "direction"));
  }
}

TEST_F(NodeTest, T41AWhitelistOfWhichNobodyAnswersIsCriticalOnceUntilOneIsBack) {
  std::vector<std::string> ips;
  for (int i = 1; i <= 23; ++i) ips.push_back("127.82.1." + std::to_string(i));
  const auto begin = std::chrono::steady_clock::now();
  // The pass is what looks for it; every 120 s, if not scaled down.
  start("127.82.0.2", whitelist(ips) + "pass_interval = 3\n");
  const auto dialled = [&] {
    std::size_t count = 0;
    for (const auto& ip : ips) count += count_lines(node->log(), "attempt to " + ip + " failed");
    return count;
  };
  ASSERT_TRUE(wait_for([&] { return dialled() >= 23; }, patience(5s))) << node->log();
  // R7: ten dials a second, the first ten at once.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1200ms);
  const std::string alert = "No whitelisted masternode is connected";
  EXPECT_TRUE(wait_for([&] { return count_lines(node->log(), alert) == 1; }, patience(5s)))
      << node->log();
  EXPECT_EQ(text(node->query({"status"}).as_object(), "verdict"), "critical");
  auto& back = add(ips[7]);
  back.dial(at());
  EXPECT_TRUE(until([&] { return node->connected_to(ips[7]); }, patience(5s))) << node->log();
  EXPECT_EQ(count_lines(node->log(), "A whitelisted masternode is connected again: " + ips[7]), 1U);
  EXPECT_EQ(count_lines(node->log(), alert), 1U);
  EXPECT_NE(text(node->query({"status"}).as_object(), "verdict"), "critical");
}

TEST_F(NodeTest, T43SeventyFiveRegularPeersFitAndAMasternodeAlwaysDoes) {
  std::vector<std::string> masternodes;
  for (int i = 1; i <= 51; ++i) masternodes.push_back("127.83.1." + std::to_string(i));
  start("127.83.0.2", whitelist(masternodes));
  for (int i = 0; i < 50; ++i) add(masternodes[static_cast<std::size_t>(i)]).dial(at());
  ASSERT_TRUE(until([&] { return slots("masternode") == 50; }, patience(10s))) << node->log();
  for (int i = 0; i < 80; ++i) add("127.84." + std::to_string(i) + ".1").dial(at());
  const auto settled = [&] {
    return std::all_of(peers.begin() + 50, peers.end(), [](const ScriptedPeer& peer) {
      return !peer.last().end.empty() || !peer.last().pings.empty();
    });
  };
  ASSERT_TRUE(until(settled, patience(10s)));
  EXPECT_EQ(slots("regular"), 75);
  EXPECT_EQ(slots("total"), 125);
  EXPECT_NE(node->log().find("Rejected inbound connection from 127.84."), std::string::npos);
  const auto check = node->query({"slots", "check", "203.0.113.9"});
  EXPECT_FALSE(check.at("accept").as_bool()) << check;
  add(masternodes[50]).dial(at());
  EXPECT_TRUE(until([&] { return node->connected_to(masternodes[50]); }, patience(5s)))
      << node->log();
  EXPECT_EQ(slots("regular"), 74) << "one was evicted for it";
  EXPECT_EQ(slots("masternode"), 51);
  const auto evicted = std::count_if(peers.begin(), peers.end(), [](const ScriptedPeer& peer) {
    return peer.last().end == "close_notify";
  });
  EXPECT_EQ(evicted, 1) << "the others were refused before TLS";
}

TEST_F(NodeTest, T51TermAndIntSayGoodbyeAndOnlyAKillDoesNot) {
  for (const int number : {SIGTERM, SIGINT, SIGKILL}) {
    start("127.85.0.2", "");
    auto& peer = add("127.85.0.3");
    peer.dial(at());
    ASSERT_TRUE(until([&] { return !peer.last().pings.empty(); }, patience(5s))) << node->log();
    node->signal(number);
    EXPECT_TRUE(until([&] { return !peer.last().end.empty(); }, patience(5s)));
    EXPECT_EQ(peer.last().end == "close_notify", number != SIGKILL) << peer.last().end;
    EXPECT_EQ(node->wait_exit(), number == SIGKILL ? 137 : 0);
    peers.clear();
    node.reset();
  }
}

// The journal of a killed node has what it did: neither the ledger nor a hard row is forgotten.
TEST_F(NodeTest, T51AfterKill9TheDialStateIsKeptAndHangupReloads) {
  auto& peer = add("127.86.0.3", "accept-then-close", static_cast<std::uint16_t>(sandbox.port()));
  start("127.86.0.2", whitelist({"127.86.0.3"}));
  ASSERT_TRUE(
      until([&] { return count_lines(node->log(), "closed_before_tls") > 0; }, patience(5s)))
      << node->log();
  const auto before = lab::peer(*node, "127.86.0.3");
  EXPECT_EQ(before.at("ledger").at("last_hour").to_number<int>(), 1);
  node->kill9();
  node->start();
  const auto after = lab::peer(*node, "127.86.0.3");
  EXPECT_EQ(after.at("ledger").at("last_hour").to_number<int>(), 1) << after;
  EXPECT_EQ(text(after, "last_end_reason"), "closed_before_tls");
  // To the minute: the monotonic clock begins anew, and rounding moves it by a millisecond.
  EXPECT_EQ(text(after, "next_attempt_at").substr(0, 16),
            text(before, "next_attempt_at").substr(0, 16));
  // The absence of a dial, which a start does at once where it may.
  EXPECT_FALSE(until([&] { return peer.seen().size() > 1; }, 500ms));
  node->signal(SIGHUP);
  EXPECT_TRUE(until([&] { return node->log().find("Configuration reloaded") != std::string::npos; },
                    patience(5s)))
      << node->log();
}

// FT-N36, scaled: 60 s of a 15 s interval are 4 s of one second.
TEST_F(NodeTest, N36AStoppedProcessSendsNoBurstOfPingsWhenItGoesOn) {
  start("127.87.0.2", whitelist({"127.87.0.3"}) + "keepalive_interval = 0.5\n");
  auto& peer = add("127.87.0.3");
  peer.dial(at());
  ASSERT_TRUE(until([&] { return peer.last().pings.size() >= 3; }, patience(5s))) << node->log();
  const auto awake = peer.last().pings.size();
  ASSERT_TRUE(until([&] { return peer.last().pings.size() >= awake + 6; }, patience(5s)))
      << "the control: in such a time it would have sent six";
  node->signal(SIGSTOP);
  EXPECT_FALSE(until([&] { return !peer.last().end.empty(); }, 3s));
  const auto asleep = peer.last().pings.size();
  node->signal(SIGCONT);
  EXPECT_FALSE(until([&] { return peer.last().pings.size() > asleep + 2; }, 400ms))
      << "a burst of pings";
  ASSERT_TRUE(until([&] { return peer.last().pings.size() > asleep; }, patience(5s)));
  EXPECT_TRUE(peer.last().end.empty());
  EXPECT_EQ(count_lines(node->log(), "disconnected"), 0U) << node->log();
}

TEST_F(NodeTest, P9TextOfAPeerIsEscapedInTheLogTheTablesAndTheJson) {
  auto& peer = add("127.88.0.3",
                   "notice=\x1b[31mno\a \xe2\x80\xae"
                   "evil",
                   static_cast<std::uint16_t>(sandbox.port()));
  start("127.88.0.2", whitelist({"127.88.0.3"}));
  ASSERT_TRUE(until([&] { return count_lines(node->log(), "rejected us") > 0; }, patience(5s)))
      << node->log();
  EXPECT_FALSE(e2e::has_raw_control(node->log())) << node->log();
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"peer", "show", "127.88.0.3"}, {"peer", "list"}, {"events"}, {"status"}}) {
    const auto shown = node->timectl(words);
    EXPECT_FALSE(e2e::has_raw_control(shown.out)) << words[0] << shown.out;
    EXPECT_TRUE(e2e::parses_as_json(e2e::ask_json(*node, words).out)) << words[0];
  }
  EXPECT_NE(text(lab::peer(*node, "127.88.0.3"), "last_text").find("evil"), std::string::npos)
      << "the text is not shown at all: nothing is shown";
  EXPECT_EQ(peer.seen().size(), 1U);
}

}  // namespace
}  // namespace timectl::lab
