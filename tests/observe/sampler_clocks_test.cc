// Sampler in a world whose truth is known, with clocks, restarts and looks of any kind.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "daemon/observe/sampler.h"

namespace timectl::observe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const IpAddress kPeer = IpAddress::v4(10, 0, 0, 1);

PeerReading absent() {
  PeerReading out;
  out.ip = kPeer;
  out.whitelisted = true;
  return out;
}

class World {
 public:
  World(std::uint32_t seed, bool steady) : random_(seed), steady_(steady) {}

  void run(int looks) {
    for (int i = 0; i < looks; ++i) {
      const auto next = mono_ + (steady_ ? seconds(60) : seconds(1 + dice(200)));
      while (mono_ < next) second();
      if (!steady_) disturb();
      take_a_look();
    }
  }
  void check() {
    double looked = 0;
    for (const auto& [key, row] : stored_) {
      looked += row.seconds;
      EXPECT_LE(row.seconds, 300.0001);
      EXPECT_LE(row.connected_seconds, row.seconds + 1e-6);
      EXPECT_LE(row.own_outage_seconds, row.seconds - row.connected_seconds + 1e-6);
      EXPECT_GE(row.own_outage_seconds, 0);
      EXPECT_LE(row.whitelisted_seconds, row.seconds + 1e-6);
      EXPECT_EQ(row.at, step_of(SampleStep::five_minutes, row.at));
    }
    // Each second of the wall clock that passed at all, once.
    EXPECT_LE(looked, static_cast<double>(wall_seconds_.size()) + 1e-6);
    EXPECT_GT(looked, static_cast<double>(wall_seconds_.size()) / 4) << "hardly any time counts";
    if (!steady_) return;
    double up = 0;
    std::uint64_t pings = 0;
    std::uint64_t disconnects = 0;
    for (const auto& [key, row] : stored_) {
      up += row.connected_seconds;
      pings += row.pings;
      disconnects += row.disconnects;
    }
    EXPECT_NEAR(looked, static_cast<double>(looked_truth_), 1e-6);
    EXPECT_NEAR(up, static_cast<double>(up_truth_), 1e-6);
    EXPECT_EQ(disconnects, ends_truth_.size());
    EXPECT_LE(pings, pings_truth_);
    EXPECT_GT(up_truth_, 0);
    EXPECT_FALSE(ends_truth_.empty());
    EXPECT_LT(ends_truth_.size(), ends_) << "no end was by a fault of our own";
  }

 private:
  int dice(int sides) { return static_cast<int>(random_() % static_cast<std::uint32_t>(sides)); }
  [[nodiscard]] Now now() const {
    const WallTime noon = parse_rfc3339("2026-11-21T12:00:00Z").value();
    return {Instant(hours(1) + mono_),
            noon + set_ + std::chrono::duration_cast<milliseconds>(mono_)};
  }

  void second() {
    wall_seconds_.insert(std::chrono::floor<seconds>(now().wall).time_since_epoch().count());
    if (looked_) ++looked_truth_;
    if (looked_ && session_) ++up_truth_;
    mono_ += seconds(1);
    if (dice(40) == 0) toggle();
    if (session_ && dice(30) == 0) ++session_->pings, ++pings_truth_;
  }
  void toggle() {
    if (!session_) {
      session_ = absent();
      session_->state = PeerState::connected;
      session_->connected_at = now().wall;
      return;
    }
    SessionRecord record;
    record.ip = kPeer;
    record.whitelisted = true;
    record.started_at = *session_->connected_at;
    record.ended_at = now().wall;
    record.end_reason = dice(2) == 0 ? EndReason::closed_by_peer : EndReason::evicted;
    if (record.end_reason == EndReason::closed_by_peer) {
      ++ends_;
      if (!sick_) ends_truth_.push_back(mono_);
    }
    sampler_.note_end(record, now());
    session_.reset();
  }
  void disturb() {
    switch (dice(12)) {
      case 0:
        set_ += seconds(dice(600));
        break;
      case 1:
        set_ -= seconds(dice(600));
        break;
      case 2:
        set_ += hours(dice(48) - 24);
        break;
      case 3:
        mono_ += minutes(dice(10));
        break;  // the host slept
      case 4: {
        sampler_ = {};
        session_.reset();
        const auto step = step_of(SampleStep::five_minutes, now().wall);
        std::vector<PeerSample> rows;
        if (stored_.contains(step)) rows.push_back(stored_[step]);
        sampler_.resume(rows, std::nullopt);
        break;
      }
      default:
        break;
    }
  }
  void take_a_look() {
    std::vector<PeerReading> peers{session_ ? *session_ : absent()};
    sick_ = dice(5) == 0;
    sampler_.look(peers, {.sick = sick_}, now());
    if (sick_) {
      std::erase_if(ends_truth_, [&](Duration at) { return mono_ - at <= Sampler::kShown; });
    }
    looked_ = true;
    for (const auto& row : sampler_.rows().peers) {
      // The store's rule: what was looked at for longer stays.
      auto [it, first] = stored_.try_emplace(row.at, row);
      if (!first && row.seconds >= it->second.seconds) it->second = row;
    }
    if (dice(3) > 0) sampler_.stored();
  }

  std::mt19937 random_;
  bool steady_;
  Sampler sampler_;
  Duration mono_ = {};
  milliseconds set_ = {};
  bool looked_ = false;
  std::optional<PeerReading> session_;
  std::map<WallTime, PeerSample> stored_;
  std::set<std::int64_t> wall_seconds_;
  long looked_truth_ = 0;
  long up_truth_ = 0;
  std::vector<Duration> ends_truth_;  // that are the peer's
  std::uint64_t ends_ = 0;
  bool sick_ = false;
  std::uint64_t pings_truth_ = 0;
};

TEST(Sampler, WithSteadyClocksTheSumsAreTheTruth) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    World world(seed, true);
    world.run(200);
    world.check();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

TEST(Sampler, WhateverTheClocksDoNoSecondCountsTwice) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    World world(seed, false);
    world.run(200);
    world.check();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace timectl::observe
