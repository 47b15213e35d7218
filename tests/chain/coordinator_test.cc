// Coordinator by itself: what it asks, of whom, and what it says, with jobs answered by hand. How
// it fares among peers is in tests/sim/chain_*.
#include "daemon/chain/coordinator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/chain/toy_chain_view.h"

namespace timectl::chain {
namespace {

using namespace std::chrono_literals;

IpAddress masternode(std::uint8_t n) {
  return IpAddress::v4(64, 0, 0, n);
}
IpAddress stranger(std::uint8_t n) {
  return IpAddress::v4(203, 0, 113, n);
}

class CoordinatorTest : public testing::Test {
 protected:
  void make(Height height, Height expected, bool paused = false) {
    chain.emplace(height);
    now.wall = WallTime(std::chrono::seconds(ToyChain::time_of(expected) + 5));
    CoordinatorOptions options;
    options.network = wire::Network::testnet;
    options.seed = 1;
    options.paused = paused;
    options.masternode = [](const IpAddress& ip) { return ip.bytes()[12] == 64; };
    options.masternodes = [this] { return whitelisted; };
    coordinator.emplace(std::move(options), *chain, now);
    collect();
  }
  void connect(const IpAddress& ip, Height height, std::uint8_t branch = 0) {
    coordinator->on_connected(ip, now);
    coordinator->on_tip(ip, {height, hash_of(height, branch)}, now);
    collect();
  }
  void collect() {
    coordinator->check_invariants();
    for (auto& command : coordinator->take_commands()) {
      if (auto* start = std::get_if<StartJob>(&command)) {
        started.push_back(start->job);
        if (answer_upkeep && std::holds_alternative<DropStagedJob>(start->job)) {
          coordinator->on_job_done(JobDone(DropStagedDone{}), now);
          collect();
        }
      } else if (auto* event = std::get_if<RecordEvent>(&command)) {
        events.push_back(event->event);
      } else if (auto* ask = std::get_if<AskBlocks>(&command)) {
        asked[ask->peer].emplace_back(ask->first, ask->last);
      }
      commands.push_back(std::move(command));
    }
  }
  void run(Duration length) {
    const Instant end = now.mono + length;
    while (coordinator->next_tick() <= end) {
      const Instant next = std::max(coordinator->next_tick(), now.mono + 1ms);
      now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(next - now.mono);
      now.mono = next;
      coordinator->tick(now);
      collect();
    }
    now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(end - now.mono);
    now.mono = end;
  }
  [[nodiscard]] std::size_t count(EventKind kind) const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [&](const Event& event) { return event.kind == kind; }));
  }
  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& command : commands) {
      if (const auto* one = std::get_if<T>(&command)) found.push_back(*one);
    }
    return found;
  }
  void serve(const IpAddress& ip, Height first, Height last) {
    BlockBatch batch;
    for (Height height = first; height <= last; ++height) batch.heights.push_back(height);
    batch.payload.resize(100 * batch.heights.size());
    coordinator->on_blocks(ip, std::move(batch), now);
    collect();
  }
  Height feed(const IpAddress& who, Duration length);
  [[nodiscard]] bool verifying() const {
    return started.size() > stored && std::holds_alternative<VerifyJob>(started.back());
  }
  // The job that was started last stores what it was given.
  void store() {
    const auto job = std::get<VerifyJob>(started.back());
    VerifyDone done;
    for (const Height height : job.batch->heights) done.hashes.push_back(hash_of(height));
    const Height top = job.batch->heights.back();
    done.tip = ChainTip{{top, hash_of(top), 0}, ToyChain::time_of(top)};
    stored = started.size();
    coordinator->on_job_done(JobDone(std::move(done)), now);
    collect();
  }

  std::size_t stored = 0;  // jobs that were started before the last one that was done
  Now now{Instant(1000h), {}};
  std::size_t whitelisted = 5;
  std::optional<ToyChain> chain;
  std::optional<Coordinator> coordinator;
  bool answer_upkeep = true;
  std::vector<ChainCommand> commands;
  std::vector<Job> started;
  std::vector<Event> events;
  std::map<IpAddress, std::vector<std::pair<Height, Height>>> asked;
};

