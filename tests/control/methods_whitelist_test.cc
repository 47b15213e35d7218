#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using WhitelistMethods = MethodsTest;

std::string result_of(const json::value& replies, std::size_t index) {
  return std::string(replies.at(index).at("result").as_string());
}

TEST_F(WhitelistMethods, AnAddedAddressIsOnDiskInMemoryAndInTheAuditLog) {
  const auto reply = add({"203.0.113.5"}, "our second node");
  EXPECT_EQ(result_of(reply, 0), "added");
  const auto ip = IpAddress::v4(203, 0, 113, 5);
  EXPECT_TRUE(whitelist_.contains(ip));
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_EQ(stored()[0], *whitelist_.find(ip));
  const auto rows = audit();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].action, "whitelist.add");
  EXPECT_EQ(rows[0].subject, "203.0.113.5");
  EXPECT_EQ(rows[0].actor, "operator");
  EXPECT_EQ(rows[0].uid, ::getuid());
  EXPECT_EQ(rows[0].user, "alice");
  EXPECT_EQ(rows[0].via, "socket");
  EXPECT_EQ(rows[0].reason, "our second node");
  EXPECT_EQ(rows[0].result, "added");
}

TEST_F(WhitelistMethods, ALiveConnectionIsPromotedAndDemotedAtOnce) {
  with_node();
  const auto ip = IpAddress::v4(203, 0, 113, 5);
  connect(ip);
  EXPECT_EQ(node_->slots().masternode, 0U);
  add({"203.0.113.5"});
  EXPECT_EQ(node_->slots().masternode, 1U);
  EXPECT_EQ(pumped_, 1);
  EXPECT_TRUE(good("whitelist.list").at(0).at("connected").as_bool());
  good("whitelist.remove", json::object{{"ips", json::array{"203.0.113.5"}}});
  EXPECT_EQ(node_->slots().masternode, 0U);
  EXPECT_EQ(pumped_, 2);
  node_->check_invariants();
}

TEST_F(WhitelistMethods, OneBadAddressChangesNothingAndSaysWhatToTry) {
  const auto error =
      bad("whitelist.add", json::object{{"ips", json::array{"203.0.113.5", "203.0.113.300"}}});
  EXPECT_EQ(error.code, Code::not_an_address);
  EXPECT_FALSE(error.because.empty());
  EXPECT_EQ(error.remedy, std::vector<std::string>{"timectl whitelist add 203.0.113.30"});
  EXPECT_EQ(whitelist_.size(), 0U);
  EXPECT_TRUE(audit().empty());
}

TEST_F(WhitelistMethods, TheTryIsWhatTheOperatorMeant) {
  const std::pair<const char*, const char*> table[] = {
      {"203.0.113.5:24000", "203.0.113.5"},
      {"203.0.113.5/32", "203.0.113.5"},
      {"203.0.113.005", "203.0.113.5"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"fe80::1%eth0", "fe80::1"},
      {" 203.0.113.5", "203.0.113.5"},
      {"[2001:db8::1]:24000", "2001:db8::1"},
  };
  for (const auto& [typed, meant] : table) {
    const auto error = bad("whitelist.add", json::object{{"ips", json::array{typed}}});
    ASSERT_EQ(error.remedy.size(), 1U) << typed;
    EXPECT_EQ(error.remedy[0], std::string("timectl whitelist add ") + meant) << typed;
  }
  EXPECT_TRUE(
      bad("whitelist.add", json::object{{"ips", json::array{"example.org"}}}).remedy.empty());
}

TEST_F(WhitelistMethods, AddingAgainSaysWhatItChanged) {
  EXPECT_EQ(add({"203.0.113.5"}, "first").at(0).at("why").as_string(), "");
  EXPECT_EQ(add({"203.0.113.5"}, "second").at(0).at("why").as_string(),
            "it was there; reason first -> second");
  EXPECT_EQ(add({"203.0.113.5"}, "second").at(0).at("why").as_string(),
            "already whitelisted by manual");
}

TEST_F(WhitelistMethods, TheReasonInTheConfigIsTheReasonOfItsSource) {
  config_.network.whitelisted_peers.emplace_back();
  auto& peer = config_.network.whitelisted_peers.back();
  peer.ip = IpAddress::v4(203, 0, 113, 5);
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  EXPECT_EQ(stored().at(0).sources.at(0).reason, "network.whitelisted_peers");
  peer.reason = "the one in Berlin";
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  EXPECT_EQ(stored().at(0).sources.at(0).reason, "the one in Berlin");
}

TEST_F(WhitelistMethods, TheSameAddressTwiceInOneRequestIsAddedOnce) {
  const auto reply = add({"203.0.113.5", "::ffff:203.0.113.5"});
  EXPECT_EQ(result_of(reply, 0), "added");
  EXPECT_EQ(result_of(reply, 1), "unchanged");
  EXPECT_EQ(audit().size(), 1U);
}

TEST_F(WhitelistMethods, AddingAgainIsUnchangedAndKeepsTheReason) {
  add({"203.0.113.5"}, "first");
  EXPECT_EQ(result_of(add({"203.0.113.5"}), 0), "unchanged");
  EXPECT_EQ(stored()[0].strongest().reason, "first");
  EXPECT_EQ(result_of(add({"203.0.113.5"}, "second"), 0), "added");
  EXPECT_EQ(stored()[0].strongest().reason, "second");
  EXPECT_EQ(audit().size(), 2U);
}

