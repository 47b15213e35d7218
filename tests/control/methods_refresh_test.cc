// refresh and whitelist.pending|approve|reject on a file: list, without a node's loop.

#include <fstream>

#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

class RefreshMethods : public MethodsTest {
 protected:
  RefreshMethods() : file_(dir_.path() + "/list.json") {
    config_.discovery.url = "file://" + file_;
  }
  void list(int from, int to) {
    std::string text = "[";
    for (int i = from; i < to; ++i) {
      text += (i == from ? "\"64." : ",\"64.") + std::to_string(i) + ".0.7\"";
    }
    say(text + "]");
  }
  void say(const std::string& text) { std::ofstream(file_, std::ios::trunc) << text; }
  json::value refresh(bool dry_run = false) {
    return good("refresh", json::object{{"dry_run", dry_run}});
  }
  json::value decide(const char* verb, std::initializer_list<const char*> ips) {
    json::array named;
    for (const auto* ip : ips) named.emplace_back(ip);
    return good(std::string("whitelist.") + verb,
                json::object{{"ips", named}, {"all", ips.size() == 0}});
  }
  std::size_t rows(const std::string& action) const {
    const auto all = audit();
    return static_cast<std::size_t>(std::ranges::count(all, action, &store::AuditRow::action));
  }
  std::string file_;
};

std::size_t size(const json::value& reply, const char* key) {
  return reply.at(key).as_array().size();
}

TEST_F(RefreshMethods, AListBecomesEntriesOfTheSourceApiWithARowEach) {
  list(1, 6);
  const auto reply = refresh();
  EXPECT_EQ(size(reply, "added"), 5U);
  EXPECT_EQ(reply.at("held_back"), false);
  EXPECT_TRUE(reply.at("error").is_null());
  EXPECT_EQ(reply.at("url").as_string(), config_.discovery.url);
  ASSERT_EQ(stored().size(), 5U);
  EXPECT_EQ(stored()[0].sources.front().source, Source::api);
  const auto log = audit();
  ASSERT_EQ(log.size(), 5U);
  EXPECT_EQ(log[0].actor, "api");
  EXPECT_EQ(log[0].user, "alice") << "who asked for it";
  EXPECT_EQ(log[0].action, "whitelist.add");
}

TEST_F(RefreshMethods, ADryRunSaysTheSameAndChangesNothing) {
  list(1, 6);
  const auto looked = refresh(true);
  EXPECT_EQ(size(looked, "added"), 5U);
  EXPECT_TRUE(stored().empty());
  EXPECT_TRUE(audit().empty());
  EXPECT_FALSE(store::load_list_memory(*database_)->state.attempted_at);
  EXPECT_EQ(good("refresh.snapshots").as_array().size(), 0U);
}

TEST_F(RefreshMethods, AHeldListWaitsIsRecordedOnceAndComesIntoForceByTheOperator) {
  list(1, 11);
  refresh();
  list(20, 30);
  EXPECT_EQ(refresh().at("held_back"), true);
  now_.wall += 1h;
  EXPECT_EQ(refresh().at("held_back"), true);
  EXPECT_EQ(rows("list.held_back"), 1U);
  EXPECT_EQ(stored().size(), 10U);
  const auto pending = good("whitelist.pending");
  ASSERT_EQ(pending.as_array().size(), 20U);
  for (const auto* key : {"ip", "change", "seen_at", "why"}) {
    EXPECT_TRUE(pending.as_array()[0].as_object().contains(key)) << key;
  }
  decide("approve", {"64.20.0.7"});
  EXPECT_EQ(stored().size(), 11U);
  decide("approve", {});
  EXPECT_EQ(stored().size(), 20U);
  EXPECT_EQ(audit().back().action, "list.approve");
  EXPECT_EQ(audit().back().actor, "operator");
  EXPECT_TRUE(good("whitelist.pending").as_array().empty());
  EXPECT_EQ(refresh().at("held_back"), false);
  const auto lists = good("refresh.snapshots");
  EXPECT_EQ(lists.as_array().size(), 3U) << "accepted, held back, accepted";
}

