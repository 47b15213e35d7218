// `timectl diagnose peer IP --probe` against peers that fail in one way each (T01 to T15, T60): by
// a command without a node and by the running node.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/e2e/diagnose_stage.h"
#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
using Rpc = testing::FakeRpc;
using Turn = Rpc::Turn;

constexpr int kPeer = 11;
constexpr int kElsewhere = 3;  // a second address of ours
constexpr std::size_t kForEver = 1000;

struct Play {
  std::string_view id;
  // Words of a script; nothing: nobody listens on the P2P port.
  std::optional<std::string> script = {};
  void (*rpc)(Rpc&) = nullptr;  // none: nobody listens there
  std::string evidence = {};
  std::string never = {};   // a code that would be wrong
  milliseconds within{2s};  // with 50 % on top of time-outs of the policy
  std::size_t connects = 1;
  bool elsewhere = false;  // with a look from a second address
  std::string also = {};
};
void PrintTo(const Play& play, std::ostream* out) {
  *out << play.id;
}

const std::string kAas = std::string(64, 'a');

void well(Rpc&) {}
void deaf(Rpc& rpc) {
  rpc.connections(0, 9);
}
void hangs(Rpc& rpc) {
  rpc.next(Turn::hang, kForEver);
}
void full(Rpc& rpc) {
  rpc.connections(250, 3);
}
void limited(Rpc& rpc) {
  rpc.next(Turn::limited, kForEver);
}
void page(Rpc& rpc) {
  rpc.next(Turn::html, kForEver);
}
void huge(Rpc& rpc) {
  rpc.next(Turn::huge, kForEver);
}

std::vector<Play> plays() {
  return {
      {"T01", {}, nullptr, "refused", "FM-R4", 1s, 0},
      {"T02", {}, deaf, "up for 3 d", "FM-R1", 2s, 0, false, "0 inbound"},
      {"T05a", "silent", well, "TCP ", "FM-X6", 7s},
      {"T05b", "silent", hangs, "says nothing", "FM-R6", 7s},
      {"T06a", "no-ack", well, "no frame at all", "FM-R6", 8s},
      {"T06b", "no-ack other-frames", well, "it is alive", "FM-R6", 8s},
      {"T09", "accept-then-close", full, "250 inbound", "FM-H1", 2s, 2, true, "from elsewhere"},
      {"T10", "no-tls", nullptr, "first bytes are no TLS", "FM-R6"},
      {"T11", "magic=c01d7e4d", nullptr, "mainnet", "FM-H6", 2s, 1, false, "testnet"},
      {"T13", "genesis=" + kAas, nullptr, "aaaaaaaaaaaaaaaa, ours b9523431d4e59a1b", "FM-H8", 3s},
      {"T15", "frame-len=536870912", nullptr, "536870912", "FM-H6", 3s},
      {"T60a", {}, limited, "refused", "FM-R4", 2s, 0},
      {"T60b", {}, page, "refused", "FM-R4", 2s, 0},
      {"T60c", {}, huge, "refused", "FM-R4", 7s, 0},
  };
}

class DiagnosePeer : public ::testing::TestWithParam<Play> {
 protected:
  explicit DiagnosePeer(const std::string& net = "127.131.1.")
      : stage(net, masternodes({})), ip(stage.ip(kPeer)) {}

  void set_up() {
    const auto& play = GetParam();
    if (play.script) {
      stage.peers.put(ip, *play.script);
      stage.watch(ip);
    }
    if (play.rpc != nullptr) play.rpc(stage.rpc(ip));
  }
  [[nodiscard]] std::vector<std::string> question() const {
    std::vector<std::string> words{"peer", ip, "--probe"};
    if (GetParam().elsewhere) words.insert(words.end(), {"--from", stage.ip(kElsewhere)});
    return words;
  }
  void expect_right(const Judged& judged) {
    const auto& play = GetParam();
    expect_verdict(judged, play.id);
    const auto code = scenario_row(play.id).code;
    EXPECT_TRUE(judged.evidence(play.evidence, code)) << play.evidence << judged.told();
    EXPECT_TRUE(judged.evidence(play.also, code)) << play.also << judged.told();
    EXPECT_FALSE(judged.found(play.never)) << play.never << judged.told();
    EXPECT_LT(judged.took, play.within + (kSanitized ? 6s : 0s)) << judged.told();
    if (play.script) {
      EXPECT_EQ(stage.connections(ip), play.connects) << "within the budget, and no second try";
      EXPECT_TRUE(stage.left_alone(ip));
      EXPECT_EQ(stage.foreign_magics(), 0U);
    }
  }

  Stage stage;
  std::string ip;
};

TEST_P(DiagnosePeer, GivesItsVerdictWithoutANode) {
  set_up();
  expect_right(diagnosed(stage.node, question()));
}

