#include "store/ban_table.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

const auto kStranger = IpAddress::v4(203, 0, 113, 66);

class BanMethods : public MethodsTest {
 protected:
  json::value ban(const char* ip, std::optional<double> seconds = {}) {
    json::object request{{"ip", ip}, {"reason", "spam"}};
    if (seconds) request["lasts"] = *seconds;
    return good("ban.add", request);
  }
  json::value lift(const char* ip) { return good("ban.remove", json::object{{"ip", ip}}); }
  json::value why(const char* ip) { return good("ban.why", json::object{{"peer", ip}}); }
  [[nodiscard]] std::size_t rows() { return store::load_bans(*database_).value().size(); }
  void violate(int times) {
    for (int i = 0; i < times; ++i) {
      (void)bans_.violation(kStranger, ViolationKind::flood, Standing::stranger,
                            config_.policy.bans, now_);
    }
  }
};

TEST_F(BanMethods, ABanIsOnDiskAuditedAndHoldsAtOnceForALiveConnection) {
  with_node();
  connect(kStranger);
  const auto reply = ban("203.0.113.66", 3600);
  EXPECT_EQ(reply.at(0).at("result"), "added");
  EXPECT_EQ(reply.at(0).at("origin"), "operator");
  EXPECT_FALSE(node_->connected(kStranger));
  EXPECT_EQ(pumped_, 1);
  EXPECT_EQ(rows(), 1U);
  ASSERT_EQ(audit().size(), 1U);
  EXPECT_EQ(audit()[0].action, "ban.add");
  EXPECT_EQ(audit()[0].user, "alice");
  EXPECT_FALSE(good("slots.check", json::object{{"peer", "203.0.113.66"}}).at("accept").as_bool());
  EXPECT_EQ(lift("203.0.113.66").at(0).at("result"), "removed");
  EXPECT_TRUE(good("slots.check", json::object{{"peer", "203.0.113.66"}}).at("accept").as_bool());
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(audit().size(), 2U);
  node_->check_invariants();
}

TEST_F(BanMethods, WithoutANodeTheSameIsSaidAndStored) {
  ban("203.0.113.66");
  const auto list = good("ban.list");
  ASSERT_EQ(list.as_array().size(), 1U);
  EXPECT_EQ(list.at(0).at("origin"), "operator");
  EXPECT_TRUE(list.at(0).at("until").is_null());
  EXPECT_FALSE(list.at(0).at("exempt").as_bool());
  const auto told = why("203.0.113.66");
  EXPECT_TRUE(told.at("banned").as_bool());
  EXPECT_TRUE(told.at("score").is_null()) << "unknown, not 0";
}

TEST_F(BanMethods, AddingAndRemovingTwiceIsUnchangedAndWritesNothing) {
  EXPECT_EQ(lift("203.0.113.66").at(0).at("result"), "unchanged");
  ban("203.0.113.66");
  EXPECT_EQ(ban("203.0.113.66").at(0).at("result"), "unchanged");
  EXPECT_EQ(audit().size(), 1U);
}

TEST_F(BanMethods, AWhitelistedAddressIsRefusedUntilItIsRemoved) {
  add({"203.0.113.66"});
  const auto error = bad("ban.add", json::object{{"ip", "203.0.113.66"}});
  EXPECT_EQ(error.code, Code::whitelisted);
  EXPECT_NE(error.because.find("manual"), std::string::npos);
  EXPECT_EQ(rows(), 0U);
  good("whitelist.remove", json::object{{"ips", json::array{"203.0.113.66"}}});
  EXPECT_EQ(ban("203.0.113.66").at(0).at("result"), "added");
}

