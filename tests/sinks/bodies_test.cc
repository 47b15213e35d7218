// What is sent, to the letter, and what a text cannot make of it.
#include "daemon/sinks/bodies.h"

#include <gtest/gtest.h>

#include "daemon/core/json.h"
#include "daemon/sinks/signature.h"

namespace timectl::sinks {
namespace {

using namespace std::chrono_literals;

const WallTime kAt = *parse_rfc3339("2026-11-27T10:20:30.5Z");
const WallTime kLater = kAt + 1h;

MessagePointer message(const std::string& text, NoticeKind kind = NoticeKind::fired,
                       unsigned host = 7) {
  Alert alert;
  alert.id = 12;
  alert.rule = AlertRule::masternode_down;
  alert.object = "203.0.113." + std::to_string(host);
  if (host == 7) alert.label = "berlin";
  alert.text = text;
  alert.since = kAt - 90s;
  if (kind == NoticeKind::resolved) {
    alert.cleared_at = kAt - 38s;
    alert.resolved_at = kAt;
  }
  return std::make_shared<const AlertMessage>(
      message_of(AlertNotice{kind, alert}, {"host", "testnet", "host@203.0.113.1"}, kAt));
}

constexpr unsigned kFlood = 131;

Messages flood(NoticeKind kind = NoticeKind::fired) {
  Messages all;
  for (unsigned host = 7; host < 7 + kFlood; ++host)
    all.push_back(message("It is down", kind, host));
  return all;
}

std::string slack_text(const Messages& messages) {
  return std::string(json::parse(slack_body(messages)).at("text").as_string());
}
std::string discord_text(const Messages& messages) {
  return std::string(json::parse(discord_body(messages)).at("content").as_string());
}
std::string variable(const Messages& messages, const std::string& wanted) {
  for (const auto& [name, value] : environment_of(messages)) {
    if (name == "TIMECTL_ALERT_" + wanted) return value;
  }
  return "no " + wanted;
}

TEST(Bodies, OurOwnFormSaysEverything) {
  EXPECT_EQ(
      json_body({message("It is down")}, kLater),
      R"({"schema":"timectl.alerts.message/1","version":")" TIMECTL_VERSION
      R"(","sent_at":"2026-11-27T11:20:30.500Z","alerts":[{"key":"host@203.0.113.1-testnet-12-)"
      R"(fired-1795774830500","event":"fired","state":"firing","at":"2026-11-27T10:20:30.500Z",)"
      R"("id":12,)"
      R"("rule":"masternode_down","object":"203.0.113.7","label":"berlin",)"
      R"("severity":"critical",)"
      R"("text":"It is down",)"
      R"("since":"2026-11-27T10:19:00.500Z","resolved_at":null,"node":"host","network":"testnet",)"
      R"("instance":"host@203.0.113.1",)"
      R"("next":"timectl diagnose peer 203.0.113.7",)"
      R"("remedy":"`timectl diagnose peer IP` says why and who can end it.",)"
      R"("runbook":"docs/runbooks.md#masternode_down",)"
      R"("test":false}]})");
}

TEST(Bodies, SlackGetsNoMentionNoLinkAndNoLineOfAPeersChoice) {
  const auto body = json::parse(slack_body({message("<!channel> & <http://evil|x>\n*b*\x1b[1m")}));
  const std::string text(body.at("text").as_string());
  EXPECT_NE(text.find("&lt;!channel&gt; &amp; &lt;http://evil|x&gt;\\x0A*b*"), std::string::npos)
      << text;
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_TRUE(text.starts_with("CRITICAL: ")) << text;
  EXPECT_FALSE(body.at("mrkdwn").as_bool());
}

TEST(Bodies, DiscordMentionsNobodyAndStaysBelowItsLimit) {
  const auto one = json::parse(discord_body({message("@everyone <@1> **b** `c`")}));
  EXPECT_TRUE(one.at("allowed_mentions").at("parse").as_array().empty());
  const std::string text(one.at("content").as_string());
  EXPECT_NE(text.find("\\@everyone \\<\\@1\\> \\*\\*b"), std::string::npos) << text;
  Messages many;
  for (unsigned host = 100; many.size() < batch_of(SinkKind::webhook, SinkTemplate::discord);) {
    many.push_back(message(std::string(900, '*'), NoticeKind::fired, host++));
  }
  EXPECT_NE(discord_text(many).find("next: `timectl diagnose peer 203.0.113.105`"),
            std::string::npos);
  EXPECT_LE(discord_text(flood()).size(), 2000U);
  EXPECT_LE(json::parse(discord_body(many)).at("content").as_string().size(), 2000U);
  EXPECT_LE(
      json::parse(discord_body({message(std::string(1000, '*'))})).at("content").as_string().size(),
      2000U);
}

TEST(Bodies, AlertmanagersLabelsAreTheRuleAndTheObjectAndNeverTheText) {
  const auto first = json::parse(alertmanager_body({message("a")}, kLater, 4min)).at(0);
  const auto second =
      json::parse(alertmanager_body({message("b", NoticeKind::resolved)}, kLater, 4min)).at(0);
  EXPECT_EQ(first.at("labels"), second.at("labels"));
  EXPECT_EQ(json::serialize(first.at("labels")),
            R"({"alertname":"timectl_masternode_down","severity":"critical",)"
            R"("instance":"host@203.0.113.1",)"
            R"("network":"testnet","object":"203.0.113.7"})");
  EXPECT_EQ(first.at("startsAt"), "2026-11-27T10:19:00.500Z");
  EXPECT_EQ(first.at("endsAt"), "2026-11-27T11:24:30.500Z") << "unless it is sent again";
  EXPECT_EQ(second.at("endsAt"), "2026-11-27T10:20:30.500Z");
  EXPECT_EQ(json::serialize(first.at("annotations")),
            R"({"summary":"a","runbook":"docs/runbooks.md#masternode_down","label":"berlin",)"
            R"("next":"timectl diagnose peer 203.0.113.7",)"
            R"("remedy":"`timectl diagnose peer IP` says why and who can end it."})");
  EXPECT_FALSE(second.at("annotations").as_object().contains("next")) << "it is over";
}

TEST(Bodies, AMailHasNoHeaderThatATextChose) {
  SinkTarget target;
  target.to = "you@example.org";
  target.from = "timectl@example.org\nBcc: evil@example.org";
  const auto text = mail(target, {message("K\xc3\xb6ln\r\nBcc: evil@example.org\n\nbody")}, kLater);
  const auto head = text.substr(0, text.find("\n\n"));
  EXPECT_EQ(head.find("\nBcc:"), std::string::npos) << head;
  EXPECT_NE(head.find("To: you@example.org\n"), std::string::npos) << head;
  EXPECT_NE(head.find("Subject: =?UTF-8?B?W3RpbWVjdGwgaG9zdF0g"), std::string::npos) << head;
  EXPECT_NE(head.find("Date: Fri, 27 Nov 2026 11:20:30 +0000\n"), std::string::npos) << head;
  EXPECT_EQ(text.find('\r'), std::string::npos);

  const auto plain = mail(target, {message("It is down")}, kLater);
  EXPECT_NE(plain.find("Subject: [timectl host] CRITICAL: It is down\n"), std::string::npos);
}

TEST(Bodies, AMailNamesAllOfItsReceiversInLinesOfTheLengthThatIsAdvised) {
  SinkTarget target;
  for (const char* name : {"alice", "bob", "carol", "dave", "eve", "frank"}) {
    target.to += (target.to.empty() ? "" : ",  ") + std::string(name) +
                 ".of.the.night.watch@operations.example.org";
  }
  target.to += ",\"Night, watch of the whole network of masternodes\" <n@example.org>";
  target.from = "\"" + std::string(200, 'x') + "\" <timectl@example.org>";
  const auto text = mail(target, {message("It is down")}, kLater);
  std::string unfolded;
  std::size_t longest = 0;
  std::size_t lines = 0;
  const auto begin = text.find("To: ");
  for (auto at = begin; at == begin || text[at] == ' ';) {
    const auto end = text.find('\n', at);
    longest = std::max(longest, end - at);
    unfolded += text.substr(at, end - at);
    at = end + 1;
    ++lines;
  }
  EXPECT_EQ(text.substr(text.find("Subject:") - 1, 1), "\n");
  EXPECT_LE(longest, 78U);
  EXPECT_GT(lines, 3U);
  auto wanted = target.to;
  for (auto at = wanted.find(",  "); at != std::string::npos; at = wanted.find(",  ")) {
    wanted.replace(at, 3, ", ");
  }
  wanted.insert(wanted.find(",\"") + 1, " ");
  EXPECT_EQ(unfolded, "To: " + wanted);
  EXPECT_TRUE(text.starts_with("From: " + target.from + "\n")) << text;
}

TEST(Bodies, ADigestSaysEachOfThem) {
  const Messages two{message("first"), message("second", NoticeKind::resolved)};
  SinkTarget target;
  target.to = "you@example.org";
  EXPECT_NE(mail(target, two, kLater).find("RESOLVED: Whitelisted peer berlin"), std::string::npos);
  EXPECT_NE(slack_body(two).find("first"), std::string::npos);
  EXPECT_EQ(json::parse(json_body(two, kLater)).at("alerts").as_array().size(), 2U);
  EXPECT_EQ(idempotency_key(two), two[0]->key + "+1");
}

TEST(Bodies, ACommandsEnvironmentIsDataWithoutControlCharacters) {
  for (const auto& [name, value] : environment_of({message("$(reboot) `x` \n\t\x01 end")})) {
    EXPECT_TRUE(name.starts_with("TIMECTL_ALERT_"));
    for (const char c : value) EXPECT_GE(static_cast<unsigned char>(c), 0x20U) << name;
    if (name == "TIMECTL_ALERT_TEXT") {
      EXPECT_EQ(value.find("$(reboot) `x` "), 0U);
    }
  }
}

TEST(Bodies, AnEndSaysHowItEndedAndAsksForNothing) {
  const auto over = message("Whitelisted peer is not connected", NoticeKind::resolved);
  const std::string end =
      "Whitelisted peer berlin (203.0.113.7) is connected again; it was away for 52 s";
  EXPECT_EQ(over->text, end) << "until it was back, not until that was believed";
  EXPECT_TRUE(slack_text({over}).starts_with("RESOLVED: " + end)) << slack_text({over});
  for (const auto& text : {slack_text({over}), discord_text({over})}) {
    EXPECT_EQ(text.find("next:"), std::string::npos) << text;
    EXPECT_EQ(text.find("do:"), std::string::npos) << text;
  }
  EXPECT_EQ(variable({over}, "TEXT"), end);
  EXPECT_EQ(variable({over}, "NEXT"), "");
  EXPECT_EQ(json::parse(json_body({over}, kLater)).at("alerts").at(0).at("text").as_string(), end);
}

TEST(Bodies, APhoneShowsWhatToDo) {
  const Messages one{message("It is down")};
  EXPECT_NE(slack_text(one).find("\ndo: timectl diagnose peer IP says why"), std::string::npos)
      << slack_text(one);
  EXPECT_NE(slack_text(one).find("\nnext: timectl diagnose peer 203.0.113.7"), std::string::npos);
  EXPECT_EQ(slack_text(one).find('`'), std::string::npos) << "they would be shown as they are";
  EXPECT_NE(discord_text(one).find("\ndo: `timectl diagnose peer IP` says why"), std::string::npos);
  EXPECT_EQ(variable(one, "REMEDY"), "`timectl diagnose peer IP` says why and who can end it.");
  EXPECT_EQ(variable(one, "RUNBOOK"), "docs/runbooks.md#masternode_down");
  EXPECT_EQ(variable(one, "LABEL"), "berlin");
  EXPECT_EQ(variable(one, "COUNT"), "1");
  const Messages two{message("first"), message("second", NoticeKind::fired, 8)};
  EXPECT_NE(slack_text(two).find("next: timectl diagnose peer 203.0.113.8"), std::string::npos);
}

TEST(Bodies, AFloodIsOneSentenceWithTheCountAndTheFirstNames) {
  const std::string fired =
      "131 whitelisted peers are not connected: berlin (203.0.113.7), 203.0.113.8, ";
  EXPECT_EQ(variable(flood(), "TEXT").find(fired), 0U) << variable(flood(), "TEXT");
  EXPECT_TRUE(variable(flood(), "TEXT").ends_with(" 203.0.113.16 and 121 more"));
  EXPECT_EQ(variable(flood(), "COUNT"), "131");
  EXPECT_EQ(variable(flood(), "OBJECT"), "");
  EXPECT_EQ(variable(flood(), "NEXT"), "timectl alerts");
  const auto over = variable(flood(NoticeKind::resolved), "TEXT");
  EXPECT_TRUE(over.starts_with("131 whitelisted peers are connected again: berlin")) << over;
  EXPECT_TRUE(slack_text(flood()).starts_with("CRITICAL: " + fired)) << slack_text(flood());
  EXPECT_NE(discord_text(flood()).find("131 whitelisted peers"), std::string::npos);
  SinkTarget target;
  target.to = "you@example.org";
  const auto letter = mail(target, flood(), kLater);
  EXPECT_NE(letter.find("Subject: [timectl host] CRITICAL: 131 whitelisted"), std::string::npos);
  EXPECT_NE(letter.find("[masternode_down, 2026-11-27 10:20:30 UTC"), std::string::npos);
  EXPECT_EQ(json::parse(json_body(flood(), kLater)).at("alerts").as_array().size(), kFlood)
      << "a program gets each";
}

TEST(Bodies, FewOrDifferentOnesAreNoDigest) {
  auto few = flood();
  few.resize(kDigestFrom - 1);
  EXPECT_FALSE(digest_of(few));
  few = flood();
  few.resize(kDigestFrom);
  EXPECT_TRUE(digest_of(few));
  few.back() = message("back", NoticeKind::resolved, 200);
  EXPECT_FALSE(digest_of(few)) << "one of them is over";
  few.back() = few.front();
  EXPECT_FALSE(digest_of(few)) << "twice the same is not two";
}

TEST(Bodies, DigestsAreForThoseWhomAMessageCalls) {
  using enum SinkKind;
  for (const auto kind : {command, sendmail}) EXPECT_TRUE(takes_digests(kind, SinkTemplate::json));
  EXPECT_TRUE(takes_digests(webhook, SinkTemplate::slack));
  EXPECT_TRUE(takes_digests(webhook, SinkTemplate::discord));
  for (const auto kind : {webhook, alertmanager, SinkKind::log}) {
    EXPECT_FALSE(takes_digests(kind, SinkTemplate::json)) << "each is a value there";
  }
}

// RFC 4231, case 2.
TEST(Signature, IsHmacSha256OverTheTimeAndTheBody) {
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(signature("key", "{}", WallTime(1234ms)), "t=1,v1=" + hmac_sha256("key", "1.{}"));
  EXPECT_NE(signature("key", "{}", WallTime(1s)), signature("key", "{}", WallTime(2s)));
}

}  // namespace
}  // namespace timectl::sinks
