#include "daemon/alert_conditions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;
using enum AlertRule;

const WallTime kNow = WallTime{} + 24h * 20'000;
const IpAddress kPeer = IpAddress::v4(203, 0, 113, 7);

struct AlertConditionsTest : testing::Test {
  AlertConditionsTest() {
    facts.config = &config;
    facts.now = kNow;
    facts.node = facts.active = true;
    facts.whitelisted = facts.connected = 2;
    facts.slow = {.audit_broken = "",
                  .database_damaged = "",
                  .chain_failed = "",
                  .config_rejected = "",
                  .host = diagnose::ResourceFacts{.disk_free_bytes = 1ULL << 40U,
                                                  .disk_total_bytes = 1ULL << 41U,
                                                  .descriptors = 100,
                                                  .descriptors_limit = 1024},
                  .reachable = true};
    facts.clock = {5, 0.1};
    facts.sync.emplace();
    facts.sync->height = facts.sync->best_height = 100;
    facts.sync->lag_blocks = 0;
  }
  [[nodiscard]] std::vector<AlertRule> rules() const {
    std::vector<AlertRule> out;
    for (const auto& condition : alert_look(facts).holding) out.push_back(condition.rule);
    return out;
  }
  [[nodiscard]] std::string text() const { return alert_look(facts).holding.at(0).text; }
  [[nodiscard]] bool known(AlertRule rule) const { return alert_look(facts).known.contains(rule); }

  config::Config config;
  AlertFacts facts;
};

using Rules = std::vector<AlertRule>;

TEST_F(AlertConditionsTest, OfAHealthyNodeNothingHoldsAndEverythingIsKnown) {
  EXPECT_EQ(rules(), Rules{});
  for (const auto& row : alert_rule_table()) EXPECT_TRUE(known(row.rule)) << name_of(row.rule);
}

// Each row of the table can be raised: a rule that no fact leads to would watch nothing.
TEST_F(AlertConditionsTest, EveryRuleIsRaisedBySomeFact) {
  AlertRules raised;
  const auto collect = [&] {
    for (const auto rule : rules()) raised.insert(rule);
  };
  const AlertFacts healthy = facts;
  facts.write_failure = "disk full";
  facts.slow = {.audit_broken = "row 7",
                .database_damaged = "page 3",
                .chain_failed = "no space",
                .config_rejected = "line 3",
                .host = diagnose::ResourceFacts{.disk_free_bytes = 1U << 20U,
                                                .descriptors = 1000,
                                                .descriptors_limit = 1024},
                .reachable = false};
  for (const auto& row : ailment_table()) facts.ailments.push_back({row.ailment, kNow, "evidence"});
  facts.clock.ahead_seconds = -11;
  facts.connected = 0;
  facts.down = {{kPeer, "the peer closed it"}};
  facts.kept_out = {{kPeer, "banned"}};
  facts.list.held_since = kNow;
  facts.list.failing_since = kNow;
  facts.list.failed_step = FetchStep::dns;
  facts.failing_sinks.push_back({{.name = "pager", .failing_since = kNow, .error = "500"}, 3});
  facts.sync->best_height = 300;
  facts.sync->lag_blocks = 200;
  facts.sync->clock_doubted = true;
  facts.forks.push_back(
      {.ancestor_height = 50,
       .branches = {{true, 60, "", "", {}, 3, false}, {false, 60, "", "", {}, 3, false}}});
  collect();
  facts.list.accepted_at = kNow;
  facts.whitelisted = 0;
  collect();
  facts = healthy;
  facts.active = false;
  facts.sync->network_stalled = true;
  facts.sync->tip_at = kNow - 2h;
  collect();
  for (const auto& row : alert_rule_table()) {
    EXPECT_TRUE(raised.contains(row.rule)) << name_of(row.rule);
  }
}

