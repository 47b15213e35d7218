// The list from outside in a real node and in commands without one, against an HTTPS server with
// an authority of its own (requirements W, D; faults FT-A; scenarios T54, T55, T58).

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "tests/e2e/list_server.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
using testing::CertificateWish;

std::set<std::string> whitelisted(const NodeProcess& node) {
  std::set<std::string> ips;
  const auto rows = node.query({"whitelist", "list"});
  for (const auto& row : rows.as_array()) ips.emplace(row.at("ip").as_string());
  return ips;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(DiscoveryOfANode, AServerThatHangsDelaysNeitherTheStartNorTheStop) {
  Sandbox sandbox;
  ListServer list("");
  NodeProcess node(sandbox, "127.31.0.2", discovery(sandbox, list.server().url()));
  EXPECT_LT(elapsed([&] { node.start(); }), 5s);
  ASSERT_TRUE(list.server().wait_for_requests(1));
  EXPECT_EQ(node.query({"status"}).at("node").at("running").as_bool(), true);
  const auto took = elapsed([&] {
    node.signal(SIGTERM);
    EXPECT_EQ(node.wait_exit(), 0);
  });
  EXPECT_LT(took, 5s);
}

// R5, W9: each address is logged, and an open connection is promoted at once.
TEST(DiscoveryOfANode, WhatTheListNamesIsLoggedAndProtectedAtOnce) {
  Sandbox sandbox;
  ListServer list(answer("503 Service Unavailable", "", "later"));
  NodeProcess node(sandbox, "127.31.1.2", discovery(sandbox, list.server().url()));
  NodeProcess peer(sandbox, "127.31.1.9", "whitelisted_peers = [\"127.31.1.2\"]\n");
  node.start();
  peer.start();
  ASSERT_TRUE(wait_for([&] { return node.connected_to("127.31.1.9"); }, 10s)) << node.log();
  EXPECT_EQ(node.query({"slots"}).at("regular").to_number<int>(), 1);
  ASSERT_TRUE(wait_for([&] { return count(node.log(), "could not be had: status: ") == 1; }, 10s))
      << node.log();

  list.say(list_answer(R"(["127.31.1.9", {"ip": "127.31.1.7"}, "seed1"])"));
  const auto done = refresh(node);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.data().at("added").as_array().size(), 2U);
  EXPECT_EQ(done.data().at("refused").as_array().size(), 1U);
  const auto log = node.log();
  EXPECT_EQ(count(log, "Whitelisted masternode from time-coin.io: 127.31.1.9\n"), 1U) << log;
  EXPECT_EQ(count(log, "Whitelisted masternode from time-coin.io: 127.31.1.7\n"), 1U);
  EXPECT_EQ(count(log, "Marked 127.31.1.9 as whitelisted masternode with enhanced protection"), 1U);
  EXPECT_EQ(count(log, "The list of masternodes is back"), 1U);
  const auto slots = node.query({"slots"});
  EXPECT_EQ(slots.at("masternode").to_number<int>(), 1) << slots;
  EXPECT_EQ(slots.at("regular").to_number<int>(), 0);
}

// W2: what the last good list named is protected before the network is there.
TEST(DiscoveryOfANode, TheLastGoodListHoldsOverARestartWithoutTheNetwork) {
  Sandbox sandbox;
  ListServer list(list_answer(list_of("127.31.2", 10, 15)));
  NodeProcess node(sandbox, "127.31.2.2", discovery(sandbox, list.server().url()));
  node.start();
  ASSERT_TRUE(wait_for([&] { return whitelisted(node).size() == 5; }, 10s)) << node.log();
  node.kill9();
  list.say(answer("500 Internal Server Error", "", ""));
  node.start();
  EXPECT_EQ(whitelisted(node).size(), 5U);
  const auto failed = refresh(node);
  EXPECT_EQ(failed.status, 1);
  EXPECT_EQ(failed.data().at("error").at("step").as_string(), "status");
  EXPECT_EQ(whitelisted(node).size(), 5U);
}

