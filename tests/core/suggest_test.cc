#include "daemon/core/suggest.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

constexpr double kDay = 86'400;
const SuggestPolicy kPolicy;

// Passes, by a little, in each respect.
SuggestFacts reliable(std::uint8_t last) {
  SuggestFacts peer;
  peer.ip = IpAddress::v4(198, 51, 100, last);
  peer.connected_seconds = 30 * kDay;
  peer.observed_seconds = 33 * kDay;
  peer.disconnects = 1;
  peer.pings = 86'400;
  peer.missed_pongs = 2;
  peer.score = 90;
  return peer;
}

std::vector<Suggestion> suggested(std::vector<SuggestFacts> peers) {
  return suggest(peers, kPolicy);
}

TEST(Suggest, AReliablePeerIsSuggestedAndTheReasonIsTheEvidence) {
  const auto rows = suggested({reliable(1)});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].ip, IpAddress::v4(198, 51, 100, 1));
  EXPECT_DOUBLE_EQ(rows[0].score, 90);
  EXPECT_DOUBLE_EQ(rows[0].observed_days, 30);
  EXPECT_DOUBLE_EQ(rows[0].uptime_ratio, 30.0 / 33);
  EXPECT_EQ(rows[0].because, "connected 30.0 of 33.0 days, 1 disconnect, 2 missed pongs of 86400");
}

TEST(Suggest, EachConditionAloneRefuses) {
  struct Case {
    const char* what;
    void (*spoil)(SuggestFacts& peer);
  };
  const Case kCases[] = {
      {"whitelisted already", [](SuggestFacts& peer) { peer.whitelisted = true; }},
      {"banned", [](SuggestFacts& peer) { peer.banned = true; }},
      {"no score", [](SuggestFacts& peer) { peer.score.reset(); }},
      {"score", [](SuggestFacts& peer) { peer.score = 89.99; }},
      {"days", [](SuggestFacts& peer) { peer.connected_seconds = 30 * kDay - 1; }},
      {"uptime", [](SuggestFacts& peer) { peer.observed_seconds = 40 * kDay; }},
      {"never looked at", [](SuggestFacts& peer) { peer.observed_seconds = 0; }},
  };
  for (const auto& test : kCases) {
    auto peer = reliable(1);
    test.spoil(peer);
    EXPECT_TRUE(suggested({peer}).empty()) << test.what;
  }
  EXPECT_EQ(suggested({reliable(1)}).size(), 1U) << "unspoilt it passes";
}

TEST(Suggest, TheBestComeFirstAndTheOrderIsTheSameAlways) {
  std::vector<SuggestFacts> peers{reliable(4), reliable(3), reliable(2), reliable(1)};
  peers[1].score = 95;
  peers[2].connected_seconds = 31 * kDay;
  const auto rows = suggested(peers);
  ASSERT_EQ(rows.size(), 4U);
  const std::uint8_t kOrder[] = {3, 2, 1, 4};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].ip, IpAddress::v4(198, 51, 100, kOrder[i])) << i;
  }
}

TEST(Suggest, UptimeIsNeverAboveOne) {
  auto peer = reliable(1);
  peer.observed_seconds = 29 * kDay;
  const auto rows = suggested({peer});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_DOUBLE_EQ(rows[0].uptime_ratio, 1);
  EXPECT_EQ(rows[0].because.find("30.0 of 30.0"), 10U) << rows[0].because;
}

}  // namespace
}  // namespace timectl
