// alerts.*, and what status says of them, on a real database, with the node's keeper and without.
#include "daemon/alert_keeper.h"
#include "store/alerts_table.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using namespace std::chrono_literals;

class AlertMethods : public MethodsTest {
 protected:
  void with_keeper() {
    with_node();
    keeper_.emplace(*database_);
    ASSERT_TRUE(keeper_->open(now_));
    methods_->services().alerts = &*keeper_;
  }
  // The daemon's tick.
  void look(Duration later = 1min) {
    now_.mono += later;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(later);
    ASSERT_TRUE(keeper_->look(methods_->services(), now_));
  }
  // One masternode of two is away for long enough, by a node or as stored by one.
  void one_down() {
    with_keeper();
    add({"10.0.0.1", "10.0.0.2"});
    connect(IpAddress::v4(10, 0, 0, 1));
    look();
    look();
    ASSERT_EQ(keeper_->take_notices().size(), 1U);
  }
  json::value silence(const char* rule, const char* peer, std::optional<double> lasts,
                      const char* reason = "it moves") {
    json::object request{{"rule", rule}, {"peer", peer}, {"reason", reason}};
    if (lasts) request["lasts"] = *lasts;
    return request;
  }
  std::optional<AlertKeeper> keeper_;
};

TEST_F(AlertMethods, WhatIsOpenIsListedWithItsKeys) {
  one_down();
  const auto reply = good("alerts.list");
  ASSERT_EQ(reply.as_array().size(), 1U);
  const auto& row = reply.at(0);
  EXPECT_EQ(row.at("id"), 1);
  EXPECT_EQ(row.at("rule"), "masternode_down");
  EXPECT_EQ(row.at("object"), "10.0.0.2");
  EXPECT_EQ(row.at("severity"), "critical");
  EXPECT_EQ(row.at("state"), "firing");
  EXPECT_EQ(row.at("acked_by"), nullptr);
  EXPECT_EQ(row.at("silenced_until"), nullptr);
  EXPECT_TRUE(row.at("deliveries").as_array().empty());
  EXPECT_TRUE(row.at("since").is_string());
}

TEST_F(AlertMethods, StatusShowsTheSameAlertWithItsIdAndTheTimeItBegan) {
  one_down();
  const auto listed = good("alerts.list").at(0);
  const auto alerts = good("status").at("alerts");
  ASSERT_EQ(alerts.as_array().size(), 1U);
  EXPECT_EQ(alerts.at(0).at("rule"), "masternode_down");
  EXPECT_EQ(alerts.at(0).at("id"), 1);
  EXPECT_EQ(alerts.at(0).at("since"), listed.at("since"));
  EXPECT_EQ(alerts.at(0).at("text"), listed.at("text"));
}

// A full disk is no failure of the file that the database notices by itself.
TEST_F(AlertMethods, AFullDiskIsTheVerdictThoughEveryMasternodeIsThere) {
  with_keeper();
  add({"10.0.0.1"});
  connect(IpAddress::v4(10, 0, 0, 1));
  look();
  EXPECT_EQ(good("status").at("verdict"), "ok") << "the control";
  keeper_->note_store(Error{Code::database_full, "the disk is full"});
  look();
  const auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "critical");
  EXPECT_NE(reply.at("summary").as_string().find("the disk is full"), std::string::npos)
      << reply.at("summary");
}

TEST_F(AlertMethods, StatusKnowsWhatJustHappenedBeforeItIsSaid) {
  with_keeper();
  add({"10.0.0.1"});
  EXPECT_EQ(good("status").at("alerts").at(0).at("id"), nullptr);
  EXPECT_EQ(good("status").at("alerts").at(0).at("rule"), "no_masternode");
  look(1s);
  EXPECT_EQ(good("alerts.list").at(0).at("state"), "pending");
  EXPECT_EQ(good("alerts.list").at(0).at("id"), nullptr);
}

TEST_F(AlertMethods, AnAcknowledgementIsStoredAuditedAndTheFirstOneStands) {
  one_down();
  const auto reply = good("alerts.ack", json::object{{"id", 1}});
  EXPECT_EQ(reply.at("result"), "acknowledged");
  EXPECT_EQ(reply.at("acked_by"), "alice");
  actor_.user = "bob";
  const auto again = good("alerts.ack", json::object{{"id", 1}});
  EXPECT_EQ(again.at("result"), "unchanged");
  EXPECT_EQ(again.at("acked_by"), "alice");
  EXPECT_EQ(audit().back().action, "alert.ack");
  EXPECT_EQ(audit().back().user, "alice");
  EXPECT_EQ(store::load_alerts(*database_)->alerts.at(0).acked_by, "alice");
  EXPECT_EQ(good("alerts.list").at(0).at("acked_by"), "alice");
  EXPECT_EQ(good("status").at("alerts").at(0).at("acked_by"), "alice");
  EXPECT_EQ(bad("alerts.ack", json::object{{"id", 7}}).code, Code::not_found);
  EXPECT_EQ(bad("alerts.ack", json::object{{"id", 0}}).code, Code::not_found);
}

