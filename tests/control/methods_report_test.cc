// report, peer.score, whitelist.suggest and `--at`, with and without a node, of stored samples.
#include <gtest/gtest.h>

#include "daemon/observe/report.h"
#include "store/samples.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

class Reports : public MethodsTest {
 protected:
  static IpAddress ip(std::uint8_t last) { return IpAddress::v4(203, 0, 113, last); }
  // `ago` before now, at the beginning of its step.
  [[nodiscard]] WallTime step(Duration ago) const {
    return step_of(SampleStep::five_minutes,
                   now_.wall - std::chrono::duration_cast<WallTime::duration>(ago));
  }
  [[nodiscard]] NodeSample node_at(WallTime at) const {
    NodeSample node;
    node.at = at;
    node.seconds = 300;
    node.whitelisted = 1;
    node.connected_mean = 1;
    node.connected_min = 1;
    return node;
  }
  [[nodiscard]] PeerSample peer_at(WallTime at, std::uint8_t last) const {
    PeerSample peer;
    peer.ip = ip(last);
    peer.at = at;
    peer.seconds = peer.connected_seconds = peer.whitelisted_seconds = 300;
    peer.pings = 10;
    peer.state = PeerState::connected;
    return peer;
  }
  void put(const std::vector<PeerSample>& peers, const NodeSample& node) {
    const auto stored = store::put_samples(*database_, peers, node, {});
    ASSERT_TRUE(stored) << stored.error().message << stored.error().because;
  }
  // Half an hour is long enough here: six steps with a session, of seven.
  void half_an_hour(std::uint8_t last) {
    config_.whitelist.suggest_after = 30min;
    for (int i = 1; i <= 7; ++i) {
      const auto at = step(i * 5min + 10min);
      auto peer = peer_at(at, last);
      peer.whitelisted_seconds = 0;
      peer.missed_pongs = i == 1 ? 1 : 0;
      if (i == 3) {
        put({}, node_at(at));
      } else {
        put({peer}, node_at(at));
      }
    }
  }
  void score(std::uint8_t last, bool good) {
    Score score;
    const auto& policy = config_.policy.score;
    for (int day = 30; day >= 0; --day) {
      const auto at = now_.wall - std::chrono::hours(24 * day);
      score.note(ScoreEvidence::presence(at, 24h, good ? 0h : 12h), policy);
      score.note(ScoreEvidence::pings(at, 2880, 0), policy);
      for (int i = 0; i < 200; ++i) {
        score.note(ScoreEvidence::round_trip(at, 40), policy);
        score.note(ScoreEvidence::jitter_of(at, 2), policy);
        score.note(ScoreEvidence::behind(at, 0), policy);
      }
    }
    ASSERT_TRUE(
        store::save_scores(*database_, std::vector<store::StoredScore>{{ip(last), score.state()}}));
  }
};

TEST_F(Reports, TheReportIsTheSamplesOfThePeriodAndNoOthers) {
  add({"203.0.113.7"});
  auto recent = peer_at(step(2h), 7);
  recent.missed_pongs = 3;
  recent.disconnects = 1;
  recent.connected_seconds = 240;
  put({recent}, node_at(recent.at));
  auto old = peer_at(step(48h), 7);
  old.missed_pongs = 100;
  put({old}, node_at(old.at));
  for (const bool node : {false, true}) {
    if (node) with_node();
    observe::ReportView view;
    ASSERT_TRUE(from_json(good("report"), view, ""));
    EXPECT_DOUBLE_EQ(view.observed_seconds, 300);
    EXPECT_EQ(view.until - view.since, 24h);
    ASSERT_EQ(view.masternodes.size(), 1U);
    EXPECT_EQ(view.masternodes[0].missed_pongs, 3U);
    EXPECT_EQ(view.masternodes[0].disconnects, 1U);
    EXPECT_DOUBLE_EQ(*view.masternodes[0].uptime_ratio, 0.8);
    const auto week = good("report", json::object{{"since", rfc3339(now_.wall - 24h * 7)}});
    EXPECT_EQ(week.at("masternodes").at(0).at("missed_pongs"), 103);
  }
  EXPECT_EQ(bad("report", json::object{{"since", rfc3339(now_.wall + 1h)}}).code,
            Code::invalid_argument);
}

TEST_F(Reports, WithoutAHistoryEverythingIsUnknown) {
  add({"203.0.113.7"});
  const auto report = good("report");
  for (const auto& target : report.at("targets").as_array()) {
    EXPECT_EQ(target.at("met"), nullptr) << target.at("name");
    EXPECT_EQ(target.at("measured"), nullptr) << target.at("name");
  }
  EXPECT_EQ(report.at("masternodes").at(0).at("uptime_ratio"), nullptr);
}

