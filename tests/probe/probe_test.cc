// A visit to every kind of peer: what each layer is said to be, and how the visitor behaves.
#include "daemon/probe/probe.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include "daemon/net/tcp.h"
#include "tests/probe/lab.h"

namespace timectl::probe {
namespace {

using namespace std::chrono_literals;
using diagnose::Outcome;
using diagnose::ProbeFacts;

const std::string kHash(64, 'a');

ProbeFacts visit(const PeerThread& peer) {
  return probe_peer(request_to(peer.port()), clock_now, {});
}

TEST(ProbeTest, AHealthyPeerIsOkInEveryLayer) {
  PeerThread peer("height=120 tip=" + kHash);
  const Instant begun = clock_now().mono;
  const auto facts = visit(peer);
  for (const auto* layer :
       {&facts.tcp, &facts.tls, &facts.handshake, &facts.ping, &facts.tip, &facts.genesis}) {
    ASSERT_TRUE(*layer);
    EXPECT_EQ((*layer)->outcome, Outcome::ok) << (*layer)->detail;
    EXPECT_GE((*layer)->ms.value_or(-1), 0);
  }
  EXPECT_EQ(facts.rtt_ms.size(), 3U);
  EXPECT_EQ(facts.tip_height, 120U);
  EXPECT_EQ(facts.genesis_hash, wire::to_hex(wire::params_of(wire::Network::testnet).genesis_hash));
  EXPECT_EQ(facts.magic, "54494d45");
  EXPECT_EQ(facts.from, our_ip);
  EXPECT_NEAR(facts.clock_seconds.value(), 0, 1);
  const auto seen = peer.finish();
  ASSERT_EQ(seen.size(), 1U);  // one connection
  EXPECT_EQ(seen.back().remote, our_ip);
  EXPECT_EQ(seen.back().server_name, "timecoin.local");
  EXPECT_EQ(seen.back().messages.front(), "Handshake");
  EXPECT_EQ(seen.back().pongs, std::vector<std::uint64_t>{4711});  // its own ping was answered
  EXPECT_EQ(seen.back().pings.size(), 3U);
  EXPECT_EQ(seen.back().end, "close_notify");
  EXPECT_EQ(seen.back().count("undecodable"), 0U);
  // Our Handshake left at once.
  const double before = *facts.tcp->ms + *facts.tls->ms;
  EXPECT_LT(seconds(*peer.hello_at() - begun) * 1e3, before + 1000);
}

struct Case {
  const char* words;
  std::optional<diagnose::LayerFacts> ProbeFacts::*layer;
  Outcome outcome;
  const char* detail;  // is in it
};

class ProbeOutcomes : public testing::TestWithParam<Case> {};

// Also: one connection, never another magic, and an end within the sum of the time-outs.
TEST_P(ProbeOutcomes, AreTold) {
  const auto& c = GetParam();
  PeerThread peer(c.words);
  const Instant begun = clock_now().mono;
  const auto facts = visit(peer);
  EXPECT_LT(milliseconds_since(begun), 2600);
  const auto& layer = facts.*c.layer;
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->outcome, c.outcome) << layer->detail;
  EXPECT_NE(layer->detail.find(c.detail), std::string::npos) << layer->detail;
  EXPECT_GE(layer->ms.value_or(-1), 0);
  const auto seen = peer.finish();
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_FALSE(seen.back().end.empty());
  for (const auto& magic : peer.magics()) EXPECT_EQ(wire::to_hex(magic), "54494d45");
}

INSTANTIATE_TEST_SUITE_P(
    All, ProbeOutcomes,
    testing::Values(
        Case{"accept-then-close", &ProbeFacts::tls, Outcome::closed, ""},
        Case{"silent", &ProbeFacts::tls, Outcome::silent, "no ServerHello in"},
        Case{"no-tls", &ProbeFacts::tls, Outcome::plaintext, "no TLS"},
        Case{"version-alert", &ProbeFacts::tls, Outcome::failed, "TLS handshake"},
        Case{"close-after-tls", &ProbeFacts::handshake, Outcome::closed, "not a single frame"},
        Case{"no-ack", &ProbeFacts::handshake, Outcome::silent, "not a single frame came"},
        Case{"magic=c01d7e4d", &ProbeFacts::handshake, Outcome::wrong_magic, "mainnet (c01d7e4d)"},
        Case{"proto=1", &ProbeFacts::handshake, Outcome::old_protocol, "version is 1"},
        Case{"commit=7", &ProbeFacts::handshake, Outcome::old_commit, "count is 7"},
        Case{"notice=your commit is below the minimum", &ProbeFacts::handshake, Outcome::rejected,
             "below the minimum"},
        Case{"redirect drop-pongs flap=0.2", &ProbeFacts::handshake, Outcome::redirected,
             "a list of other peers"},
        Case{"redirect height=1", &ProbeFacts::handshake, Outcome::ok, "list of other peers"},
        Case{"frame-len=536870912", &ProbeFacts::ping, Outcome::too_large, "536870912"},
        Case{"drop-pongs", &ProbeFacts::ping, Outcome::silent, "no pong in"},
        Case{"drop-pongs flap=0.2", &ProbeFacts::ping, Outcome::closed, "close_notify"},
        Case{"height=5", &ProbeFacts::tip, Outcome::silent, "GetChainTip"},
        Case{"genesis=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
             &ProbeFacts::genesis, Outcome::mismatch, "aaaaaaaaaaaaaaaa, ours "}));

TEST(ProbeTest, WhereNobodyListensItIsRefusedAndNothingElseIsTried) {
  std::uint16_t port = 0;
  { port = PeerThread("").port(); }
  const Instant begun = clock_now().mono;
  const auto facts = probe_peer(request_to(port), clock_now, {});
  EXPECT_EQ(facts.tcp.value().outcome, Outcome::refused);
  EXPECT_FALSE(facts.tls);
  EXPECT_LT(milliseconds_since(begun), 200);
}

TEST(ProbeTest, ASourceAddressThatThisHostDoesNotHaveIsUnreachable) {
  PeerThread peer("");
  auto request = request_to(peer.port());
  request.source = IpAddress::v4(203, 0, 113, 7);
  const auto facts = probe_peer(request, clock_now, {});
  EXPECT_EQ(facts.tcp.value().outcome, Outcome::unreachable);
  EXPECT_FALSE(facts.tcp->detail.empty());
  EXPECT_TRUE(peer.finish().empty());
}

// A listener whose queue is full drops further SYNs: nothing comes back.
TEST(ProbeTest, NothingComingBackIsATimeOut) {
  const auto full = net::listen_on({peer_ip, 0});
  ASSERT_TRUE(full);
  ASSERT_EQ(::listen(full->get(), 0), 0);
  const auto at = net::local_endpoint(full->get());
  std::vector<net::Attempt> queue;
  for (int i = 0; i < 4; ++i) queue.push_back(net::dial(at, our_ip));
  const auto facts = probe_peer(request_to(at.port), clock_now, {});
  EXPECT_EQ(facts.tcp.value().outcome, Outcome::timed_out);
  EXPECT_NEAR(facts.tcp->ms.value(), 400, 150);
}

TEST(ProbeTest, FirstBytesOfPlaintextAreShownInHex) {
  PeerThread peer("no-tls");
  const auto facts = visit(peer);
  EXPECT_EQ(facts.first_bytes.substr(0, 6), "000000");  // a frame's length
  EXPECT_FALSE(peer.finish().back().tls);
}

TEST(ProbeTest, ARejectionsTextIsKeptAndMadePrintable) {
  PeerThread peer("notice=too \x1b[31mold");
  const auto facts = visit(peer);
  EXPECT_EQ(facts.notice, "too \\x1B[31mold");
  EXPECT_FALSE(facts.ping);
}

TEST(ProbeTest, AnOversizedFrameIsToldByItsLength) {
  PeerThread peer("frame-len=536870912");
  const auto facts = visit(peer);
  EXPECT_EQ(facts.frame_length, 536'870'912U);
  EXPECT_EQ(facts.handshake.value().outcome, Outcome::ok);
}

// Protocol 7.2: silence about what only a full node knows, and no tip where we have verified none.
TEST(ProbeTest, ItsQuestionsAreAnsweredAsInASession) {
  const std::vector<wire::Message> questions{
      wire::msg::GetChainTip{},     wire::msg::GetBlockHeight{}, wire::msg::GetBlockHash{},
      wire::msg::GetGenesisHash{},  wire::msg::GetPeers{},       wire::msg::GetMasternodes{},
      wire::msg::GetUTXOStateHash{}};
  const std::vector<std::string> always{"BlockHashResponse", "GenesisHashResponse", "PeerExchange",
                                        "MasternodesResponse"};
  for (const bool with_chain : {false, true}) {
    PeerThread peer("height=3 tip=" + kHash);
    peer.say_at("GetGenesisHash", questions);
    auto request = request_to(peer.port());
    if (with_chain) {
      request.own_height = 77;
      request.own_tip_hash = kHash;
    }
    EXPECT_EQ(probe_peer(request, clock_now, {}).genesis.value().outcome, Outcome::ok);
    const auto seen = peer.finish();
    for (const auto& name : always) EXPECT_EQ(seen.back().count(name), 1U) << name;
    EXPECT_EQ(seen.back().count("ChainTipResponse"), with_chain ? 1U : 0U);
    EXPECT_EQ(seen.back().count("BlockHeightResponse"), with_chain ? 1U : 0U);
    EXPECT_EQ(peer.tips(),
              with_chain ? std::vector<std::uint64_t>{77} : std::vector<std::uint64_t>{});
    // Handshake, 3 pings, a pong, 2 questions and the answers: nothing else.
    EXPECT_EQ(seen.back().messages.size(), 7 + always.size() + (with_chain ? 2U : 0U));
  }
}

TEST(ProbeTest, ATipOfZerosIsNeverClaimed) {
  PeerThread peer("height=3 tip=" + kHash);
  peer.say_at("GetGenesisHash", {wire::msg::GetChainTip{}});
  auto request = request_to(peer.port());
  request.own_height = 77;
  request.own_tip_hash = std::string(64, '0');
  (void)probe_peer(request, clock_now, {});
  EXPECT_EQ(peer.finish().back().count("ChainTipResponse"), 0U);
}

// T06: alive, but no Ack.
TEST(ProbeTest, OtherFramesInThePlaceOfTheAckAreCounted) {
  PeerThread peer("no-ack");
  peer.say_at("Handshake", {wire::msg::GetPeers{}, wire::msg::GetMasternodes{}});
  const auto facts = visit(peer);
  EXPECT_EQ(facts.handshake.value().outcome, Outcome::silent);
  EXPECT_EQ(facts.other_frames, 2U);
  EXPECT_NE(facts.handshake->detail.find("2 other frames came"), std::string::npos);
}

TEST(ProbeTest, WhoeverNeverPausesIsCutOffAtTheDeadline) {
  PeerThread peer("no-ack");
  peer.flood();
  const auto request = request_to(peer.port());
  const Instant begun = clock_now().mono;
  const auto facts = probe_peer(request, clock_now, {});
  EXPECT_EQ(facts.handshake.value().outcome, Outcome::silent);
  EXPECT_GT(facts.other_frames, 1000U);
  EXPECT_LT(milliseconds_since(begun), 2000);
}

TEST(ProbeTest, APeersClockIsMeasuredToASecond) {
  for (const int ahead : {600, -45}) {
    PeerThread peer("clock=" + std::to_string(ahead));
    EXPECT_NEAR(visit(peer).clock_seconds.value(), ahead, 1) << ahead;
  }
}

TEST(ProbeTest, AClockBeyondReasonIsNone) {
  PeerThread peer("clock=9223372036854775807");
  EXPECT_FALSE(visit(peer).clock_seconds);
}

TEST(ProbeTest, ASlowAckIsMeasured) {
  PeerThread peer("ack-after=250 height=3 tip=" + kHash);
  const auto facts = visit(peer);
  EXPECT_EQ(facts.handshake.value().outcome, Outcome::ok);
  EXPECT_GE(facts.handshake->ms.value(), 250);
  EXPECT_EQ(facts.ping.value().outcome, Outcome::ok);
}

TEST(ProbeTest, AStopEndsItWithinATenthOfASecond) {
  PeerThread peer("silent");
  auto request = request_to(peer.port());
  request.tls_timeout = 60s;
  request.total = 60s;
  std::stop_source stop;
  std::promise<Instant> ended;
  std::thread prober([&] {
    (void)probe_peer(request, clock_now, stop.get_token());
    ended.set_value(clock_now().mono);
  });
  auto end = ended.get_future();
  EXPECT_EQ(end.wait_for(300ms), std::future_status::timeout);  // it does wait
  const Instant asked = clock_now().mono;
  stop.request_stop();
  prober.join();
  EXPECT_LT(seconds(end.get() - asked), 0.1);
}

TEST(ProbeTest, TheWholeIsBoundedBesidesTheLayers) {
  PeerThread peer("silent");
  auto request = request_to(peer.port());
  request.tls_timeout = 60s;
  request.total = 300ms;
  const Instant begun = clock_now().mono;
  const auto facts = probe_peer(request, clock_now, {});
  EXPECT_EQ(facts.tls.value().outcome, Outcome::silent);
  EXPECT_NEAR(milliseconds_since(begun), 300, 200);
}

TEST(KnockTest, GoesAsFarAsTheHandshakeFromTheGivenAddress) {
  PeerThread peer("height=3");
  const auto layer = knock(request_to(peer.port()), clock_now, {});
  EXPECT_EQ(layer.outcome, Outcome::ok) << layer.detail;
  const auto seen = peer.finish();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.back().remote, our_ip);
  EXPECT_TRUE(seen.back().pings.empty());
  EXPECT_EQ(seen.back().end, "close_notify");
}

TEST(KnockTest, NamesTheLayerWhereItEnded) {
  PeerThread peer("accept-then-close");
  const auto layer = knock(request_to(peer.port()), clock_now, {});
  EXPECT_EQ(layer.outcome, Outcome::closed);
  EXPECT_EQ(layer.detail.substr(0, 5), "TLS: ");
}

}  // namespace
}  // namespace timectl::probe