class DiagnosePeerByNode : public DiagnosePeer {
 protected:
  DiagnosePeerByNode() : DiagnosePeer("127.131.2.") {}
};

TEST_P(DiagnosePeerByNode, GivesTheSameVerdictAndStays) {
  set_up();
  stage.node.start();
  expect_right(diagnosed(stage.node, question()));
  EXPECT_EQ(stage.node.query({"slots"}).at("total").to_number<int>(), 0) << "no session is left";
  EXPECT_EQ(stage.node.query({"peer", "show", ip}).at("ledger").at("last_hour").to_number<int>(),
            static_cast<int>(std::max<std::size_t>(GetParam().connects, 1)))
      << "a probe is an attempt";
}

std::string name_of_play(const ::testing::TestParamInfo<Play>& info) {
  return std::string(info.param.id);
}
INSTANTIATE_TEST_SUITE_P(Rows, DiagnosePeer, ::testing::ValuesIn(plays()), name_of_play);
INSTANTIATE_TEST_SUITE_P(Rows, DiagnosePeerByNode, ::testing::ValuesIn(plays()), name_of_play);

// T01: one connect to each port, however it is asked.
TEST(DiagnosePeerConnects, EachPortOfADeadHostIsTriedOnce) {
  Stage stage("127.131.3.");
  const auto calls = socket_calls(stage.node, {"diagnose", "peer", stage.ip(kPeer), "--probe"});
  if (calls.empty()) GTEST_SKIP() << "needs strace";
  const auto tried = [&](int port) {
    const auto what = "sin_port=htons(" + std::to_string(port) + "), sin_addr=inet_addr(\"" +
                      stage.ip(kPeer) + "\")";
    std::size_t count = 0;
    for (auto at = calls.find(what); at != std::string::npos; at = calls.find(what, at + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(tried(stage.sandbox.port()), 1U) << calls;
  EXPECT_EQ(tried(stage.sandbox.port() + 1), 1U) << calls;
}

// T05: it is left in order. T06: we speak at once.
TEST(DiagnosePeerConnects, ASilentPeerSeesOurEndAndAnotherOurHandshakeAtOnce) {
  Stage stage("127.131.4.");
  stage.peers.put(stage.ip(11), "silent");
  stage.peers.put(stage.ip(12), "no-ack");
  (void)diagnosed(stage.node, {"peer", stage.ip(11), "--probe"});
  (void)diagnosed(stage.node, {"peer", stage.ip(12), "--probe"});
  ASSERT_TRUE(stage.left_alone(stage.ip(11)));
  EXPECT_EQ(stage.last(stage.ip(11)).end, "FIN");
  const auto spoke = stage.last(stage.ip(12)).spoke_after;
  ASSERT_TRUE(spoke);
  EXPECT_LT(*spoke, 1s);
  EXPECT_EQ(stage.last(stage.ip(12)).messages, std::vector<std::string>{"Handshake"});
}

// T60: after a 429 nothing more is asked, and of 200 MB no more than 4 MiB are read (and what the
// two sockets hold).
TEST(DiagnosePeerConnects, AnUnwillingRpcIsLeftAloneAndAHugeOneIsCut) {
  constexpr std::uint64_t kRead = 4U << 20U;
  constexpr std::uint64_t kInSockets = 12U << 20U;
  Stage stage("127.131.5.");
  auto& unwilling = stage.rpc(stage.ip(11));
  unwilling.next(Turn::limited);
  const auto limited_to = diagnosed(stage.node, {"peer", stage.ip(11), "--probe"});
  EXPECT_EQ(unwilling.requests().size(), 1U) << "the rest would have been answered";
  EXPECT_TRUE(limited_to.found("FM-A9")) << limited_to.told();
  auto& endless = stage.rpc(stage.ip(12));
  endless.next(Turn::huge_chunked, kForEver);
  const auto cut = diagnosed(stage.node, {"peer", stage.ip(12), "--probe"});
  EXPECT_GT(endless.bytes_sent(), 0U);
  EXPECT_LT(endless.bytes_sent(), endless.connections() * (kRead + kInSockets));
  EXPECT_LE(cut.outcome.status, 3);
  // Each of the RPC's answers in turn: less is known, and the verdict stays.
  auto& moody = stage.rpc(stage.ip(13));
  const auto sure = diagnosed(stage.node, {"peer", stage.ip(13), "--probe"}).confidence();
  for (const char* word : {"limited", "html", "huge"}) {
    ASSERT_TRUE(moody.next(word + std::string("*1000")));
    const auto judged = diagnosed(stage.node, {"peer", stage.ip(13), "--probe"});
    EXPECT_LT(judged.confidence(), sure) << word << judged.told();
    EXPECT_EQ(judged.text("code"), "FM-R1") << word << judged.told();
  }
}

}  // namespace
}  // namespace timectl::e2e
