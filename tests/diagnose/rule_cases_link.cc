// Cases for the rules of reaching a peer and of the handshake: FM-R, FM-H, FM-C3.
#include <array>

#include "tests/diagnose/rule_cases.h"

namespace timectl::diagnose {
namespace {

void ended_all(Facts& f, EndReason reason, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    f.node.peers[i].connected = false;
    f.node.peers[i].state = PeerState::refused;
    f.node.peers[i].ended = reason;
    f.node.peers[i].ended_at = kNow - 1min - 20s * static_cast<int>(i);
  }
}

constexpr auto kPeerAct = Act::peer;
constexpr auto kYou = Act::you;

constexpr auto kCases = std::to_array<RuleCase>({
    {"FM-R1", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       dialled(f, EndReason::refused, 5);
       no_rpc(f, RpcAnswer::refused);
     },
     [](Facts& f) { dialled(f, EndReason::refused, 5); }},  // its RPC answers: FM-R4
    {"FM-R2", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       dialled(f, EndReason::timed_out, 5);
       no_rpc(f, RpcAnswer::timed_out);
     },
     [](Facts& f) {  // reached, and mute after that
       probed(f, Stage::tls, Outcome::silent);
       no_rpc(f, RpcAnswer::timed_out);
     }},
    {"FM-R3", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       live(f).direction = Direction::in;
       peer(f).contact.failed = {{EndReason::timed_out, 4}};
       rpc(f).publicly_reachable = false;
     },
     [](Facts& f) {  // it dials us, and we have hardly tried
       live(f).direction = Direction::in;
       peer(f).contact.failed = {{EndReason::timed_out, 1}};
     }},
    {"FM-R4", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tcp, Outcome::refused);
       rpc(f).connections_in = 0;
       rpc(f).connections_out = 9;
     },
     [](Facts& f) {  // it only starts
       probed(f, Stage::tcp, Outcome::refused);
       rpc(f).uptime_seconds = 40;
     }},
    {"FM-X11", About::peer, Act::nobody, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tcp, Outcome::refused);
       rpc(f).uptime_seconds = 40;
     },
     [](Facts& f) {
       probed(f, Stage::tcp, Outcome::refused);
       rpc(f).uptime_seconds = 301;
     }},
    {"FM-R6", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { probed(f, Stage::tls, Outcome::silent); },
     [](Facts& f) {  // the RPC hangs, too
       probed(f, Stage::tls, Outcome::silent);
       no_rpc(f, RpcAnswer::silent);
     }},
    {"FM-X6", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::silent);
       no_rpc(f, RpcAnswer::silent);
     },
     [](Facts& f) { probed(f, Stage::tls, Outcome::silent); }},
    {"FM-R7", About::peer, kYou, Base::gone,
     [](Facts& f) { dialled(f, EndReason::self_connection); },
     [](Facts& f) { f.node.address = IpAddress::v4(64, 91, 241, 11); }},
    {"own_address", About::peer, Act::nobody, Base::gone,
     [](Facts& f) {
       f.node.address = kPeer;
       peer(f).contact = {};
     },
     [](Facts& f) { peer(f).contact = {}; }, true},
    {"slow", About::peer, Act::nobody, Base::well,
     [](Facts& f) {
       probed(f, Stage::ping, Outcome::ok);
       peer(f).probe->handshake->ms = 1800;
     },
     [](Facts& f) { probed(f, Stage::ping, Outcome::ok); }},
    {"FM-R7", About::node, kYou, Base::well,
     [](Facts& f) { f.node.own_address_whitelisted = true; },
     [](Facts& f) { f.node.own_address_whitelisted.reset(); }, true},
    {"FM-R8", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       f.node.address = *IpAddress::parse("2a01:4f8:1::5");
       rpc(f).lists_loopback = true;
       rpc(f).sees_us = false;
       rpc(f).registered_connected = false;
     },
     [](Facts& f) { rpc(f).lists_loopback = true; }},  // all is IPv4
    {"FM-R9", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       peer(f).contact.identities = 2;
       for (int i = 1; i <= 4; ++i) had_session(f, 31s * i, 29s, EndReason::superseded);
     },
     [](Facts& f) { peer(f).contact.identities = 2; }},  // an upgrade
    {"FM-R9", About::node, kYou, Base::well, [](Facts& f) { f.node.address_shared = true; },
     [](Facts& f) { f.node.address_shared.reset(); }},
    {"FM-R3", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.listener.reachable.reset();
       f.node.listener.unreachable_said_by = 2;
     },
     [](Facts& f) { f.node.listener.unreachable_said_by = 2; }},  // and yet others dial us
    {"FM-R4", About::node, kYou, Base::well, [](Facts& f) { f.node.listener.listening = false; },
     [](Facts& f) {
       f.node.listener.listening = false;
       f.node.listener.wanted = false;
     }},
    {"FM-R5", About::node, kYou, Base::well,
     [](Facts& f) {
       f.node.listener.listening = false;
       f.node.listener.error = "Address already in use";
     },
     [](Facts& f) { f.node.listener.listening = false; }},
    {"FM-H1", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { probed(f, Stage::handshake, Outcome::silent); },
     [](Facts& f) { probed(f, Stage::handshake, Outcome::redirected); }},
    {"FM-H2", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       peer(f).contact.violations = {{"early_frame", 4}};
       peer(f).contact.dials_last_hour = 1;
     },
     [](Facts& f) {
       peer(f).contact.violations = {{"slow", 4}};
     }},
    {"FM-H3", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::handshake, Outcome::wrong_magic);
       peer(f).probe->magic = "54494d45";
     },
     [](Facts& f) { probed(f, Stage::handshake, Outcome::old_protocol); }},
    {"FM-C3", About::node, kYou, Base::gone,
     [](Facts& f) { ended_all(f, EndReason::wrong_magic, 6); },
     [](Facts& f) { ended_all(f, EndReason::wrong_magic, 5); }},
    {"FM-H4", About::peer, kPeerAct, Base::gone,
     [](Facts& f) { dialled(f, EndReason::old_protocol); },
     [](Facts& f) { dialled(f, EndReason::old_commit); }},
    {"FM-H5", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       dialled(f, EndReason::old_commit);
       live(f).commit_count = 0;
     },
     [](Facts& f) { live(f).commit_count = 2062; }},
    {"FM-H5", About::node, kYou, Base::gone,
     [](Facts& f) { ended_all(f, EndReason::rejected_notice, 6); },
     [](Facts& f) { ended_all(f, EndReason::rejected_notice, 5); }},
    {"FM-H6", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::genesis, Outcome::mismatch);
       peer(f).probe->genesis_hash = std::string(64, 'a');
       rpc(f).genesis_hash = std::string(64, 'a');
     },
     [](Facts& f) { probed(f, Stage::genesis, Outcome::ok); }},
    {"FM-H7", About::peer, kYou, Base::gone,
     [](Facts& f) { dialled(f, EndReason::wrong_genesis); },  // and its RPC shows ours
     [](Facts& f) {
       dialled(f, EndReason::wrong_genesis);
       rpc(f).genesis_hash = std::string(64, 'a');
     }},
    {"FM-H8", About::node, kYou, Base::gone,
     [](Facts& f) { ended_all(f, EndReason::wrong_genesis, 6); },
     [](Facts& f) { ended_all(f, EndReason::wrong_genesis, 5); }},
    {"FM-H9", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::plaintext);
       peer(f).probe->first_bytes = "0000001f0a000000";
     },
     [](Facts& f) { probed(f, Stage::tls, Outcome::failed); }},
    {"FM-H15", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::plaintext);
       peer(f).probe->first_bytes = "7b22747970";
     },
     [](Facts& f) {
       probed(f, Stage::tls, Outcome::plaintext);
       peer(f).probe->first_bytes = "0000001f0a000000";
     }},
    {"FM-H10", About::peer, kYou, Base::gone,
     [](Facts& f) { banned_there(f, "Invalid TLS SNI: example.org"); },
     [](Facts& f) { banned_there(f, "TLS handshake failed: eof"); }},
    {"FM-H11", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       dialled(f, EndReason::closed_before_tls, 6);
       no_rpc(f, RpcAnswer::timed_out);
     },
     [](Facts& f) { banned_there(f, "operator says no"); }},  // the cause is known
    {"FM-H12", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::handshake, Outcome::too_large);
       peer(f).probe->frame_length = 536'870'912;
     },
     [](Facts& f) {
       probed(f, Stage::handshake, Outcome::too_large);
       peer(f).probe->frame_length = 20'000'000;
     }},
    {"FM-H13", About::peer, kPeerAct, Base::gone,
     [](Facts& f) {
       probed(f, Stage::handshake, Outcome::too_large);
       peer(f).probe->frame_length = 20'000'000;
     },
     [](Facts& f) {
       probed(f, Stage::handshake, Outcome::too_large);
       peer(f).probe->frame_length = 536'870'912;
     }},
    {"FM-H14", About::peer, kPeerAct, Base::well,
     [](Facts& f) {
       live(f).undecodable_frames = 300;
       live(f).height.reset();
       live(f).commit_count = 2600;
     },
     [](Facts& f) { live(f).undecodable_frames = 3; }},
});

}  // namespace

std::span<const RuleCase> link_cases() {
  return kCases;
}

}  // namespace timectl::diagnose
