#include "daemon/methods.h"

#include <gtest/gtest.h>

#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using Dispatch = MethodsTest;
using PeerMethods = MethodsTest;
using Status = MethodsTest;

TEST_F(Dispatch, EveryMethodOfTheTableHasAHandler) {
  with_node();
  for (const auto& row : control::method_table()) {
    const auto reply = methods_->handle(std::string(row.name), nullptr, actor_);
    const bool known = reply.result || reply.result.error().code != Code::unknown_command;
    EXPECT_TRUE(known) << row.name;
    EXPECT_TRUE(!reply.job || row.slow) << row.name;
  }
}

TEST_F(Dispatch, AnUnknownMethodIsNamedWithoutItsEscapes) {
  const auto error = bad("peer.\x1b[2Jfire");
  EXPECT_EQ(error.code, Code::unknown_command);
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

TEST_F(Dispatch, DenialsAreAuditedOnceAMinute) {
  actor_.uid = ::getuid() + 1;
  actor_.user = "mallory";
  actor_.groups = {4242};
  EXPECT_TRUE(call("whitelist.list"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(bad("whitelist.add", json::object{{"ips", json::array{"10.0.0.1"}}}).code,
              Code::access_denied);
  }
  EXPECT_EQ(whitelist_.size(), 0U);
  ASSERT_EQ(audit().size(), 1U);
  EXPECT_EQ(audit()[0].result, "denied");
  EXPECT_EQ(audit()[0].user, "mallory");
  EXPECT_EQ(audit()[0].action, "whitelist.add");
  ASSERT_TRUE(methods_->flush_denied(now_, true));
  ASSERT_EQ(audit().size(), 2U);
  EXPECT_NE(audit()[1].after.value_or("").find('4'), std::string::npos);
}

TEST_F(Dispatch, WithoutItsGroupAUserReadsNothing) {
  actor_.uid = ::getuid() + 1;
  EXPECT_EQ(bad("status").code, Code::access_denied);
  EXPECT_EQ(bad("hello", json::object{{"api", 1}}).code, Code::access_denied);
}

TEST_F(Dispatch, WhatNeedsTheNodeSaysSo) {
  for (const auto& row : control::method_table()) {
    if (!row.needs_node) continue;
    EXPECT_EQ(bad(std::string(row.name)).code, Code::node_not_running) << row.name;
  }
}

TEST_F(Dispatch, HelloAgreesOnTheApiOnly) {
  with_node();
  const auto reply = good("hello", json::object{{"api", 1}, {"version", "9.9"}, {"later", true}});
  EXPECT_EQ(reply.at("api"), 1);
  EXPECT_EQ(reply.at("pid"), 77);
  for (const json::value& params :
       {json::value(json::object{{"api", 2}}), json::value(json::object{{"api", 0}}),
        json::value(json::object{{"api", -1}}), json::value(json::object{{"api", "1"}}),
        json::value(json::object{}), json::value(nullptr)}) {
    EXPECT_EQ(bad("hello", params).code, Code::protocol_mismatch) << json::serialize(params);
  }
  EXPECT_NE(bad("hello", json::object{{"api", 2}}).message.find("2"), std::string::npos);
}

TEST_F(Dispatch, StopAndReloadReachTheDaemon) {
  with_node();
  good("node.stop");
  EXPECT_TRUE(stopped_);
  good("node.reload");
  reload_ = Error{Code::config_invalid, "line 3"};
  EXPECT_EQ(bad("node.reload").code, Code::config_invalid);
}

TEST_F(Status, WithoutANodeTheVerdictIsUnknownAndNothingIsInvented) {
  add({"10.0.0.1"});
  const auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "unknown");
  EXPECT_EQ(reply.at("node").at("running"), false);
  EXPECT_EQ(reply.at("node").at("pid"), nullptr);
  EXPECT_EQ(reply.at("masternodes").at("whitelisted"), 1);
  EXPECT_EQ(reply.at("masternodes").at("connected"), nullptr);
  EXPECT_EQ(reply.at("slots"), nullptr);
  EXPECT_EQ(reply.at("next_command"), "timectl node start");
}

TEST_F(Status, VerdictFollowsTheMasternodes) {
  with_node();
  EXPECT_EQ(good("status").at("verdict"), "degraded") << "an empty whitelist protects nobody";
  add({"10.0.0.1", "10.0.0.2"});
  const auto none = good("status");
  EXPECT_EQ(none.at("verdict"), "critical");
  EXPECT_EQ(none.at("alerts").at(0).at("severity"), "critical");
  connect(IpAddress::v4(10, 0, 0, 1));
  const auto some = good("status");
  EXPECT_EQ(some.at("verdict"), "degraded");
  EXPECT_EQ(some.at("next_command"), "timectl peer show 10.0.0.2");
  connect(IpAddress::v4(10, 0, 0, 2));
  const auto all = good("status");
  EXPECT_EQ(all.at("verdict"), "ok");
  EXPECT_EQ(all.at("masternodes").at("connected"), 2);
  EXPECT_TRUE(all.at("alerts").as_array().empty());
}

TEST_F(Status, APassiveNodeKnowsNothingOfConnections) {
  with_node(NodeMode::passive);
  methods_->services().facts.passive_because = "a timed runs here";
  add({"10.0.0.1"});
  const auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "unknown");
  EXPECT_EQ(reply.at("node").at("mode"), "passive");
  EXPECT_EQ(reply.at("masternodes").at("connected"), nullptr);
  EXPECT_EQ(bad("peer.connect", json::object{{"peer", "10.0.0.1"}}).code, Code::passive_mode);
}

