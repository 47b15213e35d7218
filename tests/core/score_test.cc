#include "daemon/core/score.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <regex>

#include "daemon/core/json.h"
#include "daemon/core/random.h"
#include "tests/paths.h"

namespace timectl {
namespace {

using Kind = ScoreEvidence::Kind;

constexpr WallTime kStart{1'784'000'000'000ms};
const ScorePolicy kPolicy;

// Any evidence, plausible or not, of one instant.
ScoreEvidence any(Random& random, WallTime at) {
  switch (random.below(8)) {
    case 0:
      return ScoreEvidence::presence(at, 300s, Duration(random.below(300'000'000)));
    case 1:
      return ScoreEvidence::pings(at, 20, random.below(21));
    case 2:
      return ScoreEvidence::round_trip(at, random.unit() * 400);
    case 3:
      return ScoreEvidence::jitter_of(at, random.unit() * 80);
    case 4:
      return ScoreEvidence::behind(at, random.below(200));
    case 5:
      return ScoreEvidence::ended(at, static_cast<EndReason>(random.below(25)));
    case 6:
      return ScoreEvidence::violated(at, static_cast<ViolationKind>(random.below(12)));
    default:
      return ScoreEvidence::misled(at, static_cast<ChainMisconduct>(random.below(3)));
  }
}

// A peer whose usual round trip and jitter are known.
Score settled(WallTime at) {
  Score score;
  for (int i = 0; i < 60; ++i) {
    score.note(ScoreEvidence::round_trip(at - 3h + 1s * i, 40), kPolicy);
    score.note(ScoreEvidence::jitter_of(at - 3h + 1s * i, 4), kPolicy);
  }
  return score;
}

double neutral() {
  return Score().value(kPolicy, kStart);
}

void expect_sound(const Score& score, WallTime now) {
  const auto view = score.view(kPolicy, now);
  double lost = 0;
  for (const auto& part : view.parts) {
    lost += part.penalty;
    EXPECT_GE(part.penalty, 0) << part.name;
    EXPECT_LE(part.penalty, part.weight + 1e-9) << part.name;
    EXPECT_FALSE(part.evidence.empty());
    EXPECT_EQ(part.improve.empty(), part.penalty < 0.2) << part.name << part.penalty;
  }
  EXPECT_TRUE(view.score >= 0 && view.score <= 100) << view.score;
  EXPECT_NEAR(lost, 100 - view.score, 1e-6);
}

TEST(Score, IsBoundedAndItsPenaltiesAddUp) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    Score score = settled(kStart);
    auto at = kStart;
    for (int i = 0; i < 200; ++i) {
      at += std::chrono::milliseconds(random.below(3'600'000));
      score.note(any(random, at), kPolicy);
    }
    expect_sound(score, at);
    expect_sound(score, at + 24h * 365);
  }
}

TEST(Score, NumbersThatAreNoneDoNoHarm) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0,
        std::numeric_limits<double>::max()}) {
    for (int kind = 0; kind < 8; ++kind) {
      Score score = settled(kStart);
      ScoreEvidence e{.at = kStart, .kind = static_cast<Kind>(kind), .amount = bad, .bad = bad};
      for (int i = 0; i < 5; ++i) score.note(e, kPolicy);
      const auto value = score.value(kPolicy, kStart);
      EXPECT_TRUE(value >= 0 && value <= 100) << kind << " " << bad << " " << value;
    }
  }
}

TEST(Score, OfAStrangerIsNeutralAndOfAGoodPeerBetter) {
  EXPECT_NEAR(neutral(), 67.5, 0.01);  // half of the five means
  Score good = settled(kStart);
  Score bad = settled(kStart);
  for (int i = 0; i < 24 * 12 * 7; ++i) {
    const auto at = kStart + 5min * i;
    good.note(ScoreEvidence::presence(at, 300s, 0s), kPolicy);
    good.note(ScoreEvidence::pings(at, 20, 0), kPolicy);
    good.note(ScoreEvidence::round_trip(at, 40), kPolicy);
    good.note(ScoreEvidence::jitter_of(at, 4), kPolicy);
    good.note(ScoreEvidence::behind(at, 1), kPolicy);
    bad.note(ScoreEvidence::presence(at, 300s, 120s), kPolicy);
    bad.note(ScoreEvidence::pings(at, 20, 5), kPolicy);
    bad.note(ScoreEvidence::behind(at, 90), kPolicy);
    if (i % 24 == 0) bad.note(ScoreEvidence::ended(at, EndReason::transport_dead), kPolicy);
  }
  const auto end = kStart + 24h * 7;
  EXPECT_GT(good.value(kPolicy, end), 95);
  EXPECT_LT(bad.value(kPolicy, end), 40);
}

