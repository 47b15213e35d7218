// Rules about sessions that are up, or were: FM-K and FM-D.
#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr double kHour = 3600;
constexpr double kSettled = 60;       // seconds until a peer's RPC may be expected to know us
constexpr double kImmortal = 300;     // the longest time-out of the requirements (L4)
constexpr double kShort = 10;         // seconds: a session that was only a quarrel
constexpr std::uint64_t kStorm = 3;   // of those in an hour
constexpr double kProbePeriod = 600;  // FM-D12: the reachability probe of the network
constexpr double kProbeSlack = 30;    // the tick of the dialler
constexpr std::size_t kAllPassive = 3;

bool ended_in_silence(const SessionRecord& session) {
  return session.end_reason == EndReason::transport_dead ||
         session.end_reason == EndReason::unresponsive;
}

void half_open(const Scene& s, Proof& p) {
  if (s.connected()) {
    const auto& live = *s.peer().node;
    const bool waits = s.state_is(PeerState::suspect) || s.state_is(PeerState::degraded);
    if (!waits || !live.path || live.path->silence.empty()) return;
    if (live.path->silence.starts_with("its kernel acknowledges")) return;  // FM-X6
    p.add(Side::ours, 0.75, live.path->silence);
    if (live.last_heard_at) {
      p.add(Side::ours, 0.3,
            "last heard " + span_text(s.seconds_since(*live.last_heard_at)) + " ago");
    }
    if (s.rpc_is(RpcAnswer::timed_out)) p.add(Side::ours, 0.5, "its RPC port is silent, too");
    return;
  }
  const auto* last = s.last_session();
  if (last == nullptr || !ended_in_silence(*last) || s.seconds_since(last->ended_at) > kHour) {
    return;
  }
  p.add(Side::ours, 0.75,
        "its session of " + utc_text(last->started_at) + " ended " +
            span_text(s.seconds_since(last->ended_at)) +
            " ago: " + std::string(name_of(last->end_reason)));
  if (!last->detail.empty()) p.add(Side::ours, 0.3, printable(last->detail));
  if (s.rpc_is(RpcAnswer::timed_out) || s.ended_at(Stage::tcp, Outcome::timed_out)) {
    p.add(Side::ours, 0.4, "it does not answer now either");
  }
  // It came up after that: it was restarted, and a restart says goodbye or is FM-X8.
  if (s.rpc().uptime_seconds && *s.rpc().uptime_seconds < s.seconds_since(last->ended_at)) {
    p.doubt(0.5);
  }
}

void stray_pongs(const Scene& s, Proof& p) {
  const auto n = s.violations("unknown_pongs");
  if (n == 0) return;
  p.add(Side::ours, 0.7, "its pongs answer no ping of ours: it talks to a second session");
}

void ping_ban(const Scene& s, Proof& p) {
  const auto* ban = s.banned_there("FM-K3");
  if (ban != nullptr) p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
}

bool seen_for_long(const Scene& s) {
  return s.connected() && s.rpc().sees_us == true && s.session_seconds() >= kSettled;
}

void no_ping_known(const Scene& s, Proof& p) {
  if (!seen_for_long(s) || s.rpc().our_ping_known != false) return;
  if (s.rpc().our_height.value_or(0) == 0) return;  // FM-D14
  p.add(Side::peer, 0.6, "it lists us as connected, with a height and without a ping time");
}

void state_erased(const Scene& s, Proof& p) {
  if (!seen_for_long(s) || s.rpc().our_height != 0U) return;
  p.add(Side::peer, 0.6,
        "it lists us as connected since " + span_text(s.session_seconds()) + ", with height 0");
  p.add(Side::ours, 0.3, "our session with it is up and answers");
}

void kept_for_ever(const Scene& s, Proof& p) {
  if (!s.connected() || !s.peer().node->last_heard_at) return;
  const auto silent = s.seconds_since(*s.peer().node->last_heard_at);
  if (silent <= kImmortal) return;
  p.add(Side::ours, 0.85, "connected, and nothing was heard of it for " + span_text(silent));
}

