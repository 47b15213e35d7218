#include "daemon/diagnose/reply.h"

#include <gtest/gtest.h>

#include "daemon/core/json.h"
#include "tests/diagnose/rule_cases.h"
#include "tests/diagnose/scenarios.h"

namespace timectl::diagnose {
namespace {

// As text and back: what a report from the field goes through before it is a test.
Facts again(const Facts& facts) {
  auto read = facts_from_json(facts_to_json(facts));
  EXPECT_TRUE(read) << read.error().message;
  return read ? *read : Facts{};
}

std::string judged(const Facts& facts) {
  return json::serialize(to_json(make_reply(diagnose(facts))));
}

TEST(FactsAsText, GiveTheSameDiagnosisInEveryScenarioAndCase) {
  for (const auto& s : scenarios()) {
    auto facts = s.facts();
    if (s.node) facts.peer.reset();
    EXPECT_EQ(judged(again(facts)), judged(facts)) << s.id;
  }
  for (const auto& c : all_cases()) {
    const auto facts = facts_of(c, false);
    EXPECT_EQ(judged(again(facts)), judged(facts)) << c.code;
  }
}

TEST(FactsAsText, LoseNothing) {
  for (const auto& c : all_cases()) {
    const auto text = facts_to_json(facts_of(c, false));
    EXPECT_EQ(facts_to_json(again(facts_of(c, false))), text) << c.code;
  }
}

TEST(FactsAsText, AreRefusedByNameWhereTheyAreNone) {
  EXPECT_FALSE(facts_from_json("{"));
  EXPECT_FALSE(facts_from_json("[]"));
  EXPECT_FALSE(facts_from_json(std::string(kMaxFactsBytes + 1, ' ')));
  const auto unknown = facts_from_json(R"({"node":{"colour":1}})");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("colour"), std::string::npos) << unknown.error().message;
  EXPECT_FALSE(facts_from_json(R"({"peer":{"ip":"1.2.3"}})"));
  EXPECT_FALSE(facts_from_json(std::string(2000, '[')));
  EXPECT_TRUE(facts_from_json("{}"));
}

TEST(Reply, HasTheWordsOfTheCommandLineForHowBadItIs) {
  EXPECT_EQ(severity_word(Severity::critical), "critical");
  EXPECT_EQ(severity_word(Severity::error), "high");
  EXPECT_EQ(severity_word(Severity::warning), "medium");
  EXPECT_EQ(severity_word(Severity::notice), "low");
}

TEST(Reply, SaysOfARemarkThatItIsOne) {
  const auto reply = make_peer_reply(well());  // its RPC answers: FM-A10
  ASSERT_EQ(reply.findings.size(), 1U);
  EXPECT_EQ(reply.findings[0].code, "FM-A10");
  EXPECT_TRUE(reply.findings[0].remark);
  EXPECT_EQ(reply.code, "");
  for (const auto& s : scenarios()) {
    const auto made = make_reply(diagnose(s));
    for (const auto& finding : made.findings) {
      EXPECT_FALSE(finding.remark && finding.code == made.code) << s.id;
    }
  }
}

TEST(Reply, NamesTheLayersFromTheOutsideInUpToTheOneThatFailed) {
  auto facts = gone();
  probed(facts, Stage::handshake, Outcome::silent);
  facts.peer->probe->from = kOurs;
  std::vector<std::string> names;
  for (const auto& row : make_peer_reply(facts).probe) names.push_back(row.layer);
  EXPECT_EQ(names, (std::vector<std::string>{"rpc", "route", "tcp", "tls", "handshake"}));
  const auto rows = probe_layers(facts);
  EXPECT_TRUE(rows[3].ok);
  EXPECT_FALSE(rows[4].ok);
  EXPECT_EQ(rows[4].detail, "silent");
  EXPECT_EQ(rows[1].detail, "from " + kOurs.to_string());
}

TEST(Reply, ShowsTheSessionInThePlaceOfAProbe) {
  const auto reply = make_peer_reply(well());
  ASSERT_EQ(reply.probe.size(), 2U);
  EXPECT_EQ(reply.probe[1].layer, "session");
  EXPECT_TRUE(reply.probe[1].ok);
  auto quiet = well();
  quiet.peer->rpc.reset();
  EXPECT_TRUE(make_peer_reply(quiet).probe.empty()) << "nobody was asked";
}

TEST(FactsAsText, NameTheFieldWhoseAddressIsNone) {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"node":{"address":"1.2.3"}})", "`node.address`"},
      {R"({"node":{"version":"1.2.3","peers":[{"ip":"80.1.1.1"},{"ip":"1.2.3"}]}})",
       "`node.peers[1].ip`"},
      {R"({"node":{},"peer":{"ip":"","whitelisted":true}})", "`peer.ip`"}};
  for (const auto& [text, field] : bad) {
    const auto facts = facts_from_json(text);
    ASSERT_FALSE(facts) << text;
    EXPECT_EQ(facts.error().code, Code::bad_data) << text;
    EXPECT_NE(facts.error().message.find(field), std::string::npos) << facts.error().message;
  }
  EXPECT_TRUE(facts_from_json(R"({"node":{"version":"1.2.3","address":"1.2.3.4"}})"));
}

TEST(ProbeEnd, IsTheReasonThatADialWouldHaveHad) {
  auto facts = gone();
  probed(facts, Stage::tls, Outcome::closed);
  EXPECT_EQ(end_of(*facts.peer->probe), EndReason::closed_before_tls);
  probed(facts, Stage::tls, Outcome::silent);
  EXPECT_EQ(end_of(*facts.peer->probe), EndReason::tls_failed);
  probed(facts, Stage::tcp, Outcome::refused);
  EXPECT_EQ(end_of(*facts.peer->probe), EndReason::refused);
  probed(facts, Stage::ping, Outcome::silent);
  EXPECT_FALSE(end_of(*facts.peer->probe));
  probed(facts, Stage::genesis, Outcome::ok);
  EXPECT_FALSE(end_of(*facts.peer->probe));
}

}  // namespace
}  // namespace timectl::diagnose