// Worse evidence in the place of better never gives a higher score.
TEST(Score, IsMonotoneInItsEvidence) {
  struct Pair {
    ScoreEvidence better, worse;
  };
  const auto at = kStart + 1h;
  const Pair pairs[] = {
      {ScoreEvidence::presence(at, 300s, 10s), ScoreEvidence::presence(at, 300s, 11s)},
      {ScoreEvidence::pings(at, 20, 0), ScoreEvidence::pings(at, 20, 1)},
      {ScoreEvidence::round_trip(at, 60), ScoreEvidence::round_trip(at, 61)},
      {ScoreEvidence::jitter_of(at, 9), ScoreEvidence::jitter_of(at, 12)},
      {ScoreEvidence::behind(at, 3), ScoreEvidence::behind(at, 4)},
      {ScoreEvidence::ended(at, EndReason::superseded),
       ScoreEvidence::ended(at, EndReason::closed_by_peer)},
      {ScoreEvidence::ended(at, EndReason::closed_by_peer),
       ScoreEvidence::ended(at, EndReason::unresponsive)},
      {ScoreEvidence::violated(at, ViolationKind::slow),
       ScoreEvidence::violated(at, ViolationKind::flood)},
      {ScoreEvidence::violated(at, ViolationKind::unasked_blocks),
       ScoreEvidence::violated(at, ViolationKind::bad_block)},
      {ScoreEvidence::misled(at, ChainMisconduct::oscillating),
       ScoreEvidence::misled(at, ChainMisconduct::changed_hash)},
  };
  for (const auto& pair : pairs) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      Random random(seed);
      Score better = settled(kStart);
      for (int i = 0; i < 30; ++i) better.note(any(random, kStart + 1min * i), kPolicy);
      Score worse = better;
      better.note(pair.better, kPolicy);
      worse.note(pair.worse, kPolicy);
      EXPECT_GE(better.value(kPolicy, at), worse.value(kPolicy, at))
          << static_cast<int>(pair.worse.kind) << " seed " << seed;
    }
    // And it is not simply deaf to the difference.
    Score better = settled(kStart);
    Score worse = better;
    better.note(pair.better, kPolicy);
    worse.note(pair.worse, kPolicy);
    EXPECT_GT(better.value(kPolicy, at), worse.value(kPolicy, at))
        << static_cast<int>(pair.worse.kind);
  }
}

TEST(Score, OneMoreFaultNeverRaisesIt) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    Score score = settled(kStart);
    for (int i = 0; i < 30; ++i) score.note(any(random, kStart + 1min * i), kPolicy);
    const auto at = kStart + 40min;
    score.note(ScoreEvidence::pings(at, 0, 0), kPolicy);  // so that both have aged as far
    const ScoreEvidence faults[] = {ScoreEvidence::presence(at, 60s, 60s),
                                    ScoreEvidence::pings(at, 1, 1),
                                    ScoreEvidence::round_trip(at, 40 * 6),
                                    ScoreEvidence::behind(at, 200),
                                    ScoreEvidence::ended(at, EndReason::unresponsive),
                                    ScoreEvidence::violated(at, ViolationKind::flood)};
    for (const auto& fault : faults) {
      Score after = score;
      after.note(fault, kPolicy);
      EXPECT_LE(after.value(kPolicy, at), score.value(kPolicy, at) + 1e-9)
          << static_cast<int>(fault.kind);
    }
  }
}

TEST(Score, EvidenceOfOneInstantCountsTheSameInAnyOrder) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Score begin = settled(kStart);
    std::vector<ScoreEvidence> all;
    for (int i = 0; i < 60; ++i) all.push_back(any(random, kStart + 2h));
    Score one = begin;
    for (const auto& e : all) one.note(e, kPolicy);
    for (int round = 0; round < 5; ++round) {
      for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
      Score other = begin;
      for (const auto& e : all) other.note(e, kPolicy);
      EXPECT_EQ(one.state(), other.state()) << "seed " << seed;
    }
  }
}

TEST(Score, LateEvidenceIsAgedByItsOwnTime) {
  Score in_time;
  in_time.note(ScoreEvidence::ended(kStart, EndReason::unresponsive), kPolicy);
  in_time.note(ScoreEvidence::pings(kStart + 1h, 20, 0), kPolicy);
  Score late;
  late.note(ScoreEvidence::pings(kStart + 1h, 20, 0), kPolicy);
  late.note(ScoreEvidence::ended(kStart, EndReason::unresponsive), kPolicy);
  EXPECT_NEAR(in_time.value(kPolicy, kStart + 1h), late.value(kPolicy, kStart + 1h), 1e-6);
  // Two points, a twenty-fourth of a half-life ago.
  EXPECT_NEAR(static_cast<double>(late.state().disconnects), 2e6 * std::exp2(-1.0 / 24), 1);
}

