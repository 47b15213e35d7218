// overview and overview.history: the same figures as the methods that they are made of.
#include "daemon/alert_keeper.h"
#include "store/samples.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using namespace std::chrono_literals;

class OverviewMethods : public MethodsTest {
 protected:
  void with_keeper() {
    with_node();
    keeper_.emplace(*database_);
    ASSERT_TRUE(keeper_->open(now_));
    methods_->services().alerts = &*keeper_;
  }
  void later(Duration by) {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    ASSERT_TRUE(keeper_->look(methods_->services(), now_));
  }
  // A look of five minutes at this node and one masternode, which was there for `share` of it.
  void sample(WallTime at, const IpAddress& ip, double share, double score) {
    PeerSample peer{.ip = ip, .at = at, .seconds = 300, .connected_seconds = 300 * share};
    peer.whitelisted_seconds = 300;
    peer.score = score;
    NodeSample node{.at = at, .seconds = 300, .whitelisted = 1, .connected_mean = share};
    node.height = 100;
    ASSERT_TRUE(store::put_samples(*database_, std::span(&peer, 1), std::optional(node), {}));
  }
  std::optional<AlertKeeper> keeper_;
};

TEST_F(OverviewMethods, ShowsWhatStatusPeerListAndAlertsListShow) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2"});
  connect(IpAddress::v4(10, 0, 0, 1));
  later(1min);
  later(1min);
  const auto view = good("overview");
  EXPECT_EQ(view.at("status"), good("status"));
  EXPECT_EQ(view.at("alerts"), good("alerts.list"));
  EXPECT_EQ(view.at("chain"), good("sync.status"));
  EXPECT_EQ(view.at("peers").at("connected"), 1);
  const auto& rows = view.at("masternodes").as_array();
  ASSERT_EQ(rows.size(), 2U);
  const auto listed = good("peer.list");
  for (const auto& peer : listed.as_array()) {
    const auto& row = rows.at(peer.at("ip") == "10.0.0.1" ? 1 : 0);
    for (const auto& [key, value] : peer.as_object()) EXPECT_EQ(row.at(key), value) << key;
  }
}

TEST_F(OverviewMethods, WhoeverIsAwayStandsFirstWithTheNextAttempt) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2"});
  connect(IpAddress::v4(10, 0, 0, 1));
  const auto rows = good("overview").at("masternodes").as_array();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(0).at("ip"), "10.0.0.2");
  EXPECT_EQ(rows.at(0).at("connected_at"), nullptr);
  EXPECT_EQ(rows.at(0).at("next_attempt_at"),
            good("peer.show", json::object{{"peer", "10.0.0.2"}}).at("next_attempt_at"));
  EXPECT_EQ(rows.at(1).at("ip"), "10.0.0.1");
}

TEST_F(OverviewMethods, EachOpenAlertIsInOneFigureHoweverFewRowsAreShown) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  connect(IpAddress::v4(10, 0, 0, 1));
  later(1min);
  const auto pending = good("overview").at("alert_counts");
  EXPECT_EQ(pending.at("pending"), 4);
  later(10min);
  good("alerts.silence", json::object{{"rule", "masternode_down"},
                                      {"peer", "10.0.0.5"},
                                      {"lasts", 3600},
                                      {"reason", "moves house"}});
  const auto view = good("overview", json::object{{"limit", 1}});
  EXPECT_EQ(view.at("alerts").as_array().size(), 1U);
  const auto counts = view.at("alert_counts");
  EXPECT_EQ(counts.at("critical"), 3);
  EXPECT_EQ(counts.at("silenced"), 1);
  EXPECT_EQ(counts.at("pending"), 0);
  EXPECT_EQ(
      view.at("alerts_by_rule"),
      (json::value{{{"rule", "masternode_down"}, {"firing", 4}, {"pending", 0}, {"silenced", 1}}}));
  std::uint64_t sum = 0;
  for (const auto& [word, figure] : counts.as_object()) sum += figure.to_number<std::uint64_t>();
  EXPECT_EQ(sum, 1 + view.at("alerts_left_out").to_number<std::uint64_t>());
}

TEST_F(OverviewMethods, WhatFollowsFromAnotherAlertIsHiddenAndNotCritical) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  later(1min);
  later(10min);
  const auto counts = good("overview").at("alert_counts");
  EXPECT_EQ(counts.at("critical"), 1) << "no_masternode";
  EXPECT_EQ(counts.at("hidden"), 3);
}

