#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

const auto kPeer = IpAddress::v4(203, 0, 113, 5);

class VerifyMethod : public MethodsTest {
 protected:
  json::value verify(const char* peer = "203.0.113.5") {
    const auto rows = good("whitelist.verify", json::object{{"peer", peer}});
    EXPECT_EQ(rows.as_array().size(), 1U);
    return rows.at(0);
  }
  static json::value fact(const json::value& row, std::string_view name) {
    for (const auto& f : row.at("facts").as_array()) {
      if (f.at("name").as_string() == name) return f.at("ok");
    }
    return "no such fact";
  }
  void lost(EndReason reason, std::uint64_t missed) {
    SessionRecord session;
    session.ip = kPeer;
    session.whitelisted = true;
    session.started_at = session.ended_at = now_.wall;
    session.end_reason = reason;
    session.missed_pongs = missed;
    ASSERT_TRUE(store::append_history(*database_, std::vector{session}, {}));
  }
};

TEST_F(VerifyMethod, AConnectedMasternodesProtectionIsEnforced) {
  with_node();
  add({"203.0.113.5"});
  connect(kPeer);
  const auto row = verify();
  EXPECT_EQ(row.at("verdict"), "enforced") << json::serialize(row);
  lost(EndReason::closed_by_peer, 0);
  EXPECT_EQ(verify().at("verdict"), "enforced") << "it came back";
  lost(EndReason::unresponsive, 3);
  EXPECT_EQ(verify().at("verdict"), "broken") << "cut by the rules of regular peers";
}

TEST_F(VerifyMethod, WithoutANodeItIsUnprovenAndSaysWhatIsUnknown) {
  add({"203.0.113.5"});
  const auto row = verify();
  EXPECT_EQ(row.at("verdict"), "unproven");
  EXPECT_EQ(fact(row, "declared"), true);
  EXPECT_EQ(fact(row, "not_banned"), true);
  EXPECT_TRUE(fact(row, "connected").is_null());
  EXPECT_TRUE(fact(row, "applied").is_null());
}

TEST_F(VerifyMethod, WhoIsNotWhitelistedIsBroken) {
  const auto row = verify("203.0.113.9");
  EXPECT_EQ(row.at("verdict"), "broken");
  EXPECT_EQ(fact(row, "declared"), false);
}

TEST_F(VerifyMethod, AnEntryThatIsOnlyInMemoryIsBroken) {
  AddRequest request;
  request.ip = kPeer;
  whitelist_.put(whitelist_.plan_add(request));
  EXPECT_EQ(fact(verify(), "declared"), false);
}

TEST_F(VerifyMethod, TheConfigsEntriesAreLookedUpInTheConfig) {
  config_.network.whitelisted_peers.push_back({kPeer, "", {}, false, 3});
  AddRequest request;
  request.ip = kPeer;
  request.source.source = Source::config;
  whitelist_.put(whitelist_.plan_add(request));
  EXPECT_EQ(fact(verify(), "declared"), true);
}

TEST_F(VerifyMethod, ABanThatHoldsBreaksIt) {
  with_node();
  good("ban.add", json::object{{"ip", "203.0.113.5"}});
  add({"203.0.113.5"});
  EXPECT_EQ(fact(verify(), "not_banned"), true) << "exempt";
  config_.policy.whitelist.ban_immunity = BanImmunity::timeouts;
  const auto row = verify();
  EXPECT_EQ(fact(row, "not_banned"), false);
  EXPECT_EQ(row.at("verdict"), "broken");
}

TEST_F(VerifyMethod, AllOfThemAreVerifiedWhereNoneIsNamed) {
  add({"203.0.113.5", "203.0.113.6"});
  EXPECT_EQ(good("whitelist.verify").as_array().size(), 2U);
}

}  // namespace
}  // namespace timectl::test
