// What no single line says (T46, T47 and the reading rules of the catalogue, B.4).
#include "daemon/diagnose/log_story.h"

#include <gtest/gtest.h>

#include "tests/diagnose/log_lab.h"

namespace timectl::diagnose {
namespace {

// A line of debug.log at so many seconds after 2026-07-14 03:00:00.
std::string at(int seconds, const std::string& message) {
  std::array<char, 64> prefix{};
  std::snprintf(prefix.data(), prefix.size(), "2026-07-14 %02d:%02d:%02d.000 [mn]  INFO ",
                3 + seconds / 3600, seconds / 60 % 60, seconds % 60);
  return prefix.data() + message + "\n";
}

std::string banner(int seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "# NODE RESTART  2026-07-14T%02d:%02d:%02dZ\n",
                3 + seconds / 3600, seconds / 60 % 60, seconds % 60);
  return text.data() + at(seconds, "TIME COIN DAEMON STARTING");
}

std::string ip(int n) {
  return "50.28." + std::to_string(n / 256) + "." + std::to_string(n % 256);
}

std::uint64_t count_of(const std::string& text, std::string_view code) {
  const auto report = read_log(text);
  const auto* finding = finding_of(report, code);
  return finding == nullptr ? 0 : finding->count;
}

std::string heartbeats(int from, int to) {
  std::string text;
  for (int s = from; s <= to; s += 10) text += at(s, "heartbeat");
  return text;
}

TEST(LogStory, GapInTheHeartbeatIsAStarvedRuntime) {
  EXPECT_EQ(count_of(heartbeats(0, 300), "FM-X6"), 0U);
  EXPECT_EQ(count_of(heartbeats(0, 100) + heartbeats(125, 300), "FM-X6"), 0U);
  EXPECT_EQ(count_of(heartbeats(0, 100) + heartbeats(126, 300), "FM-X6"), 1U);
  // A restart between them explains the gap.
  EXPECT_EQ(count_of(heartbeats(0, 100) + banner(110) + heartbeats(150, 300), "FM-X6"), 0U);
}

TEST(LogStory, HeartbeatThatStopsForHalfAMinuteIsToldOnce) {
  const auto text = heartbeats(0, 100) + at(131, "Sent pong to 50.28.104.50 (nonce: 1)");
  EXPECT_EQ(count_of(text, "FM-X6"), 1U);
  EXPECT_EQ(count_of(text + at(140, "heartbeat"), "FM-X6"), 1U);
  EXPECT_EQ(count_of(heartbeats(0, 100) + at(130, "Sent pong to 50.28.104.50"), "FM-X6"), 0U);
}

TEST(LogStory, TicksThatStopWhileTheHeartGoesOnAreAWedgedDialler) {
  std::string text;
  for (int s = 0; s <= 300; s += 10) {
    text += at(s, "heartbeat");
    if (s % 30 == 0 && s <= 90)
      text += at(s, "[PHASE3-STALL-TRACE] tick woke (priority_wake=false)");
  }
  EXPECT_EQ(codes_of(read_log(text)), std::vector<std::string>{"FM-X7"});
  EXPECT_EQ(count_of(text, "FM-X7"), 1U);
  EXPECT_EQ(
      count_of(text + at(310, "[PHASE3-STALL-TRACE] tick woke (priority_wake=false)"), "FM-X7"),
      1U);
  EXPECT_EQ(count_of(heartbeats(0, 300), "FM-X7"), 0U);  // a build without ticks
}

TEST(LogStory, ThreeRestartsInHalfAnHourAreALoop) {
  const auto first = banner(0) + at(5, "Shutdown signal received");
  const auto second = banner(600) + at(605, "Shutdown signal received");
  EXPECT_EQ(count_of(first + second, "FM-X12"), 0U);
  EXPECT_EQ(count_of(first + second + banner(1800), "FM-X12"), 1U);
  EXPECT_EQ(count_of(first + second + banner(1801), "FM-X12"), 0U);
  std::string storm;
  for (int i = 0; i < 5; ++i) {
    storm += at(i * 120, "timed is not active \xe2\x80\x94 restarting (restart #1)") +
             banner(i * 120 + 2);
  }
  const auto report = read_log(storm);
  EXPECT_EQ(codes_of(report).at(0), "FM-X12");
  EXPECT_EQ(report.findings[0].count, 3U);  // the third, fourth and fifth
  EXPECT_EQ(report.restarts, 5U);
}

TEST(LogStory, StartWithoutAnOrderlyStopBeforeWasAKill) {
  EXPECT_EQ(count_of(banner(0), "FM-X10"), 0U);  // the beginning of the log
  EXPECT_EQ(count_of(banner(0) + banner(4000), "FM-X10"), 1U);
  EXPECT_EQ(count_of(banner(0) + at(10, "Shutdown signal received") + banner(4000), "FM-X10"), 0U);
  EXPECT_EQ(read_log(banner(0) + banner(4000)).restarts, 2U);
}

std::string session(int s, int n) {
  return at(s, "[Outbound] Starting unified message loop for " + ip(n) + " (port: 24000)");
}
std::string end(int s, int n) {
  return at(s, "[Outbound] Unified message loop ended for " + ip(n));
}

TEST(LogStory, FivePeersThatGoWithinTwoSecondsAreOurOwnLink) {
  const auto lost = [](int peers, int seconds_between) {
    std::string text;
    for (int n = 1; n <= peers; ++n) text += session(n, n);
    for (int n = 1; n <= peers; ++n) text += end(100 + (n - 1) * seconds_between, n);
    return count_of(text, "uplink_down");
  };
  EXPECT_EQ(lost(4, 0), 0U);
  EXPECT_EQ(lost(5, 0), 1U);
  EXPECT_EQ(lost(20, 0), 1U);  // one cause, one sign
  EXPECT_EQ(lost(20, 1), 0U);
  std::string stopped;
  for (int n = 1; n <= 9; ++n) stopped += session(n, n);
  stopped += at(99, "Shutdown signal received");
  for (int n = 1; n <= 9; ++n) stopped += end(100, n);
  EXPECT_EQ(count_of(stopped, "uplink_down"), 0U);
}

TEST(LogStory, OnePeerThatEndsFiveTimesIsNotOurLink) {
  std::string text;
  for (int i = 0; i < 9; ++i) text += session(10, 1) + end(10, 1);
  EXPECT_EQ(count_of(text, "uplink_down"), 0U);
}

TEST(LogStory, DeadLinkIsDatedBackToTheLastPing) {
  const auto text =
      at(0, "[Inbound] Received ping from 50.28.104.50 at height 12979  (nonce: 9)") +
      at(900, "[Inbound] Error reading from 50.28.104.50: Connection timed out (os error 110)");
  const auto report = read_log(text);
  ASSERT_EQ(codes_of(report), std::vector<std::string>{"FM-K1"});
  EXPECT_EQ(rfc3339(*report.findings[0].first_at), "2026-07-14T03:00:00.000Z");
  ASSERT_EQ(report.peers.size(), 1U);
  EXPECT_EQ(report.peers[0].height, 12979U);
  EXPECT_EQ(report.peers[0].last_end, "link timed out");
}

TEST(LogStory, FailedDialAfterAnAcceptedHandshakeIsTheOneThatIsHealed) {
  const auto accepted =
      at(0, "Handshake accepted from 50.28.104.50:5123 (network: Mainnet, commit: 2344)");
  const auto failed =
      at(1, "TLS handshake failed with 50.28.104.50:24000: IO error: tls handshake eof");
  const auto healed = [](int s) {
    return at(s,
              "Healed 2 zombie Connected session(s) with no live writer: [\"50.28.104.50\", "
              "\"50.28.104.51\"]");
  };
  const auto report = read_log(accepted + failed + healed(60));
  ASSERT_NE(finding_of(report, "FM-D13"), nullptr);
  EXPECT_EQ(finding_of(report, "FM-D13")->count, 1U);
  EXPECT_EQ(finding_of(report, "FM-D5")->count, 1U);  // the other one
  EXPECT_EQ(count_of(accepted + failed + healed(95), "FM-D13"), 0U);
  EXPECT_EQ(count_of(failed + healed(60), "FM-D13"), 0U);
}

TEST(LogStory, DialsThatHammerWithoutASessionAreTold) {
  const auto dials = [](int count, int apart) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += at(i * apart, "[PHASE3-MN] Reconnecting to masternode 50.28.104.50 (tier: Gold)");
    }
    return text;
  };
  EXPECT_EQ(count_of(dials(19, 30), "FM-B12"), 0U);
  EXPECT_EQ(count_of(dials(20, 30), "FM-B12"), 1U);
  EXPECT_EQ(count_of(dials(100, 120), "FM-B12"), 0U);
  EXPECT_EQ(count_of(dials(19, 30) + session(560, 7) + dials(1, 1), "FM-B12"), 0U);
}