void storm(const Scene& s, Proof& p) {
  std::uint64_t quarrels = 0;
  bool in = false;
  bool out = false;
  for (const auto& session : s.peer().sessions) {
    if (s.seconds_since(session.ended_at) > kHour) continue;
    if (seconds(Duration(session.ended_at - session.started_at)) > kShort) continue;
    const bool quarrel = session.end_reason == EndReason::superseded ||
                         session.end_reason == EndReason::duplicate ||
                         session.end_reason == EndReason::closed_by_peer;
    if (!quarrel) continue;
    ++quarrels;
    (session.direction == Direction::in ? in : out) = true;
  }
  if (quarrels < kStorm || !in || !out) return;
  p.add(Side::ours, std::min(0.9, 0.5 + 0.1 * static_cast<double>(quarrels)),
        std::to_string(quarrels) +
            " sessions of the last hour lasted under 10 s, in both "
            "directions");
}

// Nothing that we know of stands between us: it is there, and no attempt fails.
bool path_is_open(const Scene& s) {
  if (s.contact().stage != Stage::none) {
    return s.contact().outcome == Outcome::ok && s.contact().stage >= Stage::tcp;
  }
  return s.rpc_ok();
}

std::optional<IpAddress> ours(const Scene& s) {
  if (s.node().address && !s.node().address->is_unspecified()) return s.node().address;
  return s.node().config.external_ip;
}

void both_passive(const Scene& s, Proof& p) {
  if (s.connected() || !path_is_open(s) || s.rpc().sees_us == true) return;
  const bool we_wait = s.state_is(PeerState::waiting_passive);
  const auto mine = ours(s);
  // Who is no masternode of ours is not expected to be connected, and nobody dials where none runs.
  const bool expected = s.peer().whitelisted && s.node().running == true;
  const bool idle = s.peer().contact.dials_last_hour == 0 && !s.peer().contact.last_dial;
  if (!we_wait && !(idle && expected)) return;
  std::string who = "we wait for it to dial";
  if (mine) {
    const bool it_dials = *mine < s.peer().ip;
    who = (it_dials ? s.peer().ip.to_string() : mine->to_string()) +
          " is the higher address and has to dial; ";
    who += it_dials ? "it does not" : "we have not dialled in the last hour";
    p.acts(it_dials ? Act::peer : Act::you);
  }
  p.add(Side::ours, 0.55, who);
  if (s.rpc().sees_us == false) {
    p.add(Side::peer, 0.5, "its RPC is up and shows no connection with us");
  }
  if (s.contact().outcome == Outcome::ok && s.contact().stage != Stage::none) {
    p.add(Side::ours, 0.4, s.contact().text);
  }
}

void no_own_address(const Scene& s, Proof& p) {
  const auto& node = s.node();
  const bool unspecified = node.address && node.address->is_unspecified();
  const auto waiting = static_cast<std::size_t>(
      std::count_if(node.peers.begin(), node.peers.end(),
                    [](const PeerBrief& b) { return b.state == PeerState::waiting_passive; }));
  if (unspecified) {
    p.add(Side::ours, 0.8,
          "our own address is taken for " + node.address->to_string() +
              ", which ranks below every peer");
  }
  if ((unspecified || !node.address) && waiting >= kAllPassive) {
    p.add(Side::ours, 0.6, "we wait for " + std::to_string(waiting) + " peers to dial us");
  }
}

void rank_differs(const Scene& s, Proof& p) {
  const auto& configured = s.node().config.external_ip;
  const auto& seen = s.node().address;
  if (s.connected() || !configured || !seen || *configured == *seen) return;
  if ((*configured < s.peer().ip) == (*seen < s.peer().ip)) return;
  p.add(Side::ours, 0.75,
        "by our configured address " + configured->to_string() + " the one dials, by " +
            seen->to_string() + ", which peers see, the other");
}

void zombie(const Scene& s, Proof& p) {
  if (s.rpc().registered_connected != true || s.rpc().sees_us != false) return;
  p.add(Side::peer, 0.8, "its masternodelist says that we are connected, its getpeerinfo that not");
  if (!s.connected()) p.add(Side::ours, 0.5, "we have no session with it");
}

void orphan(const Scene& s, Proof& p) {
  if (s.connected() || s.rpc().sees_us != true) return;
  p.add(Side::peer, 0.7, "it says that we are connected");
  const auto* last = s.last_session();
  std::string none = "we have no session with it";
  if (last != nullptr) {
    none += " since " + utc_text(last->ended_at);
    if (s.seconds_since(last->ended_at) < kSettled) p.doubt(0.6);
  }
  p.add(Side::ours, 0.5, none);
  if (s.dropped_at_accept()) p.add(Side::ours, 0.4, s.contact().text);
}

