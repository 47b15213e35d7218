#include "cmd/sync_progress.h"

#include <gtest/gtest.h>

#include "cmd/sync_text.h"
#include "cmd/table.h"
#include "tests/cmd/sync_lab.h"

namespace timectl::cmd {
namespace {

TEST(SyncPace, IsOfTheWindowAndAYoungOneSaysNothing) {
  Pace pace;
  const Instant start{};
  EXPECT_FALSE(pace.blocks_per_minute());
  pace.add(start, 1000);
  pace.add(start + 2s, 1100);
  EXPECT_FALSE(pace.blocks_per_minute()) << "two seconds say nothing";
  pace.add(start + 10s, 1500);
  EXPECT_DOUBLE_EQ(*pace.blocks_per_minute(), 3000);
  pace.add(start + 40s, 1600);  // the first two are out of the window
  EXPECT_DOUBLE_EQ(*pace.blocks_per_minute(), 200);
  pace.add(start + 80s, 1600);
  EXPECT_FALSE(pace.blocks_per_minute()) << "not one block in half a minute";
}

TEST(SyncPace, AReorganisationStartsAnewAndMemoryIsBounded) {
  Pace pace;
  const Instant start{};
  pace.add(start, 1000);
  pace.add(start + 5s, 1050);
  pace.add(start + 6s, 900);
  EXPECT_FALSE(pace.blocks_per_minute());
  for (int i = 0; i < 10'000; ++i) {
    pace.add(start + 7s, 1000 + static_cast<std::uint64_t>(i));
  }
  EXPECT_FALSE(pace.blocks_per_minute()) << "only the newest samples are kept, of one instant";
}

class Watch : public ::testing::Test {
 protected:
  std::string see(SyncWatch& watch, const SyncStatusView& view, Duration after = 1s) {
    now_.mono += after;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(after);
    out_.set_now(now_);
    watch.on_status(view, now_);
    return watch.next(out_);
  }
  Now now_{Instant{} + 1h, kNow};
  Output out_ = at_80_columns();
};

TEST_F(Watch, InAPipeALineComesOnlyWhenSomethingChangedAndHasNoEscapes) {
  SyncWatch watch(WatchStyle::lines);
  EXPECT_EQ(see(watch, lagging(100, 400, SyncActivity::syncing)),
            "2026-11-27 01:03:11Z  behind by 300 blocks (2 d 2 h of blocks): 100 of 400, "
            "syncing\n");
  EXPECT_EQ(see(watch, lagging(100, 400, SyncActivity::syncing)), "");
  EXPECT_EQ(see(watch, lagging(200, 400, SyncActivity::syncing), 4s),
            "2026-11-27 01:03:16Z  behind by 200 blocks (1 d 9 h of blocks): 200 of 400, "
            "1,200 blocks/min, done in about 10 s\n");
  EXPECT_EQ(see(watch, lagging(200, 400, SyncActivity::paused)),
            "2026-11-27 01:03:17Z  behind by 200 blocks (1 d 9 h of blocks): 200 of 400, "
            "paused\n");
  EXPECT_EQ(watch.verdict(), control::SyncVerdict::behind);
  EXPECT_EQ(see(watch, level(400)),
            "2026-11-27 01:03:18Z  in sync at height 400, vouched for by 3 masternodes\n");
  EXPECT_EQ(watch.verdict(), control::SyncVerdict::in_sync);
  EXPECT_EQ(watch.end(), "");
}

TEST_F(Watch, InAPipeAForkOrAStillNetworkIsANewLineAndAClaimThatChangesNothingIsNone) {
  SyncWatch watch(WatchStyle::lines);
  EXPECT_NE(see(watch, level(400)), "");
  auto view = level(400);
  view.forks = 1;
  EXPECT_EQ(see(watch, view),
            "2026-11-27 01:03:12Z  in sync at height 400, vouched for by 3 masternodes; a fork is "
            "open\n");
  view.network_stalled = view.clock_doubted = true;
  EXPECT_NE(see(watch, view).find("; the network stands still; this machine's clock may be slow"),
            std::string::npos);
  view.claimed_height = 401;
  EXPECT_EQ(see(watch, view), "") << "within what counts as in sync";
  EXPECT_TRUE(watch.changed()) << "a program that reads documents is told";
}

TEST_F(Watch, InATerminalOneLineIsRedrawnWithBarHeightTargetSpeedAndTimeLeft) {
  SyncWatch watch(WatchStyle::terminal);
  auto view = lagging(2250, 5000, SyncActivity::syncing);
  view.blocks_per_minute = 310;
  EXPECT_EQ(see(watch, view),
            "\r\x1b[K[###########...............]"
            " 45.0 %  2,250 of 5,000  310 blocks/min  9 min left");
  EXPECT_EQ(see(watch, view),
            "\r\x1b[K[###########...............]"
            " 45.0 %  2,250 of 5,000  310 blocks/min  9 min left")
      << "drawn again though nothing changed";
  view.activity = SyncActivity::stalled;
  view.activity_because = "no block for 40 s, and then " + std::string(90, 'x');
  const auto stalled = see(watch, view);
  EXPECT_LE(display_width(stalled.substr(4)), kWidth - 1) << stalled;
  EXPECT_NE(stalled.find("[####......] 45.0 %"), std::string::npos) << stalled;
  EXPECT_NE(stalled.find("stalled: no block for 40 s"), std::string::npos) << stalled;
  EXPECT_EQ(see(watch, level(5012)),
            "\r\x1b[Kin sync at height 5,012, vouched for by 3 masternodes");
  EXPECT_EQ(watch.end(), "\n");
}

TEST_F(Watch, TheBarIsFullOnlyWhenNothingIsMissing) {
  SyncWatch watch(WatchStyle::terminal);
  const auto line = see(watch, lagging(499'990, 500'000, SyncActivity::syncing));
  EXPECT_NE(line.find(".] 99.9 %"), std::string::npos) << line;
  EXPECT_EQ(line.find("100"), std::string::npos) << line;
}

TEST_F(Watch, TheWindowsSpeedReplacesTheStatussOwn) {
  SyncWatch watch(WatchStyle::json);
  auto view = lagging(100, 400, SyncActivity::syncing);
  view.blocks_per_minute = 1;
  EXPECT_EQ(see(watch, view), "") << "json is written by the caller";
  EXPECT_TRUE(watch.changed());
  EXPECT_DOUBLE_EQ(*watch.view().blocks_per_minute, 1);
  view = lagging(160, 400, SyncActivity::syncing);
  view.blocks_per_minute = 1;
  (void)see(watch, view, 6s);
  EXPECT_DOUBLE_EQ(*watch.view().blocks_per_minute, 600);
  EXPECT_DOUBLE_EQ(*watch.view().eta_seconds, 24);
  (void)see(watch, view);
  EXPECT_FALSE(watch.changed());
}

TEST_F(Watch, WithoutAChainOrABestHeightNothingIsDividedAndNothingIsSaidOfLag) {
  SyncWatch watch(WatchStyle::terminal);
  SyncStatusView view;
  view.ground = "only 1 masternode is connected and 2 must agree";
  EXPECT_EQ(see(watch, view),
            "\r\x1b[K"
            "best height unknown: only 1 masternode is connected and 2 must agree");
  view.best_height = 0;
  view.height = 0;
  view.lag_blocks = 0;
  EXPECT_NE(see(watch, view).find("in sync at height 0"), std::string::npos);
}

TEST_F(Watch, ColourNeverCarriesMeaningAlone) {
  out_ = at_80_columns(true);
  SyncWatch watch(WatchStyle::terminal);
  const auto painted = see(watch, lagging(2250, 5000, SyncActivity::syncing));
  EXPECT_NE(painted.find("\x1b[32m####"), std::string::npos) << painted;
  EXPECT_NE(painted.find("2,250 of 5,000"), std::string::npos);
  EXPECT_NE(status_page(out_, level(5012), true).find("\x1b[32min sync\x1b[0m at height"),
            std::string::npos);
}

}  // namespace
}  // namespace timectl::cmd
