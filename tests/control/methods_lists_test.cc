#include <random>

#include "config/whitelist_file.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

class ListMethods : public MethodsTest {
 protected:
  json::object request(const json::array& entries, bool replace = false, bool dry_run = false) {
    return {{"entries", entries}, {"replace", replace}, {"dry_run", dry_run}};
  }
  json::value import(const json::array& entries, bool replace = false, bool dry_run = false) {
    return good("whitelist.import", request(entries, replace, dry_run));
  }
  static json::object entry(const char* ip, const char* label = "") {
    return {{"ip", ip}, {"label", label}};
  }
  void configure(const IpAddress& ip, const std::string& label) {
    config::WhitelistedPeer peer;
    peer.ip = ip;
    peer.label = label;
    peer.trusts_us = true;
    config_.network.whitelisted_peers.push_back(peer);
  }
  // What `timectl whitelist export` asks for and writes.
  std::vector<ListedPeer> exported() {
    std::vector<ListedPeer> peers;
    const auto rows = good("whitelist.list", json::object{{"source", "manual"}});
    for (const auto& value : rows.as_array()) {
      control::WhitelistRow row;
      EXPECT_TRUE(from_json(value, row, ""));
      peers.push_back(
          {row.ip, row.label, row.own_liveness, row.trusts_us, row.reason, row.expires_at});
    }
    return peers;
  }
};

std::uint64_t count(const json::value& reply, const char* key) {
  return reply.at(key).to_number<std::uint64_t>();
}

TEST_F(ListMethods, AListIsOneTransactionWithARowForEachChange) {
  add({"203.0.113.5"}, "mine");
  const auto reply = import({json::object{{"ip", "203.0.113.5"}, {"label", "berlin"}},
                             json::object{{"ip", "203.0.113.6"}, {"reason", "from the list"}},
                             json::object{{"ip", "203.0.113.7"}}});
  EXPECT_TRUE(reply.at("applied").as_bool());
  EXPECT_EQ(count(reply, "added"), 2U);
  EXPECT_EQ(count(reply, "changed"), 1U);
  EXPECT_EQ(
      reply.at("rows").at(0).at("changes"),
      (json::array{json::object{{"field", "label"}, {"before", nullptr}, {"after", "berlin"}}}));
  EXPECT_EQ(stored().size(), 3U);
  for (const auto& row : stored()) EXPECT_EQ(row, *whitelist_.find(row.ip));
  const auto rows = audit();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[1].reason, "mine");
  EXPECT_EQ(rows[2].reason, "from the list");
  EXPECT_EQ(rows[3].reason, "imported");
  EXPECT_EQ(rows[3].user, "alice");
  EXPECT_EQ(rows[3].result, "added");
}

TEST_F(ListMethods, ADryRunSaysTheSameAndChangesNothing) {
  const auto dry = import({entry("203.0.113.5")}, false, true);
  EXPECT_FALSE(dry.at("applied").as_bool());
  EXPECT_EQ(count(dry, "added"), 1U);
  EXPECT_EQ(whitelist_.size(), 0U);
  EXPECT_TRUE(audit().empty());
  EXPECT_EQ(import({entry("203.0.113.5")}).at("plan"), dry.at("plan"));
}

TEST_F(ListMethods, OneRefusedEntryKeepsAllOut) {
  whitelist_.set_blacklist({{IpAddress::v4(203, 0, 113, 6), "timectl.toml:7"}});
  add({"203.0.113.9"});
  const auto reply = import({entry("203.0.113.5"), entry("203.0.113.6")}, true);
  EXPECT_FALSE(reply.at("applied").as_bool());
  EXPECT_EQ(count(reply, "refused"), 1U);
  EXPECT_EQ(count(reply, "removed"), 1U);
  EXPECT_EQ(stored().size(), 1U);
  EXPECT_TRUE(whitelist_.contains(IpAddress::v4(203, 0, 113, 9)));
  EXPECT_EQ(audit().size(), 1U);
}

TEST_F(ListMethods, WithoutAChangeNothingIsWritten) {
  add({"203.0.113.5"});
  const auto reply = import({entry("203.0.113.5")});
  EXPECT_TRUE(reply.at("applied").as_bool());
  EXPECT_EQ(count(reply, "unchanged"), 1U);
  EXPECT_EQ(audit().size(), 1U);
}

TEST_F(ListMethods, AReplacementSaysWhoHoldsARemovedAddressStill) {
  configure(IpAddress::v4(203, 0, 113, 5), "");
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  add({"203.0.113.5", "203.0.113.6"});
  const auto reply = import({entry("203.0.113.7")}, true);
  EXPECT_EQ(count(reply, "removed"), 2U);
  EXPECT_EQ(reply.at("rows").at(0).at("still_by"), json::array{"config"});
  EXPECT_EQ(reply.at("rows").at(1).at("still_by"), json::array{});
  EXPECT_TRUE(whitelist_.contains(IpAddress::v4(203, 0, 113, 5)));
  EXPECT_EQ(audit().back().reason, "imported");
  EXPECT_EQ(audit()[audit().size() - 2].reason, "not in the imported list");
}

