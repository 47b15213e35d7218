// FT-N6, N9, N10, N11, N12, N15, T33: connections that end without a word, and those that cannot
// begin.
#include <iostream>

#include "tests/lab/lab_nodes.h"

namespace timectl::lab {
namespace {

using namespace std::chrono_literals;

// From the cut to the loss: the next ping is at most one interval away, and what it sends must then
// stay unacknowledged for the user time-out.
constexpr milliseconds kCutWithin = ping_every + dead_after;

class CutTest : public LabTest {
 protected:
  // `keeper` watches `victim`; `patient` does so with a user time-out that finds nothing in time.
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    victim = &node(2, fast_numbers() + friends({ip(3), ip(4)}));
    keeper = &node(3, fast_numbers() + friends({ip(2)}));
    patient = &node(4, fast_numbers({.user_timeout = 300}) + friends({ip(2)}));
    start_all();
    ASSERT_TRUE(wait_for(
        [&] {
          return keeper->connected_to(victim->address()) &&
                 patient->connected_to(victim->address()) && victim->connections() == 2;
        },
        patience(10s)))
        << keeper->log() << victim->log();
  }

  // Until the keeper lost the victim; gives the event.
  e2e::json::object loss(const NodeProcess& at, const std::string& of) {
    EXPECT_TRUE(
        wait_for([&] { return count_of(at, "peer_disconnected", of) > 0; }, patience(kCutWithin)))
        << at.log();
    const auto lost = events_of(at, "peer_disconnected", of);
    return lost.empty() ? e2e::json::object() : lost.front();
  }

  static std::size_t alerts(const NodeProcess& at, const std::string& of) {
    const auto log = at.log();
    const auto line = "CRITICAL: Whitelisted peer " + of + " disconnected";
    std::size_t count = 0;
    for (auto i = log.find(line); i != std::string::npos; i = log.find(line, i + 1)) ++count;
    return count;
  }

