#include "daemon/diagnose/reply.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using diagnose::LayerFacts;
using diagnose::Outcome;
using diagnose::RpcAnswer;

const auto kPeer = IpAddress::v4(203, 0, 113, 5);

// What the network would say, and what was asked of it.
struct World {
  diagnose::RpcFacts rpc = {.answer = RpcAnswer::refused};
  diagnose::ProbeFacts probe = {};
  LayerFacts elsewhere = {};
  std::string foreign = {};
  std::vector<probe::ProbeRequest> probed = {};
  std::vector<probe::ProbeRequest> knocked = {};
  std::vector<probe::RpcRequest> asked = {};
};

class DiagnoseMethods : public MethodsTest {
 protected:
  DiagnoseMethods() {
    world_.probe.tcp = LayerFacts{.outcome = Outcome::refused, .ms = 2};
    equip();
  }
  void equip() {
    auto& services = methods_->services();
    services.probes.ask_rpc = [this](const probe::RpcRequest& request, const std::stop_token&) {
      world_.asked.push_back(request);
      return world_.rpc;
    };
    services.probes.probe = [this](const probe::ProbeRequest& request, const std::stop_token&) {
      world_.probed.push_back(request);
      return world_.probe;
    };
    services.probes.knock = [this](const probe::ProbeRequest& request, const std::stop_token&) {
      world_.knocked.push_back(request);
      return world_.elsewhere;
    };
    services.probes.foreign_session = [this](const IpAddress&, std::uint16_t) {
      return world_.foreign;
    };
    services.post = [](const std::function<void()>& work) { work(); };
  }
  void with_a_node() {
    with_node();
    methods_->services().facts.listen = "0.0.0.0:24000";
    equip();
  }
  diagnose::DiagnosePeerReply ask(const std::string& method = "diagnose.probe",
                                  json::object more = {}) {
    more["peer"] = "203.0.113.5";
    return read(good(method, more));
  }
  static diagnose::DiagnosePeerReply read(const json::value& value) {
    diagnose::DiagnosePeerReply reply;
    const auto ok = from_json(value, reply, "");
    EXPECT_TRUE(ok) << ok.error().message;
    return reply;
  }
  // Our dial fails, so that the node waits and no attempt is under way.
  void fail_dial(EndReason reason = EndReason::refused) {
    node_->tick(now_);
    for (auto& command : node_->take_commands()) {
      if (const auto* dial = std::get_if<Dial>(&command)) {
        node_->on_closed(dial->connection, reason, "", now_);
      }
    }
    (void)node_->take_commands();
  }
  void later(Duration by) {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(by);
  }
  void lost(const IpAddress& ip, Duration ago, EndReason reason) {
    SessionRecord session;
    session.ip = ip;
    session.ended_at = now_.wall - std::chrono::duration_cast<std::chrono::milliseconds>(ago);
    session.started_at = session.ended_at - 1h;
    session.end_reason = reason;
    session.detail = "no acknowledgement for 45 s";
    ASSERT_TRUE(store::append_history(*database_, std::vector{session}, {}));
  }
  World world_;
};

TEST_F(DiagnoseMethods, WithoutAProbeNobodyIsAsked) {
  lost(kPeer, 20s, EndReason::transport_dead);
  const auto reply = ask("diagnose.peer");
  EXPECT_EQ(reply.code, "FM-K1") << reply.verdict;
  EXPECT_EQ(reply.ip, kPeer);
  EXPECT_TRUE(reply.probe.empty());
  EXPECT_TRUE(world_.asked.empty() && world_.probed.empty());
  ASSERT_EQ(reply.facts.peer->sessions.size(), 1U);
}

TEST_F(DiagnoseMethods, SaysThatNothingIsKnownOfAStranger) {
  const auto reply = ask("diagnose.peer");
  EXPECT_EQ(reply.code, "");
  EXPECT_LT(reply.confidence, 0.5);
  EXPECT_TRUE(reply.findings.empty());
}

