#include "daemon/core/observer.h"

#include <gtest/gtest.h>

#include "daemon/core/reflect.h"
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

constexpr Now kStart{Instant{1000h}, WallTime{400'000h}};

constexpr IpAddress peer(int n) {
  return IpAddress::v4(64, 0, 1, static_cast<std::uint8_t>(n));
}

Now later(Duration d) {
  return {kStart.mono + d, kStart.wall + std::chrono::floor<std::chrono::milliseconds>(d)};
}

TEST(Observer, ALateTimerIsSaidOnceAndOverAfterAMinuteWithoutOne) {
  Observer observer;
  const ObserverPolicy policy;
  observer.late(1s, policy, kStart);
  EXPECT_FALSE(observer.sick());
  observer.late(5s, policy, kStart);
  observer.late(9s, policy, later(30s));
  const auto began = observer.changes();
  ASSERT_EQ(began.size(), 1U);
  EXPECT_TRUE(began[0].began);
  EXPECT_EQ(began[0].detail, "work came 5.0 s late");
  observer.tick(policy, later(89s));
  EXPECT_TRUE(observer.sick());
  observer.tick(policy, later(90s));
  EXPECT_FALSE(observer.sick());
  ASSERT_EQ(observer.changes().size(), 1U);
}

TEST(Observer, AClockThatIsSetIsNoticedEitherWayAndOneThatDriftsIsNot) {
  const ObserverPolicy policy;
  Observer drifting;
  for (int i = 0; i < 1000; ++i) {
    Now now = later(i * 10s);
    now.wall += std::chrono::milliseconds(5 * i);  // 500 ppm
    drifting.clocks(policy, now);
  }
  EXPECT_FALSE(drifting.sick());
  for (const auto step : {std::chrono::seconds(3600), std::chrono::seconds(-3600)}) {
    Observer observer;
    observer.clocks(policy, kStart);
    Now now = later(10s);
    now.wall += step;
    observer.clocks(policy, now);
    EXPECT_TRUE(observer.has(Ailment::clock_step));
    now = later(20s);
    now.wall += step;
    observer.clocks(policy, now);  // it stays where it was set to
    EXPECT_EQ(observer.changes().size(), 1U);
  }
}

TEST(Observer, TheUplinkIsGoneOnlyWhenAllOfAtLeastThreeAreSilentAndBackWithTheFirstSign) {
  const ObserverPolicy policy;
  for (std::size_t connected = 0; connected <= 5; ++connected) {
    for (std::size_t silent = 0; silent <= connected; ++silent) {
      Observer observer;
      observer.silence(silent, connected, 15s, policy, kStart);
      EXPECT_EQ(observer.has(Ailment::uplink_down), connected >= 3 && silent == connected);
    }
  }
  Observer observer;
  observer.silence(3, 3, 15s, policy, kStart);
  observer.heard(later(30s));
  observer.silence(3, 3, 15s, policy, later(31s));  // somebody was heard just now
  const auto changes = observer.changes();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_FALSE(changes[1].began);
  EXPECT_EQ(changes[1].detail, "after 30 s");
}

TEST(Observer, MostPeersFailingIsHalfOfThemWithinTheWindow) {
  const ObserverPolicy policy;
  Observer slow;
  for (int i = 0; i < 10; ++i) {
    slow.lost(peer(i), static_cast<std::size_t>(10 - i), policy, later(i * 11s));
  }
  EXPECT_FALSE(slow.sick());
  Observer fast;
  for (int i = 0; i < 4; ++i) {
    fast.lost(peer(i), static_cast<std::size_t>(10 - i), policy, later(i * 1s));
  }
  EXPECT_FALSE(fast.sick());
  fast.lost(peer(4), 6, policy, later(4s));
  EXPECT_TRUE(fast.has(Ailment::most_peers_failing));
}

// A hostile or broken whitelisted peer may come and go as it likes.
TEST(Observer, OnePeerThatFlapsForHoursIsNoReasonToDoubtOurselves) {
  const ObserverPolicy policy;
  Observer observer;
  for (int i = 0; i < 1000; ++i) {
    observer.lost(peer(1), i < 10 ? 3 : 50, policy, later(i * 3s));
    EXPECT_FALSE(observer.sick());
  }
}

TEST(Observer, TheTimeOutsStayStretchedForAMomentAfterTheUplinkIsBack) {
  const ObserverPolicy policy;
  Observer observer;
  observer.silence(3, 3, 15s, policy, kStart);
  observer.heard(later(50s));
  EXPECT_FALSE(observer.sick());
  EXPECT_TRUE(observer.stretches(policy, later(109s).mono));
  EXPECT_FALSE(observer.stretches(policy, later(110s).mono));
}

TEST(Observer, EveryAilmentHasItsRow) {
  std::size_t rows = 0;
  for (const auto& row : ailment_table()) {
    EXPECT_FALSE(row.meaning.empty() || row.remedy.empty()) << name_of(row.ailment);
    EXPECT_EQ(static_cast<std::size_t>(row.ailment), rows++);
  }
  EXPECT_EQ(rows, 4U);
}

// --- what the node makes of it

std::vector<IpAddress> peers(int count) {
  std::vector<IpAddress> all;
  for (int n = 1; n <= count; ++n) all.push_back(peer(n));
  return all;
}

struct World {
  explicit World(int count) : shell(peers(count)) {
    shell.start();
    for (int n = 1; n <= count; ++n) ids.push_back(shell.finish_dial(peer(n)));
    shell.clear();
  }
  NodeShell shell;
  std::vector<ConnectionId> ids;
};

TEST(NodeHealth, ANodeThatWasStoppedForAMinuteCutsNobodyAndPingsNobodyTwice) {
  World world(4);
  world.shell.run(35s);
  world.shell.clear();
  world.shell.now.mono += 10min;  // SIGSTOP: both clocks go on, nothing is processed
  world.shell.now.wall += 10min;
  world.shell.node.tick(world.shell.now);
  world.shell.collect();
  EXPECT_TRUE(world.shell.all<Close>().empty());
  EXPECT_LE(world.shell.all<SendPing>().size(), 4U);
  ASSERT_EQ(world.shell.events(EventKind::observer_sick).size(), 1U);
  EXPECT_TRUE(world.shell.events(EventKind::peer_suspect).empty());
  for (const auto id : world.ids) world.shell.talk(id);
  world.shell.run(1min);
  EXPECT_TRUE(world.shell.all<Close>().empty());
}

// What had piled up in the sockets comes before the timer, and forgives the standstill once.
TEST(NodeHealth, AStandstillIsForgivenOnceHoweverManyFactsComeAfterIt) {
  World world(1);
  NodeShell& shell = world.shell;
  shell.run(31s);
  shell.now.mono += 10min;
  shell.now.wall += 10min;
  for (int i = 0; i < 20; ++i) {
    shell.node.on_traffic(world.ids[0], Traffic{0, 10, 0, 0}, shell.now);  // nothing comes in
  }
  shell.collect();
  shell.run(8min);  // twice the patience while the node is unwell, then it is over
  ASSERT_EQ(shell.all<RecordSession>().size(), 1U);
  EXPECT_EQ(shell.all<RecordSession>()[0].session.end_reason, EndReason::unresponsive);
}

TEST(NodeHealth, ASlowStartIsNoStandstill) {
  NodeShell shell(peers(3));
  shell.node.start(shell.now);
  shell.now.mono += 5s;
  shell.now.wall += 5s;
  shell.node.tick(shell.now);
  shell.collect();
  EXPECT_TRUE(shell.events(EventKind::observer_sick).empty());
}

TEST(NodeHealth, TheTimeThatWePassedAsleepIsNoRoundTrip) {
  World world(1);
  const auto pings = [&] { return world.shell.all<SendPing>(); };
  world.shell.run(15s);
  ASSERT_FALSE(pings().empty());
  const auto last = pings().back();
  world.shell.now.mono += 5min;
  world.shell.now.wall += 5min;
  // The answer was in the socket before the timer had its turn.
  world.shell.node.on_pong(last.connection, last.nonce, std::nullopt, world.shell.now);
  const auto view = world.shell.node.peer(peer(1), world.shell.now);
  ASSERT_TRUE(view);
  EXPECT_LE(view->rtt_ms.value_or(0), 15'000);
}

TEST(NodeHealth, ALostUplinkIsOneEventAndItsReturnBringsAllBackAtOnce) {
  World world(5);
  NodeShell& shell = world.shell;
  shell.run(70s);  // stable; nobody answers, but nobody is cut yet
  ASSERT_EQ(shell.events(EventKind::observer_sick).size(), 1U);
  EXPECT_NE(shell.events(EventKind::observer_sick)[0].detail.find("uplink_down"),
            std::string::npos);
  EXPECT_LT(shell.events(EventKind::peer_suspect).size(), 5U);
  for (const auto id : world.ids) shell.closed(id, EndReason::closed_by_peer, "reset");
  shell.run(20s);
  for (int round = 0; round < 6; ++round) {  // dials fail in silence, the ladders climb
    for (int n = 1; n <= 5; ++n) shell.closed(shell.last_dial(peer(n)), EndReason::timed_out);
    shell.run(40s);
  }
  shell.closed(shell.last_dial(peer(2)), EndReason::timed_out);
  EXPECT_TRUE(shell.events(EventKind::observer_well).empty());
  // A refusal may be that of a local firewall, and a scanner on the LAN reaches us as well.
  shell.closed(shell.last_dial(peer(3)), EndReason::refused);
  (void)shell.inbound(IpAddress::v4(10, 1, 2, 3));
  EXPECT_TRUE(shell.events(EventKind::observer_well).empty());
  const ConnectionId under_way = shell.last_dial(peer(1));
  shell.clear();
  shell.node.on_dial_progress(under_way, DialStage::tcp_connected, IpAddress::v4(64, 0, 0, 50),
                              shell.now);
  shell.collect();
  ASSERT_EQ(shell.events(EventKind::observer_well).size(), 1U);
  shell.run(1s);
  for (const int n : {2, 3}) EXPECT_EQ(shell.dials(peer(n)), 1U) << n;
}

TEST(NodeHealth, WhenMostAreLostAtOnceTheEventSaysItIsThisNode) {
  World world(6);
  NodeShell& shell = world.shell;
  for (int n = 0; n < 4; ++n) {
    shell.closed(world.ids[static_cast<std::size_t>(n)], EndReason::closed_by_peer, "reset");
  }
  EXPECT_EQ(shell.events(EventKind::observer_sick).size(), 1U);
  const auto lost = shell.events(EventKind::peer_disconnected);
  ASSERT_EQ(lost.size(), 4U);
  EXPECT_EQ(lost[0].detail, "reset");
  EXPECT_EQ(lost[3].detail, "reset; this node itself: most_peers_failing");
}

TEST(NodeHealth, ABadPathGetsMorePatienceFromTheKernelAndFromUsButNeverLess) {
  World world(1);
  NodeShell& shell = world.shell;
  const auto id = world.ids[0];
  const auto path = [&] { return *shell.node.peer(peer(1), shell.now)->path; };
  EXPECT_EQ(path().user_timeout_seconds, 45);
  EXPECT_EQ(path().timeout_seconds, 180);
  for (int i = 0; i < 12; ++i) {
    shell.run(40s);
    shell.talk(id);
  }
  shell.run(16s);
  EXPECT_NEAR(path().user_timeout_seconds, 80, 5);
  EXPECT_EQ(path().timeout_seconds, 180);
  ASSERT_FALSE(shell.all<SetUserTimeout>().empty());
  EXPECT_NEAR(seconds(shell.all<SetUserTimeout>().back().timeout), 80, 5);
}

TEST(NodeHealth, ALossyPathIsDegradedAndSaidOnce) {
  World world(1);
  NodeShell& shell = world.shell;
  TransportFacts facts;
  for (int i = 0; i < 40; ++i) {
    facts.segments_sent += 16;
    facts.segments_retransmitted += 8;
    shell.node.on_transport(world.ids[0], facts, shell.now);
    const auto pings = shell.all<SendPing>();
    if (!pings.empty()) {
      shell.node.on_pong(world.ids[0], pings.back().nonce, std::nullopt, shell.now);
    }
    shell.run(15s);
  }
  EXPECT_EQ(shell.events(EventKind::peer_degraded).size(), 1U);
  EXPECT_EQ(shell.node.peers(shell.now)[0].state, PeerState::degraded);
}

TEST(NodeHealth, TheEndOfADeadTransportNamesTheDirection) {
  World world(1);
  NodeShell& shell = world.shell;
  shell.node.on_transport(world.ids[0], {10, 0, 20, 0, 0, 1s, 1s}, shell.now);
  shell.node.on_transport(world.ids[0], {50, 9, 23, 37, 9, 2s, 2s}, shell.now);
  shell.closed(world.ids[0], EndReason::transport_dead, "timed out");
  EXPECT_EQ(shell.all<RecordSession>()[0].session.detail,
            "timed out; packets came from it since, so ours do not arrive");
}

TEST(NodeHealth, MasternodesThatFallSilentWhileOthersTalkAreNotOurUplink) {
  World world(3);
  NodeShell& shell = world.shell;
  const auto regular = shell.inbound_session(IpAddress::v4(77, 1, 2, 3));
  for (int i = 0; i < 60; ++i) {
    shell.run(1s);
    shell.talk(regular);
  }
  EXPECT_TRUE(shell.events(EventKind::observer_sick).empty());
  EXPECT_EQ(shell.events(EventKind::peer_suspect).size(), 3U);
  shell.run(40s);  // now that one is silent, too
  EXPECT_EQ(shell.events(EventKind::observer_sick).size(), 1U);
}

// The reference node states its height in each ping: that is the first fact after a standstill.
TEST(NodeHealth, AStandstillEndsWithWhateverFactComesFirst) {
  World world(1);
  NodeShell& shell = world.shell;
  shell.run(31s);
  shell.now.mono += 1h;
  shell.now.wall += 1h;
  shell.node.on_height(world.ids[0], 7, shell.now);
  shell.talk(world.ids[0]);
  const auto view = *shell.node.peer(peer(1), shell.now);
  EXPECT_EQ(view.path->usual_silence_seconds, 0);
  EXPECT_LE(*view.last_heard_at, shell.now.wall);
  shell.run(8min);
  EXPECT_EQ(shell.all<RecordSession>().size(), 1U);  // and is cut in due time
}

TEST(NodeHealth, AReloadDoesNotShortenWhatABadPathWasGiven) {
  World world(1);
  NodeShell& shell = world.shell;
  for (int i = 0; i < 12; ++i) {
    shell.run(40s);
    shell.talk(world.ids[0]);
  }
  shell.run(16s);
  shell.clear();
  shell.node.on_policy_changed(Policy{}, shell.now);
  shell.collect();
  ASSERT_EQ(shell.all<SetUserTimeout>().size(), 1U);
  EXPECT_GT(seconds(shell.all<SetUserTimeout>()[0].timeout), 70);
}

}  // namespace
}  // namespace timectl
