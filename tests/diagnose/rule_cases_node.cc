// Cases for the rules of the node itself: FM-X and its ailments; and all cases together.
#include <array>

#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

constexpr auto kPeerAct = Act::peer;
constexpr auto kYou = Act::you;
constexpr auto kNobody = Act::nobody;

void timed(Facts& f, double heartbeat, double tick) {
  auto& timed = f.node.timed.emplace();
  timed.rpc_answers = true;
  timed.heartbeat_age_seconds = heartbeat;
  timed.dial_tick_age_seconds = tick;
}

void young(Facts& f, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) f.node.peers[i].uptime_seconds = 600;
}

constexpr auto kCases = std::to_array<RuleCase>({
    {"uplink_down", About::node, kYou, Base::gone,
     [](Facts& f) { lost_all(f, EndReason::transport_dead, 60s, 200ms); },
     [](Facts& f) { lost_all(f, EndReason::transport_dead, 300s, 20s); }},
    {"clock_step", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.ailments = {{Ailment::clock_step, kNow - 20s, "the clock was set by 3600 s"}};
     },
     [](Facts& f) {
       f.node.ailments = {{Ailment::late_timers, kNow - 20s, "timers came 4 s late"}};
     }},
    {"FM-X1", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.clock.ntp_seconds = 12;
       f.node.clock.peers_seconds = 12.1;
     },
     [](Facts& f) { f.node.clock.ntp_seconds = 4; }},
    {"FM-X2", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.clock.ntp_seconds.reset();
       f.node.clock.ntp_answered = 0;
     },
     [](Facts& f) { f.node.clock.ntp_answered = 1; }},
    {"FM-X3", About::peer, kPeerAct, Base::well, [](Facts& f) { rpc(f).clock_seconds = 600; },
     [](Facts& f) { rpc(f).clock_seconds = -4; }},
    {"FM-X4", About::node, kYou, Base::well,
     [](Facts& f) { f.node.resources.disk_free_bytes = 50'000'000; },
     [](Facts& f) { f.node.resources.disk_free_bytes = 5'000'000'000; }},
    {"FM-X5", About::node, kYou, Base::well,
     [](Facts& f) { f.node.resources.log_bytes_a_day = 2'000'000'000; },
     [](Facts& f) { f.node.resources.log_bytes_a_day = 200'000'000; }},
    {"FM-X6", About::node, kYou, Base::well, [](Facts& f) { timed(f, 45, 45); },
     [](Facts& f) { timed(f, 10, 45); }},
    {"FM-X7", About::node, kYou, Base::well, [](Facts& f) { timed(f, 8, 130); },
     [](Facts& f) { timed(f, 45, 130); }},
    {"FM-X8", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.resources.oom_kills = 1;
       f.node.resources.cgroup = "system.slice/timectl.service";
     },
     [](Facts& f) {
       f.node.resources.memory_bytes = 900;
       f.node.resources.memory_limit_bytes = 1000;
     }},
    {"FM-X9", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.resources.descriptors = 64;
       f.node.resources.descriptors_limit = 64;
       f.node.resources.descriptors_refused = 12;
     },
     [](Facts& f) { f.node.resources.descriptors = 800; }},
    {"FM-X10", About::node, kYou, Base::well, [](Facts& f) { f.node.last_stop_clean = false; },
     [](Facts& f) { f.node.last_stop_clean.reset(); }, true},
    {"FM-X12", About::node, kYou, Base::well,
     [](Facts& f) { f.node.timed = LocalTimedFacts{.watchdog_restarts_half_hour = 5}; },
     [](Facts& f) { f.node.timed = LocalTimedFacts{.watchdog_restarts_half_hour = 2}; }},
    {"FM-X12", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       peer(f).restarts_half_hour = 4;
       rpc(f).uptime_seconds = 60;
       dialled(f, EndReason::refused, 3);
       for (int i = 4; i >= 1; --i) had_session(f, 5min * i, 2min, EndReason::closed_by_peer);
     },
     [](Facts& f) { peer(f).restarts_half_hour = 2; }},
    {"FM-X15", About::node, kNobody, Base::well, [](Facts& f) { young(f, 6); },
     [](Facts& f) { young(f, 4); }},
    {"FM-X16", About::node, kYou, Base::well,
     [](Facts& f) { f.node.timed = LocalTimedFacts{.panics = 1}; },
     [](Facts& f) { f.node.timed = LocalTimedFacts{}; }},
});

}  // namespace

std::span<const RuleCase> node_cases() {
  return kCases;
}

std::vector<RuleCase> all_cases() {
  std::vector<RuleCase> all;
  for (const auto cases :
       {link_cases(), session_cases(), list_cases(), chain_cases(), node_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

Facts facts_of(const RuleCase& c, bool near) {
  auto facts = c.base == Base::well ? well() : gone();
  (near ? c.near : c.holds)(facts);
  if (c.about == About::node) facts.peer.reset();
  return facts;
}

}  // namespace timectl::diagnose