TEST_F(DiagnoseMethods, TheProbeAndTheRpcMakeTheVerdictAndItsLayersAreShown) {
  const auto reply = ask();
  EXPECT_EQ(reply.code, "FM-R1") << reply.verdict;
  EXPECT_EQ(reply.act, diagnose::Act::peer);
  EXPECT_GE(reply.confidence, 0.5);
  EXPECT_EQ(reply.findings.front().severity, "high");
  ASSERT_EQ(reply.probe.size(), 3U);
  EXPECT_EQ(reply.probe[0].layer, "rpc");
  EXPECT_EQ(reply.probe[1].layer, "route");
  EXPECT_EQ(reply.probe[2].layer, "tcp");
  EXPECT_FALSE(reply.probe[2].ok);
  EXPECT_EQ(reply.probe[2].ms, 2);
  EXPECT_EQ(reply.not_probed, "");
  ASSERT_EQ(world_.probed.size(), 1U);
  EXPECT_EQ(world_.probed[0].port, config_.p2p_port());
  EXPECT_EQ(world_.asked.at(0).port, config_.p2p_port() + 1);
}

TEST_F(DiagnoseMethods, ALiveSessionIsNeverProbedBeside) {
  with_a_node();
  add({"203.0.113.5"});
  connect(kPeer);
  world_.rpc = {.answer = RpcAnswer::ok, .sees_us = true};
  const auto reply = ask("diagnose.probe", {{"force_probe", true}});
  EXPECT_EQ(reply.code, "") << reply.verdict;
  EXPECT_TRUE(world_.probed.empty());
  EXPECT_EQ(world_.asked.size(), 1U) << "its RPC is harmless";
  EXPECT_NE(reply.not_probed.find("a session with it is up"), std::string::npos);
  EXPECT_EQ(reply.probe.back().layer, "session");
}

TEST_F(DiagnoseMethods, AForeignSessionIsNotProbedBesideUnlessForced) {
  world_.foreign = "198.51.100.2 -> 203.0.113.5:24000";
  const auto reply = ask();
  EXPECT_TRUE(world_.probed.empty());
  EXPECT_NE(reply.not_probed.find("another process"), std::string::npos) << reply.not_probed;
  (void)ask("diagnose.probe", {{"force_probe", true}});
  EXPECT_EQ(world_.probed.size(), 1U);
}

TEST_F(DiagnoseMethods, WithoutANodeTheStoredLedgerCountsAndRefuses) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask().not_probed, "");
  const auto fifth = ask();
  EXPECT_NE(fifth.not_probed.find("used up until"), std::string::npos) << fifth.not_probed;
  EXPECT_EQ(world_.probed.size(), 4U);
  EXPECT_EQ(fifth.code, "") << "the diagnosis goes on without it";
  for (int i = 0; i < 9; ++i) {
    later(61s);
    (void)ask();
  }
  EXPECT_EQ(world_.probed.size(), 9U) << "nine an hour";
  later(1h);
  EXPECT_EQ(ask().not_probed, "");
  const auto memories = store::load_peers(*database_, 10);
  ASSERT_TRUE(memories);
  EXPECT_EQ(memories->at(0).ip, kPeer);
}

TEST_F(DiagnoseMethods, ADayOfFailedDialsIsCountedToTheEnd) {
  const std::vector<Event> failures(1500, {.at = now_.wall - 1h,
                                           .kind = EventKind::dial_failed,
                                           .peer = kPeer,
                                           .whitelisted = true,
                                           .reason = EndReason::refused});
  ASSERT_TRUE(store::append_history(*database_, {}, failures));
  const auto reply = ask();
  ASSERT_EQ(reply.facts.peer->contact.failed.size(), 1U);
  EXPECT_EQ(reply.facts.peer->contact.failed[0].reason, EndReason::refused);
  EXPECT_EQ(reply.facts.peer->contact.failed[0].count, 1500U);
}

// Whoever drops us after TCP counts it and bans for it, whoever visits: the next node must know.
TEST_F(DiagnoseMethods, WithoutANodeAFailureAfterTcpIsRememberedForTheNodeToCome) {
  world_.probe.tcp = LayerFacts{.outcome = Outcome::ok, .ms = 2};
  world_.probe.tls = LayerFacts{.outcome = Outcome::closed, .ms = 3};
  for (int i = 0; i < 6; ++i) {
    (void)ask();
    later(2min);
  }
  EXPECT_EQ(world_.probed.size(), 4U) << "so many failures after TCP an hour";
  const auto memory = store::load_peers(*database_, 10)->at(0);
  EXPECT_EQ(memory.last_reason, EndReason::closed_before_tls);
  ASSERT_TRUE(memory.next_attempt_at);
  EXPECT_GT(*memory.next_attempt_at, now_.wall);
}

