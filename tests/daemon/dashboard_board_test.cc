#include "daemon/dashboard_board.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using control::OverviewReply;
using namespace std::chrono_literals;

const IpAddress kOne = IpAddress::v4(192, 0, 2, 1);
const IpAddress kTwo = IpAddress::v4(192, 0, 2, 2);

control::MasternodeRow masternode(const IpAddress& ip) {
  control::MasternodeRow row;
  row.ip = ip;
  return row;
}

struct DashboardBoard : testing::Test {
  void SetUp() override {
    overview.at = WallTime{} + std::chrono::hours(1);
    overview.masternodes = {masternode(kOne), masternode(kTwo)};
    overview.status.node.uptime_seconds = 1.0;
    control::AlertRow alert;
    alert.rule = AlertRule::masternode_down;
    alert.object = kTwo.to_string();
    overview.alerts = {alert};
  }
  // How many items a look changed.
  std::uint64_t show() {
    const auto before = board.version();
    show_overview(board, overview);
    return board.version() - before;
  }
  [[nodiscard]] json::value at(const std::string& key) const {
    const auto text = board.value(key);
    return text ? json::parse(*text) : json::value();
  }
  web::Board board;
  OverviewReply overview;
};

TEST_F(DashboardBoard, AnOverviewIsItsParts) {
  EXPECT_EQ(show(), 4U);
  EXPECT_EQ(board.keys(""),
            (std::vector<std::string>{"alert/masternode_down/192.0.2.2", "masternode/192.0.2.1",
                                      "masternode/192.0.2.2", "status"}));
  const auto status = at("status");
  EXPECT_TRUE(status.as_object().contains("masternodes_left_out"));
  EXPECT_TRUE(status.at("status").as_object().contains("verdict"));
  EXPECT_FALSE(status.as_object().contains("masternodes"));
  EXPECT_FALSE(status.as_object().contains("alerts"));
  EXPECT_EQ(at("masternode/192.0.2.1"), to_json(masternode(kOne)));
}

TEST_F(DashboardBoard, TimeThatGoesOnIsNoChange) {
  (void)show();
  const auto before = at("status").at("at");
  overview.at += 5s;
  *overview.status.node.uptime_seconds += 5;
  EXPECT_EQ(show(), 0U);
  EXPECT_EQ(at("status").at("at"), before);
  overview.peers.known = 7;
  EXPECT_EQ(show(), 1U);
  EXPECT_NE(at("status").at("at"), before) << "with a change the time is told, too";
}

TEST_F(DashboardBoard, OnlyWhatChangedIsToldAndWhatIsGoneIsDropped) {
  (void)show();
  overview.masternodes[0].attempts = 3;
  EXPECT_EQ(show(), 1U);
  overview.alerts.clear();
  overview.masternodes.pop_back();
  EXPECT_EQ(show(), 2U);
  EXPECT_EQ(board.keys(""), (std::vector<std::string>{"masternode/192.0.2.1", "status"}));
}

TEST_F(DashboardBoard, TheNewestHundredEventsStay) {
  std::vector<ShownEvent> events;
  for (std::uint64_t i = 1; i <= 150; ++i) events.push_back({i * 7, "1"});
  show_events(board, events, false);
  auto keys = board.keys("event/");
  ASSERT_EQ(keys.size(), kShownEvents);
  EXPECT_EQ(keys.front(), "event/00000000000000000357");
  EXPECT_EQ(keys.back(), "event/00000000000000001050");
  show_events(board, {{1051, "2"}}, false);
  keys = board.keys("event/");
  EXPECT_EQ(keys.size(), kShownEvents);
  EXPECT_EQ(keys.back(), "event/00000000000000001051");
  show_events(board, {{2000, "3"}}, true);
  EXPECT_EQ(board.keys("event/"), (std::vector<std::string>{"event/00000000000000002000"}));
}

}  // namespace
}  // namespace timectl