TEST_F(AlertMethods, SeveralAreAcknowledgedTogetherOrNoneIs) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2", "10.0.0.10"});
  connect(IpAddress::v4(10, 0, 0, 1));
  look();
  look();
  const auto rows = audit().size();
  EXPECT_EQ(bad("alerts.ack", json::object{{"ids", json::array{1, 2, 99}}}).code, Code::not_found);
  EXPECT_EQ(audit().size(), rows);
  const auto listed = good("alerts.list");
  for (const auto& row : listed.as_array()) EXPECT_EQ(row.at("acked_by"), nullptr);
  const auto replies = good("alerts.ack", json::object{{"ids", json::array{2, 1, 2}}});
  ASSERT_EQ(replies.as_array().size(), 2U) << "twice the same is once";
  EXPECT_EQ(replies.at(0).at("result"), "acknowledged");
  EXPECT_EQ(audit().size(), rows + 2);
  EXPECT_EQ(good("alerts.ack", json::object{{"ids", json::array{1}}}).at(0).at("result"),
            "unchanged");
}

TEST_F(AlertMethods, OfOneRuleAddressesStandInTheirOrder) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2", "10.0.0.10", "10.0.0.9"});
  connect(IpAddress::v4(10, 0, 0, 1));
  look();
  look();
  const auto rows = good("alerts.list");
  ASSERT_EQ(rows.as_array().size(), 3U);
  EXPECT_EQ(rows.at(0).at("object"), "10.0.0.2");
  EXPECT_EQ(rows.at(1).at("object"), "10.0.0.9");
  EXPECT_EQ(rows.at(2).at("object"), "10.0.0.10");
}

TEST_F(AlertMethods, WhatHoldsNoMoreIsSaidToBeSoBeforeItsEnd) {
  one_down();
  EXPECT_EQ(good("alerts.list").at(0).at("cleared_at"), nullptr);
  connect(IpAddress::v4(10, 0, 0, 2));
  look();
  const auto row = good("alerts.list").at(0);
  EXPECT_EQ(row.at("state"), "firing");
  EXPECT_TRUE(row.at("cleared_at").is_string()) << row;
}

TEST_F(AlertMethods, ASilenceOfAnUnknownPeerOrSinkNeedsAYes) {
  one_down();
  auto request = silence("masternode_down", "10.0.0.77", 60).as_object();
  EXPECT_EQ(bad("alerts.silence", request).code, Code::invalid_argument);
  request["unknown"] = true;
  EXPECT_EQ(good("alerts.silence", request).at("object"), "10.0.0.77");
  json::object sink{{"rule", "sink_failing"}, {"object", "ops"}, {"reason", "x"}, {"lasts", 60}};
  EXPECT_EQ(bad("alerts.silence", sink).code, Code::invalid_argument);
  config_.alerts.sinks.push_back({.name = "ops"});
  EXPECT_EQ(good("alerts.silence", sink).at("object"), "ops");
  sink["rule"] = "masternode_down";
  sink["object"] = "10.0.0.2";
  EXPECT_EQ(good("alerts.silence", sink).at("object"), "10.0.0.2") << "--object names peers, too";
  sink["peer"] = "10.0.0.2";
  EXPECT_EQ(bad("alerts.silence", sink).code, Code::invalid_argument) << "not both";
  json::object node{{"rule", "lag"}, {"object", "ops"}, {"reason", "x"}, {"lasts", 60}};
  EXPECT_EQ(bad("alerts.silence", node).code, Code::invalid_argument) << "it has no objects";
}

