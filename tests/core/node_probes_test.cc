// Probes by `diagnose peer --probe`: in the node's name, so within its ledger.
#include "daemon/core/reflect.h"
#include "tests/core/node_shell.h"

namespace timectl {
namespace {

const IpAddress kMasternode = IpAddress::v4(64, 0, 0, 1);
const IpAddress kStranger = IpAddress::v4(70, 0, 0, 1);

TEST(NodeProbes, NoneBesideAConnectionOrAnAttempt) {
  NodeShell shell({kMasternode});
  shell.start();
  EXPECT_FALSE(shell.node.begin_probe(kMasternode, shell.now)) << "it is being dialled";
  const auto session = shell.finish_dial(kMasternode);
  const auto refused = shell.node.begin_probe(kMasternode, shell.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
  EXPECT_NE(refused.error().because.find("connected"), std::string::npos);
  shell.closed(session, EndReason::closed_by_peer);
  EXPECT_TRUE(shell.node.begin_probe(kMasternode, shell.now));
  EXPECT_FALSE(shell.node.begin_probe(kMasternode, shell.now)) << "one at a time";
}

TEST(NodeProbes, NobodyDialsWhileOneIsUnderWayAndTheNodeGoesOnAfterwards) {
  NodeShell shell({kMasternode});
  shell.start();
  shell.closed(shell.last_dial(kMasternode), EndReason::refused);
  ASSERT_TRUE(shell.node.begin_probe(kMasternode, shell.now));
  shell.clear();
  shell.run(5min);
  EXPECT_EQ(shell.dials(kMasternode), 0U);
  shell.node.end_probe(kMasternode, shell.now);
  shell.collect();
  shell.run(3s);
  EXPECT_EQ(shell.dials(kMasternode), 1U);
}

TEST(NodeProbes, AtMostFourAMinuteWithTheDialsAndNineAnHour) {
  NodeShell shell({});
  shell.start();
  int made = 0;
  const auto probe = [&] {
    const auto begun = shell.node.begin_probe(kStranger, shell.now);
    if (!begun) return begun.error().because;
    ++made;
    shell.node.end_probe(kStranger, shell.now);
    shell.collect();
    return std::string();
  };
  for (int i = 0; i < 10; ++i) (void)probe();
  EXPECT_EQ(made, 4);
  for (int minute = 0; minute < 59; ++minute) {
    shell.run(1min);
    (void)probe();
  }
  EXPECT_EQ(made, 9);
  EXPECT_NE(probe().find("again in"), std::string::npos);
  shell.run(2min);
  EXPECT_EQ(probe(), "");
  // Its ledger is the dials' own, and is stored before the probe is made.
  EXPECT_EQ(shell.node.peer(kStranger, shell.now)->ledger.last_minute, 1U);
  EXPECT_FALSE(shell.all<Remember>().empty());
}

TEST(NodeProbes, AFailureThatThePeerBansForMovesTheLadderAndAnOrdinaryOneDoesNot) {
  for (const auto& [reason, moves] :
       {std::pair{EndReason::closed_before_tls, true}, std::pair{EndReason::refused, false}}) {
    NodeShell shell({kMasternode});
    shell.start();
    shell.closed(shell.last_dial(kMasternode), EndReason::refused);
    shell.run(1s);
    const auto before = shell.node.peer(kMasternode, shell.now)->attempts;
    ASSERT_TRUE(shell.node.begin_probe(kMasternode, shell.now));
    shell.node.end_probe(kMasternode, shell.now, reason);
    shell.collect();
    const auto after = shell.node.peer(kMasternode, shell.now);
    EXPECT_EQ(after->last_end_reason, moves ? reason : EndReason::refused);
    EXPECT_TRUE(moves || after->attempts == before);
    const auto wait = *after->next_attempt_at - shell.now.wall;
    EXPECT_EQ(wait > 60s, moves) << seconds(wait);
  }
}

// The next dial of a masternode that failed in this way, before and after a probe that was refused.
TEST(NodeProbes, AProbeMakesNoDialEarlierThanItWasScheduled) {
  for (const auto reason : {EndReason::refused, EndReason::closed_before_tls,
                            EndReason::rejected_notice, EndReason::unresponsive}) {
    NodeShell shell({kMasternode});
    shell.start();
    shell.closed(shell.last_dial(kMasternode), reason);
    shell.run(1s);
    const auto before = shell.node.peer(kMasternode, shell.now)->next_attempt_at;
    const auto begun = shell.node.begin_probe(kMasternode, shell.now);
    EXPECT_EQ(begun.has_value(), reason != EndReason::rejected_notice)
        << "who has banned us for hours is not visited";
    shell.node.end_probe(kMasternode, shell.now, EndReason::refused);
    shell.collect();
    const auto after = shell.node.peer(kMasternode, shell.now);
    EXPECT_EQ(after->next_attempt_at, before) << name_of(reason);
    EXPECT_EQ(after->last_end_reason, reason) << "its own end is what is remembered";
  }
}

TEST(NodeProbes, AnOperatorsWordToStayAwayOutlivesAProbe) {
  NodeShell shell({kMasternode});
  shell.start();
  (void)shell.finish_dial(kMasternode);
  ASSERT_TRUE(shell.node.disconnect(kMasternode, 10min, shell.now));
  shell.collect();
  for (const auto failed : {std::optional<EndReason>(), std::optional(EndReason::closed_before_tls),
                            std::optional(EndReason::refused)}) {
    ASSERT_TRUE(shell.node.begin_probe(kMasternode, shell.now));
    shell.node.end_probe(kMasternode, shell.now, failed);
    shell.collect();
  }
  shell.clear();
  shell.run(9min);
  EXPECT_EQ(shell.dials(kMasternode), 0U);
  EXPECT_NE(shell.node.kept_away_because(kMasternode, shell.now), "");
  shell.run(2min);
  EXPECT_EQ(shell.dials(kMasternode), 1U);
}

TEST(NodeWarnings, AMasternodesIsRecordedOnceAnHourAndAStrangersNever) {
  NodeShell shell({kMasternode});
  shell.start();
  const auto trusted = shell.finish_dial(kMasternode);
  const auto stranger = shell.inbound_session(kStranger);
  for (int minute = 0; minute < 70; ++minute) {
    shell.run(1min);
    for (const auto id : {trusted, stranger}) {
      shell.talk(id);
      shell.node.on_unreachable_said(id, "port 24000 is \x1b[31mclosed", shell.now);
      shell.collect();
    }
  }
  const auto said = shell.events(EventKind::unreachable_said);
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[0].peer, kMasternode);
  EXPECT_EQ(said[0].detail.find('\x1b'), std::string::npos);
}

TEST(NodeProbes, APassiveNodeMakesNoneNorOneOfItself) {
  NodeShell passive({kMasternode}, {}, NodeMode::passive);
  passive.start();
  EXPECT_EQ(passive.node.begin_probe(kMasternode, passive.now).error().code, Code::passive_mode);
  NodeShell shell({});
  shell.start();
  EXPECT_FALSE(shell.node.begin_probe(IpAddress::v4(64, 0, 0, 50), shell.now));
  EXPECT_FALSE(shell.node.begin_probe({}, shell.now));
}

}  // namespace
}  // namespace timectl