TEST_F(ListMethods, AnEmptyListNeverEmptiesTheWhitelist) {
  EXPECT_TRUE(import({}, true).at("applied").as_bool()) << "there is nothing to lose";
  add({"203.0.113.5"});
  EXPECT_EQ(bad("whitelist.import", request({}, true)).code, Code::list_refused);
  EXPECT_EQ(whitelist_.size(), 1U);
  EXPECT_TRUE(import({}).at("applied").as_bool());
}

TEST_F(ListMethods, WhatWasShownIsWhatIsApplied) {
  auto apply = request({entry("203.0.113.5", "berlin")});
  apply["plan"] = import({entry("203.0.113.5", "berlin")}, false, true).at("plan");
  add({"203.0.113.5"});
  EXPECT_EQ(bad("whitelist.import", apply).code, Code::busy);
  EXPECT_EQ(whitelist_.find(IpAddress::v4(203, 0, 113, 5))->label, "");
  apply["plan"] = import({entry("203.0.113.5", "berlin")}, false, true).at("plan");
  EXPECT_TRUE(good("whitelist.import", apply).at("applied").as_bool());
}

TEST_F(ListMethods, LiveConnectionsArePromotedAndDemotedAtOnce) {
  with_node();
  const auto ip = IpAddress::v4(203, 0, 113, 5);
  connect(ip);
  EXPECT_EQ(node_->slots().masternode, 0U);
  import({entry("203.0.113.5")});
  EXPECT_EQ(node_->slots().masternode, 1U);
  import({entry("203.0.113.6")}, true);
  EXPECT_EQ(node_->slots().masternode, 0U);
  EXPECT_EQ(pumped_, 2);
}

TEST_F(ListMethods, HostileRequestsAreRefusedWhole) {
  EXPECT_EQ(
      bad("whitelist.import", request({entry("203.0.113.5"), entry("203.0.113.6", "a\x1b[2J")}))
          .code,
      Code::invalid_argument);
  EXPECT_EQ(bad("whitelist.import", request({entry("203.0.113.5"), entry("203.0.113.300")})).code,
            Code::not_an_address);
  json::array many;
  for (std::size_t i = 0; i <= kMostListed; ++i) many.push_back(entry("203.0.113.5"));
  EXPECT_EQ(bad("whitelist.import", request(many)).code, Code::too_large);
  EXPECT_EQ(whitelist_.size(), 0U);
}

TEST_F(ListMethods, ReadersMayNotImport) {
  actor_.uid = 4711;
  actor_.gid = 4242;
  EXPECT_EQ(bad("whitelist.import", request({entry("203.0.113.5")})).code, Code::access_denied);
  ASSERT_EQ(audit().size(), 1U);
  EXPECT_EQ(audit()[0].action, "whitelist.import");
  EXPECT_EQ(audit()[0].result, "denied");
}

// The promise of docs/whitelist.md: with --replace, export and import are inverse.
TEST_F(ListMethods, ExportAndReplacingImportAreTheIdentity) {
  using config::ListFormat;
  configure(IpAddress::v4(10, 0, 0, 3), "ours");
  ASSERT_TRUE(sync_config_whitelist(methods_->services()));
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    const auto random_list = [&] {
      json::array list;
      for (std::uint32_t host = 1; host <= 30; ++host) {
        if (random() % 2 == 0) continue;
        json::object one{{"ip", "10.0.0." + std::to_string(host)}};
        if (random() % 2 == 0) one["label"] = "n \"" + std::to_string(host) + "\\";
        if (random() % 2 == 0) one["reason"] = "why # " + std::to_string(random() % 9);
        if (random() % 3 == 0) one["liveness"] = "lenient";
        if (random() % 3 == 0) one["trusts_us"] = true;
        if (random() % 3 == 0) one["expires_at"] = rfc3339(now_.wall + std::chrono::hours(1));
        list.push_back(std::move(one));
      }
      return list;
    };
    (void)import(random_list());
    const auto saved = exported();
    for (const auto format : {ListFormat::text, ListFormat::json, ListFormat::toml}) {
      const auto list = config::read_list(config::write_list(saved, format), "list");
      ASSERT_EQ(list.problem_count, 0U);
      const auto before = whitelist_.entries();
      const auto same = import(config::list_json(list.peers), true);
      ASSERT_TRUE(same.at("applied").as_bool()) << seed << json::serialize(same);
      EXPECT_EQ(count(same, "unchanged"), saved.size()) << seed << json::serialize(same);
      EXPECT_EQ(whitelist_.entries(), before) << "seed " << seed;
      // And back again from another list.
      (void)import(random_list(), true);
      const auto back = import(config::list_json(list.peers), true);
      ASSERT_TRUE(back.at("applied").as_bool()) << seed << json::serialize(back);
      EXPECT_EQ(exported(), saved) << "seed " << seed;
    }
  }
  EXPECT_TRUE(good("audit.verify").at("ok").as_bool());
}

}  // namespace
}  // namespace timectl::test
