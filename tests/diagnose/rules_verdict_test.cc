// The verdict over several findings and peers: what explains what, and what nobody may conclude.
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/diagnose/rules.h"
#include "tests/diagnose/base_facts.h"
#include "tests/diagnose/told.h"

namespace timectl::diagnose {
namespace {

TEST(Diagnosis, OfAnUplinkThatWentIsOneFindingForAllPeers) {
  auto facts = gone();
  lost_all(facts, EndReason::transport_dead, 60s, 200ms);
  std::vector<PeerFacts> peers;
  for (int i = 1; i <= 5; ++i) {
    auto one = gone();
    one.peer->ip = other_peer(i);
    dialled(one, EndReason::timed_out, 3);
    no_rpc(one, RpcAnswer::timed_out);
    had_session(one, 60s, 5h, EndReason::transport_dead);
    peers.push_back(*one.peer);
  }
  const auto all = diagnose_all(facts.node, peers);
  ASSERT_EQ(all.findings.size(), 1U) << told(all);
  EXPECT_EQ(all.code, "uplink_down");
  EXPECT_EQ(all.act, Act::you);

  // Of one of them: the same, and nothing is held against it.
  facts.peer = peers.front();
  const auto one = diagnose(facts);
  EXPECT_EQ(one.code, "uplink_down") << told(one);
  EXPECT_EQ(one.findings.size(), 1U) << told(one);

  // The control: the same peers, lost one after the other, each have their own cause.
  lost_all(facts, EndReason::transport_dead, 9min, 90s);
  const auto apart = diagnose_all(facts.node, peers);
  EXPECT_EQ(found(apart, "uplink_down"), nullptr) << told(apart);
  EXPECT_EQ(apart.code, "FM-K1") << told(apart);
}

// Anybody may dial in and hang up; a masternode that is connected proves the link.
TEST(Diagnosis, OfTheUplinkRestsOnMasternodesThatFellSilent) {
  const auto judged = [](auto change) {
    auto facts = gone();
    facts.peer.reset();
    lost_all(facts, EndReason::transport_dead, 60s, 200ms);
    change(facts.node.peers);
    return diagnose(facts);
  };
  using Peers = std::vector<PeerBrief>;
  EXPECT_EQ(judged([](Peers&) {}).code, "uplink_down") << "the control";
  const auto strangers = judged([](Peers& peers) {
    for (auto& peer : peers) peer.whitelisted = false;
  });
  EXPECT_EQ(found(strangers, "uplink_down"), nullptr) << told(strangers);
  const auto goodbyes = judged([](Peers& peers) {
    for (auto& peer : peers) peer.ended = EndReason::closed_by_peer;
  });
  EXPECT_EQ(found(goodbyes, "uplink_down"), nullptr) << told(goodbyes);
  const auto one_left = judged([](Peers& peers) {
    peers.back().connected = true;
    peers.back().state = PeerState::connected;
  });
  EXPECT_EQ(found(one_left, "uplink_down"), nullptr) << told(one_left);
  const auto one_silent = judged([](Peers& peers) {
    peers.back().connected = true;
    peers.back().state = PeerState::suspect;
  });
  EXPECT_EQ(one_silent.code, "uplink_down") << told(one_silent);
}

TEST(Diagnosis, OfOurOwnFaultRestsOnMasternodesOfTheLastHour) {
  const std::pair<EndReason, const char*> ours[] = {{EndReason::wrong_genesis, "FM-H8"},
                                                    {EndReason::wrong_magic, "FM-C3"},
                                                    {EndReason::rejected_notice, "FM-H5"}};
  for (const auto& [reason, code] : ours) {
    auto facts = gone();
    facts.peer.reset();
    facts.node.timed.reset();
    auto& peers = facts.node.peers;
    peers.resize(3);
    for (auto& peer : peers) {
      peer.connected = false;
      peer.state = PeerState::refused;
      peer.ended = reason;
      peer.ended_at = kNow - 1min;
    }
    EXPECT_EQ(diagnose(facts).code, code) << "the control";
    const auto all = peers;
    for (auto& peer : peers) peer.whitelisted = false;
    EXPECT_EQ(found(diagnose(facts), code), nullptr) << code << ": strangers";
    peers = all;
    for (auto& peer : peers) *peer.ended_at -= 24h * 60;
    EXPECT_EQ(found(diagnose(facts), code), nullptr) << code << ": months ago";
    peers = all;
    peers.pop_back();
    EXPECT_EQ(found(diagnose(facts), code), nullptr) << code << ": two";
    peers = all;
    peers.push_back({.ip = other_peer(9), .whitelisted = true, .connected = true});
    EXPECT_EQ(found(diagnose(facts), code), nullptr) << code << ": one is connected";
  }
}

TEST(Diagnosis, OfManyPeersIsGroupedByCause) {
  const auto node = well().node;
  std::vector<PeerFacts> peers;
  for (int i = 1; i <= 7; ++i) {
    auto one = gone();
    one.peer->ip = other_peer(i);
    if (i <= 6) {
      dialled(one, EndReason::refused, 5);
      no_rpc(one, RpcAnswer::refused);
    } else {
      banned_there(one, "SynchronizedCycling");
    }
    peers.push_back(*one.peer);
  }
  const auto all = diagnose_all(node, peers);
  const auto* refused = found(all, "FM-R1");
  ASSERT_NE(refused, nullptr) << told(all);
  EXPECT_EQ(refused->peers.size(), 6U);
  ASSERT_NE(found(all, "FM-B2"), nullptr);
  EXPECT_EQ(found(all, "FM-B2")->peers, std::vector<IpAddress>{other_peer(7)});
}

TEST(Diagnosis, OfMasternodesThatAreDownWithoutAReasonIsNotThatAllIsWell) {
  auto facts = gone();
  peer(facts).rpc.reset();
  std::vector<PeerFacts> peers{*facts.peer};
  const auto down = diagnose_all(facts.node, peers);
  EXPECT_EQ(down.code, "") << told(down);
  EXPECT_LT(down.confidence, 0.5) << told(down);
  EXPECT_NE(down.verdict.find("1 of 1 masternode is not connected"), std::string::npos)
      << down.verdict;
  EXPECT_NE(down.verdict.find(kPeer.to_string()), std::string::npos) << down.verdict;

  // With a reason, or kept away by an operator, that is the verdict.
  live(facts).next_attempt_reason = "an operator keeps it away for another 59 min";
  peers = {*facts.peer};
  const auto kept = diagnose_all(facts.node, peers);
  EXPECT_EQ(kept.code, "kept_away") << told(kept);
  EXPECT_EQ(kept.act, Act::you);
  EXPECT_NE(kept.findings.front().remedy.find("peer connect"), std::string::npos);

  // The control: one that is connected.
  facts = well();
  peers = {*facts.peer};
  const auto up = diagnose_all(facts.node, peers);
  EXPECT_EQ(up.code, "");
  EXPECT_GT(up.confidence, 0.5) << told(up);
}

TEST(Diagnosis, OfAllByAPassiveNodeOrByNoneIsUnknown) {
  auto facts = gone();
  peer(facts).rpc.reset();
  const std::vector<PeerFacts> peers{*facts.peer};
  facts.node.listener.wanted = false;
  const auto passive = diagnose_all(facts.node, peers);
  EXPECT_LT(passive.confidence, 0.5) << told(passive);
  EXPECT_NE(passive.verdict.find("passive"), std::string::npos) << passive.verdict;
  facts.node.running = false;
  EXPECT_LT(diagnose_all(facts.node, peers).confidence, 0.5);
}

TEST(Diagnosis, OfAPeerThatNobodyHasToDialIsNotThatBothWait) {
  auto facts = gone();
  peer(facts).contact = {};
  probed(facts, Stage::genesis, Outcome::ok);
  live(facts).state = PeerState::idle;
  EXPECT_NE(found(diagnose(facts), "FM-D2"), nullptr) << "the control: a masternode of ours";
  peer(facts).whitelisted = false;
  EXPECT_EQ(found(diagnose(facts), "FM-D2"), nullptr);
  peer(facts).whitelisted = true;
  facts.node.running = false;
  EXPECT_EQ(found(diagnose(facts), "FM-D2"), nullptr) << "no node runs that would dial";
}

// The genesis block is asked for in a session, so no dial failed and no probe was made.
TEST(Diagnosis, OfAPeerWhoseSessionEndedForItsGenesisSaysSo) {
  auto facts = gone();
  facts.peer->rpc.reset();
  facts.peer->contact.last_dial.reset();
  had_session(facts, 60s, 1s, EndReason::wrong_genesis);
  const auto diagnosis = diagnose(facts);
  EXPECT_EQ(diagnosis.code, "FM-H6") << told(diagnosis);
  EXPECT_GE(diagnosis.confidence, 0.5) << told(diagnosis);
  // Later dials failed: then that is what is the matter.
  dialled(facts, EndReason::refused, 5);
  EXPECT_EQ(found(diagnose(facts), "FM-H6"), nullptr);
}

TEST(Diagnosis, OfOurOwnAddressIsARemarkUnlessWeDialOrBanIt) {
  auto facts = gone();
  facts.peer->rpc.reset();
  facts.peer->contact = {};
  facts.node.address = kPeer;
  const auto own = diagnose(facts);
  EXPECT_EQ(own.code, "") << told(own);
  EXPECT_GT(own.confidence, 0.5);
  EXPECT_NE(own.verdict.find("our own address"), std::string::npos) << own.verdict;
  EXPECT_EQ(found(own, "FM-R7"), nullptr) << told(own);
  facts.peer->contact.dials_last_hour = 2;
  EXPECT_EQ(diagnose(facts).code, "FM-R7") << told(diagnose(facts));
  facts.peer->contact = {};
  facts.peer->banned_here = BanFacts{.reason = "noisy"};
  EXPECT_NE(found(diagnose(facts), "FM-R7"), nullptr) << told(diagnose(facts));
}

// A peer without a chain says no tip, and that is nothing against it.
TEST(Diagnosis, OfAPeerThatAProbeReachesIsThatItAnswers) {
  auto facts = gone();
  facts.peer->rpc.reset();
  probed(facts, Stage::tip, Outcome::silent);
  facts.peer->probe->genesis = LayerFacts{.outcome = Outcome::ok};
  const auto reached = diagnose(facts);
  EXPECT_EQ(reached.code, "") << told(reached);
  EXPECT_GE(reached.confidence, 0.5);
  EXPECT_NE(reached.verdict.find("it answers"), std::string::npos) << reached.verdict;
  facts.peer->probe.reset();
  EXPECT_LT(diagnose(facts).confidence, 0.5) << "the control: nobody asked it";
}

TEST(Diagnosis, OfASessionThatEndedBeforeOurDialIsNotThatTheDialEndedIt) {
  auto facts = gone();
  dialled(facts, EndReason::closed_before_tls);  // a minute ago
  had_session(facts, 58s, 3s, EndReason::transport_dead, Direction::in);
  EXPECT_NE(found(diagnose(facts), "FM-D13"), nullptr) << "the control: during our dial";
  facts.peer->sessions.clear();
  had_session(facts, 62s, 2s, EndReason::transport_dead, Direction::in);
  EXPECT_EQ(found(diagnose(facts), "FM-D13"), nullptr) << told(diagnose(facts));
}

TEST(Diagnosis, OfAMasternodeThatIsKeptAwayIsNotThatThereAreTwoWhitelists) {
  auto facts = gone();
  const std::string why = "an operator keeps it away for another 59 min";
  for (auto& fact : facts.peer->protection_facts) {
    if (fact.name == FactName::slot) fact = {FactName::slot, false, why};
  }
  live(facts).next_attempt_reason = why;
  EXPECT_EQ(diagnose(facts).code, "kept_away") << told(diagnose(facts));
  EXPECT_EQ(found(diagnose(facts), "FM-B13"), nullptr) << told(diagnose(facts));
  live(facts).state = PeerState::connected;
  live(facts).next_attempt_reason.clear();
  EXPECT_NE(found(diagnose(facts), "FM-B13"), nullptr) << "the control: its slot is a regular one";
}

TEST(Diagnosis, OfAnUncleanStopIsARemarkWhileTheDatabaseIsWhole) {
  auto facts = well();
  facts.peer.reset();
  facts.node.last_stop_clean = false;
  const auto whole = diagnose(facts);
  EXPECT_EQ(whole.code, "") << told(whole);
  EXPECT_NE(found(whole, "FM-X10"), nullptr) << told(whole);
  facts.node.audit_broken = true;
  EXPECT_EQ(diagnose(facts).code, "FM-X10") << told(diagnose(facts));
}

TEST(Diagnosis, OfKillsInAGroupThatOthersShareIsAGuess) {
  auto facts = well();
  facts.peer.reset();
  facts.node.resources.oom_kills = 3;
  facts.node.resources.cgroup = "system.slice/timectl.service";
  EXPECT_EQ(diagnose(facts).findings.at(0).severity, Severity::critical) << "the control";
  EXPECT_GT(diagnose(facts).confidence, 0.5);
  facts.node.resources.cgroup = "user.slice/user-0.slice/session-1.scope";
  const auto shared = diagnose(facts);
  ASSERT_EQ(shared.code, "FM-X8") << told(shared);
  EXPECT_EQ(shared.findings[0].severity, Severity::warning);
  EXPECT_LT(shared.confidence, 0.5);
  EXPECT_NE(shared.verdict.find("session-1.scope), any process, since"), std::string::npos)
      << shared.verdict;
}

TEST(Diagnosis, OfAPeerIsNotAboutTheDiskOfThisNode) {
  auto facts = gone();
  dialled(facts, EndReason::refused, 5);
  no_rpc(facts, RpcAnswer::refused);
  facts.node.resources.disk_free_bytes = 1;
  const auto diagnosis = diagnose(facts);
  EXPECT_EQ(diagnosis.code, "FM-R1") << told(diagnosis);
  EXPECT_EQ(found(diagnosis, "FM-X4"), nullptr);
  facts.peer.reset();
  EXPECT_EQ(diagnose(facts).code, "FM-X4");
}

}  // namespace
}  // namespace timectl::diagnose