TEST_F(BanMethods, AStoredBanIsExemptWhileWhitelisted) {
  ban("203.0.113.66");
  add({"203.0.113.66"});
  EXPECT_TRUE(good("ban.list").at(0).at("exempt").as_bool());
  auto told = why("203.0.113.66");
  EXPECT_FALSE(told.at("banned").as_bool());
  EXPECT_TRUE(told.at("immune").as_bool());
  config_.policy.whitelist.ban_immunity = BanImmunity::timeouts;
  EXPECT_FALSE(good("ban.list").at(0).at("exempt").as_bool());
  EXPECT_TRUE(why("203.0.113.66").at("banned").as_bool());
}

TEST_F(BanMethods, TheConfigsBanIsShownAndOnlyTheFileLiftsIt) {
  whitelist_.set_blacklist({{kStranger, "timectl.toml:7"}});
  EXPECT_EQ(good("ban.list").at(0).at("origin"), "config");
  EXPECT_EQ(ban("203.0.113.66").at(0).at("result"), "unchanged");
  const auto error = bad("ban.remove", json::object{{"ip", "203.0.113.66"}});
  EXPECT_EQ(error.code, Code::config_holds);
  EXPECT_NE(error.because.find("timectl.toml:7"), std::string::npos);
  EXPECT_EQ(
      good("whitelist.add", json::object{{"ips", json::array{"203.0.113.66"}}}).at(0).at("result"),
      "refused");
}

TEST_F(BanMethods, WhyTellsScoreCountsAndTheNextRungAlsoOfWhoIsNotBanned) {
  with_node();
  violate(1);
  auto told = why("203.0.113.66");
  EXPECT_FALSE(told.at("banned").as_bool());
  EXPECT_EQ(told.at("score").to_number<double>(), 5);
  EXPECT_EQ(told.at("violations").at(0).at("kind"), "flood");
  EXPECT_EQ(told.at("next_ban").to_number<double>(), 300);
  violate(1);
  told = why("203.0.113.66");
  EXPECT_TRUE(told.at("banned").as_bool());
  EXPECT_EQ(told.at("bans").at(0).at("origin"), "automatic");
  EXPECT_EQ(told.at("next_ban").to_number<double>(), 3600);
  EXPECT_EQ(lift("203.0.113.66").at(0).at("origin"), "automatic");
  EXPECT_EQ(why("203.0.113.66").at("score").to_number<double>(), 0);
  EXPECT_EQ(audit().back().action, "ban.remove");
}

TEST_F(BanMethods, OurOwnAddressAndNonsenseAreRefused) {
  config_.node.external_address = IpAddress::v4(203, 0, 113, 1);
  EXPECT_EQ(bad("ban.add", json::object{{"ip", "203.0.113.1"}}).code, Code::invalid_argument);
  EXPECT_EQ(bad("ban.add", json::object{{"ip", "203.0.113.0/24"}}).code, Code::not_an_address);
  EXPECT_EQ(bad("ban.add", json::object{{"ip", "0.0.0.0"}}).code, Code::invalid_argument);
  EXPECT_EQ(bad("ban.add", json::object{{"ip", "203.0.113.2"}, {"reason", "a\nb"}}).code,
            Code::invalid_argument);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(BanMethods, ThePeersThatAreBannedCanBeListed) {
  with_node();
  connect(IpAddress::v4(203, 0, 113, 5));
  ban("203.0.113.66");
  const auto peers = good("peer.list", json::object{{"banned", true}});
  ASSERT_EQ(peers.as_array().size(), 1U);
  EXPECT_EQ(peers.at(0).at("ip"), "203.0.113.66");
}

TEST_F(BanMethods, ReadersMayAskAndNotChange) {
  actor_.uid = 5;
  actor_.gid = 4242;
  actor_.user = "bob";
  good("ban.list");
  why("203.0.113.66");
  EXPECT_EQ(bad("ban.add", json::object{{"ip", "203.0.113.66"}}).code, Code::access_denied);
  EXPECT_EQ(bad("ban.remove", json::object{{"ip", "203.0.113.66"}}).code, Code::access_denied);
}

}  // namespace
}  // namespace timectl::test