TEST(LogStory, ThreePeersOnAnotherChainAreOurOwnChain) {
  const auto mismatch = [](int s, int n) {
    return at(s, "Genesis hash MISMATCH with peer " + ip(n) + " - incompatible software!");
  };
  EXPECT_EQ(count_of(mismatch(0, 1) + mismatch(1, 2), "FM-H8"), 0U);
  EXPECT_EQ(count_of(mismatch(0, 1) + mismatch(1, 2) + mismatch(2, 2), "FM-H8"), 0U);
  const auto report = read_log(mismatch(0, 1) + mismatch(1, 2) + mismatch(2, 3));
  EXPECT_EQ(codes_of(report), (std::vector<std::string>{"FM-H8", "FM-H6"}));
  EXPECT_EQ(report.findings[1].follows_from, "FM-H8");
  EXPECT_EQ(count_of(mismatch(0, 1) + mismatch(200, 2) + mismatch(301, 3), "FM-H8"), 0U);
}

TEST(LogStory, PeersAreBoundedAndTheLatestAreKept) {
  std::string text;
  for (int n = 0; n < 20'000; ++n) text += at(n / 10, "Connected to peer: " + ip(n));
  const auto report = read_log(text);
  EXPECT_LE(report.peers.size(), 100U);
  EXPECT_EQ(report.peers.size() + report.peers_left_out, 20'000U);
}

}  // namespace
}  // namespace timectl::diagnose
