// The TCP model against what real sockets do: the exact times of Linux, and the silences that
// faults.md measured under loss.
#include "tests/sim/tcp_link.h"

#include <gtest/gtest.h>

#include <vector>

#include "daemon/core/random.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

// A link that notes what arrives where and when.
struct Observed {
  explicit Observed(const LinkOptions& options) : link(options) {
    link.on_message = [this](std::uint8_t side, const Message& m) {
      arrivals.push_back({side, m.nonce, link.now()});
    };
    link.on_wake = [](std::uint8_t) {};
    link.on_dead = [this](std::uint8_t side) {
      dead.push_back({side, 0, link.now()});
      link.stop();
    };
  }
  struct Seen {
    std::uint8_t side;
    std::uint64_t nonce;
    Duration at;
  };
  TcpLink link;
  std::vector<Seen> arrivals;
  std::vector<Seen> dead;
};

TEST(TcpModel, AMessageTakesOneLatency) {
  Observed o({.latency = 30ms});
  o.link.write(0, {7, 0});
  o.link.run_until(1s);
  ASSERT_EQ(o.arrivals.size(), 1U);
  EXPECT_EQ(o.arrivals[0].side, 1);
  EXPECT_EQ(o.arrivals[0].nonce, 7U);
  EXPECT_EQ(o.arrivals[0].at, 30ms);
}

TEST(TcpModel, WhatIsLostIsRepeatedAtDoublingTimesAndHoldsUpWhatFollows) {
  Observed o({.latency = 10ms});
  o.link.cut(true, false);
  o.link.write(0, {1, 0});
  o.link.run_until(3s);
  o.link.write(0, {2, 0});
  o.link.run_until(4s);
  o.link.cut(false, false);
  o.link.run_until(30s);
  // Round trip 20 ms, so 220 ms each for the probe and the first time-out, then 440 ms, 880 ms ...:
  // the copies leave at 0.22, 0.44, 0.88, 1.76, 3.52 and 7.04 s, the second message after the ack.
  ASSERT_EQ(o.arrivals.size(), 2U);
  EXPECT_EQ(o.arrivals[0].nonce, 1U);
  EXPECT_NEAR(seconds(o.arrivals[0].at), 7.05, 0.02);
  EXPECT_EQ(o.arrivals[1].nonce, 2U);
  EXPECT_GT(o.arrivals[1].at, o.arrivals[0].at);
  EXPECT_LT(o.arrivals[1].at, o.arrivals[0].at + 100ms);
}

TEST(TcpModel, TheUserTimeoutRunsFromTheOldestByteThatIsNotAcknowledged) {
  for (const bool one_way : {true, false}) {
    Observed o({.latency = 10ms, .user_timeout = 45s});
    o.link.run_until(5s);
    o.link.cut(one_way, true);  // data arrives but its acknowledgement does not, or neither
    o.link.write(0, {1, 0});
    o.link.run_until(20s);
    o.link.write(0, {2, 0});
    o.link.run_until(200s);
    ASSERT_EQ(o.dead.size(), 1U);
    EXPECT_EQ(o.dead[0].side, 0);
    EXPECT_EQ(o.dead[0].at, 50s);
  }
}

TEST(TcpModel, WithoutAUserTimeoutADeadPathTakesAQuarterOfAnHour) {
  Observed o({.latency = 10ms});
  o.link.cut(true, true);
  o.link.write(0, {1, 0});
  o.link.run_until(2h);
  ASSERT_EQ(o.dead.size(), 1U);
  EXPECT_GT(o.dead[0].at, 924s);
  EXPECT_LT(o.dead[0].at, 1060s);
}

TEST(TcpModel, AllArrivesOnceAndInOrderWhateverIsLost) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Observed o({.seed = seed, .loss = 0.3, .latency = 20ms, .jitter = 500ms});
    Random random(seed);
    for (std::uint64_t i = 0; i < 300; ++i) {
      o.link.write(0, {i, 0});
      o.link.write(1, {i, 0});
      o.link.run_until(o.link.now() + Duration(random.below(2'000'000)));
    }
    o.link.run_until(o.link.now() + 1h);
    EXPECT_TRUE(o.dead.empty());
    std::array<std::uint64_t, 2> next{};
    for (const auto& seen : o.arrivals) EXPECT_EQ(seen.nonce, next[seen.side]++);
    EXPECT_EQ(next[0], 300U);
    EXPECT_EQ(next[1], 300U);
  }
}

// Per connection-hour, as in the table of faults.md; a third to three times of what was measured.
TEST(TcpModel, LossMakesTheSilencesThatRealSocketsShowed) {
  struct Row {
    double loss;
    double over_10s;
    double over_30s;
  };
  constexpr int kHours = 100;
  for (const Row& row : {Row{0.05, 0, 0}, Row{0.10, 0, 0}, Row{0.30, 24, 3.1}, Row{0.40, 70, 20}}) {
    double over_10s = 0;
    double over_30s = 0;
    for (std::uint64_t seed = 1; seed <= kHours; ++seed) {
      TcpLink link({.seed = seed, .loss = row.loss, .latency = 50us});
      Duration heard = {};
      link.on_message = [&](std::uint8_t side, const Message& m) {
        if (side == 1) return link.write(1, m);
        over_10s += link.now() - heard > 10s ? 1 : 0;
        over_30s += link.now() - heard > 30s ? 1 : 0;
        heard = link.now();
      };
      link.on_wake = [&](std::uint8_t) {
        link.write(0, {});
        link.wake_at(0, link.now() + 2s);
      };
      link.on_dead = [&](std::uint8_t) { link.renew(); };
      link.wake_at(0, 0s);
      link.run_until(1h);
    }
    EXPECT_LE(over_10s / kHours, row.over_10s * 3) << row.loss;
    EXPECT_GE(over_10s / kHours, row.over_10s / 3) << row.loss;
    EXPECT_LE(over_30s / kHours, row.over_30s * 3) << row.loss;
    EXPECT_GE(over_30s / kHours, row.over_30s / 3) << row.loss;
  }
}

}  // namespace
}  // namespace timectl::sim
