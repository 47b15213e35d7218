// Counters: what each event, session and notice adds, and to what it adds nothing.
#include "daemon/observe/counters.h"

#include <gtest/gtest.h>

namespace timectl::observe {
namespace {

using namespace std::chrono_literals;

TEST(Counters, EventsAreCountedByKind) {
  Counters counters;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<EventKind>>([&](auto d) {
    EXPECT_EQ(counters.events()[d.value], 0U);
    counters.on_event({.kind = d.value});
    counters.on_event({.kind = d.value});
    EXPECT_EQ(counters.events()[d.value], 2U) << d.name;
  });
}

TEST(Counters, DialFailuresAreCountedByReasonAndWhoWasDialled) {
  Counters counters;
  counters.on_event(
      {.kind = EventKind::dial_failed, .whitelisted = true, .reason = EndReason::refused});
  counters.on_event({.kind = EventKind::dial_failed, .reason = EndReason::refused});
  counters.on_event({.kind = EventKind::dial_failed, .reason = EndReason::refused});
  EXPECT_EQ(counters.dial_failures(PeerRole::masternode)[EndReason::refused], 1U);
  EXPECT_EQ(counters.dial_failures(PeerRole::regular)[EndReason::refused], 2U);
  EXPECT_EQ(counters.dial_failures(PeerRole::regular)[EndReason::timed_out], 0U);
  // The end of a session is no failed dial, although its event has a reason.
  counters.on_event({.kind = EventKind::peer_disconnected, .reason = EndReason::refused});
  EXPECT_EQ(counters.dial_failures(PeerRole::regular)[EndReason::refused], 2U);
}

TEST(Counters, SessionsAreCountedWithTheirBytes) {
  Counters counters;
  counters.on_session({.whitelisted = true,
                       .end_reason = EndReason::unresponsive,
                       .bytes_in = 100,
                       .bytes_out = 10});
  counters.on_session({.end_reason = EndReason::self_connection, .bytes_in = 7, .bytes_out = 3});
  EXPECT_EQ(counters.sessions_ended(PeerRole::masternode)[EndReason::unresponsive], 1U);
  EXPECT_EQ(counters.sessions_ended(PeerRole::regular)[EndReason::unresponsive], 0U);
  EXPECT_EQ(counters.sessions_ended(PeerRole::regular)[EndReason::self_connection], 1U);
  EXPECT_EQ(counters.received()[PeerRole::masternode], 100U);
  EXPECT_EQ(counters.sent()[PeerRole::masternode], 10U);
  EXPECT_EQ(counters.received()[PeerRole::regular], 7U);
  EXPECT_EQ(counters.sent()[PeerRole::regular], 3U);
}

TEST(Counters, NoticesAreCountedByRule) {
  Counters counters;
  counters.on_notice({NoticeKind::fired, {.rule = AlertRule::fork_long}});
  counters.on_notice({NoticeKind::resolved, {.rule = AlertRule::fork_long}});
  counters.on_notice({NoticeKind::fired, {.rule = AlertRule::database_unwritable}});
  EXPECT_EQ(counters.notices(AlertRule::fork_long)[NoticeKind::fired], 1U);
  EXPECT_EQ(counters.notices(AlertRule::fork_long)[NoticeKind::resolved], 1U);
  EXPECT_EQ(counters.notices(AlertRule::fork_long)[NoticeKind::repeated], 0U);
  EXPECT_EQ(counters.notices(AlertRule::database_unwritable)[NoticeKind::fired], 1U);
}

TEST(Counters, TimeThatIsEarlyIsNotTakenBack) {
  Counters counters;
  counters.on_late(1500ms);
  counters.on_late(-1s);
  counters.on_late(500ms);
  EXPECT_EQ(counters.late(), Duration(2s));
}

}  // namespace
}  // namespace timectl::observe