TEST_F(WhitelistMethods, ABlacklistedAddressIsRefusedNamingItsLine) {
  config_.file = "/etc/timectl/timectl.toml";
  config_.network.blacklisted_peers.push_back({IpAddress::v4(203, 0, 113, 5), 12});
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  const auto reply = add({"203.0.113.5", "203.0.113.6"});
  EXPECT_EQ(result_of(reply, 0), "refused");
  EXPECT_NE(reply.at(0).at("why").as_string().find("timectl.toml:12"), std::string::npos);
  EXPECT_EQ(result_of(reply, 1), "added");
  EXPECT_EQ(stored().size(), 1U);
}

TEST_F(WhitelistMethods, TheLimitHoldsWithinOneRequest) {
  json::array many;
  for (int i = 0; i < 101; ++i) many.emplace_back("203.0.113." + std::to_string(i));
  const auto reply = good("whitelist.add", json::object{{"ips", many}});
  EXPECT_EQ(result_of(reply, 99), "added");
  EXPECT_EQ(result_of(reply, 100), "refused");
  EXPECT_EQ(stored().size(), 100U);
}

TEST_F(WhitelistMethods, ADryRunChangesNothing) {
  const auto reply =
      good("whitelist.add", json::object{{"ips", json::array{"203.0.113.5"}}, {"dry_run", true}});
  EXPECT_EQ(result_of(reply, 0), "added");
  EXPECT_EQ(whitelist_.size(), 0U);
  EXPECT_TRUE(audit().empty());
}

TEST_F(WhitelistMethods, RemoveLeavesWhatTheConfigHoldsAndSaysSo) {
  config_.network.whitelisted_peers.push_back(
      {IpAddress::v4(203, 0, 113, 5), "north", {}, false, 3});
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  add({"203.0.113.5"});
  const auto reply = good("whitelist.remove", json::object{{"ips", json::array{"north"}}});
  EXPECT_EQ(result_of(reply, 0), "removed");
  EXPECT_EQ(reply.at(0).at("still_by").at(0), "config");
  EXPECT_TRUE(whitelist_.contains(IpAddress::v4(203, 0, 113, 5)));
  const auto again = good("whitelist.remove", json::object{{"ips", json::array{"north"}}});
  EXPECT_EQ(result_of(again, 0), "unchanged");
}

TEST_F(WhitelistMethods, TheConfigSourceFollowsTheConfigAndIsAuditedAsIt) {
  config_.network.whitelisted_peers.push_back({IpAddress::v4(10, 0, 0, 1), "", {}, false, 3});
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  EXPECT_EQ(audit().size(), 1U) << "the same config again is no change";
  config_.network.whitelisted_peers[0].line = 9;
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  EXPECT_EQ(audit().size(), 1U) << "a moved line is no change";
  config_.network.whitelisted_peers.clear();
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  EXPECT_EQ(whitelist_.size(), 0U);
  ASSERT_EQ(audit().size(), 2U);
  EXPECT_EQ(audit()[1].actor, "config");
  EXPECT_EQ(audit()[1].result, "removed");
  EXPECT_FALSE(audit()[1].uid);
}

TEST_F(WhitelistMethods, ExpiryIsCountedFromNow) {
  good("whitelist.add",
       json::object{{"ips", json::array{"203.0.113.5"}}, {"expires_in", 3600}, {"label", "north"}});
  const auto row = good("whitelist.show", json::object{{"peer", "north"}});
  EXPECT_EQ(row.at("expires_at"), to_json(now_.wall + std::chrono::hours(1)));
  EXPECT_EQ(row.at("connected"), nullptr) << "unknown without a node";
  EXPECT_EQ(row.at("added_by"), "alice");
}

TEST_F(WhitelistMethods, TextsAreCheckedBeforeAnythingIsStored) {
  const json::array one{"203.0.113.5"};
  const json::object bad_ones[] = {
      {{"ips", json::array{}}},
      {{"ips", one}, {"reason", std::string(501, 'r')}},
      {{"ips", one}, {"reason", "two\nlines"}},
      {{"ips", one}, {"reason", "\x1b[31mred"}},
      {{"ips", one}, {"label", "10.0.0.1"}},
      {{"ips", one}, {"label", ""}},
      {{"ips", json::array{"10.0.0.1", "10.0.0.2"}}, {"label", "both"}},
  };
  for (const auto& params : bad_ones) {
    EXPECT_EQ(bad("whitelist.add", params).code, Code::invalid_argument) << json::serialize(params);
  }
  const auto unknown = bad("whitelist.add", json::object{{"ips", one}, {"colour", "red"}});
  EXPECT_EQ(unknown.code, Code::bad_data);
  EXPECT_NE(unknown.message.find("colour"), std::string::npos);
  EXPECT_EQ(whitelist_.size(), 0U);
}

TEST_F(WhitelistMethods, ListFiltersBySource) {
  config_.network.whitelisted_peers.push_back({IpAddress::v4(10, 0, 0, 1), "", {}, false, 3});
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  add({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(good("whitelist.list").as_array().size(), 2U);
  const auto rows = good("whitelist.list", json::object{{"source", "config"}});
  ASSERT_EQ(rows.as_array().size(), 1U);
  EXPECT_EQ(rows.at(0).at("sources").as_array().size(), 2U);
  EXPECT_EQ(bad("whitelist.list", json::object{{"source", "rumour"}}).code, Code::bad_data);
}

}  // namespace
}  // namespace timectl::test