TEST_F(Reports, ANodeThatHasJustStartedIsNotSaidNotToHaveRun) {
  EXPECT_NE(good("report").at("summary").as_string().find("no node ran"), std::string::npos);
  with_node();
  EXPECT_NE(good("report").at("summary").as_string().find("has just started"), std::string::npos);
}

TEST_F(Reports, WhatReadsMuchRunsBesideTheNodesThread) {
  with_node();
  add({"203.0.113.7"});
  for (const char* name : {"report", "whitelist.suggest"}) {
    EXPECT_TRUE(methods_->handle(name, nullptr, actor_).job) << name;
  }
  EXPECT_TRUE(methods_->handle("peer.score", json::object{{"peer", "203.0.113.7"}}, actor_).job);
  EXPECT_TRUE(
      methods_->handle("status", json::object{{"at", rfc3339(now_.wall - 1h)}}, actor_).job);
}

TEST_F(Reports, TheScoreIsTheStoredOneAndItsPenaltiesAddUp) {
  score(7, false);
  const auto reply = good("peer.score", json::object{{"peer", "203.0.113.7"}});
  double lost = 0;
  for (const auto& part : reply.at("parts").as_array()) {
    lost += part.at("penalty").to_number<double>();
  }
  EXPECT_NEAR(reply.at("score").to_number<double>(), 100 - lost, 1e-9);
  EXPECT_EQ(reply.at("since"), to_json(now_.wall));
  EXPECT_EQ(reply.at("whitelisted"), false);
  EXPECT_EQ(bad("peer.score", json::object{{"peer", "203.0.113.8"}}).code, Code::unknown_peer);
  add({"203.0.113.8"});
  const auto fresh = good("peer.score", json::object{{"peer", "203.0.113.8"}});
  EXPECT_EQ(fresh.at("since"), nullptr);
  EXPECT_EQ(fresh.at("whitelisted"), true);
}

TEST_F(Reports, ARunningNodeAnswersWithItsOwnScore) {
  score(7, true);
  const auto stored = store::load_scores(*database_).value();
  with_node();
  node_->remember_scores({{ip(7), stored.at(0).state}});
  node_->on_chain_misconduct(ip(7), ChainMisconduct::implausible_height, now_);
  now_.mono += 10min;
  now_.wall += 10min;
  node_->look(now_);
  const auto live = good("peer.score", json::object{{"peer", "203.0.113.7"}});
  const double memory = Score(stored.at(0).state).value(config_.policy.score, now_.wall);
  EXPECT_LT(live.at("score").to_number<double>(), memory) << "what is not stored yet counts";
}

TEST_F(Reports, AReliableStrangerIsSuggestedAndNeverAdded) {
  score(9, true);
  half_an_hour(9);
  const auto rows = good("whitelist.suggest");
  ASSERT_EQ(rows.as_array().size(), 1U);
  EXPECT_EQ(rows.at(0).at("ip"), "203.0.113.9");
  EXPECT_NEAR(rows.at(0).at("uptime_ratio").to_number<double>(), 6.0 / 7, 1e-9);
  EXPECT_TRUE(stored().empty()) << "suggested is not added";
  with_node();
  EXPECT_EQ(good("whitelist.suggest"), rows) << "a node says the same";
}

TEST_F(Reports, NobodyIsSuggestedWhoIsWhitelistedBannedBlacklistedNewOrPoor) {
  score(9, true);
  half_an_hour(9);
  add({"203.0.113.9"});
  EXPECT_TRUE(good("whitelist.suggest").as_array().empty()) << "whitelisted";
  good("whitelist.remove", json::object{{"ips", json::array{"203.0.113.9"}}});
  EXPECT_EQ(good("whitelist.suggest").as_array().size(), 1U);
  good("ban.add", json::object{{"ip", "203.0.113.9"}});
  EXPECT_TRUE(good("whitelist.suggest").as_array().empty()) << "banned";
  good("ban.remove", json::object{{"ip", "203.0.113.9"}});
  whitelist_.set_blacklist({{ip(9), "timectl.toml:3"}});
  EXPECT_TRUE(good("whitelist.suggest").as_array().empty()) << "blacklisted";
  whitelist_.set_blacklist({});
  config_.whitelist.suggest_after = 31min;
  EXPECT_TRUE(good("whitelist.suggest").as_array().empty()) << "new";
  config_.whitelist.suggest_after = 30min;
  score(9, false);
  EXPECT_TRUE(good("whitelist.suggest").as_array().empty()) << "poor";
}

