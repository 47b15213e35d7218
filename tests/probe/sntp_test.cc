// Time servers, honest and not: what they prove about our clock.
#include "daemon/probe/sntp.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "daemon/clock.h"
#include "tests/support/fake_time_server.h"

namespace timectl::probe {
namespace {

using namespace std::chrono_literals;
using diagnose::ClockFacts;
using testing::FakeTime;
using testing::FakeTimeServer;

class SntpTest : public ::testing::Test {
 protected:
  void serve(std::string_view words) {
    FakeTime time;
    ASSERT_TRUE(testing::parse_fake_time(words, time)) << words;
    servers_.push_back(std::make_unique<FakeTimeServer>(time));
    request_.servers.push_back(servers_.back()->server());
  }
  ClockFacts ask() {
    ClockFacts clock;
    const Instant begun = clock_now().mono;
    ask_time_servers(request_, clock_now, {}, clock);
    took_ = seconds(clock_now().mono - begun);
    return clock;
  }
  SntpRequest request_{{}, 300ms};
  std::vector<std::unique_ptr<FakeTimeServer>> servers_;
  double took_ = 0;
};

TEST_F(SntpTest, OurClockLessTheServersIsTheAnswer) {
  for (int i = 0; i < 3; ++i) serve("offset=-12");
  const auto clock = ask();
  EXPECT_NEAR(clock.ntp_seconds.value(), 12, 0.05);
  EXPECT_EQ(clock.ntp_asked, 3U);
  EXPECT_EQ(clock.ntp_answered, 3U);
  EXPECT_LT(took_, 0.2);  // nobody is waited for any longer
}

TEST_F(SntpTest, OneWrongServerOfThreeIsLeftOut) {
  serve("offset=0");
  serve("offset=3600");
  serve("offset=0.01");
  EXPECT_NEAR(ask().ntp_seconds.value(), 0, 0.05);
}

TEST_F(SntpTest, TwoAgainstTwoProveNothing) {
  for (const auto* words : {"offset=0", "offset=0", "offset=50", "offset=50"}) serve(words);
  const auto clock = ask();
  EXPECT_EQ(clock.ntp_answered, 4U);
  EXPECT_FALSE(clock.ntp_seconds);
}

TEST_F(SntpTest, TwoThatContradictEachOtherProveNothing) {
  serve("offset=0");
  serve("offset=-30");
  EXPECT_FALSE(ask().ntp_seconds);
}

class SntpRefusals : public SntpTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(SntpRefusals, DoNotCount) {
  serve(GetParam());
  const auto clock = ask();
  EXPECT_EQ(clock.ntp_asked, 1U);
  EXPECT_EQ(clock.ntp_answered, 0U);
  EXPECT_FALSE(clock.ntp_seconds);
  EXPECT_EQ(servers_.front()->asked(), 1U);
  EXPECT_NEAR(took_, 0.3, 0.15);
}

INSTANTIATE_TEST_SUITE_P(All, SntpRefusals,
                         ::testing::Values("silent", "wrong-stamp", "stratum=0", "stratum=16",
                                           "alarm", "mode=3", "mode=5", "short", "zero-stamps"));

TEST_F(SntpTest, AClosedPortEndsItAtOnce) {
  serve("offset=0");
  servers_.clear();
  const auto clock = ask();
  EXPECT_EQ(clock.ntp_asked, 1U);
  EXPECT_EQ(clock.ntp_answered, 0U);
  EXPECT_LT(took_, 0.2);
}

// A name that the resolver understands without asking anybody.
TEST_F(SntpTest, NamesAreLookedUpAndMalformedOnesCountAsSilent) {
  servers_.push_back(std::make_unique<FakeTimeServer>(FakeTime{5}, "127.0.0.1"));
  request_.servers = {"0x7f000001:" + std::to_string(servers_.front()->port()), "not a server"};
  const auto clock = ask();
  EXPECT_EQ(clock.ntp_asked, 2U);
  EXPECT_EQ(clock.ntp_answered, 1U);
  EXPECT_NEAR(clock.ntp_seconds.value(), -5, 0.05);
}

TEST_F(SntpTest, ANameThatDoesNotExistHoldsNobodyBeyondTheTimeOut) {
  request_.servers = {"no-such-host.invalid"};
  const auto clock = ask();
  EXPECT_EQ(clock.ntp_asked, 1U);
  EXPECT_EQ(clock.ntp_answered, 0U);
  EXPECT_LT(took_, 0.5);
}

TEST_F(SntpTest, NoMoreThanEightAreAsked) {
  for (int i = 0; i < 10; ++i) serve("offset=0");
  EXPECT_EQ(ask().ntp_asked, 8U);
  EXPECT_EQ(servers_.back()->asked(), 0U);
}

TEST_F(SntpTest, WithoutServersNothingIsAsked) {
  const auto clock = ask();
  EXPECT_EQ(clock.ntp_asked, 0U);
  EXPECT_LT(took_, 0.1);
}

TEST_F(SntpTest, AStopEndsTheWait) {
  serve("silent");
  request_.timeout = 60s;
  std::stop_source stop;
  const Instant begun = clock_now().mono;
  std::thread stopper([&] { stop.request_stop(); });
  ClockFacts clock;
  ask_time_servers(request_, clock_now, stop.get_token(), clock);
  stopper.join();
  EXPECT_LT(seconds(clock_now().mono - begun), 1);
}

// RFC 4330: stamps begin anew in February 2036.
TEST(SntpOffset, TheNextEraIsUnderstood) {
  std::vector<std::uint8_t> answer(48, 0);
  answer[0] = 0x24;
  answer[1] = 1;
  answer[31] = 7;
  answer[39] = 0;
  for (const std::size_t at : {32U, 40U}) answer[at + 3] = 10;  // 10 s into it
  // 2^32 s after 1900 is 2036-02-07 06:28:16 UTC.
  const WallTime then(std::chrono::milliseconds(2'085'978'496'000 + 12'000));
  EXPECT_NEAR(sntp_offset(answer, 7, then, then).value(), 2, 1e-3);
  EXPECT_FALSE(sntp_offset(answer, 8, then, then));
}

}  // namespace
}  // namespace timectl::probe
