// What an operator would tell of: processes that die, hang, restart for ever, clocks that jump,
// and peers that mean harm.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

#ifdef TIMECTL_SANITIZED
constexpr std::uint64_t kSeeds = 2;
#else
constexpr std::uint64_t kSeeds = 10;
#endif

std::unique_ptr<World> settled(std::uint16_t count, std::uint64_t seed = 1) {
  WorldOptions options;
  options.nodes = count;
  options.seed = seed;
  auto world = std::make_unique<World>(options);
  world->start_all();
  world->run(90s);
  EXPECT_EQ(world->missing_pairs(), 0U);
  return world;
}

std::size_t still_see(const World& world, std::uint16_t gone) {
  std::size_t count = 0;
  for (std::uint16_t i = 0; i < world.size(); ++i) {
    if (i != gone && world.node(i).connected(World::address(gone))) ++count;
  }
  return count;
}

TEST(Process, AKilledOneIsSeenWithinASecondAndIsBackWithinThreeSecondsOfItsReturn) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const auto world = settled(8, seed);
    const auto victim = static_cast<std::uint16_t>(seed % 8);
    world->begin({.kind = FaultKind::kill, .a = victim}, 20s);
    world->run(1s);
    EXPECT_EQ(still_see(*world, victim), 0U);
    world->run(22s);
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Process, AHostWithoutPowerIsSeenWithinAMinuteAndIsBackWithinThreeSecondsOfItsReturn) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const auto world = settled(8, seed);
    const auto victim = static_cast<std::uint16_t>(seed % 8);
    world->begin({.kind = FaultKind::power, .a = victim}, 10min);
    world->run(61s);
    EXPECT_EQ(still_see(*world, victim), 0U);
    world->run(10min - 61s + 3s);
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Process, AHostThatRebootsBeforeItIsMissedIsBackWithinTenSeconds) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const auto world = settled(8, seed);
    world->begin({.kind = FaultKind::power, .a = 3}, 25s);
    world->run(25s + 10s);  // the old sessions are probed for 3 s, then superseded (S4)
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Process, ACrashLoopNeverBecomesAFlood) {
  for (const std::int64_t every : {1, 2, 5, 13, 61}) {
    SCOPED_TRACE(every);
    const auto world = settled(8, static_cast<std::uint64_t>(every));
    std::array<std::size_t, 8> dials{};
    world->on_dial = [&](std::uint16_t node, std::uint16_t target) {
      if (node == 2) ++dials[target];
    };
    world->begin({.kind = FaultKind::crash_loop, .a = 2, .amount = every}, 10min);
    world->run(10min);
    EXPECT_LE(world->tally().most_dials_a_minute, 4U);  // the ledger outlives the process
    for (const std::size_t count : dials) EXPECT_LE(count, 44U);
    world->run(75min);  // its peers may have to wait for a hard row
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Process, AMinuteOfStandstillLosesNobodyAndEndsWithoutABurstOfPings) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const auto world = settled(20, seed);
    std::size_t pings = 0;
    world->on_ping = [&](std::uint16_t node, ConnectionId) { pings += node == 5 ? 1 : 0; };
    world->begin({.kind = FaultKind::sleep, .a = 5}, 60s);
    world->run(59s);
    EXPECT_EQ(pings, 0U);
    world->run(2s);
    EXPECT_LE(pings, 2U * 19U);  // one that is due and one to a suspect, however long it slept
    EXPECT_EQ(world->tally().sessions_lost, 0U);
  }
}