  NodeProcess* victim = nullptr;
  NodeProcess* keeper = nullptr;
  NodeProcess* patient = nullptr;
};

TEST_F(CutTest, APulledCableIsSuspectedThenCutWithEvidenceAndHealed) {
  const auto& lost = victim->address();
  lab.pull(host(*victim));
  EXPECT_TRUE(wait_for([&] { return count_of(*keeper, "peer_suspect", lost) == 1; },
                       patience(ping_every * 2)))
      << keeper->log();
  const auto event = loss(*keeper, lost);
  EXPECT_EQ(text(event, "reason"), "transport_dead");
  const auto detail = text(event, "detail");
  EXPECT_NE(detail.find("bytes unacknowledged"), std::string::npos) << detail;
  EXPECT_EQ(detail.find(" 0 bytes"), std::string::npos) << detail;
  EXPECT_NE(detail.find("nothing arrives"), std::string::npos) << detail;
  // Back-dated: what counts is when it was heard the last time.
  const auto suspect = events_of(*keeper, "peer_suspect", lost).front();
  EXPECT_LT(text(peer(*keeper, lost), "last_heard_at"), text(suspect, "at"));
  EXPECT_NE(keeper->log().find("[MASTERNODE] Reconnecting to " + lost + " in 2s..."),
            std::string::npos);
  EXPECT_NE(keeper->log().find("CRITICAL: Whitelisted peer " + lost + " disconnected"),
            std::string::npos);
  // The control: with a user time-out of minutes the dead path is not noticed now.
  EXPECT_TRUE(patient->connected_to(lost)) << patient->log();
  // Redials fail as time-outs and climb their ladder; none is more than 4 s apart here.
  EXPECT_TRUE(wait_for([&] { return count_of(*keeper, "dial_failed", lost) > 0; },
                       patience(2s + connect_within)))
      << keeper->log();
  EXPECT_EQ(text(events_of(*keeper, "dial_failed", lost).front(), "reason"), "timed_out");
  lab.plug(host(*victim));
  EXPECT_TRUE(
      wait_for([&] { return keeper->connected_to(lost); }, patience(4s + connect_within + 2s)))
      << keeper->log();
}

// The end that still hears packets, but no acknowledgement, knows that its own do not arrive. The
// other end hears nothing, which is all that it can say.
TEST_F(CutTest, AOneWayCutIsFoundOnBothEndsAndTheDirectionIsNamed) {
  lab.links().set(host(*victim).port(), Way::to_node, cut_link);
  const auto at_keeper = loss(*keeper, victim->address());
  const auto at_victim = loss(*victim, keeper->address());
  EXPECT_EQ(text(at_keeper, "reason"), "transport_dead");
  EXPECT_NE(text(at_keeper, "detail").find("ours do not arrive"), std::string::npos)
      << text(at_keeper, "detail");
  EXPECT_EQ(text(at_victim, "reason"), "transport_dead");
  EXPECT_NE(text(at_victim, "detail").find("nothing arrives"), std::string::npos)
      << text(at_victim, "detail");
  EXPECT_TRUE(patient->connected_to(victim->address())) << "the control";
  lab.plug(host(*victim));
  EXPECT_TRUE(wait_for([&] { return keeper->connected_to(victim->address()); },
                       patience(4s + connect_within + 2s)))
      << keeper->log();
}

// FT-N6. One packet in ten passes each way, so that one exchange in a hundred does: a stall may be
// overcome by luck once or twice, which the bound allows for.
TEST_F(CutTest, N6NinePacketsInTenLostIsDownOnceAndDialledWithinTheBudget) {
  const auto& lost = victim->address();
  // The control is the same victim's other peer: a tenth of its packets is lost.
  lab.links().set(host(*keeper).port(), {.loss = 0.9});
  lab.links().set(host(*patient).port(), {.loss = 0.1});
  EXPECT_TRUE(wait_for([&] { return count_of(*keeper, "peer_disconnected", lost) == 1; },
                       patience(3 * kCutWithin)))
      << keeper->log();
  EXPECT_EQ(text(events_of(*keeper, "peer_disconnected", lost).front(), "reason"),
            "transport_dead");
  // What follows are failed dials, four a minute to one target, and no further alert. One is sure:
  // where TCP gets through by luck and no more does, the next is minutes away.
  EXPECT_TRUE(wait_for([&] { return count_of(*keeper, "dial_failed", lost) >= 1; }, patience(20s)))
      << keeper->log();
  EXPECT_LE(count_of(*keeper, "dial_failed", lost), 4U);
  EXPECT_EQ(alerts(*keeper, lost), 1U) << keeper->log();
  EXPECT_TRUE(patient->connected_to(lost)) << "the control";
  EXPECT_EQ(count_of(*patient, "peer_disconnected", lost), 0U);
}

// FT-N9 in real time: the default numbers, and those of an operator who wants 30 s.
TEST_F(LabTest, ADeadTransportIsCutWithinAMinuteAndWithinHalfOfOneWhereToldSo) {
  if (!long_run()) GTEST_SKIP() << "takes a minute: TIMECTL_LONG=1";
  auto& victim = node(2, friends({ip(3), ip(4)}));
  auto& normal = node(3, friends({ip(2)}));
  auto& quick = node(4, friends({ip(2)}) + "keepalive_interval = 3\ntcp_user_timeout = 20\n");
  start_all();
  ASSERT_TRUE(wait_for([&] { return victim.connections() == 2; }, patience(10s)));
  // Some pings later the cut falls between two of them, as it does in the field.
  EXPECT_FALSE(wait_for([&] { return victim.connections() != 2; }, 20s));
  lab.pull(host(victim));
  const auto cut = [&](const NodeProcess& at) { return count_of(at, "peer_disconnected", ip(2)); };
  const auto first = e2e::elapsed([&] { (void)wait_for([&] { return cut(quick) == 1; }, 30s); });
  EXPECT_EQ(cut(quick), 1U) << quick.log();
  EXPECT_EQ(cut(normal), 0U);
  const auto rest = e2e::elapsed([&] { (void)wait_for([&] { return cut(normal) == 1; }, 40s); });
  EXPECT_LT(first + rest, 60s) << normal.log();
  EXPECT_EQ(count_of(normal, "peer_suspect", ip(2)), 1U);
  std::cerr << "cut after " << first.count() << " ms and " << (first + rest).count() << " ms\n";
}

// FT-N12. The rebooted node knows nobody, so that only the keeper can bring the session back.
TEST_F(LabTest, ARebootedPeerIsNoticedAtTheNextPingAndBackAtTheNextAttempt) {
  auto& rebooted = node(2, fast_numbers({.more = "outbound_regular = 0\n"}));
  auto& keeper = node(3, fast_numbers() + friends({ip(2)}));
  auto& rare = node(4, fast_numbers({.user_timeout = 300, .keepalive = 60}) + friends({ip(2)}));
  start_all();
  ASSERT_TRUE(wait_for([&] { return keeper.connected_to(ip(2)) && rare.connected_to(ip(2)); },
                       patience(10s)));
  const auto since = text(peer(rare, ip(2)), "connected_at");
  lab.pull(host(rebooted));  // no FIN leaves it
  rebooted.kill9();
  host(rebooted).power_cycle();
  rebooted.start();
  lab.plug(host(rebooted));
  ASSERT_TRUE(wait_for([&] { return count_of(keeper, "peer_disconnected", ip(2)) == 1; },
                       patience(ping_every + 2s)))
      << keeper.log();
  const auto lost = events_of(keeper, "peer_disconnected", ip(2)).front();
  EXPECT_EQ(text(lost, "reason"), "closed_by_peer");
  EXPECT_EQ(text(lost, "detail"), "RST");
  EXPECT_TRUE(wait_for([&] { return keeper.connected_to(ip(2)); }, patience(3s))) << keeper.log();
  // The control: without pings nothing is noticed.
  EXPECT_EQ(text(peer(rare, ip(2)), "connected_at"), since);
}

TEST_F(LabTest, RefusedFilteredAndUnreachablePeersAreToldApartInTime) {
  auto& node = this->node(3, fast_numbers() + friends({ip(10), ip(11), ip(12), ip(13)}));
  (void)lab.add(10);               // nobody listens
  lab.pull(lab.add(11));           // filtered
  const auto& deaf = lab.add(12);  // hears us, but has no way back
  deaf.command("ip route add blackhole 10.77.0.3/32");
  host(node).command("ip route add unreachable 10.77.0.13/32");
  node.start();
  const std::pair<int, std::string> expected[] = {
      {10, "refused"}, {11, "timed_out"}, {12, "timed_out"}, {13, "no_route"}};
  for (const auto& row : expected) {
    const auto number = row.first;
    ASSERT_TRUE(wait_for([&] { return count_of(node, "dial_failed", ip(number)) > 0; },
                         patience(connect_within + 1s)))
        << ip(number) << node.log();
    EXPECT_EQ(text(events_of(node, "dial_failed", ip(number)).front(), "reason"), row.second)
        << ip(number);
  }
}

}  // namespace
}  // namespace timectl::lab