TEST_F(Status, NetworkInfoHasTheKeysOfTheRequirements) {
  with_node();
  add({"10.0.0.1", "10.0.0.2"}, "ours");
  connect(IpAddress::v4(10, 0, 0, 1));
  now_.mono += 90s;
  now_.wall += 90s;
  const auto info = good("getnetworkinfo");
  EXPECT_EQ(info.at("whitelist_count"), 2);
  const auto& peers = info.at("whitelisted_peers").as_array();
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].at("ip"), "10.0.0.1");
  EXPECT_EQ(peers[0].at("reason"), "ours");
  EXPECT_EQ(peers[0].at("uptime").to_number<double>(), 90.0);
  EXPECT_EQ(peers[0].at("missed_pongs"), 0);
  EXPECT_EQ(peers[1].at("uptime"), nullptr);
  for (const auto* key : {"height", "best_peer", "best_height"}) {
    EXPECT_EQ(info.at("sync_status").at(key), nullptr) << key;
  }
  EXPECT_EQ(info.at("sync_status").at("syncing"), false);
  EXPECT_EQ(info.at("uptime_seconds").to_number<double>(), 90.0);
}

TEST_F(PeerMethods, WithoutANodeTheRememberedPeersAreListed) {
  add({"10.0.0.2"});
  PeerMemory memory;
  memory.ip = IpAddress::v4(10, 0, 0, 1);
  memory.last_reason = EndReason::refused;
  memory.attempts = 3;
  memory.next_attempt_at = now_.wall + 30s;
  memory.recent_attempts = {now_.wall - 2min, now_.wall - 30s};
  ASSERT_TRUE(store::save_peers(*database_, std::span(&memory, 1)));
  const auto rows = good("peer.list");
  ASSERT_EQ(rows.as_array().size(), 2U);
  EXPECT_EQ(rows.at(0).at("ip"), "10.0.0.2") << "whitelisted first";
  EXPECT_EQ(rows.at(1).at("state"), "backoff");
  EXPECT_EQ(rows.at(1).at("connected_at"), nullptr);
  const auto shown = good("peer.show", json::object{{"peer", "10.0.0.1"}});
  EXPECT_EQ(shown.at("attempts"), 2) << "dials that no session followed";
  EXPECT_EQ(shown.at("last_end_reason"), "refused");
  EXPECT_EQ(shown.at("ledger").at("last_minute"), 1);
  EXPECT_EQ(shown.at("ledger").at("last_hour"), 2);
  EXPECT_EQ(bad("peer.show", json::object{{"peer", "10.9.9.9"}}).code, Code::unknown_peer);
  EXPECT_EQ(bad("peer.list", json::object{{"connected", true}}).code, Code::node_not_running);
}

TEST_F(PeerMethods, ListFiltersAndSorts) {
  with_node();
  add({"10.0.0.9"});
  connect(IpAddress::v4(10, 0, 0, 1));
  EXPECT_EQ(good("peer.list", json::object{{"connected", true}}).as_array().size(), 1U);
  EXPECT_EQ(good("peer.list", json::object{{"whitelisted", true}}).as_array().size(), 1U);
  const auto rows = good("peer.list", json::object{{"sort", "ip"}});
  EXPECT_EQ(rows.at(0).at("ip"), "10.0.0.1");
  const auto error = bad("peer.list", json::object{{"sort", "beauty"}});
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_NE(error.because.find("rtt_ms"), std::string::npos);
}

TEST_F(PeerMethods, DisconnectClosesAndConnectIsHeldToItsLedger) {
  with_node();
  connect(IpAddress::v4(10, 0, 0, 1));
  (void)node_->take_commands();
  good("peer.disconnect", json::object{{"peer", "10.0.0.1"}, {"stay_away", 60}});
  bool closed = false;
  for (const auto& command : node_->take_commands()) {
    if (const auto* close = std::get_if<Close>(&command)) {
      closed = close->reason == EndReason::closed_by_operator;
    }
  }
  EXPECT_TRUE(closed);
  EXPECT_EQ(pumped_, 1);
  EXPECT_EQ(bad("peer.disconnect", json::object{{"peer", ""}}).code, Code::invalid_argument);
}

TEST_F(PeerMethods, SlotsAreCheckedWithAndWithoutANode) {
  const json::object peer{{"peer", "203.0.113.7"}};
  EXPECT_TRUE(good("slots.check", peer).at("accept").as_bool());
  EXPECT_EQ(bad("slots.show").code, Code::node_not_running);
  with_node();
  EXPECT_TRUE(good("slots.check", peer).at("accept").as_bool());
  connect(IpAddress::v4(203, 0, 113, 7));
  EXPECT_FALSE(good("slots.check", peer).at("accept").as_bool());
  EXPECT_EQ(good("slots.show").at("inbound"), 1);
}

}  // namespace
}  // namespace timectl::test
