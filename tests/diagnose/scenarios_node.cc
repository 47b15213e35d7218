// Scenarios of `diagnose node`.
#include "tests/diagnose/scenarios.h"

namespace timectl::diagnose {
namespace {

Facts own_clock() {  // T24
  auto f = well();
  f.node.clock = {
      .peers_seconds = 11.9, .peers = 5, .ntp_seconds = 12, .ntp_asked = 3, .ntp_answered = 3};
  return f;
}
Facts ntp_unreachable() {
  auto f = well();
  f.node.clock = {.peers_seconds = 0.2, .peers = 5, .ntp_asked = 3};
  return f;
}

Facts no_local_address() {  // T29
  auto f = gone();
  f.node.address = IpAddress();
  for (int i = 0; i < 3; ++i) f.node.peers.push_back({.ip = other_peer(20 + i)});
  for (auto& p : f.node.peers) {
    p.connected = false;
    p.state = PeerState::waiting_passive;
  }
  return f;
}

Facts our_slots_full() {  // T43
  auto f = well();
  f.node.slots->regular = 75;
  f.node.slots->total = 125;
  f.node.inbound_refused_hour = 5;
  return f;
}

Facts local_timed(bool rpc_answers, double heartbeat, double tick) {  // T46
  auto f = well();
  f.node.timed = LocalTimedFacts{.rpc_answers = rpc_answers,
                                 .heartbeat_age_seconds = heartbeat,
                                 .dial_tick_age_seconds = tick};
  return f;
}

Facts restart_loop() {  // T47
  auto f = well();
  f.node.timed = LocalTimedFacts{.restarts_half_hour = 5, .watchdog_restarts_half_hour = 5};
  f.node.last_stop_clean = false;
  return f;
}

Facts no_descriptors() {  // T52
  auto f = well();
  f.node.resources.descriptors = 63;
  f.node.resources.descriptors_limit = 64;
  f.node.resources.descriptors_refused = 7;
  return f;
}

Facts api(ApiAnswer answer, std::uint64_t whitelisted = 23) {  // T54 to T58
  auto f = well();
  f.node.api.answer = answer;
  f.node.whitelisted = whitelisted;
  return f;
}

}  // namespace

std::vector<Scenario> node_scenarios() {
  constexpr bool kNode = true;
  return {
      {"T24a", "our clock is 12 s ahead", "FM-X1", Act::you, "12.0 s ahead of 3 time servers",
       kNode, own_clock},
      {"T24b",
       "no time server answers",
       "FM-X2",
       Act::you,
       "by 0.2 s",
       kNode,
       ntp_unreachable,
       {},
       "FM-X1"},
      {"T29",
       "our address is 0.0.0.0, all are passive",
       "FM-D3",
       Act::you,
       "0.0.0.0",
       kNode,
       [] {
         auto f = no_local_address();
         f.node.address = IpAddress::v4(0, 0, 0, 0);
         return f;
       },
       {},
       "FM-D2"},
      {"T43", "125 slots in use, 5 refused", "FM-L3", Act::you, "125 of 125 slots", kNode,
       our_slots_full},
      {"T46a", "the RPC of our timed hangs, it has a heartbeat", "FM-X6", Act::you, "wait 90 s",
       kNode, [] { return local_timed(false, 9, 20); }},
      {"T46b",
       "its heartbeat stops, too",
       "FM-X6",
       Act::you,
       "no heartbeat",
       kNode,
       [] { return local_timed(false, 31, 31); },
       {},
       "FM-X7"},
      {"T46c",
       "a heartbeat, and no tick of its dialler",
       "FM-X7",
       Act::you,
       "2 min",
       kNode,
       [] { return local_timed(true, 9, 125); },
       {},
       "FM-X6"},
      {"T47", "five restarts by the watchdog", "FM-X12", Act::you, "5 times", kNode, restart_loop},
      {"T52", "63 of 64 descriptors, EMFILE", "FM-X9", Act::you, "63 of 64", kNode, no_descriptors},
      {"T54a", "the API answers 503", "FM-A2", Act::nobody, "http_error", kNode,
       [] { return api(ApiAnswer::http_error); }},
      {"T54b", "the API answers HTML", "FM-A3", Act::nobody, "wrong_shape", kNode,
       [] { return api(ApiAnswer::wrong_shape); }},
      {"T55a", "the API answers []", "FM-A4", Act::nobody, "it had 23 before", kNode,
       [] { return api(ApiAnswer::empty); }},
      {"T55b",
       "[] and nobody is whitelisted",
       "FM-A4",
       Act::nobody,
       "0 addresses",
       kNode,
       [] { return api(ApiAnswer::empty, 0); },
       {},
       "FM-B3"},
      {"T56", "a list of 200,000", "FM-A6", Act::nobody, "too_large", kNode,
       [] { return api(ApiAnswer::too_large); }},
      {"T58", "80 new entries at once", "FM-A5", Act::you, "held_back", kNode,
       [] { return api(ApiAnswer::held_back); }},
  };
}

}  // namespace timectl::diagnose