void two_keys(const Scene& s, Proof& p) {
  if (s.rpc().our_rows.value_or(0) < 2) return;
  p.add(Side::peer, 0.85,
        "it lists our address " + std::to_string(*s.rpc().our_rows) +
            " times, with a port and without");
}

void counter_off(const Scene& s, Proof& p) {
  const auto& rpc = s.rpc();
  if (!rpc.connections_in || !rpc.connections_out || !rpc.peers_connected) return;
  if (*rpc.connections_in != 0 || *rpc.connections_out != 0 || *rpc.peers_connected == 0) return;
  p.add(Side::peer, 0.8,
        "it counts 0 connections and lists " +
            count_text(*rpc.peers_connected, "connected peer", "connected peers"));
}

void probe_kick(const Scene& s, Proof& p) {
  std::uint64_t steps = 0;
  const SessionRecord* before = nullptr;
  for (const auto& session : s.peer().sessions) {
    const bool kicked = session.end_reason == EndReason::superseded ||
                        session.end_reason == EndReason::closed_by_peer;
    if (!kicked) continue;
    if (before != nullptr) {
      const auto gap = seconds(Duration(session.ended_at - before->ended_at));
      if (std::abs(gap - kProbePeriod) <= kProbeSlack) ++steps;
    }
    before = &session;
  }
  if (steps < 2) return;  // three ends in a row
  p.add(Side::ours, std::min(0.9, 0.5 + 0.15 * static_cast<double>(steps)),
        "its sessions end every 10 minutes, " + std::to_string(steps + 1) +
            " times: the rhythm of the network's reachability probe");
}

void dial_wiped_inbound(const Scene& s, Proof& p) {
  const auto* last = s.last_session();
  const auto& dial = s.peer().contact.last_dial_at;
  if (last == nullptr || !dial || last->direction != Direction::in) return;
  if (s.peer().contact.last_dial != EndReason::closed_before_tls) return;
  constexpr double kTogether = 5;  // seconds between the accept and our failed dial
  constexpr double kHealed = 90;   // FM-D13: until the other side notices
  const auto apart = std::abs(seconds(Duration(*dial - last->started_at)));
  const auto lasted = seconds(Duration(last->ended_at - last->started_at));
  if (apart > kTogether || lasted > kHealed || last->end_reason == EndReason::shutdown) return;
  if (*dial > last->ended_at) return;  // what came after the end did not cause it
  p.add(Side::ours, 0.7,
        "it dialled us and we dialled it within " + number_text(apart) +
            " s; our dial was dropped, and then its session died");
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-K1", About::peer, Severity::error, Act::nobody, "FM-R2 FM-D2 FM-P4 FM-A8", half_open},
    {"FM-K2", About::peer, Severity::warning, Act::peer, "", stray_pongs},
    {"FM-K3", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-P4", ping_ban},
    {"FM-K4", About::peer, Severity::info, Act::nobody, "", no_ping_known},
    {"FM-D14", About::peer, Severity::warning, Act::nobody, "FM-P6", state_erased},
    {"FM-K7", About::peer, Severity::error, Act::you, "FM-K1", kept_for_ever},
    {"FM-D1", About::peer, Severity::error, Act::nobody, "FM-H11 FM-D12", storm},
    {"FM-D2", About::peer, Severity::error, Act::peer, "", both_passive},
    {"FM-D3", About::node, Severity::critical, Act::you, "FM-D2 FM-D4 FM-C1 FM-P4", no_own_address},
    {"FM-D4", About::peer, Severity::error, Act::you, "FM-D2 FM-C1 FM-P4", rank_differs},
    {"FM-D5", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-P10", zombie},
    {"FM-D6", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-L1 FM-L2", orphan},
    {"FM-D10", About::peer, Severity::warning, Act::peer, "FM-P11", two_keys},
    {"FM-D11", About::peer, Severity::warning, Act::peer, "FM-S18 FM-A11", counter_off},
    {"FM-D12", About::peer, Severity::error, Act::nobody, "", probe_kick},
    {"FM-D13", About::peer, Severity::error, Act::nobody, "FM-H11 FM-D1 FM-K1 FM-L1",
     dial_wiped_inbound},
});

}  // namespace

std::span<const Rule> session_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