TEST_F(AlertConditionsTest, WhatIsNotKnownRaisesNothingAndIsSaidToBeUnknown) {
  facts.slow = {};
  facts.clock = {};
  facts.sync.reset();
  EXPECT_EQ(rules(), Rules{});
  for (const auto rule :
       {audit_broken, database_damaged, chain_failed, config_rejected, disk_low, descriptors_low,
        port_unreachable, clock_off, clock_doubted, lag, lag_high, network_stalled, fork_long}) {
    EXPECT_FALSE(known(rule)) << name_of(rule);
  }
  EXPECT_TRUE(known(masternode_down));
  EXPECT_TRUE(known(database_unwritable));
}

TEST_F(AlertConditionsTest, AClockIsOffByMoreThanTheLimitEitherWay) {
  for (const double ahead : {10.0, -10.0}) {
    facts.clock.ahead_seconds = ahead;
    EXPECT_EQ(rules(), Rules{}) << ahead;
  }
  facts.clock.ahead_seconds = 10.5;
  EXPECT_EQ(rules(), Rules{clock_off});
  EXPECT_NE(text().find("ahead of"), std::string::npos) << text();
  facts.clock.ahead_seconds = -10.5;
  EXPECT_NE(text().find("behind"), std::string::npos) << text();
  config.alerts.clock_offset = 30s;
  EXPECT_EQ(rules(), Rules{});
}

TEST_F(AlertConditionsTest, EachMasternodeThatIsDownIsItsOwnObject) {
  facts.connected = 1;
  facts.down = {{kPeer, "nobody answered", "berlin"}};
  const auto look = alert_look(facts);
  ASSERT_EQ(look.holding.size(), 1U);
  EXPECT_EQ(look.holding[0].object, "203.0.113.7");
  EXPECT_EQ(look.holding[0].label, "berlin");
  EXPECT_EQ(look.holding[0].text,
            "Whitelisted peer berlin (203.0.113.7) is not connected: nobody answered");
  facts.connected = 0;
  EXPECT_EQ(rules(), (Rules{no_masternode, masternode_down}));
  EXPECT_EQ(without_consequences(alert_look(facts).holding).size(), 1U);
}

TEST_F(AlertConditionsTest, APassiveNodeKnowsNothingOfConnections) {
  facts.active = false;
  facts.connected = 0;
  EXPECT_EQ(rules(), Rules{node_passive});
  EXPECT_FALSE(known(masternode_down));
  EXPECT_FALSE(known(no_masternode));
}

TEST_F(AlertConditionsTest, AnUnknownHeightLeavesALagAsItIs) {
  facts.sync->best_height.reset();
  facts.sync->lag_blocks.reset();
  EXPECT_FALSE(known(lag));
  EXPECT_FALSE(known(lag_high));
  EXPECT_TRUE(known(fork_long));
}

TEST_F(AlertConditionsTest, ATipThatIsOldIsAWarningAlsoWhereNoHeightIsBelieved) {
  facts.sync->best_height.reset();
  facts.sync->lag_blocks.reset();
  facts.sync->tip_at = kNow - 59min;
  EXPECT_EQ(rules(), Rules{});
  facts.sync->tip_at = kNow - 61min;
  facts.uptime = 9min;
  EXPECT_EQ(rules(), Rules{}) << "it has asked nobody yet";
  facts.uptime = 10min;
  EXPECT_EQ(rules(), Rules{lag_high});
  EXPECT_TRUE(known(lag_high));
  EXPECT_NE(text().find(std::string("No height of the network is believed, and our tip is ") +
                        human_duration(61min)),
            std::string::npos)
      << text();
  facts.active = false;
  EXPECT_EQ(rules(), Rules{node_passive}) << "nobody is asked";
  facts.active = true;
  facts.connected = 0;
  EXPECT_EQ(without_consequences(alert_look(facts).holding).size(), 1U) << "no_masternode says why";
  facts.connected = 2;
  facts.whitelisted = 0;
  EXPECT_EQ(rules(), Rules{whitelist_empty});
}

TEST_F(AlertConditionsTest, DisabledRulesAreThoseOfTheConfiguration) {
  config.alerts.disabled_rules = {"lag", "no_such_rule"};
  EXPECT_TRUE(alert_look(facts).disabled.contains(lag));
  EXPECT_FALSE(alert_look(facts).disabled.contains(lag_high));
}

}  // namespace
}  // namespace timectl