TEST_F(CoordinatorTest, BlocksThatTwoMasternodesAgreeOnAreFetchedFromThemInBatches) {
  make(100, 1000);
  connect(masternode(1), 400);
  connect(masternode(2), 400);
  run(1s);
  ASSERT_EQ(asked.size(), 2U);
  for (const auto& [ip, ranges] : asked) {
    ASSERT_EQ(ranges.size(), 1U) << "one outstanding a peer";
    EXPECT_EQ(ranges[0].second - ranges[0].first, 49U);
  }
  EXPECT_EQ(count(EventKind::sync_started), 1U);
}

TEST_F(CoordinatorTest, OneMasternodeAboveThreeOthersIsNotFollowed) {
  make(400, 1000);
  for (std::uint8_t n = 1; n <= 3; ++n) connect(masternode(n), 400);
  connect(masternode(4), 900);
  run(2min);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(coordinator->status(now).lag_blocks, 0U);
  EXPECT_EQ(coordinator->status(now).claimed_height, 900U) << "but it is shown";
}

TEST_F(CoordinatorTest, OneMasternodeIsFollowedWhereFewerStandLower) {  // the control
  make(400, 1000);
  connect(masternode(1), 400);
  connect(masternode(4), 900);
  run(2min);
  EXPECT_TRUE(asked.contains(masternode(4)));
}