TEST_F(AlertMethods, ASilenceIsOfAPeerOrOfARuleAndIsShown) {
  one_down();
  const auto reply = good("alerts.silence", silence("masternode_down", "10.0.0.2", 7200));
  EXPECT_EQ(reply.at("object"), "10.0.0.2");
  EXPECT_EQ(reply.at("by"), "alice");
  const auto row = good("alerts.list").at(0);
  EXPECT_EQ(row.at("silenced_by"), "alice");
  EXPECT_EQ(row.at("silenced_because"), "it moves");
  EXPECT_EQ(row.at("silenced_until"), reply.at("until"));
  EXPECT_EQ(good("status").at("alerts").at(0).at("silenced_until"), reply.at("until"));
  EXPECT_EQ(audit().back().action, "alert.silence");
  EXPECT_EQ(good("alerts.silence", silence("lag", "", 60)).at("object"), nullptr);
  EXPECT_EQ(store::load_alerts(*database_)->silences.size(), 2U);
  std::size_t shown = 0;
  const auto rules = good("alerts.rules");
  for (const auto& rule : rules.as_array()) shown += rule.at("silences").as_array().size();
  EXPECT_EQ(shown, 2U);
}

TEST_F(AlertMethods, ASilenceThatMakesNoSenseIsRefusedAndWritesNothing) {
  one_down();
  const auto rows = audit().size();
  EXPECT_EQ(bad("alerts.silence", silence("nothing", "", 60)).code, Code::not_found);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "", {})).code, Code::invalid_argument);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "", 31.0 * 86400)).code, Code::invalid_argument);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "", 0)).code, Code::invalid_argument);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "10.0.0.2", 60)).code, Code::invalid_argument);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "", 60, "")).code, Code::invalid_argument);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "", 60, "a\nb")).code, Code::invalid_argument);
  EXPECT_EQ(bad("alerts.silence", silence("masternode_down", "nobody", 60)).code,
            Code::unknown_peer);
  EXPECT_EQ(audit().size(), rows);
}

TEST_F(AlertMethods, OnlyOperatorsAcknowledgeAndSilence) {
  one_down();
  actor_.uid = ::getuid() + 1;
  actor_.groups = {4242};
  EXPECT_TRUE(call("alerts.list"));
  EXPECT_TRUE(call("alerts.rules"));
  EXPECT_EQ(bad("alerts.ack", json::object{{"id", 1}}).code, Code::access_denied);
  EXPECT_EQ(bad("alerts.silence", silence("lag", "", 60)).code, Code::access_denied);
}

TEST_F(AlertMethods, WithoutANodeWhatWasStoredIsShownAndChanged) {
  one_down();
  node_.reset();
  make();  // no node, no keeper
  EXPECT_EQ(good("alerts.list").at(0).at("object"), "10.0.0.2");
  EXPECT_EQ(good("alerts.ack", json::object{{"id", 1}}).at("result"), "acknowledged");
  EXPECT_EQ(good("alerts.list").at(0).at("acked_by"), "alice");
  (void)good("alerts.silence", silence("masternode_down", "", 60));
  EXPECT_NE(good("alerts.list").at(0).at("silenced_until"), nullptr);
}

TEST_F(AlertMethods, ResolvedOnesAreListedWhenAskedFor) {
  one_down();
  connect(IpAddress::v4(10, 0, 0, 2));
  look();
  look(61s);
  const auto of_one = [](const json::value& rows) {
    std::vector<std::string> states;
    for (const auto& row : rows.as_array()) {
      if (row.at("object") == "10.0.0.2") states.emplace_back(row.at("state").as_string());
    }
    return states;
  };
  EXPECT_EQ(of_one(good("alerts.list")), std::vector<std::string>{});
  EXPECT_EQ(of_one(good("alerts.list", json::object{{"all", true}})),
            std::vector<std::string>{"resolved"});
  EXPECT_EQ(bad("alerts.list", json::object{{"limit", 0}}).code, Code::invalid_argument);
}

TEST_F(AlertMethods, RulesSayWhatIsWatchedAndWhatIsOff) {
  config_.alerts.disabled_rules = {"lag"};
  const auto rules = good("alerts.rules");
  ASSERT_EQ(rules.as_array().size(), alert_rule_table().size());
  for (const auto& rule : rules.as_array()) {
    EXPECT_EQ(rule.at("enabled"), rule.at("rule") != "lag");
    EXPECT_FALSE(rule.at("remedy").as_string().empty());
  }
}

TEST_F(AlertMethods, ADisabledRuleIsNotInStatus) {
  with_keeper();
  add({"10.0.0.1"});
  config_.alerts.disabled_rules = {"no_masternode", "masternode_down"};
  EXPECT_TRUE(good("status").at("alerts").as_array().empty());
  EXPECT_EQ(good("status").at("verdict"), "critical") << "the verdict is of what is";
}

}  // namespace
}  // namespace timectl::test
