// The RPC of a peer that answers, refuses, hangs, lies or floods.
#include "daemon/probe/rpc.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "daemon/clock.h"
#include "tests/support/fake_rpc.h"
#include "tests/support/peak_memory.h"

namespace timectl::probe {
namespace {

using namespace std::chrono_literals;
using diagnose::RpcAnswer;
using diagnose::RpcFacts;
using testing::FakeRpc;
using Turn = FakeRpc::Turn;

constexpr IpAddress kUs = IpAddress::v4(127, 0, 0, 5);

RpcRequest request_to(std::uint16_t port) {
  RpcRequest request;
  request.peer = IpAddress::v4(127, 0, 0, 11);
  request.port = port;
  request.us = kUs;
  request.timeout = 500ms;
  return request;
}

RpcFacts ask(const FakeRpc& rpc) {
  return ask_rpc(request_to(rpc.port()), clock_now, {});
}

TEST(RpcTest, EveryMethodIsAskedOnceWithoutCredentials) {
  FakeRpc rpc;
  rpc.healthy(14'000, 259'200);
  rpc.answer("getblockhash", '"' + std::string(64, 'd') + '"');
  rpc.ban("127.0.0.5", "Invalid TLS SNI");
  const auto facts = ask(rpc);
  EXPECT_EQ(facts.answer, RpcAnswer::ok);
  EXPECT_EQ(facts.detail, "");
  EXPECT_EQ(facts.height, 14'000U);
  EXPECT_EQ(facts.uptime_seconds, 259'200);
  EXPECT_EQ(facts.connections_in, 13U);
  EXPECT_EQ(facts.version, "1.5.9");
  EXPECT_EQ(facts.whitelisted, 17U);
  EXPECT_EQ(facts.genesis_hash, std::string(64, 'd'));
  EXPECT_EQ(facts.bans_us.value().reason, "Invalid TLS SNI");
  auto methods = rpc.methods();
  EXPECT_EQ(methods.size(), 10U);
  std::sort(methods.begin(), methods.end());
  EXPECT_EQ(std::adjacent_find(methods.begin(), methods.end()), methods.end());
  for (const auto& request : rpc.requests()) {
    EXPECT_EQ(request.head.find("Authorization"), std::string::npos);
    EXPECT_EQ(request.head.find("Expect"), std::string::npos);
    EXPECT_NE(request.head.find("Content-Length: "), std::string::npos);
    for (const auto* member : {"jsonrpc", "id", "method", "params"}) {
      EXPECT_NE(request.body.find(member), std::string::npos) << request.body;
    }
  }
}

TEST(RpcTest, APeerThatSpeaksOnlyTlsIsAskedOverTls) {
  FakeRpc rpc({"127.0.0.11", 0, true});
  rpc.healthy(7, 1);
  const auto facts = ask(rpc);
  EXPECT_EQ(facts.answer, RpcAnswer::ok) << facts.detail;
  EXPECT_EQ(facts.height, 7U);
}

TEST(RpcTest, WhereNobodyListensOneConnectIsAll) {
  std::uint16_t port = 0;
  { port = FakeRpc().port(); }
  const Instant begun = clock_now().mono;
  const auto facts = ask_rpc(request_to(port), clock_now, {});
  EXPECT_EQ(facts.answer, RpcAnswer::refused);
  EXPECT_FALSE(facts.detail.empty());
  EXPECT_LT(seconds(clock_now().mono - begun), 0.2);
}

TEST(RpcTest, ARequestIsMadeFromTheGivenAddress) {
  FakeRpc rpc;
  auto request = request_to(rpc.port());
  request.source = IpAddress::v4(203, 0, 113, 7);  // not ours: it must not go out from another
  EXPECT_EQ(ask_rpc(request, clock_now, {}).answer, RpcAnswer::timed_out);
  EXPECT_EQ(rpc.connections(), 0U);
}

struct Case {
  Turn turn;
  RpcAnswer answer;
  std::size_t requests;  // what it costs the peer
};

class RpcFailures : public ::testing::TestWithParam<Case> {};

TEST_P(RpcFailures, AreTold) {
  FakeRpc rpc;
  rpc.healthy(5, 5);
  rpc.next(GetParam().turn, 100);
  const Instant begun = clock_now().mono;
  const auto facts = ask(rpc);
  EXPECT_EQ(facts.answer, GetParam().answer) << facts.detail;
  EXPECT_FALSE(facts.detail.empty());
  EXPECT_EQ(rpc.requests().size(), GetParam().requests);
  EXPECT_LT(seconds(clock_now().mono - begun), 1);
}

INSTANTIATE_TEST_SUITE_P(All, RpcFailures,
                         ::testing::Values(Case{Turn::limited, RpcAnswer::rate_limited, 1},
                                           Case{Turn::unauthorized, RpcAnswer::unauthorized, 1},
                                           Case{Turn::html, RpcAnswer::no_json, 2},
                                           Case{Turn::huge, RpcAnswer::too_large, 1},
                                           Case{Turn::huge_chunked, RpcAnswer::too_large, 1},
                                           Case{Turn::endless_head, RpcAnswer::too_large, 1},
                                           Case{Turn::endless_chunk, RpcAnswer::too_large, 1},
                                           Case{Turn::hang, RpcAnswer::silent, 1},
                                           Case{Turn::redirect, RpcAnswer::no_json, 2}));

TEST(RpcTest, AnEndWithoutAnAnswerIsNoJson) {
  for (const auto turn : {Turn::close, Turn::cut_short, Turn::reset}) {
    FakeRpc rpc;
    rpc.next(turn, 100);
    const auto facts = ask(rpc);
    EXPECT_EQ(facts.answer, RpcAnswer::no_json) << static_cast<int>(turn) << facts.detail;
    EXPECT_LE(rpc.requests().size(), 2U);
  }
}

TEST(RpcTest, ALimitInTheMiddleEndsItAndKeepsWhatWasLearned) {
  FakeRpc rpc;
  rpc.healthy(5, 5);
  rpc.next(Turn::answer, 3);
  rpc.next(Turn::limited, 100);
  const auto facts = ask(rpc);
  EXPECT_EQ(facts.answer, RpcAnswer::rate_limited);
  EXPECT_EQ(facts.height, 5U);
  EXPECT_EQ(rpc.requests().size(), 4U);
}

TEST(RpcTest, OneMethodThatIsRefusedDoesNotHideTheOthers) {
  FakeRpc rpc;
  rpc.healthy(5, 5);
  rpc.next(Turn::answer, 1);
  rpc.next(Turn::unauthorized, 1);
  const auto facts = ask(rpc);
  EXPECT_EQ(facts.answer, RpcAnswer::ok);
  EXPECT_FALSE(facts.uptime_seconds);
  EXPECT_EQ(facts.connections_in, 13U);
  EXPECT_NE(facts.detail.find("uptime"), std::string::npos) << facts.detail;
}

TEST(RpcTest, AnswersOfAnotherShapeAreLeftOutOneByOne) {
  FakeRpc rpc;
  rpc.healthy(5, 5);
  rpc.answer("getblockchaininfo", "[1,2]");
  rpc.answer("uptime", R"("long")");
  const auto facts = ask(rpc);
  EXPECT_EQ(facts.answer, RpcAnswer::ok);
  EXPECT_EQ(facts.height, 5U);  // of getinfo
  EXPECT_FALSE(facts.uptime_seconds);
}

// T60. A sanitizer keeps what was freed in quarantine.
#if defined(__SANITIZE_ADDRESS__)
constexpr long kMostKilobytes = 65'536;
#else
constexpr long kMostKilobytes = 16'384;
#endif
TEST(RpcTest, TwoHundredMegabytesCostFour) {
  for (const auto turn :
       {Turn::huge, Turn::huge_chunked, Turn::endless_head, Turn::endless_chunk}) {
    FakeRpc rpc;
    rpc.next(turn);
    auto request = request_to(rpc.port());
    request.timeout = 5s;
    const testing::PeakMemory memory;
    EXPECT_EQ(ask_rpc(request, clock_now, {}).answer, RpcAnswer::too_large);
    EXPECT_LT(memory.grown_kilobytes(), kMostKilobytes);
    EXPECT_LT(rpc.bytes_sent(), 32'000'000U);  // what the sockets' buffers take
  }
}

TEST(RpcTest, AStopEndsItWithinATenthOfASecond) {
  FakeRpc rpc;
  rpc.next(Turn::hang, 10);
  auto request = request_to(rpc.port());
  request.timeout = 60s;
  std::stop_source stop;
  auto asked =
      std::async(std::launch::async, [&] { return ask_rpc(request, clock_now, stop.get_token()); });
  EXPECT_EQ(asked.wait_for(300ms), std::future_status::timeout);
  const Instant at = clock_now().mono;
  stop.request_stop();
  asked.wait();
  EXPECT_LT(seconds(clock_now().mono - at), 0.1);
}

}  // namespace
}  // namespace timectl::probe