TEST_F(CoordinatorTest, AStrangerIsFollowedNoFurtherThanCanBeTakenBack) {
  make(100, 10'000);
  connect(stranger(1), 9000);
  run(1s);
  for (Height first = 101; first <= 300 && asked.contains(stranger(1)); first += 50) {
    const auto range = asked.at(stranger(1)).back();
    if (range.first != first) break;
    serve(stranger(1), range.first, range.second);
    store();
    run(1s);
  }
  Height highest = 0;
  for (const auto& [first, last] : asked[stranger(1)]) highest = std::max(highest, last);
  EXPECT_GT(highest, 100U);
  EXPECT_LE(highest, 200U);
}

// Everything that `who` is asked for is answered, and what comes is stored.
Height CoordinatorTest::feed(const IpAddress& who, Duration length) {
  const Instant end = now.mono + length;
  while (now.mono < end) {
    run(100ms);
    for (const auto& question : all<AskHash>()) {
      if (question.peer == who) {
        coordinator->on_hash(who, question.height, hash_of(question.height), now);
      }
    }
    commands.clear();
    collect();
    for (const auto& [first, last] : std::exchange(asked[who], {})) serve(who, first, last);
    while (coordinator->status(now).height && verifying()) store();
  }
  return *coordinator->status(now).height;
}

TEST_F(CoordinatorTest, BlocksThatNobodyPinsAreTakenNoFurtherThanCanBeTakenBack) {
  make(100, 1000);
  connect(masternode(1), 900);
  connect(masternode(2), 900);  // they agree on the tip, and answer for no block below it
  EXPECT_LE(feed(masternode(1), 60s), 200U);
}

TEST_F(CoordinatorTest, WhoeverIsThereFirstLeadsNoFurtherThanCanBeTakenBack) {
  make(100, 1000);
  connect(masternode(1), 900);
  EXPECT_LE(feed(masternode(1), 60s), 200U) << "four others may be on their way";
  EXPECT_EQ(feed(masternode(1), 5min), 900U) << "they have not come";
}

TEST_F(CoordinatorTest, TheOnlyMasternodeOfTheWhitelistIsFollowedAtOnce) {
  whitelisted = 1;
  make(100, 1000);
  connect(masternode(1), 900);
  EXPECT_EQ(feed(masternode(1), 60s), 900U);
}

TEST_F(CoordinatorTest, OnAnotherBranchThanTheBelievedOneIsNotInSync) {
  make(100, 100);
  for (std::uint8_t n = 1; n <= 3; ++n) connect(masternode(n), 100, 7);
  run(1s);
  const auto view = coordinator->status(now);
  EXPECT_EQ(view.best_height, 100U);
  EXPECT_TRUE(view.other_branch);
  EXPECT_GT(view.lag_blocks, 0U);
  EXPECT_FALSE(view.network_stalled);
}

TEST_F(CoordinatorTest, BlocksThatNobodyAskedForAreDroppedAndSaidOnceAMinute) {
  make(100, 1000);
  connect(stranger(1), 100);
  for (int i = 0; i < 10; ++i) serve(stranger(1), 101, 150);
  EXPECT_TRUE(std::none_of(started.begin(), started.end(),
                           [](const Job& job) { return std::holds_alternative<VerifyJob>(job); }));
  ASSERT_EQ(all<Accuse>().size(), 1U);
  EXPECT_EQ(all<Accuse>()[0].kind, ViolationKind::unasked_blocks);
  run(61s);
  serve(stranger(1), 101, 150);
  EXPECT_EQ(all<Accuse>().size(), 2U);
}

TEST_F(CoordinatorTest, AStoreThatFailsIsSaidOnceAndTriedAgainUntilItWorks) {
  make(100, 1000);
  connect(masternode(1), 110);
  connect(masternode(2), 110);
  run(1s);
  const auto [ip, ranges] = *asked.begin();
  serve(ip, ranges[0].first, ranges[0].second);
  run(11s);  // nobody answers for the hash: it is not waited for longer
  ASSERT_TRUE(std::holds_alternative<VerifyJob>(started.back()));
  const auto jobs = started.size();
  for (int i = 0; i < 3; ++i) {
    coordinator->on_job_done(Error{Code::database_full, "the disk is full"}, now);
    collect();
    run(31s);
  }
  EXPECT_EQ(started.size(), jobs + 3) << "the same job again, each 30 s";
  EXPECT_EQ(count(EventKind::chain_failed), 1U);
  EXPECT_EQ(coordinator->status(now).activity, SyncActivity::stalled);
  store();
  EXPECT_EQ(count(EventKind::chain_recovered), 1U);
  EXPECT_EQ(coordinator->status(now).height, 110U);
}

// How long a batch waits for the words of two masternodes about its last block.
TEST_F(CoordinatorTest, ABatchIsVerifiedWhenTheMasternodesHaveSaidWhatItsLastBlockIs) {
  for (const bool answered : {true, false}) {
    started.clear();
    asked.clear();
    make(100, 1000);
    connect(masternode(1), 110);
    connect(masternode(2), 110);
    run(1s);
    ASSERT_EQ(asked.size(), 1U);
    serve(asked.begin()->first, 101, 110);
    EXPECT_FALSE(std::holds_alternative<VerifyJob>(started.back()));
    for (const auto& ip : {masternode(1), masternode(2)}) {
      if (answered) coordinator->on_hash(ip, 110, hash_of(110), now);
    }
    collect();
    run(answered ? 0s : 8s);
    ASSERT_EQ(std::holds_alternative<VerifyJob>(started.back()), answered);
    run(3s);
    ASSERT_TRUE(std::holds_alternative<VerifyJob>(started.back()));
    const auto& job = std::get<VerifyJob>(started.back());
    EXPECT_EQ(job.whole, answered);
    EXPECT_EQ(
        std::find(job.known.begin(), job.known.end(), Tip{110, hash_of(110)}) != job.known.end(),
        true);
  }
}

TEST_F(CoordinatorTest, APauseIsSavedAndNothingIsAskedUntilItEnds) {
  make(100, 1000);
  coordinator->pause(true, now);
  coordinator->pause(true, now);
  collect();
  ASSERT_EQ(all<SavePaused>().size(), 1U) << "once: it was paused already";
  EXPECT_TRUE(all<SavePaused>()[0].paused);
  connect(masternode(1), 900);
  connect(masternode(2), 900);
  run(5min);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(coordinator->status(now).activity, SyncActivity::paused);
  EXPECT_EQ(coordinator->status(now).lag_blocks, 800U) << "the lag is known all the same";
  coordinator->pause(false, now);
  collect();
  run(61s);
  EXPECT_FALSE(asked.empty());
}

TEST_F(CoordinatorTest, TheLagIsSaidWhenItCrossesItsLimitsAndWasHeld) {
  make(100, 160, true);
  for (std::uint8_t n = 1; n <= 3; ++n) connect(masternode(n), 160);
  run(20s);
  EXPECT_EQ(count(EventKind::lag_high), 0U) << "not at once";
  run(60s);
  ASSERT_EQ(count(EventKind::lag_high), 1U);
  const auto said = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == EventKind::lag_high;
  });
  EXPECT_EQ(said->severity, Severity::notice) << "60 is over 50 and not over 100";
  run(10min);
  EXPECT_EQ(count(EventKind::lag_high), 1U) << "once";
}

