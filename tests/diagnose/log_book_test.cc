#include "daemon/diagnose/log_book.h"

#include <gtest/gtest.h>

#include "tests/diagnose/log_lab.h"

namespace timectl::diagnose {
namespace {

std::string line(const std::string& time, const std::string& message) {
  return "2026-07-14 " + time + " [mn]  WARN " + message + "\n";
}

const std::string kEof =
    "TLS handshake failed with 50.28.104.50:24000: IO error: tls handshake eof";

TEST(LogBook, CountsFirstAndLastTimeAndKeepsThreeExamples) {
  std::string text;
  for (int i = 10; i < 60; ++i) text += line("03:00:" + std::to_string(i) + ".000", kEof);
  const auto report = read_log(text);
  ASSERT_EQ(report.findings.size(), 1U);
  const auto& finding = report.findings[0];
  EXPECT_EQ(finding.code, "FM-H11");
  EXPECT_EQ(finding.count, 50U);
  EXPECT_EQ(finding.peers, 1U);
  EXPECT_EQ(rfc3339(*finding.first_at), "2026-07-14T03:00:10.000Z");
  EXPECT_EQ(rfc3339(*finding.last_at), "2026-07-14T03:00:59.000Z");
  EXPECT_EQ(finding.examples, std::vector<std::string>{kEof});  // the same text once
  EXPECT_FALSE(finding.remedy.empty());
  ASSERT_EQ(report.causes.size(), 1U);
  EXPECT_EQ(report.causes[0].peer->to_string(), "50.28.104.50");
  EXPECT_EQ(report.causes[0].count, 50U);
  EXPECT_EQ(report.lines, 50U);
}

TEST(LogBook, WhatTakesTheNodeDownStandsBeforeWhatIsOnlyFrequent) {
  std::string text;
  for (int i = 10; i < 60; ++i) text += line("03:00:" + std::to_string(i) + ".000", kEof);
  text += line("03:01:00.000", "Rate limit exceeded for tx from 50.28.104.50");
  text +=
      line("03:01:01.000", "Genesis hash MISMATCH with peer 198.51.100.9 - incompatible software!");
  text += line("03:01:02.000", "Server error: Too many open files (os error 24)");
  EXPECT_EQ(codes_of(read_log(text)),
            (std::vector<std::string>{"FM-R4", "FM-H11", "FM-H6", "FM-L7"}));
}

TEST(LogBook, WhatFollowsFromAnotherCauseStandsBehindAll) {
  const auto text =
      line("03:00:00.000", "Failed to run curl: No such file or directory (os error 2)") +
      line("03:00:01.000", "Preparing whitelist with 0 trusted peer(s) from time-coin.io...") +
      line("03:00:02.000", "Rate limit exceeded for tx from 50.28.104.50");
  const auto report = read_log(text);
  EXPECT_EQ(codes_of(report), (std::vector<std::string>{"FM-P2", "FM-L7", "FM-B4"}));
  EXPECT_EQ(report.findings[2].follows_from, "FM-P2");
  EXPECT_FALSE(report.findings[0].follows_from.has_value());
}

TEST(LogBook, ForkThatOnePeerAloneTellsOfIsNotCritical) {
  const auto fork = [](const std::string& ip) {
    return line("03:00:00.000",
                "[Outbound] FORK with " + ip + " at height 100: our aa vs their bb");
  };
  const auto severity = [](const std::string& text) {
    const auto report = read_log(text);
    return finding_of(report, "FM-S5")->severity;
  };
  EXPECT_EQ(severity(fork("50.28.104.50") + fork("50.28.104.50")), Gravity::medium);
  EXPECT_EQ(severity(fork("50.28.104.50") + fork("50.28.104.51")), Gravity::critical);
  EXPECT_EQ(
      severity(fork("50.28.104.50") + line("03:00:01.000", "We appear to be on minority fork")),
      Gravity::critical);
}

TEST(LogBook, ExamplesCannotSpeakToTheTerminal) {
  const auto report = read_log(line(
      "03:00:00.000", kEof + "\x07 \xe2\x80\xae" + std::string("\0", 1) + std::string(5000, 'x')));
  ASSERT_EQ(report.findings.size(), 1U);
  const auto& example = report.findings[0].examples.at(0);
  for (const char c : example) EXPECT_GE(static_cast<unsigned char>(c), 0x20U);
  EXPECT_EQ(example.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_LT(example.size(), 300U);
}

// Strangers without end: totals stay right, rows and report stay bounded.
TEST(LogBook, RowsAreBoundedAndTotalsAreNot) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) {
    text += line("03:00:00.000", "TLS: temp-banned 198." + std::to_string(i / 65536) + "." +
                                     std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) +
                                     " for 5 minutes (10 TLS failures: x)");
  }
  for (int i = 0; i < 100; ++i) text += line("03:00:01.000", kEof);
  const auto report = read_log(text);
  const auto* floods = finding_of(report, "FM-H9");
  ASSERT_NE(floods, nullptr);
  EXPECT_EQ(floods->count, 40'000U);
  EXPECT_EQ(floods->peers, 40'000U);
  EXPECT_EQ(finding_of(report, "FM-H11")->count, 100U);
  EXPECT_LE(report.causes.size(), 1000U);
  EXPECT_EQ(report.causes.size() + report.causes_left_out, 40'001U);
}

TEST(LogBook, HealthyLogHasNoFinding) {
  const auto text =
      line("03:00:00.000", "Connected to peer: 50.28.104.50") +
      line("03:00:01.000", "[Outbound] Received ping from 50.28.104.50 at height 7  (nonce: 1)");
  const auto report = read_log(text);
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.known, 2U);
  EXPECT_EQ(report.peers.at(0).sessions, 1U);
  EXPECT_TRUE(read_log("").findings.empty());
}

TEST(LogBook, ListenerHearsEverySignWithItsCount) {
  LogBook book;
  std::vector<std::uint64_t> counts;
  book.listen([&](const Sign& sign, const Mode& mode, std::uint64_t count) {
    EXPECT_EQ(sign.code, mode.code);
    counts.push_back(count);
  });
  LogReader reader(lab_clock(), [&](const LogEvent& event) { book.on_event(event); });
  reader.feed(line("03:00:00.000", kEof) + line("03:00:01.000", kEof));
  EXPECT_EQ(counts, (std::vector<std::uint64_t>{1, 2}));
}

}  // namespace
}  // namespace timectl::diagnose