TEST(Process, AnHourOfStandstillIsOverWithinSecondsAndWithoutABurstOfPings) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const auto world = settled(20, seed);
    std::size_t pings = 0;
    world->on_ping = [&](std::uint16_t node, ConnectionId) { pings += node == 5 ? 1 : 0; };
    world->begin({.kind = FaultKind::sleep, .a = 5}, 1h);
    world->run(1h + 1s);
    EXPECT_LE(pings, 3U * 19U);
    world->run(Checks::kHealed);
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Process, AClockThatJumpsAnHourEitherWayChangesNothing) {
  const auto day = [](std::int64_t step) {
    const auto world = settled(8);
    world->begin({.kind = FaultKind::step, .a = 3, .amount = step}, 0s);
    world->run(6h);
    EXPECT_EQ(world->missing_pairs(), 0U);
    EXPECT_EQ(world->tally().sessions_lost, 0U);
    return world->tally().pings;
  };
  const auto undisturbed = day(0);
  EXPECT_EQ(day(3600), undisturbed);
  EXPECT_EQ(day(-3600), undisturbed);
}

TEST(Process, AClockThatJumpedWhileItWasDownKeepsNobodyAway) {
  for (const std::int64_t step : {3600, -3600, 86400, -86400}) {
    SCOPED_TRACE(step);
    const auto world = settled(8);
    world->begin({.kind = FaultKind::kill, .a = 3}, 30s);
    world->run(10s);
    world->begin({.kind = FaultKind::step, .a = 3, .amount = step}, 0s);
    world->run(20s + Checks::kHealed);
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Process, OneThatAnswersNoPingForFiveMinutesButTalksIsKeptWithAWarning) {
  const auto world = settled(8);
  std::size_t warnings = 0;
  world->on_event = [&](std::uint16_t, const Event& e) {
    if (e.kind == EventKind::peer_degraded && e.peer == World::address(4)) ++warnings;
  };
  world->begin({.kind = FaultKind::mute, .a = 4}, 5min);
  world->run(10min);
  EXPECT_EQ(world->tally().sessions_lost, 0U);
  EXPECT_EQ(world->missing_pairs(), 0U);
  EXPECT_EQ(warnings, 7U);  // one by each of its peers
}

TEST(Process, ASlowReaderIsNotADeadOne) {
  const auto world = settled(20);
  world->begin({.kind = FaultKind::slow, .a = 7, .amount = 100}, 1h);
  world->run(90min);
  EXPECT_EQ(world->tally().sessions_lost, 0U);
  EXPECT_EQ(world->missing_pairs(), 0U);
}

TEST(Hostile, NoFloodOfStrangersCostsAMasternodeOrKeepsOneOut) {
  for (std::uint16_t behaviour = 0; behaviour < 5; ++behaviour) {
    SCOPED_TRACE(behaviour);
    const auto world = settled(8, behaviour + 1U);
    world->begin({.kind = FaultKind::flood, .a = 0, .b = behaviour, .amount = 1200}, 30min);
    world->run(15min);
    EXPECT_EQ(world->tally().sessions_lost, 0U);
    world->begin({.kind = FaultKind::kill, .a = 5}, 5s);
    world->run(5s + 3s);
    EXPECT_EQ(world->missing_pairs(), 0U);
    EXPECT_GT(world->tally().strangers, 10'000U);
    EXPECT_LE(world->node(0).slots().regular, 75U);
    world->run(15min);
    EXPECT_EQ(world->missing_pairs(), 0U);
  }
}

TEST(Hostile, ASecondConnectionFromTheAddressOfALivePeerNeverTakesItsPlace) {
  const auto world = settled(6);
  world->begin({.kind = FaultKind::impostor, .a = 0, .b = 1, .amount = 300}, 1h);
  world->run(1h);
  EXPECT_EQ(world->tally().sessions_lost, 0U);
  EXPECT_EQ(world->missing_pairs(), 0U);
}

TEST(Hostile, ConnectionsFromTheAddressOfAPeerThatIsDownKeepItOutOnlyWhileTheyLast) {
  const auto world = settled(6);
  world->begin({.kind = FaultKind::impostor, .a = 0, .b = 1, .amount = 60}, 10min);
  world->begin({.kind = FaultKind::kill, .a = 1}, 1min);
  world->run(75min);
  EXPECT_EQ(world->missing_pairs(), 0U);
}

}  // namespace
}  // namespace timectl::sim