TEST(Score, ClockThatWasAYearAheadIsForgottenWithTheFirstEvidenceOfTheRightOne) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const auto wrong = kStart + 24h * 400;
    Score score = settled(wrong);
    for (int i = 0; i < 30; ++i) score.note(any(random, wrong + 1min * i), kPolicy);
    ScoreState loaded;  // and a restart in between
    ASSERT_TRUE(from_json(json::parse(json::serialize(to_json(score.state()))), loaded, ""));
    const auto before = score.value(kPolicy, kStart);
    score = Score(loaded);
    EXPECT_EQ(score.value(kPolicy, kStart), before) << "it does not wait for its own time";
    score.note(ScoreEvidence::pings(kStart, 0, 0), kPolicy);
    EXPECT_EQ(score.state().at, kStart);
    EXPECT_NEAR(score.value(kPolicy, kStart), before, 1e-6);
    for (const auto& at : {score.state().ended_at, score.state().violated_at}) {
      EXPECT_TRUE(!at || *at <= kStart);
    }
    expect_sound(score, kStart);
    // New faults count in full, and all of it decays.
    for (int i = 0; i < 300; ++i) score.note(ScoreEvidence::presence(kStart, 1h, 1h), kPolicy);
    EXPECT_LT(score.value(kPolicy, kStart), before);
    for (int i = 0; i < 100; ++i) score.note(ScoreEvidence::round_trip(kStart + 2h, 40), kPolicy);
    EXPECT_GE(score.state().usual_rtt.next_count, 100'000'000) << "the usual is renewed, too";
    EXPECT_NEAR(score.value(kPolicy, kStart + 24h * 300), neutral(), 0.5);
  }
}

TEST(Score, DecaysToNeutralFromBothSides) {
  Score good = settled(kStart);
  Score bad = settled(kStart);
  for (int i = 0; i < 2000; ++i) {
    good.note(ScoreEvidence::presence(kStart + 5min * i, 300s, 0s), kPolicy);
    good.note(ScoreEvidence::pings(kStart + 5min * i, 20, 0), kPolicy);
    bad.note(ScoreEvidence::presence(kStart + 5min * i, 300s, 300s), kPolicy);
    bad.note(ScoreEvidence::violated(kStart + 5min * i, ViolationKind::bad_block), kPolicy);
  }
  const auto end = kStart + 5min * 2000;
  EXPECT_GT(good.value(kPolicy, end), neutral() + 15);
  EXPECT_LT(bad.value(kPolicy, end), neutral() - 10);
  double before_good = 100, before_bad = 0;
  for (int week = 0; week < 30; ++week) {
    const auto now = end + 24h * 7 * week;
    EXPECT_LE(good.value(kPolicy, now), before_good + 1e-9);
    EXPECT_GE(bad.value(kPolicy, now), before_bad - 1e-9);
    before_good = good.value(kPolicy, now);
    before_bad = bad.value(kPolicy, now);
  }
  EXPECT_NEAR(before_good, neutral(), 0.1);
  EXPECT_NEAR(before_bad, neutral(), 0.1);
}

TEST(Score, IsComparedWithItsOwnUsualRoundTrip) {
  Score near = settled(kStart);  // 40 ms
  Score far;
  for (int i = 0; i < 60; ++i)
    far.note(ScoreEvidence::round_trip(kStart - 3h + 1s * i, 300), kPolicy);
  for (int i = 0; i < 200; ++i) {
    near.note(ScoreEvidence::round_trip(kStart + 1s * i, 120), kPolicy);
    far.note(ScoreEvidence::round_trip(kStart + 1s * i, 300), kPolicy);
  }
  const auto rtt = [](const Score& score) { return score.view(kPolicy, kStart + 200s).parts[2]; };
  ASSERT_EQ(rtt(near).name, "rtt");
  EXPECT_NEAR(*rtt(near).value, 2.0, 0.01);  // three times its usual
  EXPECT_NEAR(*rtt(far).value, 0.0, 0.01);   // far away, as always
  EXPECT_GT(rtt(near).penalty, 9);
  EXPECT_LT(rtt(far).penalty, 1);
}

TEST(Score, ARestartChangesNothing) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Score score;
    Score restarted;
    for (int i = 0; i < 300; ++i) {
      const auto e = any(random, kStart + 7min * i);
      score.note(e, kPolicy);
      const auto stored = json::serialize(to_json(restarted.state()));
      ScoreState loaded;
      ASSERT_TRUE(from_json(json::parse(stored), loaded, ""));
      restarted = Score(loaded);
      restarted.note(e, kPolicy);
    }
    EXPECT_EQ(score.state(), restarted.state());
    EXPECT_EQ(score.value(kPolicy, kStart + 40h), restarted.value(kPolicy, kStart + 40h));
  }
}

