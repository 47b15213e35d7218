// Cases for the rules of sessions and limits: FM-K, FM-D, FM-L.
#include <array>

#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

constexpr auto kPeerAct = Act::peer;
constexpr auto kYou = Act::you;
constexpr auto kNobody = Act::nobody;

void idle(Facts& f) {  // it is there, and nobody dials
  live(f).state = PeerState::waiting_passive;
  peer(f).contact = {};
  f.node.peers.front().state = PeerState::waiting_passive;
}

constexpr auto kCases = std::to_array<RuleCase>({
    {"FM-K1", About::peer, kNobody, Base::well,
     [](Facts& f) {
       live(f).state = PeerState::suspect;
       live(f).last_heard_at = kNow - 50s;
       live(f).path->silence = "nothing arrives from it: the path from it, or both ways";
     },
     [](Facts& f) {  // its kernel lives: FM-X6
       live(f).state = PeerState::suspect;
       live(f).path->silence = "its kernel acknowledges, its program says nothing";
     }},
    {"FM-K2", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       peer(f).contact.violations = {{"unknown_pongs", 1}};
     },
     [](Facts& f) {
       peer(f).contact.violations = {{"slow", 1}};
     }},
    {"FM-K3", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { banned_there(f, "Ping flood: sustained excess pings"); },
     [](Facts& f) { banned_there(f, "MessageFlood"); }},
    {"FM-K4", About::peer, kNobody, Base::well, [](Facts& f) { rpc(f).our_ping_known = false; },
     [](Facts& f) {
       rpc(f).our_ping_known = false;
       live(f).connected_at = kNow - 20s;
     },
     true},
    {"FM-D14", About::peer, kNobody, Base::well, [](Facts& f) { rpc(f).our_height = 0; },
     [](Facts& f) {
       rpc(f).our_height = 0;
       live(f).connected_at = kNow - 20s;
     }},
    {"FM-K7", About::peer, kYou, Base::well, [](Facts& f) { live(f).last_heard_at = kNow - 20min; },
     [](Facts& f) { live(f).last_heard_at = kNow - 4min; }},
    {"FM-D1", About::peer, kNobody, Base::gone,
     [](Facts& f) {
       for (int i = 1; i <= 4; ++i) {
         had_session(f, 1min * i, 2s, EndReason::superseded,
                     i % 2 == 0 ? Direction::in : Direction::out);
       }
     },
     [](Facts& f) {  // one direction only: nobody meets
       for (int i = 1; i <= 4; ++i) had_session(f, 1min * i, 2s, EndReason::closed_by_peer);
     }},
    {"FM-D2", About::peer, kPeerAct, Base::gone, [](Facts& f) { idle(f); },
     [](Facts& f) {  // we dialled, and failed
       idle(f);
       dialled(f, EndReason::refused, 4);
     }},
    {"FM-D3", About::node, kYou, Base::gone,
     [](Facts& f) {
       f.node.address = IpAddress::v4(0, 0, 0, 0);
       for (auto& p : f.node.peers) p.state = PeerState::waiting_passive;
     },
     [](Facts& f) {
       for (auto& p : f.node.peers) p.state = PeerState::waiting_passive;
     }},
    {"FM-D4", About::peer, kYou, Base::gone,
     [](Facts& f) {
       idle(f);
       f.node.config.external_ip = IpAddress::v4(165, 1, 1, 1);
     },
     [](Facts& f) {  // both rank below it
       idle(f);
       f.node.config.external_ip = IpAddress::v4(51, 1, 1, 1);
     }},
    {"FM-D5", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { rpc(f).registered_connected = true; },
     [](Facts& f) {
       rpc(f).registered_connected = true;
       rpc(f).sees_us.reset();
     }},
    {"FM-D6", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       rpc(f).sees_us = true;
       dialled(f, EndReason::closed_before_tls, 6);
       had_session(f, 20min, 3h, EndReason::transport_dead);
       peer(f).sessions.back().end_reason = EndReason::closed_by_operator;
     },
     [](Facts& f) { dialled(f, EndReason::closed_before_tls, 6); }},
    {"FM-D10", About::peer, kPeerAct, Base::well, [](Facts& f) { rpc(f).our_rows = 2; },
     [](Facts& f) { rpc(f).our_rows = 0; }},
    {"FM-D11", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       rpc(f).connections_in = 0;
       rpc(f).connections_out = 0;
     },
     [](Facts& f) { rpc(f).connections_in = 0; }},
    {"FM-D12", About::peer, kNobody, Base::well,
     [](Facts& f) {
       for (int i = 4; i >= 1; --i) had_session(f, 602s * i, 570s, EndReason::superseded);
     },
     [](Facts& f) {
       for (int i = 4; i >= 1; --i) had_session(f, 700s * i, 570s, EndReason::superseded);
     }},
    {"FM-D13", About::peer, kNobody, Base::gone,
     [](Facts& f) {
       dialled(f, EndReason::closed_before_tls);
       had_session(f, 30s, 31s, EndReason::transport_dead, Direction::in);
     },
     [](Facts& f) {  // the session was an old one
       dialled(f, EndReason::closed_before_tls);
       had_session(f, 30s, 2h, EndReason::transport_dead, Direction::in);
     }},
    {"FM-L1", About::peer, kNobody, Base::gone,
     [](Facts& f) {
       dialled(f, EndReason::closed_before_tls, 4);
       rpc(f).uptime_seconds = 200;
     },
     [](Facts& f) { dialled(f, EndReason::closed_before_tls, 4); }},
    {"FM-L2", About::peer, kYou, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::closed);
       peer(f).probe->elsewhere = LayerFacts{.outcome = Outcome::ok};
       f.node.nodes_in_our_subnet = 6;
     },
     [](Facts& f) {  // nobody shares our network: FM-B7
       probed(f, Stage::tls, Outcome::closed);
       peer(f).probe->elsewhere = LayerFacts{.outcome = Outcome::ok};
     }},
    {"FM-L3", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::closed);
       peer(f).probe->elsewhere = LayerFacts{.outcome = Outcome::closed};
       rpc(f).connections_in = 250;
     },
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::closed);
       rpc(f).connections_in = 249;
     }},
    {"FM-L3", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.inbound_refused_hour = 5;
       f.node.slots->regular = 75;
     },
     [](Facts& f) { f.node.slots->regular = 75; }},
    {"FM-L4", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::handshake, Outcome::redirected);
       rpc(f).connections_in = 180;
     },
     [](Facts& f) { probed(f, Stage::handshake, Outcome::ok); }},
    {"FM-L6", About::peer, kNobody, Base::gone,
     [](Facts& f) {
       idle(f);
       rpc(f).our_tier = "Free";
       f.node.nodes_in_our_subnet = 5;
     },
     [](Facts& f) {
       idle(f);
       f.node.nodes_in_our_subnet = 5;
     }},
    {"FM-L8", About::peer, kYou, Base::gone,
     [](Facts& f) { banned_there(f, "Message flood: pre-handshake flood"); },
     [](Facts& f) { banned_there(f, "MessageFlood"); }},
});

}  // namespace

std::span<const RuleCase> session_cases() {
  return kCases;
}

}  // namespace timectl::diagnose