TEST_F(OverviewMethods, ARowThatIsDownSaysSinceWhenAsItsAlertAndHowOftenItWasTried) {
  with_keeper();
  const auto ip = IpAddress::v4(10, 0, 0, 1);
  const auto row = [&] { return good("overview").at("masternodes").at(0); };
  add({"10.0.0.1"});
  // Never connected, no alert yet: since it was whitelisted.
  EXPECT_EQ(row().at("down_since"), to_json(now_.wall));
  connect(ip);
  later(1h);
  EXPECT_EQ(row().at("connected"), true);
  EXPECT_EQ(row().at("tone"), "good");
  EXPECT_EQ(row().at("down_since"), nullptr);
  EXPECT_EQ(row().at("attempts"), 0);
  EXPECT_EQ(row().at("last_end_reason"), nullptr);
  node_->on_closed(dials_.at(ip), EndReason::closed_by_peer, "", now_);
  keeper_->on_event({.kind = EventKind::peer_disconnected, .whitelisted = true});
  later(0s);
  const auto lost = now_.wall;
  EXPECT_EQ(row().at("attempts"), 0) << "the loss itself is no attempt";
  EXPECT_EQ(row().at("last_end_reason"), "closed_by_peer");
  now_.mono += 10s, now_.wall += 10s;
  node_->tick(now_);
  later(0s);
  EXPECT_EQ(row().at("connected"), false);
  EXPECT_EQ(row().at("attempts"), 1);
  EXPECT_EQ(row().at("down_since"), to_json(lost));
  const auto alerts = good("alerts.list");
  for (const auto& alert : alerts.as_array()) {
    if (alert.at("rule") != "masternode_down") continue;
    EXPECT_EQ(alert.at("since"), to_json(lost));
  }
}

TEST_F(OverviewMethods, OurOwnAddressIsNoMasternodeOfOurs) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2"});
  methods_->services().facts.own_address = IpAddress::v4(10, 0, 0, 1);
  const auto rows = good("overview").at("masternodes").as_array();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.at(0).at("ip"), "10.0.0.2");
}

TEST_F(OverviewMethods, WhatDoesNotFitIsCounted) {
  with_keeper();
  add({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  const auto view = good("overview", json::object{{"limit", 1}});
  EXPECT_EQ(view.at("masternodes").as_array().size(), 1U);
  EXPECT_EQ(view.at("masternodes_left_out"), 2);
  EXPECT_EQ(bad("overview", json::object{{"limit", 0}}).code, Code::invalid_argument);
}

TEST_F(OverviewMethods, WithoutANodeThereIsNoOverview) {
  EXPECT_EQ(bad("overview").code, Code::node_not_running);
}

TEST_F(OverviewMethods, TheHistoryIsInStepsWithGapsWhereNobodyLooked) {
  const auto ip = IpAddress::v4(10, 0, 0, 1);
  add({"10.0.0.1"});
  const auto base = step_of(SampleStep::hour, now_.wall);
  now_.wall = base + 59min;
  sample(base - 1h, ip, 0.5, 80);
  sample(base - 55min, ip, 1, 90);
  sample(base, ip, 0, 70);
  const auto view = good("overview.history", json::object{{"since", 4 * 3600}, {"points", 4}});
  EXPECT_EQ(view.at("step_seconds"), 3600.0);
  const auto& node = view.at("node").as_array();
  ASSERT_EQ(node.size(), 4U);
  EXPECT_EQ(node.at(1).at("whitelisted"), nullptr);  // nobody looked
  EXPECT_EQ(node.at(2).at("connected_mean"), 0.75);
  EXPECT_EQ(node.at(3).at("at"), to_json(base));
  ASSERT_EQ(view.at("masternodes").as_array().size(), 1U);
  const auto& strip = view.at("masternodes").at(0);
  EXPECT_EQ(strip.at("connected"), (json::value{nullptr, nullptr, 0.75, 0.0}));
  EXPECT_EQ(strip.at("score"), (json::value{nullptr, nullptr, 90.0, 70.0}));
}

TEST_F(OverviewMethods, AStepKeepsItsPlaceWhileTimeGoesOn) {
  now_.wall = step_of(SampleStep::hour, now_.wall) + 1min;
  const auto first = good("overview.history");
  now_.wall += 13min;
  const auto second = good("overview.history");
  EXPECT_EQ(first.at("since"), second.at("since"));
  EXPECT_EQ(first.at("node").as_array().size(), 96U);
  now_.wall += 2min;
  EXPECT_NE(good("overview.history").at("since"), first.at("since"));
}

TEST_F(OverviewMethods, NoStepIsShorterThanWhatIsKeptOfItsTime) {
  const auto year =
      good("overview.history", json::object{{"since", 86400.0 * 365}, {"points", 288}});
  EXPECT_EQ(year.at("step_seconds"), 86400.0 * 2);
  EXPECT_EQ(year.at("node").as_array().size(), 183U);
  const auto hour = good("overview.history", json::object{{"since", 3600}, {"points", 288}});
  EXPECT_EQ(hour.at("step_seconds"), 300.0);
  for (const auto& nonsense : {json::object{{"since", 60}}, json::object{{"points", 0}},
                               json::object{{"points", 289}}, json::object{{"since", 3.2e8}}}) {
    EXPECT_EQ(bad("overview.history", nonsense).code, Code::invalid_argument);
  }
}

}  // namespace
}  // namespace timectl::test