TEST_F(Reports, ThePastIsOfTheSessionsAndTheSampleOfThatMoment) {
  add({"203.0.113.7"});
  const auto at = step(3h);
  auto down = peer_at(at, 8);
  down.state = PeerState::backoff;
  down.connected_seconds = 0;
  // Connected later in the step: of the moment itself nothing is known but that it had no session.
  put({peer_at(at, 7), down, peer_at(at, 9)}, node_at(at));
  SessionRecord session;
  session.ip = ip(7);
  session.started_at = at - 1h;
  session.ended_at = at + 2min;
  ASSERT_TRUE(store::append_history(*database_, std::vector{session}, {}));
  for (const bool node : {false, true}) {
    if (node) with_node();
    const auto rows = good("peer.list", json::object{{"at", rfc3339(at + 1min)}});
    ASSERT_EQ(rows.as_array().size(), 3U);
    EXPECT_EQ(rows.at(0).at("state"), "connected");
    EXPECT_EQ(rows.at(1).at("state"), "backoff");
    EXPECT_EQ(rows.at(2).at("state"), nullptr);
    EXPECT_EQ(rows.at(0).at("past").at("sample_at"), to_json(at));
    EXPECT_EQ(rows.at(0).at("past").at("sample_seconds"), 300.0);
    const auto later = good("peer.list", json::object{{"at", rfc3339(at + 3min)}});
    EXPECT_EQ(later.at(0).at("connected_at"), nullptr) << "the session had ended";
    const auto status = good("status", json::object{{"at", rfc3339(at + 3min)}});
    EXPECT_EQ(status.at("verdict"), "critical");
  }
}

TEST_F(Reports, AHoleOfTheHistoryIsNotToldByTheHourAndTheDayAroundIt) {
  const auto day = step_of(SampleStep::day, now_.wall - 48h);
  const auto at = WallTime(day + 12h);
  for (const auto begin : {at, WallTime(at + 40min)}) put({peer_at(begin, 7)}, node_at(begin));
  while (*store::roll_up_samples(*database_, {}, now_.wall) > 0) {
  }
  store::SampleFilter hours;
  hours.step = SampleStep::hour;
  ASSERT_EQ(store::list_node_samples(*database_, hours)->size(), 1U);
  const auto hole = bad("status", json::object{{"at", rfc3339(at + 20min)}});
  EXPECT_EQ(hole.code, Code::not_found);
  EXPECT_NE(hole.because.find("the next one after " + utc_text(at + 40min)), std::string::npos)
      << hole.because;
  const auto seen = good("status", json::object{{"at", rfc3339(at + 1min)}});
  EXPECT_EQ(seen.at("past").at("sample_seconds").to_number<double>(), 300) << "the control";
}

TEST_F(Reports, ThePastSortsAndFiltersAsThePresentDoes) {
  const auto at = step(3h);
  auto slow = peer_at(at, 7);
  slow.rtt_ms_mean = 90;
  slow.rtt_ms_min = slow.rtt_ms_max = 90;
  slow.round_trips = 1;
  auto fast = slow;
  fast.ip = ip(8);
  fast.rtt_ms_mean = fast.rtt_ms_min = fast.rtt_ms_max = 9;
  fast.whitelisted_seconds = 0;
  put({slow, fast}, node_at(at));
  const auto when = rfc3339(at);
  const auto sorted = good("peer.list", json::object{{"at", when}, {"sort", "rtt_ms"}});
  EXPECT_EQ(sorted.at(0).at("ip"), "203.0.113.8");
  const auto ours = good("peer.list", json::object{{"at", when}, {"whitelisted", true}});
  ASSERT_EQ(ours.as_array().size(), 1U);
  EXPECT_EQ(ours.at(0).at("ip"), "203.0.113.7");
  for (const char* key : {"banned", "registry"}) {
    EXPECT_EQ(bad("peer.list", json::object{{"at", when}, {key, true}}).code,
              Code::invalid_argument);
  }
  EXPECT_EQ(bad("peer.list", json::object{{"at", when}, {"sort", "beauty"}}).code,
            Code::invalid_argument);
}

TEST_F(Reports, ATimeOutsideTheHistoryIsSaidToBeSo) {
  EXPECT_EQ(bad("status", json::object{{"at", rfc3339(now_.wall - 1h)}}).code, Code::not_found);
  put({}, node_at(step(5h)));
  put({}, node_at(step(1h)));
  const auto before = bad("status", json::object{{"at", rfc3339(now_.wall - 9h)}});
  EXPECT_EQ(before.code, Code::not_found);
  EXPECT_NE(before.because.find("the history begins at " + utc_text(step(5h))), std::string::npos)
      << before.because;
  const auto gap = bad("status", json::object{{"at", rfc3339(now_.wall - 3h)}});
  EXPECT_NE(gap.because.find(utc_text(step(5h))), std::string::npos) << gap.because;
  EXPECT_NE(gap.because.find(utc_text(step(1h))), std::string::npos) << gap.because;
  EXPECT_EQ(bad("status", json::object{{"at", rfc3339(now_.wall + 1s)}}).code,
            Code::invalid_argument);
}

}  // namespace
}  // namespace timectl::test