TEST_F(DiagnoseMethods, WhoHasBannedUsForHoursIsNotVisited) {
  PeerMemory memory{.ip = kPeer, .last_reason = EndReason::rejected_notice, .attempts = 1};
  memory.next_attempt_at = now_.wall + 4h;
  ASSERT_TRUE(store::save_peers(*database_, std::span(&memory, 1)));
  EXPECT_NE(ask().not_probed, "");
  EXPECT_TRUE(world_.probed.empty());
  EXPECT_EQ(world_.asked.size(), 1U) << "its RPC says why";
}

TEST_F(DiagnoseMethods, BesideANodeTheNodesLedgerCounts) {
  with_a_node();
  add({"203.0.113.5"});
  fail_dial();
  EXPECT_EQ(ask().not_probed, "");
  EXPECT_EQ(world_.probed.size(), 1U);
  const auto view = node_->peer(kPeer, now_);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->ledger.last_minute, 2U) << "its own dial and the probe";
  EXPECT_GT(pumped_, 0);
  while (ask().not_probed.empty()) ASSERT_LT(world_.probed.size(), 10U);
  EXPECT_NE(ask().not_probed.find("again in"), std::string::npos);
  later(5min);
  node_->tick(now_);
  EXPECT_FALSE(node_->take_commands().empty()) << "it dials again after the probes";
}

TEST_F(DiagnoseMethods, ASecondAddressIsAskedOnlyWhereTheFirstDidNotGetThrough) {
  world_.probe.tcp = LayerFacts{.outcome = Outcome::ok, .ms = 2};
  world_.probe.tls = LayerFacts{.outcome = Outcome::closed, .ms = 3};
  world_.elsewhere = {.outcome = Outcome::closed, .ms = 2};
  const auto reply = ask("diagnose.probe", {{"from", "127.0.0.1"}});
  ASSERT_EQ(world_.knocked.size(), 1U) << reply.not_probed;
  EXPECT_EQ(world_.knocked[0].source, IpAddress::v4(127, 0, 0, 1));
  EXPECT_EQ(reply.probe.back().layer, "elsewhere");
  EXPECT_EQ(store::load_peers(*database_, 10)->at(0).recent_attempts.size(), 2U) << "both count";

  world_.probe.tls->outcome = Outcome::ok;
  world_.probe.handshake = LayerFacts{.outcome = Outcome::ok};
  (void)ask("diagnose.probe", {{"from", "127.0.0.1"}});
  EXPECT_EQ(world_.knocked.size(), 1U);
}

TEST_F(DiagnoseMethods, AnAddressThatIsNotOursCannotBeDialledFrom) {
  const auto error =
      bad("diagnose.probe", json::object{{"peer", "203.0.113.5"}, {"from", "192.0.2.7"}});
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_TRUE(world_.probed.empty());
}

TEST_F(DiagnoseMethods, OurOwnAddressIsNotProbed) {
  methods_->services().facts.own_address = kPeer;
  const auto reply = ask();
  EXPECT_TRUE(world_.probed.empty());
  EXPECT_NE(reply.not_probed.find("our own address"), std::string::npos);
}

TEST_F(DiagnoseMethods, AProbeIsAChangeToWhoMayNotMakeOne) {
  actor_.uid = 4711;
  actor_.groups = {4242};
  EXPECT_TRUE(call("diagnose.peer", json::object{{"peer", "203.0.113.5"}}));
  EXPECT_EQ(bad("diagnose.probe", json::object{{"peer", "203.0.113.5"}}).code, Code::access_denied);
  EXPECT_TRUE(world_.probed.empty());
}

TEST_F(DiagnoseMethods, ABanOfOursIsTheVerdictAndTheOperatorsToLift) {
  good("ban.add", json::object{{"ip", "203.0.113.5"}, {"reason", "noisy"}});
  const auto reply = ask("diagnose.peer");
  EXPECT_EQ(reply.code, "FM-B1") << reply.verdict;
  EXPECT_EQ(reply.act, diagnose::Act::you);
  EXPECT_NE(reply.findings.front().evidence.front().find("noisy"), std::string::npos);
}