TEST_F(CoordinatorTest, OneMasternodesClaimMakesNoLag) {
  make(100, 1000, true);
  for (std::uint8_t n = 1; n <= 3; ++n) connect(masternode(n), 100);
  connect(masternode(4), 990);
  run(10min);
  const auto lag = std::count_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == EventKind::lag_high && event.detail.find("behind") != std::string::npos;
  });
  EXPECT_EQ(lag, 0);
}

TEST_F(CoordinatorTest, NoTipIsToldAtGenesisNorAboveTheClock) {
  make(0, 1000);
  EXPECT_FALSE(coordinator->tip_to_tell(now));
  make(100, 1000);
  ASSERT_TRUE(coordinator->tip_to_tell(now));
  EXPECT_EQ(coordinator->tip_to_tell(now)->height, 100U);
  make(1000, 900);
  EXPECT_FALSE(coordinator->tip_to_tell(now));
}

TEST_F(CoordinatorTest, TheSwitchIsAKillSwitchAlsoInTheMiddleOfASync) {
  make(100, 1000);
  connect(masternode(1), 900);
  connect(masternode(2), 900);
  run(1s);
  ASSERT_FALSE(asked.empty());
  const auto before = all<AskBlocks>().size();
  CoordinatorPolicy policy;
  policy.plan.enabled = false;
  coordinator->set_policy(policy, now);
  collect();
  serve(masternode(1), 101, 150);  // what was asked for before is not wanted any more
  run(10min);
  EXPECT_EQ(all<AskBlocks>().size(), before);
  EXPECT_EQ(coordinator->status(now).activity, SyncActivity::disabled);
}

TEST_F(CoordinatorTest, WhatIsStoredAfterTheSwitchWasThrownStillCounts) {
  make(100, 1000);
  connect(masternode(1), 110);
  connect(masternode(2), 110);
  run(1s);
  const auto [ip, ranges] = *asked.begin();
  serve(ip, ranges[0].first, ranges[0].second);
  run(11s);
  ASSERT_TRUE(std::holds_alternative<VerifyJob>(started.back()));
  CoordinatorPolicy policy;
  policy.plan.enabled = false;
  coordinator->set_policy(policy, now);
  collect();
  store();
  EXPECT_EQ(coordinator->status(now).height, 110U);
  policy.plan.enabled = true;
  coordinator->set_policy(policy, now);
  connect(masternode(3), 120);
  connect(masternode(4), 120);
  run(2min);
  ASSERT_FALSE(asked[masternode(3)].empty() && asked[masternode(4)].empty());
  for (const auto& who : {masternode(3), masternode(4)}) {
    for (const auto& range : asked[who]) EXPECT_GE(range.first, 111U) << "not again from 101";
  }
}

}  // namespace
}  // namespace timectl::chain
