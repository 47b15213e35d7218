// `timectl diagnose node` after a list of masternodes that was none, or none that can be taken (T54
// to T58). That the old list stays in force, byte for byte, is tested in discovery_test.cc.
#include <gtest/gtest.h>

#include "tests/e2e/fault_support.h"
#include "tests/e2e/list_server.h"
#include "tests/e2e/scenario_rows.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

constexpr int kFirst = 10;
constexpr int kEnd = 33;  // 23 of them, as in the scenario

TEST(DiagnoseList, WhateverComesInsteadOfAListIsTheVerdict) {
  struct Row {
    const char* scenario;
    const char* what;
    std::string answer;
    const char* evidence;
  };
  const std::string good = list_of("127.133.1", kFirst, kEnd);
  const Row rows[] = {
      {"T54b", "HTML", answer("200 OK", "Content-Type: text/html\r\n", "<html>login</html>"),
       "wrong_shape"},
      {"T54b", "an object", list_answer("{}"), "wrong_shape"},
      {"T54b", "a list inside", list_answer(R"({"peers": ["127.133.1.9"]})"), "wrong_shape"},
      {"T54b", "an open bracket", list_answer("["), "wrong_shape"},
      {"T54b", "a cut list", list_answer(good.substr(0, good.size() / 2)), "wrong_shape"},
      {"T54b", "a byte order mark", list_answer("\xef\xbb\xbf" + good), "wrong_shape"},
      {"T54a", "no gzip", list_answer("\x1f\x8b garbage", "Content-Encoding: gzip\r\n"),
       "http_error"},
      {"T54a", "a loop", answer("301 Moved Permanently", "Location: /list\r\n", ""), "http_error"},
      {"T54a", "503", answer("503 Service Unavailable", "", ""), "http_error"},
      {"T54a", "nothing in time", "", "timed_out"},
      {"T55a", "an empty list", list_answer("[]"), "it had 23 before"},
      {"T55a", "refused entries only", list_answer(R"(["0.0.0.0", "x"])"), "it had 23 before"},
  };
  Sandbox sandbox;
  ListServer list(list_answer(good));
  const NodeProcess node(sandbox, "127.133.1.2",
                         discovery(sandbox, list.server().url(), "timeout = 1\n"));
  ASSERT_EQ(refresh(node).status, 0);
  // The control: a good list is no finding.
  EXPECT_FALSE(diagnosed(node, {"node"}).found("FM-A3"));
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    list.say(row.answer);
    EXPECT_EQ(refresh(node).status, 1);
    const auto judged = diagnosed(node, {"node"});
    expect_verdict(judged, row.scenario);
    EXPECT_TRUE(judged.evidence(row.evidence, scenario_row(row.scenario).code)) << judged.told();
    EXPECT_EQ(whitelisted(node).size(), 23U);
  }
  // A wrong content type with the right list is a note, and nothing is wrong any more.
  list.say(answer("200 OK", "Content-Type: text/plain\r\n", good));
  EXPECT_EQ(refresh(node).status, 0);
  const auto judged = diagnosed(node, {"node"});
  EXPECT_FALSE(judged.text("code").starts_with("FM-A")) << judged.told();
}

TEST(DiagnoseList, T54ACertificateThatHasExpiredIsNamed) {
  Sandbox sandbox;
  ListServer list(list_answer("[]"), {{"IP:127.0.0.5"}, -48h, -24h});
  const NodeProcess node(sandbox, "127.133.2.2", discovery(sandbox, list.server().url()));
  ASSERT_EQ(node.timectl({"whitelist", "add", "127.133.2.10"}).status, 0);
  EXPECT_NE(refresh(node).status, 0);
  const auto judged = diagnosed(node, {"node"});
  expect_verdict(judged, "T54c");
  EXPECT_TRUE(judged.evidence("expired", "FM-P1")) << judged.told();
}

TEST(DiagnoseList, T55AnEmptyListWithNothingToFallBackOnIsCritical) {
  Sandbox sandbox;
  ListServer list(list_answer("[]"));
  const NodeProcess node(sandbox, "127.133.3.2", discovery(sandbox, list.server().url()));
  EXPECT_EQ(refresh(node).status, 2);
  const auto judged = diagnosed(node, {"node"});
  expect_verdict(judged, "T55b");
  EXPECT_TRUE(judged.evidence("0 addresses are whitelisted", "FM-A4")) << judged.told();
}

TEST(DiagnoseList, T56WhatIsTooLargeIsRefusedWithoutGrowing) {
  constexpr std::size_t kEntries = 200'000;
  constexpr std::size_t kLong = 10U << 20U;
  constexpr std::size_t kHuge = 64U << 20U;
  constexpr std::size_t kMayGrow = 16 * 1024;  // kilobytes
  std::string many = "[\"127.133.4.9\"";
  for (std::size_t i = 1; i < kEntries; ++i) many += ",\"192.0.2.1\"";
  many += "]";
  Sandbox sandbox;
  ListServer list(list_answer(list_of("127.133.4", kFirst, kEnd)));
  NodeProcess node(sandbox, "127.133.4.2", discovery(sandbox, list.server().url()));
  node.start();
  ASSERT_TRUE(wait_for([&] { return whitelisted(node).size() == 23; }, 10s)) << node.log();
  const auto peak = [&] {
    const auto status = slurp("/proc/" + std::to_string(node.pid()) + "/status");
    return std::stoul(status.substr(status.find("VmHWM:") + 6));
  };
  const auto at_first = peak();
  for (const auto& body :
       {many, "[\"" + std::string(kLong, 'x') + "\"]", std::string(kHuge, ' ') + "[]"}) {
    SCOPED_TRACE(body.size());
    list.say(list_answer(body));
    EXPECT_EQ(refresh(node).status, 1);
    const auto judged = diagnosed(node, {"node"});
    expect_verdict(judged, "T56");
    EXPECT_EQ(whitelisted(node).size(), 23U);
  }
  EXPECT_LT(peak() - at_first, kSanitized ? 8 * kMayGrow : kMayGrow);
}

TEST(DiagnoseList, T58AListThatJumpsIsTheVerdict) {
  Sandbox sandbox;
  ListServer list(list_answer(list_of("127.133.5", kFirst, kEnd)));
  const NodeProcess node(sandbox, "127.133.5.2", discovery(sandbox, list.server().url()));
  ASSERT_EQ(refresh(node).status, 0);
  list.say(list_answer(list_of("127.133.6", kFirst, kFirst + 80)));
  EXPECT_EQ(refresh(node).status, 80);
  const auto judged = diagnosed(node, {"node"});
  expect_verdict(judged, "T58");
  EXPECT_TRUE(judged.evidence("held_back", "FM-A5")) << judged.told();
  EXPECT_EQ(whitelisted(node).size(), 23U) << "the old one stays in force";
  // The operator's word ends it.
  EXPECT_EQ(node.timectl({"whitelist", "approve", "--all"}).status, 0);
  EXPECT_FALSE(diagnosed(node, {"node"}).found("FM-A5"));
}

}  // namespace
}  // namespace timectl::e2e