TEST_F(DiagnoseMethods, TheNodeIsJudgedByWhatItKnowsOfItself) {
  const auto idle = good("diagnose.node");
  EXPECT_EQ(idle.at("findings").as_array().at(0).at("code"), "FM-B3") << json::serialize(idle);
  add({"203.0.113.5"});
  list_.state.attempted_at = now_.wall;
  list_.state.failing_since = now_.wall;
  list_.state.failed_step = FetchStep::tls;
  list_.state.failed_because = "certificate has expired";
  const auto reply = good("diagnose.node");
  EXPECT_EQ(reply.at("code"), "FM-P1") << json::serialize(reply);
  EXPECT_EQ(reply.at("facts").at("node").at("whitelisted"), 1);
}

TEST_F(DiagnoseMethods, AListThatNobodyFetchesAnyMoreIsNotOutOfDate) {
  add({"203.0.113.5"});
  list_.state.attempted_at = now_.wall - 240h;
  list_.state.accepted_at = now_.wall - 240h;
  EXPECT_EQ(good("diagnose.node").at("code"), "FM-B5") << "the control";
  config_.discovery.enabled = false;
  const auto reply = good("diagnose.node");
  EXPECT_EQ(reply.at("code"), "") << json::serialize(reply);
  EXPECT_TRUE(reply.at("facts").at("node").at("api").at("good_at").is_null());
}

TEST_F(DiagnoseMethods, APortOfItsOwnIsNoFaultInANetworkOfItsOwn) {
  with_a_node();
  add({"203.0.113.5"});
  config_.network.port = 25'000;
  methods_->services().facts.own_address = IpAddress::v4(198, 51, 100, 3);
  const auto has = [](const json::value& reply) {
    return json::serialize(reply.at("findings")).find("FM-C2") != std::string::npos;
  };
  EXPECT_TRUE(has(good("diagnose.node"))) << "the control: a public address";
  methods_->services().facts.own_address = IpAddress::v4(10, 20, 0, 3);
  EXPECT_FALSE(has(good("diagnose.node")));
}

TEST_F(DiagnoseMethods, TheTailOfTheAuditLogIsLookedAt) {
  add({"203.0.113.5"});
  EXPECT_EQ(good("diagnose.node").at("facts").at("node").at("audit_broken"), false);
}

TEST_F(DiagnoseMethods, EverythingIsGroupedByRootCause) {
  with_a_node();
  add({"203.0.113.5", "203.0.113.6", "198.51.100.7"});
  std::vector<Event> events;
  for (int i = 0; i < 5; ++i) {
    for (const auto& ip : {kPeer, IpAddress::v4(203, 0, 113, 6)}) {
      Event event;
      event.at = now_.wall - 5min + std::chrono::seconds(i);
      event.kind = EventKind::dial_failed;
      event.peer = ip;
      event.reason = EndReason::refused;
      events.push_back(event);
    }
  }
  ASSERT_TRUE(store::append_history(*database_, {}, events));
  const auto reply = good("diagnose.all");
  EXPECT_EQ(reply.at("masternodes"), 3);
  EXPECT_EQ(reply.at("connected"), 0);
  const auto& first = reply.at("findings").as_array().at(0);
  EXPECT_EQ(first.at("code"), "FM-R1") << json::serialize(reply);
  EXPECT_EQ(first.at("peers").as_array().size(), 2U);
}

TEST_F(DiagnoseMethods, AnAttemptThatSucceededSinceIsNoFailure) {
  Event failed;
  failed.at = now_.wall - 5min;
  failed.kind = EventKind::dial_failed;
  failed.peer = kPeer;
  failed.reason = EndReason::refused;
  Event up = failed;
  up.at = now_.wall - 4min;
  up.kind = EventKind::peer_connected;
  up.direction = Direction::out;
  ASSERT_TRUE(store::append_history(*database_, {}, std::vector{failed, up}));
  const auto contact = ask("diagnose.peer").facts.peer->contact;
  EXPECT_FALSE(contact.last_dial);
  ASSERT_EQ(contact.failed.size(), 1U);
  EXPECT_EQ(contact.failed[0].count, 1U);
}

}  // namespace
}  // namespace timectl::test