TEST(Score, AStateThatNoEvidenceMakesIsPutRight) {
  ScoreState broken;
  broken.uptime = {-5, -7};
  broken.loss = {std::numeric_limits<std::int64_t>::max(),
                 std::numeric_limits<std::int64_t>::max()};
  broken.violations = std::numeric_limits<std::int64_t>::min();
  broken.usual_rtt = {1, -1, 0, std::numeric_limits<std::int64_t>::max(), -9};
  Score score(broken);
  score.note(ScoreEvidence::round_trip(kStart, 40), kPolicy);
  score.note(ScoreEvidence::pings(kStart, 20, 20), kPolicy);
  const auto value = score.value(kPolicy, kStart);
  EXPECT_TRUE(value >= 0 && value <= 100) << value;
}

TEST(Score, EveryPartSaysWhyAndWhatWouldImproveIt) {
  Score score = settled(kStart);
  score.note(ScoreEvidence::presence(kStart, 24h, 6h), kPolicy);
  score.note(ScoreEvidence::pings(kStart, 1000, 50), kPolicy);
  score.note(ScoreEvidence::behind(kStart, 12), kPolicy);
  score.note(ScoreEvidence::ended(kStart, EndReason::transport_dead), kPolicy);
  score.note(ScoreEvidence::violated(kStart, ViolationKind::slow), kPolicy);
  score.note(ScoreEvidence::violated(kStart, ViolationKind::bad_block), kPolicy);
  const auto view = score.view(kPolicy, kStart);
  const auto part = [&](std::string_view name) {
    const auto at = std::find_if(view.parts.begin(), view.parts.end(),
                                 [&](const ScorePartView& p) { return p.name == name; });
    return at == view.parts.end() ? ScorePartView{} : *at;
  };
  EXPECT_EQ(part("uptime").evidence, "25.0 % of the time without a session");
  EXPECT_EQ(part("loss").evidence, "5.00 % of our pings without an answer");
  EXPECT_EQ(part("lag").evidence, "10.0 blocks behind what is believed, on average");
  EXPECT_EQ(part("disconnects").evidence,
            "1.5 points for sessions that it or its path ended; last: transport_dead at " +
                utc_text(kStart));
  EXPECT_EQ(part("violations").evidence,
            "2.0 points for violations of the protocol; last: slow at " + utc_text(kStart));
  EXPECT_EQ(part("misconduct").evidence,
            "5.0 points for what it did with its chain; last: bad_block at " + utc_text(kStart));
  EXPECT_EQ(part("misconduct").penalty, 5);  // half of its ten points
  EXPECT_NE(part("loss").improve.find("1 d"), std::string::npos) << part("loss").improve;
}

TEST(Score, WhatOnlyTheNeutralPriorCostsIsNotCalledALoss) {
  Score score;
  score.note(ScoreEvidence::pings(kStart, 100, 0), kPolicy);
  score.note(ScoreEvidence::presence(kStart, 1h, 10min), kPolicy);
  const auto parts = score.view(kPolicy, kStart).parts;
  EXPECT_EQ(parts[1].name, "loss");
  EXPECT_GT(parts[1].penalty, 1);
  EXPECT_EQ(parts[1].improve, "Nothing is held against it: more time with it brings the rest.");
  EXPECT_NE(parts[0].improve.find("half of what was missed"), std::string::npos) << "the control";
}

TEST(Score, EndsOfOurOwnDoingCostNothing) {
  for (const auto reason :
       {EndReason::closed_by_operator, EndReason::superseded, EndReason::duplicate,
        EndReason::shutdown, EndReason::evicted, EndReason::banned, EndReason::self_connection}) {
    EXPECT_EQ(disconnect_points(reason), 0) << name_of(reason);
  }
  EXPECT_GT(disconnect_points(EndReason::unresponsive), 0);
}

// A score is no ground to take protection away: its interface has no word for protection.
TEST(Score, ItsInterfaceKnowsNobodysProtection) {
  const std::regex word("whitelist|standing|immun|protect", std::regex::icase);
  for (const char* file : {"score.h", "score_policy.h", "score.cc", "score_view.cc"}) {
    std::ifstream source(std::string(TIMECTL_SOURCE_DIR) + "/daemon/core/" + file);
    ASSERT_TRUE(source) << file;
    for (std::string line; std::getline(source, line);) {
      const auto code = line.substr(0, line.find("//"));
      EXPECT_FALSE(std::regex_search(code, word)) << file << ": " << line;
    }
  }
  EXPECT_TRUE(std::regex_search(std::string("bool whitelisted"), word));
}

}  // namespace
}  // namespace timectl
