// Cases for the rules of bans, whitelists, registries, the configuration and the API: FM-B, FM-P,
// FM-C, FM-A.
#include <array>

#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

constexpr auto kPeerAct = Act::peer;
constexpr auto kYou = Act::you;
constexpr auto kNobody = Act::nobody;

template <ApiAnswer kAnswer>
void api(Facts& f) {
  f.node.api.answer = kAnswer;
}

constexpr auto kCases = std::to_array<RuleCase>({
    {"FM-B1", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { banned_there(f, "TLS handshake failed: eof"); },
     [](Facts& f) { rpc(f).our_violations = 4; }},
    {"FM-B2", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { banned_there(f, "SynchronizedCycling"); },
     [](Facts& f) { banned_there(f, "ConnectionFlood"); }},
    {"FM-B3", About::node, kYou, Base::well, [](Facts& f) { f.node.whitelisted = 0; },
     [](Facts& f) {
       f.node.whitelisted = 0;
       api<ApiAnswer::unresolved>(f);
     }},
    {"FM-B4", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.whitelisted = 0;
       api<ApiAnswer::unresolved>(f);
     },
     [](Facts& f) { api<ApiAnswer::unresolved>(f); }},
    {"FM-B4", About::peer, kPeerAct, Base::well, [](Facts& f) { rpc(f).whitelisted = 0; },
     [](Facts& f) { rpc(f).whitelisted.reset(); }},
    {"FM-B5", About::peer, kPeerAct, Base::well, [](Facts& f) { rpc(f).whitelisted = 17; },
     [](Facts& f) { rpc(f).whitelisted = 24; }},
    {"FM-B5", About::node, kYou, Base::well, [](Facts& f) { f.node.api.good_at = kNow - 50h; },
     [](Facts& f) { f.node.api.good_at = kNow - 23h; }},
    {"FM-B6", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       rpc(f).bans_us = BanFacts{.reason = "operator", .permanent = true};
       rpc(f).uptime_seconds = 1200;
       had_session(f, 30h, 1h, EndReason::closed_by_peer);
       peer(f).contact.last_dial_at = kNow - 20h;
     },
     [](Facts& f) { banned_there(f, "operator"); }, true},
    {"FM-B7", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::closed);
       peer(f).probe->elsewhere = LayerFacts{.outcome = Outcome::ok};
     },
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::closed);
       peer(f).probe->elsewhere = LayerFacts{.outcome = Outcome::ok};
       rpc(f).bans_read.reset();
     }},
    {"FM-B8", About::node, kYou, Base::well, [](Facts& f) { f.node.own_address_banned = true; },
     [](Facts& f) { f.node.own_address_banned.reset(); }},
    {"FM-B9", About::peer, kYou, Base::gone,
     [](Facts& f) { banned_there(f, "Collateral hijack attempt for ab:0"); },
     [](Facts& f) { banned_there(f, "Message flood: x"); }},
    {"FM-B10", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { banned_there(f, "Rate limited: MessageFlood"); },
     [](Facts& f) { banned_there(f, "Ping flood"); }},
    {"FM-B11", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { banned_there(f, "Invalid reward distribution in block 7"); },
     [](Facts& f) { banned_there(f, "Invalid reorg reward: 7"); }},
    {"FM-B12", About::peer, kYou, Base::gone,
     [](Facts& f) {
       probed(f, Stage::genesis, Outcome::ok);
       live(f).next_attempt_at = kNow + 2h;
       live(f).attempts = 50;
     },
     [](Facts& f) {
       probed(f, Stage::genesis, Outcome::ok);
       live(f).next_attempt_at = kNow + 1min;
     }},
    {"kept_away", About::peer, kYou, Base::gone,
     [](Facts& f) { live(f).next_attempt_reason = "an operator keeps it away for another 59 min"; },
     [](Facts& f) {  // our own ladder
       live(f).next_attempt_reason = "attempt 4, after refused";
     }},
    {"FM-B13", About::peer, kYou, Base::well,
     [](Facts& f) { peer(f).protection_facts[1].ok = false; },
     [](Facts& f) { peer(f).protection_facts[1].ok.reset(); }},
    {"FM-B14", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       rpc(f).bans_our_subnet = "50.28.104.0/24: AI-detected: TlsFlood";
       dialled(f, EndReason::closed_before_tls, 6);
     },
     [](Facts& f) { banned_there(f, "TlsFlood"); }},
    {"FM-P4", About::peer, kPeerAct, Base::gone, [](Facts& f) { rpc(f).registers_us = false; },
     [](Facts& f) { rpc(f).registers_us.reset(); }},
    {"FM-P6", About::peer, kPeerAct, Base::well, [](Facts& f) { rpc(f).registers_us = false; },
     [](Facts& f) {
       rpc(f).registers_us = false;
       live(f).connected_at = kNow - 2min;
     }},
    {"FM-P7", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       rpc(f).registry_total = 242;
       rpc(f).registry_active = 20;
     },
     [](Facts& f) { rpc(f).registry_total = 90; }},
    {"FM-P9", About::peer, kYou, Base::gone,
     [](Facts& f) {
       live(f).state = PeerState::parked;
       live(f).attempts = 10;
       peer(f).whitelisted = false;
     },
     [](Facts& f) { live(f).state = PeerState::parked; }},  // whitelisted: dialled every 120 s
    {"FM-P10", About::peer, kNobody, Base::well,
     [](Facts& f) { rpc(f).registered_connected = false; },
     [](Facts& f) { rpc(f).registered_connected.reset(); }},
    {"FM-P11", About::peer, kYou, Base::well, [](Facts& f) { rpc(f).registered_active = false; },
     [](Facts& f) { rpc(f).registered_active.reset(); }},
    {"FM-P12", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       rpc(f).active = false;
       rpc(f).eligibility = "inactive: collateral not found";
       rpc(f).uptime_seconds = 400;
     },
     [](Facts& f) {
       rpc(f).active = false;
       rpc(f).eligibility = "inactive: collateral not found";
     }},
    {"FM-C10", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       rpc(f).active = false;
       rpc(f).eligibility = "inactive: collateral not found";
     },
     [](Facts& f) { rpc(f).active = false; }},
    {"FM-P13", About::node, kYou, Base::well,
     [](Facts& f) { f.node.config.host_names = {"seed1.time-coin.io"}; },
     [](Facts& f) { f.node.config.host_names = {}; }},
    {"FM-P14", About::node, kYou, Base::well, [](Facts& f) { f.node.api.lists_us = false; },
     [](Facts& f) { f.node.api.lists_us.reset(); }},
    {"FM-P14", About::peer, kPeerAct, Base::well, [](Facts& f) { peer(f).in_api_list = false; },
     [](Facts& f) {
       peer(f).in_api_list = false;
       peer(f).whitelisted = false;
     },
     true},
    {"FM-C1", About::node, kYou, Base::well,
     [](Facts& f) { f.node.config.external_ip = IpAddress::v4(51, 1, 1, 1); },
     [](Facts& f) { f.node.config.external_ip = kOurs; }},
    {"FM-C2", About::node, kYou, Base::well, [](Facts& f) { f.node.listener.port = 24444; },
     [](Facts& f) {
       f.node.listener.port = 24444;
       f.node.listener.wanted = false;
     }},
    {"FM-C5", About::node, kYou, Base::well,
     [](Facts& f) { f.node.config.unknown_keys = {"whitelistonly"}; },
     [](Facts& f) { f.node.config.rejected = false; }},
    {"FM-C6", About::peer, kYou, Base::well, [](Facts& f) { rpc(f).our_identity_at = 2; },
     [](Facts& f) { rpc(f).our_identity_at = 0; }},
    {"FM-C7", About::peer, kPeerAct, Base::well,
     [](Facts& f) { rpc(f).masternode_status = "not_a_masternode"; },
     [](Facts& f) {
       rpc(f).masternode_status = "not_a_masternode";
       peer(f).whitelisted = false;
     }},
    {"FM-C8", About::peer, kPeerAct, Base::well,
     [](Facts& f) { no_rpc(f, RpcAnswer::unauthorized); },
     [](Facts& f) { no_rpc(f, RpcAnswer::refused); }},
    {"FM-C9", About::node, kYou, Base::well,
     [](Facts& f) { f.node.timed = LocalTimedFacts{.outside_systemd = true}; },
     [](Facts& f) { f.node.timed = LocalTimedFacts{}; }},
    {"FM-A1", About::node, kYou, Base::well, api<ApiAnswer::unresolved>, api<ApiAnswer::ok>},
    {"FM-A2", About::node, kNobody, Base::well, api<ApiAnswer::http_error>,
     api<ApiAnswer::wrong_shape>},
    {"FM-P1", About::node, kYou, Base::well, api<ApiAnswer::tls_failed>,
     api<ApiAnswer::http_error>},
    {"FM-A3", About::node, kNobody, Base::well, api<ApiAnswer::wrong_shape>, api<ApiAnswer::empty>},
    {"FM-A4", About::node, kNobody, Base::well, api<ApiAnswer::empty>, api<ApiAnswer::wrong_shape>},
    {"FM-A5", About::node, kYou, Base::well, api<ApiAnswer::held_back>, api<ApiAnswer::too_large>},
    {"FM-A6", About::node, kNobody, Base::well, api<ApiAnswer::too_large>,
     api<ApiAnswer::held_back>},
    {"FM-A7", About::node, kNobody, Base::well, [](Facts& f) { f.node.api.dead_for_a_day = 6; },
     [](Facts& f) { f.node.api.dead_for_a_day = 3; }},
    {"FM-A8", About::peer, kPeerAct, Base::well, [](Facts& f) { no_rpc(f, RpcAnswer::silent); },
     [](Facts& f) { no_rpc(f, RpcAnswer::no_json); }},
    {"FM-A9", About::peer, kYou, Base::well, [](Facts& f) { no_rpc(f, RpcAnswer::rate_limited); },
     [](Facts& f) { no_rpc(f, RpcAnswer::no_json); }, true},
    {"FM-A10", About::peer, kPeerAct, Base::well, [](Facts&) {},
     [](Facts& f) { peer(f).ip = IpAddress::v4(127, 0, 0, 11); }, true},
    {"FM-A11", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       rpc(f).peers_listed = 242;
       rpc(f).peers_connected = 0;
       rpc(f).connections_in = 0;
       rpc(f).connections_out = 0;
     },
     [](Facts& f) {
       rpc(f).peers_listed = 242;
       rpc(f).peers_connected = 1;
     }},
});

}  // namespace

std::span<const RuleCase> list_cases() {
  return kCases;
}

}  // namespace timectl::diagnose