TEST(DiscoveryOfANode, AListThatIsUnchangedIsNotSentAgain) {
  Sandbox sandbox;
  ListServer list(list_answer(list_of("127.31.3", 10, 15), "ETag: \"v1\"\r\n"));
  NodeProcess node(sandbox, "127.31.3.2", discovery(sandbox, list.server().url()));
  EXPECT_EQ(refresh(node).status, 0);
  list.say("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
  const auto again = refresh(node);
  EXPECT_EQ(again.status, 0) << again.out << again.err;
  EXPECT_TRUE(again.data().at("not_modified").as_bool());
  EXPECT_EQ(again.data().at("kept").as_array().size(), 5U);
  EXPECT_NE(list.server().requests().at(1).find("If-None-Match: \"v1\""), std::string::npos);
}

// FT-A12, T58: a compromised or broken API neither empties nor floods the whitelist.
TEST(DiscoveryOfANode, AListThatJumpsWaitsForTheOperator) {
  Sandbox sandbox;
  ListServer list(list_answer(list_of("127.31.4", 10, 33)));
  NodeProcess node(sandbox, "127.31.4.2", discovery(sandbox, list.server().url()));
  node.start();
  ASSERT_TRUE(wait_for([&] { return whitelisted(node).size() == 23; }, 10s)) << node.log();
  list.say(list_answer(list_of("127.31.5", 10, 90)));
  const auto held = refresh(node);
  EXPECT_EQ(held.status, 80);
  EXPECT_TRUE(held.data().at("held_back").as_bool());
  EXPECT_EQ(whitelisted(node).size(), 23U);
  EXPECT_EQ(node.query({"whitelist", "pending"}).as_array().size(), 80U + 23U);
  EXPECT_EQ(refresh(node).status, 80);
  EXPECT_EQ(count(node.log(), "The list of masternodes is held back"), 1U) << "said once";
  EXPECT_NE(json::serialize(node.query({"status"}).at("alerts")).find("held back"),
            std::string::npos);

  EXPECT_EQ(node.timectl({"whitelist", "approve", "127.31.5.10"}).status, 0);
  EXPECT_TRUE(whitelisted(node).contains("127.31.5.10"));
  EXPECT_EQ(count(node.log(), "Whitelisted masternode from time-coin.io: 127.31.5.10\n"), 1U);
  EXPECT_EQ(node.timectl({"whitelist", "approve", "--all"}).status, 0);
  EXPECT_EQ(whitelisted(node).size(), 23U + 80U) << "the missing ones stay protected";
  EXPECT_EQ(refresh(node).status, 0);
  const auto verdict = node.query({"audit", "verify"});
  EXPECT_TRUE(verdict.at("ok").as_bool()) << verdict;
}

TEST(DiscoveryOfANode, SeveralWhoAskAtOnceAreAllAnswered) {
  Sandbox sandbox;
  ListServer list(list_answer(list_of("127.31.6", 10, 15)));
  NodeProcess node(sandbox, "127.31.6.2", discovery(sandbox, list.server().url()));
  node.start();
  const auto script = "for i in 1 2 3 4 5 6; do \"$@\" & done; wait";
  std::vector<std::string> words{"sh", "-c", script, "sh"};
  for (auto& word : node.command({"--json", "refresh"})) words.push_back(word);
  const auto all = run(words);
  EXPECT_EQ(count(all.out, "\"schema\":\"timectl.refresh/1\""), 6U) << all.out << all.err;
  EXPECT_EQ(whitelisted(node).size(), 5U);
  EXPECT_EQ(node.query({"audit", "list"}).as_array().size(), 5U) << "one row for each, once";
}

// T54, T55: whatever comes instead of a list, the last good one stays, and the step is named.
TEST(DiscoveryOfANode, WhateverComesInsteadOfAListTheLastGoodOneStays) {
  struct Row {
    const char* what;
    std::string answer;
    const char* step;
    const char* code;
  };
  const std::string good = list_of("127.31.7", 10, 33);
  const Row rows[] = {
      {"HTML", answer("200 OK", "Content-Type: text/html\r\n", "<html>login</html>"), "json",
       "FM-A3"},
      {"an object", list_answer("{}"), "shape", "FM-A3"},
      {"a list inside", list_answer(R"({"peers": ["127.31.7.9"]})"), "shape", "FM-A3"},
      {"an open bracket", list_answer("["), "json", "FM-A3"},
      {"a cut list", list_answer(good.substr(0, good.size() / 2)), "json", "FM-A3"},
      {"no gzip", list_answer("\x1f\x8b garbage", "Content-Encoding: gzip\r\n"), "status", "FM-A2"},
      {"a byte order mark", list_answer("\xef\xbb\xbf" + good), "json", "FM-A3"},
      {"a loop", answer("301 Moved Permanently", "Location: /list\r\n", ""), "redirect", "FM-A2"},
      {"503", answer("503 Service Unavailable", "", ""), "status", "FM-A2"},
      {"nothing in time", "", "timeout", "FM-A2"},
      {"an empty list", list_answer("[]"), "shape", "FM-A4"},
      {"refused entries only", list_answer(R"(["0.0.0.0", "x"])"), "shape", "FM-A4"},
  };
  Sandbox sandbox;
  ListServer list(list_answer(good));
  NodeProcess node(sandbox, "127.31.7.2", discovery(sandbox, list.server().url(), "timeout = 1\n"));
  const auto never = [&] {
    list.say(list_answer("[]"));
    return refresh(node, {"--dry-run"});
  }();
  EXPECT_EQ(never.status, 2) << "no list was ever accepted";
  list.say(list_answer(good));
  ASSERT_EQ(refresh(node).status, 0);
  const auto before = node.query({"whitelist", "list"});
  const auto head = node.query({"audit", "head"});
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    list.say(row.answer);
    Outcome done;
    EXPECT_LT(elapsed([&] { done = refresh(node, {"--dry-run"}); }), 5s);
    EXPECT_EQ(done.status, 1) << done.out << done.err;
    const auto error = done.data().at("error");
    ASSERT_TRUE(error.is_object());
    EXPECT_EQ(error.at("step").as_string(), row.step) << error;
    EXPECT_EQ(error.at("code").as_string(), row.code) << error;
    EXPECT_EQ(refresh(node).status, 1);
    EXPECT_EQ(node.query({"whitelist", "list"}), before);
    EXPECT_EQ(node.query({"audit", "head"}), head);
  }
  list.say(answer("200 OK", "Content-Type: text/plain\r\n", good));
  const auto noted = refresh(node);
  EXPECT_EQ(noted.status, 0) << "a wrong content type is a note";
  EXPECT_EQ(noted.data().at("notes").as_array().size(), 1U);
}

TEST(DiscoveryOfANode, ACertificateThatHasExpiredOrIsForAnotherHostIsNamed) {
  const CertificateWish wishes[] = {{{"IP:127.0.0.5"}, -48h, -24h}, {{"DNS:other.test"}}};
  for (const auto& wish : wishes) {
    Sandbox sandbox;
    ListServer list(list_answer(R"(["127.31.8.9"])"), wish);
    NodeProcess node(sandbox, "127.31.8.2", discovery(sandbox, list.server().url()));
    const auto done = refresh(node);
    EXPECT_EQ(done.status, 2);
    EXPECT_EQ(done.data().at("error").at("step").as_string(), "tls") << done.out;
    EXPECT_EQ(done.data().at("error").at("address").as_string(), list.server().endpoint());
    EXPECT_TRUE(whitelisted(node).empty());
  }
}

}  // namespace
}  // namespace timectl::e2e
