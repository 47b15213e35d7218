#include "daemon/host.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using config::ModeChoice;

const IpAddress kAny = IpAddress::v4(0, 0, 0, 0);
const IpAddress kOwn = IpAddress::v4(203, 0, 113, 9);
const IpAddress kLoopback = IpAddress::v4(127, 0, 0, 5);

TEST(HostMode, AnythingOnThisHostThatLooksLikeATimedMakesTheNodePassive) {
  const HostEvidence cases[] = {{.port_taken = true},
                                {.rpc_answers = true},
                                {.foreign_session = "10.0.0.1 -> 1.2.3.4:24000"}};
  for (const auto& evidence : cases) {
    const auto decision = decide_mode(ModeChoice::auto_, false, kAny, evidence);
    EXPECT_EQ(decision.mode, NodeMode::passive);
    EXPECT_FALSE(decision.because.empty());
  }
  EXPECT_EQ(decide_mode(ModeChoice::auto_, false, kAny, {}).mode, NodeMode::active);
}

TEST(HostMode, ActiveInsistsOnlyWithAnAddressOfItsOwn) {
  const HostEvidence timed{.rpc_answers = true};
  EXPECT_EQ(decide_mode(ModeChoice::active, false, kAny, timed).mode, NodeMode::passive);
  EXPECT_EQ(decide_mode(ModeChoice::active, false, kOwn, timed).mode, NodeMode::active);
  const auto taken = decide_mode(ModeChoice::active, false, kOwn, {.port_taken = true});
  EXPECT_TRUE(taken.port_error);
}

TEST(HostMode, AForeignSessionIsNeverCompetedWith) {
  const HostEvidence session{.foreign_session = "10.0.0.1 -> 1.2.3.4:24000"};
  EXPECT_EQ(decide_mode(ModeChoice::active, false, kOwn, session).mode, NodeMode::passive);
}

TEST(HostMode, LoopbackIsExemptAndATakenPortThereIsAnError) {
  EXPECT_EQ(decide_mode(ModeChoice::auto_, false, kLoopback, {.rpc_answers = true}).mode,
            NodeMode::active);
  EXPECT_TRUE(decide_mode(ModeChoice::auto_, false, kLoopback, {.port_taken = true}).port_error);
}

TEST(HostMode, TheFlagAndTheConfigWinOverEverything) {
  EXPECT_EQ(decide_mode(ModeChoice::active, true, kLoopback, {}).mode, NodeMode::passive);
  EXPECT_EQ(decide_mode(ModeChoice::passive, false, kLoopback, {}).mode, NodeMode::passive);
}

Whitelist with(const IpAddress& ip) {
  Whitelist whitelist(10);
  WhitelistEntry entry;
  entry.ip = ip;
  entry.sources.push_back({});
  whitelist.load({entry});
  return whitelist;
}

constexpr const char* kHeader =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

TEST(HostSessions, AnEstablishedSocketToAWhitelistedPeerIsFound) {
  const auto whitelist = with(IpAddress::v4(203, 0, 113, 5));
  // 10.0.0.1:40000 -> 203.0.113.5:24000
  const std::string line = "   0: 0100000A:9C40 057100CB:5DC0 01 00000000:00000000\n";
  EXPECT_EQ(find_session(kHeader + line, whitelist, 24000), "10.0.0.1 -> 203.0.113.5:24000");
  EXPECT_EQ(find_session(kHeader + line, whitelist, 24100), "");
}

TEST(HostSessions, ListenersStrangersAndLoopbackAreNot) {
  const auto whitelist = with(IpAddress::v4(203, 0, 113, 5));
  const std::string lines =
      "   0: 0100000A:9C40 057100CB:5DC0 0A 00000000:00000000\n"   // not established
      "   1: 0100000A:9C40 067100CB:5DC0 01 00000000:00000000\n"   // not whitelisted
      "   2: 0200007F:9C40 057100CB:5DC0 01 00000000:00000000\n";  // from 127.0.0.2
  EXPECT_EQ(find_session(kHeader + lines, whitelist, 24000), "");
}

TEST(HostSessions, MappedAddressesInTheV6TableAreTheSamePeer) {
  const auto whitelist = with(IpAddress::v4(203, 0, 113, 5));
  const std::string line =
      "   0: 0000000000000000FFFF00000100000A:9C40 0000000000000000FFFF0000057100CB:5DC0 01 0\n";
  EXPECT_EQ(find_session(kHeader + line, whitelist, 24000), "10.0.0.1 -> 203.0.113.5:24000");
}

TEST(HostSessions, GarbageIsPassedOver) {
  const auto whitelist = with(IpAddress::v4(203, 0, 113, 5));
  for (const char* text : {"", "\n\n", "a b c 01", "0: 0100000A 057100CB:5DC0 01",
                           "0: 0100000A:ZZZZ 057100CB:5DC0 01", "0: 0100000A:1FFFFF 0:0 01"}) {
    EXPECT_EQ(find_session(text, whitelist, 24000), "") << text;
  }
}

}  // namespace
}  // namespace timectl
