#include "daemon/diagnose/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "daemon/core/observer.h"
#include "daemon/core/reflect.h"
#include "daemon/diagnose/pages.h"
#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

const Finding* found(const Diagnosis& diagnosis, std::string_view code) {
  const auto at = std::find_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                               [&](const Finding& f) { return f.code == code; });
  return at == diagnosis.findings.end() ? nullptr : &*at;
}

std::string told(const Diagnosis& d) {
  std::string text = d.verdict;
  for (const auto& f : d.findings) {
    text += "\n  " + f.code + " " + std::to_string(f.confidence);
    for (const auto& line : f.evidence) text += " | " + line;
  }
  return text;
}

std::set<std::string> words(std::string_view text) {
  std::set<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    all.emplace(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

bool is_code(std::string_view code) {
  return find_mode(code) != nullptr || value_of<Ailment>(code).has_value() ||
         std::ranges::find(own_codes(), code, &OwnCode::code) != own_codes().end();
}

TEST(Rules, EachNamesAModeOfTheCatalogueAndHidesSuchOnly) {
  std::set<std::string_view> modes;
  for (const Rule* rule : all_rules()) {
    EXPECT_TRUE(is_code(rule->code)) << rule->code;
    for (const auto& code : words(rule->hides)) {
      EXPECT_TRUE(is_code(code)) << rule->code << " hides " << code;
      EXPECT_NE(code, rule->code);
    }
    modes.insert(rule->code);
  }
  EXPECT_GE(all_rules().size(), 60U);
  EXPECT_GE(modes.size(), 60U) << "modes with a rule";
  EXPECT_FALSE(is_code("FM-Z1"));
}

// Two rules that hide each other would leave nothing.
TEST(Rules, NoTwoHideEachOther) {
  std::map<std::pair<std::string, About>, std::set<std::string>> hides;
  for (const Rule* rule : all_rules()) {
    hides[{std::string(rule->code), rule->about}].merge(words(rule->hides));
  }
  for (const auto& [by, codes] : hides) {
    for (const auto& code : codes) {
      const auto other = hides.find({code, by.second});
      if (other == hides.end()) continue;
      EXPECT_FALSE(other->second.contains(by.first)) << by.first << " and " << code;
    }
  }
}

TEST(Rules, EachHasACase) {
  std::multiset<std::pair<std::string_view, About>> cases;
  for (const auto& c : all_cases()) cases.emplace(c.code, c.about);
  for (const Rule* rule : all_rules()) {
    EXPECT_TRUE(cases.contains({rule->code, rule->about})) << rule->code;
  }
  EXPECT_EQ(cases.size(), all_rules().size());
}

TEST(Rules, FindNothingWhereNothingIsWrong) {
  auto facts = well();
  auto of_peer = diagnose(facts);
  EXPECT_EQ(of_peer.code, "") << told(of_peer);
  EXPECT_GT(of_peer.confidence, 0.8);
  EXPECT_NE(of_peer.verdict.find("nothing is wrong"), std::string::npos) << of_peer.verdict;
  facts.peer.reset();
  const auto of_node = diagnose(facts);
  EXPECT_EQ(of_node.code, "") << told(of_node);
  EXPECT_TRUE(of_node.findings.empty()) << told(of_node);
}

TEST(Rules, EachGivesItsVerdictOnItsCase) {
  for (const auto& c : all_cases()) {
    const auto diagnosis = diagnose(facts_of(c, false));
    const auto* finding = found(diagnosis, c.code);
    ASSERT_NE(finding, nullptr) << c.code << "\n" << told(diagnosis);
    if (!c.second) {
      EXPECT_EQ(diagnosis.code, c.code) << told(diagnosis);
    }
    EXPECT_EQ(finding->act, c.act) << c.code << "\n" << told(diagnosis);
    EXPECT_TRUE(finding->confidence > 0.2 && finding->confidence < 1) << c.code;
    EXPECT_FALSE(finding->evidence.empty()) << c.code;
    EXPECT_FALSE(finding->title.empty()) << c.code;
    EXPECT_EQ(finding->peers.empty(), c.about == About::node) << c.code;
  }
}

TEST(Rules, NoneIsFoundOnWhatIsOnlyNearItsCase) {
  for (const auto& c : all_cases()) {
    const auto diagnosis = diagnose(facts_of(c, true));
    const auto* finding = found(diagnosis, c.code);
    const bool of_other = finding != nullptr && finding->peers.empty() != (c.about == About::node);
    EXPECT_TRUE(finding == nullptr || of_other) << c.code << "\n" << told(diagnosis);
  }
}

TEST(Rules, NoCodeIsTheVerdictOfAnotherCase) {
  for (const auto& c : all_cases()) {
    if (c.second) continue;
    for (const auto& other : all_cases()) {
      if (other.code == c.code || other.second) continue;
      EXPECT_NE(diagnose(facts_of(other, false)).code, c.code) << "on the case of " << other.code;
    }
  }
}

// Many close that port on purpose, as FM-A10 advises, and a node of ours has none.
TEST(Rules, AnRpcThatIsClosedIsARemarkOfAPeerThatIsWell) {
  auto facts = well();
  for (const auto answer : {RpcAnswer::refused, RpcAnswer::timed_out}) {
    no_rpc(facts, answer);
    const auto diagnosis = diagnose(facts);
    EXPECT_EQ(diagnosis.code, "") << told(diagnosis);
    ASSERT_NE(found(diagnosis, "FM-A8"), nullptr);
    EXPECT_EQ(found(diagnosis, "FM-A8")->severity, Severity::info);
  }
}

// A session's time stamps are compared with our own clock, whose error is not the peer's.
TEST(Rules, APeersClockIsNotBlamedForOurOwn) {
  auto facts = well();
  live(facts).clock_seconds = 600;
  EXPECT_EQ(diagnose(facts).code, "FM-X3") << told(diagnose(facts));
  facts.node.clock.ntp_seconds = -600;  // we are behind, and so it seems ahead
  facts.node.clock.peers_seconds = -600;
  EXPECT_EQ(found(diagnose(facts), "FM-X3"), nullptr) << told(diagnose(facts));
}

TEST(Rules, SayNothingOfWhatIsNotKnown) {
  Facts nothing;
  nothing.peer.emplace().ip = kPeer;
  const auto diagnosis = diagnose(nothing);
  EXPECT_TRUE(diagnosis.findings.empty()) << told(diagnosis);
  EXPECT_EQ(diagnosis.confidence, 0);
  EXPECT_NE(diagnosis.verdict.find("nothing known says why"), std::string::npos);
  nothing.peer.reset();
  EXPECT_TRUE(diagnose(nothing).findings.empty());
  EXPECT_LT(diagnose(nothing).confidence, 0.5);
}

TEST(Proof, IsSurerOfWhatTwoSidesSay) {
  Proof one;
  one.add(Side::ours, 0.6, "a");
  one.add(Side::ours, 0.6, "b");
  Proof two;
  two.add(Side::ours, 0.6, "a");
  two.add(Side::peer, 0.6, "b");
  EXPECT_NEAR(two.confidence(), 0.84, 1e-9);
  EXPECT_NEAR(one.confidence(), 0.84 * 0.85, 1e-9);
  two.doubt(0.5);
  EXPECT_NEAR(two.confidence(), 0.42, 1e-9);
  EXPECT_EQ(Proof().confidence(), 0);
}

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