TEST_F(RefreshMethods, ARejectedListIsHeldBackWithoutWaitingAgain) {
  list(1, 11);
  refresh();
  list(20, 30);
  refresh();
  const auto replies = decide("reject", {});
  EXPECT_EQ(replies.as_array()[0].at("result").as_string(), "rejected");
  EXPECT_EQ(rows("list.reject"), 21U) << "each address, and the list";
  const auto again = refresh();
  EXPECT_EQ(again.at("held_back"), true);
  EXPECT_TRUE(again.at("held_because").as_string().starts_with("this list was rejected"));
  EXPECT_TRUE(good("whitelist.pending").as_array().empty());
}

TEST_F(RefreshMethods, WithApprovalNothingIsTakenByItself) {
  config_.whitelist.api_policy = config::ApiPolicy::approve;
  list(1, 4);
  EXPECT_EQ(size(refresh(), "waiting"), 3U);
  EXPECT_TRUE(stored().empty());
  decide("approve", {"64.2.0.7"});
  decide("reject", {"64.3.0.7"});
  EXPECT_EQ(bad("whitelist.approve", json::object{{"ips", json::array{"64.9.0.7"}}}).code,
            Code::not_found);
  const auto again = refresh();
  EXPECT_EQ(size(again, "kept"), 1U);
  EXPECT_EQ(size(again, "waiting"), 1U);
  EXPECT_EQ(size(again, "refused"), 1U);
  EXPECT_EQ(rows("list.reject"), 1U);
}

TEST_F(RefreshMethods, AFailureIsAReplyThatNamesItsStepAndIsRemembered) {
  say("<html>");
  const auto failed = refresh();
  EXPECT_EQ(failed.at("error").at("step").as_string(), "json");
  EXPECT_EQ(failed.at("error").at("code").as_string(), "FM-A3");
  EXPECT_TRUE(failed.at("accepted_at").is_null());
  const auto state = store::load_list_memory(*database_)->state;
  EXPECT_EQ(state.failures, 1U);
  EXPECT_EQ(state.failed_step, FetchStep::json);
  EXPECT_TRUE(audit().empty()) << "nothing was changed";
  list(1, 3);
  EXPECT_FALSE(refresh().at("accepted_at").is_null());
  EXPECT_EQ(store::load_list_memory(*database_)->state.failures, 0U);
}

// W1, W11: an address leaves with its last source.
TEST_F(RefreshMethods, WhatTheListHoldsStaysWhenTheOperatorTakesItOff) {
  add({"64.1.0.7"}, "mine");
  list(1, 3);
  refresh();
  const auto removed = good("whitelist.remove", json::object{{"ips", json::array{"64.1.0.7"}}});
  EXPECT_EQ(removed.as_array()[0].at("still_by"), json::array{"api"});
  EXPECT_EQ(stored().size(), 2U);
  EXPECT_EQ(good("whitelist.list", json::object{{"source", "api"}}).as_array().size(), 2U);
}

TEST_F(RefreshMethods, WhoMayOnlyReadSeesWhatWaitsAndDecidesNothing) {
  list(1, 3);
  actor_ = {.uid = 4711, .gid = 4242, .user = "bob", .via = "socket", .groups = {4242}};
  EXPECT_TRUE(call("whitelist.pending"));
  for (const auto* method : {"refresh", "whitelist.approve", "whitelist.reject"}) {
    EXPECT_EQ(bad(method).code, Code::access_denied) << method;
  }
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(audit().back().result, "denied");
}

TEST_F(RefreshMethods, OnlyTheListThatWasLookedAtIsDecided) {
  list(1, 11);
  refresh();
  list(20, 30);
  refresh();
  const auto seen = good("whitelist.pending").as_array()[0].at("list");
  list(40, 50);
  refresh();
  const json::object old{{"all", true}, {"list", seen}};
  EXPECT_EQ(bad("whitelist.approve", old).code, Code::busy);
  EXPECT_EQ(stored().size(), 10U);
  const auto now = good("whitelist.pending").as_array()[0].at("list");
  good("whitelist.approve", json::object{{"all", true}, {"list", now}});
  EXPECT_EQ(stored().size(), 20U);
}

TEST_F(RefreshMethods, EitherAddressesOrAllAreDecided) {
  EXPECT_EQ(bad("whitelist.approve").code, Code::invalid_argument);
  EXPECT_EQ(
      bad("whitelist.reject", json::object{{"ips", json::array{"64.1.0.7"}}, {"all", true}}).code,
      Code::invalid_argument);
}

}  // namespace
}  // namespace timectl::test
